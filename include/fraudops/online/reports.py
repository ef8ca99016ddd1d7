"""What became known of one entity's payments, and from when on it counts: as the batch's
:class:`fraudops.features.engine.reports.EntityReports`, for one row at a time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from operator import attrgetter

from fraudops.features.engine.reports import largest_in_force
from fraudops.online.columns import MISSING

_NEVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody said about a payment.

    Attributes
    ----------
    transaction_id
        Of the payment.
    event_time
        Its moment, in microseconds.
    amount_minor
        Its amount.
    known_at
        When it became known, in microseconds.
    fraud
        None: whoever said it cannot say what it was.
    """

    transaction_id: str
    event_time: int
    amount_minor: int
    known_at: int
    fraud: bool | None


@dataclass(frozen=True, slots=True)
class _Change:
    """A payment begins to count as fraud, or no longer does."""

    report: Report
    effective: int
    weight: int


class Reports:
    """The reports on one entity's payments.

    Parameters
    ----------
    said
        In the order in which it became known.
    delay
        Label delay in microseconds.
    """

    __slots__ = ("_amounts", "_counts", "_effective", "_frauds", "_steps", "_turns", "delay")

    def __init__(self, said: Iterable[Report], delay: int) -> None:
        self.delay = delay
        changes = sorted(_changes(said, delay), key=attrgetter("effective"))
        self._effective = [change.effective for change in changes]
        self._counts = [0, *accumulate(change.weight for change in changes)]
        self._amounts = [0, *accumulate(change.weight * change.report.amount_minor for change in changes)]
        self._turns: dict[str, list[int]] = {}
        """Transaction → moments at which it becomes fraud, and no longer is, in turn."""
        for change in changes:
            self._turns.setdefault(change.report.transaction_id, []).append(change.effective)
        self._frauds = [*_frauds(changes)]
        self._steps: dict[tuple[bool, int], tuple[list[int], list[int]]] = {}

    def count(self, time: int, window: int) -> int:
        """Frauds, less corrections, that became known in the window before a moment."""
        if not self._effective:
            return 0
        return self._counts[self._known(time)] - self._counts[self._known(time - window)]

    def amount(self, time: int, window: int) -> int:
        """Their amounts, in minor units."""
        if not self._effective:
            return 0
        return self._amounts[self._known(time)] - self._amounts[self._known(time - window)]

    def since_latest(self, time: int, window: int) -> float:
        """Seconds since the latest payment of which the fraud became known in the window."""
        return self._since(time, window, newest=False)

    def since_report(self, time: int, window: int) -> float:
        """Seconds since the newest such report began to count."""
        return self._since(time, window, newest=True)

    def is_fraud(self, transaction_id: str, time: int) -> bool:
        """Whether a payment is known to be fraud at a moment."""
        turns = self._turns.get(transaction_id)
        return turns is not None and self._before(turns, time) % 2 == 1

    def _known(self, time: int) -> int:
        """How many reports count at a moment."""
        return self._before(self._effective, time)

    def _before(self, moments: list[int], time: int) -> int:
        # With no delay a transaction's own label would count at its own moment: look strictly before.
        return bisect_right(moments, time) if self.delay else bisect_left(moments, time)

    def _since(self, time: int, window: int, *, newest: bool) -> float:
        if not self._frauds:
            return MISSING
        steps = self._steps.get((newest, window))
        if steps is None:
            steps = self._steps[newest, window] = self._find_steps(window, newest=newest)
        begins, values = steps
        place = self._before(begins, time) - 1
        if place < 0 or values[place] == _NEVER:
            return MISSING
        return (time - values[place]) / 1e6

    def _find_steps(self, window: int, *, newest: bool) -> tuple[list[int], list[int]]:
        begin = [begin for begin, _, _ in self._frauds]
        end = [min(end, begin + window) for begin, end, _ in self._frauds]
        happened = [happened for _, _, happened in self._frauds]
        steps = [*largest_in_force(begin, end, begin if newest else happened)]
        return [moment for moment, _ in steps], [value for _, value in steps]


def _changes(said: Iterable[Report], delay: int) -> Iterator[_Change]:
    """What each report changes; one that comes more than two delays after the payment changes nothing."""
    known: dict[str, bool] = {}
    for report in said:
        # Whoever cannot say what it was does not say "fraud": what was said before is taken back.
        fraud = bool(report.fraud)
        if fraud == known.get(report.transaction_id, False):
            continue
        known[report.transaction_id] = fraud
        if report.known_at <= report.event_time + 2 * delay:
            yield _Change(report, max(report.event_time + delay, report.known_at), 1 if fraud else -1)


def _frauds(changes: Iterable[_Change]) -> Iterator[tuple[int, int, int]]:
    """Of each fraud: when it began to count, when it was taken back, when the payment was."""
    for change, end in _ends([*changes]):
        if change.weight > 0:
            yield change.effective, end, change.report.event_time


def _ends(changes: list[_Change]) -> list[tuple[_Change, int]]:
    """Each change, and when the next one of the same payment undoes it."""
    next_of: dict[str, int] = {}
    found = []
    for change in reversed(changes):
        found.append((change, next_of.get(change.report.transaction_id, _NEVER)))
        next_of[change.report.transaction_id] = change.effective
    return found[::-1]
