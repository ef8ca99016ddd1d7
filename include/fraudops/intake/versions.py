"""Which bytes the files of one name have had: what comes again under a name with other bytes is its correction.

One object per file name, the versions in the order in which they were delivered::

    files/portfolio=<P>/name=<first 16 digits of the name's SHA-256>/versions.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from fraudops.store import Store, canonical_json, sha256_of


@dataclass(frozen=True)
class FileName:
    """What a file is known by: its source, and its path below the portfolio's landing folder.

    Two sources may use the same path, and two folders the same name; packing a file does not make it another.
    """

    source: str
    path: str

    @property
    def identity(self) -> tuple[str, str]:
        """Equal for the versions of one file."""
        return self.source, self.path.removesuffix(".gz")


@dataclass(frozen=True)
class Delivery:
    """What was known of a file's name before these bytes came."""

    previous: str | None
    """SHA-256 of the version before, None where there was none."""
    is_old: bool
    """These bytes were delivered before, and others after them."""
    is_new: bool
    """The name held other bytes, or none, until now."""


def deliver(store: Store, portfolio: str, feed: str, name: FileName, sha256: str) -> Delivery:
    """Note that these bytes are what a file name holds from now on; harmless where they are already.

    Parameters
    ----------
    feed
        ``transactions``, ``labels`` or ``dispositions``.
    """
    known_by, place = _object(portfolio, feed, name)
    versions = _versions(store, place)
    is_new = versions[-1:] != [sha256]
    if is_new:
        versions.append(sha256)
        store.put(canonical_json({**known_by, "versions": versions}) + b"\n", *place)
    earlier = versions[:-1]
    return Delivery(earlier[-1] if earlier else None, sha256 in earlier, is_new)


def newest_version(store: Store, portfolio: str, feed: str, name: FileName) -> str | None:
    """SHA-256 of the bytes that a file of this name held when it was landed last; None where it never was."""
    return next(reversed(_versions(store, _object(portfolio, feed, name)[1])), None)


_Place = tuple[str, str, str, str]


def _object(portfolio: str, feed: str, name: FileName) -> tuple[dict[str, str], _Place]:
    known_by = {"feed": feed, "source": name.identity[0], "path": name.identity[1]}
    return known_by, ("files", portfolio, f"name={sha256_of(canonical_json(known_by))[:16]}", "versions.json")


def _versions(store: Store, place: _Place) -> list[str]:
    try:
        found: list[str] = json.loads(store.get(*place))["versions"]
    except FileNotFoundError:
        return []
    return found
