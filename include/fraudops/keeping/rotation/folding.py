"""The same rows under the tokens of new keys: what a partition's table becomes."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from fraudops.intake.tokens import token_of
from fraudops.portfolio import TOKENS, Portfolio
from fraudops.rules import CASH

ACCOUNT = "account"
"""Kind of a hit whose subject is an account."""


def token_columns(portfolio: Portfolio, dataset: str) -> list[str]:
    """Columns of a dataset that hold tokens and nothing else."""
    stored = [portfolio.stored_name(name) for name in portfolio.named(*TOKENS)]
    if dataset == "transactions":
        return stored
    if dataset == CASH and portfolio.compliance is not None:
        given = portfolio.compliance.columns.given
        return [name for name, column in given.items() if portfolio.stored_name(column) in stored]
    return []


def folded(column: pa.ChunkedArray, keys: Sequence[bytes]) -> pa.ChunkedArray:
    """A column of tokens, under further keys. Each different one is folded once."""
    whole = column.combine_chunks().cast(pa.string())
    encoded = (whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)).dictionary_encode()
    tokens = pa.array([token_of(text, keys) for text in encoded.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([tokens.take(encoded.indices)])


def folded_table(table: pa.Table, columns: Sequence[str], keys: Sequence[bytes]) -> pa.Table:
    """A table with some columns folded."""
    for name in columns:
        if name in table.column_names:
            place = table.column_names.index(name)
            table = table.set_column(place, table.schema.field(place), folded(table[name], keys))
    return table


def folded_hits(table: pa.Table, keys: Sequence[bytes]) -> pa.Table:
    """Hits whose subject is an account, under that account's new token."""
    rows = table.to_pylist()
    subjects = [token_of(row["subject"], keys) if row["kind"] == ACCOUNT else row["subject"] for row in rows]
    place = table.column_names.index("subject")
    return table.set_column(place, table.schema.field(place), pa.array(subjects, pa.string()))
