"""Backup and restore of an installation: its databases and its store.

The databases first, then the store: what a database refers to is written before it is referred to, so the store in
the backup may hold more than the database knows, and never less. Whatever was done between the two looks like a step
that died before it committed, and is made up for in the same way: by running it again.

Not in a backup: the keys (they are what makes its content worth nothing to a thief), landing files (the sender's), the
portfolios and roles (your version control's), logs and e-mails of the local mail sink.
"""

from __future__ import annotations

import hmac
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, inspect, select

from fraudops import __version__, ledger
from fraudops.database import LedgerEntry, migrate, open_engine
from fraudops.database.migration import current_revision, require_known
from fraudops.errors import ConfigurationError, ConflictError, ContractError, IntegrityError
from fraudops.intake.locks import lock_landing
from fraudops.keeping.locks import lock_removal
from fraudops.keeping.snapshots import BackupFolder, Copied, Snapshot, copy_store, put_back, shown
from fraudops.ledger.heads import RESTORED, UP_TO
from fraudops.stack.dumps import dump, load
from fraudops.store import formats
from fraudops.store.files import is_local
from fraudops.workspace import Workspace

OURS, AIRFLOWS = "fraudops", "airflow"
Tell = Callable[[str], None]


@dataclass(frozen=True)
class TakenBackup:
    """A backup that was taken.

    Attributes
    ----------
    new_bytes
        What the folder did not hold before.
    wrong
        Files of the store that are not what was written; they are in the backup as they are.
    """

    path: Path
    snapshot: Snapshot
    new_bytes: int
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Restored:
    """What was restored.

    Attributes
    ----------
    replaced
        Where the store lies that was there before; None where there was none.
    left_out
        What the backup lacks, where it was restored all the same.
    findings
        What is wrong with the restored ledger; nothing where all is well.
    """

    snapshot: Snapshot
    files: int
    replaced: Path | None
    left_out: tuple[str, ...]
    findings: tuple[str, ...]


def take(
    ws: Workspace, root: Path, *, portfolios: list[str], airflow_url: str | None, now: datetime, tell: Tell
) -> TakenBackup:
    """Back up a running installation: steps go on working, only removals wait, and landings for some seconds.

    Parameters
    ----------
    root
        Folder of backups; what an earlier one put there is not copied again.
    portfolios
        Names; their landings wait while manifests are copied.
    airflow_url
        Airflow's database; None leaves it out.

    Raises
    ------
    FraudopsError
        A database cannot be dumped, or the disk is full: there is then no new backup, and the earlier ones stand.
    """
    folder = BackupFolder(root)
    folder.begin()
    before = folder.read() if folder.snapshots() else None
    used = _size(root)
    with ws.transaction() as session:
        lock_removal(session)
        head = ledger.head(session)
        databases: dict[str, Copied] = {}
        with tempfile.TemporaryDirectory(prefix=".dump-", dir=root) as scratch:
            # Airflow's first: a run of which it knows that it succeeded has left its traces in ours.
            urls = {AIRFLOWS: airflow_url, OURS: ws.database_url}
            for name, url in urls.items():
                if url is not None:
                    tell(f"dumping the database {name}")
                    dump(url, Path(scratch) / name)
                    databases[name] = folder.put_file(Path(scratch) / name)
        tell("copying the store")
        files, wrong = copy_store(ws.store.root, folder, before, lambda: _nothing_is_landed(ws, portfolios))
    snapshot = Snapshot(
        taken_at=now,
        code=__version__,
        database_revision=current_revision(ws.database_url) or "",
        ledger_number=head.number,
        ledger_digest=head.digest,
        keys=_fingerprints(ws),
        databases=databases,
        files=files,
    )
    path = folder.save(snapshot)
    return TakenBackup(path, snapshot, _size(root) - used, tuple(wrong))


def restore(
    ws: Workspace,
    root: Path,
    *,
    name: str | None,
    owner_url: str,
    airflow_url: str | None,
    overwrite: bool,
    incomplete: bool,
    actor: str,
    tell: Tell,
) -> Restored:
    """Put a backup in the place of an empty installation. Nothing else may be at work.

    Everything is looked at before anything is written. Where it is interrupted, run it again with ``overwrite``.

    Parameters
    ----------
    name
        Which backup; None: the newest.
    owner_url
        The database of the workspace, as its tables' owner.
    overwrite
        Whether the installation may hold something: its databases are replaced, its store is moved aside.
    incomplete
        Whether to restore what is there of a backup that lacks files of the store.

    Raises
    ------
    IntegrityError
        The backup lacks something.
    ConflictError
        The installation is not empty.
    ConfigurationError
        The keys are not those of the backup, or it was taken by a newer fraudops.
    """
    folder = BackupFolder(root)
    snapshot = folder.read(name)
    _require_keys(ws, snapshot)
    require_known(snapshot.database_revision, where=str(root))
    tell(f"checking {len(snapshot.files):,} files of the backup of {snapshot.taken_at:%Y-%m-%d %H:%M:%S} UTC")
    lacking = _require_complete(folder, snapshot, incomplete=incomplete)
    _require_empty(ws, overwrite=overwrite)
    replaced = _move_aside(ws, snapshot)
    tell("restoring the store")
    count = put_back(snapshot, folder, ws.store.root, lacking)
    urls = {OURS: owner_url, AIRFLOWS: airflow_url}
    with tempfile.TemporaryDirectory(prefix="fraudops-restore-") as scratch:
        for database, item in snapshot.databases.items():
            url = urls.get(database)
            if url is not None:
                tell(f"restoring the database {database}")
                path = Path(scratch) / database
                path.write_bytes(folder.get(item))
                load(url, path)
    migrate(owner_url)
    formats.migrate(ws.store.root)
    findings = _check_ledger(ws, snapshot)
    with ws.transaction() as session:
        ws.record(
            session,
            portfolio="all",
            actor=actor,
            action=RESTORED,
            subject="installation",
            details={
                "taken_at": snapshot.taken_at.isoformat(),
                UP_TO: snapshot.ledger_number,
                "files": count,
                "left_out": list(lacking)[:100],
            },
        )
    return Restored(snapshot, count, replaced, tuple(lacking), tuple(findings))


