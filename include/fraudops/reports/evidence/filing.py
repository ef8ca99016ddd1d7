"""Keeps packs: a revision beside the earlier ones whenever something new is known, its digests in the ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry, ModelVersion
from fraudops.errors import ContractError, IntegrityError
from fraudops.portfolio import Portfolio
from fraudops.registry.locks import lock_versions
from fraudops.registry.versions import version as version_of
from fraudops.reports.evidence.gathering import FILED, Run, gather
from fraudops.reports.evidence.writing import to_html, to_json
from fraudops.store import sha256_of
from fraudops.workspace import Workspace

AREA = "evidence"
ACTOR = "service:evidence"


@dataclass(frozen=True)
class FiledPack:
    """One revision of a version's pack.

    Attributes
    ----------
    page, data
        Names of its two files, in the folder of the version.
    """

    portfolio: str
    version: str
    revision: int
    page: str
    data: str
    page_sha256: str
    data_sha256: str
    ledger_number: int

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def file_packs(ws: Workspace, portfolio: Portfolio, *, run_id: str) -> list[FiledPack]:
    """File a pack of every version that a training run registered, whatever was decided about it.

    Raises
    ------
    ContractError
        The run has no data set.
    IntegrityError
        What the run left is not what was written.
    """
    run = Run.read(ws, portfolio, run_id)
    return [_file(run, model) for model in run.models]


def file_pack(ws: Workspace, portfolio: Portfolio, *, version: str) -> FiledPack:
    """File the pack of one version; where nothing new is known, the newest revision stays the newest.

    Raises
    ------
    ContractError
        There is no such version, or its run has no data set any more.
    IntegrityError
        What the run left is not what was written.
    """
    with ws.transaction() as session:
        model = version_of(session, portfolio.name, version)
    return _file(Run.read(ws, portfolio, model.run_id), model)


def filed_packs(session: Session, portfolio_name: str, version: str) -> list[FiledPack]:
    """Every revision of a version's pack, the newest first."""
    query = (
        select(LedgerEntry)
        .where(LedgerEntry.action == FILED, LedgerEntry.subject == f"{portfolio_name}/models/{version}")
        .order_by(LedgerEntry.number.desc())
    )
    return [_read(entry, version) for entry in session.scalars(query)]


def read_pack(ws: Workspace, filed: FiledPack) -> tuple[bytes, bytes]:
    """Page and data of a revision, checked against the ledger.

    Raises
    ------
    IntegrityError
        A file is gone, or not the one that was filed.
    """
    contents = []
    for name, digest in ((filed.page, filed.page_sha256), (filed.data, filed.data_sha256)):
        try:
            content = ws.store.get(AREA, filed.portfolio, filed.version, name)
        except FileNotFoundError:
            content = b""
        if sha256_of(content) != digest:
            raise IntegrityError(
                f"{name} is {'not the file that was filed' if content else 'gone'}",
                where=f"{filed.portfolio} {filed.version}, ledger entry {filed.ledger_number}",
                remedy="restore it from the backup; find out who changed it",
            )
        contents.append(content)
    return contents[0], contents[1]


def _file(run: Run, model: ModelVersion) -> FiledPack:
    if not model.lineage.get("predictions_sha256"):
        raise ContractError(
            "the version was registered without its predictions",
            where=f"{model.portfolio} {model.version}",
            remedy="train again: what was not kept cannot be shown",
        )
    ws = run.ws
    pack, figures = gather(run, model)
    data = to_json(pack)
    page = to_html(pack, figures, json_sha256=sha256_of(data))
    with ws.transaction() as session:
        lock_versions(session, model.portfolio)
        newest = next(iter(filed_packs(session, model.portfolio, model.version)), None)
        if newest is not None and newest.data_sha256 == sha256_of(data):
            return newest
        revision = newest.revision + 1 if newest else 1
        names = f"pack-r{revision}.html", f"pack-r{revision}.json"
        # Files first: an entry never names what is not there; a file that no entry names is written over.
        for name, content in zip(names, (page, data), strict=True):
            ws.store.put(content, AREA, model.portfolio, model.version, name)
        entry = ws.record(
            session,
            portfolio=model.portfolio,
            actor=ACTOR,
            action=FILED,
            subject=f"{model.portfolio}/models/{model.version}",
            details={
                "revision": revision,
                "page": names[0],
                "page_sha256": sha256_of(page),
                "data": names[1],
                "data_sha256": sha256_of(data),
            },
        )
        return _read(entry, model.version)


def _read(entry: LedgerEntry, version: str) -> FiledPack:
    return FiledPack(
        portfolio=entry.portfolio,
        version=version,
        revision=int(entry.details["revision"]),
        page=entry.details["page"],
        data=entry.details["data"],
        page_sha256=entry.details["page_sha256"],
        data_sha256=entry.details["data_sha256"],
        ledger_number=entry.number,
    )
