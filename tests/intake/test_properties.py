"""Whatever a file holds: rows in = accepted + quarantined + elsewhere, and landing again changes nothing."""

from __future__ import annotations

import csv
import io
import tempfile
from contextlib import suppress
from pathlib import Path

from fraudops.errors import ContractError
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.store import Store
from fraudops.workspace import Workspace
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .conftest import HEADER, make_portfolio, snapshot, without_ids

_SETTINGS = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_NO_IDS_HEADER = "event_time,amount,V1,kind,label"

_times = st.sampled_from(
    [
        "2026-03-05T10:00:00Z",
        "2026-03-05 23:30:00",
        "2026-03-06T00:00:00+01:00",
        "",
        "x",
        "2026-02-30",
        "9999-12-31",
        "1970-01-01T00:00:00Z",
        "2100-01-01",
    ]
)
_numbers = st.one_of(st.floats().map(str), st.integers(-5, 20_000).map(str), st.sampled_from(["", " 7 ", "1e3", "1,5"]))
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), max_size=8)
_cards = st.one_of(st.sampled_from(["4111111111111111", "5500 0000 0000 0004", ""]), _texts)
_rows = st.tuples(
    st.sampled_from(["1", "2", "3", "", "é"]), _times, _numbers, _texts, _cards, _texts, _texts, _numbers,
    st.sampled_from(["true", "0", "", "?"]),
)  # fmt: skip
_ragged = st.lists(_texts, min_size=2, max_size=12).map(tuple)


def _text(header: str, rows: list[tuple[str, ...]]) -> bytes:
    """CSV text; every field quoted, so that what a row holds cannot end it."""
    sink = io.StringIO()
    csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return (header + "\n" + sink.getvalue()).encode()


def _land_twice(workspace: Workspace, content: bytes, ids: bool = True) -> int:
    """Land some bytes in a store of their own, by partition and at once; returns the number of rows."""
    portfolio = make_portfolio() if ids else without_ids()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tx.csv")
        path.write_bytes(content)
        ws = Workspace(**{**vars(workspace), "store": Store(Path(folder, "store"))})
        first = land(ws, portfolio, FeedFiles([path]), last="2026-03-04")
        second = land(ws, portfolio, FeedFiles([path]))
        before = snapshot(ws)
        third = land(ws, portfolio, FeedFiles([path]))
        assert snapshot(ws) == before
        for result in (first, second, third):
            assert result.rows_read == result.rows_accepted + result.rows_quarantined + result.rows_elsewhere
            assert result.rows_read == second.rows_read
        assert (second.rows_accepted, second.rows_elsewhere) == (third.rows_accepted, 0)
        stored = 0
        for key in second.keys:
            manifest = ws.store.staged("transactions", portfolio.name, key)
            assert manifest is not None
            ids_stored = ws.store.read(manifest)["transaction_id"].to_pylist()
            assert len(ids_stored) == len(set(ids_stored))
            stored += len(ids_stored)
        assert stored == second.rows_accepted
        return second.rows_read


_EARLY = ("1", "1970-01-01T00:00:00Z", "0.0", "", "4111111111111111", "", "", "0.0", "true")
_ASKED_LATER = ("1", "2026-03-05T10:00:00Z", "0.0", "", "4111111111111111", "", "", "0.0", "true")


@_SETTINGS
@given(st.lists(st.one_of(_rows, _ragged), min_size=1, max_size=25))
@example([("", ""), ("", ""), _EARLY, _ASKED_LATER])
def test_every_row_is_somewhere(workspace: Workspace, rows: list[tuple[str, ...]]) -> None:
    assert _land_twice(workspace, _text(HEADER, rows)) == len(rows)


@_SETTINGS
@given(
    st.lists(
        st.tuples(st.integers(-5, 200_000).map(str), _numbers, _numbers, _texts, st.sampled_from(["0", "1", ""])),
        min_size=1,
        max_size=25,
    )
)
def test_every_row_without_an_id_is_somewhere(workspace: Workspace, rows: list[tuple[str, ...]]) -> None:
    assert _land_twice(workspace, _text(_NO_IDS_HEADER, rows), ids=False) == len(rows)


@_SETTINGS
@given(st.binary(max_size=300))
def test_any_bytes_are_landed_or_refused(workspace: Workspace, content: bytes) -> None:
    for header in (b"", HEADER.encode() + b"\n"):
        with suppress(ContractError):
            _land_twice(workspace, header + content)
