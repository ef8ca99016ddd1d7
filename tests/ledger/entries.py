"""Entries for tests of the ledger, and what its verification finds."""

from __future__ import annotations

from fraudops import ledger
from fraudops.database import transaction
from fraudops.ledger.keys import Keys

KEY = b"k" * 32


def append(url: str, count: int, keys: Keys = KEY) -> None:
    """Append entries, one in a transaction."""
    for number in range(count):
        with transaction(url) as session:
            ledger.append(
                session,
                keys,
                portfolio="cards",
                actor="service:ingest",
                action="ingested",
                subject=f"cards/transactions/2026-03-{number + 1:02d}",
                details={"rows": 10, "share": 1e16, "nested": {"ratio": 0.1, "none": None}},
            )


def findings(url: str, keys: Keys = KEY) -> list[ledger.Finding]:
    """What verification finds."""
    with transaction(url) as session:
        return list(ledger.verify(session, keys))
