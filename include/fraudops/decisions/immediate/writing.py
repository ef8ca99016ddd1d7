"""Writes decisions into their table: by COPY, in PostgreSQL's binary format, which costs a tenth of an INSERT.

References
----------
PostgreSQL documentation, COPY, "Binary Format"; the types' send functions in src/backend/utils/adt.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from fraudops.decisions.immediate.judging import Verdict
from fraudops.evaluation.costs import ALLOW
from fraudops.online import Transaction

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_END = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_SHORT, _LONG = struct.Struct(">h"), struct.Struct(">i")
_INTEGER, _BIGINT = struct.Struct(">ii"), struct.Struct(">iq")
_DOUBLE, _BOOL = struct.Struct(">id"), struct.Struct(">i?")
_ARRAY = struct.Struct(">iiiii")
_FLOAT8 = 701
"""PostgreSQL's number of the type."""
_SINCE_2000 = 946_684_800_000_000
"""Microseconds from 1970 to 2000, from where PostgreSQL counts."""
_EPOCH, _MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode
_COLUMNS = (
    "portfolio", "number", "decision_id", "transaction_id", "partition_key", "event_time", "received_at",
    "amount_minor", "content", "row", "raw", "features", "config", "model_id", "score", "decision", "route",
    "propensity", "reasons", "explanation", "degraded", "followed_up", "told",
)  # fmt: skip
_COPY = f"copy online_decision ({', '.join(_COLUMNS)}) from stdin with (format binary)"


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision as it is recorded, but for its number.

    Attributes
    ----------
    raw
        Encrypted; None where it is not kept.
    config
        Digest of the configuration that the features depend on.
    """

    decision_id: str
    transaction: Transaction
    partition_key: str
    received_at: datetime
    content: str
    raw: bytes | None
    features: Sequence[float]
    config: str
    model_id: int
    verdict: Verdict
    degraded: tuple[str, ...] = ()

    @property
    def is_followed_up(self) -> bool:
        """Whether nobody is to be told of it."""
        return self.verdict.decision == ALLOW


def insert(connection: Connection, portfolio: str, first: int, entries: Sequence[Entry]) -> None:
    """Write decisions that nobody has made before, within the connection's transaction.

    Parameters
    ----------
    first
        Number of the first one; the others follow.
    """
    content = b"".join([_SIGNATURE, *_rows(portfolio, first, entries), _END])
    with raw_cursor(connection) as cursor:
        cursor.copy_expert(_COPY, io.BytesIO(content))


@contextmanager
def raw_cursor(connection: Connection) -> Iterator[Any]:
    """The driver's own cursor: it knows COPY, and costs less for each call."""
    cursor = connection.connection.cursor()
    try:
        yield cursor
    finally:
        cursor.close()


def microseconds(moment: datetime) -> int:
    """Since 1970, UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def reasons_of(verdict: Verdict) -> list[dict[str, str]]:
    """As they are stored."""
    return [{"code": reason.code, "text": reason.text} for reason in verdict.reasons]


# -- inside ---------------------------------------------------------------------------------------------------


def _rows(portfolio: str, first: int, entries: Iterable[Entry]) -> list[bytes]:
    arrays: dict[int, Callable[..., bytes]] = {}
    head = _SHORT.pack(len(_COLUMNS)) + _text(portfolio)
    found = []
    for number, entry in enumerate(entries, start=first):
        one, verdict, width = entry.transaction, entry.verdict, len(entry.features)
        if width not in arrays:
            arrays[width] = struct.Struct(">" + "id" * width).pack
        found.append(
            b"".join(
                (
                    head,
                    _BIGINT.pack(8, number),
                    _text(entry.decision_id),
                    _text(one.id),
                    _text(entry.partition_key),
                    _BIGINT.pack(8, one.event_time - _SINCE_2000),
                    _BIGINT.pack(8, microseconds(entry.received_at) - _SINCE_2000),
                    _NULL if one.amount_minor is None else _BIGINT.pack(8, one.amount_minor),
                    _text(entry.content),
                    _json(dict(one.row)),
                    _NULL if entry.raw is None else _LONG.pack(len(entry.raw)) + entry.raw,
                    _floats(entry.features, arrays[width]),
                    _text(entry.config),
                    _INTEGER.pack(4, entry.model_id),
                    _DOUBLE.pack(8, verdict.score),
                    _text(verdict.decision),
                    _text(verdict.route),
                    _DOUBLE.pack(8, verdict.propensity),
                    _json(reasons_of(verdict)) if verdict.reasons else _NOTHING,
                    _NULL if verdict.explanation is None else _json(verdict.explanation),
                    _json(entry.degraded) if entry.degraded else _NOTHING,
                    _BOOL.pack(1, entry.is_followed_up),
                    _BOOL.pack(1, entry.is_followed_up),
                )
            )
        )
    return found


def _text(value: str) -> bytes:
    content = value.encode()
    return _LONG.pack(len(content)) + content


def _json(value: Any) -> bytes:
    content = b"\x01" + _encode(value).encode()
    return _LONG.pack(len(content)) + content


_NOTHING = _json([])


def _floats(values: Sequence[float], pack: Callable[..., bytes]) -> bytes:
    """An array of one dimension, whose first place is 1; each value has its length before it."""
    if not values:
        return _LONG.pack(12) + struct.pack(">iii", 0, 0, _FLOAT8)
    flat: list[float] = [8] * (2 * len(values))
    flat[1::2] = values
    content = pack(*flat)
    return _LONG.pack(20 + len(content)) + _ARRAY.pack(1, 0, _FLOAT8, len(values), 1) + content
