"""Reasons: why a transaction was flagged, as sentences and as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fraudops.errors import ContractError
from fraudops.explanation.codes import NOTHING, code_of
from fraudops.explanation.contributions import Contributions, Contributor, Explainable
from fraudops.explanation.groups import Group, group_columns
from fraudops.explanation.wording import Told, Value, safe_text, sentence
from fraudops.portfolio import Portfolio, Role

Row = Mapping[str, Any]
_SMALLEST_SHARE = 0.05
"""A reason that weighs less than this share of the weightiest one is noise to a reader."""
_NOTHING = "no single value stands out: the score comes from their combination"
_DIGITS = 6
"""Decimals of contributions: the last bits of a sum taken by several threads are no fact."""


@dataclass(frozen=True)
class ColumnFact:
    """A column of a reason: what it is in this row, and what it typically is; None where missing."""

    column: str
    value: float | str | None
    usual: float | str | None


@dataclass(frozen=True)
class Reason:
    """One thought that raised a score.

    Attributes
    ----------
    text
        In words, next to what is normal.
    group
        What kind of thought it is, see :class:`~fraudops.explanation.groups.Group`; ``none`` for a score that
        no single value raised.
    contribution
        By how much it raised the margin, in log-odds.
    """

    text: str
    group: str
    columns: tuple[ColumnFact, ...]
    contribution: float


@dataclass(frozen=True)
class Explanation:
    """Why one row has its score: ``base`` + the reasons + ``rest`` + ``remainder`` = ``margin``, in log-odds.

    Attributes
    ----------
    method
        How contributions were found, see :class:`~fraudops.explanation.contributions.Contributions`.
    rest
        Contributions of all groups that are not told, those that lowered the score among them.
    remainder
        What belongs to no group by itself; 0 but for rounding where the method is exact.
    """

    method: str
    base: float
    margin: float
    reasons: tuple[Reason, ...]
    rest: float
    remainder: float

    @property
    def sentences(self) -> list[str]:
        """The reasons in words, the weightiest first; at least one."""
        return [reason.text for reason in self.reasons]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        content = asdict(self)
        content["reasons"] = [asdict(r) | {"columns": [asdict(c) for c in r.columns]} for r in self.reasons]
        return content


def explain(model: Explainable, frame: pd.DataFrame, portfolio: Portfolio, *, limit: int = 5) -> list[Explanation]:
    """Say for each row what raised its score, beside what is normal.

    Parameters
    ----------
    model
        The model that gave the scores; its background is what is typical.
    frame
        Rows of :func:`fraudops.features.model_frame`. Length n.
    limit
        Most reasons a row.

    Returns
    -------
    list of Explanation
        Length n; each row's reasons, the weightiest first. The same input gives the same explanations.

    Raises
    ------
    ContractError
        The rows lack a column that the model reads.
    """
    if frame.empty:
        return []
    _require_columns(model, frame.columns, portfolio)
    return Explainer(model, portfolio, limit=limit).explain_frame(frame)


class Explainer:
    """Explains rows of one model; what depends on the model and the portfolio alone is found out once.

    Parameters
    ----------
    model
        The model that gives the scores; its background is what is typical.
    limit
        Most reasons a row.
    matrix
        Makes the model's matrix of rows, where something does so without a frame:
        :meth:`fraudops.training.compiled.CompiledModel.matrix`.
    """

    def __init__(
        self,
        model: Explainable,
        portfolio: Portfolio,
        *,
        limit: int = 5,
        matrix: Callable[[Sequence[Row]], NDArray[Any]] | None = None,
    ) -> None:
        self._model, self._portfolio, self._limit = model, portfolio, limit
        self._groups = group_columns(model.columns.all, portfolio)
        self._contributor = Contributor(model, self._groups)
        self._flags = frozenset(portfolio.stored_name(name) for name in portfolio.named(Role.BOOLEAN))
        self._typical = {name: _plain(model.background.get(name)) for name in model.columns.all}
        self._codes = {name: code_of(group) for group in self._groups for name in group.columns}
        self._matrix = matrix or (lambda rows: model.matrix(pd.DataFrame(list(rows))))

    def explain(self, rows: Sequence[Row]) -> list[Explanation]:
        """As :func:`explain`, of rows as mappings.

        Parameters
        ----------
        rows
            Column → value: the model's columns, ``event_time`` (aware) and ``amount_minor``.
        """
        return self._explained(self._matrix(rows), rows) if len(rows) else []

    def explain_frame(self, frame: pd.DataFrame) -> list[Explanation]:
        """As :func:`explain`."""
        return self._explained(self._model.matrix(frame), cast(list[Row], frame.to_dict("records")))

    def codes(self, explanation: Explanation) -> list[str]:
        """A code for each reason, which stays the same whatever the values: ``customer.amount_unusual``.

        :data:`~fraudops.explanation.codes.NOTHING` where no single value raised the score. Where several groups
        read the same, the weightiest one's.
        """
        return [self._codes[reason.columns[0].column] if reason.columns else NOTHING for reason in explanation.reasons]

    def _explained(self, matrix: NDArray[Any], rows: Sequence[Row]) -> list[Explanation]:
        found = self._contributor(matrix)
        weights = np.round(found.groups, _DIGITS)
        explanations = []
        for number, row in enumerate(rows):
            told = {index: self._told(index, row) for index in _weightiest(weights[number], self._limit)}
            reasons = _reasons(self._groups, told, weights[number])
            explanations.append(_explanation(found, number, reasons))
        return explanations

    def _told(self, index: int, row: Row) -> Told:
        members, moment, portfolio = self._groups[index].members, row["event_time"], self._portfolio
        return Told(
            values=[Value(m, _plain(row[m.column]), self._typical[m.column]) for m in members],
            event_time=moment.to_pydatetime(warn=False) if isinstance(moment, pd.Timestamp) else moment,
            amount=row["amount_minor"] / 10**portfolio.minor_digits,
            digits=portfolio.minor_digits,
            flags=self._flags,
            longest=portfolio.features.longest_window,
            noun="payment" if portfolio.has_amount else "transaction",
        )


def _require_columns(model: Explainable, available: Iterable[str], portfolio: Portfolio) -> None:
    there = set(available)
    missing = [name for name in model.columns.all if name not in there]
    if missing:
        raise ContractError(
            f"the model reads columns that the rows do not have: {', '.join(missing[:5])}",
            where=f"portfolio {portfolio.name}",
            remedy="restore these columns in the portfolio's YAML, or promote a model trained without them",
        )


def _weightiest(weight: NDArray[np.float64], limit: int) -> list[int]:
    """Numbers of the groups worth telling; equal weights keep the order of the model's columns."""
    order = np.argsort(-weight, kind="stable")[:limit]
    floor = max(weight.max(initial=0.0) * _SMALLEST_SHARE, 1e-6)
    return [int(index) for index in order if weight[index] >= floor]


