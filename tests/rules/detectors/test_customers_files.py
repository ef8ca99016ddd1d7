"""Documents and risk ratings: found on the day on which it becomes so, and once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from fraudops.reference import SCHEMAS
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Before

from tests.rules.payments import hits, inputs


def files(*rows: dict[str, Any]) -> pa.Table:
    usual = {
        "kind": "person",
        "risk_rating": "low",
        "risk_rated_on": date(2026, 1, 5),
        "address_country": "US",
        "documents": "passport:2031-05-04",
        "opened_on": date(2020, 2, 3),
        "known_at": datetime(2026, 1, 6, tzinfo=UTC),
    }
    return pa.Table.from_pylist([{"customer_id": "C1"} | usual | row for row in rows], schema=SCHEMAS["customers"])


def look(
    rule: str, day: str, now: pa.Table, before: pa.Table | None = None, days: int = 1, **numbers: Any
) -> list[Hit]:
    """What is found in a day's partition; ``before`` is the file as it was in the partition some days earlier."""
    on = date.fromisoformat(day)
    earlier = on - timedelta(days=days)
    known = None
    if before is not None:
        known = Before(earlier, datetime(earlier.year, earlier.month, earlier.day, tzinfo=UTC), customers=before)
    return hits(rule, inputs([], on, customers=now, before=known), **numbers)


def test_a_passport_is_valid_through_its_last_day() -> None:
    file = files({"documents": "passport:2026-03-05"})
    assert not look("document_expired", "2026-03-05", file, file)
    (hit,) = look("document_expired", "2026-03-06", file, file)
    assert (hit.subject, hit.values["expired_on"], hit.values["valid_documents"]) == ("C1", "2026-03-05", 0)
    assert not look("document_expired", "2026-03-07", file, file)  # it was found the day before
    (again,) = look("document_expired", "2026-03-09", file, file, days=4)  # no partition at the weekend
    assert again.id_for("p", "r") == hit.id_for("p", "r")


def test_what_was_so_before_the_first_partition_is_found_in_it() -> None:
    (hit,) = look("document_expired", "2026-03-06", files({"documents": "passport:2019-02-28"}))
    assert "2019-02-28" in hit.because


def test_a_file_that_comes_already_expired_is_found_when_it_comes() -> None:
    before, now = files(), files({}, {"customer_id": "C2", "documents": "passport:2020-01-01"})
    assert [hit.subject for hit in look("document_expired", "2026-03-06", now, before)] == ["C2"]


def test_each_kind_of_document_is_looked_at_and_the_newest_of_it_counts() -> None:
    renewed = files({"documents": "passport:2026-03-05|passport:2036-03-04"})
    assert not look("document_expired", "2026-03-06", renewed)
    both = files({"documents": "passport:2026-03-05|driving_licence:2030-01-01|articles:"})
    (hit,) = look("document_expired", "2026-03-06", both)
    assert (hit.values["document"], hit.values["valid_documents"]) == ("passport", 2)
    assert not look("document_expired", "2026-03-06", files({"documents": "articles:"}))
    assert not look("document_expired", "2026-03-06", files({"documents": "articles:2020-01-01|articles:"}))


def test_a_leap_day_is_a_last_day_like_others() -> None:
    file = files({"documents": "passport:2028-02-29"})
    assert not look("document_expired", "2028-02-29", file)
    assert look("document_expired", "2028-03-01", file)


def test_a_customer_without_any_document_is_found_once() -> None:
    file = files({"documents": None}, {"customer_id": "C2"})
    (hit,) = look("document_missing", "2026-03-06", file, files({}, {"customer_id": "C2"}))
    assert hit.subject == "C1"
    assert not look("document_missing", "2026-03-07", file, file)


def test_a_bank_may_ask_for_kinds_and_give_time() -> None:
    file = files({"documents": "utility_bill:", "opened_on": date(2026, 3, 1)})
    asked = {"person_kinds": "passport,identity_card"}
    assert not look("document_missing", "2026-03-10", file)
    assert look("document_missing", "2026-03-10", file, **asked)
    assert not look("document_missing", "2026-03-10", file, **asked, grace_days=10)
    assert look("document_missing", "2026-03-11", file, file, **asked, grace_days=10)
    business = files({"documents": "utility_bill:", "kind": "business"})
    assert not look("document_missing", "2026-03-10", business, **asked)


@pytest.mark.parametrize(
    ("rating", "rated_on", "last_good"),
    [
        ("high", "2025-03-05", "2026-03-05"),  # 365 days
        ("medium", "2024-03-05", "2026-03-05"),  # 730
        ("low", "2023-03-06", "2026-03-05"),  # 1,095 days with a leap day
    ],
)
def test_a_rating_is_out_of_date_the_sooner_the_higher_the_risk(rating: str, rated_on: str, last_good: str) -> None:
    file = files({"risk_rating": rating, "risk_rated_on": date.fromisoformat(rated_on)})
    following = date.fromisoformat(last_good) + timedelta(days=1)
    assert not look("risk_rating_outdated", last_good, file)
    (hit,) = look("risk_rating_outdated", str(following), file, file)
    assert hit.values["rated_on"] == rated_on
    assert rating in hit.because


def test_no_rating_is_a_finding_too() -> None:
    (hit,) = look("risk_rating_outdated", "2026-03-06", files({"risk_rating": None}))
    assert "no dated risk rating" in hit.because


def test_a_stricter_number_finds_more_on_the_day_on_which_it_takes_effect() -> None:
    file = files({"risk_rating": "low", "risk_rated_on": date(2025, 6, 1)})
    assert not look("risk_rating_outdated", "2026-03-06", file)
    assert look("risk_rating_outdated", "2026-03-06", file, low_days=200)


@pytest.mark.parametrize("rule", ["document_expired", "document_missing", "risk_rating_outdated"])
def test_a_day_without_customers_has_no_findings(rule: str) -> None:
    assert look(rule, "2026-03-06", files()[:0]) == []
    assert look(rule, "2026-03-06", files()) == []
