"""Which form a store has: ``format.json`` at its root, written with the first thing that is stored.

A store without that file was written before there was one, and has the format 0. A store of an older format is read
as it is where its steps below say so, and is written to only once they have been carried out (:func:`migrate`); one of
a newer format is refused, whatever is asked of it, because what we do not know we would misread.

A format changes when a version of fraudops that knows only the old one would read the new one wrongly. What such a
version merely does not find (another dataset, another object) is no new format.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from upath import UPath

from fraudops import __version__
from fraudops.errors import ConfigurationError, IntegrityError
from fraudops.store.digests import canonical_json
from fraudops.store.files import put_whole

FILE = "format.json"
CURRENT = 1
TURNING = "turning.json"
"""Lies at the root while the tokens in the store are being changed: what is read meanwhile would not fit together."""


@dataclass(frozen=True)
class Step:
    """The way from a format to the next one.

    Attributes
    ----------
    says
        What it does, for the person who runs it.
    run
        Does it, on the store's root. It may be interrupted and run again.
    """

    says: str
    run: Callable[[UPath], None]


def _complete_lineage(root: UPath) -> None:
    """Add what landings have looked for since files have versions: source, counts, what is protected of the rows.

    The file of a portfolio with several sources is taken for one of the source ``main``, which it may not be.
    """
    for place in _partitions(root, "lineage"):
        content = json.loads((place / "manifest.json").read_bytes())
        facts = content["facts"]
        for file in facts.get("files", {}).values():
            for name, value in (("source", "main"), ("repeated", 0), ("conflict", 0)):
                file.setdefault(name, value)
        protected = root / "protected" / place.parent.name / place.name / "manifest.json"
        if "protected" not in facts and protected.exists():
            facts["protected"] = json.loads(protected.read_bytes())
        put_whole(place / "manifest.json", canonical_json(content) + b"\n")
    quarantine = root / "quarantine"
    for path in [*quarantine.glob("portfolio=*/file=*/summary.json")] if quarantine.exists() else []:
        content = json.loads(path.read_bytes())
        for counts in content.get("partitions", {}).values():
            if "accepted" in counts:
                counts.setdefault("repeated", 0)
        put_whole(path, canonical_json(content) + b"\n")


def _partitions(root: UPath, dataset: str) -> list[UPath]:
    place = root / dataset
    found = place.glob("portfolio=*/date=*/manifest.json") if place.exists() else ()
    return [path.parent for path in found]


STEPS: dict[int, Step] = {
    0: Step("landed files are given what corrections ask for; format.json says the format", _complete_lineage),
}
"""Format → the step to the next one. A step is never changed once it was released."""


def format_of(root: UPath) -> int | None:
    """The format of a store; None where there is no store yet.

    Raises
    ------
    IntegrityError
        ``format.json`` cannot be read.
    ConfigurationError
        The store was written by a newer fraudops.
    """
    found = _stated(root)
    if found is None and not _is_empty(root):
        # Between the two looks another process may have begun the store.
        found = _stated(root)
        found = 0 if found is None else found
    if found is not None and found > CURRENT:
        raise ConfigurationError(
            f"the store has format {found}, and this fraudops ({__version__}) knows formats up to {CURRENT}",
            where=str(root),
            remedy="use the version of fraudops that wrote it, or restore the backup from before the upgrade "
            "(docs/backup.md)",
        )
    return found


def begin(root: UPath) -> None:
    """Say of a store to which something is written for the first time that it has the current format."""
    put_whole(root / FILE, _content(CURRENT))


def require_writable(root: UPath) -> None:
    """Begin the store where there is none; let nothing be written into one of an older format.

    Raises
    ------
    ConfigurationError
        It has an older format, or a newer one.
    """
    found = format_of(root)
    if found is None:
        begin(root)
    elif found < CURRENT:
        raise ConfigurationError(
            f"the store has format {found}, written by an earlier fraudops, and this one writes format {CURRENT}",
            where=str(root),
            remedy="bring it up to date with 'fraudops store migrate' ('make up' does so too)",
        )


def require_settled(root: UPath) -> None:
    """Let nothing be read or written while the tokens in the store are being changed.

    Raises
    ------
    ConfigurationError
        They are, or whoever did so was interrupted.
    """
    if (root / TURNING).exists():
        raise ConfigurationError(
            "the tokens in the store are being changed to a new key, or that was interrupted",
            where=str(root),
            remedy="run 'fraudops keys rotate token' to its end: it goes on where it stopped",
        )


def migrate(root: UPath) -> list[str]:
    """Bring a store up to the current format, step by step; returns what was done, nothing where it is current.

    Each step may run again: a store that was left in the middle of one still has the format from before it.

    Raises
    ------
    ConfigurationError
        The store has a newer format.
    """
    found = format_of(root)
    done = []
    while found is not None and found < CURRENT:
        step = STEPS[found]
        step.run(root)
        found += 1
        put_whole(root / FILE, _content(found))
        done.append(f"format {found - 1} to {found}: {step.says}")
    return done


def _content(number: int) -> bytes:
    return canonical_json({"format": number}) + b"\n"


def _stated(root: UPath) -> int | None:
    try:
        content = (root / FILE).read_bytes()
    except FileNotFoundError:
        return None
    try:
        found = json.loads(content)["format"]
    except (ValueError, KeyError, TypeError):
        found = None
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise IntegrityError(
            "the file that says the store's format cannot be read",
            where=str(root / FILE),
            remedy="restore it from the backup: it holds nothing but the number of the format",
        )
    return found


def _is_empty(root: UPath) -> bool:
    return not root.exists() or not any(not path.name.startswith(".") for path in root.iterdir())
