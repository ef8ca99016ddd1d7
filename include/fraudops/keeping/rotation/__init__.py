"""Changing a key: of the tokens, of the ledger, of what is encrypted. Each may be interrupted, and is run again."""

from fraudops.keeping.rotation.protected import rotate_protection_key
from fraudops.keeping.rotation.signing import rotate_ledger_key
from fraudops.keeping.rotation.tokens import rotate_token_key

__all__ = ["rotate_ledger_key", "rotate_protection_key", "rotate_token_key"]
