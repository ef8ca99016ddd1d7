"""How much one request, and one key, may ask for."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from fraudops.serving.problems import Kind, Problem, come_again

_MOST_BUCKETS = 10_000


@dataclass(frozen=True)
class Limits:
    """Of the service as a whole; a key may have its own rate.

    Attributes
    ----------
    body
        Bytes of a request.
    rows
        Transactions of a request.
    seconds
        From the first byte of a request to its answer.
    per_second
        Transactions that a key may send; as many as that, or one full request, may come at once.
    """

    body: int = 2 << 20
    rows: int = 1_000
    seconds: float = 5.0
    per_second: int = 5_000


@dataclass
class Bucket:
    """Tokens that come back with time: one per transaction."""

    rate: float
    capacity: float
    tokens: float
    at: float

    def refill(self, now: float) -> None:
        """Add what has come since the last time."""
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.rate)
        self.at = now


@dataclass
class RateLimit:
    """The buckets of all keys."""

    limits: Limits
    clock: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, Bucket] = field(default_factory=OrderedDict)

    def take(self, key: str, per_second: int | None, rows: int) -> dict[str, str]:
        """Take tokens for some transactions; headers that say what is left.

        Raises
        ------
        Problem
            There are not enough: come again later.
        """
        bucket = self._bucket(key, per_second or self.limits.per_second)
        bucket.refill(self.clock())
        if rows > bucket.tokens:
            wait = math.ceil((rows - bucket.tokens) / bucket.rate)
            problem = come_again(Kind.RATE_LIMITED, wait)
            raise Problem(problem.kind, problem.detail, headers=problem.headers | self._headers(bucket))
        bucket.tokens -= rows
        return self._headers(bucket)

    def _bucket(self, key: str, rate: int) -> Bucket:
        found = self._buckets.get(key)
        if found is None or found.rate != rate:
            capacity = float(max(rate, self.limits.rows))
            found = self._buckets[key] = Bucket(float(rate), capacity, capacity, self.clock())
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return found

    def _headers(self, bucket: Bucket) -> dict[str, str]:
        return {
            "ratelimit-limit": str(int(bucket.capacity)),
            "ratelimit-remaining": str(int(bucket.tokens)),
            "ratelimit-reset": str(math.ceil((bucket.capacity - bucket.tokens) / bucket.rate)),
        }
