"""The section ``cases`` of a portfolio: whom a case is about, how bad it is, by when it is looked at, who closes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from fraudops.portfolio.columns import ENTITIES, Column
from fraudops.portfolio.problems import Problem, choose_of
from fraudops.portfolio.strict import Strict

Severity = Literal["info", "low", "medium", "high", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high", "critical")
"""From the least to the worst."""
TRANSACTION = "transaction"
"""What a case is about where nobody is known to have made the transaction."""
_USUAL = ("customer", "card", "account")
Share = Annotated[float, Field(ge=0, le=1)]
Worth = Annotated[float, Field(ge=0)]
Days = Annotated[int, Field(ge=0, le=250)]


class LeastScores(Strict):
    """From which score on an alert is how bad; below ``medium`` it is ``low``."""

    medium: Share = 0.3
    high: Share = 0.6
    critical: Share = 0.9

    @model_validator(mode="after")
    def _ascend(self) -> LeastScores:
        if not self.medium <= self.high <= self.critical:
            raise ValueError(f"medium <= high <= critical must hold, got {self.medium}, {self.high}, {self.critical}")
        return self


class Worths(Strict):
    """What an alert or a hit of each severity is worth in a case's priority, in major units of money."""

    info: Worth = 0
    low: Worth = 10
    medium: Worth = 50
    high: Worth = 200
    critical: Worth = 1000


class ReviewWithin(Strict):
    """Business days after its opening by which a case of each severity is to be closed or escalated."""

    info: Days = 20
    low: Days = 10
    medium: Days = 5
    high: Days = 2
    critical: Days = 1


class Cases(Strict):
    """How alerts and hits become cases; docs/cases.md."""

    entity: str | None = None
    """Whose alerts and hits are one case: an entity of the portfolio, or ``transaction``. Absent: the customer, else
    the card, else the account, else the transaction."""
    scores: LeastScores = LeastScores()
    worth: Worths = Worths()
    further: Share = 0.1
    """How much of that an item counts beside the worst one of its case."""
    opens_from: Severity = "low"
    """What is less than this opens no case; it joins one that is open."""
    four_eyes_from: Severity | None = "high"
    """A case at or above this, and one that was escalated, is closed by two people. Null: only escalated ones are."""
    review_within: ReviewWithin = ReviewWithin()

    def subject_kind(self, entities: Mapping[str, str]) -> str:
        """Whom a case is about.

        Parameters
        ----------
        entities
            Of the portfolio: entity → stored column.
        """
        return self.entity or next((name for name in _USUAL if name in entities), TRANSACTION)


def incoherent_cases(cases: Cases, columns: Mapping[str, Column]) -> Iterator[Problem]:
    """A case about an entity that the portfolio does not have.

    Parameters
    ----------
    columns
        All of the portfolio's.
    """
    entities = {
        column.entity or name.removesuffix("_id") for name, column in columns.items() if column.role in ENTITIES
    }
    if cases.entity is not None and cases.entity not in {*entities, TRANSACTION}:
        known = {*entities, TRANSACTION}
        message = f"there is no entity {cases.entity!r}"
        yield Problem(("cases", "entity"), message, remedy=choose_of(cases.entity, known))
