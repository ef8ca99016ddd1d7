"""The ledger: what happened, hash-chained and signed, in the same transaction as the thing itself."""

from fraudops.ledger.chain import Finding, Head, append, contains, head, verify

__all__ = ["Finding", "Head", "append", "contains", "head", "verify"]
