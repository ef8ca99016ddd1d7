"""What in the section ``columns`` does not go together."""

from __future__ import annotations

from collections.abc import Iterator

from fraudops.portfolio.columns import ENTITIES, TOKENS, Role, entity_name, stored_name
from fraudops.portfolio.problems import Problem
from fraudops.portfolio.sections import Sections

RESERVED = frozenset(
    {
        "transaction_id",
        "event_time",
        "amount",
        "amount_minor",
        "partition_key",
        "label",
        "slice",
        "score",
        "decision",
        "label_weight",
    }
)
"""Names that the store and the models use for something of their own."""


def incoherent_columns(found: Sections) -> Iterator[Problem]:
    """Roles, names, joins and entities that contradict each other."""
    yield from _roles(found)
    yield from _names(found)
    yield from _joins(found)
    yield from _entities(found)


def _roles(found: Sections) -> Iterator[Problem]:
    for role, at_least in ((Role.TIME, 1), (Role.AMOUNT, 0), (Role.ID, 0), (Role.LABEL, 0)):
        names = found.named(role)
        if len(names) > 1:
            message = f"{len(names)} have role {role.value!r}: {', '.join(names)}"
            yield Problem(("columns", names[-1]), message, remedy="one at most may have it")
        elif len(names) < at_least and found.all_columns:
            message = f"0 have role {role.value!r}"
            remedy = "say when a transaction happened: a column, parts, or rows_per_day where the file does not tell"
            yield Problem(("columns",), message, remedy=remedy)


def _names(found: Sections) -> Iterator[Problem]:
    own = (Role.ID, Role.TIME, Role.AMOUNT, Role.LABEL)
    for name, column in found.columns.items():
        if name in RESERVED and column.role not in own:
            message = f"{name!r} is a reserved name and cannot have role {column.role.value!r}"
            yield Problem(
                ("columns", name), message, remedy="choose another name, and map it under transactions.columns"
            )
        elif name.startswith("__") or not name.strip():
            yield Problem(("columns", name), f"{name!r} cannot be a column's name", remedy="begin it with a letter")
    stored: dict[str, str] = {}
    for name, column in found.columns.items():
        if column.role in (Role.IGNORE, *own):
            continue
        kept = stored_name(name, column)
        if kept in stored:
            message = f"would be stored as {kept!r}, as {stored[kept]!r} is"
            yield Problem(("columns", name), message, remedy="rename one of the two")
        stored.setdefault(kept, name)


def _joins(found: Sections) -> Iterator[Problem]:
    """What is protected must not come out through a join."""
    for name, column in found.columns.items():
        if not column.join or column.role is Role.PERSONAL:
            continue
        for part in column.join:
            for other, protected in found.columns.items():
                if protected.role in (*TOKENS, Role.PERSONAL) and _is(part, other, found):
                    yield Problem(
                        ("columns", name, "join"), f"{part!r} is {_what(protected.role)}, and would be stored in clear",
                        remedy="give this column role personal, or leave that one out of the join",
                    )  # fmt: skip


def _is(part: str, name: str, found: Sections) -> bool:
    return part == name or any(part == source.calls(name) for source in found.transactions)


def _what(role: Role) -> str:
    return {Role.CARD: "a card number", Role.ACCOUNT: "an account number"}.get(role, "personal")


def _entities(found: Sections) -> Iterator[Problem]:
    known: dict[str, str] = {}
    for name in found.named(*ENTITIES):
        entity = entity_name(name, found.columns[name])
        if entity in known:
            message = f"the entity {entity!r} is named by {known[entity]!r} already"
            yield Problem(("columns", name), message, remedy="give one of them another entity")
        known.setdefault(entity, name)
