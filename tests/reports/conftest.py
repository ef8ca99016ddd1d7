"""Pictures are drawn once: the same numbers in another test give the same picture, which takes a tenth of a second."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from fraudops.evaluation import figures

NAMES = (
    "roc", "precision_recall", "precision_at", "calibration", "confusion_matrix", "score_distribution", "importances",
    "comparison",
)  # fmt: skip
DRAWN: dict[tuple[str, bytes], bytes] = {}


@pytest.fixture(autouse=True)
def _drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setattr(figures, name, partial(_remembered, name, getattr(figures, name)))


def _remembered(name: str, draw: Callable[..., bytes], *arguments: Any, **more: Any) -> bytes:
    key = (name, pickle.dumps((arguments, more)))
    if key not in DRAWN:
        DRAWN[key] = draw(*arguments, **more)
    return DRAWN[key]
