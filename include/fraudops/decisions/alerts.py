"""Raises alerts: one per transaction that is to be reviewed or is blocked, with reasons, and their notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fraudops.database.models import Alert, ModelVersion
from fraudops.decisions.explainers import explainer_of
from fraudops.decisions.exploration import REASONS
from fraudops.decisions.historic import RAISED, details_of, is_historic
from fraudops.decisions.immediate.telling import mark_told, untold
from fraudops.decisions.locks import lock_partition
from fraudops.decisions.scoring import digest_of, is_fresh, load_model, require_columns
from fraudops.errors import ConflictError, IntegrityError
from fraudops.explanation import Explanation
from fraudops.features import model_frame
from fraudops.labels.selective import POLICY, SAMPLE
from fraudops.notices import messages
from fraudops.portfolio import Portfolio
from fraudops.registry import versions
from fraudops.store import Manifest
from fraudops.workspace import Workspace

DIGEST = "digest"
"""In the ledger's entry: the name of a digest that tells of alerts which were raised at once as well."""
_AT_ONCE = 1_000
_CURRENCY_LENGTH = 8


@dataclass(frozen=True)
class AlertResult:
    """What became of a partition's reviews and blocks.

    Attributes
    ----------
    raised
        New alerts.
    already
        Alerts that were there.
    notices
        New notices in the outbox.
    """

    key: str
    raised: int = 0
    already: int = 0
    notices: int = 0

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def raise_alerts(ws: Workspace, portfolio: Portfolio, key: str, *, actor: str) -> AlertResult:
    """Raise an alert for each transaction of a scored partition that is not allowed.

    Alerts, the notices that tell of them and the ledger entry commit together. A transaction has one alert, ever:
    a second run raises none again, and an alert stays as it was raised when its partition is scored anew.

    Compliance gets a digest of the new alerts, and of those that were raised at once and not told yet (see
    :mod:`fraudops.decisions.immediate`), and an immediate notice of each new block, the highest scores
    first, up to ``notices.immediate_limit`` a partition. Alerts of the past wait for a summary instead, see
    :mod:`fraudops.decisions.historic`.

    Parameters
    ----------
    actor
        Airflow user, or ``service:<workflow>``.

    Raises
    ------
    MissingPartitionError
        The partition has no scores.
    ConflictError
        Its transactions or features have changed since it was scored.
    IntegrityError
        The model's file is not the one that was registered.
    """
    scores = ws.store.require("scores", portfolio.name, key)
    flagged = flagged_rows(ws.store.read(scores))
    with ws.transaction() as session:
        known = _known(session, portfolio, flagged["transaction_id"].tolist())
        waiting = untold(session, portfolio, key)
        model = _model(session, portfolio, scores)
    fresh = flagged[~flagged["transaction_id"].isin(known)]
    if fresh.empty and not waiting:
        return AlertResult(key, already=len(flagged))
    rows = [] if fresh.empty else _rows(ws, portfolio, scores, fresh, model)
    with ws.transaction() as session:
        lock_partition(session, "alerts", portfolio.name, key)
        alerts, before = insert_alerts(session, rows), untold(session, portfolio, key)
        if not alerts and not before:
            return AlertResult(key, already=len(flagged))
        historic = bool(alerts) and is_historic(session, portfolio, key, digest_of(scores, "transactions"))
        notices = 0 if historic else queue_immediate(session, ws, portfolio, key, alerts)[1]
        digest = [*before, *([] if historic else alerts)]
        notices += messages.alert_digest(session, ws, portfolio, key, digest)
        mark_told(session, portfolio, key)
        blocked = sum(alert.decision == "block" for alert in alerts)
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=actor,
            action=RAISED,
            subject=f"{portfolio.name}/alerts/{key}",
            details={
                "review": len(alerts) - blocked,
                "block": blocked,
                "samples": sum(alert.route == SAMPLE for alert in alerts),
                "notices": notices,
                "model_version": model.version,
                "scores": scores.data_digest,
                # The digest tells of more than is raised here; traces find it by its name.
                **({DIGEST: messages.digest_key(key, (alert.transaction_id for alert in digest))} if before else {}),
                **(details_of(alerts) if historic else {}),
            },
        )
        return AlertResult(key, raised=len(alerts), already=max(0, len(flagged) - len(alerts)), notices=notices)


# -- inside ---------------------------------------------------------------------------------------------------


