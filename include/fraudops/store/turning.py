"""Putting other rows in the place of a store's rows, all at once: planned beside them first, then swapped.

A folder's plan lies in ``turned.json``: for each of its manifests the one that is to take its place, of which the data
is written already. Nothing reads it but :class:`TurningStore`. While rows are turned :data:`formats.TURNING` lies at
the root of the store, and every other reader and writer is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from upath import UPath

from fraudops.store import formats
from fraudops.store.digests import canonical_json, sha256_of
from fraudops.store.files import put_whole
from fraudops.store.manifest import Manifest, StoredFile
from fraudops.store.rows import parquet_bytes
from fraudops.store.store import Store

PLAN = "turned.json"
PRESENT = "manifest.json"
KEPT = "~"
"""How the name of a turn begins that is for no manifest of the folder: its data is needed all the same."""
_DATA = "part-*.parquet"


@dataclass(frozen=True)
class Turn:
    """What becomes of one manifest.

    Attributes
    ----------
    was
        SHA-256 of the manifest's bytes.
    manifest
        What takes its place; None where it is to go.
    """

    was: str
    manifest: Manifest | None


class TurningStore(Store):
    """A store in the middle of a turn: it shows rows as they will be, and what is published goes into the plan."""

    @classmethod
    def of(cls, store: Store) -> TurningStore:
        """The same store, seen so."""
        found = cls(str(store.root))
        found.root = store.root
        return found

    def manifest(self, dataset: str, portfolio: str, key: str) -> Manifest | None:
        """The manifest that is planned, or the present one where nothing is."""
        planned = read_plan(self._folder(dataset, portfolio, key)).get(PRESENT)
        return planned.manifest if planned is not None else super().manifest(dataset, portfolio, key)

    def present(self, dataset: str, portfolio: str, key: str) -> dict[str, bytes]:
        """The bytes of all manifests of a partition, by their place in its folder."""
        folder = self._folder(dataset, portfolio, key)
        history = sorted((folder / "history").glob("*.json"), key=str) if (folder / "history").exists() else []
        places = {PRESENT: folder / PRESENT, "staged.json": folder / "staged.json"}
        places |= {f"history/{path.name}": path for path in history}
        return {name: path.read_bytes() for name, path in places.items() if path.exists()}

    def all_keys(self, dataset: str, portfolio: str) -> list[str]:
        """Keys of a dataset, of partitions that only wait for validation too."""
        folder = self.path(dataset, portfolio)
        found = [path.name for path in folder.iterdir()] if folder.exists() else []
        return sorted(name.removeprefix("date=") for name in found if name.startswith("date="))

    def plan(self, dataset: str, portfolio: str, key: str) -> dict[str, Turn]:
        """What is planned for a partition."""
        return read_plan(self._folder(dataset, portfolio, key))

    def put_plan(self, dataset: str, portfolio: str, key: str, plan: Mapping[str, Turn]) -> None:
        """Plan what becomes of a partition's manifests."""
        content = {
            name: {"was": turn.was, "manifest": turn.manifest.model_dump(mode="json") if turn.manifest else None}
            for name, turn in plan.items()
        }
        self._put(self._folder(dataset, portfolio, key) / PLAN, canonical_json(content) + b"\n")

    def publish(self, manifest: Manifest) -> None:
        """Plan a manifest in the place of the present one."""
        place = manifest.dataset, manifest.portfolio, manifest.key
        present = self.present(*place)
        turn = Turn(sha256_of(present.get(PRESENT, b"")), manifest)
        self.put_plan(*place, {**self.plan(*place), PRESENT: turn})

    def turned(self, manifest: Manifest, table: pa.Table) -> Manifest:
        """A manifest of the same rows in another form, which is written beside them."""
        content = parquet_bytes(table)
        digest = sha256_of(content)
        file = StoredFile(name=f"part-{digest[:16]}.parquet", rows=table.num_rows, bytes=len(content), sha256=digest)
        self._put(self._folder(manifest.dataset, manifest.portfolio, manifest.key) / file.name, content)
        same = (file,) == manifest.files
        return manifest.model_copy(
            update={} if same else {"files": (file,), "stands_for": manifest.data_digest},
        )

    def swap(self, dataset: str, portfolio: str, key: str) -> None:
        """Carry out a plan, and delete the data that no manifest names any more; may run again."""
        folder = self._folder(dataset, portfolio, key)
        plan = read_plan(folder)
        for name, turn in plan.items():
            if name.startswith(KEPT):
                continue
            if turn.manifest is None:
                (folder / name).unlink(missing_ok=True)
            else:
                put_whole(folder / name, turn.manifest.to_bytes())
        if plan:
            named = {file.name for turn in plan.values() if turn.manifest for file in turn.manifest.files}
            _delete(folder, named)
            (folder / PLAN).unlink(missing_ok=True)

    def discard_plan(self, dataset: str, portfolio: str, key: str) -> None:
        """Forget a plan, and delete the data that was written for it."""
        folder = self._folder(dataset, portfolio, key)
        if read_plan(folder):
            (folder / PLAN).unlink(missing_ok=True)
            there = map(Manifest.model_validate_json, self.present(dataset, portfolio, key).values())
            _delete(folder, {file.name for manifest in there for file in manifest.files})

    def _require_readable(self) -> None:
        formats.format_of(self.root)


def begin_turning(store: Store, to: str) -> None:
    """Let nobody else read or write the store until :func:`end_turning`.

    Parameters
    ----------
    to
        What it is turned to, for whoever finds the mark.
    """
    put_whole(store.root / formats.TURNING, canonical_json({"to": to}) + b"\n")


def is_turning(store: Store) -> bool:
    """Whether a turn was begun and has not ended."""
    return (store.root / formats.TURNING).exists()


def end_turning(store: Store) -> None:
    """Open the store again."""
    (store.root / formats.TURNING).unlink(missing_ok=True)


def read_plan(folder: UPath) -> dict[str, Turn]:
    """The plan of a partition's folder; empty where there is none."""
    try:
        content = json.loads((folder / PLAN).read_bytes())
    except FileNotFoundError:
        return {}
    return {
        name: Turn(item["was"], Manifest.model_validate(item["manifest"]) if item["manifest"] else None)
        for name, item in content.items()
    }


def _delete(folder: UPath, but: set[str]) -> None:
    for path in _data(folder):
        if path.name not in but:
            path.unlink(missing_ok=True)


def _data(folder: UPath) -> Iterator[UPath]:
    yield from sorted(folder.glob(_DATA), key=str)
