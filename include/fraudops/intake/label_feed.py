"""What was said about which transaction, by whom, and from when on that is known: chargebacks and dispositions."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from fraudops.intake.feeds import MOMENT, REPORTED_AT

SCHEMAS = {
    "labels": pa.schema(
        [("transaction_id", pa.string()), ("label", pa.bool_()), (REPORTED_AT, MOMENT), ("known_at", MOMENT)]
    ),
    "dispositions": pa.schema(
        [
            ("transaction_id", pa.string()),
            ("finding", pa.string()),
            ("by", pa.string()),
            (REPORTED_AT, MOMENT),
            ("known_at", MOMENT),
        ]
    ),
}
"""Dataset → its columns. The two feeds are kept apart: they are of different kinds, and one does not make good for
the other."""


def merge_reports(dataset: str, known: pa.Table | None, arriving: pa.Table, known_at: datetime) -> pa.Table:
    """A partition's reports with those that arrive; one that is there already is the same report.

    Parameters
    ----------
    dataset
        ``labels`` or ``dispositions``.
    known
        The partition as it is, None where there is none.
    known_at
        End of the partition: nothing before that moment may know these reports.
    """
    schema = SCHEMAS[dataset]
    names = [name for name in schema.names if name != "known_at"]
    tables = [arriving.select(names)] if known is None else [known.select(names), arriving.select(names)]
    leading = (REPORTED_AT, "transaction_id")
    order = [(name, "ascending") for name in (*leading, *(name for name in names if name not in leading))]
    distinct = pa.concat_tables(tables).group_by(names).aggregate([]).select(names).sort_by(order)
    moments = pa.array([known_at] * distinct.num_rows, MOMENT)
    return distinct.append_column("known_at", moments).cast(schema).combine_chunks()
