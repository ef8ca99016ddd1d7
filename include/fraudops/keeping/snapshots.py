"""A backup's folder: every file once, named by its content, and a list per backup of which files made it up.

::

    DIR/objects/<first two digits>/<SHA-256>      content: files of the store, dumps of databases
        snapshots/<moment>-<digest>.json          written last; no list, no backup

A second backup into the same folder copies what is new. A list's name holds the digest of what it says, and each object
is named by its own, so that whatever was altered or lost in the folder is found before anything is restored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError
from upath import UPath

from fraudops.errors import ConfigurationError, FraudopsError, IntegrityError
from fraudops.monitoring import DATASETS as MONITORED
from fraudops.portfolio import CUSTOMERS_PROTECTED, ONLINE, REFERENCE_FEEDS, REPORT_FEEDS
from fraudops.registry.shadow import DATASET as SHADOW_SCORES
from fraudops.rules import DATASETS as RULES
from fraudops.store import canonical_json, sha256_of
from fraudops.store.files import put_whole

FORMAT = 1
_SNAPSHOT = re.compile(r"\d{8}T\d{6}Z-([0-9a-f]{16})\.json")
_CONTENT_NAMED = re.compile(r"part-([0-9a-f]{16})\.parquet")
_DERIVED_FIRST = (
    *RULES,
    *MONITORED,
    SHADOW_SCORES,
    "scores",
    ONLINE,
    "features",
    *REPORT_FEEDS,
    *REFERENCE_FEEDS,
    CUSTOMERS_PROTECTED,
    "transactions",
    "protected",
    "lineage",
)
_SHOWN = 20
_WATERMARKS, _OBJECTS, _MANIFESTS, _REPLACED, _DATA = range(5)
"""In the order in which they are copied."""


class Copied(BaseModel):
    """A file as it was backed up."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    bytes: int


class Snapshot(BaseModel):
    """What a backup consists of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    taken_at: datetime
    code: str
    """Version of fraudops that took it."""
    database_revision: str
    """Of the tables; they are brought up to date after a restore."""
    ledger_number: int
    """Last entry before the backup began: the restored ledger has it."""
    ledger_digest: str
    keys: dict[str, str]
    """Fingerprints of the token key and the ledger key. The keys themselves are not in the backup."""
    databases: dict[str, Copied]
    """``fraudops``, and ``airflow`` where it was included."""
    files: dict[str, Copied]
    """Path below the store's root → the file."""

    def to_bytes(self) -> bytes:
        """As it is written."""
        return canonical_json(self.model_dump(mode="json")) + b"\n"

    @property
    def bytes(self) -> int:
        """Bytes of the store and the dumps."""
        return sum(item.bytes for item in (*self.files.values(), *self.databases.values()))


@dataclass(frozen=True)
class BackupFolder:
    """A folder that holds backups."""

    root: Path

    def begin(self) -> None:
        """Make it, readable by its owner alone: it holds what the store and the database hold."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in ("objects", "snapshots"):
            (self.root / name).mkdir(exist_ok=True, mode=0o700)

    def put(self, content: bytes) -> Copied:
        """Keep some bytes; harmless where they are there."""
        sha256 = sha256_of(content)
        path = self._object(sha256)
        if not path.exists():
            put_whole(UPath(path), content)
        return Copied(sha256=sha256, bytes=len(content))

    def put_file(self, path: Path) -> Copied:
        """Keep a file's bytes."""
        return self.put(path.read_bytes())

    def has(self, item: Copied) -> bool:
        """Whether an object is there; its bytes are not looked at."""
        return self._object(item.sha256).exists()

    def get(self, item: Copied) -> bytes:
        """The bytes of an object.

        Raises
        ------
        IntegrityError
            It is gone, or not what was kept.
        """
        path = self._object(item.sha256)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise IntegrityError(
                "an object of the backup is gone", where=str(path), remedy="use another copy of the backup"
            ) from None
        if sha256_of(content) != item.sha256:
            raise IntegrityError(
                "an object of the backup was altered", where=str(path), remedy="use another copy of the backup"
            )
        return content

    def save(self, snapshot: Snapshot) -> Path:
        """Write a backup's list; from here on there is one."""
        content = snapshot.to_bytes()
        name = f"{snapshot.taken_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{sha256_of(content)[:16]}.json"
        put_whole(UPath(self.root / "snapshots" / name), content)
        return self.root / "snapshots" / name

    def snapshots(self) -> list[str]:
        """Names of the backups, the oldest first."""
        folder = self.root / "snapshots"
        return sorted(p.name for p in folder.glob("*.json") if _SNAPSHOT.fullmatch(p.name)) if folder.is_dir() else []

    def read(self, name: str | None = None) -> Snapshot:
        """A backup's list: the newest, or the one of a name (or of the beginning of one).

        Raises
        ------
        FraudopsError
            There is none, or more than one of that name.
        IntegrityError
            It was altered.
        ConfigurationError
            A newer fraudops has written it.
        """
        there = [found for found in self.snapshots() if found.startswith(name or "")]
        if not there or (name and len(there) > 1):
            raise FraudopsError(
                f"there are {len(there)} backups of that name" if name else "there is no backup",
                where=str(self.root),
                remedy="see 'fraudops backup DIR --list'",
            )
        path = self.root / "snapshots" / there[-1]
        content = path.read_bytes()
        match = _SNAPSHOT.fullmatch(path.name)
        if match is None or sha256_of(content)[:16] != match[1]:
            raise IntegrityError("the backup's list was altered", where=str(path), remedy="use another copy of it")
        try:
            found = Snapshot.model_validate_json(content)
        except ValidationError:
            found = None
        if found is None or found.format > FORMAT:
            raise ConfigurationError(
                "the backup was taken by a newer fraudops", where=str(path), remedy="restore it with that version"
            )
        return found

    def missing(self, snapshot: Snapshot) -> list[str]:
        """What of a backup is gone or altered; every byte is read."""
        found = []
        items = [(f"database {name}", item) for name, item in snapshot.databases.items()]
        for name, item in [*items, *snapshot.files.items()]:
            try:
                self.get(item)
            except IntegrityError as error:
                found.append(f"{name}: {error.what}")
        return found

    def _object(self, sha256: str) -> Path:
        return self.root / "objects" / sha256[:2] / sha256


