"""Corrections: of the rows of one transaction id the one that came last stays."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa

from fraudops.intake.feeds import Feed
from fraudops.intake.mapping import LINE
from fraudops.intake.merging import (
    FILE,
    SHA256,
    Duplicate,
    Kind,
    Merged,
    in_order,
    raw_rows,
    same_rows,
    wide_schema,
)

_ID = "transaction_id"


def replace(present: pa.Table, arriving: pa.Table, feed: Feed) -> Merged:
    """Merge arriving rows into a partition's as a log of changes: each row replaces those of its id before it.

    A row that says what is there already changes nothing, and is accepted: what is there keeps its origin.
    Where one landing brings several rows of an id, those that others replaced are set aside, so that nothing
    that came is lost.

    Parameters
    ----------
    present, arriving
        As in :func:`~fraudops.intake.merging.merge`; the feed has an id.
    """
    schema, stored = wide_schema(feed), present.num_rows
    rows = pa.concat_tables([present, arriving.select(schema.names).cast(schema)])
    encoded = rows[_ID].combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    numbers = np.arange(len(codes))
    last = np.empty(len(encoded.dictionary), np.int64)
    last[codes] = numbers
    others = np.flatnonzero(last[codes] != numbers)
    winners = last[codes[others]]
    equal = same_rows(rows.take(pa.array(others)), rows.take(pa.array(winners)), feed)
    keep = np.ones(len(codes), bool)
    keep[others] = False
    confirmed = equal & (others < stored)
    keep[others[confirmed]], keep[winners[confirmed]] = True, False
    again = np.r_[winners[confirmed], others[equal & (others >= stored)]]
    outdone = ~equal & (others >= stored)
    return in_order(
        Merged(
            rows.filter(pa.array(keep)),
            _describe(rows, others[outdone], winners[outdone], feed),
            Counter(rows[SHA256].take(pa.array(again)).to_pylist()),
        ),
        feed,
    )


def _describe(rows: pa.Table, outdone: np.ndarray, winners: np.ndarray, feed: Feed) -> list[Duplicate]:
    before, after = rows.take(pa.array(outdone)), rows.take(pa.array(winners))
    origin = [table.select([SHA256, LINE, FILE]).to_pylist() for table in (before, after)]
    found = []
    for raw, row, winner in zip(raw_rows(before, feed), *origin, strict=True):
        other = "" if row[SHA256] == winner[SHA256] else f" of {winner[FILE]}"
        reason = f"replaced by the same id as line {winner[LINE]}{other}"
        found.append(Duplicate(row[SHA256], row[LINE], reason, raw, Kind.REPEATED, winner[FILE]))
    return found
