"""Model versions: registered once, loaded only as the very bytes that were registered.

A model file is code: unpickling it runs whatever it says. So its digest lies in the database, apart from the
store, and nothing touches the file's content before the digest has been compared.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.database import ModelVersion, PromotionRecord
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.registry import integrity
from fraudops.registry.locks import lock_versions
from fraudops.store import sha256_of
from fraudops.store.removal import model_tombstone
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    from fraudops.training.model import FraudModel

ARTIFACT = "model.joblib"


# -- writing ------------------------------------------------------------------------------------------


def register(
    ws: Workspace,
    session: Session,
    portfolio: Portfolio,
    *,
    run_id: str,
    candidate: str,
    as_of: datetime,
    trained_until: datetime,
    model_bytes: bytes,
    metrics: dict[str, Any],
    thresholds: dict[str, Any],
    lineage: dict[str, Any],
) -> ModelVersion:
    """Give a trained candidate the portfolio's next version number.

    The artifact is written first; the row and its ledger entry commit with the caller's transaction. A crash in
    between leaves a file that no row names, and the next registration overwrites it. The same run and candidate
    again gets the version that it has already.

    Parameters
    ----------
    session
        Open transaction. Registrations of one portfolio wait for each other until it ends, so keep it short and
        register before anything else is appended to the ledger in it.
    run_id, candidate
        What was trained, and in which training run.
    as_of
        Moment that the training pretended it was.
    trained_until
        No row at or after it was used in fitting, selecting, calibrating or gating.
    model_bytes
        The joblib file.
    metrics, thresholds, lineage
        JSON-able; nothing confidential.

    Raises
    ------
    IntegrityError
        The version exists, but its file in the store is not the one that was registered.
    """
    lock_versions(session, portfolio.name)
    registered = of_candidate(session, portfolio.name, run_id, candidate)
    if registered is not None:
        _heal(ws, registered, model_bytes)
        return registered
    number = (session.scalar(_of(portfolio.name, func.max(ModelVersion.number))) or 0) + 1
    path = ws.store.put(model_bytes, "models", portfolio.name, f"v{number}", ARTIFACT)
    model = ModelVersion(
        portfolio=portfolio.name,
        number=number,
        run_id=run_id,
        candidate=candidate,
        as_of=as_of,
        trained_until=trained_until,
        artifact=path.relative_to(ws.store.root).as_posix(),
        artifact_sha256=sha256_of(model_bytes),
        metrics=metrics,
        thresholds=thresholds,
        lineage=lineage,
        created_at=datetime.now(UTC),
    )
    session.add(model)
    session.flush()
    ws.record(
        session,
        portfolio=portfolio.name,
        actor="service:train",
        action="trained",
        subject=f"{portfolio.name}/models/{model.version}",
        details={
            "candidate": candidate,
            "run_id": run_id,
            "as_of": as_of.isoformat(),
            "trained_until": trained_until.isoformat(),
            "artifact_sha256": model.artifact_sha256,
            "bytes": len(model_bytes),
        },
    )
    return model


def _heal(ws: Workspace, model: ModelVersion, model_bytes: bytes) -> None:
    """Write a registered version's lost file again, where these are the very bytes that were registered."""
    path = ws.store.path("models", model.portfolio, model.version, ARTIFACT)
    if not path.exists() and sha256_of(model_bytes) == model.artifact_sha256:
        ws.store.put(model_bytes, "models", model.portfolio, model.version, ARTIFACT)


# -- reading ------------------------------------------------------------------------------------------


def load(ws: Workspace, model: ModelVersion) -> FraudModel:
    """Load a version; its file's digest is compared with the database's before anything is unpickled.

    Do not call it in a transaction that has appended to the ledger: a refusal, and the end of one, is recorded in
    one of its own.

    Raises
    ------
    IntegrityError
        The file is gone or not the one that was registered; the refusal is in the ledger.
    ContractError
        Retention has removed the file.
    """
    import joblib

    return joblib.load(io.BytesIO(artifact_bytes(ws, model)))


