"""What happened in all trials, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.chaos.outcome import Difference, Outcome


@dataclass
class Tally:
    """Counts of faults and of what came of them."""

    kills: Counter[str] = field(default_factory=Counter)
    """By what was killed or broken."""
    lost: int = 0
    """Files, rows and mails that the twin has."""
    doubled: int = 0
    """Those that the twin has not."""
    different: int = 0
    """Files with other bytes."""
    left_over: int = 0
    repeated: int = 0
    """Mails delivered more than once, under one Message-ID."""
    survived: int = 0
    """Faults that the step did not notice."""
    interventions: int = 0
    """Runs of the stack that would have needed a person."""
    errors: Counter[str] = field(default_factory=Counter)
    """What the steps said when a disk was full or read-only."""

    def add(self, difference: Difference, outcome: Outcome) -> None:
        """Count one comparison."""
        self.lost += len(difference.lost)
        self.doubled += len(difference.doubled)
        self.different += len(difference.other)
        self.left_over += outcome.left_over
        self.repeated += sum(count - 1 for count in outcome.mails.values())

    @property
    def is_equal(self) -> bool:
        """Whether every outcome was the twin's."""
        return not (self.lost or self.doubled or self.different)

    @property
    def verdict(self) -> dict[str, int | bool]:
        """The line at the end."""
        return {"kills": self.kills.total(), "lost": self.lost, "doubled": self.doubled, "equal": self.is_equal}

    def lines(self) -> Iterator[str]:
        """For a person."""
        for error, count in self.errors.most_common():
            yield f"{count} times: {error}"
        yield f"kills: {', '.join(f'{kind} {count}' for kind, count in sorted(self.kills.items()))}"
        yield f"{self.survived} were not noticed; {self.different} files had other bytes"
        yield f"mails repeated under their Message-ID: {self.repeated}; temporary files left over: {self.left_over}"
        yield f"runs of the stack that needed a person: {self.interventions}"
