"""Decisions that were answered while the database was away, in a file until they can be entered.

One file a portfolio, one encrypted line for each call, written through to the disk before anybody is answered. Writers
and whoever enters them lock it; a line that a crash has cut short was never answered, and is passed over.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from fraudops.decisions.immediate.judging import Verdict
from fraudops.decisions.immediate.records import ReasonGiven
from fraudops.decisions.immediate.writing import Entry
from fraudops.online import Transaction
from fraudops.protection import decrypt, encrypt
from fraudops.workspace import Workspace

_MODE = 0o600
_DIGITS = 10
"""Of the length with which each line begins."""


class Spool:
    """The file of one portfolio.

    Parameters
    ----------
    folder
        On a disk of this machine, where all processes of the service see it.
    """

    def __init__(self, ws: Workspace, folder: Path, portfolio: str) -> None:
        self._ws, self._path = ws, folder / f"{portfolio}.spool"

    @property
    def waits(self) -> bool:
        """Whether something is in it."""
        try:
            return self._path.stat().st_size > 0
        except FileNotFoundError:
            return False

    def append(self, entries: Sequence[Entry]) -> None:
        """Keep decisions; they survive a power failure once this returns.

        Raises
        ------
        ConfigurationError
            There is no key to encrypt with.
        OSError
            The disk does not take them.
        """
        token = encrypt(self._ws, json.dumps([_written(entry) for entry in entries]).encode())
        line = b"%0*d %b\n" % (_DIGITS, len(token), token)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked() as handle:
            end = os.lseek(handle, 0, os.SEEK_END)
            if end and os.pread(handle, 1, end - 1) != b"\n":
                # What a crash has cut short would spoil this line too.
                line = b"\n" + line
            try:
                _write_all(handle, line)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, end)
                raise
        _sync_folder(self._path.parent)

    @contextmanager
    def taken(self) -> Iterator[list[Entry]]:
        """Its decisions, in the order in which they were made; nobody writes meanwhile.

        It is emptied where the block ends without an error: they are in the database then. A crash before that leaves
        them, and entering them again finds them there.

        Raises
        ------
        IntegrityError
            It was encrypted with another key, or altered.
        """
        with self._locked() as handle:
            content = _read_all(handle)
            whole, _, _ = content.rpartition(b"\n")
            where = f"serving/spool/{self._path.name}"
            tokens = [line[_DIGITS + 1 :] for line in whole.split(b"\n") if _is_whole(line)]
            yield [_read(one) for token in tokens for one in json.loads(decrypt(self._ws, token, where))]
            os.ftruncate(handle, 0)
            os.fsync(handle)

    @contextmanager
    def _locked(self) -> Iterator[int]:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, _MODE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)


# -- inside ---------------------------------------------------------------------------------------------------


def _is_whole(line: bytes) -> bool:
    """Whether it was written to its end; one that was not has the next one's line break behind it."""
    length, _, token = line.partition(b" ")
    return len(length) == _DIGITS and length.isdigit() and int(length) == len(token)


def _written(entry: Entry) -> dict[str, Any]:
    """JSON-able; floats as they are."""
    transaction = entry.transaction
    return {
        "decision_id": entry.decision_id,
        "transaction": [transaction.id, transaction.event_time, transaction.amount_minor, dict(transaction.row)],
        "partition_key": entry.partition_key,
        "received_at": entry.received_at.isoformat(),
        "content": entry.content,
        "raw": None if entry.raw is None else entry.raw.decode("ascii"),
        "features": list(entry.features),
        "config": entry.config,
        "model_id": entry.model_id,
        "verdict": asdict(entry.verdict),
        "degraded": list(entry.degraded),
    }


def _read(stored: dict[str, Any]) -> Entry:
    verdict = stored["verdict"]
    verdict["reasons"] = tuple(ReasonGiven(**reason) for reason in verdict["reasons"])
    return Entry(
        decision_id=stored["decision_id"],
        transaction=Transaction(*stored["transaction"]),
        partition_key=stored["partition_key"],
        received_at=datetime.fromisoformat(stored["received_at"]),
        content=stored["content"],
        raw=None if stored["raw"] is None else stored["raw"].encode("ascii"),
        features=stored["features"],
        config=stored["config"],
        model_id=stored["model_id"],
        verdict=Verdict(**verdict),
        degraded=tuple(stored["degraded"]),
    )


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]


def _read_all(handle: int) -> bytes:
    size = os.fstat(handle).st_size
    found = b""
    while len(found) < size and (piece := os.pread(handle, size - len(found), len(found))):
        found += piece
    return found


def _sync_folder(folder: Path) -> None:
    """Make the file's name survive as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
