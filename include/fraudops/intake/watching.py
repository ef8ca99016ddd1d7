"""Which files of a landing folder there is something to do with, and what became of those that were asked for.

The store keeps one object per portfolio, written under a lock::

    watch/portfolio=<P>/files.json     path → size, time of writing, SHA-256, what became of it

It is no record of what was landed: that is in ``files/`` and in the lineage, and it is asked. It keeps a file from
being read again as long as it has not changed, from being asked for twice, and one that was refused as a whole from
being asked for for ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import text

from fraudops.errors import ContractError, FraudopsError
from fraudops.intake.files import place_of
from fraudops.intake.folder import Mark, look
from fraudops.intake.reading import fingerprint
from fraudops.intake.versions import FileName, newest_version
from fraudops.portfolio import Portfolio
from fraudops.store import canonical_json
from fraudops.workspace import Workspace

_AREA, _OBJECT = "watch", "files.json"

State = Literal["landed", "asked", "refused"]


@dataclass(frozen=True)
class Seen:
    """A file of the landing folder, as it was when it was looked at last.

    Attributes
    ----------
    size, modified
        Bytes; time of writing, nanoseconds.
    sha256
        Of its bytes; empty where they could not be read.
    state
        ``asked``: a run was asked to land it. ``refused``: it could not be used as a whole. Both until its bytes are
        others.
    by
        The run that asked.
    """

    size: int
    modified: int
    sha256: str
    state: State
    by: str = ""

    @property
    def mark(self) -> Mark:
        """What tells whether the file has changed."""
        return self.size, self.modified


def patterns(portfolio: Portfolio) -> list[str]:
    """Patterns of the watched files, below the portfolio's landing folder."""
    return list(dict.fromkeys(source.local_pattern.replace("{key}", "*") for _, source in portfolio.watched))


def lying(ws: Workspace, portfolio: Portfolio) -> dict[str, Mark]:
    """The watched files that lie in the portfolio's landing folder."""
    return look(_folder(ws, portfolio), patterns(portfolio))


def done_with(ws: Workspace, portfolio: Portfolio, *, run: str) -> dict[str, Mark]:
    """The files with which a watch has nothing to do, each with the mark that it has as long as that holds.

    Parameters
    ----------
    run
        The run that watches: what it has asked for itself, and broke off, it may ask for again.
    """
    with _record(ws, portfolio) as record:
        _refresh(ws, portfolio, record, lying(ws, portfolio))
        return {name: seen.mark for name, seen in record.items() if not (seen.state == "asked" and seen.by == run)}


def ask(ws: Workspace, portfolio: Portfolio, names: Iterable[str], *, run: str, again: bool = False) -> list[str]:
    """Those of some files that are to be landed, noted as asked for by a run.

    Parameters
    ----------
    again
        Also what another run was asked to land, and has not: it may have been lost.
    """
    here, wanted = lying(ws, portfolio), set(names)
    with _record(ws, portfolio) as record:
        _refresh(ws, portfolio, record, here)
        found = []
        for name, mark in here.items():
            seen = record.get(name)
            if name in wanted and (seen is None or (seen.state == "asked" and (again or seen.by == run))):
                found.append(name)
                record[name] = Seen(*mark, digest_of(_folder(ws, portfolio) / name), "asked", run)
        return found


def undone(ws: Workspace, portfolio: Portfolio) -> dict[str, Mark]:
    """The files that are neither landed nor refused, asked for or not: what a watch that was off has missed."""
    here = lying(ws, portfolio)
    with _record(ws, portfolio) as record:
        _refresh(ws, portfolio, record, here)
        return {name: mark for name, mark in here.items() if name not in record or record[name].state == "asked"}


def conclude(ws: Workspace, portfolio: Portfolio, outcomes: Mapping[str, State], before: Mapping[str, Mark]) -> None:
    """Note what became of files that a run was asked to land.

    Parameters
    ----------
    outcomes
        Path below the landing folder → what became of it.
    before
        Marks from before they were landed: one that has changed since is another file, and asked for again.
    """
    here = lying(ws, portfolio)
    with _record(ws, portfolio) as record:
        for name, state in outcomes.items():
            if name in here and here[name] == before.get(name):
                record[name] = Seen(*here[name], digest_of(_folder(ws, portfolio) / name), state)


def refused_files(ws: Workspace, portfolio: Portfolio) -> list[str]:
    """Files in the landing folder that could not be used as a whole, as far as is known."""
    return sorted(name for name, seen in _read(ws, portfolio).items() if seen.state == "refused")


# -- inside ---------------------------------------------------------------------------------------------------


def _folder(ws: Workspace, portfolio: Portfolio) -> Path:
    return ws.landing / portfolio.name


def _refresh(ws: Workspace, portfolio: Portfolio, record: dict[str, Seen], here: Mapping[str, Mark]) -> None:
    """Forget files that are gone or others now; note those whose bytes the store knows already."""
    for name in record.keys() - here.keys():
        del record[name]
    for name, mark in here.items():
        seen = record.get(name)
        if seen is not None and seen.mark == mark and seen.state == "landed":
            continue
        digest = seen.sha256 if seen is not None and seen.mark == mark else digest_of(_folder(ws, portfolio) / name)
        if digest and _is_landed(ws, portfolio, name, digest):
            record[name] = Seen(*mark, digest, "landed")
        elif seen is not None and digest == seen.sha256:
            # Written again with the same bytes: what became of them holds.
            record[name] = Seen(*mark, digest, seen.state, seen.by)
        else:
            record.pop(name, None)


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes; nothing where they cannot be read now: landing says why."""
    try:
        return fingerprint(path).sha256
    except (FraudopsError, OSError):
        return ""


def _is_landed(ws: Workspace, portfolio: Portfolio, name: str, digest: str) -> bool:
    """Whether these bytes are what the store knows under the file's name."""
    path = place_of(_folder(ws, portfolio), _folder(ws, portfolio) / name)
    known = (
        newest_version(ws.store, portfolio.name, feed, FileName(source.name, path))
        for feed, source in portfolio.watched
    )
    return any(version == digest for version in known)


def _read(ws: Workspace, portfolio: Portfolio) -> dict[str, Seen]:
    try:
        content: dict[str, Any] = json.loads(ws.store.get(_AREA, portfolio.name, _OBJECT))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ContractError(
            f"not valid JSON: {error}",
            where=str(ws.store.path(_AREA, portfolio.name, _OBJECT)),
            remedy="delete it: it is made anew from the landing folder and the store",
        ) from None
    return {name: Seen(**seen) for name, seen in content.items()}


@contextmanager
def _record(ws: Workspace, portfolio: Portfolio) -> Iterator[dict[str, Seen]]:
    """The record, for one process at a time; what was changed in it is written at the end."""
    with ws.transaction() as session:
        name = f"fraudops.watch.{portfolio.name}"
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
        record = _read(ws, portfolio)
        before = dict(record)
        yield record
        if record != before:
            content = {path: asdict(seen) for path, seen in sorted(record.items())}
            ws.store.put(canonical_json(content) + b"\n", _AREA, portfolio.name, _OBJECT)
