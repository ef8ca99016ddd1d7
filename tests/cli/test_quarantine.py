"""``fraudops quarantine``: what was rejected, why, and what to do."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fraudops.cli.main import app
from fraudops.errors import ContractError
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.workspace import Workspace
from typer.testing import CliRunner

from tests.intake.conftest import HEADER, make_portfolio, row

EVIL = "=cmd|'/C calc'!A1"


@pytest.fixture
def say(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command on the installation and returns what it prints."""
    monkeypatch.setenv("FRAUDOPS_STORE", str(workspace.store.root))

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, ["quarantine", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.fixture
def landed(workspace: Workspace) -> None:
    """Files of two portfolios; one of the names comes twice, with other bytes."""
    _land(workspace, "shop", "tx_1.csv", row(1), row(2, amount="x", channel="\x1b[2Jon\nline".replace("\n", " ")))
    _land(workspace, "shop", f"{EVIL.replace('/', '_')}.csv", row(3, amount='"1,5"'), row(4, amount="y", channel=EVIL))
    _land(workspace, "shop", "good.csv", row(9))
    for portfolio in ("mall", "kiosk"):
        _land(workspace, portfolio, "tx_2.csv", row(portfolio, amount=""), "broken")


def _land(ws: Workspace, portfolio: str, name: str, *rows: str) -> None:
    folder = ws.landing / portfolio
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([HEADER, *rows, ""]))
    land(ws, make_portfolio(name=portfolio), FeedFiles([folder / name]))


def test_nothing_in_quarantine(say: Callable[..., str]) -> None:
    assert say("list") == "Nothing lies in quarantine.\n"
    assert json.loads(say("list", "--json")) == []


@pytest.mark.usefixtures("landed")
def test_the_list_says_why_and_what_to_do(say: Callable[..., str]) -> None:
    text = say("list")
    assert "tx_1.csv  1 of 2 rows  shop" in text
    assert "1 × amount: not a number\n      → correct the value" in text
    assert "1 × amount: a number with ',' in it\n      → write 'decimal:" in text
    assert "1 × has 1 field, the header has 9" in text
    assert "good.csv" not in text
    assert [item["file"] for item in json.loads(say("list", "--portfolio", "mall", "--json"))] == ["tx_2.csv"]


@pytest.mark.usefixtures("landed")
def test_rows_are_shown_with_line_and_column_and_nothing_personal(say: Callable[..., str]) -> None:
    text = say("show", "tx_1.csv")
    assert "line 3, column amount: not a number" in text
    assert "[masked]" in text
    assert "Jo Doe" not in text
    assert "\x1b" not in text
    assert say("show", "tx_2.csv", "--portfolio", "mall", "--limit", "1").endswith(
        "1 more; see --limit, or fraudops quarantine export\n"
    )
    assert "line" not in say("show", "tx_1.csv", "--column", "channel")
    (found,) = json.loads(say("show", "tx_1.csv", "--json"))
    assert (found["line"], found["column"], found["partition"]) == (3, "amount", "2026-03-05")
    assert say("show", found["digest"][:8]) == text


@pytest.mark.usefixtures("landed", "say")
def test_a_name_that_fits_several_files_or_none() -> None:
    with pytest.raises(ContractError, match=r"2 files 'tx_2\.csv': [0-9a-f]{16} \(kiosk\), [0-9a-f]{16} \(mall\)"):
        CliRunner().invoke(app, ["quarantine", "show", "tx_2.csv"], catch_exceptions=False)
    with pytest.raises(ContractError, match=r"no rows of 'good\.csv'"):
        CliRunner().invoke(app, ["quarantine", "show", "good.csv"], catch_exceptions=False)


@pytest.mark.usefixtures("landed")
def test_the_export_holds_every_row_and_no_formula(say: Callable[..., str], tmp_path: Path) -> None:
    output = tmp_path / "rows.csv"
    assert say("export", "--output", str(output)) == f"7 rows of 4 files: {output}\n"
    with output.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7
    assert list(rows[0]) == [
        "portfolio", "file", "digest", "line", "column", "reason", "what to do", "partition", "row",
    ]  # fmt: skip
    assert {r["file"] for r in rows} == {"tx_1.csv", "tx_2.csv", f"'{EVIL.replace('/', '_')}.csv"}
    assert all(cell == "" or cell[0] not in "=+-@\t\r" for r in rows for cell in r.values())
    assert EVIL in {json.loads(r["row"]).get("channel") for r in rows}
    assert say("export", "tx_1.csv", "-o", str(output)).startswith("1 row of 1 file:")
    with pytest.raises(ContractError, match="cannot be written"):
        say("export", "--output", str(tmp_path / "none" / "rows.csv"))
