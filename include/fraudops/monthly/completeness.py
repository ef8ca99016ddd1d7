"""Whether a month can be reported: its partitions are there, scored, monitored, and looked through by the rules."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from fraudops.database.models import LedgerEntry
from fraudops.decisions.succession import Succession
from fraudops.monitoring.looks import Desk
from fraudops.monitoring.watch import unmonitored
from fraudops.monthly.month import Month, folder_of, partitions_of
from fraudops.portfolio import Portfolio
from fraudops.rules.registry import read_rules
from fraudops.rules.running import undone
from fraudops.workspace import Workspace

REPORTED = "monthly_pack"
"""Action of the ledger's entry for an edition."""


@dataclass(frozen=True)
class Undone:
    """What of a month still has to happen: partitions that are not published, not scored, not monitored, not
    looked through by the rules."""

    missing: tuple[str, ...]
    unscored: tuple[str, ...]
    unmonitored: tuple[str, ...]
    unruled: tuple[str, ...]

    def __bool__(self) -> bool:
        return any((self.missing, self.unscored, self.unmonitored, self.unruled))

    @property
    def sentence(self) -> str:
        """In words."""
        parts = [
            f"{words}: {', '.join(keys[:5])}{f' and {len(keys) - 5} more' if len(keys) > 5 else ''}"
            for words, keys in (
                ("not published", self.missing),
                ("not scored", self.unscored),
                ("not monitored", self.unmonitored),
                ("rules not run", self.unruled),
            )
            if keys
        ]
        return "; ".join(parts) or "nothing is missing"


@dataclass(frozen=True)
class Due:
    """A month that has no pack and should have one; ``incomplete``: it has waited long enough for what is missing."""

    month: Month
    incomplete: bool


def undone_of(ws: Workspace, portfolio: Portfolio, month: Month, rules_folder: Path) -> Undone:
    """What of a month still has to happen before it can be reported."""
    expected = partitions_of(portfolio, month)
    published = set(ws.store.keys("transactions", portfolio.name))
    scored = set(ws.store.keys("scores", portfolio.name))
    with ws.transaction() as session:
        succession = Succession.read(session, portfolio)
    there = [key for key in expected if key in published]
    wanting = [key for key in there if key not in scored and succession.model_for(key) != "history"]
    unseen = set(_watchable(ws, portfolio, scored.intersection(there)))
    rules = read_rules(rules_folder) if portfolio.compliance is not None else {}
    unruled = undone(ws, portfolio, rules, keys=there) if rules else []
    return Undone(
        missing=tuple(key for key in expected if key not in published),
        unscored=tuple(wanting),
        unmonitored=tuple(key for key in there if key in unseen),
        unruled=tuple(unruled),
    )


def due_packs(ws: Workspace, portfolio: Portfolio, rules_folder: Path, *, now: datetime) -> list[Due]:
    """Months that are over, in which something was scored, and of which there is no pack yet.

    Parameters
    ----------
    now
        The present: a month that is incomplete waits until ``monthly.wait`` after its end.
    """
    if not portfolio.monthly.enabled:
        return []
    partitioning = portfolio.partitioning
    months = sorted({Month.of(partitioning.start(key)) for key in ws.store.keys("scores", portfolio.name)})
    reported = _reported(ws, portfolio)
    waiting = [m for m in months if m.as_of(partitioning) <= now and _first_edition(portfolio, m) not in reported]
    found = []
    for month in waiting:
        waited = now >= month.as_of(partitioning) + portfolio.monthly.wait
        is_undone = bool(undone_of(ws, portfolio, month, rules_folder))
        if waited or not is_undone:
            found.append(Due(month, incomplete=is_undone))
    return found


def subject_of(portfolio: Portfolio, folder: str) -> str:
    """What the ledger calls an edition."""
    return f"{portfolio.name}/packs/{folder}"


# -- inside -------------------------------------------------------------------------------------------


def _watchable(ws: Workspace, portfolio: Portfolio, scored: Set[str]) -> Iterator[str]:
    """Partitions that monitoring has not looked at and can: there is something left to compare them with."""
    desk = Desk(ws, portfolio)
    with ws.transaction() as session:
        for key in unmonitored(ws, portfolio, keys=scored):
            manifest = desk.manifest("scores", key)
            if manifest is not None and desk.reference(session, manifest.facts["model_version"]) is not None:
                yield key


def _first_edition(portfolio: Portfolio, month: Month) -> str:
    return subject_of(portfolio, folder_of(month, month.as_of(portfolio.partitioning)))


def _reported(ws: Workspace, portfolio: Portfolio) -> set[str]:
    """Every edition that was made, as the ledger calls it."""
    query = select(LedgerEntry.subject).where(LedgerEntry.action == REPORTED, LedgerEntry.portfolio == portfolio.name)
    with ws.transaction() as session:
        return set(session.scalars(query))
