"""Brings remote files here: whole or not at all, and each content once.

Beside a file lies a note of what the server said of it when it was fetched (``.<name>.fetched``). A file of which
the server still says the same is not fetched again; one that was altered or removed here is.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from fraudops.errors import ContractError, FraudopsError
from fraudops.intake.fetching.access import Access
from fraudops.intake.fetching.servers import RemoteFile, Server, State
from fraudops.portfolio import Source
from fraudops.portfolio.strict import Strict


@dataclass(frozen=True)
class Downloads:
    """What became of a source's remote files."""

    fetched: list[str]
    """Their places below the source's folder."""
    known: int
    """How many were here already."""


class _Note(Strict):
    """What is remembered of a file that was fetched."""

    address: str
    size: int
    version: str
    local_size: int
    local_modified: int
    """Nanoseconds."""


def download(source: Source, access: Access, folder: Path, key: str | None) -> Downloads:
    """Fetch the source's files that are new or have changed.

    Parameters
    ----------
    folder
        The portfolio's landing folder; files go into the source's own folder below it.
    key
        Partition whose files are wanted; None: every one.

    Raises
    ------
    ContractError
        A login, a bucket or a name is not what it should be: trying again would fail again.
    FraudopsError
        The server cannot be reached, or a file changed while it was fetched: trying again helps.
    """
    server = Server(source, access)
    fetched, known = [], 0
    for file in server.matching(key):
        target = _target(folder, source, file)
        if _is_here(target, server, file):
            known += 1
            continue
        _fetch(server, file, target)
        fetched.append(file.place)
    return Downloads(fetched, known)


def _target(folder: Path, source: Source, file: RemoteFile) -> Path:
    target = folder / source.name / file.place
    if not target.resolve().is_relative_to(folder.resolve()):
        raise ContractError(
            f"{source.name}/{file.place} leads out of the landing folder",
            where=str(folder),
            remedy="replace the link by a folder",
        )
    return target


def _fetch(server: Server, file: RemoteFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.touch()  # what is wrong with this machine's disk shows here, and is not taken for the server's fault
    with server.explained():
        try:
            before = server.state(file)
            server.files.get_file(file.path, str(part))
            after = server.state(file)
        except FileNotFoundError:
            raise FraudopsError(
                f"{file.place} went away while it was fetched", where=server.where, remedy="try again"
            ) from None
    size = part.stat().st_size
    if before != after or size != after.size:
        part.unlink()
        raise FraudopsError(
            f"{file.place} changed while it was fetched ({size} bytes came, the server says {after.size})",
            where=server.where,
            remedy="try again once its sender has finished (who does best to write under another name, then rename)",
        )
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(target)
    state = target.stat()
    # The listing's word, not the later one: what changed in between is then fetched again next time.
    note = _Note(
        address=file.path,
        size=file.state.size,
        version=file.state.version,
        local_size=state.st_size,
        local_modified=state.st_mtime_ns,
    )
    _note_of(target).write_text(note.model_dump_json())


def _is_here(target: Path, server: Server, file: RemoteFile) -> bool:
    try:
        note, state = _Note.model_validate_json(_note_of(target).read_bytes()), target.stat()
    except (FileNotFoundError, ValidationError):
        return False
    there = (note.address, State(note.size, note.version)) == (file.path, file.state)
    return there and (note.local_size, note.local_modified) == (state.st_size, state.st_mtime_ns)


def _note_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.fetched")
