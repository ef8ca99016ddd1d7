"""A new key for the ledger: the older ones verify what they have signed, and sign nothing any more."""

from __future__ import annotations

from fraudops import ledger
from fraudops.workspace import Workspace


def rotate_ledger_key(ws: Workspace, *, actor: str) -> int | None:
    """Let the newest key sign from here on; the number of the entry that says so, None where it does already.

    Raises
    ------
    ConfigurationError
        More than one key is new, or the one in force is missing.
    """
    with ws.transaction() as session:
        entry = ledger.rotate(session, ws.ledger_keys, actor=actor)
        return None if entry is None else entry.number
