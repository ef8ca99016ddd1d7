"""From rows, mappings of column to value, to the matrix that an estimator takes: preprocessing as plain lookups.

Numbers are computed by the very functions of :mod:`fraudops.training.numbers` and
:mod:`fraudops.training.preprocessing`, in the same order of operations. What a category becomes is asked of the
fitted encoders once, for each category that they know and for one that they do not, and kept in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder

from fraudops.features import ModelColumns
from fraudops.training.blending import SideBySide
from fraudops.training.frequencies import Frequencies
from fraudops.training.numbers import FilledNumbers, Numbers
from fraudops.training.preprocessing import MISSING, prepare

Row = Mapping[str, Any]
Matrix = NDArray[Any]
_UNSEEN = "(unseen)"


class NotCompilableError(Exception):
    """A step of the preprocessing is none that is known here."""


@dataclass(frozen=True, eq=False)
class CategoryTable:
    """What the categories of one column become.

    Attributes
    ----------
    rows
        Category → its row of ``values``; the last row is for a category that is not there.
    values
        Shape (categories + 1, columns of the matrix).
    start
        Its first column of the matrix; they lie side by side.
    """

    column: str
    rows: dict[Any, int]
    values: Matrix
    start: int

    def fill(self, matrix: Matrix, given: Sequence[Any]) -> None:
        """Write the columns of some rows."""
        rows = self.rows
        places = [rows[value] if value in rows else self._place(value) for value in given]
        stop = self.start + self.values.shape[1]
        matrix[:, self.start : stop] = self.values[places[0]] if len(places) == 1 else self.values[places]

    def _place(self, value: Any) -> int:
        """Of a value that is no known text: missing in one way or another, a number, or never seen."""
        text = value if isinstance(value, str) else MISSING if pd.isna(value) else str(value)
        return self.rows.get(text, len(self.values) - 1)


@dataclass(frozen=True, eq=False)
class NumberBlock:
    """What the numbers become.

    Attributes
    ----------
    kept, indicated
        Places among the model's numbers.
    medians
        For missing values; None where these stay.
    after
        What is done with them next, one after the other.
    """

    kept: NDArray[np.intp]
    indicated: NDArray[np.intp]
    medians: NDArray[np.float32] | None
    after: tuple[Callable[[Matrix], Matrix], ...]
    start: int

    @property
    def width(self) -> int:
        """How many columns of the matrix they are."""
        return len(self.kept) + len(self.indicated)

    def fill(self, matrix: Matrix, numbers: NDArray[np.float32], missing: NDArray[np.bool_]) -> None:
        """Write the columns of some rows.

        Parameters
        ----------
        numbers, missing
            Of all numbers of the model. Shape (n, numbers).
        """
        found = numbers.take(self.kept, axis=1)
        if self.medians is not None:
            found = np.where(missing.take(self.kept, axis=1), self.medians, found)
            if len(self.indicated):
                found = np.concatenate([found, missing.take(self.indicated, axis=1).astype(np.float32)], axis=1)
        for step in self.after:
            found = step(found)
        matrix[:, self.start : self.start + self.width] = found


@dataclass(frozen=True, eq=False)
class RowReader:
    """Makes matrices of rows; equal to :meth:`fraudops.training.model.FraudModel.matrix` of a frame of them."""

    columns: ModelColumns
    width: int
    dtype: np.dtype[Any]
    numbers: tuple[NumberBlock, ...]
    categories: tuple[CategoryTable, ...]
    read_numbers: Callable[[Row], Any] | None
    unread: tuple[str, ...]

    def matrix(self, rows: Sequence[Row]) -> Matrix:
        """What the estimator is given for these rows. Shape (n, width).

        Raises
        ------
        ContractError
            A column is absent, or a number is none.
        """
        try:
            return self._filled(self._numbers(rows), rows)
        except (KeyError, TypeError, ValueError):
            # A value that is none of the usual ones: what it means, or what is wrong with it, is known there.
            prepared = prepare(pd.DataFrame(list(rows)), self.columns)
            texts: list[Row] = [
                dict(zip(self.columns.categorical, values, strict=True))
                for values in zip(*(prepared[name] for name in self.columns.categorical), strict=True)
            ] or [{}] * len(rows)
            return self._filled(prepared[list(self.columns.numeric)].to_numpy(np.float32), texts)

    def _numbers(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        if self.read_numbers is None:
            return np.empty((len(rows), 0), np.float32)
        given = np.array([self.read_numbers(row) for row in rows], dtype=np.float64).reshape(len(rows), -1)
        with np.errstate(over="ignore"):
            return given.astype(np.float32)

    def _filled(self, numbers: NDArray[np.float32], rows: Sequence[Row]) -> Matrix:
        missing = ~np.isfinite(numbers)
        numbers[missing] = np.nan
        matrix = np.empty((len(rows), self.width), self.dtype)
        for block in self.numbers:
            block.fill(matrix, numbers, missing)
        for table in self.categories:
            table.fill(matrix, [row[table.column] for row in rows])
        for name in self.unread:
            # One that the model learned to say nothing has to be there as well, as in a frame.
            if name not in rows[0]:
                raise KeyError(name)
        return matrix


def compile_rows(transform: ColumnTransformer | SideBySide, columns: ModelColumns) -> RowReader:
    """A fitted preprocessing, as lookups.

    Raises
    ------
    NotCompilableError
        One of its steps is not known here.
    """
    parts = transform.parts if isinstance(transform, SideBySide) else (transform,)
    numbers: list[NumberBlock] = []
    categories: list[CategoryTable] = []
    width = 0
    for part in parts:
        for name, step, names in part.transformers_:
            if not len(names) or step == "drop":
                continue
            if name == "numbers":
                numbers.append(_number_block(step, columns, width))
                width += numbers[-1].width
            elif name in ("categories", "rates", "frequencies"):
                tables = _tables(step, list(names), width)
                categories += tables
                width += sum(table.values.shape[1] for table in tables)
            else:
                raise NotCompilableError(name)
    dtypes = [table.values.dtype for table in categories]
    dtypes += [np.dtype(np.float64 if block.after else np.float32) for block in numbers]
    return RowReader(
        columns,
        width,
        np.result_type(*dtypes),
        tuple(numbers),
        tuple(categories),
        itemgetter(*columns.numeric) if columns.numeric else None,
        tuple(sorted(set(columns.categorical) - {table.column for table in categories})),
    )


# -- numbers --------------------------------------------------------------------------------------------------


def _number_block(step: Any, columns: ModelColumns, start: int) -> NumberBlock:
    first, *others = [fitted for _, fitted in step.steps] if isinstance(step, Pipeline) else [step]
    if type(first) not in (Numbers, FilledNumbers):
        raise NotCompilableError(type(first).__name__)
    place = {name: number for number, name in enumerate(columns.numeric)}
    filled = isinstance(first, FilledNumbers)
    return NumberBlock(
        kept=np.array([place[name] for name in first.kept_], np.intp),
        indicated=np.array([place[name] for name in first.indicated_] if filled else [], np.intp),
        medians=first.medians_ if filled else None,
        after=tuple(_function(other) for other in others),
        start=start,
    )


def _function(step: Any) -> Callable[[Matrix], Matrix]:
    if isinstance(step, FunctionTransformer) and step.func is not None and not step.kw_args:
        function: Callable[[Matrix], Matrix] = step.func
        return function
    if isinstance(step, StandardScaler) and step.with_mean and step.with_std:
        mean, scale = step.mean_, step.scale_
        return lambda values: (values - mean) / scale
    raise NotCompilableError(type(step).__name__)


# -- categories -----------------------------------------------------------------------------------------------


def _tables(step: Any, names: list[str], start: int) -> list[CategoryTable]:
    """Tables of the columns of an encoder, which encodes each by itself."""
    encoder = step[0] if isinstance(step, Pipeline) else step
    known = [_known(encoder, place, name) for place, name in enumerate(names)]
    longest = max(len(texts) for texts in known) + 1
    given = {
        name: np.array([*texts, *[_unseen(texts)] * (longest - len(texts))], dtype=object)
        for name, texts in zip(names, known, strict=True)
    }
    values = np.asarray(step.transform(pd.DataFrame(given)))
    found, at = [], 0
    for place, (name, texts) in enumerate(zip(names, known, strict=True)):
        stop = at + _width(encoder, place)
        rows: dict[Any, int] = {text: row for row, text in enumerate(texts)}
        rows[None] = rows.get(MISSING, len(texts))
        found.append(CategoryTable(name, rows, np.array(values[: len(texts) + 1, at:stop]), start + at))
        at = stop
    if at != values.shape[1]:
        raise NotCompilableError(type(encoder).__name__)
    return found


def _known(encoder: Any, place: int, name: str) -> list[str]:
    if isinstance(encoder, Frequencies):
        return [str(text) for text in encoder.counts_[name]]
    if isinstance(encoder, (OneHotEncoder, TargetEncoder)):
        return [str(text) for text in encoder.categories_[place]]
    raise NotCompilableError(type(encoder).__name__)


def _width(encoder: Any, place: int) -> int:
    if not isinstance(encoder, OneHotEncoder):
        return 1
    known, rare = encoder.categories_[place], encoder.infrequent_categories_[place]
    return len(known) if rare is None else len(known) - len(rare) + 1


def _unseen(texts: Sequence[str]) -> str:
    """A text that is not among these."""
    text = _UNSEEN
    while text in texts:
        text += "'"
    return text
