from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from fraudops.cli import console
from fraudops.cli.main import COMMANDS, main

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


Fraudops = Callable[..., Answer]


@pytest.fixture
def fraudops(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fraudops:
    """The command line in this process: forty interpreters that import it would take a minute."""
    monkeypatch.setattr(console.err, "_width", 200)

    def run(*arguments: str, state: Path | None = None) -> Answer:
        environment = _environment() | ({} if state is None else {"FRAUDOPS_STATE": str(state)})
        code = 0
        with (
            mock.patch.dict(os.environ, environment, clear=True),
            mock.patch.object(sys, "argv", ["fraudops", *arguments]),
        ):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return Answer(code, *capsys.readouterr())

    return run


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FRAUDOPS_")}
    return kept | {"PYTHONPATH": str(CHECKOUT / "include"), "COLUMNS": "200", "NO_COLOR": "1"}


def _process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=_environment(), check=False)


def test_help_names_every_command_and_imports_none() -> None:
    found = _process("-m", "fraudops", "--help")
    assert found.returncode == 0
    assert all(name in found.stdout for name in COMMANDS)
    code = "import sys, fraudops.cli.main; print([m for m in sys.modules if m.startswith(('pandas', 'fraudops.st'))])"
    assert _process("-c", code).stdout == "[]\n"


def test_a_process_ends_with_the_code_and_without_a_traceback() -> None:
    found = _process("-m", "fraudops", "demo", "--portfolio", "nonsense")
    assert found.returncode == 2
    assert found.stderr.startswith("error: there is no portfolio 'nonsense'")
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_explains_itself(fraudops: Fraudops, command: str) -> None:
    found = fraudops(command, "--help")
    assert found.returncode == 0, found.stderr
    assert f"fraudops {command}" in found.stdout


def test_version_and_unknown_commands(fraudops: Fraudops) -> None:
    assert fraudops("--version").stdout.startswith("fraudops ")
    found = fraudops("nonsense")
    assert found.returncode == 2
    assert "No such command" in found.stderr


def test_an_error_is_a_message_and_no_traceback(fraudops: Fraudops, tmp_path: Path) -> None:
    found = fraudops("demo", "--portfolio", "nonsense", state=tmp_path)
    assert found.returncode == 2
    assert found.stderr.startswith("error: there is no portfolio 'nonsense'")
    assert "what to do: use one of: accounts, cards, handbook, ulb" in found.stderr
    assert "Traceback" not in found.stderr
    file = fraudops("demo", "--portfolio", "ulb", "--file", str(tmp_path / "none.csv"), state=tmp_path)
    assert file.returncode == 2
    assert "there is no such file" in file.stderr


def test_status_of_a_stack_that_does_not_run(fraudops: Fraudops, tmp_path: Path) -> None:
    found = fraudops("status", "--json", state=tmp_path / "the state")
    assert found.returncode == 3
    content = json.loads(found.stdout)
    assert content["running"] is False
    assert content["address"] is None
    assert content["login"] is None
    cards = content["portfolios"]["cards"]
    assert cards["champion"] is None
    assert cards["partitions"] == 0
    assert cards["notices"] == {"sent": None, "waiting": None}
    told = fraudops("status", state=tmp_path / "the state")
    assert told.returncode == 3
    assert "not running: 'make up' starts it" in told.stdout
    assert not (tmp_path / "the state").exists()


def test_down_and_reset_of_nothing_are_harmless(fraudops: Fraudops, tmp_path: Path) -> None:
    assert "nothing of the stack was running" in fraudops("down", state=tmp_path).stdout
    assert fraudops("reset", "--yes", state=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_portfolios_are_listed_and_checked(fraudops: Fraudops, tmp_path: Path) -> None:
    listed = fraudops("portfolio", "list")
    assert all(name in listed.stdout for name in ("cards", "ulb", "handbook"))
    cards = CHECKOUT / "include" / "portfolios" / "cards.yaml"
    good = fraudops("portfolio", "check", str(cards))
    assert good.returncode == 0
    assert "card: card_number" in good.stdout
    bad = tmp_path / "cards.yaml"
    bad.write_text(cards.read_text().replace("minor_digits: 2", "minor_digit: 2"))
    found = fraudops("portfolio", "check", str(cards), str(bad))
    assert found.returncode == 2
    assert "minor_digit" in found.stderr
    assert str(bad) in found.stderr
