"""Who may answer whether a challenger becomes champion, and whether an answer counts.

The question goes to the portfolio's approvers without whoever asked for the training run: nobody approves their own
work. Airflow itself turns everybody else away; an answer that comes nevertheless (a role was taken away while the
question was open, an Airflow that checks nobody) does not count, is recorded, and leaves the question open. Whenever
it cannot be told who may answer, nobody may.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops.database import LedgerEntry, Verdict
from fraudops.errors import ConflictError, ContractError
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import verdict_of
from fraudops.registry.promotion import PromotionSummary, require_open, rollback
from fraudops.registry.requests import is_same_person, requested_by
from fraudops.roles import Approver, Roles
from fraudops.workspace import Workspace

ASKED, ANSWER_REFUSED, ROLLBACK_REFUSED = "approval_asked", "approval_refused", "rollback_refused"


@dataclass(frozen=True)
class Question:
    """What is put before the approvers of a verdict.

    Attributes
    ----------
    author
        Who asked for the training run: a user's name, or ``service:<workflow>`` where its schedule did.
    approvers
        Who may answer; never the author.
    overtaken
        Why there is nothing to answer any more, where that is so: the verdict has been carried out, or the champion
        has changed since.
    """

    verdict: Verdict
    author: str
    approvers: tuple[Approver, ...]
    overtaken: str | None = None

    @property
    def left_out(self) -> str | None:
        """The author, where a person is."""
        return None if self.author.startswith("service:") else self.author

    def objection(self, user: str) -> str | None:
        """Why an answer of this user does not count; None where it does."""
        if is_same_person(user, self.author):
            return f"{user} asked for the training run, and nobody decides on their own work"
        if user not in (approver.name for approver in self.approvers):
            return f"{user} is not among those who may decide"
        return None


def put_question(ws: Workspace, portfolio: Portfolio, roles: Roles, *, run_id: str) -> Question:
    """Find out who is to be asked about a run's verdict; the ledger says once who was, and who was left out.

    Raises as :func:`question_of` does.
    """
    with ws.transaction() as session:
        question = question_of(session, portfolio, roles, run_id=run_id)
        if question.overtaken is None and not _was_asked(session, portfolio, question):
            ws.record(
                session,
                portfolio=portfolio.name,
                actor="service:promote",
                action=ASKED,
                subject=_subject(portfolio, question.verdict),
                details=_asked(question),
            )
        return question


def question_of(session: Session, portfolio: Portfolio, roles: Roles, *, run_id: str) -> Question:
    """What there is to decide about a run's verdict, and who may: as roles and champion are now.

    Raises
    ------
    ContractError
        There is no verdict PROMOTE to decide on, nobody knows who asked for the training, or nobody is left to ask.
    """
    verdict = verdict_of(session, portfolio, run_id)
    where = f"{portfolio.name} {run_id}"
    if verdict.outcome != "PROMOTE":
        raise ContractError(
            f"the verdict on {verdict.challenger.version} is {verdict.outcome}, so there is nothing to decide",
            where=where,
            remedy="read the report page; train again when there are more labels",
        )
    author = requested_by(session, portfolio, verdict.challenger.run_id)
    if author is None:
        raise ContractError(
            "nobody knows who asked for the training run, so its author cannot be kept from approving it",
            where=where,
            remedy=f"train with {portfolio.dag_id('train')}, which records who asked",
        )
    approvers = roles.approvers(portfolio)
    others = tuple(approver for approver in approvers if not is_same_person(approver.name, author))
    if not others:
        raise ContractError(
            f"nobody may decide: {author}, the only approver, asked for the training run",
            where=where,
            remedy="give a second person the role in roles.yaml, then clear the task approval.ask",
        )
    return Question(verdict, author, others, _overtaken(session, portfolio, verdict))


def refuse_answer(ws: Workspace, portfolio: Portfolio, question: Question, *, user: str, option: str) -> str:
    """Record that an answer does not count; returns the reason, in a sentence."""
    why = question.objection(user) or "it came from somebody who may not answer"
    with ws.transaction() as session:
        ws.record(
            session,
            portfolio=portfolio.name,
            actor=user or "nobody",
            action=ANSWER_REFUSED,
            subject=_subject(portfolio, question.verdict),
            details={"run_id": question.verdict.run_id, "answer": option, "why": why},
        )
    return why


def rollback_by(
    ws: Workspace, portfolio: Portfolio, roles: Roles, *, version: str, user: str, reason: str
) -> PromotionSummary:
    """Make a former champion the champion again, in the name of a user who may decide.

    Raises
    ------
    ContractError
        The user may not, which is recorded; else as :func:`fraudops.registry.promotion.rollback`.
    """
    try:
        require_approver(portfolio, roles, user, to="roll back")
    except ContractError:
        with ws.transaction() as session:
            ws.record(
                session,
                portfolio=portfolio.name,
                actor=user or "nobody",
                action=ROLLBACK_REFUSED,
                subject=f"{portfolio.name}/models/{version}",
                details={"reason": reason},
            )
        raise
    return rollback(ws, portfolio, version=version, approved_by=user, reason=reason)


def require_approver(portfolio: Portfolio, roles: Roles, user: str, *, to: str) -> None:
    """Refuse somebody who may not decide on the portfolio's champion.

    Parameters
    ----------
    to
        What is wanted, such as ``roll back``.

    Raises
    ------
    ContractError
        Names those who may.
    """
    names = [approver.name for approver in roles.approvers(portfolio)]
    if user not in names:
        raise ContractError(
            f"{user or 'nobody'} may not {to}",
            where=portfolio.name,
            remedy=f"one of {', '.join(names)} may: promotion.approvers and roles.yaml say who",
        )


# -- inside -------------------------------------------------------------------------------------------


def _overtaken(session: Session, portfolio: Portfolio, verdict: Verdict) -> str | None:
    try:
        require_open(session, portfolio, verdict)
    except ConflictError as error:
        return error.what
    return None


def _asked(question: Question) -> dict[str, object]:
    return {
        "run_id": question.verdict.run_id,
        "approvers": [approver.name for approver in question.approvers],
        "left_out": question.left_out,
    }


def _was_asked(session: Session, portfolio: Portfolio, question: Question) -> bool:
    """Whether the newest entry about the question names the same people."""
    newest = session.scalar(
        select(LedgerEntry.details)
        .where(LedgerEntry.action == ASKED, LedgerEntry.subject == _subject(portfolio, question.verdict))
        .order_by(LedgerEntry.number.desc())
        .limit(1)
    )
    return newest == _asked(question)


def _subject(portfolio: Portfolio, verdict: Verdict) -> str:
    return f"{portfolio.name}/models/{verdict.challenger.version}"
