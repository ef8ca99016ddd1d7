"""The feeds that rules need beside the transactions: what their columns are (``docs/feeds.md``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from fraudops.intake.feeds import Feed
from fraudops.intake.reference_values import countries, currencies, days, documents, jurisdictions, names, rates
from fraudops.intake.values import Parser, words
from fraudops.portfolio import Column, Portfolio, Role, Source
from fraudops.reference import SCHEMAS

KINDS = ("person", "business")
RATINGS = ("low", "medium", "high")

_DAY = pa.date32()


@dataclass(frozen=True)
class Shape:
    """What the files of a reference feed hold."""

    columns: Mapping[str, Column]
    parsers: Mapping[str, Parser]
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    is_whole: bool = False
    """Each file is all of it: one without rows would leave nothing in force."""
    alike: str | None = None
    """Column that says the same in every row of a file."""


def _column(role: Role = Role.CATEGORY, *, required: bool = False) -> Column:
    return Column(role=role, required=required)


def _shape(feed: str, source: Source) -> Shape:
    match feed:
        case "customers":
            return Shape(
                {
                    "customer_id": _column(Role.ENTITY, required=True),
                    "kind": _column(required=True),
                    "risk_rating": _column(),
                    "risk_rated_on": _column(),
                    "address_country": _column(),
                    "documents": _column(),
                    "opened_on": _column(),
                    "name": _column(Role.PERSONAL, required=True),
                    "aliases": _column(Role.PERSONAL),
                    "date_of_birth": _column(Role.PERSONAL),
                },
                {
                    "kind": partial(words, known=KINDS),
                    "risk_rating": partial(words, known=RATINGS),
                    "risk_rated_on": days,
                    "address_country": countries,
                    "documents": documents,
                    "opened_on": days,
                    "aliases": names,
                    "date_of_birth": days,
                },
                {"risk_rated_on": _DAY, "opened_on": _DAY, "date_of_birth": _DAY},
            )
        case "watchlist":
            return Shape(
                {
                    "list_version": _column(required=True),
                    "entry_id": _column(Role.ENTITY, required=True),
                    "name": _column(required=True),
                    "aliases": _column(),
                    "date_of_birth": _column(),
                    "country": _column(),
                    "program": _column(),
                },
                {"aliases": names, "date_of_birth": days},
                {"date_of_birth": _DAY},
                is_whole=True,
                alike="list_version",
            )
        case "holidays":
            return Shape(
                # A row without a name takes the day back.
                {"date": _column(required=True), "name": _column(), "jurisdiction": _column(required=True)},
                {"date": days, "jurisdiction": jurisdictions},
                {"date": _DAY},
            )
        case _:
            rate = SCHEMAS["rates"].field("rate").type
            return Shape(
                {"date": _column(required=True), "currency": _column(required=True), "rate": _column(required=True)},
                {"date": days, "currency": currencies, "rate": partial(rates, decimal=source.decimal)},
                {"date": _DAY, "rate": rate},
            )


def shape_of(feed: Feed) -> Shape:
    """What the files of a reference feed hold."""
    return _shape(feed.kind, feed.source)


def reference_feeds(portfolio: Portfolio) -> list[Feed]:
    """The portfolio's feeds of customers, watch lists, holidays and rates, as far as it has them."""
    return [_feed(portfolio, name, source) for name, source in portfolio.reference_feeds.items()]


def _feed(portfolio: Portfolio, name: str, source: Source) -> Feed:
    shape = _shape(name, source)
    return Feed(
        kind=name,
        portfolio=portfolio.name,
        source=source,
        columns=shape.columns,
        partition_hours=portfolio.partition_hours,
        parsers=shape.parsers,
        types=shape.types,
        is_of_file=True,
    )
