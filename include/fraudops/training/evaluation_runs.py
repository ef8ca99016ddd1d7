"""Plans a prequential evaluation: its windows, its name, and the features that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fraudops.errors import ContractError
from fraudops.features import build
from fraudops.portfolio import Portfolio
from fraudops.training.windows import Window, evaluation_name, partitions_of, windows

if TYPE_CHECKING:
    from fraudops.workspace import Workspace


@dataclass(frozen=True)
class EvaluationPlan:
    """What is to be evaluated.

    Attributes
    ----------
    name
        Of the folder that the page and the numbers go to.
    as_of
        Labels known at this moment are what the windows are measured by.
    """

    name: str
    as_of: datetime
    windows: tuple[Window, ...]

    def to_list(self) -> list[dict[str, str]]:
        """One JSON-able value per window, complete by itself: what a mapped task is given."""
        return [
            {
                "evaluation": self.name,
                "as_of": self.as_of.isoformat(),
                "start": window.start.isoformat(),
                "end": window.end.isoformat(),
            }
            for window in self.windows
        ]


def plan_evaluation(ws: Workspace, portfolio: Portfolio, as_of: datetime | None) -> EvaluationPlan:
    """The windows of a portfolio at a moment; builds the features of all partitions that they need.

    Parameters
    ----------
    as_of
        None: the end of the newest partition.

    Raises
    ------
    ContractError
        There is no partition, or none before the first window.
    """
    if as_of is None:
        keys = ws.store.keys("transactions", portfolio.name)
        if not keys:
            raise ContractError("there is no partition", where=portfolio.name, remedy="load history first")
        as_of = portfolio.partitioning.end(keys[-1])
    plan = portfolio.training.prequential
    found = windows(plan, as_of - portfolio.labels.delay)
    build(ws, portfolio, partitions_of(ws, portfolio, found, as_of))
    return EvaluationPlan(evaluation_name(found, plan), as_of, tuple(found))
