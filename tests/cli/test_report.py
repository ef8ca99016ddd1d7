"""``fraudops report``, as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from fraudops.cli.main import app
from fraudops.errors import ContractError
from typer.testing import CliRunner

from tests.conftest import CHECKOUT
from tests.keeping.conftest import Shop, _model_shop, portfolio_of, shop

__all__ = ["_model_shop", "shop"]


@pytest.fixture
def installation(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    folder = tmp_path / "portfolios"
    folder.mkdir()
    content = portfolio_of(start="2026-03-01T00:00:00+00:00", end="2026-03-09T00:00:00+00:00").model_dump(mode="json")
    (folder / "shop.yaml").write_text(yaml.safe_dump(content))
    for name, value in {
        "DATABASE_URL": shop.ws.database_url,
        "STORE": str(shop.ws.store.root),
        "PORTFOLIOS": str(folder),
        "RULES": str(CHECKOUT / "include" / "rules"),
        "TOKEN_KEY": shop.ws.token_key.hex(),
        "LEDGER_KEY": shop.ws.ledger_key.hex(),
    }.items():
        monkeypatch.setenv(f"FRAUDOPS_{name}", value)
    return shop


def test_a_pack_is_made_shown_and_listed(installation: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    first = CliRunner().invoke(app, ["report", "monthly", "2026-03", "-p", "shop", "--json", "--open"])
    assert first.exit_code == 0, first.output
    found = json.loads(first.output)
    assert (found["state"], found["notices"]) == ("made", 1)
    assert opened == [(Path(str(installation.ws.store.root)) / found["path"] / "index.html").as_uri()]
    again = CliRunner().invoke(app, ["report", "monthly", "2026-03", "-p", "shop"])
    assert "was there: the same bytes" in again.output
    listed = CliRunner().invoke(app, ["report", "list", "-p", "shop"])
    assert "2026-04-01 00:00 UTC" in listed.output
    wrong = CliRunner().invoke(app, ["report", "monthly", "2026-03", "-p", "shop", "--as-of", "soon"])
    assert isinstance(wrong.exception, ContractError)
