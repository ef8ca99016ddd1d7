"""Decisions that were made at once, as a partition of the store; the batch's scores keep them as they are.

The customer was answered: whatever the batch would say of the transaction, from more rows or by a later champion, is
not what was decided. What the decision rests on lies beside it: the features as they were seen, and the model.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from fraudops.database import ModelVersion, OnlineDecision
from fraudops.features import feature_names
from fraudops.portfolio import ONLINE, Portfolio
from fraudops.store import Input, Manifest
from fraudops.workspace import Workspace

KEPT = ("score", "decision", "route", "propensity")
"""Columns of the scores that are kept."""


def store_online(ws: Workspace, portfolio: Portfolio, key: str) -> Manifest | None:
    """Write what was decided at once on transactions of a partition; the same decisions give the same bytes.

    Returns
    -------
    Manifest or None
        None where nothing was. What the table no longer has, because retention removed it, stays as it was written.
    """
    there = ws.store.manifest(ONLINE, portfolio.name, key)
    with ws.transaction() as session:
        rows = session.execute(
            select(OnlineDecision, ModelVersion)
            .join(ModelVersion, ModelVersion.id == OnlineDecision.model_id)
            .where(OnlineDecision.portfolio == portfolio.name, OnlineDecision.partition_key == key)
            .order_by(OnlineDecision.event_time, OnlineDecision.transaction_id.collate("C"))
        ).all()
    if len(rows) < (there.rows if there is not None else 1):
        return there
    models = {model.version: model.artifact_sha256 for _, model in rows}
    inputs = [Input(dataset="models", key=version, digest=sha) for version, sha in sorted(models.items())]
    counts = Counter(model.version for _, model in rows)
    return ws.store.write(
        ONLINE,
        portfolio.name,
        key,
        pa.Table.from_pylist([_row(one, model) for one, model in rows], _SCHEMA),
        config=portfolio.digest_of(),
        inputs=inputs,
        facts={"models": dict(sorted(counts.items())), "features": feature_names(portfolio)},
    )


def online_rows(ws: Workspace, portfolio: Portfolio, key: str) -> pa.Table | None:
    """What was decided at once on transactions of a partition, as it was written; None where nothing was."""
    manifest = ws.store.manifest(ONLINE, portfolio.name, key)
    return None if manifest is None else ws.store.read(manifest)


def keep(scores: pa.Table, online: pa.Table) -> tuple[pa.Table, dict[str, Any]]:
    """Scores of a partition, with what was decided at once in the place of what the batch would say.

    Returns
    -------
    Table, dict
        The scores; how many rows were kept, and of which models.
    """
    places = pc.index_in(scores["transaction_id"].combine_chunks(), online["transaction_id"].combine_chunks())
    decided = pc.is_valid(places)
    for name in KEPT:
        before = scores[name].combine_chunks()
        values = pc.if_else(decided, pc.take(online[name].combine_chunks(), places), before)
        scores = scores.set_column(scores.column_names.index(name), name, values.cast(before.type))
    versions = pc.take(online["model_version"].combine_chunks(), places.drop_null())
    return scores, {"rows": len(versions), "models": dict(sorted(Counter(versions.to_pylist()).items()))}


def as_seen(frame: pd.DataFrame, online: pa.Table, names: list[str]) -> pd.DataFrame:
    """Rows of a partition, with the features that were seen when they were decided at once.

    Parameters
    ----------
    names
        Of the features, in the order in which they were recorded.
    """
    seen = {
        one: values
        for one, values in zip(online["transaction_id"].to_pylist(), online["features"].to_pylist(), strict=True)
        if len(values) == len(names)
    }
    places = [(place, seen[one]) for place, one in enumerate(frame["transaction_id"].tolist()) if one in seen]
    if not places:
        return frame
    changed = frame.copy()
    for number, name in enumerate(names):
        if name in changed.columns:
            column = changed[name].to_numpy(dtype="float64", na_value=float("nan")).copy()
            for place, values in places:
                column[place] = values[number]
            changed[name] = column
    return changed


# -- inside ---------------------------------------------------------------------------------------------------

_MOMENT = pa.timestamp("us", "UTC")
_SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("event_time", _MOMENT),
        ("number", pa.int64()),
        ("decision_id", pa.string()),
        ("received_at", _MOMENT),
        ("model_version", pa.string()),
        ("score", pa.float64()),
        ("decision", pa.string()),
        ("route", pa.string()),
        ("propensity", pa.float64()),
        ("features", pa.list_(pa.float64())),
        ("config", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("degraded", pa.list_(pa.string())),
    ]
)


def _row(one: OnlineDecision, model: ModelVersion) -> dict[str, Any]:
    copied = ("transaction_id", "event_time", "number", "decision_id", "received_at", "features", "config", "degraded")
    return {
        **{name: getattr(one, name) for name in (*copied, *KEPT)},
        "model_version": model.version,
        "reasons": [reason["text"] for reason in one.reasons],
    }
