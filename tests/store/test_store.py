from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fraudops.errors import IntegrityError, MissingPartitionError
from fraudops.store import Store


def _table(*values: int) -> pa.Table:
    return pa.table({"value": pa.array(values, pa.int64())})


def _write(store: Store, *values: int, key: str = "2026-03-05") -> None:
    store.write("transactions", "cards", key, _table(*values), config="c", facts={"quarantined": 0})


def test_a_partition_reads_back(store: Store) -> None:
    _write(store, 1, 2, 3)
    assert store.read_partition("transactions", "cards", "2026-03-05") == _table(1, 2, 3)
    assert store.keys("transactions", "cards") == ["2026-03-05"]


def test_without_a_manifest_there_is_no_partition(store: Store) -> None:
    store.stage("transactions", "cards", "2026-03-05", _table(1), config="c")
    assert store.keys("transactions", "cards") == []
    with pytest.raises(MissingPartitionError, match="2026-03-05"):
        store.read_partition("transactions", "cards", "2026-03-05")


def test_writing_the_same_again_changes_no_byte(store: Store) -> None:
    def snapshot() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in Path(store.root).rglob("*") if p.is_file()}

    _write(store, 1, 2)
    before = snapshot()
    _write(store, 1, 2)
    assert snapshot() == before


def test_a_correction_keeps_what_was_there(store: Store) -> None:
    _write(store, 1, 2)
    old = store.require("transactions", "cards", "2026-03-05")
    _write(store, 1, 2, 3)
    assert store.read(old) == _table(1, 2)
    assert store.read_partition("transactions", "cards", "2026-03-05") == _table(1, 2, 3)
    history = list(Path(store.root).rglob("history/*.json"))
    assert [p.read_bytes() for p in history] == [old.to_bytes()]


def test_one_altered_byte_is_refused(store: Store) -> None:
    _write(store, 1, 2)
    file = next(Path(store.root).rglob("part-*.parquet"))
    content = bytearray(file.read_bytes())
    content[20] ^= 1
    file.write_bytes(content)
    with pytest.raises(IntegrityError, match="not the one that was written"):
        store.read_partition("transactions", "cards", "2026-03-05")


def test_a_removed_data_file_is_named(store: Store) -> None:
    _write(store, 1)
    next(Path(store.root).rglob("part-*.parquet")).unlink()
    with pytest.raises(IntegrityError, match="gone"):
        store.read_partition("transactions", "cards", "2026-03-05")


@pytest.mark.parametrize("part", ["..", "../x", "a/b", "", "a..b", "/etc"])
def test_no_path_climbs_out_of_the_store(store: Store, part: str) -> None:
    with pytest.raises(ValueError, match="cannot be part of a path"):
        store.put(b"", "reports", "cards", part)


def test_whole_numbers_alone_are_stored_as_differences(store: Store) -> None:
    keys = np.sort(np.random.default_rng(1).integers(-(2**62), 2**62, 30_000))
    table = pa.table({"key": keys, "count": pa.array([1, 2, 3] * 10_000, pa.int32())})
    manifest = store.write("rule_profiles", "cards", "2026-03-05", table, config="c")
    (file,) = manifest.files
    path = store.path("rule_profiles", "cards", "date=2026-03-05", file.name)
    columns = pq.ParquetFile(str(path)).metadata.row_group(0)
    assert {"DELTA_BINARY_PACKED"} == {
        name for at in range(2) for name in columns.column(at).encodings if name not in ("RLE", "PLAIN")
    }
    assert store.read(manifest).equals(table)
    assert store.read(manifest, ["count"]).equals(table.select(["count"]))
