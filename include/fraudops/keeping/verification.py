"""Whether what is kept is still what was written: the ledger, the store against it, models against the database.

Every manifest is compared with the ledger on every run. Data files are read whole only in part (all of them with
``thorough``): those of one in :data:`EVERY` partitions, another part each day, so that each is read once in that many
days.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops import ledger
from fraudops.cases.attachments import wrong_attachments
from fraudops.database import LedgerEntry, ModelVersion
from fraudops.errors import IntegrityError
from fraudops.intake.publication import INGESTED
from fraudops.keeping.retain import BEGAN
from fraudops.keeping.rotation.tokens import rotated_digests
from fraudops.ledger import SignedHead, heads
from fraudops.monitoring import DATASETS as MONITORED
from fraudops.monthly.editions import wrong_packs
from fraudops.notices.keeping_messages import altered, head_kept
from fraudops.portfolio import CUSTOMERS_PROTECTED, REFERENCE_FEEDS, REPORT_FEEDS, Portfolio
from fraudops.registry.shadow import DATASET as SHADOW_SCORES
from fraudops.registry.versions import ARTIFACT
from fraudops.rules import DATASETS as RULES
from fraudops.store import Manifest, removed_keys, sha256_of, tombstone
from fraudops.store.removal import model_tombstone
from fraudops.workspace import Workspace

EVERY = 30
_RECORDED = {
    "transactions": (INGESTED, "after"),
    **dict.fromkeys((*REPORT_FEEDS, *REFERENCE_FEEDS), (INGESTED, "after")),
    "scores": ("scored", "digest"),
}
"""Dataset → action of the ledger's entry for a partition, and the detail that has the digest."""
_UNRECORDED = ("lineage", "protected", CUSTOMERS_PROTECTED, "features", SHADOW_SCORES, *MONITORED, *RULES)
"""Datasets of which the ledger says nothing partition by partition: their files are checked against their manifests."""
_UNREADABLE = "the manifest cannot be read"
_PATIENCE = (0.5, 2.0)
"""Seconds before a second and a third look: a step publishes and then commits its entry."""


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what is not as it was written.

    Attributes
    ----------
    findings
        Sentences: where, and what is wrong.
    head
        The ledger's signed head, as it was exported; None where the ledger is altered, or empty.
    """

    entries: int
    partitions: int
    files: int
    models: int
    findings: tuple[str, ...]
    head: SignedHead | None = None
    packs: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        return {name: value for name, value in asdict(self).items() if name != "head"}

    @property
    def sentence(self) -> str:
        """For people."""
        looked = (
            f"{self.entries:,} ledger entries, {self.partitions:,} partitions, {self.files:,} data files, "
            f"{self.models:,} models and {self.packs:,} monthly packs"
        )
        return f"{looked}: {len(self.findings)} findings" if self.findings else f"unaltered: {looked}"


def verify(ws: Workspace, portfolio: Portfolio, *, now: datetime, thorough: bool = False) -> Verified:
    """Look at the whole ledger and at everything that is kept for a portfolio.

    Writes one thing: where the ledger is unaltered, its signed head into the store.

    Parameters
    ----------
    now
        Decides which part of the data files is read today.
    thorough
        Read all of them.
    """
    with ws.transaction() as session:
        wrong = [*ledger.verify(session, ws.ledger_keys), *heads.check(session, ws.store, ws.ledger_keys)]
        head, key = ledger.head(session), ledger.signing_key(session, ws.ledger_keys)
    findings = [f"ledger, {found.where}: {found.what}" for found in wrong]
    signed = None if wrong else heads.export(ws.store, key, head, at=now)
    count, others = _partitions(ws, portfolio)
    findings += others
    findings += _turned(ws, portfolio)
    files, others = _files(ws, portfolio, None if thorough else now.toordinal() % EVERY)
    findings += others
    with ws.transaction() as session:
        models, others = _models(ws, session, portfolio)
        others += wrong_attachments(ws, session, portfolio, thorough=thorough)
        packs, wrong_ones = wrong_packs(ws, session, portfolio)
    findings += [*others, *wrong_ones]
    return Verified(head.number, count, files, models, tuple(findings), signed, packs)


def verify_and_tell(ws: Workspace, portfolio: Portfolio, *, now: datetime, thorough: bool = False) -> Verified:
    """The same; people are told of findings, of the same ones once, and each week of the ledger's head."""
    found = verify(ws, portfolio, now=now, thorough=thorough)
    if found.findings:
        with ws.transaction() as session:
            altered(session, ws, portfolio, found.findings, as_of=now)
    if found.head is not None:
        with ws.transaction() as session:
            head_kept(session, ws, portfolio, found.head, as_of=now)
    return found


