"""Reports of fraud: who said what about which transaction, and from when on that is known."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from fraudops.intake.feeds import MOMENT, REPORTED_AT

SCHEMA = pa.schema(
    [("transaction_id", pa.string()), ("label", pa.bool_()), (REPORTED_AT, MOMENT), ("known_at", MOMENT)]
)
_ORDER = [(REPORTED_AT, "ascending"), ("transaction_id", "ascending"), ("label", "ascending")]


def merge_reports(known: pa.Table | None, arriving: pa.Table, known_at: datetime) -> pa.Table:
    """A partition's reports with those that arrive; one that is there already is the same report.

    Parameters
    ----------
    known
        The partition as it is, None where there is none.
    known_at
        End of the partition: nothing before that moment may know these reports.
    """
    names = [name for name in SCHEMA.names if name != "known_at"]
    tables = [arriving.select(names)] if known is None else [known.select(names), arriving.select(names)]
    distinct = pa.concat_tables(tables).group_by(names).aggregate([]).select(names).sort_by(_ORDER)
    moments = pa.array([known_at] * distinct.num_rows, MOMENT)
    return distinct.append_column("known_at", moments).cast(SCHEMA).combine_chunks()
