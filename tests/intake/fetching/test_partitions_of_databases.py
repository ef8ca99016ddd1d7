from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow.parquet as pq
import pytest
from fraudops.intake.fetching import Access, fetch
from fraudops.workspace import Workspace

from tests.intake.fetching.conftest import COLUMNS, TABLE, Bank, message_of, portfolio_of, stored

Bring = Callable[..., Any]


def test_a_days_rows_are_read_and_no_others(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(TABLE)
    for number, at in enumerate(["2026-03-04 23:59:59.999999", "2026-03-05 00:00", "2026-03-05 23:59:59.999999",
                                 "2026-03-06 00:00"]):  # fmt: skip
        bank.pay(number, f"{at}+00")
    fetched, result = bring(pay, "2026-03-05")
    assert stored(workspace, pay) == {"1": 12.5, "2": 12.5}
    assert (result.rows_read, result.rows_accepted, result.rows_elsewhere) == (2, 2, 0)
    assert fetched.notes[0] == "main: 2 rows of 1 partitions"
    assert "'seq', 'updated_at'" in fetched.notes[1], "what nobody asked for is not read, and said"


def test_a_day_read_again_gives_the_same_bytes_until_the_database_says_something_else(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    pay = portfolio_of({**TABLE, "batch_rows": 7})
    for number in range(20):
        bank.pay(number)
    bring(pay, "2026-03-05")
    file = workspace.landing / pay.name / "main" / "2026-03-05.parquet"
    before = file.read_bytes()
    _, again = bring(pay, "2026-03-05")
    assert file.read_bytes() == before
    assert again.changed_keys == []
    bank.run("UPDATE payments SET amount = 99 WHERE id = '3'")
    _, corrected = bring(pay, "2026-03-05")
    assert corrected.changed_keys == ["2026-03-05"]
    assert stored(workspace, pay)["3"] == 99
    assert len(stored(workspace, pay)) == 20


def test_many_days_at_once_leave_the_files_that_single_days_leave(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    bulk, daily = portfolio_of({**TABLE, "batch_rows": 11}), portfolio_of({**TABLE, "batch_rows": 11})
    bank.run(
        "INSERT INTO payments (id, at, amount, customer_id) SELECT n::text, "
        "timestamptz '2026-03-05 00:00+00' + n * interval '47 minutes', n, n % 5 FROM generate_series(0, 120) n"
    )
    bring(bulk)
    for key in ("2026-03-05", "2026-03-06", "2026-03-07", "2026-03-08"):
        bring(daily, key)
    folders = [workspace.landing / portfolio.name / "main" for portfolio in (bulk, daily)]
    contents = [{path.name: path.read_bytes() for path in folder.glob("*.parquet")} for folder in folders]
    assert contents[0] == contents[1]
    assert len(contents[0]) == 4
    assert max(pq.ParquetFile(path).metadata.row_group(0).num_rows for path in folders[0].glob("*.parquet")) == 11


@pytest.mark.parametrize(
    ("kind", "expression", "column"),
    [
        ("timestamp", "at AT TIME ZONE 'Europe/Berlin'", {"timezone": "Europe/Berlin"}),
        ("timestamp", "at AT TIME ZONE 'UTC'", {}),
        ("bigint", "extract(epoch from at - timestamptz '2026-01-01 00:00+00')", {"origin": "2026-01-01T00:00:00Z"}),
        ("numeric", "extract(epoch from at - timestamptz '2026-01-01 00:00+00') / 3600.0",
         {"origin": "2026-01-01T00:00:00Z", "unit": "h"}),
        ("double precision", "extract(epoch from at) / 86400", {"origin": "1970-01-01T00:00:00Z", "unit": "d"}),
        ("bigint", "extract(epoch from at) * 1000000", {"origin": "1970-01-01T00:00:00Z", "unit": "us"}),
    ],
)  # fmt: skip
def test_a_day_is_found_however_the_time_is_written(
    workspace: Workspace, bank: Bank, bring: Bring, kind: str, expression: str, column: dict[str, str]
) -> None:
    times = ["2026-03-28 22:59:59+00", "2026-03-29 00:00:00+00", "2026-03-29 00:59:59+00", "2026-03-29 01:00:00+00",
             "2026-03-29 23:59:59+00", "2026-03-30 00:00:00+00"]  # fmt: skip
    for number, at in enumerate(times):
        bank.pay(number, at)
    query = f"SELECT id, ({expression})::{kind} AS at, amount, customer_id, label FROM payments;"
    source = {**TABLE, "table": None, "query": query}
    columns = COLUMNS | {"event_time": {"role": "time", **column}}
    pay = portfolio_of(source, columns=columns)
    bring(pay, "2026-03-29")
    assert set(stored(workspace, pay, "2026-03-29")) == {"1", "2", "3", "4"}


def test_days_are_cut_in_the_order_of_time_whatever_its_digits(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    query = "SELECT n::text AS id, (n-50) * 3600.0 AS at, 1 AS amount, 7 AS customer_id FROM generate_series(1,100) n"
    columns = COLUMNS | {"event_time": {"role": "time", "origin": "2026-03-05T00:00:00Z"}}
    pay = portfolio_of({**TABLE, "table": None, "query": query, "batch_rows": 9}, columns=columns)
    _, result = bring(pay)
    assert result.rows_accepted == 100
    assert sum(len(stored(workspace, pay, key)) for key in result.keys) == 100


@pytest.mark.parametrize("key", ["2026-10-25T00", "2026-10-25T01"])
def test_no_row_of_the_hour_that_the_clocks_show_twice_is_missed(
    workspace: Workspace, bank: Bank, bring: Bring, key: str
) -> None:
    source = {**TABLE, "table": None, "query": "SELECT id, at::timestamp AS at, amount, customer_id, label FROM src"}
    bank.run("CREATE VIEW src AS SELECT id, at AT TIME ZONE 'Europe/Berlin' AS at, amount, customer_id, label "
             "FROM payments")  # fmt: skip
    columns = COLUMNS | {"event_time": {"role": "time", "timezone": "Europe/Berlin"}}
    pay = portfolio_of(source, columns=columns, partition_hours=1)
    for number, at in enumerate(["2026-10-25 00:15+00", "2026-10-25 01:15+00", "2026-10-25 02:15+00"]):
        bank.pay(number, at)
    # The database cannot tell the two rounds apart; both rows count as the first one's, as they do from a file.
    if key.endswith("00"):
        bring(pay, key)
        assert set(stored(workspace, pay, key)) == {"0", "1"}
    else:
        assert "there are no rows for 2026-10-25T01 in the query of source 'main'" in message_of(
            lambda: bring(pay, key)
        )


def test_values_of_every_kind_arrive_as_they_are(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    bank.run(
        "CREATE TYPE channel AS ENUM ('shop', 'online')",
        """CREATE TABLE "Odd ""names%" (id numeric, "at" timestamptz, amount numeric, who uuid, "ch%an" channel,
           big int8, small int2, ratio float4, flag bool, day date, note varchar(20), padded char(6),
           label numeric(1))""",
        """INSERT INTO "Odd ""names%" VALUES (12345678901234567890, '2026-03-05 10:00+02', 0.1,
           '6f1c0c7e-8a3e-4d5b-9a44-0e6d2f0c1b2a', 'online', 9007199254740993, 3, 0.5, true, '2026-03-01',
           E'tab\\there', 'ab', 1), (2, '2026-03-05 11:00:00.123456+00', 'NaN', NULL, NULL, NULL, NULL, 'NaN', NULL,
           NULL, NULL, NULL, 0), (3, '2026-03-05 12:00+00', 2.5, NULL, NULL, NULL, NULL, NULL, NULL, '0044-03-15 BC',
           NULL, NULL, NULL)""",
    )
    columns = {
        "transaction_id": {"role": "id"}, "event_time": {"role": "time"}, "amount": {"role": "amount"},
        "who": {"role": "entity"}, "channel": {"role": "category"}, "big": {"role": "category"},
        "small": {"role": "number"}, "ratio": {"role": "number"}, "flag": {"role": "boolean"},
        "day": {"role": "category"}, "note": {"role": "category"}, "padded": {"role": "category"},
        "label": {"role": "label"},
    }  # fmt: skip
    names = {"transaction_id": "id", "event_time": "at", "channel": "ch%an"}
    pay = portfolio_of({"table": 'public."Odd ""names%"', "connection": "bank", "columns": names}, columns=columns)
    _, result = bring(pay, "2026-03-05")
    first, third = workspace.store.read(workspace.store.staged("transactions", pay.name, "2026-03-05")).to_pylist()
    assert result.rows_quarantined == 1, "NaN is no amount"
    expected = {
        "transaction_id": "12345678901234567890", "amount": 0.1, "amount_minor": 10, "who": first["who"],
        "channel": "online", "big": "9007199254740993", "small": 3.0, "ratio": 0.5, "flag": True,
        "day": "2026-03-01", "note": "tab\there", "padded": "ab", "label": True,
    }  # fmt: skip
    assert {name: first[name] for name in expected} == expected
    assert str(first["event_time"]) == "2026-03-05 08:00:00+00:00"
    assert third["day"] is None, "a day before the years that files can hold costs its value, not the read"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ALTER TABLE payments RENAME amount TO amount_eur", "no column 'amount'.*did you mean 'amount_eur'"),
        ("ALTER TABLE payments RENAME at TO booked", "there is no column 'at'"),
        ("DROP TABLE payments", "ContractError.*there is no such table"),
        ("ALTER TABLE payments ALTER at TYPE text", "'at' is a text, which is no time.*to_timestamp"),
        ("ALTER TABLE payments ALTER at TYPE bigint USING 0", "'at' is a number.*origin and unit"),
        ("ALTER TABLE payments ALTER customer_id TYPE jsonb USING '{}'", "type jsonb, which is no plain value.*->>"),
        ("ALTER TABLE payments ALTER id TYPE bytea USING ''", "'id' has the type bytea"),
        ("ALTER TABLE payments ALTER customer_id TYPE int[] USING '{}'", "type _int4, which is no plain value"),
    ],
)
def test_a_table_that_is_not_what_it_was_is_named(bank: Bank, bring: Bring, change: str, message: str) -> None:
    pay = portfolio_of(TABLE)
    bank.pay(1)
    bank.run(change)
    assert re.search(message, message_of(lambda: bring(pay, "2026-03-05")))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FORM payments", "not one that PostgreSQL understands.*syntax error"),
        ("SELECT *, id AS amount FROM payments", "more than one column is called 'amount'"),
        ("DELETE FROM payments RETURNING *", "not one that PostgreSQL understands"),
        ("SELECT 1) x; COMMIT; DELETE FROM payments; SELECT * FROM (SELECT * FROM payments", "only reads|understands"),
        ("SELECT *, amount::text::date AS day FROM payments", "a value does not fit"),
    ],
)
def test_a_query_that_cannot_be_run_is_explained_and_writes_nothing(
    bank: Bank, bring: Bring, query: str, message: str
) -> None:
    columns = COLUMNS | ({"day": {"role": "category"}} if " day " in query else {})
    pay = portfolio_of({**TABLE, "table": None, "query": query}, columns=columns)
    bank.pay(4111111111111111)
    said = message_of(lambda: bring(pay, "2026-03-05"))
    assert re.search(message, said)
    assert "4111111111111111" not in said
    with bank.session() as session:
        assert session.exec_driver_sql("SELECT count(*) FROM payments").scalar() == 1


def test_a_query_may_hold_percent_signs_colons_and_a_comment_at_its_end(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    query = "SELECT *, ':x' AS tag FROM payments WHERE id LIKE 'a%' AND id::text <> '%(key)s' -- only these"
    pay = portfolio_of({**TABLE, "table": None, "query": query})
    bank.pay("a1")
    bank.pay("b1")
    bring(pay, "2026-03-05")
    assert set(stored(workspace, pay)) == {"a1"}


def test_a_login_that_is_refused_and_a_host_that_is_not_there_are_told_apart(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    pay = portfolio_of(TABLE)
    bank.run("DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    nobody = bank.url.replace("postgres@", "nobody@")
    said = message_of(lambda: fetch(workspace, pay, lambda _: Access(url=nobody), first="2026-03-05"))
    assert said.startswith("ContractError")
    assert "refuses the login" in said
    reader = bank.url.replace("postgres@", "reader@")
    said = message_of(lambda: fetch(workspace, pay, lambda _: Access(url=reader), first="2026-03-05"))
    assert "GRANT SELECT" in said
    bank.run("DROP ROLE reader")
    secret = "postgresql+psycopg2://user:s3cret@127.0.0.1:1/db"
    said = message_of(lambda: fetch(workspace, pay, lambda _: Access(url=secret), first="2026-03-05"))
    assert said.startswith("FraudopsError"), "worth a retry"
    assert "s3cret" not in said
    assert "s3cret" not in repr(Access(url=secret))


def test_rows_without_a_time_are_counted(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(TABLE)
    bank.pay(1)
    bank.pay(2, at=None)
    fetched, _ = bring(pay, "2026-03-05")
    assert "main: 1 rows have no 'at', so they belong to no partition and were not read" in fetched.notes


def test_a_day_without_rows_is_an_error_that_a_retry_may_mend(bank: Bank, bring: Bring) -> None:
    pay = portfolio_of(TABLE)
    said = message_of(lambda: bring(pay, "2026-03-05"))
    assert said.startswith("FraudopsError")
    assert "there are no rows for 2026-03-05 in payments" in said


def test_a_file_and_a_database_feed_one_portfolio(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    files = {"name": "shop", "path": "tx_{key}.csv", "columns": {"transaction_id": "no", "event_time": "when"}}
    pay = portfolio_of(files, {**TABLE, "name": "bank"})
    folder = workspace.landing / pay.name
    folder.mkdir()
    (folder / "tx_2026-03-05.csv").write_text("no,when,amount,customer_id,label\nx1,2026-03-05T09:00:00Z,3,c,0\n")
    bank.pay(1)
    bring(pay, "2026-03-05")
    assert stored(workspace, pay) == {"x1": 3.0, "1": 12.5}
    bring(pay)
    assert stored(workspace, pay) == {"x1": 3.0, "1": 12.5}


def test_two_tables_with_the_same_columns_feed_one_portfolio(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    bank.run("CREATE TABLE old_payments (LIKE payments INCLUDING ALL)")
    pay = portfolio_of(TABLE, {**TABLE, "name": "old", "table": "public.old_payments", "watermark": "seq"})
    bank.pay(1)
    bank.run("INSERT INTO old_payments (id, at, amount, customer_id) VALUES ('o', '2026-03-05 10:00+00', 3, 7)")
    bring(pay, "2026-03-05")
    assert stored(workspace, pay) == {"1": 12.5, "o": 3.0}
    bring(pay)
    assert stored(workspace, pay) == {"1": 12.5, "o": 3.0}


def test_a_row_that_was_deleted_there_is_gone_when_its_day_is_read_again(
    workspace: Workspace, bank: Bank, bring: Bring
) -> None:
    pay = portfolio_of(TABLE)
    bank.pay(1)
    bank.pay(2)
    bring(pay, "2026-03-05")
    bank.run("DELETE FROM payments WHERE id = '2'")
    bring(pay, "2026-03-05")
    assert stored(workspace, pay) == {"1": 12.5}


def test_without_an_id_a_day_read_again_counts_nothing_twice(workspace: Workspace, bank: Bank, bring: Bring) -> None:
    columns = {name: column for name, column in COLUMNS.items() if name != "transaction_id"}
    pay = portfolio_of({**TABLE, "columns": {"event_time": "at"}}, columns=columns)
    bank.pay(1)
    bank.pay(2)
    bring(pay, "2026-03-05")
    assert len(stored(workspace, pay)) == 2, "two payments that are equal but for their id"
    bring(pay)
    bank.pay(3, amount=4)
    bring(pay, "2026-03-05")
    assert sorted(stored(workspace, pay).values()) == [4.0, 12.5, 12.5]
