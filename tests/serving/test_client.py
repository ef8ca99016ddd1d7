"""The client: what it asks, what it tries again, and what it makes of answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest
from fraudops.serving.app import create_app
from fraudops.serving.client import Decision, ScoringClient, ScoringError
from fraudops.serving.service import Service

from .paper import KEY, ROW, make_service

Answer = Callable[[httpx.Request], httpx.Response]


def client_of(answer: Answer, waits: list[float] | None = None) -> ScoringClient:
    """A client whose service is a function."""
    slept = waits if waits is not None else []
    return ScoringClient("http://scoring", KEY, transport=httpx.MockTransport(answer), sleep=slept.append)


def by(service: Service) -> Answer:
    """Answers as the application does."""

    async def asked(request: httpx.Request) -> httpx.Response:
        transport = httpx.ASGITransport(cast(Any, create_app(service)))
        async with httpx.AsyncClient(transport=transport) as inner:
            found = await inner.request(
                request.method, request.url, content=request.content, headers=dict(request.headers)
            )
        return httpx.Response(found.status_code, content=found.content, headers=found.headers)

    return lambda request: asyncio.run(asked(request))


def test_answers_have_types() -> None:
    with client_of(by(make_service())) as client:
        found = client.score("cards", {**ROW, "amount": 2_000})
        assert (found.decision, found.reasons) == ("review", (("amount.high", "The amount is high"),))
        first, second = client.score_all("cards", [ROW, {**ROW, "amount": None}])
        assert isinstance(first, ScoringError)
        assert first.kind == "transaction-conflict"
        assert isinstance(second, ScoringError)
        assert str(second) == (
            "The transaction cannot be used – amount: empty – Correct the columns named under errors."
        )
        assert client.portfolio("cards")["name"] == "cards"


def test_a_mistake_is_not_tried_again() -> None:
    waits: list[float] = []
    with client_of(by(make_service()), waits) as client, pytest.raises(ScoringError, match="amount: empty"):
        client.score("cards", {**ROW, "amount": None})
    assert waits == []


def test_what_passes_is_tried_again_with_the_same_key() -> None:
    answers = iter([httpx.Response(503, headers={"retry-after": "3"}), httpx.ConnectError("no"), None])
    keys, waits = [], []
    real = by(make_service())

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["idempotency-key"])
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found or real(request)

    with client_of(answer, waits) as client:
        assert isinstance(client.score("cards", ROW), Decision)
    assert len(set(keys)) == 1
    assert waits[0] == 3
    assert 0 < waits[1] <= 2


def test_it_gives_up_and_says_why() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    waits: list[float] = []
    with client_of(answer, waits) as client, pytest.raises(ScoringError, match="ReadTimeout") as caught:
        client.score("cards", ROW)
    assert (caught.value.kind, len(waits)) == ("unreachable", 3)
    assert KEY not in repr(client)
