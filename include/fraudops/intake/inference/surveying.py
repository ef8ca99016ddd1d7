"""How many rows, frauds and hours a file covers: counted over the whole file where that takes seconds."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fraudops.intake.feeds import Feed
from fraudops.intake.inference.clocks import Clock
from fraudops.intake.inference.labelling import LabelFound
from fraudops.intake.inference.profiling import Style
from fraudops.intake.inference.sampling import Form, Sample
from fraudops.intake.mapping import Mapper
from fraudops.intake.reading import read_batches
from fraudops.portfolio import Column, Partitioning, Source

_LARGEST = 1 << 30
"""Bytes of text up to which a file is read to its end: some ten seconds."""
_HOUR = 3_600 * 10**6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Survey:
    """A file at a glance."""

    rows: int
    positives: int
    hours: tuple[tuple[int, int], ...]
    """Hours since 1970 that rows fall into, and how many; empty where there is no time."""
    counted: bool
    """Whether all rows were counted; otherwise the figures are estimates."""

    @property
    def first(self) -> datetime:
        """Beginning of the first hour."""
        return _EPOCH + timedelta(hours=self.hours[0][0])

    @property
    def last(self) -> datetime:
        """End of the last hour."""
        return _EPOCH + timedelta(hours=self.hours[-1][0] + 1)

    @property
    def days(self) -> float:
        """Days from the first hour to the last."""
        return (self.last - self.first) / timedelta(days=1)

    def rows_by_partition(self, hours: int) -> list[int]:
        """Rows of each partition that has any, in the order of time."""
        cut = Partitioning(hours)
        micros = np.array([hour for hour, _ in self.hours], np.int64) * _HOUR
        counts: Counter[int] = Counter()
        for number, (_, rows) in zip(cut.numbers(micros).tolist(), self.hours, strict=True):
            counts[number] += rows
        return [counts[number] for number in sorted(counts)]


def survey(
    path: Path,
    sample: Sample,
    source: dict[str, Any],
    clock: Clock | None,
    label: LabelFound | None,
    fraud: npt.NDArray[np.float64],
) -> Survey:
    """Count a file's rows, frauds and hours.

    Parameters
    ----------
    source
        Keys of the portfolio's source: how the file is written.
    fraud
        What the sample's rows were, see :func:`~fraudops.intake.inference.leaks.fraud_of`.
    """
    if not sample.whole and sample.size <= _LARGEST:
        return _counted(path, source, clock, label)
    positives = float(np.nansum(fraud))
    hours = _hours(clock.moments) if clock else Counter[int]()
    if sample.whole:
        return Survey(sample.rows, int(positives), tuple(sorted(hours.items())), True)
    scale = sample.total_rows / max(1, sample.rows)
    estimated = tuple((hour, round(rows * scale)) for hour, rows in sorted(hours.items()))
    return Survey(sample.total_rows, round(positives * scale), estimated, False)


def _counted(path: Path, source: dict[str, Any], clock: Clock | None, label: LabelFound | None) -> Survey:
    feed = _feed(source, clock, label)
    mapper = Mapper(feed, b"")
    rows, positives, hours = 0, 0, Counter[int]()
    for batch in read_batches(path, feed, []):
        mapped = mapper.map(batch)
        rows += len(batch.lines) + len(batch.broken)
        if label is not None:
            positives += mapped.rows["label"].to_numpy().astype(float).sum(where=~_missing(mapped.rows["label"]))
        if clock is not None:
            hours += _hours(mapped.rows["event_time"].cast("int64").to_numpy())
    return Survey(rows, int(positives), tuple(sorted(hours.items())), True)


def _missing(values: Any) -> npt.NDArray[np.bool_]:
    return values.is_null().to_numpy()


def _feed(source: dict[str, Any], clock: Clock | None, label: LabelFound | None) -> Feed:
    """A feed of time and label alone."""
    settings = clock.settings if clock else {"origin": _EPOCH, "rows_per_day": 10**6}
    columns = {"event_time": Column.model_validate({"role": "time", **settings})}
    names = {}
    if clock is not None and "parts" not in settings:
        names["event_time"] = clock.columns[0]
    if label is not None:
        columns["label"] = Column.model_validate(
            {"role": "label", "positive": label.positive, "negative": label.negative}
        )
        names["label"] = label.column
    content = {**source, "path": "*", "columns": names}
    return Feed("transactions", "draft", Source.model_validate(content), columns, partition_hours=1)


def _hours(micros: npt.NDArray[np.int64]) -> Counter[int]:
    found, counts = np.unique(micros // _HOUR, return_counts=True)
    return Counter(dict(zip(found.tolist(), counts.tolist(), strict=True)))


def form_of_source(form: Form, style: Style, markers: tuple[str, ...]) -> dict[str, Any]:
    """Keys of a source that say how its files are written, as far as they differ from the usual."""
    found: dict[str, Any] = {}
    if form.format == "parquet":
        found["format"] = "parquet"
    usual = Form("csv")
    for key in ("delimiter", "quote", "encoding"):
        if getattr(form, key) != getattr(usual, key):
            found[key] = getattr(form, key)
    if style.decimal != ".":
        found["decimal"] = style.decimal
    if style.thousands is not None:
        found["thousands"] = style.thousands
    if markers:
        found["missing"] = list(markers)
    return found
