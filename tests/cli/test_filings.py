"""``fraudops filings``, as a compliance officer types it: from a case that was escalated to a report that was filed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fraudops.cli.main import app
from typer.testing import CliRunner

from tests.conftest import CHECKOUT
from tests.filings.conftest import Bank, bank

__all__ = ["bank"]

TODAY = datetime.now(UTC).date()


@pytest.fixture
def installation(bank: Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bank:
    """A case whose day of detection is a fortnight ago, in an installation that commands find."""
    (tmp_path / "roles.yaml").write_text("users:\n  olga: [compliance_officer]\n  ann: [investigator]\n")
    for name, value in (
        ("DATABASE_URL", bank.ws.database_url),
        ("STORE", str(bank.root)),
        ("PORTFOLIOS", str(CHECKOUT / "include" / "portfolios")),
        ("ROLES", str(tmp_path / "roles.yaml")),
        ("TOKEN_KEY", bank.ws.token_key.hex()),
        ("LEDGER_KEY", bank.ws.ledger_key.hex()),
        ("PROTECTION_KEY", (bank.ws.protection_key or b"").hex()),
    ):
        monkeypatch.setenv(f"FRAUDOPS_{name}", value)
    bank.escalate(bank.case(state="escalated"), str(TODAY - timedelta(days=14)), str(TODAY - timedelta(days=13)))
    return bank


def _run(*arguments: str, by: str = "olga", code: int = 0) -> str:
    result = CliRunner().invoke(app, ["filings", *arguments, "--by", by], env={"COLUMNS": "200"})
    assert result.exit_code == code, (result.output, result.exception)
    return result.output if code == 0 else str(result.exception)


def test_from_an_escalated_case_to_a_filed_report(installation: Bank) -> None:
    listed = _run("list")
    assert "suspicious activity" in listed
    assert "accounts-17" in listed
    assert re.search(r"1[67] days left", listed)
    (number,) = map(str, installation.numbers("sar"))
    moved = _run("amend", number, "--detected-on", str(TODAY - timedelta(days=12)), "-r", "a letter was misread")
    assert f"is due on {TODAY + timedelta(days=18)}" in moved
    shown = _run("show", number)
    assert "first last day" in shown
    assert "a letter was misread" in shown
    said = _run("filed", number, "--on", str(TODAY - timedelta(days=1)), "--reference", "31000123")
    assert f"recorded as filed on {TODAY - timedelta(days=1)}, in time" in said
    assert f"is due on {TODAY + timedelta(days=119)}" in said
    assert "31000123" in _run("list", "--all")
    follow = str(installation.numbers("sar_continuing")[0])
    _run("not-required", follow, "--reason", "no activity since")
    assert _run("list") == "No clocks.\n"
    assert _run("list", "--missed") == "No clocks.\n"


def test_it_is_for_compliance_officers(installation: Bank) -> None:
    for arguments in (("list",), ("show", "1"), ("draft", "1", "--out", "x")):
        assert "role compliance_officer" in _run(*arguments, by="ann", code=1)


def test_days_that_have_passed_are_seen_as_they_were(installation: Bank) -> None:
    _run("list")
    number = str(installation.numbers("sar")[0])
    assert "9 days over" in _run("show", number, "--as-of", str(TODAY + timedelta(days=25)))
    assert "missed" in _run("list", "--missed", "--as-of", str(TODAY + timedelta(days=25)))
