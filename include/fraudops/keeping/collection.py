"""Deletes files that nothing refers to: data of which no manifest speaks, and what a writer that died left unfinished.

Only files older than a day: a step writes its data first and the manifest that names it afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from upath import UPath

from fraudops.intake.locks import lock_landing
from fraudops.keeping.due import PARTITIONS, history_of
from fraudops.keeping.holds import Held
from fraudops.keeping.locks import lock_removal
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest
from fraudops.store.files import is_local
from fraudops.workspace import Workspace

_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}")
"""Name under which :func:`fraudops.store.files.put_whole` writes before it renames."""
_EMBEDDED = ("transactions", "protected", "before")
"""Facts of a lineage that are manifests themselves: of the rows it belongs to, and of the lineage before it."""


@dataclass
class Collected:
    """Files that were deleted."""

    unreferenced: int = 0
    temporary: int = 0
    bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {"unreferenced": self.unreferenced, "temporary": self.temporary, "bytes": self.bytes}


def collect(ws: Workspace, portfolio: Portfolio, *, before: datetime) -> Collected:
    """Delete what nothing refers to and was written before a moment; partitions under a hold are left alone.

    The ledger is not told: none of this was ever part of the record.
    """
    found = Collected()
    with ws.transaction() as session:
        lock_removal(session)
        lock_landing(session, portfolio.name)
        held = Held.read(session, portfolio)
        for path in _unfinished(ws, portfolio):
            if _is_older(path, before):
                found.bytes += path.stat().st_size
                path.unlink(missing_ok=True)
                found.temporary += 1
        for dataset in PARTITIONS:
            place = ws.store.path(dataset, portfolio.name)
            for folder in sorted(place.glob("date=*"), key=str) if place.exists() else ():
                if not held.covers(folder.name.removeprefix("date=")):
                    _collect_in(folder, _beside(ws, portfolio, dataset, folder.name), before, found)
    return found


def referenced(folder: UPath, beside: UPath | None = None) -> set[str]:
    """Names of the data files that the manifests of a partition speak of: current, waiting, and earlier ones.

    Parameters
    ----------
    beside
        Folder of the partition's lineage, whose manifests speak of the rows' files too.
    """
    names = {file.name for manifest in _manifests(folder) for file in manifest.files}
    for lineage in _manifests(beside) if beside is not None else ():
        for fact in _EMBEDDED:
            if fact in lineage.facts:
                embedded = Manifest.model_validate(lineage.facts[fact])
                names |= {file.name for file in embedded.files}
    return names


def _collect_in(folder: UPath, beside: UPath, before: datetime, found: Collected) -> None:
    files = [path for path in folder.glob("part-*.parquet") if _is_older(path, before)]
    if not files:
        return
    names = referenced(folder, beside)
    for path in files:
        if path.name in names:
            continue
        size = path.stat().st_size
        if _delete_unless_wanted(path, folder, beside):
            found.unreferenced += 1
            found.bytes += size


def _delete_unless_wanted(path: UPath, folder: UPath, beside: UPath) -> bool:
    """Delete a file; a writer that wants this very content at this very moment gets it back."""
    if not is_local(path):
        path.unlink(missing_ok=True)
        return True
    aside = path.with_name(f".{path.name}.00000000")
    path.rename(aside)
    if path.name in referenced(folder, beside) and not path.exists():
        aside.rename(path)
        return False
    aside.unlink()
    return True


def _beside(ws: Workspace, portfolio: Portfolio, dataset: str, name: str) -> UPath:
    """The partition's folder in ``lineage``; its own for everything that the lineage does not speak of."""
    return ws.store.path(
        "lineage" if dataset in ("transactions", "protected", "lineage") else dataset, portfolio.name, name
    )


def _manifests(folder: UPath) -> Iterator[Manifest]:
    for path in (folder / "manifest.json", folder / "staged.json", *history_of(folder)):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        yield Manifest.model_validate_json(content)


def _unfinished(ws: Workspace, portfolio: Portfolio) -> Iterator[UPath]:
    if not ws.store.root.exists():
        return
    for area in ws.store.root.iterdir():
        place = area / f"portfolio={portfolio.name}"
        if area.is_dir() and place.exists():
            yield from [path for path in place.rglob(".*") if _TEMPORARY.fullmatch(path.name) and path.is_file()]


def _is_older(path: UPath, moment: datetime) -> bool:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment
    except FileNotFoundError:
        return False
