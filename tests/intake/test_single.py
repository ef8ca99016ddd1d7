"""A row that comes alone is typed as its file would be: plain values and odd ones, of every kind of column."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from fraudops.errors import ConfigurationError
from fraudops.intake.batches import Batch, filled
from fraudops.intake.mapping import Mapper
from fraudops.intake.plain import LONGEST
from fraudops.intake.single import LONGEST_ID, Fault, RowReader
from fraudops.intake.tokens import token_of
from fraudops.intake.transaction import Transaction
from fraudops.portfolio import Portfolio, Role, load_all
from hypothesis import example, given, settings
from hypothesis import strategies as st

from .conftest import CARD, COLUMNS, make_portfolio, without_ids

KEYS = (b"t" * 32, b"u" * 32)
SHIPPED = Path(__file__).resolve().parents[2] / "include" / "portfolios"

_ROW = {
    "transaction_id": "T1",
    "event_time": "2026-03-05T10:00:00",
    "amount": 12.5,
    "customer_id": "C1",
    "card_number": CARD,
    "customer_name": "Jo Doe",
    "channel": "online",
    "distance": 3,
    "contactless": True,
}


def with_columns(**columns: dict[str, Any]) -> Portfolio:
    """The small portfolio with some columns otherwise, under its own names."""
    return make_portfolio(columns={**COLUMNS, **columns}, transactions={"path": "*.csv", "missing": ["NA", "-"]})


@cache
def portfolios() -> dict[str, Portfolio]:
    """The shipped ones, and small ones with what those do not have."""
    parts = {"date": "day", "time": "clock"}
    return {
        **load_all(SHIPPED),
        "berlin": with_columns(iban={"role": "account"}, trip={"role": "entity", "join": ["channel", "city"]}),
        "parts": with_columns(event_time={"role": "time", "parts": parts, "timezone": "America/New_York"}),
        "format": with_columns(event_time={"role": "time", "format": "%d/%m/%Y %H:%M", "timezone": "Europe/Berlin"}),
        "months": with_columns(event_time={"role": "time", "origin": "2026-01-01T00:00:00+00:00", "unit": "month"}),
        "comma": make_portfolio(transactions={"path": "*.csv", "decimal": ",", "thousands": "."}),
        "truths": with_columns(contactless={"role": "boolean", "positive": ["ja"], "negative": ["nein"]}),
        "bounded": make_portfolio(start="2026-01-01T00:00:00+00:00", end="2027-01-01T00:00:00+00:00"),
        "no_ids": without_ids(),
    }


@cache
def reader_of(name: str) -> RowReader:
    """A reader of one of them."""
    return RowReader(portfolios()[name], KEYS)


def by_the_batch(reader: RowReader, row: Mapping[str, Any]) -> dict[str, Any] | tuple[str | None, str]:
    """The partition's row, or the reason of its quarantine, had a file said the same."""
    feed = reader.feed
    columns = {name: pa.array([row[name]]) for name in feed.fields if row.get(name) is not None}
    mapped = Mapper(feed, KEYS).map(Batch(filled(columns, feed, 1), np.array([2]), nul=True))
    if mapped.rejected:
        return mapped.rejected[0].column, mapped.rejected[0].reason
    (found,) = mapped.rows.select(feed.stored.names).to_pylist()
    return found


