"""Cash over the threshold."""

from __future__ import annotations

from tests.rules.payments import hits, inputs, paid

RULE = "cash_over_threshold"


def cash(at: str, amount: float, **more):
    return paid(at, amount, cash=True, branch=more.pop("branch", "B1"), **more)


def test_exactly_the_threshold_is_not_reported_and_a_cent_more_is() -> None:
    assert not hits(RULE, inputs([cash("2026-03-04T15:00", 10_000)], "2026-03-04"))
    (hit,) = hits(RULE, inputs([cash("2026-03-04T15:00", 10_000.01)], "2026-03-04"))
    assert hit.values["total_minor"] == 1_000_001
    assert "10,000.01 USD" in hit.because
    assert hit.subject not in hit.because


def test_branches_and_accounts_of_one_person_are_added_up() -> None:
    rows = [
        cash("2026-03-04T15:00", 6_000, account="A1", customer="C", branch="B1"),
        cash("2026-03-04T16:00", 6_000, account="A2", customer="C", branch="B2"),
    ]
    (hit,) = hits(RULE, inputs(rows, "2026-03-04"))
    assert (hit.values["branches"], hit.values["accounts"], list(hit.transactions)) == (2, 2, ["T000000", "T000001"])


def test_in_and_out_are_added_up_apart() -> None:
    rows = [cash("2026-03-04T15:00", 6_000), cash("2026-03-04T16:00", 6_000, direction="out")]
    assert not hits(RULE, inputs(rows, "2026-03-04"))


def test_what_is_done_for_another_counts_for_both() -> None:
    rows = [
        cash("2026-03-04T15:00", 6_000, account="A1", customer="C1", on_behalf_of="BOSS"),
        cash("2026-03-04T16:00", 6_000, account="A2", customer="C2", on_behalf_of="BOSS"),
        cash("2026-03-04T17:00", 6_000, account="A3", customer="C1"),
    ]
    assert {hit.subject for hit in hits(RULE, inputs(rows, "2026-03-04"))} == {"C1", "BOSS"}


def test_a_weekend_is_one_hit_that_grows() -> None:
    rows = [
        cash("2026-03-06T18:30-05:00", 6_000),  # Friday evening
        cash("2026-03-07T12:00-05:00", 6_000),  # Saturday
        cash("2026-03-09T10:00-04:00", 1_000),  # Monday, in summer time
        cash("2026-03-09T18:01-04:00", 9_000),  # Monday after the cutoff: Tuesday's
    ]
    (saturday,) = hits(RULE, inputs(rows, "2026-03-07"))
    (monday,) = hits(RULE, inputs(rows, "2026-03-09"))
    assert saturday.id_for("p", RULE) == monday.id_for("p", RULE)
    assert (saturday.values["total_minor"], monday.values["total_minor"]) == (1_200_000, 1_300_000)
    assert not hits(RULE, inputs(rows, "2026-03-10"))  # nothing of it is new on Tuesday
