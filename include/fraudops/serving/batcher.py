"""Requests that arrive while others are being decided wait, and are then decided together.

One thread decides. A database transaction costs the same for one row as for twenty, so the batches grow with the load
by themselves, and nobody waits for a timer: a request that comes alone is decided at once.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")


class FullError(Exception):
    """More waits than may; come back later."""


class ClosedError(Exception):
    """The service is stopping and takes nothing any more."""


@dataclass(eq=False)
class _Waiting(Generic[Item, Result]):
    """One request: its items, and whom to tell."""

    key: str
    items: Sequence[Item]
    loop: asyncio.AbstractEventLoop
    told: asyncio.Future[list[Result]]
    since: float = field(default_factory=time.perf_counter)


@dataclass(frozen=True)
class Taken:
    """What one batch was, for those who measure.

    Attributes
    ----------
    waited
        Seconds that its oldest request had waited.
    took
        Seconds that deciding took.
    """

    requests: int
    items: int
    waited: float
    took: float


class Batcher(Generic[Item, Result]):
    """Hands what waits to one function, batch by batch, in one thread.

    Parameters
    ----------
    work
        Takes the key (a portfolio) and items of several requests, and returns one result per item. What it raises
        every request of the batch is told.
    most_items
        Items of a batch; a request that alone has more is a batch by itself.
    most_waiting
        Items that may wait; beyond that :class:`FullError`.
    watch
        Is told of every batch.
    """

    def __init__(
        self,
        work: Callable[[str, Sequence[Item]], list[Result]],
        *,
        most_items: int = 256,
        most_waiting: int = 5_000,
        watch: Callable[[Taken], None] = lambda taken: None,
    ) -> None:
        self._work = work
        self._most_items, self._most_waiting = most_items, most_waiting
        self._watch = watch
        self._waiting: deque[_Waiting[Item, Result]] = deque()
        self._items = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, patience: float = 10.0) -> bool:
        """Take nothing more, decide what waits, and end; False where that was not done in so many seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(patience)
        return not self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Items that wait now."""
        return self._items

    @property
    def alive(self) -> bool:
        """Whether its thread is there."""
        return self._thread.is_alive()

    async def decide(self, key: str, items: Sequence[Item]) -> list[Result]:
        """Results of some items, one each.

        Raises
        ------
        FullError
            Too much waits.
        ClosedError
            The service is stopping.
        """
        loop = asyncio.get_running_loop()
        waiting: _Waiting[Item, Result] = _Waiting(key, items, loop, loop.create_future())
        with self._changed:
            if self._closed:
                raise ClosedError
            if self._items and self._items + len(items) > self._most_waiting:
                raise FullError
            self._waiting.append(waiting)
            self._items += len(items)
            self._changed.notify()
        return await waiting.told

    # -- in the thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            self._decide(batch)

    def _take(self) -> list[_Waiting[Item, Result]] | None:
        """What waits for one portfolio, the oldest first; None once there will be nothing more."""
        with self._changed:
            while True:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return None
                taken: list[_Waiting[Item, Result]] = []
                left, items = deque[_Waiting[Item, Result]](), 0
                for waiting in self._waiting:
                    fits = not taken or (waiting.key == taken[0].key and items + len(waiting.items) <= self._most_items)
                    # One that nobody waits for any more is let go: its caller ran out of time before it was begun.
                    if waiting.told.cancelled():
                        self._items -= len(waiting.items)
                    elif fits:
                        taken.append(waiting)
                        items += len(waiting.items)
                    else:
                        left.append(waiting)
                self._waiting = left
                self._items -= items
                if taken:
                    return taken

    def _decide(self, batch: list[_Waiting[Item, Result]]) -> None:
        begun = time.perf_counter()
        items = [item for waiting in batch for item in waiting.items]
        try:
            results: list[Result] | Exception = self._work(batch[0].key, items)
        except Exception as error:
            # Whoever asked is told; the thread goes on with the others.
            log.exception("A batch of %d could not be decided", len(items))
            results = error
        _tell(batch, results)
        now = time.perf_counter()
        self._watch(Taken(len(batch), len(items), begun - batch[0].since, now - begun))


def _tell(batch: list[_Waiting[Item, Result]], results: list[Result] | Exception) -> None:
    """Wake those who wait, each loop once."""
    shares: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[list[Result]], list[Result] | Exception]]] = {}
    place = 0
    for waiting in batch:
        own = results if isinstance(results, Exception) else results[place : place + len(waiting.items)]
        shares.setdefault(waiting.loop, []).append((waiting.told, own))
        place += len(waiting.items)
    for loop, told in shares.items():
        try:
            loop.call_soon_threadsafe(_settle, told)
        except RuntimeError:
            # The loop has been closed: nobody listens any more.
            log.warning("%d requests were decided after their server had stopped", len(told))


def _settle(told: list[tuple[asyncio.Future[list[Result]], list[Result] | Exception]]) -> None:
    for future, result in told:
        if future.done():
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
