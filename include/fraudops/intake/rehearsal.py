"""Holds a data file against a portfolio without landing it: which columns are there, which rows would be usable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fraudops.intake.feeds import transactions_feed
from fraudops.intake.files import source_of
from fraudops.intake.mapping import Mapper
from fraudops.intake.reading import Batch, column_names, read_batches
from fraudops.portfolio import Portfolio

FIRST_ROWS = 10_000
"""Rows that are tried."""


@dataclass(frozen=True)
class Rehearsal:
    """What landing a file's first rows would do."""

    source: str
    missing: Mapping[str, str]
    """Columns that the portfolio reads and the file has not: our name → the file's."""
    unnamed: tuple[str, ...]
    """Columns of the file that the portfolio does not name; they would be passed over."""
    rows: int
    quarantined: int
    reasons: Mapping[str, int]
    """Why rows would go to quarantine: ``column: reason`` → rows, the most frequent first."""
    partitions: int
    """How many partitions the rows fall into."""


def rehearse(portfolio: Portfolio, path: Path, landing: Path, rows: int = FIRST_ROWS) -> Rehearsal:
    """Read a file's header and first rows as landing would; nothing is written.

    Parameters
    ----------
    landing
        Folder in which files arrive, one folder a portfolio.

    Raises
    ------
    ContractError
        The file cannot be read as the portfolio says.
    """
    source = source_of(portfolio, path, landing / portfolio.name)
    feed = transactions_feed(portfolio, source)
    names = column_names(path, feed)
    missing = {ours: theirs for ours, theirs in feed.fields.items() if theirs not in names}
    known = {*feed.fields.values(), *feed.ignored}
    unnamed = tuple(name for name in names if name not in known)
    if any(not feed.may_be_missing(name) for name in missing):
        return Rehearsal(source.name, missing, unnamed, 0, 0, {}, 0)
    mapper = Mapper(feed, b"only to see whether a card number is one")
    reasons: Counter[str] = Counter()
    codes: set[int] = set()
    read, rejected = 0, 0
    with closing(read_batches(path, feed, [])) as batches:  # type: ignore[type-var]
        for batch in batches:
            mapped = mapper.map(_first(batch, rows - read))
            read += mapped.rows.num_rows + len(mapped.rejected)
            rejected += len(mapped.rejected)
            codes |= set(mapped.codes.tolist())
            reasons.update(f"{item.column}: {item.reason}" if item.column else item.reason for item in mapped.rejected)
            if read >= rows:
                break
    return Rehearsal(source.name, missing, unnamed, read, rejected, dict(reasons.most_common()), len(codes))


def _first(batch: Batch, rows: int) -> Batch:
    """The first rows of a batch."""
    if len(batch.lines) <= rows:
        return batch
    last = batch.lines[rows - 1]
    columns = {name: values.slice(0, rows) for name, values in batch.columns.items()}
    broken = [item for item in batch.broken if item.line <= last]
    return Batch(columns, batch.lines[:rows], broken, batch.undecodable)
