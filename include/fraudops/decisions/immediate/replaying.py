"""A decision that was made at once, computed again from its record: score, decision and reasons to the last bit.

The features as they were seen are part of the record, so that nothing needs to be known of the order in which
transactions came. Whether they are what the stored transactions give today is another question, which the batch's
features of the same row answer: rows that had not arrived then, and what was away, make a difference that is told.
"""

from __future__ import annotations

import json
import math

import pandas as pd
from sqlalchemy import select

from fraudops.database import ModelVersion, OnlineDecision
from fraudops.decisions.exploration import REASONS, explore
from fraudops.decisions.recorded import DecisionId, rows_of
from fraudops.decisions.replay import DIFFERS, EQUAL, GONE, Part, Replayed
from fraudops.decisions.scoring import load_model, require_columns
from fraudops.errors import FraudopsError
from fraudops.explanation import explain
from fraudops.explanation.alike import alike
from fraudops.features import feature_names
from fraudops.features.partitions import config_of
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

_SHOWN = 5


def replay_at_once(ws: Workspace, portfolio: Portfolio, transaction_id: str) -> Replayed | None:
    """Compute a decision again from its record; None where the transaction was not decided at once."""
    with ws.transaction() as session:
        found = session.execute(
            select(OnlineDecision, ModelVersion)
            .join(ModelVersion, ModelVersion.id == OnlineDecision.model_id)
            .where(OnlineDecision.portfolio == portfolio.name, OnlineDecision.transaction_id == transaction_id)
        ).one_or_none()
    if found is None:
        return None
    one, model = found
    names = feature_names(portfolio)
    if len(names) != len(one.features):
        why = f"{len(one.features)} features were seen; the portfolio now declares {len(names)}"
        parts = [Part("score", GONE, why=why)]
    else:
        try:
            parts = _parts(ws, portfolio, one, model, names)
        except FraudopsError as error:
            parts = [Part("score", GONE, why=str(error))]
    decision = DecisionId(portfolio.name, one.partition_key, transaction_id)
    notes = ("decided at once", *_notes(ws, portfolio, one))
    return Replayed(decision, True, one.decision_id, model.version, tuple(parts), False, notes)


# -- inside ---------------------------------------------------------------------------------------------------


def _parts(
    ws: Workspace, portfolio: Portfolio, one: OnlineDecision, model: ModelVersion, names: list[str]
) -> list[Part]:
    fraud_model = load_model(ws, model)
    frame = _frame(portfolio, one, names)
    require_columns(fraud_model, frame.columns, portfolio, model.version)
    scores = fraud_model.score(frame)
    amounts = frame["amount_minor"].to_numpy() if portfolio.has_amount else None
    decided = fraud_model.decide(scores, amounts)
    explored = explore(portfolio, decided, [one.transaction_id], fraud_model.thresholds, key=ws.token_key)
    now = {
        "score": float(scores[0]),
        "decision": explored.decision[0],
        "route": explored.route[0],
        "propensity": float(explored.propensity[0]),
    }
    parts = [_part(name, getattr(one, name), value) for name, value in now.items()]
    if one.explanation is not None:
        (why,) = explain(fraud_model, frame, portfolio)
        told = ([REASONS[one.route]] if one.route in REASONS else []) + why.sentences
        before = [reason["text"] for reason in one.reasons]
        # Equal sentences over unequal numbers are no equal reasons.
        same = told == before and alike(one.explanation, json.loads(json.dumps(why.to_dict())))
        parts.append(Part("reasons", EQUAL if same else DIFFERS, "; ".join(before), "; ".join(told)))
    return parts


def _part(name: str, was: float | str, now: float | str) -> Part:
    return Part(name, EQUAL if was == now else DIFFERS, _text(was), _text(now))


def _text(value: float | str) -> str:
    return repr(value) if isinstance(value, float) else value


def _frame(portfolio: Portfolio, one: OnlineDecision, names: list[str]) -> pd.DataFrame:
    """The row as models read it, with the features that were seen."""
    row = {
        **one.row,
        "transaction_id": one.transaction_id,
        "event_time": pd.Timestamp(one.event_time),
        "amount_minor": one.amount_minor or 0,
        **dict(zip(names, one.features, strict=True)),
    }
    frame = pd.DataFrame([row])
    numeric = [name for name in frame.columns if isinstance(row[name], bool | int | float)]
    frame[numeric] = frame[numeric].astype({name: "float64" for name in numeric if name != "amount_minor"})
    return frame


def _notes(ws: Workspace, portfolio: Portfolio, one: OnlineDecision) -> list[str]:
    notes = [f"decided while this was away: {', '.join(one.degraded)}"] if one.degraded else []
    if one.config != config_of(portfolio):
        notes.append(f"{portfolio.name}.yaml says otherwise than then what features are computed from")
    stored = _stored_features(ws, portfolio, one)
    if isinstance(stored, str):
        return [*notes, stored]
    other = [
        name
        for name, seen in zip(feature_names(portfolio), one.features, strict=False)
        if not _same(seen, stored.get(name))
    ]
    if other:
        more = f" and {len(other) - _SHOWN} more" if len(other) > _SHOWN else ""
        notes.append(
            f"the stored transactions give other features than were seen then: {', '.join(other[:_SHOWN])}{more}; "
            "rows or reports came later, or in another order"
        )
    return notes


def _stored_features(ws: Workspace, portfolio: Portfolio, one: OnlineDecision) -> dict[str, float | None] | str:
    """The batch's features of the same row; or why there are none."""
    manifest = ws.store.manifest("features", portfolio.name, one.partition_key)
    if manifest is None:
        return f"features of {one.partition_key} are not in the store, or no longer"
    try:
        table = ws.store.read(manifest)
    except FraudopsError as error:
        return str(error)
    place = rows_of(table, [one.transaction_id]).get(one.transaction_id)
    if place is None:
        return f"the transaction is not among the stored ones of {one.partition_key}"
    row: dict[str, float | None] = table.slice(place, 1).to_pylist()[0]
    return row


def _same(seen: float, stored: float | None) -> bool:
    missing = stored is None or math.isnan(stored)
    return missing if math.isnan(seen) else not missing and float(stored or 0) == seen
