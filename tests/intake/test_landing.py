"""Landing files: what is accepted, what is quarantined, and that doing it again changes nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fraudops.errors import ContractError, IntegrityError
from fraudops.intake import row_landing
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.intake.publication import publish
from fraudops.intake.tokens import token_of
from fraudops.portfolio import Portfolio
from fraudops.store import canonical_json
from fraudops.workspace import Workspace

from .conftest import (
    CARD,
    COLUMNS,
    HEADER,
    land_paths,
    make_portfolio,
    quarantined,
    row,
    snapshot,
    staged_rows,
    without_ids,
)

Deliver = Callable[..., Path]
KEY = "2026-03-05"


def test_rows_are_typed_sorted_and_staged(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    path = deliver(
        "tx.csv",
        row("b", "2026-03-05 12:00:00", "3", channel=" online ", distance="", contactless="0"),
        row("a", "2026-03-05T11:00:00+00:00", "-0"),
        row("c", "2026-03-05T01:00:00.5Z", "1.005", card_number="", customer_name=""),
    )
    result = land_paths(workspace, shop, path)
    assert (result.keys, result.changed_keys, result.rows_accepted) == ([KEY], [KEY], 3)
    first, second, third = staged_rows(workspace)
    assert list(first) == [
        "transaction_id", "event_time", "amount", "amount_minor", "customer_id", "card_token", "channel",
        "distance", "contactless",
    ]  # fmt: skip
    assert first["event_time"] == datetime(2026, 3, 5, 1, 0, 0, 500_000, tzinfo=UTC)
    assert (first["card_token"], first["amount_minor"]) == (None, 100)
    # Berlin's noon is 11:00 UTC: a tie, broken by the id.
    assert [second["transaction_id"], third["transaction_id"]] == ["a", "b"]
    assert (third["channel"], third["distance"], third["contactless"]) == ("online", None, False)
    assert str(second["amount"]) == "0.0"
    assert workspace.store.manifest("transactions", "shop", KEY) is None


def test_card_numbers_become_tokens_and_personal_data_is_kept_apart(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx.csv", row(1, card_number="4111 1111-1111 1111")))
    assert staged_rows(workspace)[0]["card_token"] == token_of(CARD, workspace.token_key)
    # Like the transactions it belongs to, it is seen once it is published.
    assert workspace.store.manifest("protected", "shop", KEY) is None
    publish(workspace, shop, KEY, actor="service:test")
    protected = workspace.store.read_partition("protected", "shop", KEY).to_pylist()
    assert protected == [{"transaction_id": "1", "card_bin": "411111", "card_last4": "1111", "customer_name": "Jo Doe"}]
    elsewhere = b"".join(content for name, content in snapshot(workspace).items() if "protected" not in name)
    assert b"Jo Doe" not in elsewhere
    assert CARD.encode() not in elsewhere


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (row(1, amount="abc"), "amount", "not a number"),
        (row(1, amount="nan"), "amount", "not a finite number"),
        (row(1, amount="-Infinity"), "amount", "not a finite number"),
        (row(1, amount="1e999"), "amount", "not a finite number"),
        (row(1, amount=""), "amount", "empty"),
        (row(1, amount='"12,50"'), "amount", "a number with ',' in it"),
        (row(1, amount="-1"), "amount", "below the minimum, 0"),
        (row(1, amount="10001"), "amount", "above the maximum, 10000"),
        (row(1, time=""), "time", "empty"),
        (row(1, time="yesterday"), "time", "not a timestamp"),
        (row(1, time="2026-02-30T10:00:00Z"), "time", "not a timestamp"),
        (row(1, time="0001-01-01"), "time", "a time outside of 1900 to 2199"),
        (row(1, time="2026-03-29 02:30:00"), "time", "a time that does not exist in Europe/Berlin"),
        (row(" "), "id", "empty"),
        (row(1, customer_id=""), "customer_id", "empty"),
        (row(1, card_number="4111111111111112"), "card_number", "not a card number"),
        (row(1, card_number="hello"), "card_number", "not a card number"),
        (row(1, contactless="perhaps"), "contactless", "neither true nor false"),
        (row(1, distance="far"), "distance", "not a number"),
        (row(1) + ",more", None, "has 10 fields, the header has 9"),
        ("1,2", None, "has 2 fields, the header has 9"),
        (",,,,,,,,", "id", "empty"),
    ],
)
def test_a_bad_row_is_quarantined_with_its_line_and_reason(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, line: str, column: str | None, reason: str
) -> None:
    path = deliver("tx.csv", row("good"), "", line, row("other"))
    result = land_paths(workspace, shop, path)
    assert (result.rows_read, result.rows_accepted, result.rows_quarantined) == (3, 2, 1)
    (item,) = quarantined(workspace)
    assert (item["file"], item["line"], item["column"], item["reason"]) == ("tx.csv", 4, column, reason)
    assert item["partition_key"] == KEY or "29" in line
    assert sum(result.reasons.values()) == 1


def test_nothing_confidential_is_in_quarantine(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    path = deliver(
        "tx.csv",
        row(1, amount="x"),
        row(2, amount="x", channel=f"paid with {CARD}", card_number="4111111111111112"),
        f"3,{CARD},Jo Doe",
        row(4),
        row(4),
    )
    land_paths(workspace, shop, path)
    raws = [item["raw"] for item in quarantined(workspace)]
    text = "".join(raws)
    assert CARD not in text
    assert "4111111111111112" not in text
    assert "Jo" not in text
    assert json.loads(raws[0])["card_number"] == "411111…1111"
    assert json.loads(raws[1])["channel"] == "paid with 411111…1111"
    assert json.loads(raws[1])["card_number"] == "[masked]"
    assert json.loads(raws[3])["customer_name"] == "[masked]"


def test_duplicates_within_a_file(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    path = deliver("tx.csv", row(1), row(2), row(1), row(2, amount="99"), row(1, customer_name="Al"))
    result = land_paths(workspace, shop, path)
    assert result.rows_accepted == 2
    assert {(item["line"], item["reason"]) for item in quarantined(workspace)} == {
        (4, "duplicate of line 2"),
        (5, "same id with other values as line 3"),
        (6, "same id with other values as line 2"),
    }
    assert result.reasons == {"id: same id with other values": 2, "id: duplicate": 1}
    assert staged_rows(workspace)[1]["amount"] == 12.5


def test_duplicates_of_what_is_stored(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1), row(2)))
    publish(workspace, shop, KEY, actor="service:test")
    before = staged_rows(workspace)
    result = land_paths(workspace, shop, deliver("tx_2.csv", row(1), row(2, amount="99"), row(3)))
    assert result.rows_accepted == 1
    assert [item["reason"] for item in quarantined(workspace)] == [
        "already stored",
        "same id with other values is stored (correct it in the file that brought it, or land this one with "
        "corrections) as line 3 of tx_1.csv",
    ]
    assert result.rows_repeated == 1
    assert staged_rows(workspace)[:2] == before


def test_the_first_of_two_files_wins(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    first, second = deliver("tx_1.csv", row(1)), deliver("tx_2.csv", row(2), row(1))
    land_paths(workspace, shop, first, second)
    assert [item["reason"] for item in quarantined(workspace)] == ["duplicate of line 2 of tx_1.csv"]


@pytest.mark.parametrize("published", [False, True])
def test_the_same_file_again_changes_nothing(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, published: bool
) -> None:
    rows = [row(1), row(2), row(1), row(3, amount="x"), row(4, "2026-03-06T10:00:00Z"), "broken", row(5, time="x")]
    path = deliver("tx.csv", *rows)
    first = land_paths(workspace, shop, path)
    if published:
        publish(workspace, shop, KEY, actor="service:test")
    before = snapshot(workspace)
    second = land_paths(workspace, shop, path)
    assert snapshot(workspace) == before
    assert second.changed_keys == []
    assert (second.keys, second.files, second.reasons) == (first.keys, first.files, first.reasons)


def test_landing_by_partition_leaves_the_bytes_of_landing_at_once(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, tmp_path: Path
) -> None:
    days = [f"2026-03-{day:02d}" for day in (5, 6, 7)]
    rows = [row(f"{day}-{n}", f"{day}T1{n}:00:00Z", "x" if n == 2 else "1") for n in range(4) for day in days]
    bulk = deliver("tx_bulk.csv", "1,2", *rows, rows[0])
    at_once = _with_store(workspace, tmp_path / "bulk")
    land_paths(at_once, shop, bulk)
    by_key = _with_store(workspace, tmp_path / "keys")
    for day in reversed(days):
        result = land_paths(by_key, shop, bulk, first=day, last=day)
        assert result.keys == [day]
        # A row that says no time belongs to its neighbour; here that is the first day's.
        assert result.rows_elsewhere == 8 + 2 * (day != days[0])
    assert _data(by_key) == _data(at_once)
    assert snapshot(by_key) == snapshot(at_once)
    by_file = _with_store(workspace, tmp_path / "files")
    for day in days:
        land_paths(by_file, shop, deliver(f"tx_{day}.csv", *[line for line in rows if day in line]))
    assert _data(by_file, "transactions") == _data(at_once, "transactions")


def test_without_ids_equal_rows_are_kept_and_files_count_once(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = without_ids()
    header = "event_time,amount,V1,kind,label"
    first = deliver("a.csv", "10,5,1,x,0", "10,5,1,x,0", "20,5,,,1", header=header)
    land_paths(workspace, portfolio, first)
    rows = staged_rows(workspace)
    digest = rows[0]["transaction_id"][:32]
    assert [item["transaction_id"] for item in rows[:2]] == [f"{digest}-1", f"{digest}-2"]
    assert [item["label"] for item in rows] == [False, False, True]
    before = snapshot(workspace)
    land_paths(workspace, portfolio, first)
    assert snapshot(workspace) == before
    second = deliver("b.csv", *["10,5,1,x,0"] * 9, header=header)
    land_paths(workspace, portfolio, first, second)
    assert [item["transaction_id"] for item in staged_rows(workspace) if item["V1"] == 1] == sorted(
        f"{digest}-{n}" for n in range(1, 12)
    )
    lineage = workspace.store.read_partition("lineage", "shop", KEY).to_pylist()
    assert {item["file"] for item in lineage if item["transaction_id"].endswith(("-1", "-2"))} == {"a.csv"}


def test_csv_gzip_and_parquet_hold_the_same(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, tmp_path: Path
) -> None:
    rows = [row(1), row(2, "2026-03-05T11:00:00Z", "7", distance="", contactless="false")]
    plain, packed = deliver("tx.csv", *rows), deliver("tx.csv.gz", *rows)
    table = pa.table(
        {
            "id": pa.array([1, 2], pa.int64()),
            "time": pa.array([datetime(2026, 3, 5, 10, tzinfo=UTC), datetime(2026, 3, 5, 11, tzinfo=UTC)]),
            "amount": pa.array([12.5, 7]),
            "customer_id": pa.array(["c1", "c1"]).dictionary_encode(),
            "card_number": pa.array([int(CARD)] * 2, pa.int64()),
            "customer_name": ["Jo Doe"] * 2,
            "channel": ["online"] * 2,
            "distance": pa.array([1.5, float("nan")]),
            "contactless": [True, False],
            "unknown": [1, 2],
        }
    )
    pq.write_table(table, tmp_path / "tx.parquet")
    source = shop.transactions[0].model_copy(update={"format": "parquet"})
    found = []
    for name, portfolio, path in (
        ("a", shop, plain),
        ("b", shop, packed),
        ("c", shop.model_copy(update={"transactions": (source,)}), tmp_path / "tx.parquet"),
    ):
        ws = _with_store(workspace, tmp_path / name)
        result = land_paths(ws, portfolio, path)
        found.append({k: v for k, v in _data(ws, "transactions").items() if k.endswith(".parquet")})
    assert found[0] == found[1] == found[2]
    assert result.notes == ["tx.parquet: passed over columns that the portfolio does not name: 'unknown'"]


def test_plain_things_about_csv(workspace: Workspace, deliver: Deliver) -> None:
    source = {
        "path": "*.csv", "delimiter": ";", "decimal": ",", "encoding": "cp1252",
        "columns": {"transaction_id": "id", "event_time": "time"},
    }  # fmt: skip
    portfolio = make_portfolio(transactions=source)
    folder = workspace.landing / "shop"
    folder.mkdir()
    lines = [HEADER.replace(",", ";"), "1;2026-03-05 10:00;1,5;Müller;;;;2.5;", "2;2026-03-05 10:00;1,5;a;;;;;"]
    (folder / "a.csv").write_bytes("\r\n".join(["", *lines]).encode("cp1252"))
    result = land_paths(workspace, portfolio, folder / "a.csv")
    assert result.reasons == {"distance: a number with '.' in it": 1}
    (folder / "a.csv").write_bytes("\r\n".join([*lines, "3;2026-03-05 10:00;2;Müller;;;;;"]).encode("cp1252"))
    land_paths(workspace, portfolio, folder / "a.csv")
    assert [item["customer_id"] for item in staged_rows(workspace)] == ["a", "Müller"]


def test_byte_order_mark_quotes_line_breaks_and_bad_bytes(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    path = deliver(
        "tx.csv", row(1, channel='"a\nb ""c"""'), row(2, amount="x"), row(3, channel="\u00e9"), ending="\r\n"
    )
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace("\u00e9".encode(), b"\xff"))
    land_paths(workspace, shop, path)
    assert [(item["line"], item["column"]) for item in quarantined(workspace)] == [(4, "amount"), (5, "channel")]
    assert staged_rows(workspace)[0]["channel"] == 'a\nb "c"'


