"""What a bank's senders get wrong, one test a case: it is said what, where and what to do, and nothing is lost.

The first part is about rows (quarantined, each with its line, column and reason), the second about files (refused
as a whole, and nothing is written), the third about what must simply work. ``docs/bad-input.md`` has the same cases.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fraudops.errors import ConfigurationError, ContractError, FraudopsError
from fraudops.intake import reading
from fraudops.intake.files import find_files, named_files
from fraudops.intake.remedies import remedy_of
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

from .conftest import COLUMNS, HEADER, land_paths, make_portfolio, quarantined, row, snapshot, staged_rows

Deliver = Callable[..., Path]
GOOD = row("good")


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    """The shop's landing folder."""
    place = workspace.landing / "shop"
    place.mkdir(exist_ok=True)
    return place


def _portfolio(**source: Any) -> Portfolio:
    """The shop, whose files are written in another way."""
    columns = {"transaction_id": "id", "event_time": "time"}
    return make_portfolio(transactions={"path": "tx*", "columns": columns, **source})


def _found(ws: Workspace) -> list[tuple[int, str | None, str]]:
    found = [(item["line"], item["column"], item["reason"]) for item in quarantined(ws)]
    for _, _, reason in found:
        assert remedy_of(reason) != remedy_of("some reason that nobody has thought of"), reason
    return found


# -- rows --------------------------------------------------------------------------------------------------

