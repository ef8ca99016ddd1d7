"""Whether the data came, when it was scored, and what of it could not be used."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fraudops.database.models import LedgerEntry
from fraudops.intake.partitions import failed_validation
from fraudops.intake.quarantine import Archive, of_partitions, reasons_of
from fraudops.monthly.days import Days
from fraudops.monthly.pack import Cell, Grid, Section
from fraudops.monthly.sections.basis import span
from fraudops.portfolio import Portfolio, format_duration
from fraudops.workspace import Workspace

_SCORED = "scored"
_MOST_REASONS = 25


def quality(ws: Workspace, session: Session, portfolio: Portfolio, days: Days) -> Section:
    """Partitions that are missing or came late, rows in quarantine by reason."""
    missing = days.missing
    stopped = [key for key in missing if _is_stopped(ws, portfolio, key)]
    late, in_time, before = _punctuality(session, portfolio, days)
    reasons, files = _quarantined(ws, portfolio, days)
    rows: list[tuple[Cell, ...]] = [
        ("expected", len(days.expected), span(days.expected)),
        ("published", len(days.keys), span(days.keys)),
        ("missing", len(missing), ", ".join(missing) or None),
        ("… stopped by validation", len(stopped), ", ".join(stopped) or None),
        ("scored", sum(map(len, days.versions.values())), None),
    ]
    if portfolio.timeliness is not None:
        within = format_duration(portfolio.timeliness.scored_within)
        rows += [
            (f"… in time (within {within})", len(in_time), None),
            ("… late", len(late), ", ".join(late) or None),
            ("… of before this installation", len(before), None),
        ]
    total = sum(reasons.values())
    commonest = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    shown: list[tuple[Cell, ...]] = [(reason, number) for reason, number in commonest[:_MOST_REASONS]]
    if len(commonest) > _MOST_REASONS:
        shown.append(("other reasons", sum(number for _, number in commonest[_MOST_REASONS:])))
    return Section(
        "quality",
        "Data quality",
        grids=(
            Grid(
                "partitions",
                "Partitions",
                ("Partitions", "Number", "Which"),
                tuple(rows),
                f"The store's partitions of {days.month.key}; the ledger's first entry that each was scored.",
                widths=(3, 1, 5),
            ),
            Grid(
                "quarantine",
                f"Rows in quarantine: {total:,}",
                ("Reason", "Rows"),
                tuple(shown),
                f"Lineage and quarantine of {span(days.keys)}, {files:,} files; rows whose time could not be read "
                "belong to no month.",
                "Every row could be used.",
                widths=(5, 1),
            ),
        ),
    )


# -- inside -------------------------------------------------------------------------------------------


def _is_stopped(ws: Workspace, portfolio: Portfolio, key: str) -> bool:
    staged = ws.store.staged("transactions", portfolio.name, key)
    return staged is not None and failed_validation(ws.store, portfolio.name, key, staged)


def _punctuality(session: Session, portfolio: Portfolio, days: Days) -> tuple[list[str], list[str], list[str]]:
    """Scored partitions that were late, in time, and over before the portfolio was set up here."""
    if portfolio.timeliness is None:
        return [], [], []
    since = session.scalar(select(func.min(LedgerEntry.at)).where(LedgerEntry.portfolio == portfolio.name))
    scored = sorted(key for keys in days.versions.values() for key in keys)
    subjects = {f"{portfolio.name}/scores/{key}": key for key in scored}
    found = session.execute(
        select(LedgerEntry.subject, func.min(LedgerEntry.at))
        .where(LedgerEntry.action == _SCORED, LedgerEntry.subject.in_(list(subjects)))
        .group_by(LedgerEntry.subject)
    )
    at: dict[str, datetime] = {subjects[subject]: first for subject, first in found}
    late, in_time, before = [], [], []
    for key in scored:
        end = portfolio.partitioning.end(key)
        if since is None or end <= since:
            before.append(key)
        elif key in at and at[key] <= end + portfolio.timeliness.scored_within:
            in_time.append(key)
        else:
            late.append(key)
    return late, in_time, before


def _quarantined(ws: Workspace, portfolio: Portfolio, days: Days) -> tuple[Counter[str], int]:
    """Reason → rows of the month's partitions in quarantine, and of how many files they are."""
    keys = set(days.keys)
    shas: set[str] = set()
    for key in days.keys:
        lineage = ws.store.manifest("lineage", portfolio.name, key)
        files = lineage.facts.get("files", {}) if lineage is not None else {}
        shas |= {sha for sha, facts in files.items() if facts["quarantined"]}
    reasons: Counter[str] = Counter()
    for sha in sorted(shas):
        reasons.update(reasons_of(of_partitions(Archive(ws.store, portfolio.name, sha).rows(), keys)))
    return reasons, len(shas)
