"""Waits in the triggerer for notices that cannot wait: no worker's slot is taken while there are none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from fraudops.notices.outbox.urgent import urgent
from fraudops.settings import Settings


class OutboxTrigger(BaseTrigger):
    """Fires with the numbers of urgent notices that wait in the outbox.

    It changes nothing, and may be started anew at any moment. It is given no address of the database, which would be
    stored with it: it reads its own from the environment.

    Parameters
    ----------
    every
        Seconds between two looks.
    lasts
        Seconds after which it fires with none.
    """

    def __init__(self, portfolio: str, every: float, lasts: float) -> None:
        super().__init__()
        self.portfolio, self.every, self.lasts = portfolio, every, lasts

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer needs to take over."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"portfolio": self.portfolio, "every": self.every, "lasts": self.lasts}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """One event."""
        url, end = Settings.from_environment().require_database_url(), time.monotonic() + self.lasts
        found = await asyncio.to_thread(urgent, url, self.portfolio)
        while not found and time.monotonic() < end:
            await asyncio.sleep(self.every)
            found = await asyncio.to_thread(urgent, url, self.portfolio)
        yield TriggerEvent({"notices": found})
