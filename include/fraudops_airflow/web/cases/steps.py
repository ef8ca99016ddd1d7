"""What the buttons of a case do: each is the same call of the library as the command of that name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from fraudops import cases
from fraudops.errors import ContractError
from fraudops.filings.starting import start_clocks
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

from fraudops_airflow.web.access import Person
from fraudops_airflow.web.cases.sent import Sent
from fraudops_airflow.web.definitions import known_clocks

EXCEPT = "except/"
"""A field that says something else of one transaction bears this name, and the transaction's."""


@dataclass(frozen=True)
class Desk:
    """A case, and who works it."""

    ws: Workspace
    portfolio: Portfolio
    number: int
    person: Person

    def do(self, step: Callable[..., int], sent: Sent, **more: Any) -> None:
        """Take a step of the library, as the person who is logged in, with the version that they saw."""
        step(
            self.ws,
            self.portfolio,
            self.number,
            by=self.person.name,
            roles=self.person.everybody,
            version=sent.version,
            **more,
        )

    def hand_over(self) -> None:
        """Let training see what was said."""
        cases.hand_over(self.ws, self.portfolio, actor=self.person.name)


def _assign(desk: Desk, sent: Sent) -> None:
    desk.do(cases.assign, sent, to=sent.text("to") or None)


def _start(desk: Desk, sent: Sent) -> None:
    desk.do(cases.start, sent)


def _note(desk: Desk, sent: Sent) -> None:
    desk.do(cases.note, sent, text=sent.text("text"))


def _attach(desk: Desk, sent: Sent) -> None:
    if sent.file is None:
        raise ContractError("no file was chosen", remedy="choose one")
    name, content = sent.file
    desk.do(cases.attach, sent, name=name, content=content)


def _escalate(desk: Desk, sent: Sent) -> None:
    suspect = {"yes": True, "no": False}.get(sent.text("suspect"))
    if suspect is None:
        raise ContractError("say whether somebody is suspected", remedy="choose yes or no")
    desk.do(
        cases.escalate,
        sent,
        detected_on=_day(sent.text("detected_on")),
        suspect_known=suspect,
        reason=sent.text("reason"),
    )
    actor = f"service:{desk.portfolio.dag_id('clocks')}"
    start_clocks(desk.ws, desk.portfolio, known_clocks(), datetime.now(UTC), actor=actor)


def _close(desk: Desk, sent: Sent) -> None:
    if not sent.text("finding"):
        raise ContractError("say what was found", remedy="choose a finding")
    desk.do(
        cases.close,
        sent,
        finding=sent.text("finding"),
        reason=sent.text("reason"),
        otherwise=sent.starting_with(EXCEPT),
    )
    desk.hand_over()


def _approve(desk: Desk, sent: Sent) -> None:
    desk.do(cases.approve, sent, reason=sent.text("reason"))
    desk.hand_over()


def _decline(desk: Desk, sent: Sent) -> None:
    desk.do(cases.decline, sent, reason=sent.text("reason"))


def _reopen(desk: Desk, sent: Sent) -> None:
    desk.do(cases.reopen, sent, reason=sent.text("reason"))


STEPS: Mapping[str, Callable[[Desk, Sent], None]] = {
    "assign": _assign,
    "start": _start,
    "note": _note,
    "attach": _attach,
    "escalate": _escalate,
    "close": _close,
    "approve": _approve,
    "decline": _decline,
    "reopen": _reopen,
}
"""Last part of a form's address → what it does."""

DONE: Mapping[str, str] = {
    "assign": "It has been assigned.",
    "assigned": "The chosen cases have been assigned.",
    "start": "The review has begun.",
    "note": "Your note is in the timeline.",
    "attach": "The file is attached, encrypted.",
    "escalate": "It is escalated.",
    "close": "What you found is recorded.",
    "approve": "You approved: the case is closed.",
    "decline": "You declined: the case stays open.",
    "reopen": "The case is open again.",
}
"""What the page says afterwards."""


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ContractError("say on which day a person first saw such facts", remedy="choose the day") from None
