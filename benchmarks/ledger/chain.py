"""Writes a ledger of many entries, signed: ``python -m benchmarks.ledger.chain URL ENTRIES``."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from fraudops.database import migrate, open_engine
from fraudops.ledger.links import GENESIS, Signer, digest_of

KEY = b"k" * 32
_sign = Signer(KEY)
_ACTIONS = ("ingested", "scored", "alerts_raised", "notice_sent")
_BATCH = 50_000


def write(url: str, entries: int) -> None:
    """Fill an empty database: entries of four kinds, each with digests before and after."""
    migrate(url)
    connection = open_engine(url).raw_connection()
    try:
        cursor = connection.cursor()
        number, previous, lines = 0, GENESIS, io.StringIO()
        for row, digest in _entries(entries):
            number, previous = number + 1, digest
            lines.write(row)
            if number % _BATCH == 0 or number == entries:
                lines.seek(0)
                cursor.copy_expert("copy ledger from stdin", lines)
                lines = io.StringIO()
        cursor.execute("update ledger_head set number = %s, digest = %s where id = 1", (number, previous))
        connection.commit()
        connection.autocommit = True
        cursor.execute("analyze ledger")
    finally:
        connection.close()


def _entries(count: int) -> Iterator[tuple[str, str]]:
    """A line of ``copy``, and the digest that the next one follows."""
    begin, previous = datetime(2024, 1, 1, tzinfo=UTC), GENESIS
    for number in range(1, count + 1):
        action = _ACTIONS[number % len(_ACTIONS)]
        entry = {
            "number": number,
            "at": begin + timedelta(seconds=31 * number, microseconds=number % 1_000_000),
            "portfolio": "cards",
            "actor": f"service:cards_{action}",
            "action": action,
            "subject": f"cards/transactions/{begin + timedelta(days=number // 40):%Y-%m-%d}",
            "details": {"rows": number % 9_999, "before": _sign(f"b{number}"), "after": _sign(f"a{number}")},
        }
        digest = digest_of(previous=previous, **entry)  # type: ignore[arg-type]
        fields = [str(v) if k != "details" else json.dumps(v) for k, v in entry.items()]
        yield "\t".join([*fields, previous, digest, _sign(digest)]) + "\n", digest
        previous = digest


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]))
