"""The command ``fraudops roles``."""

from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.cli import roles
from typer.testing import CliRunner, Result

OFFICERS = "users: {vera: [model_validator, compliance_officer], otto: [model_validator, compliance_officer]}"


def _run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, *arguments: str) -> Result:
    file = tmp_path / "roles.yaml"
    file.write_text(text)
    monkeypatch.setenv("FRAUDOPS_ROLES", str(file))
    return CliRunner().invoke(roles.app, arguments, env={"COLUMNS": "200"}, catch_exceptions=False)


def test_users_are_listed_with_what_they_decide_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = _run(monkeypatch, tmp_path, "users: {vera: [model_validator], dana: [data_scientist]}", "list")
    vera, dana = (next(line for line in found.output.splitlines() if name in line) for name in ("vera", "dana"))
    assert "cards, handbook, ulb" in vera
    assert "cards" not in dana


def test_each_portfolio_has_somebody_who_may(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = _run(monkeypatch, tmp_path, OFFICERS, "check")
    assert (found.exit_code, "cards: vera, otto" in found.output) == (0, True)
    assert "alone" not in found.output


def test_one_approver_alone_is_remarked_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = _run(monkeypatch, tmp_path, "users: {vera: [model_validator]}", "check")
    assert (found.exit_code, "a training that vera asks for can be approved by nobody" in found.output) == (0, True)


def test_who_closes_cases_that_take_two_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "second pair of eyes: vera, otto" in _run(monkeypatch, tmp_path, OFFICERS, "check").output
    text = "users: {vera: [model_validator, compliance_officer]}"
    assert "what vera proposes can be approved by nobody" in _run(monkeypatch, tmp_path, text, "check").output
    text = "users: {vera: [model_validator], ann: [investigator]}"
    assert "can be closed by nobody" in _run(monkeypatch, tmp_path, text, "check").output


def test_where_nobody_may_the_check_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = _run(monkeypatch, tmp_path, "users: {dana: [data_scientist]}", "check")
    assert found.exit_code == 1
    assert "nobody may decide: no user has the role model_validator" in found.output
