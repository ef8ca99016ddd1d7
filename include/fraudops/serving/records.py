"""Looking up what was decided."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from fraudops.database import ModelVersion
from fraudops.database.online_models import OnlineDecision
from fraudops.decisions.immediate.records import thresholds_told
from fraudops.serving.problems import Kind, come_again


def find_decision(engine: Engine, decision_id: str) -> tuple[str, dict[str, Any]] | None:
    """Portfolio and answer of a decision; None where there is none.

    Raises
    ------
    Problem
        The database is away.
    """
    query = (
        select(OnlineDecision, ModelVersion.number, ModelVersion.thresholds)
        .join(ModelVersion, ModelVersion.id == OnlineDecision.model_id)
        .where(OnlineDecision.decision_id == decision_id)
    )
    columns = OnlineDecision.__table__.c
    query = query.with_only_columns(
        *(columns[name] for name in _TOLD), ModelVersion.number.label("version"), ModelVersion.thresholds
    )
    try:
        with engine.connect() as connection:
            row = connection.execute(query).one_or_none()
    except SQLAlchemyError:
        raise come_again(Kind.DATABASE_AWAY, 5) from None
    if row is None:
        return None
    return row.portfolio, {
        "decision_id": row.decision_id,
        "transaction_id": row.transaction_id,
        "probability": row.score,
        "decision": row.decision,
        "thresholds": thresholds_told(row.thresholds),
        "reasons": row.reasons,
        "model_version": f"v{row.version}",
        "received_at": row.received_at.isoformat(),
        "degraded": row.degraded,
    }


_TOLD = ("portfolio", "decision_id", "transaction_id", "score", "decision", "reasons", "received_at", "degraded")
