"""What is told about days by which a case must be worked: never what a deadline is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from fraudops.notices.rendering import cases_link, count_of, queue_rendered
from fraudops.notices.words import Joined, Text, say
from fraudops.portfolio import Portfolio
from fraudops.store.digests import sha256_of
from fraudops.workspace import Workspace

CLOCK_WARNING = "clock_warning"
"""Kind of the notice."""
_SHOWN = 20
"""Cases that a mail names, the most urgent first; the list has the others."""
_STILL_IN_TIME = 10
"""Of these, as many at least as have a deadline that can still be kept: what is long over must not hide them."""

_WEEKDAYS = (
    say("Monday"),
    say("Tuesday"),
    say("Wednesday"),
    say("Thursday"),
    say("Friday"),
    say("Saturday"),
    say("Sunday"),
)


@dataclass(frozen=True)
class Due:
    """A last day that people are told of.

    Attributes
    ----------
    clock
        Whose it is, so that it is told once; the mail does not have it.
    about
        How the mail names the case.
    stage
        Number of days that it has come to, or that it is over.
    """

    clock: str
    about: str
    due_on: date
    stage: str


def clock_warning(
    session: Session, ws: Workspace, portfolio: Portfolio, due: Sequence[Due], *, today: date, as_of: datetime
) -> bool:
    """Tell those who need to know of review deadlines, the most urgent first; the same ones again queue nothing."""
    over = sum(item.due_on < today for item in due)
    found = count_of(len(due), "review deadline")
    subject = say("{found}, {over} of them over", found=found, over=over) if over else say("{found} near", found=found)
    places = "\n".join(f"{item.clock} {item.due_on} {item.stage}" for item in due)
    return queue_rendered(
        session,
        ws,
        portfolio,
        kind=CLOCK_WARNING,
        template="facts",
        dedupe_key=f"{CLOCK_WARNING}/{today}/{sha256_of(places.encode())[:16]}",
        recipients=portfolio.notices.need_to_know or portfolio.notices.compliance,
        as_of=as_of,
        severity="critical" if over else "high",
        subject=say("{name} {day}: {subject}", name=portfolio.name, day=f"{today}", subject=subject),
        reference=say("{name} {day}: {subject}", name=portfolio.name, day=f"{today}", subject=found),
        link=cases_link(ws, portfolio, _only_case(portfolio, due)),
        content={
            "heading": subject,
            "sentence": say(
                "These cases have a review deadline that is near, or over. A deadline that is over is told of each day "
                "until somebody records what became of it. Please do not forward this mail."
            ),
            "facts": _facts(due, today),
            "advice": say("What is to be done stands with the case: {command}", command=_command(portfolio)),
        },
    )


# -- inside -------------------------------------------------------------------------------------------


def _only_case(portfolio: Portfolio, due: Sequence[Due]) -> str | None:
    """The case that all of it is about; None where there are several, or none yet."""
    named = {item.about for item in due}
    return next((name for name in named if name.startswith(f"{portfolio.name}-")), None) if len(named) == 1 else None


def _command(portfolio: Portfolio) -> str:
    return f"fraudops cases show {portfolio.name}-NUMBER"


def _facts(due: Sequence[Due], today: date) -> list[tuple[Text, Text]]:
    """A line a case: its first deadline, and how many it has."""
    by_case: dict[str, list[Due]] = {}
    for item in due:
        by_case.setdefault(item.about, []).append(item)
    facts: list[tuple[Text, Text]] = []
    for about in _named(by_case, today):
        own = by_case[about]
        further = say("{n} more after it", n=len(own) - 1) if len(own) > 1 else ""
        facts.append((about, Joined((_when(own[0].due_on, today), further), "; ")))
    if len(by_case) > _SHOWN:
        facts.append(("…", say("{cases} more", cases=count_of(len(by_case) - _SHOWN, "case"))))
    return facts


def _named(by_case: dict[str, list[Due]], today: date) -> list[str]:
    """The cases that the mail has room for, in their order."""
    in_time = [about for about, own in by_case.items() if any(item.due_on >= today for item in own)]
    kept = in_time[:_STILL_IN_TIME]
    kept += [about for about in by_case if about not in kept][: _SHOWN - len(kept)]
    return [about for about in by_case if about in kept]


def _when(due_on: date, today: date) -> Text:
    left = (due_on - today).days
    day = Joined((_WEEKDAYS[due_on.weekday()], f"{due_on}"), " ")
    if left < 0:
        return say("{day}: over for {days}", day=day, days=count_of(-left, "day"))
    return say("{day}: in {days}", day=day, days=count_of(left, "day")) if left else say("{day}: today", day=day)
