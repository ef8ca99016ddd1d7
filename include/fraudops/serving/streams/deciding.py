"""What a stream brings, decided by an office."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fraudops.decisions.immediate import Arrival, Conflict, Decided
from fraudops.intake.single import Fault, RowReader
from fraudops.intake.transaction import Transaction
from fraudops.serving.link import DatabaseAwayError
from fraudops.serving.messages import told
from fraudops.serving.office import NoChampionError
from fraudops.serving.streams.consuming import Answered, AwayError, Outcome, Refused

DecideNow = Callable[[str, Sequence[Arrival]], Sequence[Decided | Conflict]]
"""As :meth:`fraudops.serving.office.Office.decide_now`."""


class StreamDesk:
    """Reads rows, has them decided, and says of each what became of it.

    Parameters
    ----------
    readers
        Portfolio → reader of its rows; entries of other portfolios are refused.
    """

    def __init__(self, readers: Mapping[str, RowReader], decide: DecideNow) -> None:
        self._readers, self._decide = readers, decide

    def __call__(self, portfolio: str, rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        """An outcome for each row.

        Raises
        ------
        AwayError
            No model is in force, or the database is away: the stream keeps what it has.
        """
        reader = self._readers.get(portfolio)
        if reader is None:
            return [Refused("no such portfolio is scored at once")] * len(rows)
        now = datetime.now(UTC)
        read = reader.read_all(rows)
        arrivals = [
            Arrival(one, raw := reader.raw(row), reader.content(raw), now)
            for row, one in zip(rows, read, strict=True)
            if isinstance(one, Transaction)
        ]
        try:
            decided = iter(self._decide(portfolio, arrivals) if arrivals else ())
        except NoChampionError:
            raise AwayError("no model is in force yet") from None
        except DatabaseAwayError as error:
            raise AwayError(f"the database is away: {error}") from None
        return [_refused(one) if isinstance(one, list) else _outcome(next(decided)) for one in read]


def _refused(faults: Sequence[Fault]) -> Refused:
    return Refused("; ".join(f"{fault.column or 'the row'}: {fault.reason}" for fault in faults))


def _outcome(found: Decided | Conflict) -> Outcome:
    if isinstance(found, Conflict):
        return Refused(f"another transaction with this id was decided: {found.decision_id}")
    return Answered(told(found))
