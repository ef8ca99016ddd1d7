"""What in the section ``features`` does not go together with the columns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fraudops.aggregates import AGGREGATES
from fraudops.portfolio.behaviour import EntityFeatures
from fraudops.portfolio.columns import ENTITIES, Role, entity_name, stored_name
from fraudops.portfolio.feature_names import BehaviourFeature, behaviour_features
from fraudops.portfolio.problems import Path, Problem, choose_of, no_column
from fraudops.portfolio.sections import Sections


def incoherent_features(found: Sections) -> Iterator[Problem]:
    """Groups that measure what is not there, names that mean two things, columns left out that are not there."""
    yield from _behaviour(found)
    yield from _feature_names(found)
    yield from _excluded(found)


def _behaviour(found: Sections) -> Iterator[Problem]:
    for place, group in found.behaviour:
        path: Path = ("features", "behaviour", place)
        yield from _entities_of(group, path, found)
        yield from _aggregates_of(group, path, found)
        yield from _windows_of(group, path)


def _entities_of(group: EntityFeatures, path: Path, found: Sections) -> Iterator[Problem]:
    known = {entity_name(name, found.columns[name]) for name in found.named(*ENTITIES)}
    named = [("entity", name) for name in group.entities] + ([("of", group.of)] if group.of else [])
    for key, name in named:
        if name not in known and found.all_columns:
            remedy = choose_of(name, known) if known else "give a column the role entity"
            yield Problem((*path, key), f"there is no entity {name!r}", remedy=remedy)
    counting = [name for name in group.aggregates if AGGREGATES[name].other]
    if counting and not group.of:
        message = f"{', '.join(counting)}: counts another entity, and none is named"
        yield Problem((*path, "of"), message, remedy="say which one, such as of: terminal")
    if group.of and not counting:
        message = "none of these aggregates counts another entity"
        yield Problem((*path, "of"), message, remedy="take it out, or add the aggregate distinct")
    if group.of in group.entities:
        yield Problem((*path, "of"), f"{group.label!r} has one {group.of!r} only", remedy="name another entity")


def _aggregates_of(group: EntityFeatures, path: Path, found: Sections) -> Iterator[Problem]:
    of_amount = [name for name in group.aggregates if AGGREGATES[name].amount]
    if of_amount and not found.named(Role.AMOUNT) and found.all_columns:
        message = f"{', '.join(of_amount)}: no column has role 'amount'"
        yield Problem((*path, "aggregates"), message, remedy="take them out, or say which column is the amount")


def _windows_of(group: EntityFeatures, path: Path) -> Iterator[Problem]:
    if not group.windows and any(AGGREGATES[name].windowed for name in group.aggregates):
        message = f"entity {group.label!r} has aggregates but no windows"
        yield Problem((*path, "windows"), message, remedy="such as windows: [1d, 7d]")
    if any(window <= timedelta(0) for window in group.windows):
        yield Problem((*path, "windows"), "a window must be longer than nothing", remedy="such as 7d")


def _feature_names(found: Sections) -> Iterator[Problem]:
    behaviour = {feature for _, group in found.behaviour for feature in behaviour_features(group)}
    features = {feature.name for feature in behaviour} | set(found.calendar)
    for name, column in found.columns.items():
        if column.role is not Role.IGNORE and stored_name(name, column) in features:
            message = f"a feature has the name {stored_name(name, column)!r} as well"
            yield Problem(
                ("columns", name), message, remedy="choose another name, and map it under transactions.columns"
            )
    yield from _alike(found)


def _alike(found: Sections) -> Iterator[Problem]:
    """A pair's column must not have the name of another entity's."""
    meant: dict[str, BehaviourFeature] = {}
    for place, group in found.behaviour:
        for feature in behaviour_features(group):
            if meant.setdefault(feature.name, feature) != feature:
                message = f"another group has a feature of the name {feature.name!r}"
                yield Problem(("features", "behaviour", place), message, remedy="give one of the entities another name")
                break


def _excluded(found: Sections) -> Iterator[Problem]:
    for place, name in enumerate(found.exclude):
        if found.names is not None and name not in found.names:
            yield no_column(("features", "exclude", place), name, found.names)
