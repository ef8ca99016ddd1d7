"""Clocks start by themselves, never run longer by accident, and what was missed stays missed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from fraudops.database import CaseFile, Filing, LedgerEntry
from fraudops.errors import ConflictError, ContractError
from fraudops.filings.acting import amend, record_filed, record_not_required, reopen
from fraudops.filings.reading import find_clocks
from fraudops.filings.record import Term, missed_on
from fraudops.keeping.holds import Held
from fraudops.rules.snoozing import snooze
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from tests.filings.conftest import CLOCKS, ROLES, Bank, noon
from tests.rules.payments import paid
from tests.rules.test_running import arrive, publish

DAY = date.fromisoformat


def file(bank: Bank, number: int, day: str, *, now: str | None = None, **more) -> int | None:
    arguments = {"filed_on": DAY(day), "reference": "31000123456789", "by": "olga", "roles": ROLES} | more
    return record_filed(bank.ws, bank.portfolio, CLOCKS, number, now=noon(now or day), **arguments)


def test_an_escalation_starts_one_clock_of_thirty_days(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    assert bank.start("2026-03-02") == 0, "nobody had recorded it then"
    assert [bank.start("2026-03-04"), bank.start("2026-03-05")] == [1, 0]
    (number,) = bank.numbers("sar")
    clock = bank.clock(number, "2026-03-04")
    assert (clock.case, clock.trigger_on, clock.due_on, clock.days_left) == (
        17,
        DAY("2026-03-01"),
        DAY("2026-03-31"),
        27,
    )
    assert [event.by for event in clock.history] == ["olga"]


def test_a_later_day_of_detection_is_kept_and_does_not_count(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.escalate(case, "2026-03-15", "2026-03-16")
    bank.start("2026-03-17")
    (number,) = bank.numbers("sar")
    clock = bank.clock(number, "2026-03-17")
    assert clock.due_on == DAY("2026-03-31")
    assert [event.kind for event in clock.history] == ["started", "recorded_again"]
    assert clock.history[1].details["recorded"]["detected_on"] == "2026-03-15"
    bank.escalate(case, "2026-02-20", "2026-03-18")
    bank.start("2026-03-18")
    assert bank.clock(number, "2026-03-18").due_on == DAY("2026-03-22")


def test_an_officer_may_let_another_day_count_and_both_are_shown(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.start("2026-03-04")
    (number,) = bank.numbers("sar")
    wanted = {"detected_on": DAY("2026-03-03"), "by": "olga", "roles": ROLES, "now": noon("2026-03-05")}
    with pytest.raises(ContractError, match="needs a reason"):
        amend(bank.ws, bank.portfolio, CLOCKS, number, reason=" ", **wanted)
    with pytest.raises(ContractError, match="role compliance_officer"):
        amend(bank.ws, bank.portfolio, CLOCKS, number, reason="r", **wanted | {"by": "ann"})
    amend(bank.ws, bank.portfolio, CLOCKS, number, reason="misread the branch's letter", **wanted)
    clock = bank.clock(number, "2026-03-06")
    assert (clock.due_on, clock.first_due_on, clock.missed_on) == (DAY("2026-04-02"), DAY("2026-03-31"), None)
    # Once the last day is over, another one hides nothing.
    amend(
        *(bank.ws, bank.portfolio, CLOCKS, number),
        **wanted | {"detected_on": DAY("2026-04-01"), "now": noon("2026-04-05"), "reason": "r"},
    )
    clock = bank.clock(number, "2026-04-06")
    assert (clock.due_on, clock.missed_on) == (DAY("2026-05-01"), DAY("2026-04-02"))
    file(bank, number, "2026-04-07")
    assert bank.clock(number, "2026-05-20").missed_on == DAY("2026-04-02")


def test_closing_reassigning_or_deleting_the_case_ends_no_clock(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.start("2026-03-04")
    with bank.ws.transaction() as session:
        closed = {"state": "closed_not_fraud", "closed_at": noon("2026-03-05"), "assignee": "nobody"}
        session.execute(update(CaseFile).where(CaseFile.id == case).values(**closed))
    assert [clock.days_left for clock in find_clocks(bank.ws, bank.portfolio, CLOCKS, noon("2026-04-02"))] == [-2]
    assert bank.look("2026-04-02").notices == 1
    with pytest.raises(IntegrityError), bank.ws.transaction() as session:
        session.execute(delete(CaseFile).where(CaseFile.id == case))


def test_a_filing_is_recorded_once_in_time_or_not_and_can_be_corrected(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.start("2026-03-04")
    (number,) = bank.numbers("sar")
    for day, says in (("2026-03-20", "lies ahead"), ("2026-02-27", "before 2026-03-01")):
        with pytest.raises(ContractError, match=says):
            file(bank, number, day, now="2026-03-10")
    with pytest.raises(ContractError, match="number that the authority"):
        file(bank, number, "2026-03-10", reference=" ")
    following = file(bank, number, "2026-03-31", now="2026-04-03")
    clock = bank.clock(number, "2026-04-03")
    assert (clock.state, clock.missed_on, clock.recorded_late) == ("filed", None, True)
    with pytest.raises(ConflictError, match="olga has recorded it as filed on 2026-03-31"):
        file(bank, number, "2026-03-30")
    assert file(bank, number, "2026-04-02", now="2026-04-03", correction="the receipt is of 2 April") == following
    clock = bank.clock(number, "2026-04-04")
    assert (clock.settled_on, clock.missed_on) == (DAY("2026-04-02"), DAY("2026-03-31"))
    assert clock.history[-1].details["before"]["settled_on"] == "2026-03-31"
    assert following is not None
    assert bank.clock(following, "2026-04-04").due_on == DAY("2026-07-31")


def test_what_was_ended_by_mistake_runs_on_and_its_follower_is_withdrawn(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.start("2026-03-04")
    (number,) = bank.numbers("sar")
    wrong = file(bank, number, "2026-03-10")
    assert wrong is not None
    assert bank.clock(number, "2026-03-09").state == "due", "as it was the day before"
    about = {"by": "olga", "roles": ROLES, "now": noon("2026-04-02")}
    with pytest.raises(ContractError, match="needs a reason"):
        reopen(bank.ws, bank.portfolio, number, reason="", **about)
    reopen(bank.ws, bank.portfolio, number, reason="that was case 18", **about)
    with pytest.raises(ContractError, match="has not ended"):
        reopen(bank.ws, bank.portfolio, number, reason="again", **about)
    clock = bank.clock(number, "2026-04-02")
    assert (clock.state, clock.days_left, clock.missed_on) == ("due", -2, DAY("2026-03-31"))
    assert clock.history[-1].details["before"]["reference"] == "31000123456789"
    assert bank.clock(wrong, "2026-04-02").state == "not_required"
    again = file(bank, number, "2026-04-03")
    assert again is not None
    assert again != wrong
    assert bank.clock(again, "2026-04-03").due_on == DAY("2026-08-01")


def test_activity_that_goes_on_has_clocks_one_after_the_other(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.start("2026-03-04")
    (number,) = bank.numbers("sar")
    second = file(bank, number, "2026-03-20")
    assert second is not None
    clock = bank.clock(second, "2026-03-21")
    assert (clock.review_on, clock.due_on, clock.previous) == (DAY("2026-06-18"), DAY("2026-07-18"), number)
    assert bank.look("2026-06-17").told == 0
    assert bank.look("2026-06-18").told == 1, "on the day of the review"
    third = file(bank, second, "2026-07-10")
    assert third is not None
    record_not_required(
        bank.ws, bank.portfolio, third, reason="no activity since", by="olga", roles=ROLES, now=noon("2026-10-10")
    )
    assert bank.numbers("sar_continuing") == [second, third]
    # What a person finds after that is a new matter.
    bank.escalate(case, "2026-11-01", "2026-11-02")
    assert bank.start("2026-11-02") == 1
    assert bank.clock(bank.numbers("sar")[-1], "2026-11-02").due_on == DAY("2026-12-01")


def test_two_officers_do_not_file_one_report_twice(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.start("2026-03-04")
    (number,) = bank.numbers("sar")
    file(bank, number, "2026-03-10")
    with pytest.raises(ConflictError, match="olga has recorded it as filed"):
        record_not_required(bank.ws, bank.portfolio, number, reason="exempt", by="olga", roles=ROLES)


def cash(bank: Bank) -> None:
    """Cash over a weekend, which belongs to Monday, in and out; a day before and a holiday."""
    common = {"cash": True, "branch": "B1"}
    rows = [
        paid("2026-03-06T20:00-05:00", 6_000, account="A1", customer="C1", **common),
        paid("2026-03-07T12:00-05:00", 6_000, account="A1", customer="C1", **common),
        paid("2026-03-09T10:00-04:00", 11_000, account="A2", customer="C1", direction="out", **common),
        paid("2026-03-05T12:00-05:00", 12_000, account="A3", customer="C3", **common),
    ]
    publish(bank.ws, rows)
    bank.comply("2026-03-05", "2026-03-07", "2026-03-09")


def test_cash_over_the_threshold_starts_a_clock_by_itself(bank: Bank) -> None:
    cash(bank)
    assert [bank.start("2026-03-10"), bank.start("2026-03-11")] == [3, 0]
    views = find_clocks(bank.ws, bank.portfolio, CLOCKS, noon("2026-03-10"))
    assert [(view.subject, view.trigger_on, view.due_on) for view in views] == [
        ("C3", DAY("2026-03-05"), DAY("2026-03-20")),
        ("C1", DAY("2026-03-09"), DAY("2026-03-24")),
    ], "one report of a person's cash in and out of a business day"
    (hit,) = {event.details["hit"] for event in views[0].history}
    bank.gather(bank.case(4), hit)
    bank.start("2026-03-12")
    assert bank.clock(views[0].number, "2026-03-12").case == 4


def test_what_was_known_later_is_not_known_before(bank: Bank) -> None:
    cash(bank)
    assert bank.start("2026-03-06") == 1
    assert bank.start("2026-03-08") == 1


def test_an_exempt_customer_and_the_time_before_fraudops_are_on_record_or_left_out(bank: Bank) -> None:
    span = {"since": datetime(2026, 3, 1, tzinfo=UTC), "until": datetime(2026, 4, 1, tzinfo=UTC)}
    about = {"rule": "cash_over_threshold", "subject": "C1", "reason": "exempt since 2026-01-15", "by": "olga"}
    snooze(bank.ws, bank.portfolio, **about, **span)
    since = bank.portfolio.filings.model_copy(update={"since": DAY("2026-03-06")})
    bank.portfolio = bank.portfolio.model_copy(update={"filings": since})
    cash(bank)
    bank.start("2026-03-10")
    views = find_clocks(bank.ws, bank.portfolio, CLOCKS, noon("2026-03-10"), settled=True)
    assert {(view.subject, view.state, view.missed_on) for view in views} == {("C1", "not_required", None)}
    assert "exempt since 2026-01-15" in str(views[0].reason)


def test_what_was_due_before_the_first_data_came_in_was_reported_elsewhere(bank: Bank) -> None:
    loaded = bank.portfolio.filings.model_copy(update={"since": "loaded"})
    bank.portfolio = bank.portfolio.model_copy(update={"filings": loaded})
    cash(bank)
    with bank.ws.transaction() as session:
        about = {"portfolio": bank.portfolio.name, "actor": "service:land", "action": "ingested", "subject": "–"}
        link = {"previous": "0" * 64, "digest": "1" * 64, "signature": "2" * 64}
        session.add(LedgerEntry(number=1_000, at=noon("2026-03-23"), details={}, **about, **link))
    assert bank.start("2026-04-30") == 2, "not that of the 5th, which was due on the 20th"
    views = find_clocks(bank.ws, bank.portfolio, CLOCKS, noon("2026-04-30"))
    assert [(view.due_on, view.missed_on) for view in views] == [(DAY("2026-03-24"), DAY("2026-03-24"))], (
        "no breach hides"
    )


def test_after_a_filing_what_comes_to_light_needs_another(bank: Bank) -> None:
    cash(bank)
    bank.start("2026-03-08")
    (number,) = [view.number for view in find_clocks(bank.ws, bank.portfolio, CLOCKS, noon("2026-03-09"))
                 if view.subject == "C1"]  # fmt: skip
    file(bank, number, "2026-03-09")
    assert bank.start("2026-03-10") == 1
    (view,) = [v for v in find_clocks(bank.ws, bank.portfolio, CLOCKS, noon("2026-03-10")) if v.subject == "C1"]
    assert (view.previous, view.due_on) == (number, DAY("2026-03-24"))
    assert bank.numbers("sar_continuing") == []


def test_the_last_business_day_before_a_weekend_is_named(bank: Bank) -> None:
    arrive(
        bank.ws, "holidays", "2026-03-01", [{"date": DAY("2026-04-03"), "name": "Good Friday", "jurisdiction": "US"}]
    )
    case = bank.case()
    bank.escalate(case, "2026-03-06", "2026-03-06")
    bank.start("2026-03-06")
    clock = bank.clock(bank.numbers("sar")[0], "2026-03-06")
    assert (clock.due_on, clock.act_by) == (DAY("2026-04-05"), DAY("2026-04-02"))


def test_people_are_told_once_before_and_each_day_after(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    told = []
    for n in range(3, 34):
        day = str(DAY("2026-03-01") + timedelta(days=n))
        if n in (20, 22, 23, 24, 25, 26, 27):
            continue  # days off
        told += [day] * bank.look(day).notices
        assert bank.look(day).notices == 0, "again on the same day"
    assert told == ["2026-03-22", "2026-03-29", "2026-03-30", "2026-03-31", "2026-04-01", "2026-04-02", "2026-04-03"]
    first, *_, last = bank.notices()
    assert "accounts-17" in first.text
    assert "Tuesday 2026-03-31: in 9 days" in first.text
    assert "over for 3 days" in last.text
    file(bank, bank.numbers("sar")[0], "2026-04-03")
    assert bank.look("2026-04-04").told == 0


def test_a_case_that_nobody_reviews_is_told_of_too(bank: Bank) -> None:
    bank.case(8, due_on=DAY("2026-03-05"))
    bank.case(9, due_on=DAY("2026-03-05"), state="escalated")
    assert [bank.look(f"2026-03-0{n}").told for n in range(3, 8)] == [0, 1, 1, 1, 1]
    assert all("accounts-8" in notice.text and "accounts-9" not in notice.text for notice in bank.notices())


def test_many_deadlines_make_one_mail(bank: Bank) -> None:
    for number in range(1, 31):
        bank.case(number, due_on=DAY("2026-03-05"))
    assert bank.look("2026-03-05").told == 30
    (notice,) = bank.notices()
    assert len(re.findall(r"^accounts-\d+ ", notice.text, re.M)) == 20
    assert "10 cases more" in notice.text


def test_what_is_long_over_does_not_hide_what_can_still_be_kept(bank: Bank) -> None:
    for number in range(1, 31):
        bank.case(number, due_on=DAY("2026-02-05"))
    bank.case(31, due_on=DAY("2026-03-06"))
    bank.look("2026-03-05")
    (notice,) = bank.notices()
    assert len(re.findall(r"^accounts-\d+ ", notice.text, re.M)) == 20
    assert "accounts-31    Friday 2026-03-06: in 1 day" in notice.text


def test_a_case_with_several_deadlines_is_one_line_of_the_mail(bank: Bank) -> None:
    cash(bank)
    bank.start("2026-03-10")
    case = bank.case(4)
    for number in bank.numbers("ctr"):
        for event in bank.clock(number, "2026-03-10").history:
            bank.gather(case, event.details["hit"])
    bank.look("2026-03-24")
    (notice,) = bank.notices()
    assert notice.text.count("accounts-4") == 1
    assert "accounts-4     Friday 2026-03-20: over for 4 days; 1 more after it" in notice.text
    assert notice.text.count("/plugin/fraud-ops/fraud-ops/cases/accounts/4\n") == 1, "one case: the mail leads to it"


def test_nothing_that_is_written_says_what_a_deadline_is_of(bank: Bank) -> None:
    portfolio = bank.portfolio
    known = portfolio.notices.model_copy(update={"need_to_know": ("mlro@bank.example",)})
    bank.portfolio = portfolio.model_copy(update={"notices": known})
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.look("2026-03-25")
    file(bank, bank.numbers("sar")[0], "2026-03-26")
    (notice,) = bank.notices()
    assert notice.recipients == ["mlro@bank.example"]
    (entry,) = bank.ledger()
    assert (entry.subject, entry.actor, set(entry.details)) == ("accounts/cases/17", "olga", {"version", "events"})
    words = " ".join((notice.subject, notice.text, notice.html, notice.dedupe_key, entry.action, str(entry.details)))
    for word in ("suspic", "sar ", "ctr", "currency", "report", "filing", "C17", "31000123456789", "cash"):
        assert word.casefold() not in words.casefold(), word


@pytest.mark.parametrize(
    ("terms", "settled", "missed"),
    [
        ([("2026-03-01", "2026-03-31")], "2026-03-31", None),
        ([("2026-03-01", "2026-03-31")], "2026-04-01", "2026-03-31"),
        ([("2026-03-01", "2026-03-31")], None, "2026-03-31"),
        ([("2026-03-01", "2026-03-31"), ("2026-03-31", "2026-04-10")], "2026-04-10", None),
        ([("2026-03-01", "2026-03-31"), ("2026-04-01", "2026-04-10")], "2026-04-10", "2026-03-31"),
        # An earlier day that comes to light: it is over already.
        ([("2026-03-01", "2026-03-31"), ("2026-03-20", "2026-03-15")], "2026-03-21", "2026-03-15"),
        ([], None, None),
    ],
)
def test_missed_is_what_was_over_before_it_was_moved_or_filed(terms, settled, missed) -> None:
    found = missed_on([Term(DAY(a), DAY(b)) for a, b in terms], settled and DAY(settled), DAY("2026-05-01"))
    assert found == (missed and DAY(missed))


def test_the_rows_of_a_clock_are_never_taken_away(bank: Bank) -> None:
    case = bank.case()
    bank.escalate(case, "2026-03-01", "2026-03-03")
    bank.start("2026-03-04")
    with pytest.raises(IntegrityError), bank.ws.transaction() as session:
        session.execute(delete(Filing))
    with bank.ws.transaction() as session:
        assert len(session.scalars(select(Filing)).all()) == 1


def test_what_supports_a_report_is_kept_while_its_clock_runs_and_five_years_after(bank: Bank) -> None:
    cash(bank)
    bank.start("2026-03-06")
    (number,) = bank.numbers("ctr")
    with bank.ws.transaction() as session:
        held = Held.read(session, bank.portfolio)
    assert [held.covers(key) for key in ("2026-01-18", "2026-01-19", "2026-03-05", "2026-03-06")] == [
        *(False, True, True, False),
    ]
    file(bank, number, "2026-03-06")
    with bank.ws.transaction() as session:
        filing = session.get_one(Filing, number)
        assert filing.keep_until == DAY("2031-03-07")
        assert Held.read(session, bank.portfolio) == held
        filing.keep_until = DAY("2026-01-01")
        session.flush()
        assert not Held.read(session, bank.portfolio).covers("2026-03-05")