# -- inside -------------------------------------------------------------------------------------------


def _partitions(ws: Workspace, portfolio: Portfolio) -> tuple[int, list[str]]:
    """Manifests against the ledger, both ways; and tombstones against it."""
    count, findings = 0, []
    for dataset, (action, detail) in _RECORDED.items():
        keys = ws.store.keys(dataset, portfolio.name)
        count += len(keys)
        with ws.transaction() as session:
            recorded = _recorded(session, portfolio, dataset, action, detail)
        for key in sorted({*keys, *recorded}):
            if recorded.get(key) != _stored(ws, portfolio, dataset, key):
                findings += _settled(partial(_partition, ws, portfolio, dataset, key, action, detail))
    for dataset in (*_RECORDED, *_UNRECORDED):
        findings += _stones(ws, portfolio, dataset)
    return count, findings


def _partition(ws: Workspace, portfolio: Portfolio, dataset: str, key: str, action: str, detail: str) -> list[str]:
    """What is wrong with one partition, everything read anew."""
    where = f"{dataset} {key}"
    with ws.transaction() as session:
        recorded = _recorded(session, portfolio, dataset, action, detail, key).get(key)
    stored = _stored(ws, portfolio, dataset, key)
    if stored == recorded:
        return []
    if stored == _UNREADABLE:
        return [f"{where}: {_UNREADABLE}"]
    if stored is None:
        gone = tombstone(ws.store, dataset, portfolio.name, key) is not None
        return [] if gone else [f"{where}: the partition is gone, and nobody removed it"]
    if recorded is None:
        return [f"{where}: the partition is not in the ledger"]
    return [f"{where}: the rows are not those that the ledger has ({stored[:16]}… instead of {recorded[:16]}…)"]


def _settled(look: Callable[[], list[str]]) -> list[str]:
    """Findings that are still there a moment later: a step may be at work just now."""
    found = look()
    for seconds in _PATIENCE:
        if not found:
            break
        time.sleep(seconds)
        found = look()
    return found


def _recorded(
    session: Session, portfolio: Portfolio, dataset: str, action: str, detail: str, key: str | None = None
) -> dict[str, str]:
    """Key → digest of the newest entry."""
    prefix = f"{portfolio.name}/{dataset}/"
    subject = LedgerEntry.subject.startswith(prefix, autoescape=True)
    entries = session.execute(
        select(LedgerEntry.subject, LedgerEntry.details[detail].astext)
        .where(
            LedgerEntry.portfolio == portfolio.name,
            LedgerEntry.action == action,
            subject if key is None else LedgerEntry.subject == prefix + key,
        )
        .order_by(LedgerEntry.number)
    )
    return {name.removeprefix(prefix): digest for name, digest in entries}