def copy_store(
    root: UPath,
    folder: BackupFolder,
    before: Snapshot | None,
    alone: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> tuple[dict[str, Copied], list[str]]:
    """Keep every file of a store while others write to it; returns them, and those that are not what was written.

    Nothing may be removed meanwhile. In this order:

    1. watermarks: one that were newer than the rows would hide rows from the next reading of its source;
    2. other objects;
    3. with nothing being landed: what waits for validation, then manifests, of what was computed before those of what
       it was computed from, then manifests that were replaced;
    4. data files: whatever a manifest names was there before it.

    Parameters
    ----------
    before
        An earlier backup into the same folder: files that are named by their content are not read again.
    alone
        Opens the third step: while it is open nothing is landed.
    """
    files: dict[str, Copied] = {}
    wrong: list[str] = []
    for path in _in_turn(root, _WATERMARKS, _OBJECTS):
        _copy(root, path, folder, files)
    with alone():
        for turn in (_MANIFESTS, _REPLACED):
            for path in _in_turn(root, turn):
                _copy(root, path, folder, files)
    known = before.files if before is not None else {}
    for path in _in_turn(root, _DATA):
        if path in known and folder.has(known[path]):
            files[path] = known[path]
        else:
            _copy(root, path, folder, files)
        match = _CONTENT_NAMED.fullmatch(PurePosixPath(path).name)
        if path in files and match is not None and not files[path].sha256.startswith(match[1]):
            wrong.append(path)
    return files, wrong


def put_back(snapshot: Snapshot, folder: BackupFolder, root: UPath, left_out: Iterable[str] = ()) -> int:
    """Write a backup's files into an empty store, data first and manifests last; returns how many."""
    without = set(left_out)
    count = 0
    for path in sorted(snapshot.files, key=_turn, reverse=True):
        if path not in without:
            put_whole(root / path, folder.get(snapshot.files[path]))
            count += 1
    return count


def _copy(root: UPath, path: str, folder: BackupFolder, files: dict[str, Copied]) -> None:
    try:
        files[path] = folder.put((root / path).read_bytes())
    except FileNotFoundError:
        return  # what waited for validation has been published since


def _in_turn(root: UPath, *turns: int) -> list[str]:
    """Paths whose turn it is, as they are at this moment."""
    return sorted((path for path in _names(root) if _turn(path)[0] in turns), key=_turn)


def _turn(path: str) -> tuple[int, int, str]:
    """When a file is copied; it is put back in the opposite order."""
    area, name = path.split("/", 1)[0], PurePosixPath(path).name
    if _CONTENT_NAMED.fullmatch(name):
        return _DATA, 0, path
    if area == "watermarks":
        return _WATERMARKS, 0, path
    if area not in _DERIVED_FIRST:
        return _OBJECTS, int(name != "format.json"), path
    if PurePosixPath(path).parent.name == "history":
        return _REPLACED, 0, path
    # What is published between the two looks is then seen twice, and not at all is what it must not be.
    return _MANIFESTS, -1 if name == "staged.json" else _DERIVED_FIRST.index(area), path


def _names(root: UPath) -> Iterator[str]:
    """Paths of all files below a root, with ``/``; what is being written is left out."""
    if not root.exists():
        return
    if root.protocol in ("", "file", "local"):
        for folder, _, names in os.walk(str(root)):
            place = Path(folder).relative_to(str(root))
            yield from ((place / name).as_posix() for name in names if not name.startswith("."))
        return
    for path in root.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(root).as_posix()


def shown(names: list[str]) -> str:
    """The first of some names, a line each."""
    more = [f"… and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return "\n".join([*names[:_SHOWN], *more])