def artifact_bytes(ws: Workspace, model: ModelVersion) -> bytes:
    """The registered file's bytes, checked; raises as :func:`load` does."""
    try:
        content: bytes | None = ws.store.get("models", model.portfolio, model.version, ARTIFACT)
    except FileNotFoundError:
        content = None
    if content is None:
        _require_kept(ws, model)
        integrity.refuse(ws, model, integrity.NO_FILE)
    found = sha256_of(content)
    if found != model.artifact_sha256:
        integrity.refuse(ws, model, found)
    integrity.accept(ws, model)
    return content


def _require_kept(ws: Workspace, model: ModelVersion) -> None:
    """A file that retention removed is no alarm."""
    stone = model_tombstone(ws.store, model.portfolio, model.version)
    if stone is not None and stone.digest == model.artifact_sha256:
        raise ContractError(
            f"the model's file was removed by retention (ledger entry {stone.ledger})",
            where=f"{model.portfolio} {model.version}",
            remedy="choose another version, or restore models/ of the store from a backup from before",
        )


def of_candidate(session: Session, portfolio_name: str, run_id: str, candidate: str) -> ModelVersion | None:
    """The version that a training run registered for a candidate, if it did."""
    return session.scalar(_of(portfolio_name).where(ModelVersion.run_id == run_id, ModelVersion.candidate == candidate))


def of_run(session: Session, portfolio_name: str, run_id: str) -> list[ModelVersion]:
    """All versions that a training run registered, in the order of candidates' names."""
    return list(
        session.scalars(_of(portfolio_name).where(ModelVersion.run_id == run_id).order_by(ModelVersion.candidate))
    )


def versions(session: Session, portfolio_name: str) -> list[ModelVersion]:
    """Every version of a portfolio, the newest first."""
    return list(session.scalars(_of(portfolio_name).order_by(ModelVersion.number.desc())))


def version(session: Session, portfolio_name: str, name: str) -> ModelVersion:
    """The version that people name ``v3`` (or ``3``).

    Raises
    ------
    ContractError
        There is none of that name.
    """
    digits = name.removeprefix("v")
    found = None
    if digits.isascii() and digits.isdigit() and len(digits) < 10:
        found = session.scalar(_of(portfolio_name).where(ModelVersion.number == int(digits)))
    if found is None:
        raise ContractError(
            f"there is no model version {name!r}",
            where=portfolio_name,
            remedy=f"see 'fraudops models list --portfolio {portfolio_name}'",
        )
    return found


# -- the champion -------------------------------------------------------------------------------------


def champion(session: Session, portfolio_name: str) -> ModelVersion | None:
    """The version that the newest promotion or rollback put in use, if there was one."""
    newest = newest_promotion(session, portfolio_name)
    return newest.model if newest else None


def champion_at(session: Session, portfolio_name: str, as_of: datetime) -> ModelVersion | None:
    """The version in force at a moment: that of the newest promotion whose ``effective_from`` is not later."""
    found = session.scalar(_promotions(portfolio_name).where(PromotionRecord.effective_from <= as_of).limit(1))
    return found.model if found else None


def first_champion(session: Session, portfolio_name: str) -> ModelVersion | None:
    """The version that was promoted first: it scores the partitions that waited for a champion."""
    found = session.scalar(
        select(PromotionRecord).where(PromotionRecord.portfolio == portfolio_name).order_by(PromotionRecord.id).limit(1)
    )
    return found.model if found else None


def newest_promotion(session: Session, portfolio_name: str) -> PromotionRecord | None:
    """The newest promotion or rollback."""
    return session.scalar(_promotions(portfolio_name).limit(1))


def history(session: Session, portfolio_name: str) -> list[PromotionRecord]:
    """Every promotion and rollback, the newest first."""
    return list(session.scalars(_promotions(portfolio_name)))


def _of(portfolio_name: str, *columns: Any) -> Any:
    return select(*(columns or (ModelVersion,))).where(ModelVersion.portfolio == portfolio_name)


def _promotions(portfolio_name: str) -> Any:
    return (
        select(PromotionRecord).where(PromotionRecord.portfolio == portfolio_name).order_by(PromotionRecord.id.desc())
    )
