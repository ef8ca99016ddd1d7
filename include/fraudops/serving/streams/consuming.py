"""Decides what a stream brings: at least once, in batches, no faster than it is decided."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fraudops.serving.streams.valkey import Entry

log = logging.getLogger(__name__)

TOO_OFTEN = 5
"""Deliveries after which an entry is put aside: whoever took it never came to an end."""
_LONGEST_WAIT = 30.0


class AwayError(Exception):
    """Nothing can be decided now; it must be tried again."""


@dataclass(frozen=True)
class Answered:
    """A decision, as the service would answer it."""

    body: Mapping[str, Any]


@dataclass(frozen=True)
class Refused:
    """A transaction that cannot be used, now or later."""

    reason: str


Outcome = Answered | Refused
Decide = Callable[[str, Sequence[Mapping[str, Any]]], Sequence[Outcome]]
"""Portfolio and rows → an outcome each; raises :class:`AwayError`."""


class Stream(Protocol):
    """Where entries come from: :class:`~fraudops.serving.streams.valkey.ValkeyStream`."""

    def read(self, most: int, wait: float) -> list[Entry]:
        """Entries for this consumer."""

    def done(self, ids: Iterable[str]) -> None:
        """Acknowledge."""

    def bury(self, entry: Entry, reason: str) -> None:
        """Put aside and acknowledge."""

    def answer(self, stream: str, answers: Iterable[Mapping[str, str]], most: int) -> None:
        """Write answers."""


@dataclass
class Counts:
    """What a consumer has done so far."""

    decided: int = 0
    buried: int = 0
    postponed: int = 0
    by_decision: dict[str, int] = field(default_factory=dict)


@dataclass
class Consumer:
    """Reads, decides, answers, acknowledges; in this order, so that a crash between any two repeats and loses nothing.

    Attributes
    ----------
    portfolio
        Of entries that name none.
    answers
        Stream for the decisions; empty: they are in the record alone.
    most
        Entries of a batch: no more than so many are in its hands at once.
    """

    stream: Stream
    decide: Decide
    portfolio: str
    answers: str = ""
    most: int = 500
    kept: int = 100_000
    counts: Counts = field(default_factory=Counts)

    def run(self, stop: threading.Event, *, until_empty: bool = False, wait: float = 1.0) -> None:
        """Go on until asked to stop; a batch that was begun is finished.

        Parameters
        ----------
        until_empty
            Stop when there is nothing more to read.
        """
        pause = 0.0
        while not stop.wait(pause):
            try:
                entries = self.stream.read(self.most, wait)
                if not entries and until_empty:
                    return
                self.handle(entries)
                pause = 0.0
            except AwayError as error:
                # Nothing is acknowledged: it stays with the group, and the stream is the buffer.
                self.counts.postponed += 1
                pause = min(max(1.0, 2 * pause), _LONGEST_WAIT)
                log.warning("Nothing can be decided now (%s); again in %.0f s", error, pause)
            except ConnectionError as error:
                # What was decided and could not be acknowledged comes again, and is answered the same.
                self.counts.postponed += 1
                pause = min(max(1.0, 2 * pause), _LONGEST_WAIT)
                log.warning("The stream cannot be reached (%s); again in %.0f s", error, pause)

    def handle(self, entries: Sequence[Entry]) -> None:
        """Decide some entries and acknowledge them."""
        rows: dict[str, list[tuple[Entry, Mapping[str, Any]]]] = {}
        for entry in entries:
            if entry.deliveries > TOO_OFTEN:
                self._bury(entry, f"handed out {entry.deliveries} times, and nobody came to an end with it")
                continue
            row = _row_of(entry)
            if isinstance(row, str):
                self._bury(entry, row)
            else:
                rows.setdefault(entry.fields.get("portfolio") or self.portfolio, []).append((entry, row))
        for portfolio, some in rows.items():
            self._decide(portfolio, some)

    def _decide(self, portfolio: str, some: Sequence[tuple[Entry, Mapping[str, Any]]]) -> None:
        outcomes = self.decide(portfolio, [row for _, row in some])
        answered = [
            (entry, found.body) for (entry, _), found in zip(some, outcomes, strict=True) if isinstance(found, Answered)
        ]
        if self.answers and answered:
            told = ({"entry": entry.id, "portfolio": portfolio, "answer": json.dumps(body)} for entry, body in answered)
            self.stream.answer(self.answers, told, self.kept)
        self.stream.done(entry.id for entry, _ in answered)
        for _, body in answered:
            decision = str(body.get("decision"))
            self.counts.by_decision[decision] = self.counts.by_decision.get(decision, 0) + 1
        self.counts.decided += len(answered)
        for (entry, _), found in zip(some, outcomes, strict=True):
            if isinstance(found, Refused):
                self._bury(entry, found.reason)

    def _bury(self, entry: Entry, reason: str) -> None:
        self.stream.bury(entry, reason)
        self.counts.buried += 1
        # The reason names columns, never values.
        log.warning("Entry %s was put aside: %s", entry.id, reason)


def _row_of(entry: Entry) -> Mapping[str, Any] | str:
    """The transaction of an entry, or what is wrong with it."""
    text = entry.fields.get("transaction")
    if text is None:
        return "the entry has no field 'transaction'"
    try:
        row = json.loads(text)
    except ValueError:
        return "the field 'transaction' is not JSON"
    except RecursionError:
        return "the field 'transaction' is nested too deeply"
    return row if isinstance(row, dict) else "the field 'transaction' is not a JSON object"