_numbers = st.one_of(
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 2)),
    st.sampled_from(
        ["12.50", "-0", "+7", "1e3", "1.", ".5", "1,5", "1.234,5", "1.234", "$134.09", "12 €", "nan", "inf"]
    ),
    st.sampled_from(["12345678901234567890", "0x1", "1_000", "٣", "9" * 400, -0.0, 1e300, 90071992547409.93]),
)
_texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", " x ", "\tx", "x\u00a0", "\u3000x", "NA", " NA", "-", "a\0b", "Müller & Söhne.", "\x1cx", "|"]
    ),
)
_moments = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat(" ")),
    st.sampled_from(
        [
            "2026-03-05", "2026-03-05T10:00", "2026-03-05T10:00:00Z", "2026-03-05 10:00:00.123456+0100",
            "20260305T100000", "2026-03-29T02:30:00", "2026-10-25T02:30:00", "2026-02-30T10:00:00",
            "2026-03-05T24:00:00", "1899-12-31T23:59:59", "2200-01-01T00:00:00", "2026-03-05T10:00:60Z",
            "2026-03-05T10:00:00+25:00", "2026-W10-4", "05/03/2026 10:00", "29/03/2026 02:30", "5/3/2026 9:05",
            "10:00", "2026-03-05T10:00:00z", "2026-03-05T10:00:00.1234567Z",
        ]
    ),
)  # fmt: skip
_cards = st.sampled_from(
    [CARD, "4111 1111-1111 1111", " " + CARD, "4111111111111112", int(CARD), "411", "٤111111111111111", "0000000000000"]
)
_accounts = st.sampled_from(["DE02 1203 0000 0000 2020 51", "de02120300000000202051", "1/2", "ß" * 5, 12345, "A.B-C/D"])
_truths = st.sampled_from([True, False, 1, 0, 2, 1.0, "1", "1.0", "yes", "No", "ja", "nein", " true ", "fraud", "?"])
_PARTS = st.sampled_from(["2026-03-05", "10:00", "x", "", " y ", None, 7])
"""What a value is put together from."""
_OF_ROLE = {
    Role.TIME: _moments,
    Role.AMOUNT: _numbers,
    Role.NUMBER: _numbers,
    Role.CARD: _cards,
    Role.ACCOUNT: _accounts,
    Role.BOOLEAN: _truths,
    Role.LABEL: _truths,
}


