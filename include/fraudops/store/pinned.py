"""The store as a step saw it: the very partitions that a manifest names as its inputs, replaced since or not."""

from __future__ import annotations

from collections.abc import Iterable

from upath import UPath

from fraudops.errors import IntegrityError
from fraudops.store.manifest import Input, Manifest
from fraudops.store.removal import tombstone
from fraudops.store.store import Store


class PinnedStore(Store):
    """Reads some partitions as they were, and nothing else; it cannot be written to.

    Parameters
    ----------
    store
        Where they lie.
    inputs
        Datasets, keys and digests; what is no partition (a model) is left out by the caller.

    Raises
    ------
    IntegrityError
        The manifest of an input is gone: names the first, and how many more there are.
    """

    def __init__(self, store: Store, portfolio: str, inputs: Iterable[Input]) -> None:
        super().__init__(str(store.root))
        self.root = store.root
        self._portfolio = portfolio
        self._manifests: dict[tuple[str, str], Manifest] = {}
        gone = []
        for wanted in inputs:
            found = version_of(store, portfolio, wanted)
            if found is None:
                gone.append(wanted)
            else:
                self._manifests[wanted.dataset, wanted.key] = found
        if gone:
            raise _gone(store, portfolio, gone)

    def manifest(self, dataset: str, portfolio: str, key: str) -> Manifest | None:
        """The partition as it was, or None where it was no input."""
        return self._manifests.get((dataset, key)) if portfolio == self._portfolio else None

    def keys(self, dataset: str, portfolio: str) -> list[str]:
        """Keys of the inputs of a dataset, in the order of time."""
        return sorted(key for of, key in self._manifests if of == dataset and portfolio == self._portfolio)

    def _put(self, path: UPath, content: bytes) -> None:
        raise TypeError(f"{path.name}: the past cannot be written to ({len(content)} bytes)")


def version_of(store: Store, portfolio: str, wanted: Input) -> Manifest | None:
    """The manifest of a partition whose data had this digest, in force or replaced; None where none is left."""
    current = store.manifest(wanted.dataset, portfolio, wanted.key)
    if current is not None and current.data_digest == wanted.digest:
        return current
    earlier = store.versions(wanted.dataset, portfolio, wanted.key)
    return next((manifest for manifest in earlier if manifest.data_digest == wanted.digest), None)


def _gone(store: Store, portfolio: str, inputs: list[Input]) -> IntegrityError:
    first = inputs[0]
    removed = tombstone(store, first.dataset, portfolio, first.key)
    more = f", and {len(inputs) - 1} other partitions" if len(inputs) > 1 else ""
    stone = tombstone(store, first.dataset, portfolio, first.key)
    if stone is not None and stone.digest == first.digest:
        return IntegrityError(
            f"{stone.sentence}{more}",
            where=f"{portfolio}: {first.dataset}/date={first.key}",
            remedy="restore a backup from before that into an installation of its own, and ask there",
        )
    return IntegrityError(
        f"{first.dataset} {first.key} as they were then (digest {first.digest[:16]}…) are gone{more}"
        + (f": {removed.sentence}" if removed is not None else ""),
        where=f"{portfolio}: {first.dataset}/date={first.key}",
        remedy="restore the partition's data file and its manifest (manifest.json or history/) from a backup",
    )
