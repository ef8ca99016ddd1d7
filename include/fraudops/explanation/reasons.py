"""Reasons: the sentences that say why a transaction was flagged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fraudops.errors import ContractError
from fraudops.explanation.contributions import Explainable, contributions
from fraudops.explanation.groups import Group, group_columns
from fraudops.explanation.wording import Told, Value, sentence
from fraudops.portfolio import Portfolio, Role

_SMALLEST_SHARE = 0.05
"""A reason that weighs less than this share of the weightiest one is noise to a reader."""
_NOTHING = "no single value stands out: the score comes from their combination"


def explain(model: Explainable, frame: pd.DataFrame, portfolio: Portfolio, *, limit: int = 5) -> list[list[str]]:
    """Say for each row what raised its score, beside what is normal.

    Parameters
    ----------
    model
        The model that gave the scores; its background is what is typical.
    frame
        Rows of :func:`fraudops.features.model_frame`. Length n.
    limit
        Most sentences a row.

    Returns
    -------
    list of list of str
        Length n; each row's sentences, the weightiest first, at least one. The same input gives the same
        sentences.

    Raises
    ------
    ContractError
        The rows lack a column that the model reads.
    """
    if frame.empty:
        return []
    missing = [name for name in model.columns.all if name not in frame.columns]
    if missing:
        raise ContractError(
            f"the model reads columns that the rows do not have: {', '.join(missing[:5])}",
            where=f"portfolio {portfolio.name}",
            remedy="restore these columns in the portfolio's YAML, or promote a model trained without them",
        )
    groups = group_columns(model.columns.all, portfolio)
    weights = contributions(model, frame, groups)
    flags = frozenset(portfolio.stored_name(name) for name in portfolio.named(Role.BOOLEAN))
    reasons = []
    for row, weight in zip(frame.to_dict("records"), weights, strict=True):
        chosen = [groups[index] for index in _weightiest(weight, limit)]
        told = [sentence(group, _told(group, row, model, portfolio, flags)) for group in chosen]
        reasons.append(list(dict.fromkeys(told)) or [_NOTHING])
    return reasons


def _weightiest(weight: np.ndarray, limit: int) -> list[int]:
    """Numbers of the groups worth telling; equal weights keep the order of the model's columns."""
    # Rounded, so that the last bits of a sum taken by several threads cannot change the order.
    rounded = np.round(weight, 6)
    order = np.argsort(-rounded, kind="stable")[:limit]
    floor = max(rounded.max(initial=0.0) * _SMALLEST_SHARE, 1e-6)
    return [int(index) for index in order if rounded[index] >= floor]


def _told(group: Group, row: dict[Any, Any], model: Explainable, portfolio: Portfolio, flags: frozenset[str]) -> Told:
    values = [Value(m, _plain(row[m.column]), _plain(model.background.get(m.column))) for m in group.members]
    return Told(
        values=values,
        event_time=row["event_time"].to_pydatetime(warn=False),
        amount=row["amount_minor"] / 10**portfolio.minor_digits,
        digits=portfolio.minor_digits,
        flags=flags,
        longest=portfolio.features.longest_window,
        noun="payment" if portfolio.has_amount else "transaction",
    )


def _plain(value: Any) -> Any:
    """None for every kind of missing value."""
    return None if value is None or pd.isna(value) else value
