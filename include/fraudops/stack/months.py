"""Which month the demo reports."""

from __future__ import annotations

from datetime import UTC, datetime

from fraudops.portfolio import Portfolio
from fraudops.settings import Settings
from fraudops.workspace import Workspace


def newest_month(ws: Workspace, portfolio: Portfolio) -> str | None:
    """The newest month that is complete and has no pack; None where there is none."""
    from fraudops.monthly.completeness import due_packs

    due = due_packs(ws, portfolio, Settings.from_environment().rules, now=datetime.now(UTC))
    complete = [item.month.key for item in due if not item.incomplete]
    return complete[-1] if complete else None
