"""``fraudops keys``: each key is changed where somebody has added a new one."""

from __future__ import annotations

import pytest
from fraudops.cli.keys import app
from fraudops.errors import ContractError, IntegrityError
from fraudops.keeping.rotation.protected import AREAS
from fraudops.protection import decrypt, encrypt
from fraudops.workspace import Workspace
from typer.testing import CliRunner

NEW = b"n" * 32
KINDS = {"token": b"t" * 32, "ledger": b"l" * 32, "protection": b"p" * 32}


@pytest.fixture(autouse=True)
def _environment(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STATE", str(workspace.landing.parent))
    for kind, key in KINDS.items():
        monkeypatch.setenv(f"FRAUDOPS_{kind.upper()}_KEY", key.hex())


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def _states() -> list[str]:
    lines = _run("show").splitlines()
    return [state for line in lines for state in ("in use", "earlier", "waits") if f"│ {state}" in line]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_new_key_it_is_said_how_to_give_one(kind: str) -> None:
    with pytest.raises(ContractError, match=f"FRAUDOPS_{kind.upper()}_KEY: there is no new key → add one"):
        _run("rotate", kind, "--yes")
    assert _states() == ["in use"] * 3


@pytest.mark.parametrize("kind", ["ledger", "protection"])
def test_a_key_waits_is_changed_and_is_in_use(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"FRAUDOPS_{kind.upper()}_KEY", f"{KINDS[kind].hex()},{NEW.hex()}")
    assert sorted(_states()) == ["in use", "in use", "in use", "waits"]
    _run("rotate", kind, "--yes")
    assert sorted(_states()) == ["earlier", "in use", "in use", "in use"]
    with pytest.raises(ContractError, match="there is no new key"):
        _run("rotate", kind, "--yes")


def test_what_is_encrypted_needs_the_new_key_alone_afterwards(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [
        workspace.store.put(encrypt(workspace, area.encode()), area, "cards", "one", f"{area}.fernet") for area in AREAS
    ]
    monkeypatch.setenv("FRAUDOPS_PROTECTION_KEY", f"{KINDS['protection'].hex()},{NEW.hex()}")
    assert "2 files are encrypted anew" in _run("rotate", "protection", "--yes")
    new = Workspace(**{**vars(workspace), "protection_key": NEW})
    for area, path in zip(AREAS, paths, strict=True):
        assert decrypt(new, path.read_bytes(), "here") == area.encode()
        with pytest.raises(IntegrityError, match="another key"):
            decrypt(workspace, path.read_bytes(), "here")
