"""What a portfolio's YAML may say. Every key is a documented field; an unknown key is an error."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from fraudops.portfolio.behaviour import Features
from fraudops.portfolio.cases import Cases
from fraudops.portfolio.coherence import incoherences
from fraudops.portfolio.columns import ENTITIES, Column, Role, entity_name, stored_name
from fraudops.portfolio.compliance import Compliance
from fraudops.portfolio.evidence import Fairness, ModelCard
from fraudops.portfolio.filings import Filings
from fraudops.portfolio.labels import Labels
from fraudops.portfolio.monitoring import Monitoring
from fraudops.portfolio.monthly import MonthlyPack
from fraudops.portfolio.notices import Notices
from fraudops.portfolio.partitioning import Partitioning
from fraudops.portfolio.policy import Policy
from fraudops.portfolio.promotion import Promotion
from fraudops.portfolio.ranges import expanded_names
from fraudops.portfolio.retention import Retention
from fraudops.portfolio.sections import Sections
from fraudops.portfolio.serving import Serving, online_source
from fraudops.portfolio.sources import Source
from fraudops.portfolio.strict import Strict
from fraudops.portfolio.timeliness import Timeliness
from fraudops.portfolio.training import Training
from fraudops.portfolio.validation import Validation
from fraudops.portfolio.watch import Watch


class Portfolio(Strict):
    """A product line with its own data, model and policy."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
    title: str
    description: str
    owner: str
    """Team that answers for it; shown as the DAGs' owner."""
    tags: tuple[str, ...] = ()
    partition_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24, 168] = 24
    """Length of a partition; 168 is a week, from Monday to Sunday."""
    scheduled: bool = True
    """Ingest runs by itself at the end of each partition. False: only on request (a file of the past)."""
    start: datetime | None = None
    """No row is older (rows before it are quarantined)."""
    end: datetime | None = None
    """No row is at or after it."""
    transactions: tuple[Source, ...] = Field(min_length=1)
    """Where the transactions come from: one source, or a list of sources with names."""
    columns: dict[str, Column]
    currency: str = "EUR"
    """Currency of the amounts, or the name of the column that says it."""
    minor_digits: Annotated[int, Field(ge=0, le=6)] = 2
    labels: Labels
    features: Features = Features()
    validation: Validation = Validation()
    training: Training
    policy: Policy = Policy()
    promotion: Promotion = Promotion()
    monitoring: Monitoring = Monitoring()
    notices: Notices
    watch: Watch = Watch()
    timeliness: Timeliness | None = None
    """By when a partition must have been scored; absent: nobody is told."""
    monthly: MonthlyPack = MonthlyPack()
    model_card: ModelCard = ModelCard()
    fairness: Fairness = Fairness()
    retention: Retention = Retention()
    compliance: Compliance | None = None
    """What the rules of the law need to know; absent: none of them run."""
    cases: Cases = Cases()
    """How alerts and hits become cases, and who closes them."""
    filings: Filings = Filings()
    """For which days clocks are kept, and what a report says of the bank."""
    serving: Serving = Serving()
    """Whether transactions are scored at once, and what becomes of them; no partition's digest depends on it."""

    @field_validator("transactions", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, dict | Source) else value

    @field_validator("columns", mode="before")
    @classmethod
    def _expand_ranges(cls, value: Any) -> Any:
        """``"V{1..28}"`` stands for V1 … V28."""
        if not isinstance(value, dict):
            return value
        return {name: column for key, column in value.items() for name in expanded_names(str(key)) or [str(key)]}

    @model_validator(mode="after")
    def _is_coherent(self) -> Portfolio:
        """Rules over several keys; who reads a file is told each by itself, see :mod:`fraudops.portfolio.checking`."""
        problems = incoherences(self._sections())
        if problems:
            raise ValueError("; ".join(problem.sentence for problem in problems))
        return self

    def _sections(self) -> Sections:
        return Sections(
            columns=self.columns,
            transactions=self.transactions,
            labels=self.labels,
            calendar=self.features.calendar,
            behaviour=tuple(enumerate(self.features.behaviour)),
            exclude=self.features.exclude,
            validation=self.validation,
            training=self.training,
            policy=self.policy,
            promotion=self.promotion,
            notices=self.notices,
            fairness=self.fairness,
            retention=self.retention,
            compliance=self.compliance,
            cases=self.cases,
            serving=self.serving,
            currency=self.currency,
            start=self.start,
            end=self.end,
        )

    # -- what the rest of the library asks ------------------------------------------------------------

    @property
    def reference_feeds(self) -> dict[str, Source]:
        """Dataset → where it comes from: what rules need to know beside the transactions."""
        return self.compliance.feeds.given if self.compliance is not None else {}

    @property
    def feeds(self) -> list[tuple[str, Source]]:
        """Every feed with its source; transactions may have several."""
        transactions = [("transactions", source) for source in self.transactions]
        return [*transactions, *self.labels.feeds.items(), *self.reference_feeds.items()]

    @property
    def landed(self) -> tuple[Source, ...]:
        """Sources of the transactions, our own of what was scored at once among them."""
        own = online_source(self.serving, self.transactions)
        return self.transactions if own is None else (*self.transactions, own)

    @property
    def watched(self) -> list[tuple[str, Source]]:
        """Feed and source of what arrives as files in the landing folder and is noticed there; fetched files do not."""
        if not self.watch.enabled:
            return []
        return [(feed, source) for feed, source in self.feeds if not source.is_fetched]

    @property
    def partitioning(self) -> Partitioning:
        """How this portfolio's time is cut."""
        return Partitioning(self.partition_hours)

    @property
    def zone(self) -> ZoneInfo:
        """Where its days are counted; UTC without a section ``compliance``."""
        return self.compliance.zone if self.compliance is not None else ZoneInfo("UTC")

    @property
    def has_amount(self) -> bool:
        """Whether transactions have a value; without one nothing is measured in money."""
        return bool(self.named(Role.AMOUNT))

    def named(self, *roles: Role) -> list[str]:
        """Names of the columns with one of these roles, in the order of the YAML."""
        return [name for name, column in self.columns.items() if column.role in roles]

    @property
    def entities(self) -> dict[str, str]:
        """Entity → the stored column that names it (for a card or an account: the token's column)."""
        found = {}
        for name in self.named(*ENTITIES):
            found[entity_name(name, self.columns[name])] = self.stored_name(name)
        return found

    def stored_name(self, column: str) -> str:
        """Name of a column in the store: fixed for id, time, amount and label, ``*_token`` for a card or an account."""
        return stored_name(column, self.columns[column])

    def digest_of(self, *sections: str) -> str:
        """SHA-256 of the named sections of the YAML: what a manifest records as its configuration.

        A step names only the sections that its output depends on, so that a new e-mail address does not make
        a year of features look out of date.
        """
        # Only what the YAML says otherwise than by default: a key that a later version adds changes no digest.
        content = self.model_dump(mode="json", include={"name", *sections}, exclude_defaults=True)
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def dag_id(self, workflow: str) -> str:
        """``<portfolio>_<workflow>``."""
        return f"{self.name}_{workflow}"
