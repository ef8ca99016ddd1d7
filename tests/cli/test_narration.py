from __future__ import annotations

import io

import pytest
from fraudops.cli import narration
from fraudops.cli.narration import Narration
from rich.console import Console


def test_plain_lines_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narration, "_QUIET", -1)
    text = io.StringIO()
    shown = Narration(Console(file=text, width=80))
    with shown.phase("Train"):
        shown.now("forest [1]")
        shown.found("[bold] is no markup here")
    assert text.getvalue() == "Train …\n    … forest [1]\n    [bold] is no markup here\n✓ Train  0 s\n"
    assert list(shown.seconds) == ["Train"]


def test_a_step_that_fails_is_not_ticked_off() -> None:
    text = io.StringIO()
    shown = Narration(Console(file=text))
    with pytest.raises(KeyError), shown.phase("Train"):
        raise KeyError
    assert "✓" not in text.getvalue()


def test_a_terminal_gets_a_spinner() -> None:
    text = io.StringIO()
    shown = Narration(Console(file=text, force_terminal=True, width=60, _environ={}))
    with shown.phase("Train"):
        shown.now("a long sentence about what is going on " * 3)
        shown.found("something")
    assert "something" in text.getvalue()
    assert "Train" in text.getvalue()
