"""Keeps a reader that works in the background from running far ahead of who takes what it has read.

PyArrow's CSV reader fetches up to 32 blocks before anybody asks for them, and that cannot be configured: with
blocks of 8 MiB (a value must fit into one) that is a quarter of a gigabyte.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

_BLOCKS_AHEAD = 2
_PATIENCE = 0.1
"""Seconds after which a taker that still waits is believed to need more than what has been read."""


class Pace:
    """Lets blocks be read as batches are taken.

    A block mostly becomes one batch, but not always: of one with nothing but broken rows nothing comes, and a
    long value takes two. So whoever waits in vain gets more, and nobody waits for ever.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ahead = 0
        self._taker_waits = True
        self._over = False

    def before_read(self) -> None:
        """Called by the reader before it reads a block: returns when there is a use for it."""
        with self._changed:
            while not self._changed.wait_for(self._may_read, timeout=_PATIENCE):
                if self._taker_waits:
                    self._ahead = 0
            self._ahead += 1

    def take(self, batches: Iterable[T]) -> Iterator[T]:
        """The batches, one by one; however this ends, the reader is let go."""
        iterator = iter(batches)
        try:
            while True:
                self._taker_waits = True
                try:
                    batch = next(iterator)
                except StopIteration:
                    return
                self._took()
                yield batch
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _may_read(self) -> bool:
        return self._over or self._ahead < _BLOCKS_AHEAD

    def _took(self) -> None:
        with self._changed:
            self._taker_waits = False
            self._ahead = max(0, self._ahead - 1)
            self._changed.notify_all()
