"""What the data set of a training run holds, in a few numbers, and what it was made from: ``dataset.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fraudops import __version__
from fraudops.features import ModelColumns
from fraudops.labels.origins import LabelOrigins
from fraudops.store import canonical_json, sha256_of


@dataclass(frozen=True)
class SliceSummary:
    """What one slice holds; ``days`` is the time it covers, for the alert budget."""

    rows: int
    positives: int
    first: str | None
    last: str | None
    days: float


@dataclass(frozen=True)
class DatasetSummary:
    """What a data set holds and what it was made from.

    Attributes
    ----------
    as_of
        What was known at this moment was used, nothing later.
    promotable
        False for a random split: its numbers are for comparison with publications only.
    columns
        The model's columns.
    slices
        ``train``, ``gap``, ``validation``, ``test``.
    immature
        Rows of the window left out because it was not known yet whether they were fraud.
    withheld
        Rows left out because what was decided keeps their label from becoming known; see
        :mod:`fraudops.labels.selective`. The others of their kind stand for them.
    validation_from, test_from
        Boundaries of a split by time.
    trained_until
        No row at or after this moment is in any slice.
    inputs
        Digest of every partition that was read.
    sha256
        Of ``dataset.parquet``.
    labels
        Which feeds said the labels of the rows, and how many of these had been said otherwise before.
    """

    portfolio: str
    run_id: str
    as_of: datetime
    window: timedelta
    split: str
    promotable: bool
    seed: int
    delay: timedelta
    columns: ModelColumns
    slices: dict[str, SliceSummary]
    immature: int
    validation_from: datetime | None
    test_from: datetime | None
    trained_until: datetime
    first_key: str
    last_key: str
    inputs: dict[str, str]
    config: str
    sha256: str
    withheld: int = 0
    labels: LabelOrigins = field(default_factory=LabelOrigins)

    def to_dict(self) -> dict[str, Any]:
        """The small part, for XCom and pages: without the digest of each input."""
        content = self._content()
        content["inputs"] = {
            "partitions": len(self.inputs),
            "digest": sha256_of(canonical_json(self.inputs)),
        }
        return content

    def to_bytes(self) -> bytes:
        """All of it, as ``dataset.json``."""
        return canonical_json({**self._content(), "code": __version__}) + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes) -> DatasetSummary:
        """Read ``dataset.json``."""
        found = json.loads(content)
        found.pop("code")
        for name in ("as_of", "trained_until", "validation_from", "test_from"):
            found[name] = datetime.fromisoformat(found[name]) if found[name] else None
        for name in ("window", "delay"):
            found[name] = timedelta(seconds=found[name])
        columns, labels = found.pop("columns"), found.pop("labels", {})
        return cls(
            **{**found, "slices": {name: SliceSummary(**held) for name, held in found["slices"].items()}},
            columns=ModelColumns(tuple(columns["numeric"]), tuple(columns["categorical"])),
            labels=LabelOrigins(**labels),
        )

    def _content(self) -> dict[str, Any]:
        content = asdict(self)
        for name in ("as_of", "trained_until", "validation_from", "test_from"):
            content[name] = content[name].isoformat() if content[name] else None
        for name in ("window", "delay"):
            content[name] = content[name].total_seconds()
        content["columns"] = {"numeric": list(self.columns.numeric), "categorical": list(self.columns.categorical)}
        return content
