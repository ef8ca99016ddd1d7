"""Training runs made by hand: a model here reads its score off a column of the data set."""

from __future__ import annotations

import copy
import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import joblib
import numpy as np
import pandas as pd
from fraudops.database import ModelVersion
from fraudops.evaluation.metrics import evaluate
from fraudops.features.columns import ModelColumns
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import register
from fraudops.store import sha256_of
from fraudops.training.dataset import parquet_bytes
from fraudops.training.dataset_summary import DatasetSummary, SliceSummary
from fraudops.workspace import Workspace

START = datetime(2026, 3, 1, tzinfo=UTC)
PER_DAY = 200
REVIEW, BLOCK = 0.4, 0.8
QUALITY = {"poor": 0.5, "fair": 1.2, "good": 2.4, "best": 5.0}
"""Column → how far frauds stand out; the noise is drawn for each column by itself."""


@dataclass(frozen=True)
class ColumnModel:
    """Scores a row by one of its columns."""

    column: str
    salt: int = 0

    @property
    def columns(self) -> ModelColumns:
        return ModelColumns((self.column,), ())

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        return frame[self.column].to_numpy(dtype=float)


MEASURED: dict[tuple[Any, ...], dict[str, Any]] = {}
"""What was measured, by the digest of the predictions and by what else it depends on: many runs here are equal."""


def payments(days: int = 30, *, frauds: float = 0.1, seed: int = 1, start: datetime = START) -> pd.DataFrame:
    """A data set: 60 % of the days to train, 20 % to select, 20 % to gate; a frame of the caller's own."""
    return _payments(days, frauds, seed, start).copy()


@cache
def _payments(days: int, frauds: float, seed: int, start: datetime) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    n = days * PER_DAY
    time = pd.Series(pd.date_range(start, periods=n, freq=timedelta(days=1) / PER_DAY, unit="us"))
    label = random.random(n) < frauds
    day = np.arange(n) // PER_DAY / days
    frame = pd.DataFrame(
        {
            "transaction_id": [f"t{seed}-{number:06d}" for number in range(n)],
            "event_time": time,
            "amount_minor": random.integers(100, 10_000, n),
            "partition_key": time.dt.strftime("%Y-%m-%d"),
            "customer_id": [f"c{number}" for number in random.integers(0, 400, n)],
            "terminal_id": [f"t{number}" for number in random.integers(0, 90, n)],
            "card_token": [f"k{number}" for number in random.integers(0, 500, n)],
            "label": label,
            "slice": np.select([day < 0.6, day < 0.8], ["train", "validation"], "test"),
        }
    )
    for column, quality in QUALITY.items():
        frame[column] = probability(quality * label + random.normal(size=n), quality, frauds)
    return frame


def probability(signal: np.ndarray, quality: float, frauds: float) -> np.ndarray:
    """What a signal that lies ``quality`` higher for a fraud, in units of its noise, says about a payment."""
    odds = max(frauds, 1e-3) / (1 - frauds)
    return 1 / (1 + np.exp(quality**2 / 2 - quality * signal) / odds)


def leave_run(
    ws: Workspace,
    portfolio: Portfolio,
    frame: pd.DataFrame,
    candidates: dict[str, str],
    *,
    run_id: str = "run-1",
    split: str = "time",
    salt: int = 0,
) -> dict[str, ModelVersion]:
    """Leave what a training run leaves; ``candidates`` says which column each reads."""
    until = frame["event_time"].max().to_pydatetime() + timedelta(seconds=1)
    content = parquet_bytes(frame)
    _put(ws, portfolio, run_id, "dataset.parquet", content)
    summary = _summary(portfolio, frame, run_id, split, until, sha256_of(content))
    _put(ws, portfolio, run_id, "dataset.json", summary.to_bytes())
    held_out = frame[frame["slice"] != "train"]
    models = {}
    for name, column in candidates.items():
        columns = ["transaction_id", "event_time", "amount_minor", "partition_key", "label", "slice"]
        predictions = held_out[columns].assign(score=held_out[column])
        written = parquet_bytes(predictions)
        _put(ws, portfolio, run_id, f"predictions_{name}.parquet", written)
        models[name] = register_model(
            ws,
            portfolio,
            name,
            ColumnModel(column, salt),
            run_id=run_id,
            trained_until=until,
            metrics=_remembered(portfolio, predictions, summary, sha256_of(written)),
            predictions_sha256=sha256_of(written),
        )
    return models


