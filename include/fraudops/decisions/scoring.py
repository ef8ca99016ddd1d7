"""Scores partitions with the champion and decides by its thresholds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops import __version__
from fraudops.database.models import LedgerEntry, ModelVersion
from fraudops.decisions.exploration import explore
from fraudops.decisions.kept import as_seen, keep, online_rows, store_online
from fraudops.decisions.locks import lock_partition
from fraudops.decisions.succession import Succession
from fraudops.errors import ConflictError, ContractError
from fraudops.features import model_frame
from fraudops.labels.selective import ROUTES
from fraudops.portfolio import ONLINE, Portfolio
from fraudops.registry import versions
from fraudops.registry.locks import hold_champion
from fraudops.store import Input, Manifest, tombstone
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from fraudops.training.model import FraudModel

DECISIONS = ("allow", "review", "block")
ACTOR = "service:score"
SCORES = "scores"
_SECTIONS = ("columns", "features", "currency")
_ATTEMPTS = 5

State = Literal["scored", "unchanged", "pending", "history", "removed"]


@dataclass(frozen=True)
class ScoreResult:
    """What became of one partition.

    Attributes
    ----------
    state
        ``scored``: written now. ``unchanged``: its scores were there, made from the same inputs by the same model.
        ``pending``: there is no champion yet. ``history``: the first champion may have been trained on it.
        ``removed``: retention has removed its scores, and they are not made anew.
    rows
        Transactions that have a score.
    decisions
        Decision → how many.
    """

    key: str
    state: State
    rows: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    model_version: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def score(ws: Workspace, portfolio: Portfolio, key: str) -> ScoreResult:
    """Score a partition with the model in force at its end; see :mod:`fraudops.decisions.succession`.

    The same inputs give the same bytes. The ledger gets an entry when scores or model are new, not when a step
    is repeated.

    Parameters
    ----------
    key
        A partition with ``transactions`` and ``features``.

    Raises
    ------
    MissingPartitionError
        It has none.
    IntegrityError
        The model's file is not the one that was registered, or a partition's data was altered.
    ContractError
        The portfolio no longer has a column that the model reads, or the model gave something that is no
        probability.
    """
    return score_many(ws, portfolio, [key])[0]


def score_many(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> list[ScoreResult]:
    """Score partitions in the order of time, a model being loaded once; raises as :func:`score` does.

    Each partition is published as soon as it is scored: after a failure the next call goes on where it broke off.
    """
    wanted = sorted(set(keys))
    with ws.transaction() as session:
        succession = Succession.read(session, portfolio)
    return [_score(ws, portfolio, key, succession) for key in wanted]


def load_model(ws: Workspace, model: ModelVersion) -> FraudModel:
    """A version's model, its file checked against the database; kept by digest, as loading takes a second.

    Raises
    ------
    IntegrityError
        The file is not the one that was registered.
    """
    with _models_lock:
        if model.artifact_sha256 in _models:
            _models.move_to_end(model.artifact_sha256)
            return _models[model.artifact_sha256]
    loaded = versions.load(ws, model)
    with _models_lock:
        _models[model.artifact_sha256] = loaded
        while len(_models) > _KEPT:
            _models.popitem(last=False)
    return loaded


def is_fresh(ws: Workspace, scores: Manifest) -> bool:
    """Whether scores were made from the transactions and features that are there now."""
    now = [ws.store.manifest(dataset, scores.portfolio, scores.key) for dataset in ("transactions", "features")]
    return all(manifest is not None and manifest.as_input() in scores.inputs for manifest in now)


def digest_of(scores: Manifest, dataset: str) -> str:
    """Digest of what a partition's scores were made from: of its ``transactions``, its ``features``."""
    return next(known.digest for known in scores.inputs if known.dataset == dataset)


_models: OrderedDict[str, FraudModel] = OrderedDict()
_models_lock = Lock()
_KEPT = 2
"""Models kept in a process: around a promotion partitions of two champions are scored side by side."""


# -- inside ---------------------------------------------------------------------------------------------------


