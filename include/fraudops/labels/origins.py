"""Which feed the labels of some transactions came from, and how many were said otherwise before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from fraudops.labels.known import DISPOSITIONS, matured, reports
from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    from fraudops.workspace import Workspace


@dataclass(frozen=True)
class LabelOrigins:
    """Where labels come from.

    Attributes
    ----------
    feeds
        ``labels`` (chargebacks), ``dispositions`` or ``transactions`` (the file's own column) → how many of the labels
        that feed said.
    time
        How many were said by nobody: genuine because the delay has passed.
    corrected
        How many had been said to be something else before.
    """

    feeds: dict[str, int] = field(default_factory=dict)
    time: int = 0
    corrected: int = 0


def origins(ids: pd.Series, known: pd.DataFrame) -> LabelOrigins:
    """Where the labels of matured transactions come from.

    Parameters
    ----------
    ids
        Their ``transaction_id``.
    known
        Result of :func:`fraudops.labels.reports` for the moment at which they had matured.
    """
    here = known[known["transaction_id"].isin(ids).to_numpy()]
    last = here.drop_duplicates("transaction_id", keep="last")
    decisive = last[((last["feed"] != DISPOSITIONS) | last["label"].notna()).to_numpy(dtype=bool)]
    counts = decisive["feed"].value_counts()
    feeds = {str(feed): int(counts[feed]) for feed in sorted(counts.index)}
    said = here.assign(label=here["label"].astype(object).where(here["label"].notna(), None))
    different = said.groupby("transaction_id")["label"].nunique(dropna=False)
    return LabelOrigins(feeds, len(ids) - sum(feeds.values()), int((different > 1).sum()))


def changed_since(ws: Workspace, portfolio: Portfolio, frame: pd.DataFrame, first: str) -> int:
    """How many labels are others by what has arrived in the feeds up to now: late reports and corrections.

    Parameters
    ----------
    frame
        ``transaction_id``, ``event_time`` and ``label`` (boolean) of transactions that had matured.
    first
        Key of the first partition that they belong to.
    """
    arrived = [key for feed in portfolio.labels.datasets for key in ws.store.keys(feed, portfolio.name)]
    if not arrived:
        return 0
    as_of = portfolio.partitioning.end(max(arrived))
    known = reports(ws, portfolio, as_of=as_of, first=first)
    now = matured(frame, known, delay=portfolio.labels.delay, as_of=as_of)
    return int((now.notna() & (now != frame["label"])).fillna(False).sum())
