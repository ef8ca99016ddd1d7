"""The ledger's key is changed: what either key has signed verifies, and the old one signs nothing any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from fraudops import ledger
from fraudops.database import transaction
from fraudops.errors import ConfigurationError
from fraudops.ledger.heads import check, export
from fraudops.ledger.keys import fingerprint
from fraudops.ledger.links import Head, Signer, digest_of
from fraudops.store import Store
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.databases import as_owner
from tests.ledger.entries import KEY, append, findings

NOW = datetime(2026, 3, 9, 5, 45, tzinfo=UTC)
NEW, THIRD = b"n" * 32, b"3" * 32
BOTH = (KEY, NEW)


@pytest.fixture
def rotated(database_url: str) -> str:
    """Three entries, the change of the key as the fourth, three more."""
    append(database_url, 3)
    _rotate(database_url, BOTH)
    append(database_url, 3, BOTH)
    return database_url


def _rotate(url: str, keys: tuple[bytes, ...]) -> ledger.Head | None:
    with transaction(url) as session:
        entry = ledger.rotate(session, keys, actor="admin")
        return None if entry is None else Head(entry.number, entry.digest)


@contextmanager
def _unfenced(url: str) -> Iterator[Session]:
    with transaction(as_owner(url)) as session:
        session.execute(text("alter table ledger disable trigger user"))
        yield session


def _found(url: str, keys: tuple[bytes, ...] = BOTH) -> list[tuple[str, int, int]]:
    return [(one.kind, one.number, one.until) for one in findings(url, keys)]


def test_what_both_keys_have_signed_verifies_and_each_signs_its_own(rotated: str) -> None:
    assert _found(rotated) == []
    with transaction(rotated) as session:
        rows = session.execute(text("select number, action, digest, signature, details from ledger order by number"))
        signed = {row.number: [Signer(key)(row.digest) == row.signature for key in BOTH] for row in rows}
    assert [signed[number] for number in (1, 3, 4, 7)] == [[True, False], [True, False], [False, True], [False, True]]


def test_a_new_key_waits_for_its_rotation_which_happens_once(database_url: str) -> None:
    append(database_url, 2, BOTH)
    assert findings(database_url) == [], "the first one signs for as long as the second only waits"
    assert _rotate(database_url, BOTH) is not None
    assert _rotate(database_url, BOTH) is None, "run again it finds nothing to do"
    assert _rotate(database_url, (*BOTH, THIRD)) is not None
    append(database_url, 1, (*BOTH, THIRD))
    assert _found(database_url, (*BOTH, THIRD)) == []


def test_two_new_keys_at_once_are_refused(database_url: str) -> None:
    with pytest.raises(ConfigurationError, match="more than one key is new"):
        _rotate(database_url, (*BOTH, THIRD))


def test_a_process_that_has_only_the_old_key_writes_nothing_any_more(rotated: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{fingerprint(NEW)} is missing; entry 4"):
        append(rotated, 1)
    assert _found(rotated) == []


def test_without_the_old_key_verification_says_which_one_is_missing(rotated: str) -> None:
    for keys in ((NEW,), (b"x" * 32, NEW)):
        with pytest.raises(ConfigurationError, match=f"FRAUDOPS_LEDGER_KEY: .*{fingerprint(KEY)} is missing"):
            _found(rotated, keys)


@pytest.mark.parametrize("number", [2, 4, 6])
def test_an_altered_entry_is_found_on_either_side(rotated: str, number: int) -> None:
    with _unfenced(rotated) as session:
        session.execute(text(f"update ledger set actor = 'mallory' where number = {number}"))
    assert _found(rotated) == [("altered", number, number)]


def test_a_removed_rotation_is_found(rotated: str) -> None:
    with _unfenced(rotated) as session:
        session.execute(text("delete from ledger where number = 4"))
    assert _found(rotated) == [("missing", 4, 4)]


@pytest.mark.parametrize(("number", "kinds"), [(2, {"altered", "forked"}), (6, {"altered"})])
def test_whoever_has_the_old_key_can_forge_nothing(rotated: str, number: int, kinds: set[str]) -> None:
    """They alter an entry, and sign it anew with the key that has leaked."""
    with _unfenced(rotated) as session:
        row = session.execute(text(f"select * from ledger where number = {number}")).mappings().one()
        content = {name: row[name] for name in row if name not in ("digest", "signature")} | {"actor": "mallory"}
        digest = digest_of(**content)
        session.execute(
            text("update ledger set actor = 'mallory', digest = :d, signature = :s where number = :n"),
            {"d": digest, "s": Signer(KEY)(digest), "n": number},
        )
    found = _found(rotated)
    assert found
    assert {kind for kind, _, _ in found} <= kinds


def test_heads_of_before_and_after_count_and_the_old_key_forges_none(rotated: str, store: Store) -> None:
    with transaction(rotated) as session:
        old = session.execute(text("select number, digest from ledger where number = 3")).one()
        export(store, KEY, Head(old.number, old.digest), at=NOW)
        export(store, ledger.signing_key(session, BOTH), ledger.head(session), at=NOW)
        assert list(check(session, store, BOTH)) == []
        export(store, KEY, Head(9, "f" * 64), at=NOW)
        assert [one.kind for one in check(session, store, BOTH)] == ["forged head"]
