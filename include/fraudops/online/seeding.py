"""Brings what the store has into the online state: published transactions, and what became known of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text

from fraudops.database import open_engine
from fraudops.features.compute import lookback, microseconds
from fraudops.features.loading import history_begins
from fraudops.labels.known import reports
from fraudops.online.bringing import Bringing
from fraudops.online.kinds import Kind, kinds_of
from fraudops.online.memory import LATENESS
from fraudops.online.stored import StoredReport, StoredRows, columns_of, of_ids
from fraudops.portfolio import Portfolio
from fraudops.store import Among, Manifest
from fraudops.store.digests import sha256_of

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

_TRANSACTIONS, _REPORTS = "transactions", "reports"
_SECTIONS = ("columns", "features", "labels", "minor_digits", "partition_hours")
_KEYS = """
select partition_key from online_seed where portfolio = :name and dataset = :dataset order by partition_key
"""
_PAYMENTS = "select count(*), count(number) from online_payment where portfolio = :name"
_SAID = "select count(*) from online_report where portfolio = :name"
_AT_ONCE = 50_000
"""Transactions that are brought in one database transaction."""


@dataclass(frozen=True)
class SeedResult:
    """What a seed did.

    Attributes
    ----------
    partitions
        Keys of the partitions that were new, or others than before.
    payments
        Rows of ``online_payment`` that came or went by them.
    reports
        Transactions of which something else was known than before.
    dropped
        Rows of ``online_payment`` that had become too old to matter.
    """

    partitions: tuple[str, ...] = ()
    payments: int = 0
    reports: int = 0
    dropped: int = 0


def seed(ws: Workspace, portfolio: Portfolio, *, until: str | None = None) -> SeedResult:
    """Bring the published transactions within the look-back, and what was said of them, into the online state.

    It does nothing where nothing has changed. A corrected partition replaces what it had brought. What came online and
    is not in the batch yet stays; what is in both stays once.

    Parameters
    ----------
    until
        Key of the last partition of transactions to take (default: the newest).

    Returns
    -------
    SeedResult
        Empty where the portfolio has no behaviour, or no transactions.
    """
    kinds = kinds_of(portfolio)
    keys = [key for key in ws.store.keys(_TRANSACTIONS, portfolio.name) if until is None or key <= until]
    if not kinds or not keys:
        return SeedResult()
    begin = history_begins(portfolio, keys[-1], lookback(portfolio) + timedelta(microseconds=LATENESS))
    config = portfolio.digest_of(*_SECTIONS)
    manifests = [ws.store.require(_TRANSACTIONS, portfolio.name, key) for key in keys if key >= begin]
    with Bringing.of(open_engine(ws.database_url), portfolio.name) as bringing:
        seeded = bringing.digests()
        changed, payments = [], 0
        for manifest in manifests:
            digest = sha256_of(f"{config}\n{manifest.content_digest}".encode())
            if seeded.get((_TRANSACTIONS, manifest.key)) != digest:
                changed.append(manifest.key)
                payments += _bring(ws, portfolio, kinds, manifest, digest, bringing)
        said = _bring_reports(ws, portfolio, kinds, manifests, config, bringing, seeded)
        first = _microseconds(portfolio.partitioning.start(begin))
        dropped = bringing.drop_before(first, begin, _TRANSACTIONS)
    return SeedResult(tuple(changed), payments, said, dropped)


@dataclass(frozen=True)
class Standing:
    """Where a portfolio's online state stands.

    Attributes
    ----------
    number
        Of the latest decision.
    partitions
        Keys of the partitions of transactions that were brought, ascending.
    payments
        Rows of ``online_payment``: a transaction has one for each kind of entity.
    waiting
        Those among them that came online.
    reports
        Rows of ``online_report``.
    """

    number: int
    partitions: tuple[str, ...]
    payments: int
    waiting: int
    reports: int


def standing(ws: Workspace, portfolio: Portfolio) -> Standing:
    """Where a portfolio's online state stands."""
    name = {"name": portfolio.name}
    with open_engine(ws.database_url).connect() as connection:
        number = connection.execute(text("select number from online_portfolio where portfolio = :name"), name).scalar()
        keys = connection.scalars(text(_KEYS), {**name, "dataset": _TRANSACTIONS}).all()
        payments, waiting = connection.execute(text(_PAYMENTS), name).one()
        reports = connection.execute(text(_SAID), name).scalar_one()
    return Standing(number or 0, tuple(keys), payments, waiting, reports)


