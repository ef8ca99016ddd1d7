from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier, Event

import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry, transaction
from fraudops.ledger.links import Signer, digest_of
from fraudops.store.digests import canonical_json, sha256_of
from sqlalchemy import func, select

from tests.ledger.entries import KEY, append, findings

ODD = 'a "quote", a \\ backslash, \x01, \u2028, ü, 漢, 😀'


def test_untouched_chain_has_no_finding(database_url: str) -> None:
    append(database_url, 5)
    assert findings(database_url) == []


def test_an_empty_chain_has_no_finding(database_url: str) -> None:
    assert findings(database_url) == []


def test_the_digest_is_that_of_the_canonical_json() -> None:
    entry = {
        "number": 7,
        "at": datetime(2026, 3, 5, 6, tzinfo=UTC),
        "portfolio": ODD,
        "actor": ODD,
        "action": ODD,
        "subject": ODD,
        "details": {"b": [1, None, True, {"z": ODD, "a": 10**30}], ODD: "x", "a": {}},
        "previous": ODD,
    }
    plainly = canonical_json({**entry, "at": "2026-03-05T06:00:00+00:00"})
    assert digest_of(**entry) == sha256_of(plainly)  # type: ignore[arg-type]
    assert json.loads(plainly)["details"] == entry["details"]


def test_entries_of_earlier_versions_stay_valid() -> None:
    """Digest and signature of an entry as they have always been: a change would make every old entry look altered."""
    digest = digest_of(
        number=1,
        at=datetime(2026, 3, 5, 6, 7, 8, 90, tzinfo=UTC),
        portfolio="cards",
        actor="service:ingest",
        action="ingested",
        subject="cards/transactions/2026-03-05",
        details={"rows": 10, "ratio": "0.1", "none": None},
        previous="0" * 64,
    )
    assert digest == "354a0051bbb0963c63d375ac53eff4f2ac5a2b1f9175f8cfb6a3f6d4bd27f96a"
    assert Signer(b"k" * 32)(digest) == "1f4e4793005ffab82e2e1d96592a17bfd318b62c36f34861ba0a231eec57c16a"


def test_an_entry_vanishes_with_the_transaction_it_records(database_url: str) -> None:
    append(database_url, 1)

    def failing_promotion() -> None:
        with transaction(database_url) as session:
            ledger.append(session, KEY, portfolio="cards", actor="a", action="b", subject="c")
            raise RuntimeError("the promotion failed")

    with pytest.raises(RuntimeError, match="promotion failed"):
        failing_promotion()
    append(database_url, 1)
    assert findings(database_url) == []


def test_an_entry_vanishes_with_its_savepoint_alone(database_url: str) -> None:
    with transaction(database_url) as session:
        ledger.append(session, KEY, portfolio="cards", actor="a", action="before", subject="c")
        savepoint = session.begin_nested()
        ledger.append(session, KEY, portfolio="cards", actor="a", action="within", subject="c")
        savepoint.rollback()
        ledger.append(session, KEY, portfolio="cards", actor="a", action="after", subject="c")
    with transaction(database_url) as session:
        actions = session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.number)).all()
    assert "within" not in actions
    assert actions[-1] == "after"
    assert findings(database_url) == []


def test_the_number_is_there_when_it_is_asked_for(database_url: str) -> None:
    append(database_url, 3)
    with transaction(database_url) as session:
        entries = [
            ledger.append(session, KEY, portfolio="cards", actor="a", action="b", subject=f"{place}")
            for place in range(3)
        ]
        assert [entry.number for entry in entries] == [4, 5, 6]
        late = ledger.append(session, KEY, portfolio="cards", actor="a", action="b", subject="late")
    assert late.number == 7
    assert findings(database_url) == []


def test_a_query_in_the_same_session_finds_what_was_appended(database_url: str) -> None:
    with transaction(database_url) as session:
        ledger.append(session, KEY, portfolio="cards", actor="a", action="b", subject="c")
        assert session.scalar(select(LedgerEntry.subject)) == "c"
        assert ledger.head(session).number == 1


def test_a_writer_does_not_wait_for_the_work_of_another(database_url: str) -> None:
    appended, done = Event(), Event()

    def slow() -> None:
        with transaction(database_url) as session:
            ledger.append(session, KEY, portfolio="cards", actor="a", action="slow", subject="c")
            appended.set()
            assert done.wait(30)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slow)
        assert appended.wait(30)
        with transaction(database_url) as session:
            session.connection().exec_driver_sql("set local lock_timeout = '5s'")
            ledger.append(session, KEY, portfolio="cards", actor="a", action="quick", subject="c")
        done.set()
        waiting.result()
    with transaction(database_url) as session:
        actions = session.scalars(select(LedgerEntry.action).order_by(LedgerEntry.number)).all()
    assert actions == ["quick", "slow"]


def test_eight_writers_at_once_do_not_fork_the_chain(database_url: str) -> None:
    together = Barrier(8)

    def write(writer: int) -> None:
        together.wait()
        for number in range(12):
            with transaction(database_url) as session:
                for _ in range(1 + number % 3):
                    ledger.append(session, KEY, portfolio="cards", actor=f"{writer}", action="b", subject=f"{number}")
                if number % 4 == 3:
                    session.rollback()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert findings(database_url) == []
    with transaction(database_url) as session:
        # Of twelve transactions, those with 1, 2, 3, 1, … entries, every fourth was rolled back.
        assert session.scalar(select(func.count()).select_from(LedgerEntry)) == 8 * (24 - (1 + 2 + 3))


def test_appending_while_the_chain_is_verified_is_no_finding(database_url: str) -> None:
    append(database_url, 3)
    with transaction(database_url) as session:
        walk = ledger.verify(session, KEY)
        append(database_url, 2)
        assert list(walk) == []
