"""Waits for files in the triggerer: no worker slot is taken while nothing comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from fraudops.intake.folder import Settling, look


class LandingTrigger(BaseTrigger):
    """Fires with the files of a landing folder that have arrived or changed, once they have settled.

    It looks at names, sizes and times of writing, opens nothing, deletes nothing, and may be started anew at any
    moment, in any triggerer that sees the folder.

    Parameters
    ----------
    folder, patterns
        Where to look, and for what.
    known
        Path below the folder → size and time of writing of the files with which there is nothing to do.
    every, settle
        Seconds between two looks; seconds without a change after which a file is ready.
    lasts
        Seconds after which it fires with no files: whoever waits then looks at the configuration anew.
    """

    def __init__(
        self, folder: str, patterns: list[str], known: dict[str, list[int]], every: float, settle: float, lasts: float
    ) -> None:
        super().__init__()
        self.folder, self.patterns, self.known = folder, patterns, known
        self.every, self.settle, self.lasts = every, settle, lasts

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer needs to take over."""
        names = ("folder", "patterns", "known", "every", "settle", "lasts")
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event."""
        marks = {name: (size, modified) for name, (size, modified) in self.known.items()}
        settling, end = Settling(marks, self.settle), time.monotonic() + self.lasts
        ready: list[str] = []
        while not ready and time.monotonic() < end:
            seen = await asyncio.to_thread(look, Path(self.folder), self.patterns)
            ready = settling.ready(seen, time.monotonic())
            if not ready:
                await asyncio.sleep(self.every)
        yield TriggerEvent({"files": ready})