def test_many_batches_keep_exact_lines(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fraudops.intake.reading._BLOCK", 4_096)
    monkeypatch.setattr("fraudops.intake.spool._IN_MEMORY", 1)
    rows, expected = [], []
    for number in range(600):
        if number % 50 == 7:
            rows.append("broken,row")
        elif number % 50 == 9:
            rows.append(row(number, amount="x"))
        elif number % 50 == 11:
            rows.append("")
            continue
        else:
            rows.append(row(number, f"2026-03-0{5 + number % 3}T10:00:00Z"))
            continue
        expected.append(len(rows) + 1)
    result = land_paths(workspace, shop, deliver("tx.csv.gz", *rows))
    assert [item["line"] for item in quarantined(workspace)] == expected
    assert result.rows_read == 600 - 12
    lineage = workspace.store.read_partition("lineage", "shop", "2026-03-06").to_pylist()
    assert all(rows[item["line"] - 2].startswith(item["transaction_id"] + ",") for item in lineage)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (HEADER.encode(), "a header and no rows"),
        (HEADER.encode() + b"\n\n", "a header and no rows"),
        (HEADER.replace(",", ";").encode() + b"\n1;2", "the delimiter looks like ';'"),
        (HEADER.replace("time", "Time").encode() + b"\n1,2", "did you mean 'Time'"),
        (HEADER.encode() + b",amount\n1,2", "2 times"),
        (b"1,2026-03-05,12.5,Jo Doe\n", "looks like a row"),
        (gzip.compress(HEADER.encode() + b"\n" + b"1,2\n" * 9_000, mtime=0)[:-30], "cut off"),
        (gzip.compress(HEADER.encode() + b"\n1,2\n", mtime=0)[:-8] + b"12345678", "damaged"),
        (b"PAR1" + b"0" * 100, "format: parquet"),
    ],
)
def test_a_file_that_is_no_such_feed_stages_nothing(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, content: bytes, message: str
) -> None:
    good, bad = deliver("tx_1.csv", row(1)), deliver("tx_2.csv")
    bad.write_bytes(content)
    with pytest.raises(ContractError, match=message) as error:
        land_paths(workspace, shop, good, bad)
    assert "tx_2.csv" in str(error.value)
    assert error.value.remedy
    assert "Jo" not in str(error.value)
    assert set(snapshot(workspace)) <= {"format.json", "protected/portfolio=shop/token_key.json"}


