"""The command ``fraudops sources``."""

from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.cli import sources
from fraudops.errors import ConfigurationError
from fraudops.intake.fetching.watermarks import Watermark, advance, watermark_of
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.workspace import Workspace
from typer.testing import CliRunner, Result

PORTFOLIO = """
name: payments
title: Payments
description: Payments of two systems.
owner: tests
transactions:
  - {name: lake, path: "s3://feed/in/tx_{key}.csv*", connection: bucket}
  - {name: core, table: public.payments, connection: bank, watermark: seq, columns: {event_time: at}}
columns:
  transaction_id: {role: id}
  event_time: {role: time}
  label: {role: label}
labels: {delay: 7d}
training: {candidates: {logistic_regression: {estimator: logistic_regression}}}
notices: {compliance: [c@x.example], data_owner: [d@x.example]}
"""


@pytest.fixture
def installed(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Portfolio:
    """An installation with one portfolio, found through the environment."""
    folder = tmp_path / "portfolios"
    folder.mkdir()
    (folder / "payments.yaml").write_text(PORTFOLIO)
    monkeypatch.setenv("FRAUDOPS_PORTFOLIOS", str(folder))
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(workspace.store.root))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())
    return load_portfolio(folder / "payments.yaml")


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(sources.app, arguments, catch_exceptions=False)


def test_it_shows_how_far_each_source_has_been_read(workspace: Workspace, installed: Portfolio) -> None:
    assert "nothing yet" in _run("show", "-p", "payments").output
    core = installed.transactions[1]
    reached = Watermark(column="seq", value="41017", readings=3)
    advance(workspace, installed, core, reached, rows=5, actor="service:test")
    output = _run("show", "-p", "payments").output
    for text in ("lake", "s3://feed/in/tx_{key}.csv*", "bucket", "core", "public.payments", "bank", "seq", "41017"):
        assert text in output


def test_a_reset_goes_back_to_the_start_and_is_recorded(workspace: Workspace, installed: Portfolio) -> None:
    core = installed.transactions[1]
    reached = Watermark(column="seq", value="41017", readings=3)
    advance(workspace, installed, core, reached, rows=5, actor="service:test")
    output = _run("reset", "core", "-p", "payments", "--reason", "restored").output
    assert "payments_land reads core from the start next time; it had been read up to seq 41017" in output
    assert watermark_of(workspace.store, installed, core) == Watermark(column="seq", readings=3)
    with pytest.raises(ConfigurationError, match=r"'lake' is no source with a watermark.*choose one of core"):
        _run("reset", "lake", "-p", "payments", "--reason", "x")
