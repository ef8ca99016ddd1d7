"""What in the section ``compliance`` does not go together with the rest of a portfolio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fraudops.portfolio.columns import Column, Role
from fraudops.portfolio.compliance import REFERENCE_FEEDS, Compliance
from fraudops.portfolio.durations import format_duration
from fraudops.portfolio.problems import Path, Problem, choose_of
from fraudops.portfolio.retention import Retention
from fraudops.portfolio.sources import Source

REFERENCE_COLUMNS: Mapping[str, frozenset[str]] = {
    "customers": frozenset(
        {
            "customer_id", "kind", "name", "aliases", "date_of_birth", "address_country", "risk_rating",
            "risk_rated_on", "documents", "opened_on",
        }
    ),
    "watchlist": frozenset({"list_version", "entry_id", "name", "aliases", "date_of_birth", "country", "program"}),
    "holidays": frozenset({"date", "name", "jurisdiction"}),
    "rates": frozenset({"date", "currency", "rate"}),
}  # fmt: skip
"""Feed → the columns of its files, by our names."""

_ROLES: Mapping[str, tuple[Role, ...]] = {
    "account": (Role.ACCOUNT,),
    "customer": (Role.ENTITY,),
    "counterparty": (Role.ACCOUNT,),
    "counterparty_country": (Role.CATEGORY,),
    "branch": (Role.CATEGORY, Role.ENTITY),
    "direction": (Role.CATEGORY,),
    "cash": (Role.BOOLEAN,),
    "on_behalf_of": (Role.ENTITY,),
    "channel": (Role.CATEGORY,),
}


@dataclass(frozen=True)
class Around:
    """What the section must go together with, as far as it could be read."""

    columns: Mapping[str, Column]
    all_columns: bool
    """Whether every column's role is known: only then is something known not to be there."""
    sources: tuple[Source, ...]
    """Of the transactions, and of what is said of them."""
    retention: Retention | None


def incoherent_compliance(compliance: Compliance, around: Around) -> Iterator[Problem]:
    """Columns that are not what the rules take them for, and feeds that could not be told apart or dated."""
    yield from _columns(compliance, around)
    yield from _feeds(compliance, around)
    yield from _kept(compliance, around)


def _columns(compliance: Compliance, around: Around) -> Iterator[Problem]:
    taken: dict[str, str] = {}
    for name, column in compliance.columns.given.items():
        path: Path = ("compliance", "columns", name)
        roles = " or ".join(repr(role.value) for role in _ROLES[name])
        found = around.columns.get(column)
        if found is None:
            if around.all_columns:
                message = f"there is no column {column!r}"
                yield Problem(path, message, remedy=choose_of(column, set(around.columns)))
        elif found.role not in _ROLES[name]:
            message = f"{column!r} has role {found.role.value!r}"
            yield Problem(path, message, remedy=f"it needs role {roles}")
        if column in taken:
            yield Problem(path, f"{column!r} is the {taken[column]} already", remedy="name another column")
        taken.setdefault(column, name)
    if around.all_columns:
        roles_given = {column.role for column in around.columns.values()}
        for role, why in ((Role.ID, "a hit names the transactions that it rests on"),
                          (Role.AMOUNT, "rules compare amounts")):  # fmt: skip
            if role not in roles_given:
                message = f"no column has role {role.value!r}: {why}"
                yield Problem(("compliance",), message, remedy=f"give one of the columns role {role.value}")


def _feeds(compliance: Compliance, around: Around) -> Iterator[Problem]:
    folders = {source.name for source in around.sources if source.is_fetched}
    patterns = {source.local_pattern for source in around.sources}
    for name, source in compliance.feeds.given.items():
        path: Path = ("compliance", "feeds", name)
        if source.is_database:
            message = "reference data arrives in files: the day in a file's name says since when it is known"
            yield Problem(path, message, remedy='give path, such as "' + name + '_{key}.csv*"')
            continue
        if "{key}" not in source.local_pattern:
            message = "nothing says when a file of this name arrived"
            remedy = f'put {{key}} in its place, such as "{name}_{{key}}.csv*"'
            yield Problem((*path, "path"), message, repr(source.path), remedy)
        if source.path is not None and not source.is_remote and ".." in source.path.split("/"):
            message = "the path leads out of the landing folder"
            yield Problem((*path, "path"), message, repr(source.path), "name files below it")
        if source.local_pattern in patterns:
            message = "another feed has the same files"
            yield Problem((*path, "path"), message, repr(source.path), "give each feed a pattern of its own")
        if source.is_fetched and source.name in folders:
            message = f"{source.name!r} is the name of another source"
            yield Problem((*path, "name"), message, remedy="give it a name of its own")
        if source.simulator and source.is_fetched:
            message = f"source {source.name!r} cannot be simulated: it is not a local file"
            yield Problem((*path, "simulator"), message)
        for column in source.columns:
            if column not in REFERENCE_COLUMNS[name]:
                message = f"none of our columns is called {column!r} (on the left stands our name)"
                yield Problem((*path, "columns", column), message, remedy=choose_of(column, REFERENCE_COLUMNS[name]))
        patterns.add(source.local_pattern)
        folders |= {source.name} if source.is_fetched else set()


def _kept(compliance: Compliance, around: Around) -> Iterator[Problem]:
    """What is in force may have arrived long ago: nothing may be removed that would still be read."""
    if around.retention is None or around.retention.reference is None:
        return
    kept, lookback = around.retention.reference, compliance.reference_lookback
    if lookback is None or lookback > kept:
        yield Problem(
            ("retention", "reference"),
            f"{', '.join(REFERENCE_FEEDS)}: what is still in force would be removed",
            format_duration(kept),
            "leave it out, or give compliance.reference_lookback, no longer than that, where files are whole each time",
        )
