"""Tokens in the database: which texts are some, and putting those of new keys in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Column, String, Table, cast, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from fraudops.database import CaseFile, Filing, RuleHit
from fraudops.database.models import Base
from fraudops.keeping.rotation.folding import ACCOUNT
from fraudops.portfolio import TOKENS, Portfolio
from fraudops.portfolio.columns import entity_name

_TOKEN = r"[0-9a-f]{32}"
_WHOLE = re.compile(rf"(?<![0-9a-f]){_TOKEN}(?![0-9a-f])")
NEVER_CHANGED = frozenset({"ledger", "ledger_head", "case_event", "filing_event"})
"""Tables of which the database lets nobody change a row: what was written there stays as it was."""


class _Place(NamedTuple):
    """A column of a row that holds texts which may be tokens."""

    table: Table
    column: Column[Any]
    key: tuple[Any, ...]
    value: Any


def possible_tokens(session: Session) -> set[str]:
    """Every text in the database that is shaped like a token."""
    return {found for place in _places(session) for found in _WHOLE.findall(_as_text(place.value))}


def certain_tokens(session: Session, portfolio: Portfolio) -> set[str]:
    """Subjects that are cards or accounts, whether their transactions are still in the store or not."""
    kinds = [entity_name(name, portfolio.columns[name]) for name in portfolio.named(*TOKENS)]
    queries = [
        select(CaseFile.subject).where(CaseFile.portfolio == portfolio.name, CaseFile.subject_kind.in_(kinds)),
        select(Filing.subject).where(Filing.portfolio == portfolio.name, Filing.subject_kind.in_(kinds)),
        select(RuleHit.subject).where(RuleHit.portfolio == portfolio.name, RuleHit.kind == ACCOUNT),
    ]
    return {subject for query in queries for subject in session.scalars(query)}


def replace_tokens(session: Session, tokens: Mapping[str, str]) -> int:
    """Put new tokens in the place of old ones, wherever a row may be changed; returns how many rows were.

    Parameters
    ----------
    tokens
        Old → new.
    """

    def new(text: str) -> str:
        return _WHOLE.sub(lambda found: tokens.get(found[0], found[0]), text)

    count = 0
    for place in list(_places(session)):
        value = _changed(place.value, new)
        if value != place.value:
            keys = place.table.primary_key.columns
            where = [column == given for column, given in zip(keys, place.key, strict=True)]
            session.execute(update(place.table).where(*where).values({place.column.name: value}))
            count += 1
    return count


def _places(session: Session) -> Iterator[_Place]:
    for table in Base.metadata.sorted_tables:
        if table.name not in NEVER_CHANGED:
            yield from _of_table(session, table, _textual(table.columns))


def _of_table(session: Session, table: Table, columns: Iterable[Column[Any]]) -> Iterator[_Place]:
    keys = list(table.primary_key.columns)
    for column in columns:
        shaped = cast(column, String).regexp_match(_TOKEN)
        for *key, value in session.execute(select(*keys, column).where(shaped)):
            yield _Place(table, column, tuple(key), value)


def _textual(columns: Iterable[Column[Any]]) -> list[Column[Any]]:
    return [column for column in columns if isinstance(column.type, String | JSONB)]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _changed(value: Any, new: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return new(value)
    if isinstance(value, dict):
        return {_changed(name, new): _changed(item, new) for name, item in value.items()}
    return [_changed(item, new) for item in value] if isinstance(value, list) else value
