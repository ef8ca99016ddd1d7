from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest
from fraudops.database import LedgerEntry
from fraudops.intake.fetching import extracts, fetch, land_all, settle
from fraudops.intake.fetching.watermarks import reset, watermark_of
from fraudops.intake.files import find_files
from fraudops.portfolio import Portfolio, Role
from fraudops.store import Store
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.intake.fetching.conftest import TABLE, Bank, message_of, portfolio_of, stored

Bring = Callable[..., Any]
BY_SEQUENCE = {**TABLE, "watermark": "seq"}
BY_TIME = {**TABLE, "watermark": "updated_at"}


def _reached(ws: Workspace, portfolio: Portfolio) -> tuple[str | None, int]:
    found = watermark_of(ws.store, portfolio, portfolio.transactions[0])
    return found.value, found.readings


def _entries(ws: Workspace, portfolio: Portfolio) -> list[LedgerEntry]:
    with ws.transaction() as session:
        found = select(LedgerEntry).where(LedgerEntry.portfolio == portfolio.name).order_by(LedgerEntry.number)
        return [entry for entry in session.execute(found).scalars() if entry.action.startswith("source_")]


def test_each_row_is_read_once(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    bank.pay(1)
    bank.pay(2, at="2026-03-06 00:00+00")
    _, first = bring(pay)
    assert (first.rows_read, first.keys) == (2, ["2026-03-05", "2026-03-06"])
    assert _reached(workspace, pay) == ("2", 1)
    bank.pay(3)
    fetched, second = bring(pay)
    assert (second.rows_read, second.keys) == (1, ["2026-03-05"])
    assert fetched.notes[0] == "main: 1 rows, up to seq 3"
    assert stored(workspace, pay) == {"1": 12.5, "3": 12.5}
    assert [entry.details for entry in _entries(workspace, pay)] == [
        {"rows": 2, "watermark": "seq", "reaches": "2"},
        {"rows": 1, "watermark": "seq", "reaches": "3"},
    ]


@pytest.mark.parametrize("kind", ["bigint", "numeric"])
def test_the_highest_number_is_the_watermark_not_the_last_one_of_the_dictionary(
    workspace: Workspace, bank: Bank, bring: Bring, kind: str
) -> None:
    pay = portfolio_of({**BY_SEQUENCE, "batch_rows": 7})
    bank.run(
        f"ALTER TABLE payments ALTER seq TYPE {kind}",
        "INSERT INTO payments (seq, id, at, amount, customer_id) "
        "SELECT n, n::text, '2026-03-05 10:00+00', n, 7 FROM generate_series(-3, 120) n",
    )
    bring(pay)
    assert _reached(workspace, pay) == ("120", 1)
    assert len(stored(workspace, pay)) == 124
    assert bring(pay)[0].readings == []


def test_where_nothing_is_new_nothing_happens(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    for _ in range(2):
        fetched, result = bring(pay)
        assert (fetched.readings, result.rows_read, result.keys) == ([], 0, [])
    assert _reached(workspace, pay) == (None, 0)
    bank.pay(1)
    bring(pay)
    fetched, result = bring(pay)
    assert fetched.notes == ["main: nothing new above seq 1"]
    assert result.rows_read == 0
    assert [path.name for path in (workspace.landing / pay.name / "main").iterdir()] == ["read_000001.parquet"]


def test_a_row_that_was_changed_comes_again_as_its_correction(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(BY_TIME)
    bank.pay(1)
    bank.pay(2)
    bring(pay)
    bank.run("UPDATE payments SET amount = 40, updated_at = now() WHERE id = '1'")
    _, result = bring(pay)
    assert (result.rows_read, result.rows_accepted, result.rows_quarantined) == (1, 1, 0)
    assert stored(workspace, pay) == {"1": 40.0, "2": 12.5}
    bank.run("UPDATE payments SET updated_at = now() WHERE id = '2'")
    _, same = bring(pay)
    assert (same.rows_accepted, same.rows_quarantined, same.changed_keys) == (1, 0, [])


def test_a_day_read_whole_between_two_readings_takes_nothing_back(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    pay = portfolio_of(BY_TIME)
    bank.pay(1)
    bring(pay, "2026-03-05")
    bank.run("UPDATE payments SET amount = 40, updated_at = now()")
    bring(pay)
    bring(pay)
    assert stored(workspace, pay) == {"1": 40.0}
    _, day = bring(pay, "2026-03-05")
    assert stored(workspace, pay) == {"1": 40.0}
    assert day.rows_quarantined == 0
    assert _reached(workspace, pay)[1] == 1, "only what is read above the watermark moves it"


def test_after_a_crash_before_landing_the_same_rows_are_landed_and_not_read_again(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    bank.pay(1)
    fetch(workspace, pay, bank.access)
    assert _reached(workspace, pay) == (None, 0)
    bank.run("DELETE FROM payments")
    bank.pay(2)
    fetched, result = bring(pay, access=lambda _: pytest.fail("the database need not be asked"))
    assert fetched.notes == ["main: 1 rows were read before and wait to be landed"]
    assert result.rows_read == 1
    assert _reached(workspace, pay) == ("1", 1)
    bring(pay)
    assert stored(workspace, pay) == {"1": 12.5, "2": 12.5}


def test_after_a_crash_between_landing_and_watermark_nothing_is_landed_twice(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    bank.pay(1)
    fetched = fetch(workspace, pay, bank.access)
    land_all(workspace, pay, find_files(workspace, pay, read=fetched.read))
    bank.pay(2)
    _, again = bring(pay)
    assert (again.rows_read, again.changed_keys) == (1, [])
    _, rest = bring(pay)
    assert rest.rows_read == 1
    assert stored(workspace, pay) == {"1": 12.5, "2": 12.5}


def test_after_a_crash_between_ledger_and_store_the_ledger_says_it_once(
    workspace: Workspace, bank: Bank, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    bank.pay(1)

    def crash(*arguments: object) -> None:
        raise OSError("the disk is gone")

    fetched = fetch(workspace, pay, bank.access)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", crash)
        with pytest.raises(OSError, match="the disk is gone"):
            settle(workspace, pay, fetched, actor="service:test")
    assert _reached(workspace, pay) == (None, 0)
    bring(pay)
    assert _reached(workspace, pay) == ("1", 1)
    assert len(_entries(workspace, pay)) == 1


def test_a_crash_while_reading_leaves_no_file(
    workspace: Workspace, bank: Bank, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay = portfolio_of({**BY_SEQUENCE, "batch_rows": 2})
    for number in range(5):
        bank.pay(number)
    convert, calls = extracts._record_batch, []

    def crash(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise OSError("broken pipe")
        return convert(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(extracts, "_record_batch", crash)
        with pytest.raises(OSError, match="broken pipe"):
            fetch(workspace, pay, bank.access)
    assert list((workspace.landing / pay.name / "main").iterdir()) == []
    bring(pay)
    assert len(stored(workspace, pay)) == 5


def test_what_waits_is_read_again_where_other_columns_are_wanted(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    bank.pay(1)
    fetch(workspace, pay, bank.access)
    wider = pay.model_copy(
        update={
            "columns": pay.columns | {"updated_at": pay.columns["amount"].model_copy(update={"role": Role.CATEGORY})}
        }
    )
    bring(wider)
    file = workspace.landing / pay.name / "main" / "read_000001.parquet"
    assert "updated_at" in pq.read_schema(file).names


def test_writes_during_the_reading_are_left_for_the_next_one(
    workspace: Workspace, bank: Bank, bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay = portfolio_of({**BY_TIME, "batch_rows": 3})
    for number in range(9):
        bank.pay(number)
    convert = extracts._record_batch

    def write_meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(extracts, "_record_batch", convert)
        bank.pay(100)
        bank.run(
            "UPDATE payments SET amount = 1, updated_at = now() WHERE id = '8'", "DELETE FROM payments WHERE id='7'"
        )
        return convert(*arguments)

    monkeypatch.setattr(extracts, "_record_batch", write_meanwhile)
    _, first = bring(pay)
    assert first.rows_read == 9
    assert stored(workspace, pay) == {str(number): 12.5 for number in range(9)}
    _, second = bring(pay)
    assert second.rows_read == 2
    assert stored(workspace, pay) == {str(n): 12.5 for n in range(8)} | {"8": 1.0, "100": 12.5}


@pytest.mark.parametrize("source", [{**BY_TIME, "overlap": "10m"}, {**BY_SEQUENCE, "overlap": 5}])
def test_a_row_committed_late_is_read_thanks_to_the_overlap(
    workspace: Workspace, bank: Bank, bring: Bring, source: dict[str, Any]
) -> None:
    pay = portfolio_of(source)
    with bank.session() as slow:
        slow.exec_driver_sql(
            "INSERT INTO payments (id, at, amount, customer_id) VALUES ('late', '2026-03-05 09:00+00', 1, 7)"
        )
        bank.pay("early")
        bring(pay)
        slow.commit()
    assert set(stored(workspace, pay)) == {"early"}
    bank.pay("next")
    _, result = bring(pay)
    assert set(stored(workspace, pay)) == {"early", "late", "next"}
    assert (result.rows_read, result.rows_accepted, result.rows_quarantined) == (3, 3, 0), "read again is no error"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("UPDATE payments SET seq2 = NULL", "1 rows have no value in watermark 'seq2': they would never be read"),
        ("UPDATE payments SET seq2 = 3", "highest value of watermark 'seq2' lies below 5, which was read before"),
        ("ALTER TABLE payments RENAME seq2 TO number", "there is no column 'seq2'"),
        ("ALTER TABLE payments ALTER seq2 TYPE text", "watermark 'seq2' is a text, which does not order rows"),
    ],
)
def test_a_watermark_that_cannot_be_trusted_is_named(bank: Bank, bring: Bring, change: str, message: str) -> None:
    pay = portfolio_of({**TABLE, "watermark": "seq2"})
    bank.run("ALTER TABLE payments ADD seq2 numeric")
    bank.pay(1)
    bank.run("UPDATE payments SET seq2 = 5")
    bring(pay)
    bank.run(change)
    said = message_of(lambda: bring(pay))
    assert said.startswith("ContractError")
    assert message in said


def test_an_endless_watermark_is_refused(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(BY_TIME)
    bank.pay(1)
    bank.run("UPDATE payments SET updated_at = 'infinity'")
    assert "nothing could ever lie above it" in message_of(lambda: bring(pay))
    assert list((workspace.landing / pay.name / "main").iterdir()) == []


def test_an_emptied_table_whose_sequence_goes_on_is_no_mistake(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    bank.pay(1)
    bring(pay)
    bank.run("DELETE FROM payments")
    bring(pay)
    bank.pay(2)
    bring(pay)
    assert stored(workspace, pay) == {"1": 12.5, "2": 12.5}


def test_a_reset_has_everything_read_again(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    bank.pay(1)
    bring(pay)
    bank.run("TRUNCATE payments RESTART IDENTITY")
    bank.pay(5)
    assert "lies below" not in str(bring(pay)[0].notes), "the first number is used again: that cannot be seen"
    reset(workspace, pay, pay.transactions[0], actor="maria", reason="restored from a backup")
    _, result = bring(pay)
    assert result.rows_read == 1
    assert set(stored(workspace, pay)) == {"1", "5"}
    assert [(entry.actor, entry.action) for entry in _entries(workspace, pay)][1] == ("maria", "source_reset")


def test_another_watermark_column_is_noticed(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(BY_SEQUENCE)
    bank.pay(1)
    bring(pay)
    other = pay.transactions[0].model_copy(update={"watermark": "updated_at"})
    said = message_of(lambda: bring(pay.model_copy(update={"transactions": (other,)})))
    assert re.search("read by watermark 'seq' so far, and the YAML now names 'updated_at'", said)


def test_reports_of_fraud_come_from_a_table_as_well(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    reports = {"name": "frauds", "table": "frauds", "connection": "bank", "watermark": "seq"}
    pay = portfolio_of(BY_SEQUENCE, labels={"delay": "7d", "source": reports})
    bank.run("CREATE TABLE frauds (seq serial, transaction_id text, reported_at timestamptz, label bool)")
    bank.pay(1)
    bring(pay)
    bank.run("INSERT INTO frauds (transaction_id, reported_at, label) VALUES ('1', '2026-03-07 10:00+00', true)")
    fetched, result = bring(pay)
    assert fetched.notes == ["main: nothing new above seq 1", "frauds: 1 rows, up to seq 1"]
    assert (result.label_keys, result.keys) == (["2026-03-07"], [])
    known = workspace.store.read_partition("labels", pay.name, "2026-03-07").to_pylist()
    assert [(row["transaction_id"], row["label"]) for row in known] == [("1", True)]
    bank.run("INSERT INTO frauds (transaction_id, reported_at, label) VALUES ('1', '2026-03-08 10:00+00', false)")
    _, day = bring(pay, "2026-03-05")
    assert day.label_keys == []


@pytest.mark.parametrize("kind", ["int", "numeric(20, 6)", "timestamp", "timestamptz", "date"])
def test_every_kind_of_watermark_goes_on_where_it_stopped(
    workspace: Workspace, bank: Bank, bring: Bring, kind: str
) -> None:
    pay = portfolio_of({**TABLE, "watermark": "mark"})
    is_time = kind in ("timestamp", "timestamptz", "date")
    bank.run(f"ALTER TABLE payments ADD mark {kind}")
    for number, day in (("a", "2026-03-01"), ("b", "2026-03-02")):
        bank.pay(number)
        value = f"'{day} 10:00:00.123456+02'" if is_time else len(_entries(workspace, pay)) + 1
        bank.run(f"UPDATE payments SET mark = {value} WHERE id = '{number}'")
        _, result = bring(pay)
        assert result.rows_read == 1
    assert set(stored(workspace, pay)) == {"a", "b"}


_MEASURE = """
import resource, sys
from pathlib import Path
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.fetching.access import Access
from fraudops.intake.fetching.extracts import extract_new
from tests.intake.fetching.conftest import TABLE, portfolio_of

url, folder, rows = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
query = f"SELECT * FROM payments WHERE seq <= {rows}"
pay = portfolio_of({**TABLE, "table": None, "query": query, "watermark": "seq", "batch_rows": 5000})
found = extract_new(transactions_feed(pay), Access(url=url), folder / f"{rows}.parquet", None, {})
assert found.watermark == str(rows)
print(found.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_two_hundred_thousand_rows_take_no_more_memory_than_twenty_thousand(
    workspace: Workspace, bank: Bank, tmp_path: Any
) -> None:
    bank.run(
        "INSERT INTO payments (id, at, amount, customer_id) SELECT md5(n::text), "
        "timestamptz '2026-03-05 00:00+00' + n * interval '1 second', n, n % 500 FROM generate_series(1, 200000) n"
    )
    peaks = {}
    for rows in (20_000, 200_000):
        command = [sys.executable, "-c", _MEASURE, bank.url, str(tmp_path), str(rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        read, peaks[rows] = (int(word) for word in done.stdout.split())
        assert read == rows
    print(f"peak memory, MiB: {peaks}")  # noqa: T201 - shown with -s: a figure for the documentation
    assert pq.ParquetFile(tmp_path / "200000.parquet").metadata.num_rows == 200_000
    assert peaks[200_000] < peaks[20_000] + 25
