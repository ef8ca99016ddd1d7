"""What a landing did, in numbers and sentences."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from fraudops.intake.changes import PartitionChange

_SHOWN_CHANGES = 100


@dataclass(frozen=True)
class FileResult:
    """What became of one file's rows."""

    name: str
    feed: str
    sha256: str
    rows: int
    accepted: int
    quarantined: int
    elsewhere: int
    """Rows of partitions that were not asked for."""
    repeated: int = 0
    """Those of the quarantined with which nothing is wrong: another file says the same, or a later row replaced
    them. Validation does not hold them against a partition."""


@dataclass(frozen=True)
class LandResult:
    """What a landing did; the counts are those of the files, whether they were new or known."""

    keys: list[str]
    """Partitions of transactions that the files have rows in, among those asked for."""
    changed_keys: list[str]
    """Those with other rows than before; they are staged and wait for validation."""
    label_keys: list[str]
    """Partitions in which reports of fraud arrived."""
    reference_keys: list[str]
    """Partitions in which customers, watch lists, holidays or rates arrived."""
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_elsewhere: int
    files: list[FileResult]
    reasons: dict[str, int]
    """Why rows were quarantined, the most frequent reasons first."""
    notes: list[str] = field(default_factory=list)
    changes: list[PartitionChange] = field(default_factory=list)
    """What waits to be published in place of other rows, by partition; a partition that is new is not in it."""

    @property
    def rows_repeated(self) -> int:
        """Rows of all files that say what is stored, or that a later row replaced."""
        return sum(item.repeated for item in self.files)

    def and_then(self, then: LandResult) -> LandResult:
        """This landing and a later one as one."""
        return LandResult(
            keys=sorted({*self.keys, *then.keys}),
            changed_keys=sorted({*self.changed_keys, *then.changed_keys}),
            label_keys=sorted({*self.label_keys, *then.label_keys}),
            reference_keys=sorted({*self.reference_keys, *then.reference_keys}),
            rows_read=self.rows_read + then.rows_read,
            rows_accepted=self.rows_accepted + then.rows_accepted,
            rows_quarantined=self.rows_quarantined + then.rows_quarantined,
            rows_elsewhere=self.rows_elsewhere + then.rows_elsewhere,
            files=[*self.files, *then.files],
            reasons=dict((Counter(self.reasons) + Counter(then.reasons)).most_common()),
            notes=[*self.notes, *then.notes],
            # Of a partition that both changed the later one says all: it compares with what is published.
            changes=list({change.key: change for change in [*self.changes, *then.changes]}.values()),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, small, without anything confidential; of many changes the first."""
        found = dict(vars(self))
        return {
            **found,
            "files": [dict(vars(item)) for item in self.files],
            "rows_repeated": self.rows_repeated,
            "changes": [item.to_dict() for item in self.changes[:_SHOWN_CHANGES]],
            "changes_in": len(self.changes),
        }
