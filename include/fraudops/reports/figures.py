"""The figures of a training report: which there are, what they are called, what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraudops.database import ModelVersion
from fraudops.evaluation import figures
from fraudops.evaluation.cost_figure import Chosen, cost_curve
from fraudops.evaluation.costs import ALLOW, BLOCK, CostModel
from fraudops.evaluation.figures import Bar, Curve, Point
from fraudops.evaluation.importance import Importance
from fraudops.evaluation.metrics import Confusion, ReliabilityBin
from fraudops.evaluation.money import CostCurve
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import read_predictions, rows_of
from fraudops.training.splits import TEST
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Figure:
    """A picture with its words."""

    file: str
    title: str
    caption: str
    png: bytes


def draw(ws: Workspace, portfolio: Portfolio, models: Sequence[ModelVersion]) -> list[Figure]:
    """Draw all figures of a run; the first model is the challenger.

    Raises
    ------
    IntegrityError
        Predictions are not those that were written.
    """
    challenger = models[0]
    on_test = [rows_of(read_predictions(ws, model), TEST) for model in models]
    curves = [_curve(model, rows) for model, rows in zip(models, on_test, strict=True)]
    keys = on_test[0]["partition_key"]
    where = f"{_name(challenger)}, test slice, partitions {keys.min()} to {keys.max()}."
    everyone = f"All candidates of the run, test slice, partitions {keys.min()} to {keys.max()}."
    points = _points(challenger, on_test[0])
    chosen = f"What the policy reviews and blocks by {_name(challenger)} is marked."
    if challenger.thresholds.get("review_value") is not None:
        chosen += " It may lie off the curve: the amount decides beside the score."
    metrics = challenger.metrics
    drawn = [
        Figure(
            "candidates.png",
            "Candidates",
            f"Average precision with its 95 % interval. {everyone}",
            figures.comparison([_bar(model, model is challenger) for model in models]),
        ),
        Figure(
            "confusion.png",
            "Reviewed or blocked, and passed on",
            where,
            figures.confusion_matrix(_confusion(metrics["confusion"]["review"])),
        ),
        Figure(
            "precision_recall.png",
            "Precision and recall",
            f"{chosen} {everyone}",
            figures.precision_recall(curves, points),
        ),
        Figure("roc.png", "ROC", f"{chosen} {everyone}", figures.roc(curves, points)),
        *_cost(portfolio, challenger, on_test[0], where),
        Figure(
            "precision_at_k.png",
            "What the alert budget finds",
            where,
            figures.precision_at(curves[0], k=metrics["k"], days=metrics["days"]),
        ),
        Figure("scores.png", "Scores", where, figures.score_distribution(curves[0], _drawn(challenger))),
        Figure(
            "calibration.png",
            "Calibration",
            f"Whether of a hundred transactions with a score of 0.05 about five are fraud. {where}",
            figures.calibration([ReliabilityBin(**found) for found in metrics["calibration"]]),
        ),
    ]
    if metrics.get("importance"):
        found = [Importance(**line) for line in metrics["importance"]]
        caption = f"Permutation importance: average precision lost when a column is shuffled. {where}"
        drawn.append(Figure("importance.png", "What the model relies on", caption, figures.importances(found)))
    return drawn


def _name(model: ModelVersion) -> str:
    return f"{model.version} ({model.candidate})"


def _curve(model: ModelVersion, rows: pd.DataFrame) -> Curve:
    return Curve(_name(model), rows["label"].to_numpy(dtype=bool), rows["score"].to_numpy(dtype=np.float64))


def _decided(model: ModelVersion, rows: pd.DataFrame) -> np.ndarray:
    amount = rows["amount_minor"].to_numpy() if "amount_minor" in rows else None
    return Thresholds.read(model.thresholds).decide(rows["score"].to_numpy(), amount)


def _points(model: ModelVersion, rows: pd.DataFrame) -> list[Point]:
    decision = _decided(model, rows)
    found = [Point("review", decision != ALLOW)]
    return found if model.thresholds.get("block") is None else [*found, Point("block", decision == BLOCK)]


def _drawn(model: ModelVersion) -> dict[str, float | None]:
    """Thresholds that are a score: where the value decides there is none of review."""
    by_value = model.thresholds.get("review_value") is not None
    return {name: model.thresholds.get(name) for name in ("review", "block") if not (by_value and name == "review")}


def _cost(portfolio: Portfolio, model: ModelVersion, rows: pd.DataFrame, where: str) -> list[Figure]:
    """What the review threshold costs; nothing where nothing was measured in money."""
    money = model.metrics.get("money")
    if money is None or rows.empty:
        return []
    label, score, amount = (rows[name].to_numpy() for name in ("label", "score", "amount_minor"))
    curve = CostCurve.of(label, score, amount, CostModel(**money["costs"]), block=model.thresholds.get("block"))
    chosen = Chosen(
        flagged=int((_decided(model, rows) != ALLOW).sum()),
        cost=money["cost"],
        without=min(money["cost_allowing"], money["cost_blocking"]),
        budget=model.metrics["k"],
        days=model.metrics["days"],
    )
    currency = "" if portfolio.currency in portfolio.columns else portfolio.currency
    return [
        Figure(
            "cost.png",
            "What decisions cost",
            f"Missed frauds, reviews and blocked genuine payments, for each review threshold. {where}",
            cost_curve(curve, chosen, minor_digits=portfolio.minor_digits, currency=currency),
        )
    ]


def _bar(model: ModelVersion, chosen: bool) -> Bar:
    low, high = model.metrics.get("average_precision_interval") or (None, None)
    return Bar(_name(model), model.metrics["average_precision"], low, high, chosen)


def _confusion(found: dict[str, float]) -> Confusion:
    return Confusion(
        threshold=found["threshold"],
        caught=int(found["true_positive"]),
        false_alarms=int(found["false_positive"]),
        missed=int(found["false_negative"]),
        passed=int(found["true_negative"]),
    )