def _score(ws: Workspace, portfolio: Portfolio, key: str, succession: Succession) -> ScoreResult:
    if tombstone(ws.store, SCORES, portfolio.name, key) is not None:
        return ScoreResult(key, "removed")
    store_online(ws, portfolio, key)
    inputs = inputs_of(ws, portfolio, key)
    for _ in range(_ATTEMPTS):
        model = succession.model_for(key)
        if not isinstance(model, ModelVersion):
            return ScoreResult(key, model)
        manifest = current_scores(ws, SCORES, portfolio, key, model, inputs)
        changed = manifest is None
        if manifest is None:
            manifest = stage_scores(ws, SCORES, portfolio, key, model, inputs)
        with ws.transaction() as session:
            # A promotion since the model was chosen may have changed who scores this partition. Under the lock
            # there can be none until the scores are visible, and then it dates itself after them.
            hold_champion(session, portfolio.name)
            lock_partition(session, "scores", portfolio.name, key)
            succession = Succession.read(session, portfolio)
            now = succession.model_for(key)
            if isinstance(now, ModelVersion) and now.artifact_sha256 == model.artifact_sha256:
                # Unchanged ones too: a try that was killed may have left them staged.
                ws.store.publish(manifest)
                record_scores(ws, session, portfolio, manifest, "scored")
                return _result(manifest, "scored" if changed else "unchanged")
    raise ConflictError(
        "the champion changed again and again while the partition was being scored",
        where=f"{portfolio.name} {key}",
        remedy="run the step again",
    )


def inputs_of(ws: Workspace, portfolio: Portfolio, key: str) -> list[Input]:
    """What a partition is scored from, beside the model: rows, features, and what was decided at once.

    Raises
    ------
    MissingPartitionError
        It has no transactions or no features.
    """
    found = [ws.store.require(dataset, portfolio.name, key) for dataset in ("transactions", "features")]
    online = ws.store.manifest(ONLINE, portfolio.name, key)
    return [manifest.as_input() for manifest in (*found, *([] if online is None else [online]))]


def current_scores(
    ws: Workspace, dataset: str, portfolio: Portfolio, key: str, model: ModelVersion, inputs: list[Input]
) -> Manifest | None:
    """The partition's scores, if they are what scoring it now would give."""
    manifest = ws.store.manifest(dataset, portfolio.name, key)
    made_from = (_inputs(inputs, model), config_of(portfolio), __version__)
    if manifest is None or (manifest.inputs, manifest.config, manifest.code) != made_from:
        return None
    return manifest


def stage_scores(
    ws: Workspace, dataset: str, portfolio: Portfolio, key: str, model: ModelVersion, inputs: list[Input]
) -> Manifest:
    """Score a partition with a model and write it down; nobody sees it before it is published.

    Raises
    ------
    IntegrityError
        The model's file is not the one that was registered, or a partition's data was altered.
    ContractError
        The portfolio lacks a column that the model reads, or the model gave something that is no probability.
    """
    frame, online, facts = model_frame(ws, portfolio, [key]), online_rows(ws, portfolio, key), dict[str, Any]()
    if online is not None and dataset != SCORES:
        # A challenger is asked about what the champion saw.
        manifest = ws.store.require(ONLINE, portfolio.name, key)
        frame = as_seen(frame, online, manifest.facts["features"])
    table = score_frame(ws, portfolio, key, frame, model)
    if online is not None and dataset == SCORES:
        table, facts[ONLINE] = keep(table, online)
    decision, route = (np.asarray(table[name]) for name in ("decision", "route"))
    return ws.store.stage(
        dataset,
        portfolio.name,
        key,
        table,
        config=config_of(portfolio),
        inputs=_inputs(inputs, model),
        facts={
            "model_version": model.version,
            "model_sha256": model.artifact_sha256,
            "thresholds": model.thresholds,
            "counts": {name: int(np.count_nonzero(decision == name)) for name in DECISIONS},
            "routes": {name: int(np.count_nonzero(route == name)) for name in ROUTES},
            **facts,
        },
    )


