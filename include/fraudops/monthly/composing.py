"""Puts a month's pack together: reads the store and the database once, and says the most important first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from fraudops.monthly.days import BLOCK, FRAUD, REVIEW, Days, read_days
from fraudops.monthly.month import Month, edition_of
from fraudops.monthly.pack import Cell, Pack, Section
from fraudops.monthly.sections import alerts, conduct, models, quality, rules, volumes
from fraudops.monthly.sections.basis import moment, span
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest
from fraudops.workspace import Workspace


def compose(
    ws: Workspace,
    portfolio: Portfolio,
    month: Month,
    as_of: datetime,
    rules_folder: Path,
) -> Pack:
    """All that is known of a month at a moment.

    Raises
    ------
    IntegrityError
        A partition's data was altered.
    """
    days = read_days(ws, portfolio, month, as_of)
    before = read_days(ws, portfolio, month.before, as_of)
    with ws.transaction() as session:
        sections, used = _sections(ws, session, portfolio, days, before, rules_folder)
    return Pack(
        portfolio=portfolio.name,
        title=portfolio.title,
        month=month.key,
        edition=edition_of(as_of),
        as_of=as_of.isoformat(),
        restated=as_of != month.as_of(portfolio.partitioning),
        headline=_headline(days, sections),
        remarks=tuple(_remarks(portfolio, days)),
        sections=tuple(sections),
        made_from={f"{m.dataset}/{m.key}": m.data_digest for m in (*days.manifests, *before.manifests, *used)},
    )


# -- inside -------------------------------------------------------------------------------------------


def _sections(
    ws: Workspace,
    session: Session,
    portfolio: Portfolio,
    days: Days,
    before: Days,
    folder: Path,
) -> tuple[list[Section], list[Manifest]]:
    of_models, outcomes = models.models(ws, session, portfolio, days)
    of_drift, looks = models.drift(ws, portfolio, days)
    of_rules, hits = rules.rules(ws, session, portfolio, days, folder)
    sections = [
        volumes.volumes(portfolio, days),
        volumes.fraud(portfolio, days, before),
        alerts.alerts(portfolio, days),
        of_models,
        models.governance(session, portfolio, days),
        of_drift,
        of_rules,
        conduct.conduct(days.month, *conduct.counts_of(session, portfolio, days.month)),
        rules.payment_fraud_rates(ws, portfolio, days, folder),
        quality.quality(ws, session, portfolio, days),
    ]
    return [section for section in sections if section is not None], [*outcomes, *looks, *hits]


def _headline(days: Days, sections: Iterable[Section]) -> dict[str, Cell]:
    whole = days.added_up()
    by_id = {section.id: section for section in sections}
    return {
        "Transactions": whole.total().number,
        "Fraud, of what has matured": volumes.headline_rate(days),
        "Alerts": whole.total(decisions=(REVIEW, BLOCK)).number if days.versions else None,
        "Precision of alerts": alerts.precision(whole) if days.versions else None,
        "Frauds found": alerts.recall(whole) if days.versions else None,
        "Drift, at its worst": models.worst_status(by_id["drift"]),
        "Partitions": f"{len(days.keys)} of {len(days.expected)}",
    }


def _remarks(portfolio: Portfolio, days: Days) -> Iterable[str]:
    if days.missing:
        yield f"{len(days.missing)} of {len(days.expected)} partitions are missing: {', '.join(days.missing)}."
    unscored = [day.key for day in days.days if day.version is None]
    if unscored:
        yield f"Not scored, so without alerts: {span(unscored)}."
    whole = days.added_up()
    due = whole.total().number - whole.total(outcome="not matured").number
    if whole.total().number and due < whole.total().number:
        last = max((day.key for day in days.days if _is_due(portfolio, day.key, days.as_of)), default=None)
        until = f"labels have matured up to {last}" if last else "no label has matured yet"
        yield (
            f"As of {moment(days.as_of)}: {until}. Rates rest on {due / whole.total().number:.0%} of the month's "
            "transactions; a restated edition of a later moment will know the rest."
        )
    elif whole.total().number:
        yield f"As of {moment(days.as_of)}: all labels of the month have matured."
    if whole.total(outcome=FRAUD, decisions=(BLOCK,)).number and portfolio.labels.blocked == "unlabelled":
        yield "What was really blocked yields no label here."


def _is_due(portfolio: Portfolio, key: str, as_of: datetime) -> bool:
    return portfolio.partitioning.end(key) + portfolio.labels.delay <= as_of