def register_model(
    ws: Workspace,
    portfolio: Portfolio,
    candidate: str,
    model: ColumnModel,
    *,
    run_id: str = "run-1",
    trained_until: datetime = START,
    metrics: dict[str, Any] | None = None,
    predictions_sha256: str = "",
) -> ModelVersion:
    """Register one model as of a week after the last row it saw."""
    with ws.transaction() as session:
        return register(
            ws,
            session,
            portfolio,
            run_id=run_id,
            candidate=candidate,
            as_of=trained_until + timedelta(days=7),
            trained_until=trained_until,
            model_bytes=dumped(model),
            metrics=metrics or {"average_precision": 0.5},
            thresholds={"review": REVIEW, "block": BLOCK},
            lineage={"seed": 42, "predictions_sha256": predictions_sha256},
        )


def dumped(model: ColumnModel) -> bytes:
    """The model's joblib file."""
    sink = io.BytesIO()
    joblib.dump(model, sink)
    return sink.getvalue()


def _summary(
    portfolio: Portfolio, frame: pd.DataFrame, run_id: str, split: str, until: datetime, sha256: str
) -> DatasetSummary:
    slices = {name: frame[frame["slice"] == name] for name in ("train", "gap", "validation", "test")}
    first = {name: rows["event_time"].min().to_pydatetime() for name, rows in slices.items() if len(rows)}
    return DatasetSummary(
        portfolio=portfolio.name,
        run_id=run_id,
        as_of=until + timedelta(days=7),
        window=timedelta(days=180),
        split=split,
        promotable=split == "time",
        seed=42,
        delay=timedelta(days=7),
        columns=ModelColumns(tuple(QUALITY), ()),
        slices={
            name: SliceSummary(
                rows=len(rows),
                positives=int(rows["label"].sum()),
                first=rows["event_time"].min().isoformat() if len(rows) else None,
                last=rows["event_time"].max().isoformat() if len(rows) else None,
                days=len(rows) / PER_DAY,
            )
            for name, rows in slices.items()
        },
        immature=1_400,
        validation_from=first["validation"] if split == "time" else None,
        test_from=first["test"] if split == "time" else None,
        trained_until=until,
        first_key=frame["partition_key"].min(),
        last_key=frame["partition_key"].max(),
        inputs={f"transactions/{key}": sha256_of(key.encode()) for key in frame["partition_key"].unique()},
        config=sha256_of(b"configuration"),
        sha256=sha256,
    )


def _remembered(
    portfolio: Portfolio, predictions: pd.DataFrame, summary: DatasetSummary, digest: str
) -> dict[str, Any]:
    days = tuple(summary.slices[name].days for name in ("validation", "test"))
    key = (digest, days, portfolio.policy.alerts_per_day)
    if key not in MEASURED:
        MEASURED[key] = _metrics(portfolio, predictions, summary)
    return copy.deepcopy(MEASURED[key])


def _metrics(portfolio: Portfolio, predictions: pd.DataFrame, summary: DatasetSummary) -> dict[str, Any]:
    measured = {}
    for name in ("validation", "test"):
        rows = predictions[predictions["slice"] == name]
        measured[name] = evaluate(
            rows["label"].to_numpy(),
            rows["score"].to_numpy(),
            rows["amount_minor"].to_numpy(),
            days=summary.slices[name].days,
            alerts_per_day=portfolio.policy.alerts_per_day,
            review=REVIEW,
            block=BLOCK,
            resamples=50,
        ).to_dict()
    importance = [
        {"column": "amount", "mean": 0.21, "deviation": 0.01},
        {"column": "terminal_fraud_rate_7d", "mean": 0.08, "deviation": 0.006},
        {"column": "hour", "mean": -0.001, "deviation": 0.002},
    ]
    return {**measured["test"], "validation": measured["validation"], "importance": importance}


def _put(ws: Workspace, portfolio: Portfolio, run_id: str, name: str, content: bytes) -> None:
    ws.store.put(content, "training", portfolio.name, run_id, name)
