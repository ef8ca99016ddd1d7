"""Several cases of the queue given to somebody at once: each is a step of its own, which may be refused alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fraudops.errors import ContractError
from fraudops.workspace import Workspace

from fraudops_airflow.web.access import Person
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.asked import CASE_DIGITS, is_whole
from fraudops_airflow.web.cases.queue import SHOWN
from fraudops_airflow.web.cases.sent import Sent
from fraudops_airflow.web.cases.steps import STEPS, Desk

CHOSEN = "case/"
"""A ticked case is a field of this name, the portfolio and the number; its value is the version that was seen."""


@dataclass(frozen=True)
class Refusal:
    """A case that was not assigned, and why."""

    portfolio: str
    number: int
    error: ContractError

    @property
    def name(self) -> str:
        """``cards-17``."""
        return f"{self.portfolio}-{self.number}"


@dataclass(frozen=True)
class Outcome:
    """What became of the cases that were chosen.

    Attributes
    ----------
    to
        Who has those that were assigned; empty: nobody.
    """

    to: str
    assigned: tuple[str, ...]
    refused: tuple[Refusal, ...]

    @property
    def sentence(self) -> str:
        """What was done."""
        count = len(self.assigned)
        cases = "1 case" if count == 1 else f"{count or 'No'} cases"
        return f"{cases} given to {self.to}." if self.to else f"{cases} given back: they are nobody's."


def assign_chosen(archive: Archive, ws: Workspace, person: Person, sent: Sent) -> Outcome:
    """Give each chosen case to somebody, unless somebody changed it since it was seen.

    Raises
    ------
    ContractError
        None was chosen, or more than a page of the queue has.
    """
    chosen = sent.starting_with(CHOSEN)
    if not chosen:
        raise ContractError("no case was chosen", remedy="tick the cases first")
    if len(chosen) > SHOWN:
        raise ContractError(f"{len(chosen)} cases were chosen", remedy=f"choose at most {SHOWN} at once")
    to = person.name if sent.text("mine") else sent.text("to")
    assigned, refused = list[str](), list[Refusal]()
    for portfolio, number, version in _named(archive, chosen):
        step = Sent({"to": to, "version": version})
        try:
            STEPS["assign"](Desk(ws, archive.portfolio(portfolio), number, person), step)
        except ContractError as error:
            refused.append(Refusal(portfolio, number, error))
        else:
            assigned.append(f"{portfolio}-{number}")
    return Outcome(to, tuple(assigned), tuple(refused))


def _named(archive: Archive, chosen: Mapping[str, str]) -> list[tuple[str, int, str]]:
    """Portfolio, number and version, in the order of the page."""
    found = []
    for name, version in chosen.items():
        portfolio, _, number = name.rpartition("/")
        if portfolio not in archive.portfolios or not is_whole(number, CASE_DIGITS):
            raise ContractError(f"there is no case {name!r}", remedy="open the queue again")
        found.append((portfolio, int(number), version))
    return found
