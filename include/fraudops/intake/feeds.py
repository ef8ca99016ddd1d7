"""What a feed's files must hold: the transactions as the portfolio describes them, or what is said beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import pyarrow as pa

from fraudops.intake.values import Parser, words
from fraudops.portfolio import REFERENCE_FEEDS, TOKENS, Column, Partitioning, Portfolio, Role, Source
from fraudops.store import canonical_json, sha256_of

MOMENT = pa.timestamp("us", tz="UTC")
REPORTED_AT = "reported_at"
FINDINGS = ("fraud", "not_fraud", "insufficient")
"""What an investigator may find; the last one says nothing about the transaction."""
_TYPES = {
    Role.ID: pa.string(),
    Role.TIME: MOMENT,
    Role.AMOUNT: pa.float64(),
    Role.ENTITY: pa.string(),
    Role.CARD: pa.string(),
    Role.ACCOUNT: pa.string(),
    Role.NUMBER: pa.float64(),
    Role.CATEGORY: pa.string(),
    Role.BOOLEAN: pa.bool_(),
    Role.LABEL: pa.bool_(),
}


@dataclass(frozen=True)
class Feed:
    """One feed of a portfolio."""

    kind: str
    """``transactions``, ``labels``, ``dispositions``, or one of the reference feeds."""
    portfolio: str
    source: Source
    columns: Mapping[str, Column]
    """Our names → what the columns are; without those that are ignored."""
    start: datetime | None = None
    end: datetime | None = None
    partition_hours: int = 24
    minor_digits: int = 2
    ignored: frozenset[str] = frozenset()
    """Columns of the file that the portfolio names in order to pass over them."""
    parsers: Mapping[str, Parser] = field(default_factory=dict)
    """Columns whose values are more than their role says."""
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    """Those of them that are stored otherwise than their role is."""
    is_of_file: bool = False
    """Rows belong to the partition that the file's name says, and are no transactions."""

    @property
    def fields(self) -> dict[str, str]:
        """What is read of a file: our name (or that of a part of one of our columns) → what the file calls it."""
        names = dict.fromkeys(
            field
            for name, column in self.columns.items()
            for field in ([name] if column.is_in_file else column.is_made_of)
        )
        return {name: self.source.calls(name) for name in names}

    def file_column(self, name: str) -> str:
        """What the file calls one of our columns; the names of all parts where it is put together."""
        column = self.columns.get(name)
        if column is not None and column.is_made_of:
            return " + ".join(self.source.calls(part) for part in column.is_made_of)
        return self.source.calls(name)

    def role_of_field(self, name: str) -> Role:
        """The most confidential role of the columns that a field of the file is read for."""
        roles = {column.role for ours, column in self.columns.items() if name == ours or name in column.is_made_of}
        return next((role for role in (*TOKENS, Role.PERSONAL) if role in roles), Role.NUMBER)

    @property
    def partitioning(self) -> Partitioning:
        """How its time is cut."""
        return Partitioning(self.partition_hours)

    def of_role(self, *roles: Role) -> list[str]:
        """Our names of the columns with one of these roles."""
        return [name for name, column in self.columns.items() if column.role in roles]

    def may_be_missing(self, name: str) -> bool:
        """Whether a file may come without a field: nobody knows the label when a payment is made."""
        return self.kind == "transactions" and name in self.columns and self.columns[name].role is Role.LABEL

    def stored_name(self, name: str) -> str:
        """The column's name in the store."""
        fixed = {Role.ID: "transaction_id", Role.AMOUNT: "amount", Role.LABEL: "label"}
        role = self.columns[name].role
        if role is Role.TIME:
            return "event_time" if self.kind == "transactions" else REPORTED_AT
        return fixed.get(role) or (f"{name.removesuffix('_number')}_token" if role in TOKENS else name)

    @property
    def content(self) -> pa.Schema:
        """What is stored of a row, but for its id: the id of a row without one is made from this."""
        fields = [pa.field(self.stored_name(name), _TYPES[Role.TIME]) for name in self.of_role(Role.TIME)]
        for name in self.of_role(Role.AMOUNT):
            fields += [pa.field(self.stored_name(name), pa.float64()), pa.field("amount_minor", pa.int64())]
        for name, column in self.columns.items():
            if column.role not in (Role.ID, Role.TIME, Role.AMOUNT, Role.PERSONAL):
                fields.append(pa.field(self.stored_name(name), self.types.get(name, _TYPES[column.role])))
        return pa.schema(fields)

    @property
    def stored(self) -> pa.Schema:
        """Columns of the partition, in their order."""
        return self.content if self.is_of_file else pa.schema([pa.field("transaction_id", pa.string()), *self.content])

    @property
    def protected(self) -> pa.Schema:
        """What the protected area keeps of a row, but for its id; empty where there is nothing to protect."""
        fields = []
        for name in self.of_role(Role.CARD):
            fields += [pa.field(text, pa.string()) for text in self.card_parts(name)]
        fields += [pa.field(name, self.types.get(name, pa.string())) for name in self.of_role(Role.PERSONAL)]
        return pa.schema(fields)

    def card_parts(self, name: str) -> tuple[str, str]:
        """Names of a card column's BIN and last four; ``card_bin``, ``card_last4`` where it is the only one."""
        only = len(self.of_role(Role.CARD)) == 1
        stem = "card" if only else name.removesuffix("_number")
        return f"{stem}_bin", f"{stem}_last4"


