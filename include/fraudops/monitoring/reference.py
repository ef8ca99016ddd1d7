"""What the champion was trained and gated on, counted by day: what later days are compared with.

It is made once per version from the data set of its training run, and kept beside the model: the features' bins and
counts from its selection and gate slices, which are the latest that training knew; scores, alerts and performance from
the gate slice, which the model was neither fitted nor chosen on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from fraudops.aggregates import AGGREGATES
from fraudops.database import ModelVersion
from fraudops.errors import ContractError, IntegrityError
from fraudops.evaluation.costs import ALLOW
from fraudops.evaluation.metrics import alert_budget
from fraudops.labels.selective import WEIGHT
from fraudops.monitoring.bins import LADDER, Bins, padded
from fraudops.monitoring.campaigns import campaigns
from fraudops.monitoring.performance import SUMS, Outcomes, on_ladder, sums_of
from fraudops.portfolio import Portfolio
from fraudops.portfolio.feature_names import behaviour_features
from fraudops.registry.comparison import read_predictions, rows_of
from fraudops.store import canonical_json, sha256_of
from fraudops.training import dataset as datasets
from fraudops.training.splits import TEST, TRAIN, VALIDATION
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

AREA, _FILE = "monitoring_reference", "reference.json"
_CALENDAR = ("weekday", "weekend")
_FORMAT = 1
_MOST_FRAUDS = 3_000
"""Frauds of the reference that are kept: with more of them campaigns are no help to draw."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Histograms of several columns over the same days.

    Attributes
    ----------
    bins
        One per column.
    set_aside
        Column → why it is shown but not judged.
    units
        Days (for weekly partitions: weeks), ascending; or campaigns of fraud.
    days
        How many days they cover.
    runs
        Whether the units are days, which follow one another.
    counts
        Shape (columns, units, longest), zero where a column has no such bin.
    """

    bins: tuple[Bins, ...]
    set_aside: dict[str, str]
    units: tuple[str, ...]
    counts: np.ndarray
    days: int
    runs: bool = True

    @property
    def valid(self) -> np.ndarray:
        """Which bins each column has, shape (columns, longest)."""
        return np.array([[place < b.count for place in range(self.counts.shape[-1])] for b in self.bins], dtype=bool)

    @property
    def judged(self) -> np.ndarray:
        """Which columns are judged, shape (columns,)."""
        return np.array([b.name not in self.set_aside for b in self.bins], dtype=bool)


@dataclass(frozen=True, eq=False)
class Reference:
    """All that later days are compared with.

    Attributes
    ----------
    features, frauds
        Columns that the champion reads, of all transactions and of frauds.
    score
        Its scores.
    outcomes
        Performance, day by day.
    digest
        Of the stored file.
    """

    version: str
    model_sha256: str
    features: Panel
    frauds: Panel
    score: Panel
    outcomes: Outcomes
    digest: str = ""


def reference_of(ws: Workspace, portfolio: Portfolio, model: ModelVersion) -> Reference | None:
    """The stored reference of a version, or made now from its training run.

    Returns
    -------
    Reference or None
        None where the training run's data set or predictions are not there any more.
    """
    found = stored_reference(ws, portfolio, model.version, model.artifact_sha256)
    if found is not None:
        return found
    try:
        made = _make(ws, portfolio, model)
    except (ContractError, IntegrityError, KeyError):
        return None
    content = _written(made)
    ws.store.put(content, AREA, portfolio.name, model.version, _FILE)
    return replace(made, digest=sha256_of(content))


def stored_reference(ws: Workspace, portfolio: Portfolio, version: str, sha256: str) -> Reference | None:
    """The reference of a version whose file has this digest, where it was made already."""
    try:
        found = _read(ws.store.get(AREA, portfolio.name, version, _FILE))
    except FileNotFoundError:
        return None
    return found if found.model_sha256 == sha256 else None


def unit_of(key: str) -> str:
    """Day in which a partition starts (of a weekly one: its Monday)."""
    return key[:10]


def panel(frame: pd.DataFrame, bins: Sequence[Bins], units: Sequence[str], set_aside: dict[str, str]) -> Panel:
    """Count columns by day; ``partition_key`` says which day."""
    place = {unit: number for number, unit in enumerate(units)}
    codes = np.array([place[unit] for unit in frame["partition_key"].str[:10]], dtype=np.int64)
    counts = _counted(frame, bins, codes, len(units))
    return Panel(tuple(bins), set_aside, tuple(units), counts, days=len(units))


def fraud_panel(
    portfolio: Portfolio, frauds: pd.DataFrame, bins: Sequence[Bins], days: int, set_aside: dict[str, str]
) -> Panel:
    """Count columns of frauds by campaign, of very many frauds the latest."""
    latest = frauds.iloc[-_MOST_FRAUDS:]
    codes = campaigns([latest[c] for c in portfolio.entities.values() if c in latest], len(latest))
    count = int(codes.max(initial=-1)) + 1
    covered = round(days * len(latest) / max(len(frauds), 1))
    counts = _counted(latest, bins, codes, count)
    return Panel(tuple(bins), set_aside, tuple(f"c{n}" for n in range(count)), counts, days=covered, runs=False)


def _counted(frame: pd.DataFrame, bins: Sequence[Bins], codes: np.ndarray, units: int) -> np.ndarray:
    """Counts of each column in each unit, shape (columns, units, longest)."""
    weight = frame[WEIGHT].to_numpy(dtype=np.float64) if WEIGHT in frame else None
    counts, _ = padded(
        np.bincount(codes * b.count + b.codes(frame[b.name]), weights=weight, minlength=units * b.count).reshape(
            units, b.count
        )
        for b in bins
    )
    return counts.astype(np.float64)


# -- inside -------------------------------------------------------------------------------------------


def _make(ws: Workspace, portfolio: Portfolio, model: ModelVersion) -> Reference:
    data = datasets.load(ws, portfolio, model.run_id)
    columns = data.summary.columns
    held = data.frame[data.frame["slice"].isin([VALIDATION, TEST]).to_numpy()]
    units = sorted(held["partition_key"].str[:10].unique())
    learned = data.frame[(data.frame["slice"] != TRAIN).to_numpy()] if held.empty else data.frame
    count = portfolio.monitoring.bins
    bins = [Bins.of_numbers(n, _numbers(held[n]), count) for n in columns.numeric]
    bins += [Bins.of_categories(n, learned[n]) for n in columns.categorical]
    aside = _set_aside(portfolio, data.summary.first_key, units[0])
    predictions = rows_of(read_predictions(ws, model), TEST)
    return Reference(
        version=model.version,
        model_sha256=model.artifact_sha256,
        features=panel(held, bins, units, aside),
        frauds=fraud_panel(portfolio, held[held["label"].to_numpy(dtype=bool)], bins, len(units), aside),
        score=_scores(predictions, count),
        outcomes=_outcomes(portfolio, model, predictions, data.rows_of(TEST)),
    )


def _numbers(values: pd.Series) -> np.ndarray:
    import pandas as pd

    return pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)


def _set_aside(portfolio: Portfolio, history_begins: str, first: str) -> dict[str, str]:
    """Columns that change by construction: with the calendar, or because their window was still filling up."""
    aside = {str(name): "the calendar" for name in portfolio.features.calendar if name in _CALENDAR}
    partitioning = portfolio.partitioning
    known = partitioning.start(first if portfolio.partition_hours >= 24 else f"{first}T00") - partitioning.start(
        history_begins
    )
    for group in portfolio.features.behaviour:
        for feature in behaviour_features(group):
            needs = feature.window or portfolio.features.longest_window
            if AGGREGATES[feature.aggregate].labels:
                needs += portfolio.labels.delay
            if needs > known + timedelta(hours=portfolio.partition_hours):
                aside[feature.name] = "its window was filling up in the reference"
    return aside


def _scores(predictions: pd.DataFrame, count: int) -> Panel:
    units = sorted(predictions["partition_key"].str[:10].unique())
    bins = Bins.of_numbers("score", predictions["score"].to_numpy(dtype=np.float64), count)
    return panel(predictions[["partition_key", "score"]], [bins], units, {})


def _outcomes(portfolio: Portfolio, model: ModelVersion, predictions: pd.DataFrame, rows: pd.DataFrame) -> Outcomes:
    score = predictions["score"].to_numpy(dtype=np.float64)
    label = predictions["label"].to_numpy(dtype=bool)
    amount = predictions["amount_minor"].to_numpy() if portfolio.has_amount else None
    alerted = np.asarray(Thresholds.read(model.thresholds).decide(score, amount)) != ALLOW
    weight = rows[WEIGHT].to_numpy(dtype=np.float64) if WEIGHT in rows else np.ones(len(score))
    day = predictions["partition_key"].str[:10].to_numpy()
    units = sorted(set(day))
    sums, fraud, genuine = [], [], []
    length = max(portfolio.partition_hours / 24, 1)
    for unit in units:
        here = day == unit
        budget = alert_budget(portfolio.policy.alerts_per_day, length, int(here.sum()))
        sums.append(sums_of(score[here], label[here], alerted[here], budget, weight[here]))
        fraud.append(on_ladder(score[here], weight[here] * label[here]))
        genuine.append(on_ladder(score[here], weight[here] * ~label[here]))
    return Outcomes(tuple(units), np.array(sums), np.array(fraud), np.array(genuine))


def _written(found: Reference) -> bytes:
    outcomes = found.outcomes
    return canonical_json(
        {
            "format": _FORMAT,
            "version": found.version,
            "model_sha256": found.model_sha256,
            **{name: _panel_dict(getattr(found, name)) for name in ("features", "frauds", "score")},
            "outcomes": {
                "units": list(outcomes.units),
                "sums": outcomes.sums.tolist(),
                "names": list(SUMS),
                "fraud": _sparse(outcomes.fraud),
                "genuine": _sparse(outcomes.genuine),
            },
        }
    )


def _read(content: bytes) -> Reference:
    stored = json.loads(content)
    outcomes = stored["outcomes"]
    days = len(outcomes["units"])
    return Reference(
        version=stored["version"],
        model_sha256=stored["model_sha256"],
        **{name: _panel(stored[name]) for name in ("features", "frauds", "score")},
        outcomes=Outcomes(
            tuple(outcomes["units"]),
            np.array(outcomes["sums"]).reshape(days, len(SUMS)),
            _dense(outcomes["fraud"], days),
            _dense(outcomes["genuine"], days),
        ),
        digest=sha256_of(content),
    )


def _panel_dict(found: Panel) -> dict[str, Any]:
    return {
        "bins": [b.to_dict() for b in found.bins],
        "set_aside": found.set_aside,
        "units": list(found.units),
        "days": found.days,
        "runs": found.runs,
        "counts": [_cells(column) for column in found.counts],
    }


def _panel(stored: dict[str, Any]) -> Panel:
    bins = tuple(Bins.from_dict(item) for item in stored["bins"])
    units = tuple(stored["units"])
    counts = np.zeros((len(bins), len(units), max((b.count for b in bins), default=0)))
    for column, (rows, places, values) in zip(counts, stored["counts"], strict=True):
        column[rows, places] = values
    return Panel(bins, stored["set_aside"], units, counts, days=stored["days"], runs=stored["runs"])


def _cells(column: np.ndarray) -> list[list[float]]:
    """What is not zero: units, bins, counts."""
    rows, places = np.nonzero(column)
    return [rows.tolist(), places.tolist(), column[rows, places].tolist()]


def _sparse(days: np.ndarray) -> list[list[list[float]]]:
    return [[[int(place), float(row[place])] for place in np.flatnonzero(row)] for row in days]


def _dense(stored: list[list[list[float]]], days: int) -> np.ndarray:
    found = np.zeros((days, LADDER))
    for row, cells in zip(found, stored, strict=True):
        for place, count in cells:
            row[int(place)] = count
    return found
