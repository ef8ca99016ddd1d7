"""The watchdog of the local stack: whatever dies is started again, so that a night needs nobody.

It looks whether each part runs, now and then whether it is well, and does what ``fraudops up`` does where one is
not. ``fraudops down`` ends the watchdog first. A stack in containers has the restart policy of its runtime instead.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fraudops.errors import FraudopsError
from fraudops.settings import Settings
from fraudops.stack.environment import fraudops_variables
from fraudops.stack.folder import StackFolder
from fraudops.stack.processes import PART_VARIABLE, STACK_VARIABLE, end, members, spawn
from fraudops.stack.secrets import Secrets

if TYPE_CHECKING:
    from fraudops.stack.lifecycle import Stack

WATCHDOG = "watchdog"

_PAUSE = 2.0
"""Seconds between two looks."""
_LOOKS = 10
"""Every so many looks the parts are asked how they are."""
_PATIENCE = 300.0
"""Seconds that a part which runs but is not well has to recover: on a busy machine heartbeats come late."""
_LONGEST = 300.0
"""Most seconds between two attempts to start what does not start."""


def start_watchdog(settings: Settings, secrets: Secrets, address: str) -> None:
    """Start the watchdog of a stack, unless it has one."""
    folder = StackFolder.of(settings)
    if members(folder.identity, [WATCHDOG]):
        return
    include = str(settings.home.absolute() / "include")
    # The caller's environment, not that of the parts: from it theirs is made again.
    environment = os.environ | fraudops_variables(settings, secrets, address)
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, [include, os.environ.get("PYTHONPATH", "")])),
        "PYTHONUNBUFFERED": "1",
        STACK_VARIABLE: folder.identity,
        PART_VARIABLE: WATCHDOG,
    }
    spawn(
        [sys.executable, "-m", "fraudops.stack.watchdog"],
        environment=environment,
        log=folder.logs / f"{WATCHDOG}.log",
        folder=settings.home,
    )


def end_watchdog(folder: StackFolder) -> int:
    """End the watchdog before anything else is ended; returns how many processes there were."""
    return end(folder.identity, [WATCHDOG])


def watch(stack: Stack) -> None:
    """Start again whatever of a stack is dead, until it is ended or its folder is gone."""
    unwell_since: dict[str, float] = {}
    look = 0
    while stack.folder.record.exists():
        time.sleep(_PAUSE)
        look += 1
        dead = stack.dead()
        if not dead and look % _LOOKS == 0:
            now = time.monotonic()
            unwell_since = {part: unwell_since.get(part, now) for part in stack.unwell()}
            dead = {part for part, since in unwell_since.items() if now - since > _PATIENCE}
        if dead:
            _say(f"{', '.join(sorted(dead))} died or does not answer: starting what is missing")
            _repair(stack)
            unwell_since = {}


def _repair(stack: Stack) -> None:
    """Try until everything runs."""
    pause = _PAUSE
    while stack.folder.record.exists():
        try:
            result = stack.up(_say)
        except FraudopsError as error:
            _say(f"{error}\ntrying again in {pause:.0f} s")
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
        else:
            _say(f"started {', '.join(result.started) or 'nothing: all of it runs'} in {result.seconds:.0f} s")
            return


def _say(sentence: str) -> None:
    sys.stdout.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {sentence}\n")


if __name__ == "__main__":
    from fraudops.stack.lifecycle import Stack

    watch(Stack(Settings.from_environment(), watched=False))