# -- inside -------------------------------------------------------------------------------------------


@contextmanager
def _nothing_is_landed(ws: Workspace, portfolios: list[str]) -> Iterator[None]:
    with ws.transaction() as session:
        for name in sorted(portfolios):
            lock_landing(session, name)
        yield


def _fingerprints(ws: Workspace) -> dict[str, str]:
    return {name: _fingerprint(keys) for name, keys in _keys(ws).items() if keys}


def _keys(ws: Workspace) -> dict[str, tuple[bytes, ...]]:
    return {"token_key": ws.token_keys, "ledger_key": ws.ledger_keys, "protection_key": ws.protection_keys}


def _fingerprint(keys: tuple[bytes, ...]) -> str:
    """Of a key; of several, of all of them in their order."""
    found = b"fraudops/backup"
    for key in keys:
        found = hmac.digest(key, found, "sha256")
    return found.hex()[:16]


def _require_keys(ws: Workspace, snapshot: Snapshot) -> None:
    # Keys that have been added since the backup do no harm: a rotation is then to be done again.
    mine = {name: {_fingerprint(keys[:n]) for n in range(1, len(keys) + 1)} for name, keys in _keys(ws).items()}
    other = [name for name, known in snapshot.keys.items() if known not in mine.get(name, ())]
    if other:
        raise ConfigurationError(
            f"the {' and the '.join(name.replace('_', ' ') for name in other)} are not those of the backup",
            where=" and ".join(f"FRAUDOPS_{name.upper()}" for name in other),
            remedy="put the keys back first: in production from your secret store, of a local stack the file "
            "stack/secrets.json in its state folder",
        )


def _require_complete(folder: BackupFolder, snapshot: Snapshot, *, incomplete: bool) -> list[str]:
    missing = folder.missing(snapshot)
    if missing and (not incomplete or any(item.startswith("database ") for item in missing)):
        total = len(snapshot.files) + len(snapshot.databases)
        raise IntegrityError(
            f"the backup lacks {len(missing)} of {total} files:\n{shown(missing)}",
            where=str(folder.root),
            remedy="use another backup or another copy of it; --incomplete restores what there is of the store",
        )
    return [item.rsplit(": ", 1)[0] for item in missing]


def _require_empty(ws: Workspace, *, overwrite: bool) -> None:
    if overwrite:
        return
    root = ws.store.root
    holds = "the store" if root.exists() and any(not p.name.startswith(".") for p in root.iterdir()) else None
    engine = open_engine(ws.database_url)
    if holds is None and inspect(engine).has_table(LedgerEntry.__tablename__):
        with ws.transaction() as session:
            if session.scalar(select(func.count()).select_from(LedgerEntry)):
                holds = "the database"
    if holds is not None:
        raise ConflictError(
            f"the installation is not empty: {holds} holds something",
            where=str(root),
            remedy="restore into an empty one, or say --overwrite: the databases are then replaced, and the store is "
            "moved aside",
        )


def _move_aside(ws: Workspace, snapshot: Snapshot) -> Path | None:
    root = ws.store.root
    if not root.exists() or not any(True for _ in root.iterdir()):
        return None
    if not is_local(root):
        raise ContractError(
            "a bucket is not moved aside", where=str(root), remedy="restore into an empty one, or an empty prefix of it"
        )
    here = Path(str(root))
    aside = here.with_name(f"{here.name}.replaced-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    here.rename(aside)
    return aside


def _check_ledger(ws: Workspace, snapshot: Snapshot) -> list[str]:
    with ws.transaction() as session:
        findings = [f"ledger, {found.where}: {found.what}" for found in ledger.verify(session, ws.ledger_keys)]
        if not ledger.contains(session, ledger.Head(snapshot.ledger_number, snapshot.ledger_digest)):
            findings.append(f"ledger: entry {snapshot.ledger_number} is not the one of the backup")
    return findings


def _size(root: Path) -> int:
    return sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
