"""People work a case: what each may do, and what a second one is told."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from fraudops import cases
from fraudops.database import CaseEvent, CaseFile, Disposition, Escalation
from fraudops.errors import ConflictError, ContractError
from fraudops.labels.history import history_of
from fraudops.labels.known import known_frauds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from tests.cases.conftest import DAY, Desk

ONE, OTHER = f"{DAY}-0", f"{DAY}-3"
"""Transactions with an alert."""


def test_the_way_of_a_case(desk: Desk) -> None:
    desk.do(cases.start)
    desk.do(cases.note, text=" called the customer ")
    desk.do(cases.close, finding="fraud", reason="not made by her")
    assert (desk.case().state, desk.case().proposed_by) == ("in_review", "ann")
    desk.do(cases.approve, by="olga")
    case = desk.case()
    assert (case.state, case.finding, case.closed_by, case.proposed_by) == ("closed_fraud", "fraud", "olga", None)
    kinds = [event.kind for event in desk.events()]
    assert kinds == ["opened", "assigned", "state", "note", "proposed", "closed", "state"]
    assert [event.version for event in desk.events()] == [1, 2, 2, 3, 4, 5, 5]
    assert case.version == 5
    with desk.ws.transaction() as session:
        rows = session.scalars(select(Disposition).order_by(Disposition.transaction_id)).all()
    assert [(row.transaction_id, row.finding, row.by) for row in rows] == [
        (ONE, "fraud", "ann"),
        (OTHER, "fraud", "ann"),
    ]


def test_the_ledger_says_that_a_case_changed_and_not_how(desk: Desk) -> None:
    desk.do(cases.escalate, by="olga", detected_on=date(2026, 3, 3), suspect_known=True, reason="a mule")
    desk.do(cases.note, text="a mule")
    entries = desk.ledger("case_updated")
    assert [entry.actor for entry in entries] == ["olga", "ann"]
    assert {tuple(sorted(entry.details)) for entry in entries} == {("events", "version")}
    assert "escalat" not in str([(e.action, e.subject, e.details) for e in entries])
    assert "'c0'" not in str([(e.subject, e.details) for e in entries])


def test_the_second_of_two_investigators_is_told_who_did_what(desk: Desk) -> None:
    seen = desk.case().version
    desk.do(cases.start, by="ann", version=seen)
    with pytest.raises(ConflictError, match=r"changed since version 1 and is at 2 now: ann: assigned .*; ann: state"):
        desk.do(cases.start, by="bob", version=seen)
    with pytest.raises(ContractError, match="in review cannot be started"):
        desk.do(cases.start, by="bob")


def test_two_at_the_same_moment_do_not_both_win(desk: Desk) -> None:
    seen, outcomes, ready = desk.case().version, [], threading.Barrier(2)

    def begin(person: str) -> None:
        ready.wait()
        try:
            outcomes.append((person, desk.do(cases.start, by=person, version=seen)))
        except ConflictError:
            outcomes.append((person, None))

    people = [threading.Thread(target=begin, args=(person,)) for person in ("ann", "bob")]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(str(version) for _, version in outcomes) == ["2", "None"]
    (winner,) = [person for person, version in outcomes if version]
    assert desk.case().assignee == winner


@pytest.mark.parametrize(
    ("step", "by", "more"),
    [
        (cases.start, "dana", {}),
        (cases.start, "nobody", {}),
        (cases.assign, "ann", {"to": "dana"}),
        (cases.escalate, "ann", {"detected_on": date(2026, 3, 3), "suspect_known": False, "reason": "r"}),
        (cases.approve, "ann", {}),
        (cases.decline, "ann", {"reason": "r"}),
    ],
)
def test_who_has_not_the_role_may_not(desk: Desk, step, by: str, more: dict) -> None:
    with pytest.raises(ContractError, match="it takes the role"):
        desk.do(step, by=by, **more)
    assert desk.case().version == 1


@pytest.mark.parametrize(("proposer", "approver"), [("olga", "olga"), ("olga", "OLGA"), ("olga", " olga ")])
def test_nobody_is_the_second_pair_of_eyes_for_themselves(desk: Desk, proposer: str, approver: str) -> None:
    desk.do(cases.start, by=proposer)
    desk.do(cases.close, by=proposer, finding="fraud", reason="r")
    with pytest.raises(ContractError, match=r"does not decide|takes the role"):
        desk.do(cases.approve, by=approver)
    desk.do(cases.approve, by="omar")


def test_below_the_severity_one_person_closes_unless_it_was_escalated(desk: Desk) -> None:
    alone = desk.portfolio.cases.model_copy(update={"four_eyes_from": None})
    desk.portfolio = desk.portfolio.model_copy(update={"cases": alone})
    desk.do(cases.start)
    desk.do(cases.close, finding="not_fraud", reason="knows the shop", otherwise={OTHER: "insufficient"})
    assert desk.case().state == "closed_not_fraud"
    with desk.ws.transaction() as session:
        found = {row.transaction_id: row.finding for row in session.scalars(select(Disposition))}
    assert found == {ONE: "not_fraud", OTHER: "insufficient"}
    desk.do(cases.reopen, reason="a second call")
    desk.do(cases.escalate, by="olga", detected_on=date(2026, 3, 3), suspect_known=False, reason="r")
    desk.do(cases.close, finding="fraud", reason="r")
    assert (desk.case().state, desk.case().proposed_finding) == ("escalated", "fraud")
    desk.do(cases.decline, by="olga", reason="ask her again")
    assert (desk.case().state, desk.case().proposed_finding) == ("escalated", None)
    desk.do(cases.close, finding="fraud", reason="r")
    desk.do(cases.approve, by="olga")
    desk.do(cases.reopen, reason="r")
    assert desk.case().state == "escalated"


def test_a_day_of_detection_does_not_lie_ahead(desk: Desk) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    with pytest.raises(ContractError, match="lies ahead"):
        desk.do(cases.escalate, by="olga", detected_on=tomorrow, suspect_known=False, reason="r")
    with desk.ws.transaction() as session:
        assert session.scalars(select(Escalation)).all() == []


def test_mistakes_leave_no_trace(desk: Desk) -> None:
    desk.do(cases.start)
    for more in ({"finding": "perhaps", "reason": "r"}, {"finding": "fraud", "reason": " "}):
        with pytest.raises(ContractError):
            desk.do(cases.close, **more)
    with pytest.raises(ContractError, match="not one of the case's"):
        desk.do(cases.close, finding="fraud", reason="r", otherwise={"elsewhere": "fraud"})
    with pytest.raises(ContractError, match="no case cards-9"):
        desk.do(cases.start, 9)
    assert desk.case().version == 2


def close(desk: Desk, finding: str) -> None:
    if desk.case().state.startswith("closed"):
        desk.do(cases.reopen, reason="r")
    if desk.case().state == "open":
        desk.do(cases.start)
    desk.do(cases.close, finding=finding, reason="r")
    desk.do(cases.approve, by="olga")


def test_what_a_case_says_becomes_a_label_once_and_is_corrected_by_closing_it_otherwise(desk: Desk) -> None:
    close(desk, "fraud")
    (key,) = cases.hand_over(desk.ws, desk.portfolio, actor="ann")
    assert cases.hand_over(desk.ws, desk.portfolio, actor="ann") == []
    end = desk.portfolio.partitioning.end(key)
    assert known_frauds(desk.ws, desk.portfolio, as_of=end - timedelta(microseconds=1)) == []
    assert known_frauds(desk.ws, desk.portfolio, as_of=end) == [ONE, OTHER]
    close(desk, "not_fraud")
    cases.hand_over(desk.ws, desk.portfolio, actor="ann")
    assert known_frauds(desk.ws, desk.portfolio, as_of=end) == []
    assert [(one.by, one.said) for one in history_of(desk.ws, desk.portfolio, ONE)] == [
        ("ann", "fraud"),
        ("ann", "not fraud"),
    ]
    assert [entry.actor for entry in desk.ledger("ingested")] == ["ann", "ann"]


def test_a_crash_after_writing_costs_nothing(desk: Desk) -> None:
    close(desk, "fraud")
    (key,) = cases.hand_over(desk.ws, desk.portfolio, actor="ann")
    first = desk.ws.store.require("dispositions", "cards", key)
    with desk.ws.transaction() as session:
        for row in session.scalars(select(Disposition)):
            row.handed_over_at = None
    assert cases.hand_over(desk.ws, desk.portfolio, actor="reconcile") == [key]
    assert desk.ws.store.require("dispositions", "cards", key) == first
    assert len(desk.ledger("ingested")) == 1


STEPS = {
    "start": lambda desk: desk.do(cases.start),
    "note": lambda desk: desk.do(cases.note, text="n"),
    "assign": lambda desk: desk.do(cases.assign, to="bob"),
    "escalate": lambda desk: desk.do(
        cases.escalate, by="olga", detected_on=date(2026, 3, 3), suspect_known=False, reason="r"
    ),
    "fraud": lambda desk: desk.do(cases.close, finding="fraud", reason="r"),
    "not_fraud": lambda desk: desk.do(cases.close, by="olga", finding="not_fraud", reason="r"),
    "approve": lambda desk: desk.do(cases.approve, by="olga"),
    "decline": lambda desk: desk.do(cases.decline, by="omar", reason="r"),
    "reopen": lambda desk: desk.do(cases.reopen, reason="r"),
}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=14))
def test_whatever_people_do_a_case_stays_coherent(desk: Desk, steps: list[str]) -> None:
    with desk.ws.transaction() as session:
        states = {event.id for event in session.scalars(select(CaseEvent))}
    version = desk.case().version
    for step in steps:
        before = desk.case()
        try:
            version = STEPS[step](desk)
        except ContractError:
            assert desk.case().version == before.version
            continue
        case = desk.case()
        assert case.version == version == before.version + (step != "assign" or before.assignee != "bob")
        closed = case.state.startswith("closed")
        assert closed == (case.finding is not None) == (case.closed_at is not None) == (case.closed_by is not None)
        assert not closed or case.state == f"closed_{case.finding}"
        assert not (closed and case.proposed_finding)
        assert (case.proposed_finding is None) == (case.proposed_by is None) == (case.proposed_at is None)
        if closed and not before.state.startswith("closed"):
            assert step == "approve"
            assert before.proposed_by != "olga"
    assert states <= {event.id for event in desk.events()}
    with desk.ws.transaction() as session:
        closings = [event for event in desk.events() if event.kind == "closed"]
        said = session.scalars(select(Disposition)).all()
        assert len(said) == 2 * len(closings)
        case = session.scalars(select(CaseFile)).one()
        escalated = session.scalars(select(Escalation)).all()
        assert not escalated or case.state not in ("open", "in_review")
