"""Columns of the reference datasets, as they are stored and as they are read."""

from __future__ import annotations

import pyarrow as pa

from fraudops.portfolio import CUSTOMERS_PROTECTED

MOMENT = pa.timestamp("us", tz="UTC")
RATE = pa.decimal128(18, 8)

_KNOWN = pa.field("known_at", MOMENT)

SCHEMAS = {
    "customers": pa.schema(
        [
            ("customer_id", pa.string()),
            ("kind", pa.string()),
            ("risk_rating", pa.string()),
            ("risk_rated_on", pa.date32()),
            ("address_country", pa.string()),
            ("documents", pa.string()),
            ("opened_on", pa.date32()),
            _KNOWN,
        ]
    ),
    CUSTOMERS_PROTECTED: pa.schema(
        [
            ("customer_id", pa.string()),
            ("name", pa.string()),
            ("aliases", pa.string()),
            ("date_of_birth", pa.date32()),
            _KNOWN,
        ]
    ),
    "watchlist": pa.schema(
        [
            ("list_version", pa.string()),
            ("entry_id", pa.string()),
            ("name", pa.string()),
            ("aliases", pa.string()),
            ("date_of_birth", pa.date32()),
            ("country", pa.string()),
            ("program", pa.string()),
            _KNOWN,
        ]
    ),
    "holidays": pa.schema(
        [("date", pa.date32()), ("name", pa.string()), ("jurisdiction", pa.string()), _KNOWN],
    ),
    "rates": pa.schema([("date", pa.date32()), ("currency", pa.string()), ("rate", RATE), _KNOWN]),
}
"""Dataset → what is read of it. ``known_at`` is the end of the partition in which the file arrived."""

ORIGIN = pa.schema([("file", pa.string()), ("line", pa.int64())])
"""Where a row came from: path below the landing folder, line of the file. Stored behind the others."""

IDENTITY = {
    "customers": ("customer_id",),
    CUSTOMERS_PROTECTED: ("customer_id",),
    "watchlist": ("entry_id",),
    "holidays": ("jurisdiction", "date"),
    "rates": ("currency", "date"),
}
"""Dataset → what a row is about: a later one takes the place of an earlier one, and a file says it once."""


def stored_schema(dataset: str) -> pa.Schema:
    """Columns of a partition, in their order."""
    return pa.schema([*SCHEMAS[dataset], *ORIGIN])
