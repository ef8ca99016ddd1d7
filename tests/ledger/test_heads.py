"""Heads that were exported: they show a chain that is whole in itself, and not the one that it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fraudops import ledger
from fraudops.database import transaction
from fraudops.ledger.heads import RESTORED, UP_TO, check, export, exported, read
from fraudops.ledger.keys import Signatures
from fraudops.ledger.links import Signer
from fraudops.store import Store
from sqlalchemy import text

from tests.databases import as_owner
from tests.ledger.entries import KEY, append, findings

NOW = datetime(2026, 3, 9, 5, 45, tzinfo=UTC)


def _export(url: str, store: Store, day: int = 0) -> ledger.SignedHead | None:
    with transaction(url) as session:
        return export(store, KEY, ledger.head(session), at=NOW + timedelta(days=day))


def _check(url: str, store: Store) -> list[tuple[str, int, int]]:
    with transaction(url) as session:
        return [(found.kind, found.number, found.until) for found in check(session, store, KEY)]


def _cut(url: str, last: int) -> None:
    """Take the end away, and put the head back: what is left is a whole chain."""
    with transaction(as_owner(url)) as session:
        session.execute(text("alter table ledger disable trigger user; alter table ledger_head disable trigger user"))
        session.execute(text(f"delete from ledger where number > {last}"))
        head = f"select number, digest from ledger where number = {last}"
        session.execute(text(f"update ledger_head set (number, digest) = ({head})"))


@pytest.fixture
def url(database_url: str, store: Store) -> str:
    """Heads at the entries 2, 4 and 6 of seven."""
    for day in range(3):
        append(database_url, 2)
        _export(database_url, store, day)
    append(database_url, 1)
    return database_url


def test_heads_are_objects_of_their_own_and_are_written_once(url: str, store: Store) -> None:
    paths = exported(store)
    assert [path.parent.name for path in paths] == ["2026-03-11", "2026-03-10", "2026-03-09"]
    content = {path: path.read_bytes() for path in paths}
    found = read(paths[0])
    assert found is not None
    signed = [found.counts(Signatures((Signer(key),))) for key in (KEY, b"x" * 32)]
    assert (found.number, *signed) == (6, True, False)
    for day in range(4):
        _export(url, store, day)
    assert {path: path.read_bytes() for path in paths} == content


def test_a_chain_that_has_grown_is_no_finding(url: str, store: Store) -> None:
    assert _check(url, store) == []


@pytest.mark.parametrize(("last", "expected"), [(6, []), (5, [("cut off", 5, 6)]), (3, [("cut off", 3, 4)])])
def test_an_end_that_was_cut_off_with_its_head_is_found(
    url: str, store: Store, last: int, expected: list[tuple[str, int, int]]
) -> None:
    _cut(url, last)
    assert findings(url) == [], "by itself the chain does not show it"
    assert _check(url, store) == expected


def test_another_end_in_the_place_of_the_one_that_was_is_found(url: str, store: Store) -> None:
    _cut(url, 3)
    append(url, 8)
    assert findings(url) == []
    assert _check(url, store) == [("cut off", 3, 4)]


def test_a_head_that_somebody_else_puts_there_is_found(url: str, store: Store) -> None:
    _cut(url, 3)
    append(url, 8)
    with transaction(url) as session:
        export(store, b"m" * 32, ledger.head(session), at=NOW)
    exported(store)[-1].write_bytes(b"{}")
    assert _check(url, store) == [("forged head", 11, 11), ("forged head", 2, 2), ("cut off", 1, 4)]


def test_a_backup_that_was_put_back_explains_the_end(url: str, store: Store) -> None:
    _cut(url, 5)
    with transaction(url) as session:
        ledger.append(
            session, KEY, portfolio="all", actor="a", action=RESTORED, subject="installation", details={UP_TO: 5}
        )
    assert _check(url, store) == []
