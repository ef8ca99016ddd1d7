"""The files that are measured: what is ten times as long has ten times the partitions, or ten times the rows."""

from __future__ import annotations

from pathlib import Path

from benchmarks.data import denser, longer, unpack
from tests.benchmarks.conftest import Data


def test_a_longer_file_goes_on_after_two_days(data: Data, tmp_path: Path) -> None:
    csv = unpack(data(172_800) / "ulb_creditcard.csv.gz", tmp_path)
    lines = longer(csv, tmp_path / "long.csv", 3).read_text().splitlines()
    rows = csv.read_text().splitlines()[1:]
    assert len(lines) == 1 + 3 * len(rows)
    assert lines[1 : len(rows) + 1] == rows
    for number in (1, 2):
        moment, rest = lines[1 + number * len(rows) + 5].split(",", 1)
        first, same = rows[5].split(",", 1)
        assert (int(moment) - int(first), rest) == (number * 172_800, same)


def test_a_denser_file_repeats_the_rows(data: Data, tmp_path: Path) -> None:
    csv = unpack(data(172_800) / "ulb_creditcard.csv.gz", tmp_path)
    header, *rows = csv.read_text().splitlines()
    assert denser(csv, tmp_path / "dense.csv", 2).read_text().splitlines() == [header, *rows, *rows]
