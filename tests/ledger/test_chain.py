from __future__ import annotations

import pytest
from fraudops import ledger
from fraudops.database import transaction
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

KEY = b"k" * 32


def _append(url: str, count: int) -> None:
    for number in range(count):
        with transaction(url) as session:
            ledger.append(
                session,
                KEY,
                portfolio="cards",
                actor="service:ingest",
                action="ingested",
                subject=f"cards/transactions/2026-03-{number + 1:02d}",
                details={"rows": 10, "share": 1e16, "nested": {"ratio": 0.1, "none": None}},
            )


def _findings(url: str, key: bytes = KEY) -> list[ledger.Finding]:
    with transaction(url) as session:
        return list(ledger.verify(session, key))


def test_untouched_chain_has_no_finding(database_url: str) -> None:
    _append(database_url, 5)
    assert _findings(database_url) == []


def test_an_entry_vanishes_with_the_transaction_it_records(database_url: str) -> None:
    _append(database_url, 1)

    def failing_promotion() -> None:
        with transaction(database_url) as session:
            ledger.append(session, KEY, portfolio="cards", actor="a", action="b", subject="c")
            raise RuntimeError("the promotion failed")

    with pytest.raises(RuntimeError, match="promotion failed"):
        failing_promotion()
    _append(database_url, 1)
    assert _findings(database_url) == []


@pytest.mark.parametrize(
    "statement", ["update ledger set actor = 'x'", "delete from ledger", "truncate ledger cascade"]
)
def test_the_database_refuses_changes(database_url: str, statement: str) -> None:
    _append(database_url, 2)
    with pytest.raises(DBAPIError, match="append-only"), transaction(database_url) as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "number", "what"),
    [
        ("update ledger set actor = 'mallory' where number = 3", 3, "altered"),
        ("delete from ledger where number = 3", 3, "missing"),
        ("delete from ledger where number = 5", 5, "cut off"),
        ("update ledger set signature = repeat('0', 64) where number = 2", 2, "not signed"),
    ],
)
def test_whoever_goes_around_the_trigger_is_found(database_url: str, statement: str, number: int, what: str) -> None:
    _append(database_url, 5)
    with transaction(database_url) as session:
        session.execute(text("alter table ledger disable trigger ledger_is_append_only"))
        session.execute(text(statement))
    assert any(finding.number == number and what in finding.what for finding in _findings(database_url))


def test_a_chain_made_with_another_key_is_found(database_url: str) -> None:
    _append(database_url, 2)
    assert {finding.number for finding in _findings(database_url, b"x" * 32)} == {1, 2}
