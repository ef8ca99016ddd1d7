"""What is counted in a partition's columns in order to check it; nulls are left out of all of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def repeated(ids: pa.ChunkedArray) -> int:
    """Rows whose id another row has as well."""
    if pc.count_distinct(ids, mode="only_valid").as_py() == len(ids) - ids.null_count:
        return 0
    counts = pc.value_counts(ids.drop_null()).field("counts")
    return int(pc.sum(counts.filter(pc.greater(counts, 1))).as_py())


def outside_period(times: pa.ChunkedArray, start: datetime, end: datetime) -> int:
    """Rows before ``start``, or at ``end`` or after it."""
    first, last = pa.scalar(start, times.type), pa.scalar(end, times.type)
    return _count(pc.or_(pc.less(times, first), pc.greater_equal(times, last)))


def outside(values: pa.ChunkedArray, least: float | None, most: float | None) -> int:
    """Rows below ``least`` or above ``most``; None bounds nothing."""
    below = 0 if least is None else _count(pc.less(values, least))
    above = 0 if most is None else _count(pc.greater(values, most))
    return below + above


def mean_and_error(values: pa.ChunkedArray) -> tuple[float, float]:
    """Mean and its standard error; amounts have few but huge values, and where one of them is among the rows the
    error is large.
    """
    numbers = values.drop_null().to_numpy()
    if not len(numbers):
        return math.nan, 0.0
    return float(np.mean(numbers)), float(np.std(numbers)) / math.sqrt(len(numbers))


def others(values: pa.ChunkedArray, known: Sequence[str]) -> float:
    """Share of the values that are none of the known ones; 0 where there is no value."""
    there = len(values) - values.null_count
    if not there:
        return 0.0
    return 1 - _count(pc.is_in(values, pa.array(known, values.type), skip_nulls=True)) / there


def _count(found: pa.ChunkedArray) -> int:
    return int(pc.sum(found).as_py() or 0)
