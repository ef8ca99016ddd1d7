"""A service whose desk is made of paper: it keeps the contract, and nothing is computed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fraudops.decisions.immediate import Arrival, Champion, Conflict, Decided, ReasonGiven
from fraudops.decisions.immediate.records import decision_id_of
from fraudops.intake.single import RowReader
from fraudops.portfolio import load_all
from fraudops.serving.api_keys import Grant, KeyRing, digest_of
from fraudops.serving.app import ScoringApp, create_app
from fraudops.serving.idempotency import InMemory
from fraudops.serving.limits import Limits
from fraudops.serving.service import Service
from fraudops.training.thresholds import Thresholds

PORTFOLIOS = Path(__file__).resolve().parents[2] / "include" / "portfolios"
SECRET = "s" * 43
KEY = f"fraudops_{'a' * 12}_{SECRET}"
AUTHORIZED = {"authorization": f"Bearer {KEY}"}
ROW = {
    "transaction_id": "T1",
    "event_time": "2026-03-05T10:00:00Z",
    "amount": 49.9,
    "customer_id": "C1",
    "terminal_id": "X1",
    "card_number": "4111111111111111",
    "customer_name": "Jo Doe",
    "channel": "online",
}


def grant(**changes: Any) -> Grant:
    """What the tests' key may do."""
    every = Grant("a" * 12, digest_of(SECRET), frozenset({"score", "read", "metrics"}), frozenset(), None, None)
    return replace(every, **changes)


@dataclass
class PaperDesk:
    """Decides by the amount; remembers; may be told to be slow or to fail."""

    waiting: int = 0
    seconds: float = 0.0
    failure: Exception | None = None
    asked: int = 0
    known: dict[tuple[str, str], tuple[str, Decided]] = field(default_factory=dict)

    async def decide(self, portfolio: str, arrivals: Sequence[Arrival]) -> list[Decided | Conflict]:
        """A decision for each."""
        self.asked += 1
        await asyncio.sleep(self.seconds)
        if self.failure is not None:
            raise self.failure
        return [self._one(portfolio, arrival) for arrival in arrivals]

    def _one(self, portfolio: str, arrival: Arrival) -> Decided | Conflict:
        transaction = arrival.transaction
        place = (portfolio, transaction.id)
        if place in self.known:
            content, decided = self.known[place]
            if content != arrival.content:
                return Conflict(transaction.id, decided.decision_id)
            return replace(decided, repeated=True)
        high = (transaction.amount_minor or 0) > 100_000
        decided = Decided(
            decision_id=decision_id_of(portfolio, transaction.id),
            transaction_id=transaction.id,
            score=0.75 if high else 0.01,
            decision="review" if high else "allow",
            route="policy",
            propensity=1.0,
            thresholds={"review": 0.5, "block": None},
            reasons=(ReasonGiven("amount.high", "The amount is high"),) if high else (),
            model_version="v3",
        )
        self.known[place] = (arrival.content, decided)
        return decided


@dataclass
class OneChampion:
    """A model that is in force for every portfolio, unless told otherwise."""

    there: bool = True

    def current(self, portfolio: str) -> Champion | None:
        """It."""
        thresholds = Thresholds(0.5, None, 15, None, 0)
        model = SimpleNamespace(thresholds=thresholds)
        digest = hashlib.sha256(portfolio.encode()).hexdigest()
        return Champion("v3", 3, digest, cast(Any, model), cast(Any, None), cast(Any, None)) if self.there else None


@cache
def _readers() -> dict[str, RowReader]:
    return {name: RowReader(one, b"t" * 32) for name, one in load_all(PORTFOLIOS).items()}


def make_service(**changes: Any) -> Service:
    """A service of all shipped portfolios."""
    readers = _readers()
    given: dict[str, Any] = {
        "portfolios": {name: reader.portfolio for name, reader in readers.items()},
        "readers": readers,
        "scorer": PaperDesk(),
        "champions": OneChampion(),
        "keys": KeyRing([grant()]),
        "answers": InMemory(),
        "degraded": lambda: (),
        "find_decision": lambda decision_id: ("cards", {"decision_id": decision_id}) if decision_id == "D1" else None,
        "limits": Limits(body=200_000, rows=50, seconds=2.0),
    }
    return Service(**{**given, **changes})


def client_of(app: ScoringApp) -> httpx.AsyncClient:
    """A client that talks to the application without a network."""
    transport = httpx.ASGITransport(cast(Any, app), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://scoring", headers=AUTHORIZED)


def ask(service: Service, method: str, path: str, **given: Any) -> httpx.Response:
    """One request."""

    async def asked() -> httpx.Response:
        async with client_of(create_app(service)) as client:
            return await client.request(method, path, **given)

    return asyncio.run(asked())


def score(service: Service, *rows: dict[str, Any], **given: Any) -> httpx.Response:
    """Have rows decided: one alone, or several together."""
    what = {"transaction": rows[0]} if len(rows) == 1 else {"transactions": list(rows)}
    return ask(service, "POST", "/v1/score", json={"portfolio": "cards", **what}, **given)
