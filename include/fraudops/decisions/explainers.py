"""Explainers of the models that a process used last: preparing one takes longer than a day's alerts."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING

from fraudops.explanation import Explainer
from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    from fraudops.training.model import FraudModel

_KEPT = 2
"""As many as models, see :func:`fraudops.decisions.scoring.load_model`."""
_explainers: OrderedDict[str, tuple[Portfolio, Explainer]] = OrderedDict()
_lock = Lock()


def explainer_of(model: FraudModel, sha256: str, portfolio: Portfolio) -> Explainer:
    """A model's explainer.

    Parameters
    ----------
    sha256
        Of the model's file, which has been checked.
    portfolio
        Whose words it uses; another one of the same name gets an explainer of its own.
    """
    with _lock:
        known = _explainers.get(sha256)
        if known is not None and known[0] == portfolio:
            _explainers.move_to_end(sha256)
            return known[1]
    made = Explainer(model, portfolio)
    with _lock:
        _explainers[sha256] = (portfolio, made)
        while len(_explainers) > _KEPT:
            _explainers.popitem(last=False)
    return made