def _reasons(groups: Sequence[Group], told: dict[int, Told], weight: NDArray[np.float64]) -> tuple[Reason, ...]:
    """A reason for each sentence; groups that read the same are told once, with their weights added up."""
    found: dict[str, Reason] = {}
    for index, what in told.items():
        text = sentence(groups[index], what)
        same = found.get(text)
        columns = tuple(ColumnFact(v.member.column, _fact(v.value), _fact(v.typical)) for v in what.values)
        found[text] = Reason(
            text=text,
            group=same.group if same else groups[index].kind,
            columns=(*same.columns, *columns) if same else columns,
            contribution=_rounded((same.contribution if same else 0.0) + weight[index]),
        )
    return tuple(found.values()) or (Reason(_NOTHING, "none", (), 0.0),)


def _explanation(found: Contributions, row: int, reasons: tuple[Reason, ...]) -> Explanation:
    told = sum(reason.contribution for reason in reasons)
    return Explanation(
        method=found.method,
        base=_rounded(found.base[row]),
        margin=_rounded(found.margin[row]),
        reasons=reasons,
        rest=_rounded(found.groups[row].sum() - told),
        remainder=_rounded(found.remainder[row]),
    )


def _plain(value: Any) -> Any:
    """None for every kind of missing value."""
    return None if value is None or pd.isna(value) else value


def _fact(value: Any) -> float | str | None:
    """A value that JSON can hold, and that gives away no card number."""
    if value is None or isinstance(value, str):
        return None if value is None else safe_text(value)
    return float(value) if np.isfinite(value) else None


def _rounded(value: Any) -> float:
    # Adding zero makes a negative zero a zero.
    return round(float(value), _DIGITS) + 0.0
