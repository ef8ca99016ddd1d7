"""Which partitions a training run needs."""

from __future__ import annotations

from datetime import datetime

from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio, format_duration, parse_duration
from fraudops.workspace import Workspace


def training_period(
    ws: Workspace, portfolio: Portfolio, as_of: datetime | None, window: str | None
) -> tuple[datetime, str, list[str]]:
    """The moment, the window and the partitions of a training run.

    Parameters
    ----------
    as_of
        Moment to pretend; None: the end of the newest partition.
    window
        Duration such as ``90d``; None: as the portfolio says.

    Raises
    ------
    ContractError
        No partition lies in the window.
    """
    partitioning = portfolio.partitioning
    available = ws.store.keys("transactions", portfolio.name)
    length = parse_duration(window) if window else portfolio.training.window
    if available and as_of is None:
        as_of = partitioning.end(available[-1])
    keys = [
        key
        for key in available
        if as_of is not None and as_of - length <= partitioning.start(key) and partitioning.end(key) <= as_of
    ]
    if as_of is None or not keys:
        raise ContractError(
            "there is no partition to learn from",
            where=portfolio.name,
            remedy=f"load history with {portfolio.dag_id('land')} first, or choose another moment and window",
        )
    return as_of, format_duration(length), keys
