"""A disk that takes nothing: the error says what to do, nothing is half written, and running again helps."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pyarrow as pa
import pytest
from fraudops.errors import ContractError, StorageError
from fraudops.store import Store

DAY = "2026-03-05"
TABLE = pa.table({"transaction_id": ["a", "b"]})


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, r"the disk is full → make room on it .* then run the task again: nothing is half written"),
        (errno.EROFS, r"the disk can only be read → mount it for writing"),
        (errno.EIO, r"the disk reports an error → read the kernel's log"),
    ],
)
def test_the_error_says_what_to_do(store: Store, monkeypatch: pytest.MonkeyPatch, number: int, said: str) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    store.write("labels", "cards", DAY, TABLE, config="c")
    there = _files(store)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(StorageError, match=said) as found:
            store.write("transactions", "cards", DAY, TABLE, config="c")
    # Worth a retry: it is no broken contract.
    assert not isinstance(found.value, ContractError)
    assert f"date={DAY}" in str(found.value)
    assert store.keys("transactions", "cards") == []
    assert _files(store) == there
    store.write("transactions", "cards", DAY, TABLE, config="c")
    assert store.read_partition("transactions", "cards", DAY).equals(TABLE)


def _files(store: Store) -> list[Path]:
    return sorted(path for path in Path(store.root).rglob("*") if path.is_file())


def test_what_cannot_be_published_leaves_what_was_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store.write("transactions", "cards", DAY, TABLE, config="c")
    staged = store.stage("transactions", "cards", DAY, TABLE.slice(1), config="c")

    def refuse(source: str, target: str) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(StorageError, match="the disk is full"):
            store.publish(staged)
    assert store.manifest("transactions", "cards", DAY) == before
    store.publish(staged)
    assert store.manifest("transactions", "cards", DAY) == staged