def _known(session: Session, portfolio: Portfolio, ids: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        query = select(Alert.transaction_id).where(Alert.portfolio == portfolio.name, Alert.transaction_id.in_(some))
        found.update(session.scalars(query))
    return found


def _model(session: Session, portfolio: Portfolio, scores: Manifest) -> ModelVersion:
    """The version that gave the scores, which need not be today's champion."""
    model = versions.version(session, portfolio.name, scores.facts["model_version"])
    if model.artifact_sha256 != scores.facts["model_sha256"]:
        raise IntegrityError(
            f"the scores name another file for {model.version} than the database",
            where=f"{portfolio.name} {scores.key}",
            remedy="restore the store and the database from the same moment",
        )
    return model


def _rows(
    ws: Workspace, portfolio: Portfolio, scores: Manifest, flagged: pd.DataFrame, model: ModelVersion
) -> list[dict[str, Any]]:
    """Columns of the alerts, in the order of the partition."""
    if not is_fresh(ws, scores):
        raise ConflictError(
            "transactions or features have changed since the partition was scored",
            where=f"{portfolio.name} {scores.key}",
            remedy="score it again, then raise the alerts",
        )
    frame, explanations = explain_flagged(ws, portfolio, scores.key, flagged, model)
    created_at = datetime.now(UTC)
    return [
        alert_row(
            portfolio,
            scores.key,
            row | {"event_time": row["event_time"].to_pydatetime(warn=False)},
            reasons=told(row["route"], why),
            explanation=why.to_dict(),
            model_id=model.id,
            as_of=portfolio.partitioning.end(scores.key),
            created_at=created_at,
        )
        for row, why in zip(frame.to_dict("records"), explanations, strict=True)
    ]


def alert_row(portfolio: Portfolio, key: str, row: Mapping[Any, Any], **columns: Any) -> dict[str, Any]:
    """An alert's columns.

    Parameters
    ----------
    row
        Stored values of the transaction, its score, decision and route.
    columns
        ``reasons``, ``explanation``, ``model_id``, ``as_of``, ``created_at``.
    """
    return {
        "portfolio": portfolio.name,
        "partition_key": key,
        "transaction_id": row["transaction_id"],
        "event_time": row["event_time"],
        "amount_minor": int(row["amount_minor"]) if portfolio.has_amount else None,
        "minor_digits": portfolio.minor_digits,
        "currency": _currency(portfolio, row),
        "score": float(row["score"]),
        "decision": row["decision"],
        "route": row["route"],
        **columns,
    }


def explain_flagged(
    ws: Workspace, portfolio: Portfolio, key: str, flagged: pd.DataFrame, model: ModelVersion
) -> tuple[pd.DataFrame, list[Explanation]]:
    """Rows of a partition that are not allowed, in its order, and why each has its score.

    Parameters
    ----------
    flagged
        ``transaction_id``, ``score``, ``decision`` and ``route`` of these rows.
    """
    frame = model_frame(ws, portfolio, [key])
    frame = frame[frame["transaction_id"].isin(flagged["transaction_id"])].reset_index(drop=True)
    frame = frame.merge(flagged[["transaction_id", "score", "decision", "route"]], on="transaction_id", how="left")
    fraud_model = load_model(ws, model)
    require_columns(fraud_model, frame.columns, portfolio, model.version)
    return frame, explainer_of(fraud_model, model.artifact_sha256, portfolio).explain_frame(frame)


def told(route: str, why: Explanation) -> list[str]:
    """An alert's reasons in words; where chance raised it, that first."""
    return [REASONS[route], *why.sentences] if route in REASONS else why.sentences


def flagged_rows(scores: pa.Table) -> pd.DataFrame:
    """The rows of a partition's scores that are reviewed or blocked."""
    if "route" not in scores.column_names:
        # Scored before anything was decided by chance.
        scores = scores.append_column("route", pa.array([POLICY] * scores.num_rows, pa.string()))
    return scores.filter(pc.is_in(scores["decision"], pa.array(["review", "block"]))).to_pandas()


def _currency(portfolio: Portfolio, row: Mapping[Any, Any]) -> str:
    """The row's currency, empty where it names none or has no amount; or the one of the whole portfolio."""
    if not portfolio.has_amount:
        return ""
    if portfolio.currency not in portfolio.columns:
        return portfolio.currency[:_CURRENCY_LENGTH]
    value = row[portfolio.stored_name(portfolio.currency)]
    return "" if pd.isna(value) else str(value)[:_CURRENCY_LENGTH]


def insert_alerts(session: Session, rows: list[dict[str, Any]]) -> list[Alert]:
    """Insert those that are new; returns them in the order of the partition."""
    alerts: list[Alert] = []
    for at in range(0, len(rows), _AT_ONCE):
        statement = (
            insert(Alert)
            .values(rows[at : at + _AT_ONCE])
            .on_conflict_do_nothing(index_elements=[Alert.portfolio, Alert.transaction_id])
            .returning(Alert)
        )
        alerts += session.scalars(statement)
    return sorted(alerts, key=lambda alert: alert.id)


def queue_immediate(
    session: Session, ws: Workspace, portfolio: Portfolio, key: str, alerts: Sequence[Alert]
) -> tuple[list[Alert], int]:
    """Queue the immediate notices of new blocks, the highest scores first, as many as the limit leaves.

    Returns
    -------
    list of Alert, int
        Those that have one now, and how many were queued.
    """
    blocks = sorted(
        (alert for alert in alerts if alert.decision == "block"), key=lambda a: (-a.score, a.transaction_id)
    )
    if not blocks:
        return [], 0
    # What earlier runs raised in this partition has used up its share of the limit.
    all_blocks = session.scalar(
        select(func.count()).where(
            Alert.portfolio == portfolio.name, Alert.partition_key == key, Alert.decision == "block"
        )
    )
    left = max(0, portfolio.notices.immediate_limit - ((all_blocks or 0) - len(blocks)))
    return blocks[:left], sum(messages.immediate_alert(session, ws, portfolio, alert) for alert in blocks[:left])
