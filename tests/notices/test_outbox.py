"""Every notice is delivered, recorded, and told to nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fraudops import ledger
from fraudops.database import open_engine
from fraudops.database.models import LedgerEntry, Notice
from fraudops.errors import ConfigurationError, ConflictError, ContractError
from fraudops.notices import Claim, Transmission, outbox
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from tests.databases import as_owner

AS_OF = datetime(2026, 11, 11, tzinfo=UTC)
EXPIRED = timedelta(seconds=-1)


def put(ws: Workspace, portfolio: Portfolio, key: str = "digest/1", **changes: Any) -> bool:
    values: dict[str, Any] = {
        "kind": "digest",
        "dedupe_key": key,
        "recipients": ["a@bank.example", "b@bank.example"],
        "subject": "a subject",
        "text": "text",
        "html": "<p>html</p>",
        "as_of": AS_OF,
        **changes,
    }
    with ws.transaction() as session:
        return outbox.queue(session, portfolio=portfolio, **values)


def only(ws: Workspace) -> Notice:
    with ws.transaction() as session:
        notice = session.scalars(select(Notice)).one()
        assert notice.deliveries is not None
        return notice


def entries(ws: Workspace) -> list[LedgerEntry]:
    with ws.transaction() as session:
        assert list(ledger.verify(session, ws.ledger_key)) == []
        return list(session.scalars(select(LedgerEntry).order_by(LedgerEntry.number)))


def taken(ws: Workspace, **arguments: Any) -> Claim:
    claimed = outbox.claim(ws, outbox.waiting(ws)[0], **arguments)
    assert claimed is not None
    return claimed


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


def test_same_key_queues_once_and_message_id_follows_from_it(workspace: Workspace, cards: Portfolio) -> None:
    assert put(workspace, cards) is True
    first = only(workspace)
    assert put(workspace, cards, subject="another") is False
    assert only(workspace).subject == "a subject"
    assert first.message_id.endswith("@bank.example>")
    with workspace.transaction() as session:
        session.delete(session.merge(first))
    put(workspace, cards)
    assert only(workspace).message_id == first.message_id


def test_same_key_of_another_portfolio_is_another_notice(workspace: Workspace, portfolios: Any) -> None:
    assert put(workspace, portfolios["cards"]) is True
    assert put(workspace, portfolios["ulb"]) is True
    assert len(outbox.waiting(workspace)) == 2
    assert len(outbox.waiting(workspace, portfolio="ulb")) == 1


def test_queue_vanishes_with_its_transaction(workspace: Workspace, cards: Portfolio) -> None:
    class Crash(Exception):
        pass

    def crash_after_queueing() -> None:
        with workspace.transaction() as session:
            outbox.queue(
                session,
                portfolio=cards,
                kind="digest",
                dedupe_key="k",
                recipients=["a@bank.example"],
                subject="s",
                text="t",
                html="h",
                as_of=AS_OF,
            )
            raise Crash

    with pytest.raises(Crash):
        crash_after_queueing()
    assert outbox.waiting(workspace) == []


def test_subject_is_one_short_line_and_odd_characters_are_stored(workspace: Workspace, cards: Portfolio) -> None:
    put(
        workspace,
        cards,
        key="k" * 900,
        subject="a\r\nBcc: x@evil.example\x00\u2028b\u202e" + "c" * 300,
        text="\x00\ud800",
    )
    notice = only(workspace)
    assert notice.subject.startswith("a Bcc: x@evil.example b c")
    assert len(notice.subject) == outbox.SUBJECT_LENGTH
    assert notice.text == "?"


def test_only_a_notice_that_is_there_already_is_left_out(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards, key="k1")
    put(workspace, cards, key="k1")
    assert only(workspace).dedupe_key == "cards/k1"
    with open_engine(as_owner(workspace.database_url)).begin() as connection:
        connection.execute(text("select setval('notice_id_seq', 1, false)"))
    with pytest.raises(IntegrityError, match="notice_pkey"):
        put(workspace, cards, key="k2")


def test_recipients_are_checked_and_named_once(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards, recipients=[" a@bank.example", "A@bank.example", "b@bank.example"])
    assert only(workspace).recipients == ["a@bank.example", "b@bank.example"]


@pytest.mark.parametrize(
    "address", ["", "a", "a@", "a b@c.de", "a@b.de,c@d.de", "a@b.de\r\nBcc: x@y.z", "Name <a@b.de>", "ü@b.de"]
)
def test_what_is_no_address_is_refused(workspace: Workspace, cards: Portfolio, address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"cards\.yaml: notices.*is not an e-mail address"):
        put(workspace, cards, recipients=[address])


def test_notice_without_recipients_is_refused(workspace: Workspace, cards: Portfolio) -> None:
    with pytest.raises(ConfigurationError, match="no recipient"):
        put(workspace, cards, recipients=[])


def test_sent_is_recorded_with_its_ledger_entry_and_without_addresses(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    claimed = taken(workspace)
    assert "bank.example" not in repr(claimed).replace(claimed.message_id, "")
    assert outbox.sent(workspace, claimed, detail="250 ok") == "sent"
    notice = only(workspace)
    (delivery,) = notice.deliveries
    assert (delivery.outcome, delivery.accepted) == ("sent", ["a@bank.example", "b@bank.example"])
    assert delivery.ended_at is not None
    (entry,) = entries(workspace)
    assert (entry.action, entry.actor, entry.subject) == (
        "notice_sent",
        "service:notify",
        f"cards/notice/{notice.id}",
    )
    assert entry.details == {
        "kind": "digest",
        "message_id": notice.message_id,
        "attempt": 1,
        "recipients": 2,
        "refused": 0,
    }
    assert outbox.waiting(workspace) == []
    assert outbox.claim(workspace, notice.id) is None


def test_second_sender_gets_nothing(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    claimed = taken(workspace)
    assert outbox.claim(workspace, claimed.notice_id) is None
    assert outbox.waiting(workspace) == []


def test_row_locked_by_another_sender_is_passed_over(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    with workspace.transaction() as session:
        notice = session.scalars(select(Notice).with_for_update()).one()
        assert outbox.claim(workspace, notice.id) is None


def test_refused_waits_for_another_attempt(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    claimed = taken(workspace)
    assert outbox.refused(workspace, claimed, "450 later") == "waiting"
    again = taken(workspace)
    assert (again.attempt, again.message_id) == (2, claimed.message_id)
    assert entries(workspace) == []


def test_dead_sender_is_uncertain_then_resent(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    dead = taken(workspace, lease=EXPIRED)
    again = taken(workspace)
    assert (again.attempt, again.message_id) == (2, dead.message_id)
    assert [delivery.outcome for delivery in only(workspace).deliveries] == ["uncertain", "started"]
    assert [entry.action for entry in entries(workspace)] == ["notice_uncertain"]


def test_task_that_was_killed_takes_up_its_own_notice_when_it_is_tried_again(
    workspace: Workspace, cards: Portfolio
) -> None:
    put(workspace, cards)
    dead = taken(workspace, holder="cards_notify/run/send/0")
    assert outbox.claim(workspace, dead.notice_id, holder="cards_notify/run/send/1") is None
    assert outbox.claim(workspace, dead.notice_id) is None
    again = outbox.claim(workspace, dead.notice_id, holder="cards_notify/run/send/0")
    assert again is not None
    assert again.attempt == 2
    assert [delivery.outcome for delivery in only(workspace).deliveries] == ["uncertain", "started"]


def test_dead_sender_is_held_where_the_portfolio_says_so(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    dead = taken(workspace, lease=EXPIRED)
    assert outbox.claim(workspace, dead.notice_id, on_uncertain="hold") is None
    assert outbox.state(workspace, dead.notice_id) == "uncertain"
    assert outbox.waiting(workspace) == []
    outbox.release(workspace, dead.notice_id, actor="officer")
    assert outbox.sent(workspace, taken(workspace)) == "sent"
    assert [entry.action for entry in entries(workspace)] == ["notice_uncertain", "notice_released", "notice_sent"]


def test_sender_that_comes_back_after_its_lease_settles_what_was_uncertain(
    workspace: Workspace, cards: Portfolio
) -> None:
    put(workspace, cards)
    late = taken(workspace, lease=EXPIRED)
    other = taken(workspace)
    assert outbox.sent(workspace, late) == "sending"
    assert outbox.refused(workspace, late, "too late to say so") == "sending"
    # The other one could not deliver, but by now everybody has it.
    assert outbox.refused(workspace, other, "421") == "waiting"
    assert outbox.claim(workspace, late.notice_id) is None
    assert outbox.state(workspace, late.notice_id) == "sent"


def test_uncertain_is_resent_or_held(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    assert outbox.uncertain(workspace, taken(workspace), "lost") == "waiting"
    assert outbox.uncertain(workspace, taken(workspace, on_uncertain="hold"), "lost") == "uncertain"
    with workspace.transaction() as session:
        assert outbox.counts(session, "cards").to_dict() == {
            "sent": 0,
            "waiting": 0,
            "uncertain": 1,
            "rejected": 0,
        }


def test_recipient_who_has_it_is_not_written_to_again(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    first = Transmission("sent", accepted=("a@bank.example",), deferred={"b@bank.example": "450 later"})
    assert outbox.record(workspace, taken(workspace), first) == "waiting"
    assert entries(workspace) == []
    again = taken(workspace)
    assert again.remaining == ("b@bank.example",)
    assert again.recipients == ("a@bank.example", "b@bank.example")
    gone = Transmission("rejected", refused={"b@bank.example": "550 unknown"})
    assert outbox.record(workspace, again, gone) == "sent"
    (entry,) = entries(workspace)
    assert (entry.details["recipients"], entry.details["refused"]) == (1, 1)
    assert only(workspace).deliveries[1].refused == {"b@bank.example": "550 unknown"}


def test_rejected_needs_a_person(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards)
    assert outbox.record(workspace, taken(workspace), Transmission("rejected", detail="550 relay denied")) == "rejected"
    assert outbox.waiting(workspace) == []
    (found,) = outbox.unsent(workspace)
    assert (found.state, found.last_attempt) == ("rejected", "rejected: 550 relay denied")
    outbox.release(workspace, found.notice_id, actor="officer")
    assert taken(workspace).remaining == ("a@bank.example", "b@bank.example")
    with pytest.raises(ConflictError, match="nothing to release"):
        outbox.release(workspace, found.notice_id, actor="officer")


def test_notices_that_keep_failing_do_not_hold_up_new_ones(workspace: Workspace, cards: Portfolio) -> None:
    put(workspace, cards, key="old")
    old = taken(workspace)
    outbox.refused(workspace, old, "450")
    put(workspace, cards, key="new")
    assert outbox.waiting(workspace, limit=1) != [old.notice_id]
    assert outbox.waiting(workspace)[0] == old.notice_id


def test_unknown_notice(workspace: Workspace) -> None:
    assert outbox.claim(workspace, 99) is None
    with pytest.raises(ContractError, match="there is no such notice"):
        outbox.state(workspace, 99)