def test_a_parquet_file_that_is_none(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    source = shop.transactions[0].model_copy(update={"format": "parquet"})
    with pytest.raises(ContractError, match="not a Parquet file"):
        land_paths(workspace, shop.model_copy(update={"transactions": (source,)}), deliver("tx.parquet", row(1)))


def test_a_file_that_vanished(workspace: Workspace, shop: Portfolio, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="gone"):
        land_paths(workspace, shop, tmp_path / "none.csv")
    with pytest.raises(ContractError, match="not a regular file"):
        land_paths(workspace, shop, tmp_path)


def test_rows_outside_of_the_portfolios_time(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = make_portfolio(start="2026-03-05T00:00:00+00:00", end="2026-03-06T00:00:00+00:00")
    times = ("2026-03-04T23:59:59Z", "2026-03-05T00:00:00Z", "2026-03-06T00:00:00Z")
    path = deliver("tx.csv", *[row(n, time) for n, time in enumerate(times)])
    result = land_paths(workspace, portfolio, path)
    assert (result.keys, result.rows_accepted, result.rows_quarantined) == ([KEY], 1, 2)


def test_a_partition_of_bad_rows_only_is_staged_empty(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    land_paths(workspace, shop, deliver("tx.csv", row(1, amount="x"), row(2, amount="x")))
    assert staged_rows(workspace) == []


def test_another_token_key_is_refused(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    path = deliver("tx.csv", row(1))
    land_paths(workspace, shop, path)
    other = Workspace(**{**vars(workspace), "token_key": b"o" * 32})
    with pytest.raises(ContractError, match="another key"):
        land_paths(other, shop, path)


def test_a_crash_before_the_lineage_leaves_no_trace(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second = deliver("tx_1.csv", row(1)), deliver("tx_2.csv", row(2), row(1), row(3, amount="x"))
    smooth = _with_store(workspace, tmp_path / "smooth")
    land_paths(smooth, shop, first)
    land_paths(smooth, shop, second)
    land_paths(workspace, shop, first)

    def crash(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(row_landing, "write_lineage", crash)
        with pytest.raises(OSError, match="disk is full"):
            land_paths(workspace, shop, second)
    with pytest.raises(ContractError, match="interrupted"):
        publish(workspace, shop, KEY, actor="service:test")
    land_paths(workspace, shop, second)
    assert snapshot(workspace) == snapshot(smooth)


def test_a_corrected_file_replaces_rows_that_failed_validation(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_0.csv", row(0)))
    publish(workspace, shop, KEY, actor="service:test")
    kept, wrong = deliver("tx_1.csv", row(1)), deliver("tx_2.csv", row(0), row(2, amount="1"), row(3))
    land_paths(workspace, shop, kept, wrong)
    _refuse(workspace)
    with pytest.raises(ContractError, match="did not pass"):
        publish(workspace, shop, KEY, actor="service:test")
    corrected = deliver("tx_2.csv", row(0), row(2, amount="2"))
    result = land_paths(workspace, shop, corrected)
    assert [(r["transaction_id"], r["amount"]) for r in staged_rows(workspace)] == [("0", 12.5), ("1", 12.5), ("2", 2)]
    assert result.rows_accepted == 1
    _refuse(workspace)
    land_paths(workspace, shop, deliver("tx_9.csv", row(0, amount="5"), row(2, amount="3")))
    assert [r["amount"] for r in staged_rows(workspace)] == [12.5, 12.5, 3]


def test_a_changed_configuration_lands_the_files_anew(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    first, second = deliver("tx_1.csv", row(1), row(2, amount="20000")), deliver("tx_2.csv", row(3))
    land_paths(workspace, shop, first, second)
    looser = make_portfolio(columns={**COLUMNS, "amount": {"role": "amount"}})
    land_paths(workspace, looser, first)
    assert [item["transaction_id"] for item in staged_rows(workspace)] == ["1", "2", "3"]
    fewer = make_portfolio(columns={name: column for name, column in COLUMNS.items() if name != "distance"})
    with pytest.raises(ContractError, match=r"other columns.*tx_2\.csv"):
        land_paths(workspace, fewer, first)
    land_paths(workspace, fewer, first, second)
    assert "distance" not in staged_rows(workspace)[0]


def test_rows_without_lineage_are_not_touched(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    path = deliver("tx_1.csv", row(1))
    land_paths(workspace, shop, path)
    publish(workspace, shop, KEY, actor="service:test")
    workspace.store.path("lineage", "shop", f"date={KEY}", "manifest.json").unlink()
    with pytest.raises(IntegrityError, match="lineage"):
        land_paths(workspace, shop, deliver("tx_2.csv", row(2)))


def test_reports_of_fraud_arrive_by_day(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    header = "transaction_id,reported_at,label"
    first = deliver("l1.csv", "1,2026-03-07T10:00:00Z,1", "2,2026-03-08T10:00:00Z,fraud", "3,,1", header=header)
    payments = deliver("tx.csv", row(1))
    result = land(workspace, shop, FeedFiles([payments], [first]), first=KEY, last=KEY)
    assert result.label_keys == ["2026-03-07", "2026-03-08"]
    assert (result.rows_read, result.rows_accepted, result.rows_quarantined) == (4, 3, 1)
    before = snapshot(workspace)
    land(workspace, shop, FeedFiles([payments], [first]))
    assert snapshot(workspace) == before
    more = deliver("l2.csv", "1,2026-03-07T10:00:00Z,1", "1,2026-03-07T12:00:00Z,0", header=header)
    land(workspace, shop, FeedFiles([payments], [more]))
    rows = workspace.store.read_partition("labels", "shop", "2026-03-07").to_pylist()
    assert [(item["transaction_id"], item["label"]) for item in rows] == [("1", True), ("1", False)]
    assert {item["known_at"] for item in rows} == {datetime(2026, 3, 8, tzinfo=UTC)}
    no_reports = deliver("l3.csv", header=header)
    assert land(workspace, shop, FeedFiles([payments], [no_reports])).label_keys == []


def _refuse(ws: Workspace) -> None:
    """What validation leaves when it refuses the staged rows."""
    staged = ws.store.staged("transactions", "shop", KEY)
    assert staged is not None
    result = {"passed": False, "data_digest": staged.data_digest}
    ws.store.put(canonical_json(result), "validation", "shop", f"date={KEY}", "result.json")


def _with_store(ws: Workspace, folder: Path) -> Workspace:
    from fraudops.store import Store

    return Workspace(**{**vars(ws), "store": Store(folder)})


def _data(ws: Workspace, *datasets: str) -> dict[str, bytes]:
    wanted = datasets or ("transactions", "protected")
    return {name: content for name, content in snapshot(ws).items() if name.startswith(wanted)}


def test_a_partition_that_was_staged_empty_is_landed_again(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = without_ids()
    path = deliver("a.csv", "0,0,0,,0", "0,0,0,,0", "-1,,0,,0", header="event_time,amount,V1,kind,label")
    land_paths(workspace, portfolio, path, last="2026-03-04")
    result = land_paths(workspace, portfolio, path)
    assert (result.rows_accepted, result.rows_quarantined) == (2, 1)