def transactions_feed(portfolio: Portfolio, source: Source | None = None) -> Feed:
    """The portfolio's transactions, as one of its sources writes them (default: the first).

    What is stored is the same for every source.
    """
    source = source or portfolio.transactions[0]
    used = {
        name: source.column(name, column)
        for name, column in portfolio.columns.items()
        if column.role is not Role.IGNORE
    }
    ignored = portfolio.named(Role.IGNORE)
    return Feed(
        kind="transactions",
        portfolio=portfolio.name,
        source=source,
        columns=used,
        start=portfolio.start,
        end=portfolio.end,
        partition_hours=portfolio.partition_hours,
        minor_digits=portfolio.minor_digits,
        ignored=frozenset(source.calls(name) for name in ignored),
    )


def labels_feed(portfolio: Portfolio, source: Source) -> Feed:
    """The portfolio's reports of fraud: ``transaction_id``, ``reported_at``, ``label``."""
    return Feed(
        kind="labels",
        portfolio=portfolio.name,
        source=source,
        columns={
            "transaction_id": Column(role=Role.ID),
            REPORTED_AT: Column(role=Role.TIME),
            "label": Column(role=Role.LABEL, required=True),
        },
        partition_hours=portfolio.partition_hours,
    )


def dispositions_feed(portfolio: Portfolio, source: Source) -> Feed:
    """What investigators found: ``transaction_id``, ``reported_at``, ``finding``, ``by``."""
    return Feed(
        kind="dispositions",
        portfolio=portfolio.name,
        source=source,
        columns={
            "transaction_id": Column(role=Role.ID),
            REPORTED_AT: Column(role=Role.TIME),
            "finding": Column(role=Role.CATEGORY, required=True),
            "by": Column(role=Role.CATEGORY, required=True),
        },
        partition_hours=portfolio.partition_hours,
        parsers={"finding": partial(words, known=FINDINGS)},
    )


def report_feeds(portfolio: Portfolio) -> list[Feed]:
    """The feeds that say what transactions were."""
    build = {"labels": labels_feed, "dispositions": dispositions_feed}
    return [build[dataset](portfolio, source) for dataset, source in portfolio.labels.feeds.items()]


def partition_config(portfolio: Portfolio, kind: str) -> str:
    """Digest of the configuration that a feed's partitions depend on, whatever source their rows come from."""
    if kind in REFERENCE_FEEDS:
        return portfolio.digest_of("partition_hours")
    if kind != "transactions":
        return portfolio.digest_of("labels", "partition_hours")
    return portfolio.digest_of("columns", "start", "end", "partition_hours", "minor_digits")


def file_config(portfolio: Portfolio, feed: Feed) -> str:
    """Digest of the configuration that the rows of a file depend on; another source changes nothing in it."""
    # Where files come from, and when, is not what their rows mean.
    reading = feed.source.model_dump(mode="json", exclude_defaults=True, exclude=_WHERE)
    return sha256_of(canonical_json({"source": reading, "partition": partition_config(portfolio, feed.kind)}))


_WHERE = {"path", "connection", "table", "query", "watermark", "overlap", "batch_rows", "simulator"}
