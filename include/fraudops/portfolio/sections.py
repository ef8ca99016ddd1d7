"""What could be read of a portfolio's file, section by section."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fraudops.portfolio.behaviour import EntityFeatures
from fraudops.portfolio.cases import Cases
from fraudops.portfolio.columns import Column, Role
from fraudops.portfolio.compliance import Compliance
from fraudops.portfolio.evidence import Fairness
from fraudops.portfolio.labels import Labels
from fraudops.portfolio.notices import Notices
from fraudops.portfolio.policy import Policy
from fraudops.portfolio.promotion import Promotion
from fraudops.portfolio.retention import Retention
from fraudops.portfolio.serving import Serving
from fraudops.portfolio.sources import Source
from fraudops.portfolio.training import Training
from fraudops.portfolio.validation import Validation


@dataclass(frozen=True)
class Sections:
    """What could be read of a portfolio; None for a section that could not."""

    columns: Mapping[str, Column]
    transactions: tuple[Source, ...]
    unreadable: frozenset[str] | None = frozenset()
    """Names of columns of which not even the role could be read; None where no column could."""
    labels: Labels | None = None
    calendar: tuple[str, ...] = ()
    behaviour: tuple[tuple[int, EntityFeatures], ...] = ()
    """Groups of features, with their places in the list."""
    exclude: tuple[str, ...] = ()
    validation: Validation | None = None
    training: Training | None = None
    policy: Policy | None = None
    promotion: Promotion | None = None
    notices: Notices | None = None
    fairness: Fairness | None = None
    retention: Retention | None = None
    compliance: Compliance | None = None
    cases: Cases | None = None
    serving: Serving | None = None
    currency: str | None = None
    start: datetime | None = None
    end: datetime | None = None

    @property
    def all_columns(self) -> bool:
        """Whether every column's role is known: only then is something known not to be there."""
        return self.unreadable is not None and not self.unreadable

    @property
    def names(self) -> set[str] | None:
        """Names of all columns; None where they could not be read."""
        return None if self.unreadable is None else {*self.columns, *self.unreadable}

    def named(self, *roles: Role) -> list[str]:
        """Names of the columns with one of these roles."""
        return [name for name, column in self.columns.items() if column.role in roles]