CASES: dict[str, tuple[list[str], list[tuple[int, str | None, str]]]] = {
    "text in a number": ([row(1, amount="twelve")], [(2, "amount", "not a number")]),
    "a decimal comma": ([row(1, amount='"12,50"')], [(2, "amount", "a number with ',' in it")]),
    "thousands with commas": ([row(1, amount='"1,234.50"')], [(2, "amount", "a number with ',' in it")]),
    "not a number at all": ([row(1, amount="NaN")], [(2, "amount", "not a finite number")]),
    "infinite amounts": (
        [row(1, amount="inf"), row(2, amount="-Infinity"), row(3, amount="1e999")],
        [(line, "amount", "not a finite number") for line in (2, 3, 4)],
    ),
    "a negative amount": ([row(1, amount="-5")], [(2, "amount", "below the minimum, 0")]),
    "no amount": ([row(1, amount="")], [(2, "amount", "empty")]),
    "a time before 1900": ([row(1, "1899-12-31T10:00:00Z")], [(2, "time", "a time outside of 1900 to 2199")]),
    "a day that does not exist": ([row(1, "2026-02-30T10:00:00Z")], [(2, "time", "not a timestamp")]),
    "an hour that clocks skipped": (
        [row(1, "2026-03-29 02:30:00")],
        [(2, "time", "a time that does not exist in Europe/Berlin")],
    ),
    "a card number with a digit wrong": (
        [row(1, card_number="4111111111111112")],
        [(2, "card_number", "not a card number")],
    ),
    "a field too many": ([row(1) + ",more"], [(2, None, "has 10 fields, the header has 9")]),
    "a field too few": (["1,2026-03-05T10:00:00Z,5"], [(2, None, "has 3 fields, the header has 9")]),
    "a delimiter at the end of a row": ([row(1) + ","], [(2, None, "has 10 fields, the header has 9")]),
    "an id that comes twice": ([row(1), row(1)], [(3, "id", "duplicate of line 2")]),
    "an id with other values": (
        [row(1), row(1, amount="9")],
        [(3, "id", "same id with other values as line 2")],
    ),
    "the header again": ([row(1), HEADER, row(2)], [(3, None, "the header again: files were put together")]),
    "a total at the end": (["Total,,12345.00,,,,,,"], [(2, "time", "empty")]),
    "a NUL": ([row(1, channel="on\0line")], [(2, "channel", "holds a NUL")]),
    "a quotation mark that nobody closes": (
        [row(1, channel='"online'), row(2), row(3, channel='"shop"'), row(4)],
        [(2, "channel", "a quotation mark is closed in the middle of a value")],
    ),
    "a quotation mark closed in the middle": (
        [row(1, channel='"the "best" shop"'), row(2)],
        [(2, "channel", "a quotation mark is closed in the middle of a value")],
    ),
    "rows between two stray quotation marks": (
        [row(1, channel='"online'), row(2), row(3).replace("online", 'online"')],
        [
            (
                2, None,
                "3 lines from here look like rows, but a quotation mark too many, or one missing, makes one of them",
            )
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("block", [64, 2 << 20])
def test_rows_with(
    workspace: Workspace,
    shop: Portfolio,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
    ending: str,
    block: int,
) -> None:
    monkeypatch.setattr(reading, "_BLOCK", block)
    lines, expected = CASES[case]
    result = land_paths(workspace, shop, deliver("tx.csv", *lines, GOOD, ending=ending))
    assert _found(workspace) == expected
    swallowed = 2 if "between two stray" in case else 0
    assert result.rows_read == len(lines) + 1 - swallowed
    assert result.rows_accepted == result.rows_read - len(expected)
    assert "good" in {item["transaction_id"] for item in staged_rows(workspace)}


def test_a_quotation_mark_open_to_the_end_of_the_file(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    result = land_paths(workspace, shop, deliver("tx.csv", row(1), row(2, channel='"online'), row(3), row(4)))
    assert _found(workspace) == [(3, "channel", "a quotation mark is opened and not closed")]
    assert [item["transaction_id"] for item in staged_rows(workspace)] == ["1", "3", "4"]
    assert result.rows_read == 4


def test_a_line_of_nine_megabytes(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    wide = row(2, channel="x" * 9_000_000)
    land_paths(workspace, shop, deliver("tx.csv", row(1), wide, row(3), '"' + wide, row(4)))
    assert _found(workspace) == [(3, None, "longer than 8 MiB"), (5, "id", "a quotation mark is opened and not closed")]
    assert [item["transaction_id"] for item in staged_rows(workspace)] == ["1", "3", "4"]
    assert all(len(item["raw"]) < 2_000 for item in quarantined(workspace))


def test_a_file_that_ends_in_the_middle_of_a_row(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    path = deliver("tx.csv", row(1), row(2))
    path.write_bytes(path.read_bytes()[:-30])
    land_paths(workspace, shop, path)
    assert _found(workspace) == [
        (3, None, "has 5 fields, the header has 9; the file ends in this line, which may be cut off")
    ]


def test_times_of_1970_and_2100(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    times = ("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "2026-03-05T10:00:00Z", "2026-03-06T10:00:00Z", "", "x")
    path = deliver("tx.csv", *[row(n, time) for n, time in enumerate(times)], row(6), "broken")
    result = land_paths(workspace, shop, path)
    far = "a time more than 10 years away from the file's others"
    assert _found(workspace) == [
        (2, "time", far), (3, "time", far), (6, "time", "empty"), (7, "time", "not a timestamp"),
        (9, None, "has 1 field, the header has 9"),
    ]  # fmt: skip
    assert result.keys == ["2026-03-05", "2026-03-06"]
    assert "Jo Doe" not in str(quarantined(workspace))
    before = snapshot(workspace)
    # A day alone says the same of the file, and takes nothing out of quarantine.
    day = land_paths(workspace, shop, path, first="2026-03-05", last="2026-03-05")
    assert (day.rows_accepted, day.rows_elsewhere) == (2, 3)
    assert snapshot(workspace) == before


@pytest.mark.parametrize("limits", [{}, {"first": "2026-03-05", "last": "2026-03-05"}])
def test_a_time_far_away_is_quarantined_whatever_was_asked_for(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, limits: dict[str, str]
) -> None:
    path = deliver("tx.csv", row(1), row(2, "1970-01-01T00:00:00Z"), row(3), row(4, "2035-03-05T00:00:00Z"))
    result = land_paths(workspace, shop, path, **limits)
    assert [line for line, _, _ in _found(workspace)] == [3]
    assert result.rows_quarantined == 1


def test_a_portfolio_that_says_its_period_is_believed(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = make_portfolio(start="1960-01-01T00:00:00+00:00", end="2150-01-01T00:00:00+00:00")
    times = ("1970-01-01T00:00:00Z", "2026-03-05T10:00:00Z", "2100-01-01T00:00:00Z", "1959-12-31T00:00:00Z")
    land_paths(workspace, portfolio, deliver("tx.csv", *[row(n, time) for n, time in enumerate(times)], row(5)))
    assert _found(workspace) == [(5, "time", "before the portfolio's start, 1960-01-01 00:00+00:00")]


def test_zones_that_are_mixed(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    times = ("2026-03-05T10:00:00Z", "2026-03-05T11:00:00+01:00", "2026-03-05 11:00:00", "2026-03-05T05:00:00-0500")
    result = land_paths(workspace, shop, deliver("tx.csv", *[row(n, time) for n, time in enumerate(times)]))
    assert {item["event_time"] for item in staged_rows(workspace)} == {datetime(2026, 3, 5, 10, tzinfo=UTC)}
    assert result.notes == [
        "tx.csv: some times in column 'time' say their zone and some do not: these were read as Europe/Berlin"
    ]
    one_kind = deliver("tx2.csv", row(8), row(9, ""))
    assert land_paths(workspace, shop, one_kind).notes == []


def test_a_file_of_nothing_but_unusable_rows_is_refused_before_it_fills_the_memory(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fraudops.intake.quarantine._MOST", 10_000)
    with pytest.raises(ContractError, match=r"200 rows so far .* 200 of them: amount: a number with ','") as error:
        land_paths(workspace, shop, deliver("tx.csv", *[row(n, amount='"1,5"') for n in range(200)]))
    assert error.value.where == "tx.csv, up to line 201"
    assert _data(workspace) == []


def test_bytes_that_are_not_in_the_encoding(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    path = deliver("tx.csv", row(1, channel="Café"), row(2))
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9"))
    land_paths(workspace, shop, path)
    assert _found(workspace) == [(2, "channel", "not utf-8 text")]
    assert staged_rows(workspace)[0]["transaction_id"] == "2"


# -- files that are refused --------------------------------------------------------------------------------


def _zip(name: str) -> bytes:
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(name, HEADER)
        file.seek(0)
        return file.read()


def _packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


_CSV = "\n".join([HEADER, GOOD, ""]).encode()
_LONG = b"".join([_CSV, *[f"{row(n)}\n".encode() for n in range(9_000)]])
FILES: dict[str, tuple[bytes, str, str]] = {
    "no bytes": (b"", "the file is empty", "ask its sender"),
    "blank lines only": (b"\n\r\n\n", "the file is empty", "ask its sender"),
    "an empty gzip file": (_packed(b""), "the file is empty", "ask its sender"),
    "a header only": (HEADER.encode() + b"\n", "a header and no rows", "ask its sender"),
    "a header and blank lines": (HEADER.encode() + b"\n\n\r\n", "a header and no rows", "ask its sender"),
    "a wrong delimiter": (_CSV.replace(b",", b";"), "no column 'id'", "write 'delimiter: \";\"'.*decimal comma"),
    "tabs": (_CSV.replace(b",", b"\t"), "no column 'id'", r"write 'delimiter: \"\\t\"'"),
    "Excel's hint at another delimiter": (b"sep=;\n" + _CSV, "the delimiter is ';', not ','", "write 'delimiter"),
    "a missing column": (_CSV.replace(b"amount,", b"price,"), "no column 'amount'.*the file has 'id'", "map another"),
    "a column in other case": (_CSV.replace(b"amount,", b"Amount,"), "no column 'amount'", "did you mean 'Amount'"),
    "no header": (GOOD.encode() + b"\n", "looks like a row", "column names on top"),
    "a column twice": (_CSV.replace(b"channel", b"amount"), "'amount' stands in the header 2 times", "differently"),
    "a header whose quotation mark is open": (b'"' + _CSV, "no CSV header", "column names on top"),
    "a truncated gzip": (_packed(_LONG)[:-2_000], "is cut off", "the whole file"),
    "a gzip without its end": (_packed(_LONG)[:-4], "is cut off", "the whole file"),
    "a damaged gzip": (_packed(_CSV)[:-8] + b"12345678", "is damaged", "ask its sender"),
    "a gzip with something behind": (_packed(_CSV) + b"garbage", "other bytes follow", "ask its sender"),
    "a gzip with a line end behind": (_packed(_CSV) + b"\n", "other bytes follow", "ask its sender"),
    "a gzip in a gzip": (_packed(_packed(_CSV)), "packed by gzip twice", "unpack"),
    "a ZIP archive": (_zip("tx.csv"), "a ZIP archive", "unpack"),
    "a ZIP archive in a gzip": (_packed(_zip("tx.csv")), "a ZIP archive", "unpack"),
    "an Excel workbook": (_zip("xl/workbook.xml"), "an Excel workbook", "save the sheet as CSV"),
    "an old Excel workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel workbook", "as CSV"),
    "Parquet": (b"PAR1" + bytes(100), "a Parquet file", "format: parquet"),
    "the web page of an error": (b"\n <!DOCTYPE html><html>404", "a web page", "download failed"),
    "JSON": (b'[{"id": 1}]', "a JSON document", "as CSV"),
    "xz": (b"\xfd7zXZ\x00" + bytes(100), "packed by xz", "unpack"),
    "UTF-16 with a mark": (_CSV.decode().encode("utf-16"), "written in UTF-16", "encoding: utf-16"),
    "UTF-16, big end first": (b"\xfe\xff" + _CSV.decode().encode("utf-16-be"), "in UTF-16", "encoding: utf-16"),
    "UTF-16 without a mark": (_CSV.decode().encode("utf-16-le"), "written in UTF-16-LE", "encoding: utf-16-le"),
    "UTF-32": (_CSV.decode().encode("utf-32"), "written in UTF-32", "encoding: utf-32"),
}


@pytest.mark.parametrize("name", ["tx.csv", "tx.csv.gz"])
@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, folder: Path, case: str, name: str
) -> None:
    content, what, remedy = FILES[case]
    (folder / name).write_bytes(content)
    with pytest.raises(ContractError, match=what) as error:
        land_paths(workspace, shop, deliver("tx_0.csv", GOOD), folder / name)
    assert str(folder / name) in (error.value.where or "")
    assert re.search(remedy, error.value.remedy or "")
    assert "Jo Doe" not in str(error.value)
    assert _data(workspace) == []


def test_the_line_at_which_a_gzip_is_cut_off(workspace: Workspace, shop: Portfolio, folder: Path) -> None:
    (folder / "tx.csv.gz").write_bytes(_packed(_LONG)[:-2_000])
    with pytest.raises(ContractError) as error:
        land_paths(workspace, shop, folder / "tx.csv.gz")
    line = int((error.value.where or "").rpartition(" ")[2])
    assert 1_000 < line < 9_002, error.value.where


def test_an_encoding_that_the_file_does_not_have(workspace: Workspace, folder: Path) -> None:
    for encoding, content in (("utf-16", _CSV), ("cp1252", b"\xef\xbb\xbf" + _CSV)):
        (folder / "tx.csv").write_bytes(content)
        with pytest.raises(ContractError, match="written in UTF-8, the portfolio says") as error:
            land_paths(workspace, _portfolio(encoding=encoding), folder / "tx.csv")
        assert "encoding: utf-8" in (error.value.remedy or "")


@pytest.mark.parametrize("wrong", [{"encoding": "klingon"}, {"encoding": "hex"}, {"delimiter": '"'}, {"quote": "\n"}])
def test_a_source_that_cannot_be(workspace: Workspace, deliver: Deliver, wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError) as error:
        land_paths(workspace, _portfolio(**wrong), deliver("tx.csv", GOOD))
    assert error.value.remedy


# -- what must simply work ---------------------------------------------------------------------------------


def _same(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


WORKING: dict[str, tuple[bytes, dict[str, Any]]] = {
    "a byte-order mark": (b"\xef\xbb\xbf" + _same(row(1), row(2)), {}),
    "a byte-order mark in a gzip": (_packed(b"\xef\xbb\xbf" + _same(row(1), row(2))), {}),
    "UTF-16": (_same(row(1), row(2)).decode().encode("utf-16"), {"encoding": "utf-16"}),
    "UTF-16 in a gzip": (_packed(_same(row(1), row(2)).decode().encode("utf-16")), {"encoding": "utf-16"}),
    "UTF-16 without a mark": (_same(row(1), row(2)).decode().encode("utf-16-be"), {"encoding": "utf-16-be"}),
    "carriage returns": (_same(row(1), row(2)).replace(b"\n", b"\r"), {}),
    "mixed line ends": (f"{HEADER}\r\n{row(1)}\r{row(2)}\n".encode(), {}),
    "no line end at the end": (_same(row(1), row(2)).rstrip(b"\n"), {}),
    "blank lines": (f"\n\r\n{HEADER}\n\n{row(1)}\r\n\r\n\n{row(2)}\n\n".encode(), {}),
    "names with spaces around": (_same(row(1), row(2)).replace(b",amount,", b", amount ,"), {}),
    "a delimiter at the end of every line": (_same(row(1), row(2)).replace(b"\n", b",\n"), {}),
    "Excel's hint at the delimiter": (b"sep=,\n" + _same(row(1), row(2)), {}),
    "several gzip members": (_packed(_same(row(1))) + _packed(f"{row(2)}\n".encode()), {}),
    "a gzip filled up with zeros": (_packed(_same(row(1), row(2))) + bytes(512), {}),
    "columns twice that nobody reads": (
        _same(f"{row(1)},a,b", f"{row(2)},a,b").replace(b"contactless\n", b"contactless,x,x\n"), {},
    ),
    "semicolons and decimal commas": (
        _same(row(1), row(2)).replace(b",", b";").replace(b"12.50", b"12,50").replace(b"1.5", b"1,5"),
        {"delimiter": ";", "decimal": ","},
    ),
}  # fmt: skip


@pytest.mark.parametrize("block", [7, 2 << 20])
@pytest.mark.parametrize("case", WORKING)
def test_a_file_with(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch, case: str, block: int
) -> None:
    monkeypatch.setattr(reading, "_BLOCK", block)
    content, source = WORKING[case]
    (folder / "tx").write_bytes(content)
    result = land_paths(workspace, _portfolio(**source), folder / "tx")
    assert (result.rows_read, result.reasons) == (2, {})
    rows = staged_rows(workspace)
    assert [(item["transaction_id"], item["amount"], item["distance"]) for item in rows] == [
        ("1", 12.5, 1.5), ("2", 12.5, 1.5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('5" pipe', '5" pipe'),
        ('"two\nlines"', "two\nlines"),
        ('"""The"" shop"', '"The" shop'),
        ('"a, b"', "a, b"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("=cmd|'/C calc'!A1", "=cmd|'/C calc'!A1"),
        ("x" * 2_000_000, "x" * 2_000_000),
    ],
    ids=["inches", "line break", "doubled marks", "delimiter", "script", "formula", "2 MB"],
)
def test_a_merchant_called(workspace: Workspace, shop: Portfolio, deliver: Deliver, written: str, meant: str) -> None:
    land_paths(workspace, shop, deliver("tx.csv", row(1, channel=written), row(2, amount="x"), row(3)))
    assert [item["channel"] for item in staged_rows(workspace)] == [meant, "online"]
    assert _found(workspace) == [(3 + written.count("\n"), "amount", "not a number")]


def test_two_hundred_columns(workspace: Workspace, deliver: Deliver) -> None:
    names = [f"v{n}" for n in range(200)]
    portfolio = make_portfolio(columns={**COLUMNS, **{name: {"role": "number"} for name in names}})
    values = [str(n) for n in range(200)]
    path = deliver(
        "tx.csv",
        ",".join([row(1), *values]),
        ",".join([row(2), *values[:-1], "x"]),
        header=",".join([HEADER, *names]),
    )
    land_paths(workspace, portfolio, path)
    assert [staged_rows(workspace)[0][name] for name in names] == list(range(200))
    assert _found(workspace) == [(3, "v199", "not a number")]


def test_a_column_more_is_told(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    result = land_paths(workspace, shop, deliver("tx.csv", row(1) + ",7", header=HEADER + ",loyalty"))
    assert result.rows_accepted == 1
    assert result.notes == ["tx.csv: passed over columns that the portfolio does not name: 'loyalty'"]


def test_the_same_bytes_under_two_names(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    first, second = deliver("tx_1.csv", row(1)), deliver("tx_2.csv", row(1))
    result = land_paths(workspace, shop, first, second)
    assert (result.rows_accepted, result.notes) == (1, ["tx_2.csv holds the same bytes as tx_1.csv: read once"])
    before = snapshot(workspace)
    later = land_paths(workspace, shop, second)
    assert later.notes == ["tx_2.csv holds the bytes of tx_1.csv, landed before"]
    assert snapshot(workspace) == before


# -- Parquet -----------------------------------------------------------------------------------------------


def _table(**columns: Any) -> pa.Table:
    moment = datetime(2026, 3, 5, 10, tzinfo=UTC)
    usual = {
        "id": ["1", "2"], "time": pa.array([moment] * 2), "amount": [12.5, 12.5], "customer_id": ["c1", "c1"],
        "card_number": [None, None], "customer_name": ["Jo", "Jo"], "channel": ["online", "online"],
        "distance": [1.5, 1.5], "contactless": [True, True],
    }  # fmt: skip
    return pa.table({**usual, **columns})


_MOMENT = datetime.fromisoformat("2026-03-05T10:00:00")
_OTHER_TYPES: dict[str, dict[str, Any]] = {
    "text in place of numbers": {"amount": ["12.50", "12.5"], "distance": ["1.5", "1.50"]},
    "numbers in place of text": {"id": pa.array([1, 2], pa.int64())},
    "unsigned ids": {"id": pa.array([1, 2], pa.uint64())},
    "ids that became floats": {"id": pa.array([1.0, 2.0])},
    "decimals": {"amount": pa.array([Decimal("12.50")] * 2, pa.decimal128(10, 2))},
    "wide decimals": {"amount": pa.array([Decimal("12.50")] * 2, pa.decimal256(50, 2))},
    "half floats": {"distance": pa.array([1.5, 1.5], pa.float32()).cast(pa.float16())},
    "seconds": {"time": pa.array([_MOMENT] * 2, pa.timestamp("s", "UTC"))},
    "milliseconds": {"time": pa.array([_MOMENT] * 2, pa.timestamp("ms", "UTC"))},
    "nanoseconds": {"time": pa.array([_MOMENT] * 2, pa.timestamp("ns", "UTC"))},
    "another zone": {"time": pa.array([_MOMENT] * 2, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", "Asia/Tokyo"))},
    "no zone": {"time": pa.array([datetime.fromisoformat("2026-03-05T11:00:00")] * 2, pa.timestamp("us"))},
    "text in place of a time": {"time": ["2026-03-05T10:00:00Z"] * 2},
    "numbers of a dictionary": {"channel": pa.array(["online"] * 2).dictionary_encode()},
    "large text": {"channel": pa.array(["online"] * 2, pa.large_string())},
    "bytes": {"channel": pa.array([b"online"] * 2, pa.binary())},
    "bytes of one length": {"channel": pa.array([b"online"] * 2, pa.binary(6))},
    "numbers for truths": {"contactless": pa.array([1, 1], pa.int8())},
    "text for truths": {"contactless": ["TRUE", "yes"]},
    "nulls only": {"card_number": pa.nulls(2)},
}


@pytest.mark.parametrize("case", _OTHER_TYPES)
def test_a_parquet_file_with(workspace: Workspace, folder: Path, case: str) -> None:
    pq.write_table(_table(**_OTHER_TYPES[case]), folder / "tx.parquet")
    result = land_paths(workspace, _portfolio(format="parquet"), folder / "tx.parquet")
    assert (result.rows_accepted, result.reasons) == (2, {})
    for number, item in enumerate(staged_rows(workspace), start=1):
        assert item["transaction_id"] == str(number)
        assert item["event_time"] == datetime(2026, 3, 5, 10, tzinfo=UTC)
        assert (item["amount"], item["distance"], item["channel"]) == (12.5, 1.5, "online")
        assert item["contactless"] is True


_NO_TYPES: dict[str, tuple[str, Any, str]] = {
    "a list": ("channel", [["a"], ["b"]], "holds list<.*>, where a plain value is expected"),
    "a structure": ("channel", [{"a": 1}, {"a": 2}], "holds struct<.*>, where a plain value"),
    "a duration": ("channel", pa.array([1, 2], pa.duration("s")), r"holds duration\[.*\], where a plain value"),
    "a time for an amount": ("amount", pa.array([_MOMENT] * 2), r"holds timestamp.*, where a number is expected"),
    "a number for a time": ("time", pa.array([1, 2], pa.int64()), "int64, where a timestamp .a number needs 'origin'"),
    "a list for a time": ("time", [[1], [2]], "where a timestamp"),
}


@pytest.mark.parametrize("case", _NO_TYPES)
def test_a_parquet_column_of_which_no_row_could_be_used(workspace: Workspace, folder: Path, case: str) -> None:
    name, values, message = _NO_TYPES[case]
    pq.write_table(_table(**{name: values}), folder / "tx.parquet")
    with pytest.raises(ContractError, match=f"column '{name}'.*{message}") as error:
        land_paths(workspace, _portfolio(format="parquet"), folder / "tx.parquet")
    assert error.value.where == str(folder / "tx.parquet")
    assert error.value.remedy
    assert _data(workspace) == []


def test_values_of_parquet_that_are_none(workspace: Workspace, folder: Path) -> None:
    far = pa.array([2**53, 0], pa.int64()).cast(pa.timestamp("s"))
    bad = pa.array([b"ok", b"\xff\xfe"], pa.binary())
    pq.write_table(_table(time=far, channel=bad), folder / "a.parquet")
    pq.write_table(_table(amount=[float("nan"), float("inf")], channel=["a\0b", "x"]), folder / "b.parquet")
    pq.write_table(_table(time=pa.array([date(2026, 3, 5), None])), folder / "c.parquet")
    portfolio = _portfolio(format="parquet")
    found = []
    for name in "abc":
        land_paths(workspace, portfolio, folder / f"{name}.parquet")
    for item in quarantined(workspace):
        found.append((item["file"], item["line"], item["column"], item["reason"]))
    assert sorted(found) == [
        ("a.parquet", 1, "time", "a time outside of 1900 to 2199"),
        ("a.parquet", 2, "channel", "not utf-8 text"),
        ("b.parquet", 1, "channel", "holds a NUL"),
        ("b.parquet", 2, "amount", "not a finite number"),
        ("c.parquet", 2, "time", "empty"),
    ]


@pytest.mark.parametrize("content", [b"PAR1", _CSV, b"PAR1" + bytes(50) + b"PAR1"])
def test_what_is_no_parquet_file_or_half_of_one(workspace: Workspace, folder: Path, content: bytes) -> None:
    (folder / "tx.parquet").write_bytes(content)
    with pytest.raises(ContractError, match="not a Parquet file, or one that is damaged or not written to its end"):
        land_paths(workspace, _portfolio(format="parquet"), folder / "tx.parquet")


# -- files in the folder -----------------------------------------------------------------------------------


def test_files_that_their_senders_have_not_finished(workspace: Workspace, deliver: Deliver) -> None:
    for name in (".tx_1.csv", "tx_2.csv.part", "tx_3.csv.filepart", "tx_4.csv.TMP", "tx_5.csv~"):
        deliver(name, GOOD)
    with pytest.raises(FraudopsError, match="no file matches"):
        find_files(workspace, make_portfolio())
    deliver("tx_6.csv", GOOD)
    assert [path.name for path in find_files(workspace, make_portfolio()).transactions] == ["tx_6.csv"]
    wanted = make_portfolio(transactions={"path": "*.csv.part", "columns": {"transaction_id": "id"}})
    assert [path.name for path in find_files(workspace, wanted).transactions] == ["tx_2.csv.part"]


@pytest.mark.parametrize("change", ["grows", "is replaced", "is touched", "vanishes"])
def test_a_file_that_changes_while_it_is_read(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path = deliver("tx.csv", *[row(n) for n in range(500)])
    state = path.stat()

    def read_and_change(*arguments: Any) -> Any:
        batches = reading.read_batches(*arguments)
        yield next(batches)
        if change == "grows":
            with path.open("a") as file:
                file.write(row("late"))
        elif change == "is replaced":
            other = path.with_name("other")
            other.write_bytes(path.read_bytes().replace(b"12.50", b"99.50"))
            os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
            other.replace(path)
        elif change == "is touched":
            os.utime(path, ns=(0, 0))
        else:
            path.unlink()
        yield from batches

    monkeypatch.setattr(reading, "_BLOCK", 1_000)
    monkeypatch.setattr("fraudops.intake.row_landing.read_batches", read_and_change)
    with pytest.raises(FraudopsError, match=r"changed while it was read|is gone") as error:
        land_paths(workspace, shop, path)
    # Worth another try, which finds it whole; but not if it is gone.
    assert isinstance(error.value, ContractError) == (change == "vanishes")
    assert error.value.remedy
    assert _data(workspace) == []


_WITHOUT_PERMISSION = """
import os, sys
from pathlib import Path
from types import SimpleNamespace
from fraudops.errors import ContractError
from fraudops.intake.files import find_files
from fraudops.intake.reading import fingerprint
from tests.intake.conftest import make_portfolio
import pyarrow
root = Path(sys.argv[1])
try:
    os.seteuid(65534)
except PermissionError:
    pass
for work in (
    lambda: fingerprint(root / "shop" / "tx.csv"),
    lambda: find_files(SimpleNamespace(landing=root / "closed"), make_portfolio()),
    lambda: find_files(SimpleNamespace(landing=root / "blind"), make_portfolio()),
):
    try:
        work()
        print("read")
    except ContractError as error:
        print(error.what, "|", error.where, "|", error.remedy)
"""


def test_files_and_folders_without_permission() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for folder, mode in (("shop", 0o755), ("closed/shop", 0o600), ("blind/shop", 0o300)):
            place = root / folder
            place.mkdir(parents=True)
            (place / "tx.csv").write_text("secret")
            (place / "tx.csv").chmod(0o600 if folder == "shop" else 0o644)
            place.chmod(mode)
        (root / "shop" / "tx.csv").chmod(0o000)
        found = subprocess.run(
            [sys.executable, "-c", _WITHOUT_PERMISSION, name],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(["include", "."])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        for folder in ("closed/shop", "blind/shop"):
            (root / folder).chmod(0o755)
    right = "give the user that runs fraudops the right to read"
    assert found[0] == f"the file may not be read | {root}/shop/tx.csv | {right} it"
    assert found[1] == f"the folder may not be read | {root}/closed/shop | {right} and to enter it"
    assert found[2] == f"the folder may not be read | {root}/blind/shop | {right} and to enter it"


@pytest.mark.parametrize(
    "name", ["../secret.csv", "../../etc/passwd", "/etc/passwd", "a/../../secret.csv", "out.csv", "loop.csv", "pipe"]
)
def test_names_that_lead_elsewhere(workspace: Workspace, shop: Portfolio, folder: Path, name: str) -> None:
    (workspace.landing / "secret.csv").write_bytes(_CSV)
    (folder / "out.csv").symlink_to(workspace.landing / "secret.csv")
    (folder / "loop.csv").symlink_to("loop.csv")
    os.mkfifo(folder / "pipe")
    with pytest.raises(ContractError, match=r"leads out|leads nowhere|not a regular file") as error:
        named_files(workspace, shop, name)
    assert error.value.remedy


def test_a_pattern_that_climbs() -> None:
    for pattern in ("../*.csv", "x/../../*.csv"):
        with pytest.raises(ValueError, match="leads out of the landing folder"):
            make_portfolio(transactions={"path": pattern})


def test_names_with_the_signs_of_patterns(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    deliver("tx_2026-03-05.csv", GOOD)
    odd = deliver("tx_[0-9]*.csv", row(1))
    assert named_files(workspace, shop, "tx_[0-9]*.csv").transactions == [odd.resolve()]
    with pytest.raises(ContractError, match="there is no"):
        named_files(workspace, shop, "tx_?026*.csv")


@pytest.mark.parametrize("name", ["tx_\n.csv", "tx_\x1b[2J.csv", "tx_\udcff.csv", "tx_\0.csv", "tx_\u202ecsv.exe"])
def test_names_that_cannot_be_shown(workspace: Workspace, folder: Path, name: str) -> None:
    if "\0" not in name:
        (folder / name).write_bytes(_CSV)
        with pytest.raises(ContractError, match="signs that cannot be shown"):
            find_files(workspace, _portfolio())
    with pytest.raises(ContractError, match="signs that cannot be shown") as error:
        named_files(workspace, _portfolio(), name)
    assert str(error.value).isprintable()
    with pytest.raises(FraudopsError, match="no file matches") as listing:
        find_files(workspace, make_portfolio(transactions={"path": "other"}))
    assert str(listing.value).isprintable()


def test_a_name_that_no_file_can_have(workspace: Workspace, shop: Portfolio, folder: Path) -> None:
    with pytest.raises(ContractError, match="leads nowhere"):
        named_files(workspace, shop, "x" * 5_000)


def _data(ws: Workspace) -> list[str]:
    return [name for name in snapshot(ws) if "token_key" not in name and name != "format.json"]


def _shape(text: str) -> str:
    """A reason without its numbers and without what is left out of it."""
    return re.sub(r"\d+", "9", text.partition("…")[0]).strip()


def test_the_documentation_has_every_reason() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "bad-input.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("|")]
    written = {_shape(text) for row in rows for text in re.findall(r"`([^`]+)`", row.split("|")[2])}
    for case, (_, expected) in CASES.items():
        for _, _, reason in expected:
            assert any(_shape(reason).startswith(shape) for shape in written if len(shape) > 4), (case, reason)
