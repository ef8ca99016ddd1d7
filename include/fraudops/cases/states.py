"""A case's states, and which step leads from which to which. Pure: who may take a step is asked elsewhere."""

from __future__ import annotations

from typing import Literal

from fraudops.errors import ContractError

Finding = Literal["fraud", "not_fraud", "insufficient"]
FINDINGS: tuple[Finding, ...] = ("fraud", "not_fraud", "insufficient")
Step = Literal["start", "escalate", "close", "reopen"]

OPEN, IN_REVIEW, ESCALATED = "open", "in_review", "escalated"
CLOSED: dict[str, str] = {finding: f"closed_{finding}" for finding in FINDINGS}
STATES = (OPEN, IN_REVIEW, ESCALATED, *CLOSED.values())

_FROM: dict[Step, tuple[str, ...]] = {
    "start": (OPEN,),
    # Again, where the day that was recorded was not the right one: what was recorded first stays.
    "escalate": (OPEN, IN_REVIEW, ESCALATED),
    "close": (IN_REVIEW, ESCALATED),
    "reopen": tuple(CLOSED.values()),
}
_REMEDIES: dict[Step, str] = {
    "start": "go on with it, or reopen it where it is closed",
    "escalate": "reopen it first",
    "close": "start it first: who closes a case has looked at it",
    "reopen": "go on with it",
}


def is_closed(state: str) -> bool:
    """Whether nothing more is to be done about a case."""
    return state in _FROM["reopen"]


def require(step: Step, state: str, where: str) -> None:
    """Refuse a step that does not follow from a state.

    Raises
    ------
    ContractError
        It does not.
    """
    if state not in _FROM[step]:
        raise ContractError(
            f"a case that is {spoken(state)} cannot be {_DONE[step]}", where=where, remedy=_REMEDIES[step]
        )


def after_closing(finding: str, where: str) -> str:
    """The state in which a finding leaves a case.

    Raises
    ------
    ContractError
        There is no such finding.
    """
    if finding not in CLOSED:
        raise ContractError(
            f"there is no finding {finding!r}", where=where, remedy=f"it is one of {', '.join(FINDINGS)}"
        )
    return CLOSED[finding]


def after_reopening(*, was_escalated: bool) -> str:
    """What was escalated once stays escalated: a deadline may run since then."""
    return ESCALATED if was_escalated else IN_REVIEW


def spoken(state: str) -> str:
    """For people: ``closed as not fraud``."""
    return state.replace("closed_", "closed as ").replace("_", " ")


_DONE: dict[Step, str] = {"start": "started", "escalate": "escalated", "close": "closed", "reopen": "reopened"}
