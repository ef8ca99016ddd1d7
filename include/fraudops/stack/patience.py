"""How long parts that are starting are waited for: as long as they get on with it.

On a busy machine a start takes many times as long as on a quiet one. What tells a slow part from one that is stuck is
whether it uses the processor.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

import psutil

STUCK_AFTER = 120.0
"""Seconds in which the parts that are awaited neither became healthy nor used the processor to speak of."""
LIMIT = 900.0
"""Seconds after which a part that is busy, but never becomes healthy, is given up."""
_TOLD_EVERY = 30.0
_AT_WORK = 1.0
"""Seconds of processor time that count as getting on; a part that only asks every second whether it may begin needs
as much in minutes."""


class Patience:
    """With a set of parts that are not healthy yet.

    Parameters
    ----------
    now
        Seconds on any clock that only goes forward; so everywhere here.
    """

    def __init__(self, now: float) -> None:
        self._began = self._moved = self._told = now
        self._unwell: frozenset[str] = frozenset()
        self._worked = 0.0

    def observe(self, now: float, unwell: Iterable[str], worked: float) -> None:
        """Take note of which parts are not healthy, and of the processor time that all parts have used, in seconds."""
        found = frozenset(unwell)
        if found != self._unwell or worked - self._worked >= _AT_WORK:
            self._moved, self._unwell, self._worked = now, found, worked

    def lost(self, now: float) -> str | None:
        """Why waiting on makes no sense; None while it does."""
        waited = now - self._began
        if waited > LIMIT:
            return f"did not become healthy within {waited:.0f} s, though it was at work"
        if now - self._moved > STUCK_AFTER:
            return f"did not become healthy within {waited:.0f} s, and has done nothing for {STUCK_AFTER:.0f} s"
        return None

    def news(self, now: float) -> str | None:
        """What to tell the person who waits, now and then."""
        if now - self._told < _TOLD_EVERY:
            return None
        self._told = now
        load = psutil.getloadavg()[0] / (psutil.cpu_count() or 1)
        busy = f"; the machine is busy ({load:.1f} processes for each core)" if load > 2 else ""
        return f"still waiting for {', '.join(sorted(self._unwell))} after {now - self._began:.0f} s{busy}"


def processor_seconds(pids: Iterable[int]) -> float:
    """Processor time that processes have used, and those of their children that have ended."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            # Not children at work: finding them means looking through all processes of the machine.
            total += sum(psutil.Process(pid).cpu_times()[:4])
    return total
