"""The ledger: what happened, hash-chained and signed, in the same transaction as the thing itself."""

from fraudops.ledger.chain import append, chain, contains, head, rotate
from fraudops.ledger.heads import SignedHead
from fraudops.ledger.keys import signing_key
from fraudops.ledger.links import Head
from fraudops.ledger.verification import Finding, before_last, verify

__all__ = [
    "Finding",
    "Head",
    "SignedHead",
    "append",
    "before_last",
    "chain",
    "contains",
    "head",
    "rotate",
    "signing_key",
    "verify",
]
