"""Figures: real PNGs, the same bytes again, and none that fails where there is little to show."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import matplotlib
import numpy as np
import pytest
from fraudops.evaluation import figures
from fraudops.evaluation.cost_figure import Chosen, cost_curve
from fraudops.evaluation.costs import CostModel
from fraudops.evaluation.importance import Importance
from fraudops.evaluation.metrics import confusion, reliability
from fraudops.evaluation.money import CostCurve
from PIL import Image


def _curve(rows: int, frauds: int) -> figures.Curve:
    random = np.random.default_rng(rows)
    label = np.zeros(rows, dtype=bool)
    label[:frauds] = True
    return figures.Curve("v1 (forest)", label, 1 / (1 + np.exp(5 - random.normal(size=rows) - 4 * label)))


_THRESHOLDS = {"review": 0.05, "block": None}
_COSTS = CostModel(review=300, friction=2_000)


def _points(curve: figures.Curve) -> list[figures.Point]:
    return [figures.Point("review", curve.score >= 0.05), figures.Point("block", curve.score >= 0.9)]


def _cost(curve: figures.Curve) -> bytes:
    found = CostCurve.of(curve.label, curve.score, np.full(len(curve.label), 9_000), _COSTS)
    chosen = Chosen(flagged=len(curve.label) // 2, cost=1_000, without=90_000, budget=2, days=1.5)
    return cost_curve(found, chosen, currency="EUR")


_DRAWN: dict[str, Callable[[figures.Curve], bytes]] = {
    "roc": lambda c: figures.roc([c, c], _points(c)),
    "cost": _cost,
    "precision_recall": lambda c: figures.precision_recall([c], _points(c)),
    "precision_at": lambda c: figures.precision_at(c, k=3, days=1.5),
    "calibration": lambda c: figures.calibration(reliability(c.label, c.score)),
    "confusion": lambda c: figures.confusion_matrix(confusion(c.label, c.score, 0.05)),
    "score_distribution": lambda c: figures.score_distribution(c, _THRESHOLDS),
    "importances": lambda c: figures.importances([Importance(f"column_{n}", 0.1 - n / 100, 0.01) for n in range(20)]),
    "comparison": lambda c: figures.comparison(
        [figures.Bar("a", 0.8, 0.7, 0.9, chosen=True), figures.Bar("b", 0.7), figures.Bar("c", None)]
    ),
}


@pytest.mark.parametrize("name", _DRAWN)
def test_the_same_numbers_give_the_same_bytes(name: str) -> None:
    curve = _curve(3_000, 40)
    settings = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, again = _DRAWN[name](curve), _DRAWN[name](curve)
    assert first == again
    image = Image.open(io.BytesIO(first))
    assert image.width > 900
    assert "Software" not in image.info
    assert dict(matplotlib.rcParams) == settings


@pytest.mark.parametrize(
    "name", ["roc", "cost", "precision_recall", "precision_at", "calibration", "score_distribution"]
)
@pytest.mark.parametrize(("rows", "frauds"), [(1, 0), (5, 0), (5, 5), (2, 1)])
def test_little_to_show_is_shown(name: str, rows: int, frauds: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _DRAWN[name](_curve(rows, frauds)).startswith(b"\x89PNG")