def _stones(ws: Workspace, portfolio: Portfolio, dataset: str) -> Iterator[str]:
    """Partitions that are said to have been removed, and of which the ledger does not say so."""
    keys = removed_keys(ws.store, dataset, portfolio.name)
    if not keys:
        return
    with ws.transaction() as session:
        began = session.scalars(
            select(LedgerEntry).where(LedgerEntry.portfolio == portfolio.name, LedgerEntry.action == BEGAN)
        )
        known = {(entry.number, *item[:3]) for entry in began for item in entry.details["items"]}
    for key in keys:
        stone = tombstone(ws.store, dataset, portfolio.name, key)
        if stone is not None and (stone.ledger, dataset, key, stone.digest) not in known:
            yield f"{dataset} {key}: is said to have been removed, and the ledger does not know of it"


def _turned(ws: Workspace, portfolio: Portfolio) -> Iterator[str]:
    """Partitions whose rows are not those that the last change of the tokens' key has left."""
    with ws.transaction() as session:
        known = rotated_digests(session, portfolio.name)
    for dataset in (*_RECORDED, *_UNRECORDED):
        for key in ws.store.keys(dataset, portfolio.name):
            manifest, rows = ws.store.manifest(dataset, portfolio.name, key), known.get((dataset, key), {})
            if manifest is None or (manifest.stands_for is None and not rows):
                continue
            # What was landed since stands for itself, and the ledger has its digest as that of any partition.
            if manifest.content_digest != rows.get(manifest.data_digest, manifest.data_digest):
                yield f"{dataset} {key}: the rows are not those that the last change of the tokens' key has left"


def _files(ws: Workspace, portfolio: Portfolio, part: int | None) -> tuple[int, list[str]]:
    """Data files against their manifests: their sizes, and of today's part their bytes."""
    count = 0
    findings: list[str] = []
    for dataset in (*_RECORDED, *_UNRECORDED):
        for key in ws.store.keys(dataset, portfolio.name):
            try:
                manifest = ws.store.manifest(dataset, portfolio.name, key)
            except IntegrityError:
                # Of a recorded dataset it has been found already.
                findings += [] if dataset in _RECORDED else [f"{dataset} {key}: {_UNREADABLE}"]
                continue
            if manifest is None:
                continue
            count += len(manifest.files)
            whole = part is None or int(sha256_of(key.encode())[:8], 16) % EVERY == part
            findings += _of_manifest(ws, manifest, whole)
    return count, findings


def _of_manifest(ws: Workspace, manifest: Manifest, whole: bool) -> Iterator[str]:
    folder = ws.store.path(manifest.dataset, manifest.portfolio, f"date={manifest.key}")
    for file in manifest.files:
        where = f"{manifest.dataset} {manifest.key}: {file.name}"
        try:
            same = (
                sha256_of((folder / file.name).read_bytes()) == file.sha256
                if whole
                else (folder / file.name).stat().st_size == file.bytes
            )
        except FileNotFoundError:
            # It may have been removed, or replaced and collected, since its manifest was read.
            if ws.store.manifest(manifest.dataset, manifest.portfolio, manifest.key) == manifest:
                yield f"{where} is gone"
            continue
        if not same:
            yield f"{where} is not the file that was written"


def _models(ws: Workspace, session: Session, portfolio: Portfolio) -> tuple[int, list[str]]:
    versions = session.scalars(select(ModelVersion).where(ModelVersion.portfolio == portfolio.name)).all()
    findings: list[str] = []
    for model in versions:
        try:
            found = sha256_of(ws.store.get("models", portfolio.name, model.version, ARTIFACT))
        except FileNotFoundError:
            if model_tombstone(ws.store, portfolio.name, model.version) is None:
                findings.append(f"models {model.version}: the file is gone, and nobody removed it")
            continue
        if found != model.artifact_sha256:
            findings.append(f"models {model.version}: the file is not the one that was registered")
    return len(versions), findings


def _stored(ws: Workspace, portfolio: Portfolio, dataset: str, key: str) -> str | None:
    """Digest of a partition's data; None where there is none, and a word of its own where nobody can tell."""
    try:
        manifest = ws.store.manifest(dataset, portfolio.name, key)
    except IntegrityError:
        return _UNREADABLE
    return None if manifest is None else manifest.data_digest
