"""Sends requests to a scoring service at a steady rate, or as fast as it answers, and measures how long each took.

``python -m benchmarks.serving.load URL BODIES --rate 200 --seconds 30``. A plain client on sockets: one written for
people would cost more than what it measures.

At a rate the moments of sending are laid down beforehand, and a request's time counts from its moment: a service that
stalls for a second is seen by every request that should have been sent meanwhile, not by the one alone that it held.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np


@dataclass
class Seen:
    """What came back."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    last: bytes = b""


@dataclass(frozen=True)
class Target:
    """Where to send, and as whom."""

    host: str
    port: int
    path: str
    key: str

    def request(self, body: bytes) -> bytes:
        """The bytes of a request."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Line:
    """One connection that is kept open."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._target.host, self._target.port)
        reader, writer = self._streams
        try:
            writer.write(self._target.request(body))
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.decode().lower().split("\r\n")
            length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
            answer = await reader.readexactly(length)
        except BaseException:
            self.drop()
            raise
        if "connection: close" in lines:
            self.drop()
        return int(lines[0].split()[1]), answer

    def drop(self) -> None:
        """Begin anew with the next request."""
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None


async def at_rate(target: Target, bodies: list[bytes], *, rate: float, seconds: float, lines: int) -> Seen:
    """Send at a steady rate."""
    seen, begun = Seen(), time.perf_counter() + 0.05
    free: asyncio.Queue[Line] = asyncio.Queue()
    for _ in range(lines):
        free.put_nowait(Line(target))

    async def one(number: int, due: float) -> None:
        line = await free.get()
        await _send(line, bodies[number % len(bodies)], due, seen)
        free.put_nowait(line)

    running: set[asyncio.Task[None]] = set()
    for number in range(int(rate * seconds)):
        due = begun + number / rate
        if (ahead := due - time.perf_counter()) > 0:
            await asyncio.sleep(ahead)
        task = asyncio.ensure_future(one(number, due))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    return seen


async def as_fast_as_answered(target: Target, bodies: list[bytes], *, seconds: float, lines: int) -> Seen:
    """Each connection sends its next request when the last one has been answered."""
    seen, end = Seen(), time.perf_counter() + seconds
    numbers = iter(range(len(bodies)))

    async def one() -> None:
        line = Line(target)
        while time.perf_counter() < end and (number := next(numbers, None)) is not None:
            await _send(line, bodies[number], time.perf_counter(), seen)

    await asyncio.gather(*(one() for _ in range(lines)))
    return seen


async def _send(line: Line, body: bytes, due: float, seen: Seen) -> None:
    try:
        status, answer = await line.send(body)
    except (OSError, asyncio.IncompleteReadError, StopIteration):
        seen.broken += 1
        return
    seen.seconds.append(time.perf_counter() - due)
    seen.statuses[status] += 1
    seen.last = answer


def summary(seen: Seen, took: float, rows_each: int) -> dict[str, Any]:
    """Figures of a run; times in milliseconds."""
    times = 1000 * np.array(seen.seconds or [np.nan])
    return {
        "requests": len(seen.seconds),
        "rows": len(seen.seconds) * rows_each,
        "seconds": round(took, 2),
        "per_second": round(len(seen.seconds) / took, 1),
        "rows_per_second": round(len(seen.seconds) * rows_each / took, 1),
        **{f"p{q:g}_ms": round(float(np.percentile(times, q)), 2) for q in (50, 90, 99, 99.9)},
        "max_ms": round(float(times.max()), 2),
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
        "broken": seen.broken,
    }


def main() -> None:
    """Prints the figures as a line of JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("bodies", type=Path, help="a request body a line")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: as fast as they are answered")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--lines", type=int, default=16, help="connections")
    parser.add_argument("--rows", type=int, default=1, help="transactions in a body")
    parser.add_argument("--first", type=int, default=0, help="line of the first body")
    given = parser.parse_args()
    address = urlsplit(given.url)
    target = Target(
        address.hostname or "127.0.0.1", address.port or 80, address.path, os.environ.get("FRAUDOPS_API_KEY", "")
    )
    bodies = given.bodies.read_bytes().splitlines()[given.first :]
    begun = time.perf_counter()
    if given.rate:
        run = at_rate(target, bodies, rate=given.rate, seconds=given.seconds, lines=given.lines)
    else:
        run = as_fast_as_answered(target, bodies, seconds=given.seconds, lines=given.lines)
    seen = asyncio.run(run)
    print(json.dumps(summary(seen, time.perf_counter() - begun, given.rows)))
    if set(seen.statuses) - {200}:
        print(seen.last.decode()[:500])


if __name__ == "__main__":
    main()
