"""What somebody with the database but without the key can do to the ledger, and what verification says of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from fraudops.database import transaction
from fraudops.ledger import verify
from fraudops.ledger.links import GENESIS, Signer, digest_of
from fraudops.stack.postgres import Postgres
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tests.databases import as_owner, with_tables
from tests.ledger.entries import KEY, append, findings

Attack = Callable[[Connection], None]
COLUMNS = "number, at, portfolio, actor, action, subject, details, previous, digest, signature"


def _sql(*statements: str) -> Attack:
    def run(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    return run


def _renumber(first: int, by: int) -> str:
    """Move entries on or back, past the unique key."""
    return (
        f"update ledger set number = -number where number >= {first};"
        f"update ledger set number = -number + {by} where number < 0"
    )


def _swap(a: int, b: int) -> str:
    return f"""update ledger set number = -1 where number = {a}; update ledger set number = {a} where number = {b};
        update ledger set number = {b} where number = -1"""


def _insert(number: int, previous: str = "repeat('a', 64)") -> str:
    return f"""insert into ledger ({COLUMNS}) select {number}, now(), 'cards', 'mallory', 'promoted', 'x', '{{}}',
        {previous}, md5('{number}') || md5('{number}'), repeat('b', 64)"""


def _rebuild(first: int, change: dict[str, Any]) -> Attack:
    """Change an entry, then compute every digest from there on anew, signed with another key; the head too."""

    def run(connection: Connection) -> None:
        rows = connection.execute(text(f"select {COLUMNS} from ledger order by number")).mappings().all()
        previous = rows[first - 2]["digest"] if first > 1 else GENESIS
        sign = Signer(b"m" * 32)
        for row in rows[first - 1 :]:
            content = {name: row[name] for name in row if name not in ("previous", "digest", "signature")}
            content |= change if row["number"] == first else {}
            digest = digest_of(previous=previous, **content)
            connection.execute(
                text(
                    "update ledger set actor = :actor, previous = :previous, digest = :digest, signature = :signature"
                    " where number = :number"
                ),
                {**content, "previous": previous, "digest": digest, "signature": sign(digest), "details": None},
            )
            previous = digest
        connection.execute(text("update ledger_head set digest = :digest"), {"digest": previous})

    return run


ATTACKS: dict[str, tuple[Attack, list[tuple[str, int, int]]]] = {
    "altered": (_sql("update ledger set actor = 'mallory' where number = 3"), [("altered", 3, 3)]),
    "altered first": (_sql("update ledger set actor = 'mallory' where number = 1"), [("altered", 1, 1)]),
    "altered last": (_sql("update ledger set at = at + interval '1 s' where number = 8"), [("altered", 8, 8)]),
    "details altered": (_sql("update ledger set details = '{}' where number = 5"), [("altered", 5, 5)]),
    "signature altered": (_sql("update ledger set signature = repeat('0', 64) where number = 2"), [("altered", 2, 2)]),
    "altered, digest and all": (
        _sql("update ledger set actor = 'm', digest = repeat('1', 64), signature = repeat('2', 64) where number = 4"),
        [("altered", 4, 4)],
    ),
    "altered, and its digest computed anew": (
        lambda connection: _one_rebuilt(connection, 4),
        [("altered", 4, 4)],
    ),
    "removed": (_sql("delete from ledger where number = 3"), [("missing", 3, 3)]),
    "three removed": (_sql("delete from ledger where number in (3, 4, 5)"), [("missing", 3, 5)]),
    "first removed": (_sql("delete from ledger where number = 1"), [("missing", 1, 1)]),
    "removed, the others moved up": (
        _sql("delete from ledger where number = 3", _renumber(4, -1)),
        [("reordered", 3, 7), ("cut off", 8, 8)],
    ),
    "inserted, the others moved on": (
        _sql(_renumber(4, 1), _insert(4)),
        [("inserted", 4, 4), ("reordered", 5, 9), ("head changed", 9, 9)],
    ),
    "inserted at the end": (_sql(_insert(9)), [("inserted", 9, 9)]),
    "two swapped": (_sql(_swap(3, 6)), [("reordered", 3, 3), ("reordered", 6, 6)]),
    "neighbours swapped": (_sql(_swap(4, 5)), [("reordered", 4, 4), ("reordered", 5, 5)]),
    "last removed": (_sql("delete from ledger where number = 8"), [("cut off", 8, 8)]),
    "end cut off": (_sql("delete from ledger where number > 5"), [("cut off", 6, 8)]),
    "emptied": (_sql("truncate ledger cascade"), [("cut off", 1, 8)]),
    "head put back": (
        _sql("update ledger_head set (number, digest) = (select number, digest from ledger where number = 6)"),
        [("head changed", 8, 8)],
    ),
    "head changed": (_sql("update ledger_head set digest = repeat('7', 64)"), [("head changed", 8, 8)]),
    "head ahead": (_sql("update ledger_head set number = 11"), [("cut off", 9, 11)]),
    "head removed": (_sql("delete from ledger_head"), [("head changed", 8, 8)]),
    "rebuilt from the middle": (_rebuild(4, {"actor": "mallory"}), [("rebuilt", 4, 8)]),
    "rebuilt from the first": (_rebuild(1, {"actor": "mallory"}), [("rebuilt", 1, 8)]),
    "two things at once": (
        _sql("update ledger set actor = 'm' where number = 2", "delete from ledger where number = 6"),
        [("altered", 2, 2), ("missing", 6, 6)],
    ),
}


def _one_rebuilt(connection: Connection, number: int) -> None:
    row = dict(connection.execute(text(f"select {COLUMNS} from ledger where number = {number}")).mappings().one())
    content = {name: row[name] for name in row if name not in ("digest", "signature")} | {"actor": "mallory"}
    connection.execute(
        text("update ledger set actor = 'mallory', digest = :digest where number = :number"),
        {"digest": digest_of(**content), "number": number},
    )


@pytest.fixture(scope="module")
def url(postgres: Postgres) -> str:
    """A ledger of eight entries, as the application sees it; what is done to it is taken back."""
    found = with_tables(postgres, f"tampering_{os.getpid()}")
    append(found, 8)
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_whoever_goes_around_the_fences_is_found(url: str, name: str) -> None:
    attack, expected = ATTACKS[name]
    with transaction(as_owner(url)) as session:
        session.execute(text("alter table ledger disable trigger user; alter table ledger_head disable trigger user"))
        session.execute(text("alter table promotion drop constraint promotion_ledger_number_fkey"))
        attack(session.connection())
        found = list(verify(session, KEY))
        session.rollback()
    assert [(one.kind, one.number, one.until) for one in found] == expected
    assert all(one.what.startswith(f"{one.kind}: ") for one in found)


REFUSED = [
    "update ledger set actor = 'x'",
    "delete from ledger",
    "truncate ledger cascade",
    "update ledger_head set number = number - 1",
    "update ledger_head set number = number + 1",
    "update ledger_head set digest = repeat('0', 64)",
    "delete from ledger_head",
    "truncate ledger_head",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_even_the_owner_s_changes_are_refused(url: str, statement: str) -> None:
    # In the mode of a replica ordinary triggers do not fire.
    for mode in ("origin", "replica"):
        tried = text(f"set local session_replication_role = {mode}; {statement}")
        with pytest.raises(DBAPIError, match=r"append-only|moves forward only"), transaction(as_owner(url)) as session:
            session.execute(tried)


@pytest.mark.parametrize(
    "statement",
    [
        "update ledger set actor = 'x'",
        "delete from ledger",
        "truncate ledger",
        "insert into ledger_head values (2, 0, '')",
        "delete from ledger_head",
        "alter table ledger disable trigger user",
        "drop trigger ledger_is_append_only on ledger",
        "drop table ledger",
        "set session_replication_role = replica",
        "update alembic_version set version_num = 'x'",
        "create table public.mine (x int)",
        "set role postgres",
    ],
)
def test_the_application_has_no_right_to(url: str, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"), transaction(url) as session:
        session.execute(text(statement))
    assert findings(url) == []
