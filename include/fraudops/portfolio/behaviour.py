"""What a model sees beside the columns of the transaction: calendar, and behaviour of entities."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import PlainSerializer, PlainValidator

from fraudops.aggregates import AGGREGATES
from fraudops.portfolio.durations import Duration
from fraudops.portfolio.strict import Strict

if TYPE_CHECKING:
    AggregateName = str
else:
    AggregateName = Literal[tuple(AGGREGATES)]


def _one_or_several(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return value
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be the name of an entity, or a list of names")
    if len(value) < 2 or len(set(value)) < len(value):
        raise ValueError("a list names two entities or more, each once")
    return tuple(value)


def _as_written(value: str | tuple[str, ...]) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


class EntityFeatures(Strict):
    """Behaviour of one entity, or of a pair of them, over windows that end with the transaction itself."""

    entity: Annotated[str | tuple[str, ...], PlainValidator(_one_or_several), PlainSerializer(_as_written)]
    """An entity; or several, such as ``[customer, terminal]``: what this customer does at this terminal."""
    windows: tuple[Duration, ...] = ()
    aggregates: tuple[AggregateName, ...]
    """Each is explained in ``docs/features.md``; some take no window."""
    of: str | None = None
    """The entity that ``distinct`` counts: the terminals *of* a customer."""

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities that together are measured by."""
        return (self.entity,) if isinstance(self.entity, str) else self.entity

    @property
    def label(self) -> str:
        """How its columns' names begin: ``customer``, ``customer_terminal``."""
        return "_".join(self.entities)


class Features(Strict):
    """What a model sees beside the columns of the transaction."""

    calendar: tuple[Literal["hour", "weekday", "night", "weekend"], ...] = ()
    behaviour: tuple[EntityFeatures, ...] = ()
    exclude: tuple[str, ...] = ()
    """Columns of the transaction that the model must not see."""

    @property
    def longest_window(self) -> timedelta:
        """How far back an aggregate without a window looks."""
        windows = [window for group in self.behaviour for window in group.windows]
        return max(windows, default=timedelta(0))

    @property
    def reach(self) -> timedelta:
        """How long before a payment lies the oldest one that its behaviour can depend on, labels aside."""
        reaches = [
            AGGREGATES[name].reach * window
            for group in self.behaviour
            for name in group.aggregates
            if AGGREGATES[name].windowed
            for window in group.windows
        ]
        return max(reaches, default=timedelta(0)) if reaches else self.longest_window
