"""Fetching all of a portfolio's sources that lie elsewhere: what a partition needs, or what is new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from fraudops.intake.feeds import Feed, report_feeds, transactions_feed
from fraudops.intake.fetching.access import Accesses, nothing_needed
from fraudops.intake.fetching.download import download
from fraudops.intake.fetching.extracts import extract_new, extract_partitions
from fraudops.intake.fetching.parquet import facts_of
from fraudops.intake.fetching.watermarks import Watermark, advance, watermark_of
from fraudops.intake.files import FeedFiles
from fraudops.intake.reference_feeds import reference_feeds
from fraudops.portfolio import Portfolio, Role, Source
from fraudops.store import canonical_json, sha256_of
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Reading:
    """Rows above a source's watermark that lie in the landing folder and wait to be landed."""

    source: Source
    rows: int
    reached: Watermark


@dataclass(frozen=True)
class Fetched:
    """What was brought into the landing folder."""

    notes: list[str] = field(default_factory=list)
    """A sentence on each source."""
    read: FeedFiles = field(default_factory=FeedFiles)
    """Files with what databases said."""
    readings: list[Reading] = field(default_factory=list)
    """To be given to :func:`settle` once they have been landed."""


def fetch(
    ws: Workspace,
    portfolio: Portfolio,
    accesses: Accesses = nothing_needed,
    *,
    first: str | None = None,
    last: str | None = None,
) -> Fetched:
    """Fetch what some partitions consist of, whole; or, where none are named, what is new.

    Of a bucket or server, files that are not here yet or have changed. Of a database, each named partition's rows,
    into a file of its own; where none is named, the rows above the source's watermark, or everything if it has
    none. Fetching again brings what is there now.

    Parameters
    ----------
    accesses
        Says how to log in to a source.
    first, last
        The partitions, both included. Remote files are chosen by their name where only one partition is asked for.

    Raises
    ------
    ContractError
        A source is not what the portfolio says, or may not be read.
    FraudopsError
        A source cannot be reached, or changed while it was read; trying again helps.
    """
    fetched, feeds = Fetched(), _feeds(portfolio)
    is_limited = first is not None or last is not None
    with _alone(ws, portfolio) if feeds else nullcontext():
        for feed in feeds:
            if feed.source.is_remote:
                _download(ws, feed, accesses, first if first == last else None, fetched)
            elif feed.source.watermark is not None and not is_limited:
                _read_on(ws, portfolio, feed, accesses, fetched)
            else:
                _read_partitions(ws, feed, accesses, first, last, fetched)
    return fetched


def settle(ws: Workspace, portfolio: Portfolio, fetched: Fetched, *, actor: str) -> None:
    """Move the watermarks past what has been landed.

    Parameters
    ----------
    actor
        Airflow user, or ``service:<workflow>``.
    """
    for reading in fetched.readings:
        advance(ws, portfolio, reading.source, reading.reached, rows=reading.rows, actor=actor)


def _download(ws: Workspace, feed: Feed, accesses: Accesses, key: str | None, fetched: Fetched) -> None:
    source = feed.source
    done = download(source, accesses(source), ws.landing / feed.portfolio, key)
    fetched.notes.append(f"{source.name}: {len(done.fetched)} files fetched, {done.known} unchanged")


def _read_partitions(
    ws: Workspace, feed: Feed, accesses: Accesses, first: str | None, last: str | None, fetched: Fetched
) -> None:
    found = extract_partitions(feed, accesses(feed.source), _folder(ws, feed), first, last)
    fetched.notes.append(f"{feed.source.name}: {found.rows} rows of {len(found.files)} partitions")
    fetched.notes.extend(found.notes)
    _kind_of_file(feed, fetched.read).extend(found.files)


def _read_on(ws: Workspace, portfolio: Portfolio, feed: Feed, accesses: Accesses, fetched: Fetched) -> None:
    """Read above the watermark, unless what was read last time still waits to be landed."""
    source = feed.source
    before = watermark_of(ws.store, portfolio, source)
    number = before.readings + 1
    file = _folder(ws, feed) / f"read_{number:06d}.parquet"
    facts = {"number": str(number), "after": before.value or "", "reading": _digest_of_reading(feed)}
    waiting = facts_of(file)
    if waiting and all(waiting.get(name) == value for name, value in facts.items()):
        rows, value = int(waiting["rows"]), waiting["reaches"]
        fetched.notes.append(f"{source.name}: {rows} rows were read before and wait to be landed")
    else:
        found = extract_new(feed, accesses(source), file, before.value, facts)
        if found is None:
            fetched.notes.append(f"{source.name}: nothing new above {before.column} {before.value or 'at all'}")
            return
        rows, value = found.rows, found.watermark
        fetched.notes.extend([f"{source.name}: {rows} rows, up to {before.column} {value}", *found.notes])
    reached = before.model_copy(update={"value": value, "readings": number})
    fetched.readings.append(Reading(source, rows, reached))
    _kind_of_file(feed, fetched.read).append(file)


def _kind_of_file(feed: Feed, read: FeedFiles) -> list[Path]:
    """What a database said of transactions replaces what it said before, where an id tells which rows they are."""
    if feed.kind != "transactions":
        return read.of(feed.kind)
    return read.corrections if feed.of_role(Role.ID) else read.transactions


def _digest_of_reading(feed: Feed) -> str:
    """What a waiting file must agree with to be landed as it is: which columns of what were read."""
    source = feed.source
    content: dict[str, Any] = {
        "table": source.table,
        "query": source.query,
        "watermark": source.watermark,
        "fields": dict(feed.fields),
    }
    return sha256_of(canonical_json(content))


def _feeds(portfolio: Portfolio) -> list[Feed]:
    """Feeds whose source lies elsewhere."""
    feeds = [transactions_feed(portfolio, source) for source in portfolio.transactions if source.is_fetched]
    beside = [*report_feeds(portfolio), *reference_feeds(portfolio)]
    return feeds + [feed for feed in beside if feed.source.is_fetched]


def _folder(ws: Workspace, feed: Feed) -> Path:
    return ws.landing / feed.portfolio / feed.source.name


@contextmanager
def _alone(ws: Workspace, portfolio: Portfolio) -> Iterator[None]:
    """One fetching of a portfolio at a time: two would write into the same unfinished files."""
    with ws.transaction() as session:
        name = f"fraudops.fetching.{portfolio.name}"
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
        yield
