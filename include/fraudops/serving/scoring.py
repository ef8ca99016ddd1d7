"""``POST /v1/score``, without a framework in between: this route is asked hundreds of times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fraudops.decisions.immediate import Arrival, Conflict, Decided
from fraudops.intake.single import Fault
from fraudops.intake.transaction import Transaction
from fraudops.serving import idempotency
from fraudops.serving.access import Access
from fraudops.serving.batcher import ClosedError, FullError
from fraudops.serving.limits import RateLimit
from fraudops.serving.link import DatabaseAwayError
from fraudops.serving.messages import answer, read_request, results
from fraudops.serving.office import NoChampionError
from fraudops.serving.problems import Kind, Problem, come_again
from fraudops.serving.service import Service

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
_REFUSALS: tuple[tuple[type[Exception], Kind, float], ...] = (
    (FullError, Kind.BUSY, 1),
    (ClosedError, Kind.STOPPING, 2),
    (DatabaseAwayError, Kind.DATABASE_AWAY, 5),
    (NoChampionError, Kind.NO_CHAMPION, 30),
)


@dataclass
class Asked:
    """What is known of a request, for its log line; nothing that it says."""

    key: str | None = None
    portfolio: str | None = None
    rows: int = 0


@dataclass
class Scoring:
    """Answers requests for decisions."""

    service: Service
    access: Access
    rate: RateLimit
    _answering: set[tuple[str, str]] = field(default_factory=set)

    async def answer(
        self, headers: Mapping[bytes, bytes], receive: Receive, asked: Asked
    ) -> tuple[bytes, dict[str, str]]:
        """The body of the answer, and headers.

        Raises
        ------
        Problem
            There is none.
        """
        grant = self.access.require(headers, "score")
        asked.key = grant.id
        limits = self.service.limits
        deadline = asyncio.get_running_loop().time() + limits.seconds
        _require_json(headers)
        body = await self._body(headers, receive, deadline)
        portfolio, rows, alone = read_request(body, limits.rows)
        self.access.require_portfolio(grant, portfolio)
        asked.portfolio, asked.rows = portfolio, len(rows)
        if self.service.champions.current(portfolio) is None:
            raise come_again(Kind.NO_CHAMPION, 30)
        left = self.rate.take(grant.id, grant.per_second, len(rows))
        self.service.metrics.rows.observe(len(rows))
        try:
            async with asyncio.timeout_at(deadline):
                given = headers.get(b"idempotency-key")
                if given is None:
                    return await self._decided(portfolio, rows, alone=alone), left
                key = idempotency.checked_key(given.decode("latin-1"))
                return await self._once(grant.id, key, body, portfolio, rows, alone=alone), left
        except TimeoutError:
            raise come_again(Kind.TIMEOUT) from None

    async def _once(
        self, api_key: str, key: str, body: bytes, portfolio: str, rows: Sequence[Mapping[str, Any]], *, alone: bool
    ) -> bytes:
        place = (api_key, key)
        if place in self._answering:
            raise come_again(Kind.IN_PROGRESS)
        self._answering.add(place)
        try:
            keys = self.service.readers[portfolio].token_keys
            digest = idempotency.digest_of(body, keys if isinstance(keys, bytes) else keys[0])
            known = await asyncio.to_thread(self.service.answers.find, api_key, key, digest)
            if known is not None:
                return known
            found = await self._decided(portfolio, rows, alone=alone)
            await asyncio.to_thread(self.service.answers.put, api_key, key, digest, found)
            return found
        finally:
            self._answering.discard(place)

    async def _decided(self, portfolio: str, rows: Sequence[Mapping[str, Any]], *, alone: bool) -> bytes:
        reader = self.service.readers[portfolio]
        now = datetime.now(UTC)
        read = reader.read_all(rows)
        arrivals = []
        for row, transaction in zip(rows, read, strict=True):
            if isinstance(transaction, Transaction):
                raw = reader.raw(row)
                arrivals.append(Arrival(transaction, raw, reader.content(raw), now))
        decided = await self._asked(portfolio, arrivals) if arrivals else []
        self._count(portfolio, read, decided)
        return answer(portfolio, results(read, decided), alone=alone)

    async def _asked(self, portfolio: str, arrivals: Sequence[Arrival]) -> list[Decided | Conflict]:
        try:
            return await self.service.scorer.decide(portfolio, arrivals)
        except Exception as error:
            for kind, refusal, seconds in _REFUSALS:
                if isinstance(error, kind):
                    raise come_again(refusal, seconds) from None
            raise

    def _count(
        self, portfolio: str, read: Sequence[Transaction | list[Fault]], decided: Sequence[Decided | Conflict]
    ) -> None:
        counts: dict[str, int] = {}
        for one in decided:
            word = one.decision if isinstance(one, Decided) else "conflict"
            counts[word] = counts.get(word, 0) + 1
        faulty = len(read) - len(decided)
        for word, count in {**counts, **({"faulty": faulty} if faulty else {})}.items():
            self.service.metrics.transactions.labels(portfolio, word).inc(count)

    async def _body(self, headers: Mapping[bytes, bytes], receive: Receive, deadline: float) -> bytes:
        most = self.service.limits.body
        too_large = Problem(
            Kind.TOO_LARGE, f"At most {most:,} bytes; send less at a time.", headers={"connection": "close"}
        )
        said = headers.get(b"content-length", b"0")
        if said.isdigit() and int(said) > most:
            raise too_large
        parts, size = [], 0
        try:
            async with asyncio.timeout_at(deadline):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Problem(Kind.INVALID_REQUEST)
                    part = message.get("body", b"")
                    size += len(part)
                    if size > most:
                        raise too_large
                    parts.append(part)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise Problem(
                Kind.REQUEST_TIMEOUT, "Send the whole body at once.", headers={"connection": "close"}
            ) from None


def _require_json(headers: Mapping[bytes, bytes]) -> None:
    kind = headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower()
    if kind != b"application/json" or headers.get(b"content-encoding", b"identity") != b"identity":
        raise Problem(Kind.UNSUPPORTED_MEDIA_TYPE, "Send Content-Type: application/json, not compressed.")
