"""An investigator's day on a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fraudops import cases
from fraudops.cli.main import app
from fraudops.errors import ContractError
from typer.testing import CliRunner, Result

from tests.cases.conftest import ROLES, Desk, alerted, alerted_once, desk

__all__ = ["alerted", "alerted_once", "desk"]


@pytest.fixture
def terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Desk:
    roles = tmp_path / "roles.yaml"
    roles.write_text("users:\n" + "".join(f"  {name}: [{', '.join(one.roles)}]\n" for name, one in ROLES.users.items()))
    for name, value in {
        "FRAUDOPS_STORE": str(desk.ws.store.root),
        "FRAUDOPS_LANDING": str(desk.ws.landing),
        "FRAUDOPS_DATABASE_URL": desk.ws.database_url,
        "FRAUDOPS_TOKEN_KEY": desk.ws.token_key.hex(),
        "FRAUDOPS_LEDGER_KEY": desk.ws.ledger_key.hex(),
        "FRAUDOPS_PROTECTION_KEY": (desk.ws.protection_key or b"").hex(),
        "FRAUDOPS_ROLES": str(roles),
    }.items():
        monkeypatch.setenv(name, value)
    return desk


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["cases", *words])


def told(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output + str(result.exception)
    return result.output


def refused(*words: str) -> str:
    result = run(*words)
    assert isinstance(result.exception, ContractError), result.output
    return str(result.exception)


def test_a_day_from_the_list_to_a_label(terminal: Desk, tmp_path: Path) -> None:
    assert "cards-1" in told("list")
    assert [one["number"] for one in json.loads(told("list", "--json"))] == [1]
    shown = told("show", "cards-1")
    for words in (
        "customer c0",
        "score 0.990 by v1",
        "990.00 EUR",
        "usual in the 90 days",
        "terminal t1",
        "two people",
    ):
        assert words in shown
    assert "2,360.10" in told("explain-priority", "cards-1")
    assert "ann's" in told("start", "cards-1", "--by", "ann")
    told("note", "cards-1", "called her", "--by", "ann")
    statement = tmp_path / "statement.txt"
    statement.write_text("text")
    told("attach", "cards-1", str(statement), "--by", "ann")
    (file,) = cases_view(terminal).attachments
    told("attachment", "cards-1", file.sha256[:6], "--to", str(tmp_path / "copy.txt"), "--by", "ann")
    assert (tmp_path / "copy.txt").read_text() == "text"
    assert "proposes fraud" in told(
        "close", "cards-1", "fraud", "-r", "not hers", "--except", "2026-03-02-0=insufficient", "--by", "ann"
    )
    assert "cards-1" in told("list", "--proposed")
    closed = told("approve", "cards-1", "--by", "olga")
    assert "closed as fraud" in closed
    assert "dispositions of" in closed
    assert "No cases." in told("list")
    assert "1 × insufficient, by ann" in told("show", "cards-1")
    told("export", "cards-1", "--to", str(tmp_path / "case.json"), "--by", "olga")
    exported = json.loads((tmp_path / "case.json").read_text())
    assert exported["case"]["finding"] == "fraud"
    assert (tmp_path / "case.json").stat().st_mode & 0o777 == 0o600
    assert "1 closed (1 as fraud)" in told("statistics", "--from", "2026-03-01", "--to", "2099-01-01")


def cases_view(desk: Desk) -> cases.CaseView:
    with desk.ws.transaction() as session:
        return cases.read(desk.ws, session, desk.portfolio, 1)


def test_what_cannot_be_is_refused_in_words(terminal: Desk, tmp_path: Path) -> None:
    assert "names no case" in refused("show", "cards")
    assert "no case cards-7" in refused("show", "cards-7")
    assert "takes the role" in refused("start", "cards-1", "--by", "dana")
    assert "no state" in refused("list", "--state", "shut")
    told("start", "cards-1", "--by", "ann", "--version", "1")
    assert "ann: assigned" in refused("note", "cards-1", "n", "--by", "bob", "--version", "1")
    assert "not a day" in refused(
        "escalate", "cards-1", "--detected-on", "x", "--no-suspect", "-r", "r", "--by", "olga"
    )
    assert "escalated" in told(
        "escalate", "cards-1", "--detected-on", "2026-03-03", "--suspect", "-r", "mule", "--by", "olga"
    )
    (tmp_path / "there.json").write_text("")
    assert "file of this name" in refused("export", "cards-1", "--to", str(tmp_path / "there.json"), "--by", "ann")
