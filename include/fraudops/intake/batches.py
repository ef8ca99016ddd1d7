"""Some rows of a file, whatever format it has."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fraudops.intake.feeds import Feed
from fraudops.intake.records import Broken


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, by :attr:`Feed.fields`: text from CSV, the file's own types from Parquet."""

    columns: dict[str, pa.Array]
    lines: npt.NDArray[np.int64]
    broken: list[Broken] = field(default_factory=list)
    undecodable: bool = False
    """Whether :data:`~fraudops.intake.opening.UNDECODABLE` may stand in a value."""
    nul: bool = False
    """Whether a NUL may stand in a value."""


def filled(columns: dict[str, pa.Array], feed: Feed, rows: int) -> dict[str, pa.Array]:
    """The fields in the feed's order; one that the file may lack is null."""
    return {name: columns.get(name, pa.nulls(rows, pa.string())) for name in feed.fields}
