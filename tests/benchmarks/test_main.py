"""The command: what it writes and prints, and what it says without data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks.rows import Conditions, Row, Suite

ROW = {"name", "ours", "reference", "ratio", "unit", "goal", "met"}


def run(output: Path, *arguments: str) -> dict[str, Any]:
    command.main([*arguments, "--output", str(output)])
    found: dict[str, Any] = json.loads(output.read_text())
    return found


def suite(*rows: Row) -> dict[str, Suite]:
    return {"one": Suite("one", ("first",), lambda conditions: rows)}


def test_without_data_every_row_is_there_skipped_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("FRAUDOPS_DATA", raising=False)
    # Those that make up their data themselves.
    for suite in ("cards", "single", "online", "serving", "rules", "ledger", "pages"):
        monkeypatch.delitem(command.SUITES, suite)
    found = run(tmp_path / "results" / "latest.json", "--quick")
    assert len(found["rows"]) == 13
    for row in found["rows"]:
        assert row.keys() >= ROW
        assert row["met"] is None
        assert "FRAUDOPS_DATA" in row["skipped"]
    assert capsys.readouterr().out.count("skipped: FRAUDOPS_DATA") == 13


def test_a_folder_without_the_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDOPS_DATA", str(tmp_path))
    found = run(tmp_path / "latest.json", "--only", "ingest")
    assert {row["skipped"].split(" is not")[0] for row in found["rows"]} == {"ulb_creditcard.csv.gz"}


def test_the_header_says_what_was_measured_where_and_whether_in_a_hurry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Any
) -> None:
    seen: list[Conditions] = []

    def measure(conditions: Conditions) -> list[Row]:
        seen.append(conditions)
        return [Row("first", unit="CPU s", ours=1.23456, reference=12.0, ratio=9.72, goal="at least 9", met=True)]

    monkeypatch.setenv("FRAUDOPS_DATA", str(data(100)))
    monkeypatch.setattr(command, "SUITES", {"one": Suite("one", ("first",), measure)})
    found = run(tmp_path / "latest.json", "--quick")
    assert (seen[0].quick, found["header"]["quick"]) == (True, True)
    assert set(found["header"]) >= {"date", "cores", "versions", "data", "load_before", "load_after"}
    assert len(found["header"]["data"]["ulb_creditcard.csv.gz"]) == 64
    assert found["header"]["versions"]["pyarrow"]
    assert found["rows"][0] | {"ours": 1.2346} == found["rows"][0]
    found = run(tmp_path / "latest.json")
    assert (seen[1].quick, found["header"]["quick"]) == (False, False)


@pytest.mark.parametrize(("met", "shown"), [(True, "yes"), (False, "no"), (None, "")])
def test_the_table_says_whether_a_goal_is_met(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], met: bool | None, shown: str
) -> None:
    monkeypatch.setattr(command, "SUITES", suite(Row("first", unit="MB", ours=700.0, goal="under 600", met=met)))
    run(tmp_path / "latest.json")
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "first" in line)
    assert [cell.strip() for cell in line.strip("│").split("│")] == ["first", "700", "", "", "MB", "under 600", shown]