@st.composite
def rows(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A portfolio's name and a row of it: mostly values of the right kind, now and then others."""
    name = draw(st.sampled_from(sorted(portfolios())))
    reader = reader_of(name)
    others = st.one_of(_numbers, _texts, _moments, st.none())
    row = {}
    for field in reader.feed.fields:
        if draw(st.integers(0, 19)) == 0:
            continue
        ours = reader.feed.columns.get(field)
        kind = (
            _PARTS if ours is None else _OF_ROLE.get(ours.role, st.one_of(_texts, st.integers(0, 99), st.floats(0, 9)))
        )
        is_odd = ours is not None and kind is not _truths and draw(st.integers(0, 19)) == 0
        row[field] = draw(others if is_odd else kind)
    return name, row


@given(rows())
@settings(max_examples=120, deadline=None)
@example(("berlin", {**_ROW, "event_time": "2026-10-25T02:30:00"}))
def test_a_row_is_typed_as_its_file_would_be(case: tuple[str, dict[str, Any]]) -> None:
    name, row = case
    reader = reader_of(name)
    found, expected = reader.read(row), by_the_batch(reader, row)
    if isinstance(found, Transaction):
        moment = reader.feed.stored_name(reader.feed.of_role(Role.TIME)[0])
        together = {"transaction_id": found.id, moment: found.time, **found.row}
        assert together == expected
        assert found.amount_minor == expected.get("amount_minor")
        assert list(map(repr, found.row.values())) == [repr(expected[key]) for key in found.row]
    elif isinstance(expected, tuple):
        assert expected in [(fault.column, fault.reason) for fault in found]
    else:
        own = {"longer than 256 characters", "longer than 1,024 characters"}
        assert {fault.reason for fault in found} <= own, (found, expected)


@given(st.lists(rows(), min_size=2, max_size=5))
@settings(max_examples=30, deadline=None)
def test_many_rows_are_read_as_each_of_them(cases: list[tuple[str, dict[str, Any]]]) -> None:
    reader = reader_of(cases[0][0])
    everything = [row for _, row in cases]
    assert reader.read_all(everything) == [reader.read(row) for row in everything]


@pytest.mark.parametrize("name", ["cards", "accounts", "handbook"])
def test_simulated_rows_need_no_second_look(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What costs a hundred times as much must stay rare."""
    monkeypatch.setattr(Mapper, "type_column", None)
    reader = RowReader(load_all(SHIPPED)[name], KEYS)
    given_ = {
        "transaction_id": "00017-X",
        "event_time": "2026-03-05T10:00:00.25Z",
        "amount": "12.50",
        "customer_id": "C-17",
        "terminal_id": 99,
        "card_number": "4111 1111 1111 1111",
        "customer_name": "Zoë Müller",
        "channel": "online",
        "currency": "EUR",
        "account_id": "DE02 1203 0000 0000 2020 51",
        "direction": "in",
        "cash": False,
    }
    found = reader.read({key: value for key, value in given_.items() if key in reader.feed.fields})
    assert isinstance(found, Transaction)
    assert (found.id, found.event_time, found.amount_minor) == ("00017-X", 1_772_704_800_250_000, 1250)
    if name == "cards":
        assert found.row["card_token"] == token_of(CARD, KEYS)
        assert {"customer_name", "card_number", "card_bin"}.isdisjoint(found.row)


@pytest.mark.parametrize(
    ("changed", "column", "reason"),
    [
        ({"amount": None}, "amount", "empty"),
        ({"amount": True}, "amount", "true or false where it is none"),
        ({"amount": -1}, "amount", "below the minimum, 0"),
        ({"customer_id": ["C1"]}, "customer_id", "neither a text nor a number nor true or false"),
        ({"customer_id": {"a": 1}}, "customer_id", "neither a text nor a number nor true or false"),
        ({"channel": "\ud800"}, "channel", "half a character"),
        ({"channel": "x" * (LONGEST + 1)}, "channel", "longer than 1,024 characters"),
        ({"transaction_id": "x" * (LONGEST_ID + 1)}, "transaction_id", "longer than 256 characters"),
        ({"transaction_id": "\t" + "x" * (LONGEST_ID + 1)}, "transaction_id", "longer than 256 characters"),
        ({"customer_name": "Jo\0"}, "customer_name", "holds a NUL"),
        ({"Jo Doe": 1}, None, "columns that the portfolio does not have"),
        ({"amount": 10**400}, "amount", "not a finite number"),
    ],
)
def test_faults_name_the_column_and_nothing_of_the_value(
    changed: dict[str, Any], column: str | None, reason: str
) -> None:
    found = RowReader(make_portfolio(), KEYS).read({**_ROW, **changed})
    assert found == [Fault(column, reason)]
    assert found[0].remedy


def test_every_fault_of_a_row_is_told() -> None:
    found = RowReader(make_portfolio(), KEYS).read({**_ROW, "amount": "much", "event_time": "soon", "customer_id": ""})
    assert isinstance(found, list)
    assert {fault.column for fault in found} == {"amount", "event_time", "customer_id"}


def test_ids_are_needed_where_files_have_none() -> None:
    reader = RowReader(without_ids(), KEYS)
    row = {"event_time": 7, "amount": 1, "V1": 2, "kind": "a"}
    assert reader.read(row) == [Fault("transaction_id", "empty")]
    found = reader.read({**row, "transaction_id": "T1"})
    assert isinstance(found, Transaction)
    assert found.row == {"amount": 1.0, "amount_minor": 100, "V1": 2.0, "kind": "a", "label": None}


def test_places_in_a_file_are_no_times() -> None:
    column = {"role": "time", "rows_per_day": 10, "origin": "2026-01-01T00:00:00+00:00"}
    with pytest.raises(ConfigurationError, match="no time"):
        RowReader(with_columns(event_time=column), KEYS).read(_ROW)


def test_content_is_of_what_a_row_says_not_of_how_it_is_written() -> None:
    reader = RowReader(make_portfolio(), KEYS)
    raw = reader.raw(_ROW)
    assert reader.raw(dict(reversed(_ROW.items()))) == raw
    assert reader.raw({**_ROW, "amount": 13}) != raw
    assert len(reader.content(raw)) == 64
    assert RowReader(make_portfolio(), b"x" * 32).content(raw) != reader.content(raw)
