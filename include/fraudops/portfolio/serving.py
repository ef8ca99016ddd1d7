"""What a portfolio's YAML may say about transactions that are scored at once, and which of it does not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from fraudops.portfolio.columns import Column, Role
from fraudops.portfolio.problems import Problem
from fraudops.portfolio.sources import Source
from fraudops.portfolio.strict import Strict

ONLINE = "online"
"""Dataset of what was decided at once, and name of the source that brings such transactions into their partition."""


class Serving(Strict):
    """Transactions are scored as they happen, when somebody asks; docs/scoring-at-once.md."""

    enabled: bool = False
    """True: the scoring service answers for this portfolio."""
    collect: bool = True
    """What was scored at once is landed for its partition, beside whatever file the bank sends. False: a file brings
    the same transactions, with the same ids."""
    without_database: Literal["answer", "refuse"] = "answer"
    """While the database is away. ``answer``: from what the service remembers, which the answer says; decisions wait in
    an encrypted file. ``refuse``: the caller is told to come again."""

    @property
    def needs_protection(self) -> bool:
        """Whether rows are kept as they were received, which is encrypted only."""
        return self.enabled and (self.collect or self.without_database == "answer")


def online_source(serving: Serving, transactions: tuple[Source, ...]) -> Source | None:
    """Where what was scored at once lies for a moment, until it is landed; None where a file brings it.

    Columns have the portfolio's own names, and values are written as in its first source.
    """
    if not (serving.enabled and serving.collect):
        return None
    written = {name: getattr(transactions[0], name) for name in ("decimal", "thousands", "missing")}
    return Source(name=ONLINE, path="online/{key}.parquet", format="parquet", **written)


def incoherent_serving(
    serving: Serving, columns: Mapping[str, Column], transactions: tuple[Source, ...]
) -> Iterator[Problem]:
    """A portfolio whose transactions cannot be scored at once, or not be found again in their partition.

    Parameters
    ----------
    columns
        All of the portfolio's.
    transactions
        Its own sources.
    """
    if not serving.enabled:
        return
    if not any(column.role is Role.ID for column in columns.values()):
        yield Problem(
            ("serving", "enabled"),
            "no column has role 'id': what was decided at once could not be found among the rows of its partition",
            "true",
            "say which column is the transaction's id, or leave scoring to the batch",
        )
    if serving.collect and any(column.role is Role.LABEL for column in columns.values()):
        yield Problem(
            ("serving", "collect"),
            "a column of the transactions is the label, which nobody knows when a transaction is scored at once",
            "true",
            "serving.collect: false, and let the bank's file bring the rows; or a feed of labels",
        )
    for place, source in enumerate(transactions):
        if serving.collect and source.name == ONLINE:
            message = f"{ONLINE!r} is the source of what was scored at once"
            yield Problem(("transactions", place, "name"), message, repr(ONLINE), "give this source another name")
