from __future__ import annotations

from pathlib import Path

import pytest
from fraudops.database import LedgerEntry
from fraudops.keeping.configuration import CHANGED, note_configuration
from fraudops.portfolio import Portfolio
from fraudops.settings import Settings
from fraudops.workspace import Workspace
from sqlalchemy import select

INCLUDE = {
    "clocks/cash.yaml": "days: 15",
    "limits/de/cash.yaml": "most: 3",
    "library/__init__.py": "",
    "library/rules/one.py": "one = 1",
    "library/rules/__pycache__/one.pyc": "compiled",
    "library.egg-info/PKG-INFO": "library",
    "portfolios/accounts.yaml": "name: accounts",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two rules, a clock, who is who, a package of code, and a folder of a kind that nobody knows yet."""
    for name, content in INCLUDE.items():
        path = tmp_path / "include" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "rules").mkdir()
    for name in ("one", "two"):
        (tmp_path / "rules" / f"{name}.yaml").write_text(f"id: {name}\n")
    (tmp_path / "roles.yaml").write_text("investigator: [ines]\n")
    return Settings.from_environment(
        {
            "FRAUDOPS_HOME": str(tmp_path),
            "FRAUDOPS_RULES": str(tmp_path / "rules"),
            "FRAUDOPS_ROLES": str(tmp_path / "roles.yaml"),
        }
    )


def _details(ws: Workspace) -> list[tuple[str, list[str], bool]]:
    with ws.transaction() as session:
        entries = session.scalars(
            select(LedgerEntry).where(LedgerEntry.action == CHANGED).order_by(LedgerEntry.number)
        ).all()
    digests = {(entry.subject, entry.details["after"]) for entry in entries}
    linked = [
        entry.details["before"] is None or (entry.subject, entry.details["before"]) in digests for entry in entries
    ]
    return [
        (entry.subject.rpartition("/")[2], entry.details["changed"], link)
        for entry, link in zip(entries, linked, strict=True)
    ]


def test_what_changes_is_entered_once_with_what_was_there_before(
    workspace: Workspace, portfolios: dict[str, Portfolio], settings: Settings
) -> None:
    accounts = portfolios["accounts"]
    first = note_configuration(workspace, accounts, settings, actor="service:accounts_ingest")
    names = ("portfolio", "clocks", "library", "limits", "roles", "rules")
    assert first == [f"accounts/configuration/{name}" for name in names]
    assert note_configuration(workspace, accounts, settings, actor="service:accounts_score") == []
    (settings.rules / "two.yaml").write_text("id: two\nlimit: 3\n")
    (settings.rules / "one.yaml").unlink()
    settings.roles.write_text("investigator: [mallory]\n")
    (settings.clocks / "cash.yaml").write_text("days: 99")
    (settings.home / "include/limits/de/cash.yaml").write_text("most: 4")
    (settings.home / "include/library/rules/one.py").write_text("one = 2")
    other = accounts.model_copy(update={"owner": "somebody.else"})
    for _ in range(2):
        note_configuration(workspace, other, settings, actor="service:accounts_comply")
    assert _details(workspace)[len(names) :] == [
        ("portfolio", ["owner"], True),
        ("clocks", ["cash"], True),
        ("library", ["rules"], True),
        ("limits", ["de/cash"], True),
        ("roles", ["roles"], True),
        ("rules", ["one", "two"], True),
    ]


def test_nothing_of_what_the_files_say_is_in_the_ledger(
    workspace: Workspace, portfolios: dict[str, Portfolio], settings: Settings
) -> None:
    note_configuration(workspace, portfolios["accounts"], settings, actor="a")
    with workspace.transaction() as session:
        text = " ".join(str(entry.details) for entry in session.scalars(select(LedgerEntry)))
    assert "ines" not in text
    assert "@" not in text
