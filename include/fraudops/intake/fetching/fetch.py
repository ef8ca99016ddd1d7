"""Fetching all of a portfolio's sources that lie elsewhere: what a partition needs, or what is new."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from fraudops.intake.feeds import Feed, labels_feed, transactions_feed
from fraudops.intake.fetching.access import Accesses, nothing_needed
from fraudops.intake.fetching.download import download
from fraudops.intake.fetching.extracts import extract_new, extract_partitions
from fraudops.intake.fetching.parquet import facts_of
from fraudops.intake.fetching.watermarks import Watermark, advance, watermark_of
from fraudops.portfolio import Portfolio, Source
from fraudops.store import canonical_json, sha256_of
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Reading:
    """Rows above a source's watermark that lie in the landing folder and wait to be landed."""

    source: Source
    file: Path
    rows: int
    reached: Watermark


@dataclass(frozen=True)
class Fetched:
    """What was brought into the landing folder."""

    notes: list[str] = field(default_factory=list)
    """A sentence on each source."""
    readings: list[Reading] = field(default_factory=list)
    """To be given to :func:`settle` once they have been landed."""


def fetch_partitions(
    ws: Workspace,
    portfolio: Portfolio,
    accesses: Accesses = nothing_needed,
    *,
    first: str | None = None,
    last: str | None = None,
) -> Fetched:
    """Fetch what these partitions consist of, whole: remote files, and extracts of databases, one per partition.

    Fetching again brings what is there now; a file that differs from the one before is landed as its correction.

    Parameters
    ----------
    accesses
        Says how to log in to a source.
    first, last
        The partitions, both included. Remote files are chosen by name where only one partition is asked for.

    Raises
    ------
    ContractError
        A source is not what the portfolio says, or may not be read.
    FraudopsError
        A source cannot be reached, or changed while it was read; trying again helps.
    """
    key = first if first == last else None
    notes = []
    with _alone(ws, portfolio):
        for feed in _feeds(portfolio):
            if feed.source.is_remote:
                notes.append(_download(ws, feed, accesses, key))
                continue
            folder = _folder(ws, feed)
            found = extract_partitions(feed, accesses(feed.source), folder, first, last)
            notes += [f"{feed.source.name}: {found.rows} rows of {len(found.files)} partitions", *found.notes]
    return Fetched(notes)


def fetch_new(ws: Workspace, portfolio: Portfolio, accesses: Accesses = nothing_needed) -> Fetched:
    """Fetch what is new: remote files, rows above watermarks; a database without a watermark is read whole.

    Raises as :func:`fetch_partitions` does.
    """
    notes, readings = [], []
    with _alone(ws, portfolio):
        for feed in _feeds(portfolio):
            source = feed.source
            if source.is_remote:
                notes.append(_download(ws, feed, accesses, None))
            elif source.watermark is None:
                found = extract_partitions(feed, accesses(source), _folder(ws, feed), None, None)
                notes += [f"{source.name}: {found.rows} rows of {len(found.files)} partitions", *found.notes]
            else:
                reading, said = _read_on(ws, portfolio, feed, accesses)
                notes += said
                readings += [reading] if reading is not None else []
    return Fetched(notes, readings)


def settle(ws: Workspace, portfolio: Portfolio, fetched: Fetched, *, actor: str) -> None:
    """Move the watermarks past what has been landed.

    Parameters
    ----------
    actor
        Airflow user, or ``service:<workflow>``.
    """
    for reading in fetched.readings:
        advance(ws, portfolio, reading.source, reading.reached, rows=reading.rows, actor=actor)


def _read_on(ws: Workspace, portfolio: Portfolio, feed: Feed, accesses: Accesses) -> tuple[Reading | None, list[str]]:
    source = feed.source
    before = watermark_of(ws.store, portfolio, source)
    number = before.readings + 1
    file = _folder(ws, feed) / f"read_{number:06d}.parquet"
    facts = {"number": str(number), "after": before.value or "", "reading": _digest_of_reading(feed)}
    waiting = facts_of(file)
    if waiting and all(waiting.get(name) == value for name, value in facts.items()):
        reached = before.model_copy(update={"value": waiting["reaches"], "readings": number})
        reading = Reading(source, file, int(waiting["rows"]), reached)
        return reading, [f"{source.name}: {reading.rows} rows were read before and wait to be landed"]
    found = extract_new(feed, accesses(source), file, before.value, facts)
    if found is None:
        return None, [f"{source.name}: nothing above {before.column} {before.value or '(nothing read yet)'}"]
    reached = before.model_copy(update={"value": found.watermark, "readings": number})
    said = f"{source.name}: {found.rows} rows, up to {before.column} {found.watermark}"
    return Reading(source, file, found.rows, reached), [said, *found.notes]


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


def _download(ws: Workspace, feed: Feed, accesses: Accesses, key: str | None) -> str:
    source = feed.source
    done = download(source, accesses(source), ws.landing / feed.portfolio, key)
    return f"{source.name}: {len(done.fetched)} files fetched, {done.known} unchanged"


def _feeds(portfolio: Portfolio) -> list[Feed]:
    """Feeds whose source lies elsewhere."""
    feeds = [transactions_feed(portfolio, source) for source in portfolio.transactions if source.is_fetched]
    if portfolio.labels.source is not None and portfolio.labels.source.is_fetched:
        feeds.append(labels_feed(portfolio, portfolio.labels.source))
    return feeds


def _folder(ws: Workspace, feed: Feed) -> Path:
    return ws.landing / feed.portfolio / feed.source.name


@contextmanager
def _alone(ws: Workspace, portfolio: Portfolio) -> Iterator[None]:
    """One fetching of a portfolio at a time: two would write into the same unfinished files."""
    with ws.transaction() as session:
        name = f"fraudops.fetching.{portfolio.name}"
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
        yield
