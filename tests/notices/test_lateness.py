"""Notices that wait too long: one warning for an outage, and none for what is in time, sent or in a person's hands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fraudops.database.models import LedgerEntry, Notice
from fraudops.notices import Transmission, outbox
from fraudops.notices.lateness import LATE, RECORDED, late, warn
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from sqlalchemy import func, select

HOUR = timedelta(hours=1)


def put(ws: Workspace, portfolio: Portfolio, *keys: str) -> list[int]:
    with ws.transaction() as session:
        for key in keys:
            outbox.queue(
                session,
                portfolio=portfolio,
                kind="digest",
                dedupe_key=key,
                recipients=["a@bank.example"],
                subject=key,
                text="text",
                html="<p>html</p>",
                as_of=datetime(2026, 11, 11, tzinfo=UTC),
            )
    return outbox.waiting(ws)


def soon() -> datetime:
    """When what was queued just now is late."""
    return datetime.now(UTC) + HOUR + timedelta(minutes=1)


def number_of(ws: Workspace, kind: str) -> int:
    with ws.transaction() as session:
        return session.scalar(select(func.count()).select_from(Notice).where(Notice.kind == kind)) or 0


def test_what_waits_for_less_than_an_hour_is_in_time(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards, "1")
    with workspace.transaction() as session:
        assert late(session, cards, now=datetime.now(UTC) + HOUR - timedelta(minutes=5)) is None


def test_the_portfolio_says_what_is_late(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards, "1")
    patient = cards.model_copy(update={"notices": cards.notices.model_copy(update={"warn_after": timedelta(days=1)})})
    with workspace.transaction() as session:
        assert late(session, patient, now=soon()) is None


def test_an_outage_has_one_warning_however_long_it_lasts(workspace: Workspace, cards: Portfolio) -> None:
    first, _ = put(workspace, cards, "1", "2")
    for later in range(3):
        found = warn(workspace, cards, now=soon() + later * HOUR)
        assert found is not None
        assert (found.number, found.oldest) == (2, first)
    assert found.sentence.startswith("2 notices wait too long for delivery, the oldest since ")
    assert number_of(workspace, LATE) == 1
    with workspace.transaction() as session:
        entries = list(session.scalars(select(LedgerEntry).where(LedgerEntry.action == RECORDED)))
    assert [entry.details["number"] for entry in entries] == [2]
    # It is the last to go out.
    assert outbox.waiting(workspace)[:2] == [first, first + 1]


@pytest.mark.parametrize("outcome", ["sent", "rejected"])
def test_what_is_sent_or_needs_a_person_is_not_late(workspace: Workspace, cards: Portfolio, outcome: str) -> None:
    (number,) = put(workspace, cards, "1")
    claimed = outbox.claim(workspace, number)
    assert claimed is not None
    accepted = claimed.remaining if outcome == "sent" else ()
    outbox.record(workspace, claimed, Transmission(outcome, accepted))  # type: ignore[arg-type]
    assert warn(workspace, cards, now=soon()) is None
    assert number_of(workspace, LATE) == 0


def test_the_next_outage_is_told_again(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards, "1")
    warn(workspace, cards, now=soon())
    for number in outbox.waiting(workspace):
        claimed = outbox.claim(workspace, number)
        assert claimed is not None
        outbox.sent(workspace, claimed)
    put(workspace, cards, "2")
    warn(workspace, cards, now=soon())
    assert number_of(workspace, LATE) == 2
