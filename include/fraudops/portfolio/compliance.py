"""The section ``compliance`` of a portfolio: what its rules call the columns, and what they are told of customers,
sanctioned names, holidays and rates (``docs/feeds.md``)."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from fraudops.portfolio.durations import Duration
from fraudops.portfolio.sources import Source
from fraudops.portfolio.strict import Strict

REFERENCE_FEEDS = ("customers", "watchlist", "holidays", "rates")
"""Feeds that say what rules need to know beside the transactions; each is a dataset of that name."""
CUSTOMERS_PROTECTED = "customers_protected"
"""Dataset of what is personal of a customer."""


class ComplianceColumns(Strict):
    """What the rules call the portfolio's columns: their name → ours. What is left out, the portfolio does not have."""

    account: str
    """The account that money moved on (role ``account``)."""
    customer: str
    """Whose account it is (role ``entity``)."""
    counterparty: str | None = None
    """The account on the other side (role ``account``); empty for cash."""
    counterparty_country: str | None = None
    """Its country, ISO 3166 (role ``category``)."""
    branch: str | None = None
    """Where it was done (role ``category`` or ``entity``)."""
    direction: str | None = None
    """``in`` or ``out``, seen from the account (role ``category``)."""
    cash: str | None = None
    """Whether it was currency: notes and coins (role ``boolean``)."""
    on_behalf_of: str | None = None
    """Customer for whom it was done (role ``entity``); empty: for the account's holder."""
    channel: str | None = None
    """How it was done (role ``category``)."""


class ReferenceFeeds(Strict):
    """Where the reference files come from; a feed that is left out has no rows."""

    customers: Source | None = None
    watchlist: Source | None = None
    holidays: Source | None = None
    rates: Source | None = None


class RuleChoice(Strict):
    """Which rules run."""

    off: tuple[str, ...] = ()
    """Ids of rules that do not run here."""
    reasons: dict[str, str] = Field(default_factory=dict)
    """Why each of them does not, for whoever asks: id → a sentence."""

    @model_validator(mode="after")
    def _reasons_are_of_what_is_off(self) -> RuleChoice:
        for name in self.reasons:
            if name not in self.off:
                raise ValueError(f"reasons.{name}: this rule is not off")
        return self

    @model_validator(mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        """YAML reads an unquoted ``off`` as a truth."""
        if isinstance(value, dict) and False in value:
            return {("off" if key is False else key): item for key, item in value.items()}
        return value


class Compliance(Strict):
    """What the rules of the law need to know of a portfolio."""

    jurisdiction: Literal["US", "EU"]
    """Whose rules run, beside those of none; and whose holidays count."""
    timezone: str = "UTC"
    """Where business days are counted."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """Currency in which amounts are compared; others are converted by the rate of the day."""
    cutoff: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = "18:00"
    """Local time after which cash counts for the next business day."""
    columns: ComplianceColumns
    feeds: ReferenceFeeds = ReferenceFeeds()
    rules: RuleChoice = RuleChoice()
    reference_lookback: Duration | None = None
    """Reference files that arrived longer before the moment asked about are not read. Null: all are, as it must be
    where files hold only what is new."""

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("there is no such time zone; write one such as UTC or America/New_York") from None
        return value

    @field_validator("cutoff", mode="before")
    @classmethod
    def _is_quoted(cls, value: object) -> object:
        """YAML reads an unquoted ``18:00`` as the number 1080."""
        if isinstance(value, int) and not isinstance(value, bool):
            raise ValueError('write it with quotation marks, such as "18:00"')
        return value

    @property
    def cutoff_time(self) -> time:
        """The cutoff as a time of the day."""
        return time.fromisoformat(self.cutoff)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.timezone)
