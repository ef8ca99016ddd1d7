"""What the HTTP side needs of the rest: somebody who decides, and where the service stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fraudops.decisions.immediate import Arrival, Champion, Conflict, Decided
from fraudops.intake.single import RowReader
from fraudops.portfolio import Portfolio
from fraudops.serving.api_keys import KeyRing
from fraudops.serving.idempotency import Answers
from fraudops.serving.limits import Limits
from fraudops.serving.metrics import Metrics


class Scorer(Protocol):
    """Decides on transactions."""

    async def decide(self, portfolio: str, arrivals: Sequence[Arrival]) -> list[Decided | Conflict]:
        """A decision for each, in their order.

        Raises
        ------
        fraudops.serving.batcher.FullError, fraudops.serving.batcher.ClosedError
            Too much waits; the service is stopping.
        fraudops.serving.link.DatabaseAwayError
            The database is away, and the portfolio wants no answer without it.
        """

    @property
    def waiting(self) -> int:
        """Transactions that wait."""


class Champions(Protocol):
    """Knows the model in force."""

    def current(self, portfolio: str) -> Champion | None:
        """The champion; None while there is none."""


@dataclass
class Service:
    """All that a scoring service consists of, but for HTTP.

    Attributes
    ----------
    degraded
        What is away now, such as ``database``.
    find_decision
        Portfolio's decision by its id: portfolio, and what is told of it; None where there is none. Blocking.
    warm
        Whether it has what it needs to answer quickly.
    stopping
        It takes leave: not ready any more, and what is open is finished.
    """

    portfolios: Mapping[str, Portfolio]
    readers: Mapping[str, RowReader]
    scorer: Scorer
    champions: Champions
    keys: KeyRing
    answers: Answers
    degraded: Callable[[], tuple[str, ...]]
    find_decision: Callable[[str], tuple[str, dict[str, Any]] | None]
    limits: Limits = field(default_factory=Limits)
    metrics: Metrics = field(default_factory=Metrics)
    stopping: bool = False
    warm: Callable[[], bool] = lambda: True

    def unready(self) -> list[str]:
        """Why it cannot answer; empty where it can, be it degraded."""
        found = ["stopping"] if self.stopping else []
        found += [] if self.warm() else ["warming up"]
        return found + [f"no champion: {name}" for name in self.portfolios if self.champions.current(name) is None]
