"""A client of the scoring service: time-outs, retries that repeat nothing, typed answers.

A request is sent again only where that can help (no connection, 429, 502, 503, 504), with the same ``Idempotency-Key``
and after as long as the service asks for. Transactions have ids, so that even a request whose answer was lost decides
nothing twice.

Examples
--------
>>> with ScoringClient("http://127.0.0.1:8090", "fraudops_…") as client:  # doctest: +SKIP
...     print(client.score("cards", {"transaction_id": "T1", "amount": 49.9}).decision)
allow
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import httpx

_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Decision:
    """What was decided on a transaction; see docs/scoring-service.md."""

    decision_id: str
    transaction_id: str
    probability: float
    decision: str
    """``allow``, ``review`` or ``block``."""
    thresholds: Mapping[str, float | None]
    reasons: tuple[tuple[str, str], ...]
    """Code and sentence."""
    model_version: str
    repeated: bool = False
    degraded: tuple[str, ...] = ()


@dataclass(eq=False)
class ScoringError(Exception):
    """A problem: of a request, where it is raised; of a transaction, where it stands in a list of answers.

    Attributes
    ----------
    kind
        The last part of the problem's type, such as ``invalid-transaction``; ``unreachable`` without an answer.
    errors
        Column, reason and remedy.
    """

    kind: str
    status: int = 0
    title: str = ""
    detail: str = ""
    errors: tuple[Mapping[str, Any], ...] = ()

    def __str__(self) -> str:
        columns = ", ".join(f"{one.get('column') or 'row'}: {one['reason']}" for one in self.errors)
        return " – ".join(filter(None, (self.title or self.kind, columns, self.detail)))


@dataclass
class ScoringClient:
    """Asks a service.

    Parameters
    ----------
    address
        Such as ``http://127.0.0.1:8090``.
    key
        An API key.
    timeout
        Seconds for one attempt.
    attempts
        How often a request is sent at most.
    """

    address: str
    key: str = field(repr=False)
    timeout: float = 6.0
    attempts: int = 4
    transport: httpx.BaseTransport | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def __post_init__(self) -> None:
        self._http = httpx.Client(
            base_url=self.address,
            headers={"authorization": f"Bearer {self.key}"},
            timeout=self.timeout,
            transport=self.transport,
        )

    def __enter__(self) -> ScoringClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def score(self, portfolio: str, transaction: Mapping[str, Any]) -> Decision:
        """The decision on one transaction.

        Raises
        ------
        ScoringError
            There is none.
        """
        return _decision(self._post({"portfolio": portfolio, "transaction": transaction}))

    def score_all(self, portfolio: str, transactions: Sequence[Mapping[str, Any]]) -> list[Decision | ScoringError]:
        """A decision, or what is wrong, for each transaction, in their order.

        Raises
        ------
        ScoringError
            The request as a whole was not answered.
        """
        found = self._post({"portfolio": portfolio, "transactions": list(transactions)})["results"]
        return [_problem(one["problem"]) if "problem" in one else _decision(one) for one in found]

    def decision(self, decision_id: str) -> Decision:
        """What was decided before; raises as :meth:`score` does."""
        return _decision(self._asked("GET", f"/v1/decisions/{decision_id}"))

    def portfolio(self, name: str) -> dict[str, Any]:
        """Columns, thresholds and the model in force; raises as :meth:`score` does."""
        return self._asked("GET", f"/v1/portfolios/{name}")

    # -- inside ---------------------------------------------------------------------------------------

    def _post(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._asked("POST", "/v1/score", json=body, headers={"idempotency-key": str(uuid.uuid4())})

    def _asked(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        for attempt in range(1, self.attempts + 1):
            wait = min(2.0, 0.1 * 2**attempt) * random.uniform(0.5, 1)
            try:
                response = self._http.request(method, path, **given)
            except httpx.TransportError as error:
                problem = ScoringError("unreachable", title=f"the service did not answer: {type(error).__name__}")
            else:
                if response.is_success:
                    found: dict[str, Any] = response.json()
                    return found
                problem = _problem_of(response)
                if response.status_code not in _AGAIN:
                    break
                after = response.headers.get("retry-after", "")
                wait = float(after) if after.isdigit() else wait
            if attempt < self.attempts:
                self.sleep(wait)
        raise problem


def _problem_of(response: httpx.Response) -> ScoringError:
    try:
        return _problem(response.json())
    except (ValueError, KeyError, TypeError):
        # Not from the service: a proxy before it.
        return ScoringError("unknown", response.status_code, response.reason_phrase)


def _problem(content: Mapping[str, Any]) -> ScoringError:
    return ScoringError(
        kind=str(content["type"]).rsplit(":", 1)[-1],
        status=content["status"],
        title=content["title"],
        detail=content.get("detail", ""),
        errors=tuple(content.get("errors", ())),
    )


def _decision(content: Mapping[str, Any]) -> Decision:
    return Decision(
        decision_id=content["decision_id"],
        transaction_id=content["transaction_id"],
        probability=content["probability"],
        decision=content["decision"],
        thresholds=content["thresholds"],
        reasons=tuple((reason["code"], reason["text"]) for reason in content["reasons"]),
        model_version=content["model_version"],
        repeated=content.get("repeated", False),
        degraded=tuple(content["degraded"]),
    )
