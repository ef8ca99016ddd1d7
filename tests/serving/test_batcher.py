"""Requests are decided together, answered each with its own, and none is lost when the service stops."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence

import pytest
from fraudops.serving.batcher import Batcher, ClosedError, FullError, Taken


class Desk:
    """Answers with ten times the item; can be held."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, list[int]]] = []
        self.free = threading.Event()
        self.free.set()
        self.begun = threading.Event()

    def __call__(self, key: str, items: Sequence[int]) -> list[int]:
        self.begun.set()
        assert self.free.wait(10)
        self.batches.append((key, list(items)))
        if -1 in items:
            raise ValueError("a bad one")
        return [10 * item for item in items]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def batcher(desk: Desk) -> Iterator[Batcher[int, int]]:
    made: Batcher[int, int] = Batcher(desk, most_items=4, most_waiting=6)
    made.start()
    yield made
    desk.free.set()
    assert made.stop()


async def _queued(batcher: Batcher[int, int], desk: Desk, *requests: tuple[str, list[int]]) -> list[object]:
    """Let requests gather behind one that is being decided."""
    desk.free.clear()
    first = asyncio.ensure_future(batcher.decide("a", [0]))
    while not desk.begun.is_set():
        await asyncio.sleep(0.001)
    others = [asyncio.ensure_future(batcher.decide(key, items)) for key, items in requests]
    await asyncio.sleep(0.01)
    desk.free.set()
    assert await first == [0]
    return await asyncio.gather(*others, return_exceptions=True)


def test_what_waits_is_decided_together_and_each_gets_its_own(batcher: Batcher[int, int], desk: Desk) -> None:
    answers = asyncio.run(_queued(batcher, desk, ("a", [1, 2]), ("b", [3]), ("a", [4])))
    assert answers == [[10, 20], [30], [40]]
    assert desk.batches == [("a", [0]), ("a", [1, 2, 4]), ("b", [3])]


def test_a_batch_has_no_more_than_it_may(batcher: Batcher[int, int], desk: Desk) -> None:
    asyncio.run(_queued(batcher, desk, ("a", [1, 2, 3]), ("a", [4, 5])))
    assert [len(items) for _, items in desk.batches] == [1, 3, 2]


def test_beyond_what_may_wait_it_refuses_at_once(batcher: Batcher[int, int], desk: Desk) -> None:
    answers = asyncio.run(_queued(batcher, desk, ("a", [1, 2, 3, 4]), ("a", [5, 6, 7]), ("a", [8])))
    assert answers[0] == [10, 20, 30, 40]
    assert isinstance(answers[1], FullError)
    assert answers[2] == [80]


def test_a_failure_is_told_and_the_next_batch_goes_on(batcher: Batcher[int, int], desk: Desk) -> None:
    async def both() -> int:
        with pytest.raises(ValueError, match="a bad one"):
            await batcher.decide("a", [-1])
        return (await batcher.decide("a", [7]))[0]

    assert asyncio.run(both()) == 70


def test_what_nobody_waits_for_any_more_is_not_begun(batcher: Batcher[int, int], desk: Desk) -> None:
    async def give_up() -> None:
        desk.free.clear()
        first = asyncio.ensure_future(batcher.decide("a", [0]))
        while not desk.begun.is_set():
            await asyncio.sleep(0.001)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(batcher.decide("a", [1]), 0.01)
        desk.free.set()
        await first
        assert await batcher.decide("a", [2]) == [20]

    asyncio.run(give_up())
    assert [items for _, items in desk.batches] == [[0], [2]]
    assert batcher.waiting == 0


def test_stopping_decides_what_waits_and_takes_nothing_more() -> None:
    desk, seen = Desk(), list[Taken]()
    batcher: Batcher[int, int] = Batcher(desk, watch=seen.append)
    batcher.start()

    async def stop_while_some_wait() -> None:
        desk.free.clear()
        waiting = [asyncio.ensure_future(batcher.decide("a", [number])) for number in range(3)]
        await asyncio.sleep(0.01)
        stopped = asyncio.get_running_loop().run_in_executor(None, batcher.stop)
        await asyncio.sleep(0.01)
        with pytest.raises(ClosedError):
            await batcher.decide("a", [9])
        desk.free.set()
        assert await asyncio.gather(*waiting) == [[0], [10], [20]]
        assert await stopped

    asyncio.run(stop_while_some_wait())
    assert sum(taken.items for taken in seen) == 3
    assert not batcher.alive
