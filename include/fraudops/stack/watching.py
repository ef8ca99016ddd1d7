"""The watchdog's own process: it looks whether each part of the stack runs, and starts again what does not.

Now and then it asks whether the parts are well, and does what ``fraudops up`` does where one is not.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from fraudops.errors import FraudopsError
from fraudops.settings import Settings
from fraudops.stack.lifecycle import Stack

_PAUSE = 2.0
"""Seconds between two looks."""
_LOOKS = 10
"""Every so many looks the parts are asked how they are."""
_PATIENCE = 300.0
"""Seconds that a part which runs but is not well has to recover: on a busy machine heartbeats come late."""
_LONGEST = 300.0
"""Most seconds between two attempts to start what does not start."""


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
    watch(Stack(Settings.from_environment(), watched=False))
