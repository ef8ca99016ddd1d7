"""What a landing changes in a partition that people have seen: rows added, changed and removed, by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.merging import FILE, same_values

_ID = "transaction_id"


@dataclass(frozen=True)
class FileChange:
    """Rows that one file added and changed, or of which a version that gave way takes its rows with it."""

    file: str
    added: int = 0
    changed: int = 0
    removed: int = 0


@dataclass(frozen=True)
class PartitionChange:
    """How the rows of a partition differ from those that are published.

    A row is told by its id. Without ids a changed row is one that was removed and one that was added.
    """

    key: str
    before: str
    """Digest of the data that is published."""
    after: str
    files: tuple[FileChange, ...]

    @property
    def added(self) -> int:
        """Rows that were not there."""
        return sum(item.added for item in self.files)

    @property
    def changed(self) -> int:
        """Rows with other values."""
        return sum(item.changed for item in self.files)

    @property
    def removed(self) -> int:
        """Rows that are there no more."""
        return sum(item.removed for item in self.files)

    @property
    def counts(self) -> dict[str, int]:
        """The three numbers."""
        return {"added": self.added, "changed": self.changed, "removed": self.removed}

    def __str__(self) -> str:
        """A sentence for a log."""
        files = "; ".join(f"{item.file}: {_in_words(item)}" for item in self.files)
        return f"{self.key}: {self.added} rows added, {self.changed} changed, {self.removed} removed ({files})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        return asdict(self) | {"files": [asdict(item) for item in self.files]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> PartitionChange:
        """Read what :meth:`to_dict` wrote."""
        return cls(**{**content, "files": tuple(FileChange(**item) for item in content["files"])})


def compare(before: pa.Table, after: pa.Table, content: pa.Schema) -> tuple[FileChange, ...]:
    """Differences between the rows of a partition, the files in the order of their names.

    Parameters
    ----------
    before, after
        ``transaction_id``, the content, and the column that names the file of each row.
    content
        What of a row is compared.
    """
    places = pc.index_in(before[_ID], after[_ID])
    stayed = pc.is_valid(places)
    kept_before, kept_after = before.filter(stayed), after.take(places.drop_null())
    differing = np.ones(kept_after.num_rows, bool)
    if set(content.names) <= set(before.schema.names):
        differing = ~same_values(kept_before, kept_after, content.names)
    counts = {
        "added": _by_file(after.filter(pc.invert(pc.is_in(after[_ID], before[_ID])))),
        "changed": _by_file(kept_after.filter(pa.array(differing))),
        "removed": _by_file(before.filter(pc.invert(stayed))),
    }
    names = sorted({name for found in counts.values() for name in found})
    return tuple(FileChange(name, **{kind: found[name] for kind, found in counts.items()}) for name in names)


def _by_file(rows: pa.Table) -> Counter[str]:
    return Counter({item["values"]: item["counts"] for item in rows[FILE].value_counts().to_pylist()})


def _in_words(change: FileChange) -> str:
    counts = {"added": change.added, "changed": change.changed, "removed": change.removed}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
