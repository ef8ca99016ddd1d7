"""What a run will do, said before it is started: sentences, days, and the request that starts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from fraudops.portfolio import Portfolio

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.runs.asked import Asked
from fraudops_airflow.web.runs.days import Days, Stretch


@dataclass(frozen=True)
class Sentence:
    """Something that will happen; ``tone``: ``wait`` and ``bad`` are to be noticed."""

    text: str
    tone: str = ""


@dataclass(frozen=True)
class Start:
    """The request that starts it: a run of a DAG, or a backfill.

    Attributes
    ----------
    backfill
        Body of Airflow's request for a backfill, without the DAG; None: one run.
    """

    dag_id: str
    label: str
    partition_key: str | None = None
    conf: Mapping[str, Any] = field(default_factory=dict)
    backfill: Mapping[str, Any] | None = None

    @property
    def conf_json(self) -> str:
        """The configuration of the run."""
        return json.dumps(self.conf, sort_keys=True)

    @property
    def backfill_json(self) -> str:
        """The body of the request for a backfill."""
        return json.dumps({"dag_id": self.dag_id, **(self.backfill or {})}, sort_keys=True)


@dataclass(frozen=True)
class Plan:
    """What will happen.

    Attributes
    ----------
    problems
        Field → why it cannot be started like this; ``""``: whatever is in the fields.
    follows
        Workflows that are started by it, and have to be on for that.
    links
        Pages that belong to it: label → path below the application.
    """

    sentences: tuple[Sentence, ...] = ()
    stretches: tuple[Stretch, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    start: Start | None = None
    follows: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """What a plan is made from: the installation, a portfolio, what was asked for, and when."""

    archive: Archive
    portfolio: Portfolio
    asked: Asked
    now: datetime

    @cached_property
    def days(self) -> Days:
        """What is known of the portfolio's partitions; read once."""
        return Days.read(self.archive, self.portfolio)

    def missing(self, name: str, what: str) -> dict[str, str]:
        """A required field that is empty: no problem before somebody has asked."""
        return {name: what} if self.asked else {}


def says(*sentences: str | Sentence | None) -> tuple[Sentence, ...]:
    """Sentences, without those that do not apply."""
    return tuple(Sentence(one) if isinstance(one, str) else one for one in sentences if one is not None)


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 partition``, ``3 partitions``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
