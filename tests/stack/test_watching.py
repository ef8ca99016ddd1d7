"""What the watchdog decides: what it starts again, when, and when it gives up. The real one is in ``test_stack``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fraudops.errors import FraudopsError
from fraudops.stack import watching
from fraudops.stack.folder import StackFolder
from fraudops.stack.lifecycle import UpResult


class Told:
    """A stack that does what it is told; when its story is over its folder is gone."""

    def __init__(self, folder: StackFolder, story: list[dict[str, Any]]) -> None:
        self.folder = folder
        self.story = story
        self.ups = 0
        folder.create()
        folder.record.touch()

    def _now(self) -> dict[str, Any]:
        if not self.story:
            self.folder.record.unlink(missing_ok=True)
            return {}
        return self.story[0]

    def dead(self) -> set[str]:
        now = self._now()
        if self.story and "up" not in now:
            self.story.pop(0)
        return set(now.get("dead", ()))

    def unwell(self) -> set[str]:
        return {"scheduler"}

    def up(self, tell: Any) -> UpResult:
        self.ups += 1
        outcome = self.story.pop(0)["up"] if self.story else None
        if isinstance(outcome, Exception):
            raise outcome
        return UpResult("", ("scheduler",), True, 0.1)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that it would have waited."""
    found: list[float] = []
    monkeypatch.setattr(watching.time, "sleep", found.append)
    return found


def test_nothing_is_started_where_all_runs(tmp_path: Path, pauses: list[float]) -> None:
    stack = Told(StackFolder(tmp_path / "stack"), [{} for _ in range(25)])
    watching.watch(stack)  # type: ignore[arg-type]
    # Unwell all the time, but not for long.
    assert stack.ups == 0


def test_it_tries_until_it_succeeds_and_waits_longer_each_time(tmp_path: Path, pauses: list[float]) -> None:
    failure = FraudopsError("the scheduler ended while it was starting")
    story: list[dict[str, Any]] = [{}, {"dead": ["scheduler"]}, *({"up": failure} for _ in range(9)), {"up": None}]
    stack = Told(StackFolder(tmp_path / "stack"), story)
    watching.watch(stack)  # type: ignore[arg-type]
    assert stack.ups == 10
    tries = pauses[2:11]
    assert tries == [2, 4, 8, 16, 32, 64, 128, 256, 300]


def test_what_is_unwell_for_long_is_replaced(
    tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_PATIENCE", -1.0)
    stack = Told(StackFolder(tmp_path / "stack"), [*({} for _ in range(10)), {"up": None}])
    watching.watch(stack)  # type: ignore[arg-type]
    assert stack.ups == 1


def test_it_ends_with_the_stack_s_folder(tmp_path: Path, pauses: list[float]) -> None:
    stack = Told(StackFolder(tmp_path / "stack"), [])
    stack.folder.record.unlink()
    watching.watch(stack)  # type: ignore[arg-type]
    assert pauses == []
