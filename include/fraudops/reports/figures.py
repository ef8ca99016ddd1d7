"""The figures of a training report: which there are, what they are called, what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraudops.database import ModelVersion
from fraudops.evaluation import figures
from fraudops.evaluation.figures import Bar, Curve
from fraudops.evaluation.importance import Importance
from fraudops.evaluation.metrics import Confusion, ReliabilityBin
from fraudops.registry.comparison import read_predictions, rows_of
from fraudops.training.splits import TEST
from fraudops.workspace import Workspace


@dataclass(frozen=True)
class Figure:
    """A picture with its words."""

    file: str
    title: str
    caption: str
    png: bytes


def draw(ws: Workspace, models: Sequence[ModelVersion]) -> list[Figure]:
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
    thresholds = {name: challenger.thresholds.get(name) for name in ("review", "block")}
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
            "Confusion matrix at the review threshold",
            where,
            figures.confusion_matrix(_confusion(metrics["confusion"]["review"])),
        ),
        Figure(
            "precision_recall.png",
            "Precision and recall",
            f"The thresholds of {_name(challenger)} are marked. {everyone}",
            figures.precision_recall(curves, thresholds),
        ),
        Figure("roc.png", "ROC", everyone, figures.roc(curves)),
        Figure(
            "precision_at_k.png",
            "What the alert budget finds",
            where,
            figures.precision_at(curves[0], k=metrics["k"], days=metrics["days"]),
        ),
        Figure("scores.png", "Scores", where, figures.score_distribution(curves[0], thresholds)),
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
