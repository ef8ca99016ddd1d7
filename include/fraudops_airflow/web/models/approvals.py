"""Verdicts that wait for a person, and what has become of those that do not any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from fraudops.database import LedgerEntry, PromotionRecord, Verdict
from fraudops.errors import FraudopsError
from fraudops.portfolio import Portfolio, format_duration
from fraudops.roles import Roles
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops_airflow.web.access import Person
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import verdicts

WAITING, NOT_ASKED, DECLINED, OVERTAKEN, CARRIED_OUT = "waiting", "not asked", "declined", "overtaken", "carried out"
_ENTRIES = {"approval_asked": WAITING, "promotion_declined": DECLINED, "promotion_overtaken": OVERTAKEN}


@dataclass(frozen=True)
class Decision:
    """What there is to decide about a verdict PROMOTE, or what was decided.

    Attributes
    ----------
    run_id
        The verdict's: what ``promote`` is started with.
    author
        Who asked for the training run.
    approvers
        Who may answer.
    objection
        Why this person's answer would not count; None where it would.
    obstacle
        Why nobody can be asked.
    """

    portfolio: Portfolio
    run_id: str
    version: str
    candidate: str
    champion: str | None
    reason: str
    state: str
    since: datetime | None
    by: str | None
    said: str | None
    author: str | None = None
    approvers: tuple[str, ...] = ()
    objection: str | None = None
    obstacle: str | None = None

    @property
    def promote_run(self) -> str:
        """The run of ``promote`` that `train` and `reconcile` start for it."""
        return f"verdict__{self.run_id}"

    @property
    def deadline(self) -> str:
        """How long an answer is waited for, from the run's start."""
        return format_duration(self.portfolio.promotion.deadline)

    @property
    def is_mine(self) -> bool:
        """Whether the person who looks may answer."""
        return self.state == WAITING and self.objection is None and self.obstacle is None


def waiting(archive: Archive, session: Session, person: Person) -> list[Decision]:
    """Every verdict that somebody is asked about just now, the one that waits longest first."""
    found = []
    for portfolio in archive.portfolios.values():
        champion = session.scalar(
            select(PromotionRecord.model_id)
            .where(PromotionRecord.portfolio == portfolio.name)
            .order_by(PromotionRecord.id.desc())
            .limit(1)
        )
        open_ones = session.scalars(
            verdicts().where(
                Verdict.portfolio == portfolio.name,
                Verdict.outcome == "PROMOTE",
                Verdict.champion_id.is_(None) if champion is None else Verdict.champion_id == champion,
            )
        )
        found += [decision_on(session, portfolio, verdict, person) for verdict in open_ones]
    return sorted((one for one in found if one.state == WAITING), key=lambda one: str(one.since))


def decision_on(session: Session, portfolio: Portfolio, verdict: Verdict, person: Person) -> Decision:
    """What there is to decide about one verdict PROMOTE."""
    decision = _recorded(session, portfolio, verdict)
    if decision.state not in (WAITING, NOT_ASKED):
        return decision
    return _with_people(session, portfolio, decision, person)


def approvers_of(portfolio: Portfolio, roles: Roles) -> tuple[str, ...]:
    """Who may decide on the portfolio's champion; nobody where the configuration leaves nobody."""
    try:
        return tuple(approver.name for approver in roles.approvers(portfolio))
    except FraudopsError:
        return ()


# -- inside ---------------------------------------------------------------------------------------------


def _recorded(session: Session, portfolio: Portfolio, verdict: Verdict) -> Decision:
    record = session.scalar(select(PromotionRecord).where(PromotionRecord.verdict_id == verdict.id))
    entry = None if record else _newest(_entries(session, verdict), verdict.run_id)
    state, since, by, said = NOT_ASKED, None, None, None
    if record is not None:
        state, since, by, said = CARRIED_OUT, record.promoted_at, record.approved_by, record.reason
    elif entry is not None:
        state, since = _ENTRIES[entry.action], entry.at
        by, said = entry.details.get("declined_by"), entry.details.get("reason")
    return Decision(
        portfolio=portfolio,
        run_id=verdict.run_id,
        version=verdict.challenger.version,
        candidate=verdict.challenger.candidate,
        champion=verdict.champion.version if verdict.champion else None,
        reason=verdict.reason,
        state=state,
        since=since,
        by=by,
        said=said,
    )


def _entries(session: Session, verdict: Verdict) -> Iterable[LedgerEntry]:
    return session.scalars(
        select(LedgerEntry)
        .where(
            LedgerEntry.subject == f"{verdict.portfolio}/models/{verdict.challenger.version}",
            LedgerEntry.action.in_(_ENTRIES),
        )
        .order_by(LedgerEntry.number.desc())
    )


def _newest(entries: Iterable[LedgerEntry], run_id: str) -> LedgerEntry | None:
    return next((entry for entry in entries if entry.details.get("run_id") == run_id), None)


def _with_people(session: Session, portfolio: Portfolio, decision: Decision, person: Person) -> Decision:
    """Who may answer, this person included or not; and whether there is still something to answer."""
    # Imported here: the room brings the libraries that compare models, which a list does not need.
    from fraudops.registry.approval import question_of

    try:
        question = question_of(session, portfolio, person.everybody, run_id=decision.run_id)
    except FraudopsError as error:
        return replace(decision, obstacle=str(error))
    if question.overtaken:
        return replace(decision, state=OVERTAKEN, said=question.overtaken)
    return replace(
        decision,
        author=question.author,
        approvers=tuple(approver.name for approver in question.approvers),
        objection=question.objection(person.name),
    )
