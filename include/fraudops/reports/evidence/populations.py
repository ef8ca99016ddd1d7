"""The test slice cut into groups: by what the model sees, and by what the portfolio names as protected or proxy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from fraudops.database import ModelVersion
from fraudops.evaluation.costs import ALLOW
from fraudops.evaluation.disparity import OTHERS, GroupRates, Ratio, group_rates
from fraudops.evaluation.metrics import wilson
from fraudops.explanation.wording import safe_text
from fraudops.features import ModelColumns
from fraudops.portfolio import Portfolio, Role
from fraudops.reports.evidence.contents import Grouping, GroupLine, Measured
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace

AMOUNT_BANDS = "amount"
_BANDS = 4
_MOST_GROUPS = 10
_MOST_COLUMNS = 6
_FEWEST_ROWS = 50
_MISSING = "(missing)"


def segments(portfolio: Portfolio, columns: ModelColumns, rows: pd.DataFrame, flagged: np.ndarray) -> list[Grouping]:
    """The slice by bands of the amount, by the columns that a gate watches, and by categories that the model sees.

    Parameters
    ----------
    rows
        The test slice with the model's columns, ``amount_minor`` and ``label``.
    flagged
        What is reviewed or blocked.
    """
    found = []
    if portfolio.has_amount:
        bands = _bands(rows["amount_minor"] / 10**portfolio.minor_digits, portfolio.minor_digits)
        found.append(_grouping(AMOUNT_BANDS, "quarters of the transactions", bands, rows, flagged, _FEWEST_ROWS))
    watched = [name for name in portfolio.promotion.gates.segments.columns if name in rows]
    for name in dict.fromkeys([*watched, *columns.categorical[:_MOST_COLUMNS]]):
        groups = _texts(rows[name])
        if groups.nunique() > 1:
            found.append(_grouping(name, "the commonest values", _commonest(groups), rows, flagged, _FEWEST_ROWS))
    return found


def fairness(
    ws: Workspace, portfolio: Portfolio, columns: ModelColumns, rows: pd.DataFrame, flagged: np.ndarray
) -> list[Grouping]:
    """The slice by each attribute that the portfolio names; read from the transactions, as no model need see it.

    Transactions that are no longer in the store are left out, and the remark counts them.
    """
    names = portfolio.fairness.attributes
    if not names or rows.empty:
        return []
    stored = {name: portfolio.stored_name(name) for name in names}
    known = _attributes(ws, portfolio, rows["partition_key"].unique(), list(stored.values()))
    there = rows["transaction_id"].isin(known.index).to_numpy()
    gone = f"; {np.count_nonzero(~there)} of {len(rows)} transactions are no longer stored" if not there.all() else ""
    rows, flagged = rows[there], flagged[there]
    values = known.reindex(rows["transaction_id"].to_numpy())
    found = []
    for name, column in stored.items():
        seen = "the model sees it" if column in columns.all else "the model does not see it"
        is_number = portfolio.columns[name].role is Role.NUMBER
        groups = _bands(pd.to_numeric(values[column]), 2) if is_number else _texts(values[column])
        found.append(_grouping(name, seen + gone, groups, rows, flagged, portfolio.fairness.fewest_rows))
    return found


def flagged_by(model: ModelVersion, rows: pd.DataFrame) -> np.ndarray:
    """Which scored transactions the version's thresholds would have had reviewed or blocked."""
    amount = rows["amount_minor"].to_numpy() if "amount_minor" in rows else None
    decision = Thresholds.read(model.thresholds).decide(rows["score"].to_numpy(), amount)
    return np.asarray(decision != ALLOW)


def _attributes(ws: Workspace, portfolio: Portfolio, keys: Iterable[str], columns: Sequence[str]) -> pd.DataFrame:
    wanted = ["transaction_id", *columns]
    parts = [
        ws.store.read(manifest, wanted).to_pandas()
        for key in sorted(map(str, keys))
        if (manifest := ws.store.manifest("transactions", portfolio.name, key)) is not None
    ]
    known = pd.concat([pd.DataFrame(columns=wanted), *parts])
    return known.drop_duplicates("transaction_id").set_index("transaction_id")


def _texts(values: pd.Series) -> pd.Series:
    texts = values.astype(object)
    return texts.where(texts.notna(), _MISSING).map(lambda value: safe_text(str(value)))


def _commonest(groups: pd.Series) -> pd.Series:
    """The commonest values as they are, the rest as one."""
    return groups.where(groups.isin(groups.value_counts().index[:_MOST_GROUPS]), OTHERS)


def _bands(values: pd.Series, digits: int) -> pd.Series:
    """Quarters, named by their bounds; equal values stay together."""
    there = values.dropna()
    if there.nunique() < 2:
        return _texts(values)
    edges = np.unique(np.quantile(there, np.linspace(0, 1, _BANDS + 1)))
    place = np.clip(np.searchsorted(edges, values.to_numpy(dtype=float), side="right") - 1, 0, len(edges) - 2)
    names = [f"{low:,.{digits}f} to {high:,.{digits}f}" for low, high in pairwise(edges)]
    return pd.Series(np.array(names, dtype=object)[place], index=values.index).where(values.notna(), _MISSING)


def _grouping(
    column: str, remark: str, groups: pd.Series, rows: pd.DataFrame, flagged: np.ndarray, fewest: int
) -> Grouping:
    found = group_rates(groups.to_numpy(dtype=object), rows["label"].to_numpy(dtype=bool), flagged, fewest=fewest)
    return Grouping(column, remark, tuple(_line(rates) for rates in found))


def _line(rates: GroupRates) -> GroupLine:
    caught = rates.flagged - rates.false_alarms
    selection, false = rates.selection_ratio, rates.false_positive_ratio
    return GroupLine(
        group=rates.group,
        n=rates.n,
        frauds=rates.frauds,
        flagged=rates.flagged,
        selection_rate=_share(rates.flagged, rates.n),
        precision=_share(caught, rates.flagged),
        recall=_share(caught, rates.frauds),
        false_positive_rate=rates.false_positive_rate,
        selection_ratio=_ratio(selection),
        selection_marked=selection is not None and selection.marked,
        false_positive_ratio=_ratio(false),
        false_positive_marked=false is not None and false.marked,
    )


def _share(part: int, whole: int) -> Measured:
    return Measured(part / whole, *wilson(part, whole)) if whole else Measured(None)


def _ratio(found: Ratio | None) -> Measured | None:
    return None if found is None else Measured(found.value, found.low, found.high)
