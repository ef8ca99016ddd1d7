"""Name screening as a rule: who is looked at when, and what is told where."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from fraudops.portfolio import CUSTOMERS_PROTECTED
from fraudops.reference import SCHEMAS
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Before

from tests.rules.detectors.test_customers_files import files
from tests.rules.payments import hits, inputs

NOON = datetime(2026, 3, 6, tzinfo=UTC)
BORN = date(1962, 3, 5)
SMITH = {"customer_id": "C1", "name": "Jane Smith", "date_of_birth": date(1980, 1, 1)}
PETROFF = {"customer_id": "C2", "name": "Anna Bell", "aliases": "x|Petroff, Victor", "date_of_birth": BORN}
PETROV = {"entry_id": "E1", "name": "Viktor Petrov", "aliases": "The Fox|V. Petrov", "date_of_birth": BORN}
OTHER = {"entry_id": "E2", "name": "Jane Smyth", "date_of_birth": date(1980, 1, 1)}


def customers(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist([{"known_at": NOON} | row for row in rows], schema=SCHEMAS[CUSTOMERS_PROTECTED])


def watchlist(version: str, *rows: dict[str, Any]) -> pa.Table:
    content = [{"known_at": NOON, "list_version": version, "country": "RU", "program": "P"} | row for row in rows]
    return pa.Table.from_pylist(content, schema=SCHEMAS["watchlist"])


def look(
    people: pa.Table, listed: pa.Table, before: tuple[pa.Table, pa.Table] | None = None, **numbers: Any
) -> list[Hit]:
    ids = [{"customer_id": name} for name in people["customer_id"].to_pylist()]
    known = None
    if before is not None:
        known = Before(date(2026, 3, 5), NOON, customers=files(*ids), identities=before[0], watchlist=before[1])
    given = inputs([], "2026-03-06", customers=files(*ids), identities=people, watchlist=listed, before=known)
    return hits("name_screening", given, **numbers)


def test_a_hit_tells_ids_in_the_open_and_names_apart() -> None:
    (hit,) = look(customers(SMITH, PETROFF), watchlist("2026-010", PETROV))
    assert (hit.subject, hit.values["entry_id"], hit.values["list_version"]) == ("C2", "E1", "2026-010")
    assert (hit.values["customer_name"], hit.values["entry_name"], hit.values["birth"]) == (
        "alias 2",
        "the name",
        "agrees",
    )
    assert dict(hit.protected) == {"customer_name": "Petroff, Victor", "entry_name": "Viktor Petrov"}
    told = f"{hit.because} {hit.values}"
    for name in ("Petroff", "Petrov", "Anna", "Bell", "Viktor", "1962"):
        assert name not in told
    assert "the score is 1.000, enough is 0.850" in hit.because


def test_only_who_is_new_or_has_changed_is_found() -> None:
    people, listed = customers(SMITH, PETROFF), watchlist("1", PETROV)
    assert look(people, listed, (people, listed)) == []
    assert [h.subject for h in look(people, listed, (customers(SMITH), listed))] == ["C2"]
    assert [h.subject for h in look(people, listed, (customers(SMITH, PETROFF | {"aliases": "x"}), listed))] == ["C2"]
    assert [h.subject for h in look(people, listed, (people, watchlist("0", OTHER)))] == ["C2"]
    assert [h.subject for h in look(people, watchlist("2", PETROV, OTHER), (people, listed))] == ["C1"]


def test_a_new_version_of_the_same_list_changes_nothing() -> None:
    people = customers(SMITH, PETROFF)
    assert look(people, watchlist("2", PETROV), (people, watchlist("1", PETROV))) == []


def test_days_together_find_what_the_first_day_would_have_found() -> None:
    people, listed = customers(SMITH, PETROFF), watchlist("2", PETROV, OTHER)
    whole = {hit.id_for("p", "r") for hit in look(people, listed)}
    first = look(customers(SMITH), watchlist("1", OTHER))
    second = look(people, listed, (customers(SMITH), watchlist("1", OTHER)))
    assert {hit.id_for("p", "r") for hit in (*first, *second)} == whole
    assert len(whole) == 2


def test_who_is_looked_at_changes_with_the_threshold() -> None:
    people, listed = customers(SMITH), watchlist("1", OTHER | {"date_of_birth": date(1931, 8, 9)})
    assert look(people, listed) == []
    assert len(look(people, listed, threshold="0.7")) == 1


def test_nothing_is_known() -> None:
    assert look(customers(), watchlist("1", PETROV)) == []
    assert look(customers(PETROFF), watchlist("1")) == []
