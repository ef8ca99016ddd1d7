"""Who was champion from when on, and on whose word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fraudops.database import PromotionRecord
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import history
from sqlalchemy.orm import Session

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import Figure, average_precision

WIDTH = 1000.0
_LEAST = 12.0


@dataclass(frozen=True)
class Reign:
    """A stretch of time with one champion; positions are thousandths of the strip's width."""

    version: str
    candidate: str
    run_id: str
    kind: str
    approved_by: str
    reason: str
    promoted_at: datetime
    ledger_number: int
    begins: datetime
    ends: datetime | None
    """None: it is the champion."""
    average_precision: Figure | None
    left: float
    width: float


def reigns(archive: Archive, session: Session, portfolio: Portfolio) -> tuple[Reign, ...]:
    """The champions of a portfolio, the first one first."""
    records = list(reversed(history(session, portfolio.name)))
    if not records:
        return ()
    scored = archive.store.keys("scores", portfolio.name)
    starts = [record.effective_from for record in records]
    first, last = starts[0], max([*starts, *([portfolio.partitioning.end(scored[-1])] if scored else [])])
    ends: list[datetime | None] = [*starts[1:], None]
    span = (last - first).total_seconds() or 1.0

    def place(moment: datetime) -> float:
        return min(max((moment - first).total_seconds() / span, 0.0), 1.0) * (WIDTH - _LEAST)

    return tuple(
        _reign(record, end, place(record.effective_from), place(end or last))
        for record, end in zip(records, ends, strict=True)
    )


def _reign(record: PromotionRecord, end: datetime | None, left: float, right: float) -> Reign:
    model = record.model
    return Reign(
        version=model.version,
        candidate=model.candidate,
        run_id=model.run_id,
        kind=record.kind,
        approved_by=record.approved_by,
        reason=record.reason,
        promoted_at=record.promoted_at,
        ledger_number=record.ledger_number,
        begins=record.effective_from,
        ends=end,
        average_precision=average_precision(model.metrics),
        left=round(left, 1),
        width=round(max(right - left, _LEAST), 1),
    )
