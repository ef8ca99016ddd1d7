"""What is known of partitions, those that are not there included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING

from fraudops.portfolio import Partitioning, Portfolio
from fraudops.store import removed_keys

from fraudops_airflow.web.archive import Archive

if TYPE_CHECKING:
    from fraudops.decisions.succession import Succession


@dataclass(frozen=True)
class State:
    """What a partition is; ``tone`` as of a tag."""

    words: str
    tone: str = ""


ABSENT = State("not published", "wait")
REMOVED = State("removed by retention", "bad")
UNSCORED_KEPT = State("published; its scores were removed by retention", "bad")
HISTORY = State("published, never scored: the first champion may have learned from it")
WAITING = State("published, waits for a champion", "wait")


@dataclass(frozen=True)
class Stretch:
    """Partitions that follow each other and are the same."""

    first: str
    last: str
    count: int
    state: State


@dataclass(frozen=True)
class Days:
    """A portfolio's partitions.

    Nothing but names of folders and the promotions are read: a partition that is scored was scored by the champion of
    its end.
    """

    partitioning: Partitioning
    published: tuple[str, ...]
    scored: frozenset[str]
    removed: frozenset[str]
    scores_removed: frozenset[str]
    succession: Succession

    @classmethod
    def read(cls, archive: Archive, portfolio: Portfolio) -> Days:
        """As they are now."""
        # Imported here: the room brings the scoring libraries, which most pages do not need.
        from fraudops.decisions.succession import Succession

        store, name = archive.store, portfolio.name
        published = store.keys("transactions", name)
        with archive.reading() as session:
            succession = Succession.read(session, portfolio)
        return cls(
            partitioning=portfolio.partitioning,
            published=tuple(published),
            scored=frozenset(store.keys("scores", name)),
            removed=frozenset(removed_keys(store, "transactions", name)),
            scores_removed=frozenset(removed_keys(store, "scores", name)),
            succession=succession,
        )

    @cached_property
    def _published(self) -> frozenset[str]:
        return frozenset(self.published)

    @property
    def newest(self) -> str | None:
        """The newest partition that is published."""
        return self.published[-1] if self.published else None

    def between(self, first: str, last: str) -> list[str]:
        """Published partitions of a range, both ends included."""
        return [key for key in self.published if first <= key <= last]

    def model(self, key: str) -> str:
        """The version that scores a partition, published or not; ``pending``: none yet; ``history``: none ever."""
        found = self.succession.model_for(key)
        return found if isinstance(found, str) else found.version

    def state(self, key: str) -> State:
        """What a partition is."""
        if key in self.removed:
            return REMOVED
        if key not in self._published:
            return ABSENT
        model = self.model(key)
        if key in self.scored:
            return State("published and scored" if model in ("pending", "history") else f"scored by {model}", "good")
        if key in self.scores_removed:
            return UNSCORED_KEPT
        return {"history": HISTORY, "pending": WAITING}.get(model, State(f"published, to be scored by {model}", "wait"))

    def stretches(self, keys: Iterable[str]) -> tuple[Stretch, ...]:
        """Partitions in the order given, those of one state that follow each other taken together."""
        grouped = ((state, list(group)) for state, group in groupby(keys, self.state))
        return tuple(Stretch(group[0], group[-1], len(group), state) for state, group in grouped)
