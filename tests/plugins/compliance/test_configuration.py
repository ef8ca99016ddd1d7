"""The configuration as it is read: defaults filled in, addresses for few, what is wrong with its line."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from fraudops.keeping.configuration import note_configuration
from fraudops.portfolio import Portfolio
from fraudops.settings import Settings
from fraudops.workspace import Workspace

from tests.conftest import CHECKOUT

Visit = Callable[..., TestClient]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A right portfolio and a wrong one."""
    found = tmp_path / "portfolios"
    found.mkdir()
    shutil.copy(CHECKOUT / "include" / "portfolios" / "accounts.yaml", found)
    right = (found / "accounts.yaml").read_text()
    (found / "wrong.yaml").write_text(right.replace("name: accounts", "name: wrong").replace("owner:", "<b>owner</b>:"))
    monkeypatch.setenv("FRAUDOPS_PORTFOLIOS", str(found))
    return found


def test_what_is_wrong_has_its_line_and_what_would_be_right(client: TestClient, folder: Path) -> None:
    line = (folder / "wrong.yaml").read_text().splitlines().index("<b>owner</b>: financial-crime-team") + 1
    for path in ("/configuration", "/configuration/wrong"):
        page = client.get(path).text
        assert f'<td class="number">{line}</td><td class="mono">&lt;b&gt;owner&lt;/b&gt;</td>' in page
        assert "there is no such key" in page
        assert "is required" in page
        assert "problem" in page
    assert client.get("/configuration/nothing").status_code == 404
    assert client.get("/configuration/..%2froles").status_code == 404


def test_defaults_are_filled_in_and_addresses_are_for_few(visit: Visit, folder: Path) -> None:
    seen = visit("a.viewer").get("/configuration/accounts").text
    assert "warn_after: PT1H" in seen or "warn_after" in seen
    assert "bsa-officer" not in seen
    assert "…@bank.example" in seen
    assert "bsa-officer@bank.example" in visit("officer").get("/configuration/accounts").text
    assert ">officer<" not in visit("a.viewer").get("/configuration").text.split('id="roles"')[1]
    assert ">officer<" in visit("admin").get("/configuration").text.split('id="roles"')[1]


def test_when_it_changed_with_the_digest_of_the_ledger(
    client: TestClient, folder: Path, workspace: Workspace, portfolios: dict[str, Portfolio]
) -> None:
    assert "No run has seen it yet" in client.get("/configuration").text
    note_configuration(workspace, portfolios["accounts"], Settings.from_environment(), actor="service:ingest")
    page = client.get("/configuration/accounts").text
    digest = page.split('digest <span class="mono">')[1].split("…")[0]
    assert page.count(f"{digest}…") == 2, "the file's, and the ledger's of the same content"
    assert "seen for the first time" in page
