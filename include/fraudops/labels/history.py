"""Everything that was ever said about a transaction, and how much each feed has said. Nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from fraudops.errors import ContractError
from fraudops.labels.known import DISPOSITIONS, arrivals
from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

_CHARGEBACKS = "labels"
FRAUD, GENUINE, UNKNOWN = "fraud", "not fraud", "nothing said"


@dataclass(frozen=True)
class Statement:
    """One thing that was said about a transaction.

    Attributes
    ----------
    feed
        ``labels`` (chargebacks) or ``dispositions``.
    by
        User name of the investigator; None for chargebacks, whose feed does not say.
    said
        In the feed's words.
    before, after
        What counted before it became known, and from then on: ``fraud``, ``not fraud``, ``nothing said``.
    """

    feed: str
    by: str | None
    said: str
    reported_at: datetime
    known_at: datetime
    before: str
    after: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in vars(self).items()}


@dataclass(frozen=True)
class FeedCount:
    """How much one feed had said by a moment.

    Attributes
    ----------
    reports
        Everything that arrived.
    transactions
        Of which something was said.
    frauds
        Of which the last word was fraud.
    corrected
        Of which something else was said before.
    first, last
        First and last partition in which something arrived.
    """

    feed: str
    reports: int
    transactions: int
    frauds: int
    corrected: int
    first: str | None
    last: str | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def history_of(ws: Workspace, portfolio: Portfolio, transaction_id: str) -> list[Statement]:
    """What was said about a transaction, in the order in which it became known.

    Raises
    ------
    ContractError
        The portfolio has no feed of labels.
    """
    _require_feeds(portfolio)
    tables = [
        table[(table["transaction_id"] == transaction_id).to_numpy()]
        for feed in portfolio.labels.datasets
        for table in _tables(ws, portfolio, feed, None)
    ]
    said = [table for table in tables if len(table)]
    return list(_told(pd.concat(said, ignore_index=True))) if said else []


def feed_counts(ws: Workspace, portfolio: Portfolio, as_of: datetime) -> list[FeedCount]:
    """How much each feed had said by a moment; raises as :func:`history_of` does."""
    _require_feeds(portfolio)
    return [_count(ws, portfolio, feed, as_of) for feed in portfolio.labels.datasets]


def immature_rows(ws: Workspace, portfolio: Portfolio, as_of: datetime) -> int:
    """Transactions of partitions of which at a moment not every label had matured."""
    ends = {key: portfolio.partitioning.end(key) for key in ws.store.keys("transactions", portfolio.name)}
    young = [key for key, end in ends.items() if end <= as_of < end + portfolio.labels.delay]
    return sum(ws.store.require("transactions", portfolio.name, key).rows for key in young)


def _require_feeds(portfolio: Portfolio) -> None:
    if not portfolio.labels.datasets:
        raise ContractError(
            "labels come with the transactions' own file: no feed says anything about them",
            where=portfolio.name,
            remedy="how a partition was corrected is in the ledger: fraudops ledger show",
        )


def _count(ws: Workspace, portfolio: Portfolio, feed: str, as_of: datetime) -> FeedCount:
    keys = arrivals(ws, portfolio, feed, as_of)
    tables = list(_tables(ws, portfolio, feed, as_of))
    said = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["transaction_id", "said"])
    groups = said.groupby("transaction_id")["said"]
    return FeedCount(
        feed=feed,
        reports=len(said),
        transactions=groups.ngroups,
        frauds=int((groups.last() == FRAUD).sum()),
        corrected=int((groups.nunique() > 1).sum()),
        first=keys[0] if keys else None,
        last=keys[-1] if keys else None,
    )


def _tables(ws: Workspace, portfolio: Portfolio, feed: str, as_of: datetime | None) -> Iterator[pd.DataFrame]:
    """What arrived, one partition after the other, in the order of the reports."""
    keys = ws.store.keys(feed, portfolio.name) if as_of is None else arrivals(ws, portfolio, feed, as_of)
    for key in keys:
        table = ws.store.read_partition(feed, portfolio.name, key).to_pandas()
        if feed == DISPOSITIONS:
            said = table["finding"].str.replace("_", " ")
        else:
            said = table["label"].map({True: FRAUD, False: GENUINE})
            table["by"] = None
        yield table.assign(feed=feed, said=said)[["transaction_id", "feed", "by", "said", "reported_at", "known_at"]]


def _told(found: pd.DataFrame) -> Iterator[Statement]:
    """The statements with what each changed: chargebacks stand above dispositions, see ``docs/labels.md``."""
    # Of two that become known together the chargeback counts, so it is told last.
    found = found.assign(rank=(found["feed"] == _CHARGEBACKS).astype(int))
    before, settled = UNKNOWN, False
    for row in found.sort_values(["known_at", "rank", "reported_at"], kind="stable").to_dict("records"):
        after = before
        if row["feed"] == _CHARGEBACKS or not settled:
            after = row["said"] if row["said"] in (FRAUD, GENUINE) else UNKNOWN
        settled = settled or row["feed"] == _CHARGEBACKS
        yield Statement(
            feed=row["feed"],
            by=None if pd.isna(row["by"]) else row["by"],
            said=row["said"],
            reported_at=row["reported_at"].to_pydatetime(),
            known_at=row["known_at"].to_pydatetime(),
            before=before,
            after=after,
        )
        before = after
