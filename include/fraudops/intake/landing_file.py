"""A file on its way into the store, and what is counted of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fraudops.intake.feeds import Feed
from fraudops.intake.merging import Duplicate, Kind
from fraudops.intake.quarantine import Archive, Rejects
from fraudops.intake.reading import Fingerprint
from fraudops.intake.versions import FileName

COUNTED = (Kind.REPEATED, Kind.CONFLICT)
"""What the lineage counts of a file, beside its accepted and its quarantined rows."""


@dataclass
class LandingFile:
    """A file being landed."""

    path: Path
    place: FileName
    feed: Feed
    config: str
    """Digest of the configuration that its rows depend on."""
    mark: Fingerprint
    archive: Archive
    rejects: Rejects
    rows: int = 0
    by_code: Counter[int] = field(default_factory=Counter)
    """Rows of each partition, usable or not."""
    accepted: dict[str, int] = field(default_factory=dict)
    """Accepted rows of each partition that was asked for."""
    kinds: dict[str, Counter[Kind]] = field(default_factory=dict)
    """What was the matter with the rows of a partition whose ids were taken."""
    duplicates: list[tuple[Duplicate, str]] = field(default_factory=list)
    """Rows whose ids were taken, each with its partition."""

    @property
    def name(self) -> str:
        """Its path below the landing folder."""
        return self.place.path

    @property
    def sha256(self) -> str:
        """Digest of its bytes."""
        return self.mark.sha256

    def begin(self, key: str, facts: Mapping[str, Any] | None) -> None:
        """Start counting in a partition, from what the lineage says where the file is in it already."""
        self.kinds[key] = Counter({kind: facts[kind] for kind in COUNTED} if facts else {})
        if facts:
            self.accepted[key] = facts["accepted"]

    def add_duplicate(self, item: Duplicate, key: str) -> None:
        """Take down a row of a partition whose id is taken."""
        self.duplicates.append((item, key))
        self.kinds[key][item.kind] += 1
