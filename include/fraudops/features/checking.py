"""Checks the contract of features on what a portfolio has stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fraudops.errors import ContractError
from fraudops.features.columns import feature_names, model_columns
from fraudops.features.compute import lookback
from fraudops.features.contract import Finding, check_moments, older_rows
from fraudops.features.loading import history_begins, load
from fraudops.features.partitions import model_frame
from fraudops.features.telling import FEWEST, telling_columns
from fraudops.labels import matured
from fraudops.labels.known import reports
from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

_LATER = 2
"""Partitions that serve as the future."""
_MOMENTS = 2
"""Moments of each partition at which the future begins, beside one among rows of the same moment."""
_MOST_TOLD = 60
"""Partitions in which columns that tell the label are looked for."""


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what was found.

    Attributes
    ----------
    features
        Names of the features that were computed again.
    partitions
        Keys of the partitions whose rows they belong to.
    rows
        How many rows these have.
    columns
        Names of the model's columns of which it was looked whether one tells the label.
    labelled
        Keys of the partitions on which that was looked for.
    frauds
        How many known frauds these have; with too few nothing can be said.
    findings
        Every breach of the contract.
    """

    features: tuple[str, ...]
    partitions: tuple[str, ...]
    rows: int
    columns: tuple[str, ...]
    labelled: tuple[str, ...]
    frauds: int
    findings: tuple[Finding, ...]

    @property
    def could_tell(self) -> bool:
        """Whether there were frauds enough to say that a column tells the label."""
        return self.frauds >= FEWEST


def check_stored(ws: Workspace, portfolio: Portfolio, *, partitions: int = 3, seed: int = 0) -> Checked:
    """Check the features of some stored partitions, evenly spread; nothing is written.

    Parameters
    ----------
    partitions
        How many; each has all that came before it and the partitions after it as its past and future.

    Raises
    ------
    ContractError
        There are fewer than two partitions of transactions.
    """
    available = ws.store.keys("transactions", portfolio.name)
    if len(available) < 2:
        raise ContractError(
            f"{len(available)} partitions are stored: features can be checked where something comes after a partition",
            where=f"transactions of portfolio {portfolio.name}",
            remedy="land two partitions or more",
        )
    findings: dict[tuple[str, str], Finding] = {}
    chosen = _spread(available[:-1], partitions)
    rows = 0
    for key in chosen:
        begin = history_begins(portfolio, key, lookback(portfolio) + older_rows(portfolio))
        place = available.index(key)
        loaded = load(ws, portfolio, [k for k in available[: place + 1 + _LATER] if k >= begin])
        own = loaded.rows[key]
        rows += own.stop - own.start
        if own.stop > own.start:
            for finding in check_moments(portfolio, loaded.history, loaded.known, own, moments=_MOMENTS, seed=seed):
                findings.setdefault((finding.column, finding.breach), finding)
    labelled = _spread(_labelled(ws, portfolio, available), _MOST_TOLD)
    frauds, telling = _telling(ws, portfolio, labelled, available)
    return Checked(
        features=tuple(feature_names(portfolio)),
        partitions=tuple(chosen),
        rows=rows,
        columns=model_columns(portfolio).all,
        labelled=tuple(labelled),
        frauds=frauds,
        findings=(*findings.values(), *telling),
    )


def _spread(keys: Sequence[str], count: int) -> list[str]:
    """At most so many of the keys, the last one among them, at equal distances."""
    if len(keys) <= count:
        return list(keys)
    return [keys[(number + 1) * len(keys) // count - 1] for number in range(count)]


def _labelled(ws: Workspace, portfolio: Portfolio, available: Sequence[str]) -> list[str]:
    """Partitions with features whose labels are all known by the end of the newest partition."""
    partitioning, stored = portfolio.partitioning, set(ws.store.keys("features", portfolio.name))
    now = partitioning.end(available[-1])
    return [key for key in available if key in stored and partitioning.end(key) + portfolio.labels.delay <= now]


def _telling(
    ws: Workspace, portfolio: Portfolio, keys: list[str], available: Sequence[str]
) -> tuple[int, list[Finding]]:
    """Known frauds of some partitions, and the columns that tell which they are."""
    if not keys:
        return 0, []
    as_of = portfolio.partitioning.end(available[-1])
    frame = model_frame(ws, portfolio, keys)
    known = reports(ws, portfolio, as_of=as_of, first=keys[0], last=keys[-1])
    label = matured(frame, known, delay=portfolio.labels.delay, as_of=as_of)
    return int(label.fillna(False).sum()), telling_columns(frame, label, model_columns(portfolio))
