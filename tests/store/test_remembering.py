"""What a store remembers: the same rows as were read, for as long as they are what lies there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from fraudops.errors import IntegrityError
from fraudops.store import Among, Memory, RememberingStore, Store
from fraudops.store import rows as rows_module

DAY = "2026-03-05"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with a day of a thousand rows in groups of a hundred, five customers of which the last comes late."""
    monkeypatch.setattr(rows_module, "_ROW_GROUP", 100)
    found = Store(tmp_path)
    found.write("transactions", "cards", DAY, table(0), config="c")
    return found


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files whose content was read from the disk."""
    names: list[str] = []
    content = Store._content
    monkeypatch.setattr(
        Store, "_content", staticmethod(lambda path, file: (names.append(path.name), content(path, file))[1])
    )
    return names


def table(more: int) -> pa.Table:
    """Rows; ``more`` makes them others."""
    customers = [f"C{number % 4}" if number < 900 else "C4" for number in range(1_000)]
    customers[500] = None
    return pa.table(
        {
            "transaction_id": [f"T{number:04d}" for number in range(1_000)],
            "customer_id": customers,
            "amount_minor": [number + more for number in range(1_000)],
        }
    )


def test_some_rows_are_those_that_the_whole_has(store: Store, tmp_path: Path) -> None:
    remembering, manifest = RememberingStore(tmp_path, Memory()), store.require("transactions", "cards", DAY)
    for wanted in (["C4"], ["C1", "C3"], ["nobody"], []):
        among = Among("customer_id", pa.array(wanted, pa.string()))
        plain = table(0).filter(among.mask(table(0)["customer_id"]))
        for columns in (None, ["customer_id", "amount_minor"], ["amount_minor", "customer_id"]):
            expected = plain.select(columns or plain.column_names)
            assert store.read(manifest, columns, among=among).equals(expected)
            assert store.read(manifest, columns, among=among, repeating=["customer_id"]).equals(expected)
            for _ in range(2):
                assert remembering.read(manifest, columns, among=among).equals(expected)
    assert remembering.read(manifest, ["amount_minor"]).equals(table(0).select(["amount_minor"]))
    assert remembering.read(manifest).equals(table(0))


def test_what_was_read_is_not_read_again_also_by_the_next_store(store: Store, tmp_path: Path, read: list[str]) -> None:
    memory, manifest = Memory(), store.require("transactions", "cards", DAY)
    among = [Among("customer_id", pa.array([name], pa.string())) for name in ("C1", "C2", "nobody")]
    for _ in range(3):
        fresh = RememberingStore(tmp_path, memory)
        fresh.read(manifest)
        fresh.read(manifest, ["customer_id"], among=among[0])
    # Once for all rows, once for the customers' column and what is beside it.
    assert len(read) == 2
    RememberingStore(tmp_path, memory).read(manifest, ["customer_id"], among=among[1])
    assert len(read) == 3
    RememberingStore(tmp_path, memory).read(manifest, ["customer_id"], among=among[2])
    assert len(read) == 3, "nobody has rows there: the column alone tells"


def test_a_partition_that_is_replaced_is_told_anew(store: Store, tmp_path: Path) -> None:
    remembering = RememberingStore(tmp_path, Memory())
    before = remembering.require("transactions", "cards", DAY)
    assert remembering.require("transactions", "cards", DAY) is before
    store.write("transactions", "cards", DAY, table(7), config="c")
    after = remembering.require("transactions", "cards", DAY)
    assert after.data_digest != before.data_digest
    assert remembering.read(after)["amount_minor"][0].as_py() == 7
    assert remembering.read(before)["amount_minor"][0].as_py() == 0
    assert remembering.manifest("transactions", "cards", "2026-03-06") is None


def test_a_file_that_was_altered_or_is_gone_is_noticed_although_it_was_read(store: Store, tmp_path: Path) -> None:
    remembering, manifest = RememberingStore(tmp_path, Memory()), store.require("transactions", "cards", DAY)
    among = Among("customer_id", pa.array(["C1"], pa.string()))
    remembering.read(manifest)
    remembering.read(manifest, among=among)
    path = Path(str(store.path("transactions", "cards", f"date={DAY}", manifest.files[0].name)))
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"!")
    for asked in (None, among):
        with pytest.raises(IntegrityError, match="not the one that was written"):
            remembering.read(manifest, among=asked)
    path.unlink()
    with pytest.raises(IntegrityError, match="gone"):
        remembering.read(manifest)


def test_what_was_not_asked_for_the_longest_goes_first_and_nothing_large_is_kept() -> None:
    memory, asked = Memory(room=6_400), list[str]()

    def recall(name: str, size: int = 100) -> None:
        memory.recall(name, lambda: (asked.append(name), size))

    for number in range(64):
        recall(f"{number}")
    recall("0")
    recall("64")
    assert memory.used == 6_400
    asked.clear()
    recall("0")
    recall("1")
    assert asked == ["1"], "0 was asked for meanwhile"
    for _ in range(2):
        recall("large", 101)
    assert asked == ["1", "large", "large"]


def test_threads_may_read_at_once(store: Store, tmp_path: Path) -> None:
    memory, manifest = Memory(room=300_000), store.require("transactions", "cards", DAY)

    def rows(number: int) -> int:
        among = Among("customer_id", pa.array([f"C{number % 5}"], pa.string()))
        return RememberingStore(tmp_path, memory).read(manifest, among=among).num_rows

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(rows, range(100))) == [224, 225, 225, 225, 100] * 20
    assert memory.used <= memory.room
    assert memory.used == sum(size for _, size in memory._kept.values())
