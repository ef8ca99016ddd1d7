"""Test windows of an evaluation: when they lie, what was known at their start, which cards were no news any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from fraudops.errors import ContractError
from fraudops.evaluation.cards import known_compromised
from fraudops.features import model_frame
from fraudops.labels import matured, reports
from fraudops.labels.selective import WEIGHT, label_weights
from fraudops.portfolio import Portfolio, Prequential, Role, format_duration

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

_DAY = timedelta(days=1)
_MICROSECONDS = 86_400_000_000


@dataclass(frozen=True)
class Window:
    """A test window: from its start, exclusive of its end."""

    start: datetime
    end: datetime

    @property
    def days(self) -> float:
        """Its length."""
        return (self.end - self.start) / _DAY

    @property
    def name(self) -> str:
        """Its first and last day."""
        return f"{self.start:%Y-%m-%d} to {self.end - timedelta(microseconds=1):%Y-%m-%d}"


def windows(plan: Prequential, until: datetime) -> list[Window]:
    """Test windows in the order of time; the last one ends at the midnight (UTC) at or before a moment.

    Parameters
    ----------
    until
        Up to here it is known what was fraud.
    """
    last = until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [last - plan.length - number * plan.step for number in range(plan.windows)]
    return [Window(start, start + plan.length) for start in reversed(starts)]


def card_column(portfolio: Portfolio) -> str | None:
    """Column of the entity whose precision a day is measured: as the portfolio says, the card, or the first one."""
    chosen = portfolio.training.prequential.cards
    if chosen is not None and chosen not in portfolio.entities:
        raise ContractError(
            f"there is no entity {chosen!r}",
            where=f"{portfolio.name} training.prequential.cards",
            remedy=f"choose one of {', '.join(portfolio.entities) or 'none: no column has the role entity'}",
        )
    if chosen is not None:
        return portfolio.entities[chosen]
    names = [*portfolio.named(Role.CARD), *portfolio.named(Role.ACCOUNT), *portfolio.named(Role.ENTITY)]
    return portfolio.stored_name(names[0]) if names else None


def days_since_1970(times: pd.Series) -> np.ndarray:
    """Days of some moments (UTC), as whole numbers."""
    return times.astype("datetime64[us, UTC]").astype("int64").to_numpy() // _MICROSECONDS


@dataclass(frozen=True, eq=False)
class History:
    """Rows of a portfolio, and what was known about them at any moment up to ``as_of``.

    Attributes
    ----------
    frame
        Rows with features, in the order of time; ``label`` as of ``as_of`` (missing: not known yet) and ``known_day``,
        the first day that began with it known.
    reported
        Every report up to ``as_of``, with ``known_at``.
    """

    portfolio: Portfolio
    frame: pd.DataFrame
    reported: pd.DataFrame

    @classmethod
    def load(cls, ws: Workspace, portfolio: Portfolio, keys: Sequence[str], as_of: datetime) -> History:
        """Read some partitions.

        Raises
        ------
        MissingPartitionError
            A partition has no features.
        """
        frame = model_frame(ws, portfolio, keys)
        reported = reports(ws, portfolio, as_of=as_of, first=keys[0], last=keys[-1])
        delay = portfolio.labels.delay
        weight = label_weights(ws, portfolio, frame, reported, list(keys))
        frame["label"] = matured(frame, reported, delay=delay, as_of=as_of).where(weight > 0)
        if portfolio.labels.selective:
            frame[WEIGHT] = weight
        first = reported[reported["label"].fillna(False).to_numpy(dtype=bool)].drop_duplicates("transaction_id")
        told = frame["transaction_id"].map(first.set_index("transaction_id")["known_at"])
        frame["known_day"] = _first_day_from(told.fillna(frame["event_time"] + delay))
        return cls(portfolio, frame, reported)

    def known_at(self, moment: datetime) -> pd.DataFrame:
        """Rows that had matured by a moment, within the training window, with their labels as they were known then."""
        delay, when = self.portfolio.labels.delay, pd.Timestamp(moment)
        times = self.frame["event_time"]
        old = (times + delay <= when) & (times >= when - self.portfolio.training.window)
        rows = self.frame[old.to_numpy()]
        by_then = self.reported[(self.reported["known_at"] <= when).to_numpy()]
        label = matured(rows, by_then, delay=delay, as_of=moment)
        if WEIGHT in rows:
            label = label.where(rows[WEIGHT] > 0)
        return rows.assign(label=label)[label.notna().to_numpy()].astype({"label": bool}).reset_index(drop=True)

    def within(self, window: Window) -> tuple[pd.DataFrame, int]:
        """Rows of a window whose labels are known by now, without those of known cards, and how many those were."""
        times, label = self.frame["event_time"], self.frame["label"]
        inside = ((times >= pd.Timestamp(window.start)) & (times < pd.Timestamp(window.end)) & label.notna()).to_numpy()
        known = inside & self._known_cards(window)
        rows = self.frame[inside & ~known].astype({"label": bool}).reset_index(drop=True)
        return rows, int(known.sum())

    def _known_cards(self, window: Window) -> np.ndarray:
        column, plan = card_column(self.portfolio), self.portfolio.training.prequential
        if column is None:
            return np.zeros(len(self.frame), dtype=bool)
        since = pd.Series([window.start - self.portfolio.labels.delay - plan.remember])
        return known_compromised(
            self.frame[column].to_numpy(),
            days_since_1970(self.frame["event_time"]),
            self.frame["label"].fillna(False).to_numpy(dtype=bool),
            self.frame["known_day"].to_numpy(),
            since=int(days_since_1970(since)[0]),
        )


def partitions_of(ws: Workspace, portfolio: Portfolio, found: Sequence[Window], as_of: datetime) -> list[str]:
    """Partitions that an evaluation looks at: what may be learned before the first window, and the windows.

    Raises
    ------
    ContractError
        There is no partition before the first window.
    """
    partitioning = portfolio.partitioning
    first = found[0].start - portfolio.training.window
    available = ws.store.keys("transactions", portfolio.name)
    keys = [key for key in available if partitioning.start(key) >= first and partitioning.end(key) <= as_of]
    if not keys or partitioning.start(keys[0]) >= found[0].start - portfolio.labels.delay:
        raise ContractError(
            f"no partition before {found[0].start:%Y-%m-%d} whose labels were known then: nothing could be learned",
            where=f"{portfolio.name} {found[0].name}",
            remedy="load more history, or evaluate fewer windows (training.prequential.windows)",
        )
    return keys


def evaluation_name(found: Sequence[Window], plan: Prequential) -> str:
    """Name of an evaluation: what it covers, so that the same one is written over."""
    length = format_duration(plan.length)
    return f"prequential_{found[0].start:%Y-%m-%d}_{found[-1].end:%Y-%m-%d}_{length}"


def _first_day_from(times: pd.Series) -> np.ndarray:
    """The first day (since 1970) that begins at or after each moment."""
    return -(-times.astype("datetime64[us, UTC]").astype("int64").to_numpy() // _MICROSECONDS)
