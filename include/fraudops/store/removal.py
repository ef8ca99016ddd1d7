"""Taking partitions and objects away for good, and remembering that they were.

A partition that retention removed leaves a tombstone::

    removed/portfolio=<P>/dataset=<dataset>/<KEY>.json

It names the digest of the rows that were there, so that what was computed from them does not look out of date, and the
ledger's entry, so that anybody can find out who decided it. The tombstone is written first, then the manifest goes,
then the data: at no moment is there a partition of which half is missing, nor one that is gone without a word.

While a partition has a manifest its tombstone counts for nothing (it was brought back from a backup, or its removal
has not begun yet).
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from upath import UPath

from fraudops.store.digests import canonical_json
from fraudops.store.manifest import Input
from fraudops.store.store import Store

AREA = "removed"
MODELS = "models"
"""A model's file is no partition; its tombstone bears the version in place of a key."""


class Tombstone(BaseModel):
    """What is remembered of a partition that was removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    portfolio: str
    key: str
    digest: str
    """``data_digest`` of the manifest that was removed."""
    rows: int
    ledger: int
    """Number of the ledger's entry that announced the removal."""

    def as_input(self) -> Input:
        """The removed partition as what another was computed from."""
        return Input(dataset=self.dataset, key=self.key, digest=self.digest)

    @property
    def sentence(self) -> str:
        """For messages: what was removed, and where to look."""
        return f"{self.dataset} of {self.key} were removed by retention (ledger entry {self.ledger})"


def model_tombstone(store: Store, portfolio: str, version: str) -> Tombstone | None:
    """The tombstone of a model's file that retention removed, or None."""
    place = _place(store, MODELS, portfolio, version)
    return Tombstone.model_validate_json(place.read_bytes()) if place.exists() else None


def tombstone(store: Store, dataset: str, portfolio: str, key: str) -> Tombstone | None:
    """The tombstone of a partition that is gone, or None: it is there, or never was."""
    if not (found := _place(store, dataset, portfolio, key)).exists():
        return None
    if store.manifest(dataset, portfolio, key) is not None:
        return None
    return Tombstone.model_validate_json(found.read_bytes())


def removed_keys(store: Store, dataset: str, portfolio: str) -> list[str]:
    """Keys of the partitions that retention removed, in the order of time."""
    folder = store.path(AREA, portfolio, f"dataset={dataset}")
    if not folder.exists():
        return []
    keys = (path.name.removesuffix(".json") for path in folder.iterdir() if path.name.endswith(".json"))
    there = set(store.keys(dataset, portfolio))
    return sorted(key for key in keys if not key.startswith(".") and key not in there)


def remove_partition(store: Store, stone: Tombstone) -> bool:
    """Remove a partition of which the tombstone was made; False where it holds other rows by now, which stay.

    May be interrupted at any point and called again. What waits for validation in place of the published rows goes
    with them.
    """
    folder = store.path(stone.dataset, stone.portfolio, f"date={stone.key}")
    place = _place(store, stone.dataset, stone.portfolio, stone.key)
    published = store.manifest(stone.dataset, stone.portfolio, stone.key)
    if published is not None or not place.exists():
        present = published or store.staged(stone.dataset, stone.portfolio, stone.key)
        if present is None or present.data_digest != stone.digest:
            return False
        bury(store, stone)
        (folder / "manifest.json").unlink(missing_ok=True)
    remove_folder(folder)
    return True


def bury(store: Store, stone: Tombstone) -> None:
    """Write a tombstone."""
    place = (AREA, stone.portfolio, f"dataset={stone.dataset}", f"{stone.key}.json")
    store.put(canonical_json(stone.model_dump(mode="json")) + b"\n", *place)


def remove_folder(folder: UPath) -> None:
    """Delete a folder with all that is in it; harmless where it is gone."""
    if not folder.exists():
        return
    # The deepest first; a bucket has no folders, there only the objects count.
    for path in sorted(folder.rglob("*"), key=lambda p: len(p.parts), reverse=True):
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    if folder.exists():
        folder.rmdir()


def size_of(folder: UPath) -> int:
    """Bytes of the files below a folder."""
    if not folder.exists():
        return 0
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _place(store: Store, dataset: str, portfolio: str, key: str) -> UPath:
    return store.path(AREA, portfolio, f"dataset={dataset}", f"{key}.json")