def is_served(ws: Workspace, portfolio: Portfolio) -> bool:
    """Whether a state is kept for a portfolio: whether it was ever scored at once, or seeded."""
    with open_engine(ws.database_url).connect() as connection:
        known = text("select exists (select from online_portfolio where portfolio = :name)")
        return bool(connection.scalar(known, {"name": portfolio.name}))


def _bring(
    ws: Workspace, portfolio: Portfolio, kinds: tuple[Kind, ...], manifest: Manifest, digest: str, bringing: Bringing
) -> int:
    """Bring one partition, some ten thousand transactions at a time."""
    table = ws.store.read(manifest, columns_of(portfolio, kinds))
    seeded = {"dataset": _TRANSACTIONS, "key": manifest.key, "digest": digest}
    parts = [*_stretches(portfolio, manifest.key, table)]
    brought = 0
    for number, (first, end, rows) in enumerate(parts, 1):
        lines = StoredRows(portfolio, kinds, rows).copied()
        brought += bringing.payments(lines, first, end, seeded if number == len(parts) else None)
    return brought


def _stretches(portfolio: Portfolio, key: str, table: pa.Table) -> Iterator[tuple[int, int, pa.Table]]:
    """The partition in stretches of time with not too many rows each: begin, end, rows."""
    begin, end = (_microseconds(edge(key)) for edge in (portfolio.partitioning.start, portfolio.partitioning.end))
    times = table["event_time"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    within = {times[place].as_py() for place in range(_AT_ONCE, len(times), _AT_ONCE)}
    for first, last in pairwise([begin, *sorted(within - {begin}), end]):
        yield first, last, table.filter(pc.and_(pc.greater_equal(times, first), pc.less(times, last)))


def _bring_reports(
    ws: Workspace,
    portfolio: Portfolio,
    kinds: tuple[Kind, ...],
    manifests: list[Manifest],
    config: str,
    bringing: Bringing,
    seeded: dict[tuple[str, str], str],
) -> int:
    """Bring what was said about transactions that can still matter."""
    if not any(kind.labels for kind in kinds):
        return 0
    feeds = portfolio.labels.datasets
    said = [
        ws.store.require(dataset, portfolio.name, key)
        for dataset in feeds
        for key in ws.store.keys(dataset, portfolio.name)
        if key >= manifests[0].key
    ]
    digest = sha256_of("\n".join([config, *(m.content_digest for m in (*manifests, *said))]).encode())
    if seeded.get((_REPORTS, "")) == digest:
        return 0
    wanted = _reports(ws, portfolio, kinds, manifests, [m.key for m in said])
    present = bringing.reports()
    changed = [name for name in {**wanted, **present} if wanted.get(name) != present.get(name)]
    bringing.say(
        [name for name in changed if name in present],
        [report for name in changed for report in wanted.get(name, ())],
        {"dataset": _REPORTS, "key": "", "digest": digest},
    )
    return len(changed)


def _reports(
    ws: Workspace, portfolio: Portfolio, kinds: tuple[Kind, ...], manifests: list[Manifest], arrived: list[str]
) -> dict[str, list[StoredReport]]:
    """Transaction → what was said about it, by the end of the last partition that there is of any dataset."""
    first, last = manifests[0].key, manifests[-1].key
    as_of = portfolio.partitioning.end(max([last, *arrived]))
    known = reports(ws, portfolio, as_of=as_of + portfolio.labels.delay, first=first, last=last)
    ids = pa.array(known["transaction_id"].unique().tolist(), pa.string())
    if not len(ids):
        return {}
    columns = columns_of(portfolio, kinds)
    tables = [ws.store.read(manifest, columns, among=Among("transaction_id", ids)) for manifest in manifests]
    rows = StoredRows(portfolio, kinds, of_ids(pa.concat_tables(tables), ids))
    found: dict[str, list[StoredReport]] = {}
    for report in rows.reports(known):
        found.setdefault(report[2], []).append(report)
    return found


def _microseconds(moment: datetime) -> int:
    return microseconds(moment - datetime.fromtimestamp(0, moment.tzinfo))
