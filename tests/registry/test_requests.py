from __future__ import annotations

from datetime import UTC, datetime

from fraudops.database import LedgerEntry
from fraudops.portfolio import Portfolio
from fraudops.registry.requests import ACTION, record_request
from fraudops.workspace import Workspace
from sqlalchemy import select


def test_a_request_is_recorded_once_with_its_reason(workspace: Workspace, portfolios: dict[str, Portfolio]) -> None:
    cards, as_of = portfolios["cards"], datetime(2026, 3, 5, tzinfo=UTC)

    def ask(run_id: str) -> bool:
        return record_request(
            workspace, cards, run_id=run_id, requested_by="maria", reason="fraud at fuel stations", as_of=as_of
        )

    assert [ask("manual__1"), ask("manual__1"), ask("manual__2")] == [True, False, True]
    with workspace.transaction() as session:
        entries = session.scalars(select(LedgerEntry).where(LedgerEntry.action == ACTION)).all()
    assert [(entry.actor, entry.subject) for entry in entries] == [
        ("maria", "cards/training/manual__1"),
        ("maria", "cards/training/manual__2"),
    ]
    assert entries[0].details["reason"] == "fraud at fuel stations"