def score_frame(ws: Workspace, portfolio: Portfolio, key: str, frame: pd.DataFrame, model: ModelVersion) -> pa.Table:
    """Scores and decisions of some rows, with the columns of the dataset ``scores``; nothing is written.

    Parameters
    ----------
    key
        The rows' partition: where they are, for messages.
    frame
        Result of :func:`fraudops.features.model_frame`.

    Raises
    ------
    IntegrityError
        The model's file is not the one that was registered.
    ContractError
        The rows lack a column that the model reads, or it gave something that is no probability.
    """
    fraud_model = load_model(ws, model)
    require_columns(fraud_model, frame.columns, portfolio, model.version)
    scores = np.asarray(fraud_model.score(frame) if len(frame) else [], dtype=np.float64)
    amounts = frame["amount_minor"].to_numpy() if portfolio.has_amount else None
    decisions = np.asarray(fraud_model.decide(scores, amounts), dtype=object)
    if len(scores) != len(frame) or not np.all((scores >= 0) & (scores <= 1) & np.isin(decisions, DECISIONS)):
        raise ContractError(
            "the model did not give every transaction a probability and a decision",
            where=f"{portfolio.name} {key}, model {model.version}",
            remedy="roll back to another version",
        )
    explored = explore(
        portfolio, decisions, frame["transaction_id"].to_list(), fraud_model.thresholds, key=ws.token_key
    )
    return pa.table(
        {
            "transaction_id": pa.array(frame["transaction_id"], pa.string()),
            "score": pa.array(scores, pa.float64()),
            "decision": pa.array(explored.decision, pa.string()),
            "route": pa.array(explored.route, pa.string()),
            "propensity": pa.array(explored.propensity, pa.float64()),
        }
    )


def require_columns(model: FraudModel, available: Iterable[str], portfolio: Portfolio, version: str) -> None:
    """Refuse to score rows that lack what the model was trained on.

    Raises
    ------
    ContractError
        Names the columns.
    """
    there = set(available)
    missing = [name for name in model.columns.all if name not in there]
    if missing:
        raise ContractError(
            f"model {version} reads columns that the portfolio no longer has: {', '.join(missing[:5])}",
            where=f"{portfolio.name}.yaml",
            remedy="restore them, or promote a model that was trained without them",
        )


def config_of(portfolio: Portfolio) -> str:
    """Digest of what scores depend on: which labels become known only where decisions tell."""
    labels = ("labels",) if portfolio.labels.selective else ()
    return portfolio.digest_of(*_SECTIONS, *labels)


def _inputs(inputs: list[Input], model: ModelVersion) -> tuple[Input, ...]:
    """In the order in which a manifest keeps them."""
    file = Input(dataset="models", key=model.version, digest=model.artifact_sha256)
    return tuple(sorted([*inputs, file], key=lambda i: (i.dataset, i.key)))


def record_scores(ws: Workspace, session: Session, portfolio: Portfolio, manifest: Manifest, action: str) -> None:
    """Enter new scores into the ledger.

    Compared with the ledger itself, not with the store: had the process died between publishing and committing,
    the next run finds the scores in place and still writes the entry.
    """
    subject = f"{portfolio.name}/{manifest.dataset}/{manifest.key}"
    digests = {"digest": manifest.data_digest, "model_sha256": manifest.facts["model_sha256"]}
    last = session.scalar(
        select(LedgerEntry.details)
        .where(LedgerEntry.action == action, LedgerEntry.subject == subject)
        .order_by(LedgerEntry.number.desc())
        .limit(1)
    )
    if last is not None and digests.items() <= last.items():
        return
    ws.record(
        session,
        portfolio=portfolio.name,
        actor=ACTOR,
        action=action,
        subject=subject,
        details={
            **digests,
            "model_version": manifest.facts["model_version"],
            "rows": manifest.rows,
            "decisions": manifest.facts["counts"],
        },
    )


def _result(manifest: Manifest, state: State) -> ScoreResult:
    return ScoreResult(
        key=manifest.key,
        state=state,
        rows=manifest.rows,
        decisions=dict(manifest.facts["counts"]),
        model_version=manifest.facts["model_version"],
    )
