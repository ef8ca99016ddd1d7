"""The same request again gets the same answer: by the header ``Idempotency-Key``, for a day.

Transactions are known by their ids in any case; a key also keeps an answer of many rows together, errors included.
Where the database is away the process remembers.
"""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError

from fraudops.database.online_models import IdempotencyKey
from fraudops.serving.problems import Kind, Problem

KEPT = timedelta(hours=24)
_MOST = 2_000
_HEADER = re.compile(r"[\x21-\x7e]{1,128}")


class Answers(Protocol):
    """Remembers answers."""

    def find(self, api_key: str, key: str, request: str) -> bytes | None:
        """What the same request was answered; blocking.

        Raises
        ------
        Problem
            The key came with another request.
        """

    def put(self, api_key: str, key: str, request: str, answer: bytes) -> None:
        """Remember an answer; blocking."""


class InMemory:
    """Of this process alone."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], tuple[str, bytes]] = OrderedDict()

    def find(self, api_key: str, key: str, request: str) -> bytes | None:
        """See :class:`Answers`."""
        found = self._known.get((api_key, key))
        return None if found is None else _same(request, *found)

    def put(self, api_key: str, key: str, request: str, answer: bytes) -> None:
        """See :class:`Answers`."""
        self._known[(api_key, key)] = (request, answer)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)


class InDatabase:
    """Of all processes; while the database is away, of this one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._beside = InMemory()

    def find(self, api_key: str, key: str, request: str) -> bytes | None:
        """See :class:`Answers`."""
        own = self._beside.find(api_key, key, request)
        if own is not None:
            return own
        columns = select(IdempotencyKey.request, IdempotencyKey.answer, IdempotencyKey.at)
        try:
            with self._engine.connect() as connection:
                row = connection.execute(
                    columns.where(IdempotencyKey.api_key == api_key, IdempotencyKey.key == key)
                ).one_or_none()
        except SQLAlchemyError:
            return None
        if row is None or row.at < datetime.now(UTC) - KEPT:
            return None
        return _same(request, row.request, row.answer.encode())

    def put(self, api_key: str, key: str, request: str, answer: bytes) -> None:
        """See :class:`Answers`."""
        self._beside.put(api_key, key, request, answer)
        values = {"request": request, "answer": answer.decode(), "at": datetime.now(UTC)}
        statement = insert(IdempotencyKey).values(api_key=api_key, key=key, **values)
        try:
            with self._engine.begin() as connection:
                # One that is older than a day is as good as none.
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=["api_key", "key"],
                        set_=values,
                        where=IdempotencyKey.at < datetime.now(UTC) - KEPT,
                    )
                )
        except SQLAlchemyError:
            return

    def prune(self) -> int:
        """Forget what is older than a day; returns how many there were."""
        with self._engine.begin() as connection:
            old = delete(IdempotencyKey).where(IdempotencyKey.at < datetime.now(UTC) - KEPT)
            return connection.execute(old).rowcount


def checked_key(text: str) -> str:
    """The header's value.

    Raises
    ------
    Problem
        It is empty, too long, or not of visible ASCII characters.
    """
    if _HEADER.fullmatch(text) is None:
        raise Problem(Kind.INVALID_REQUEST, "Idempotency-Key: 1 to 128 visible ASCII characters, such as a UUID.")
    return text


def digest_of(body: bytes, secret: bytes) -> str:
    """Digest of a body; keyed, as it may hold card numbers."""
    return hmac.digest(secret, b"fraudops idempotency\n" + body, "sha256").hex()


def _same(request: str, known: str, answer: bytes) -> bytes:
    if not hmac.compare_digest(request, known):
        raise Problem(Kind.IDEMPOTENCY_MISMATCH, "Give each request a key of its own.")
    return answer
