"""One transaction, as its partition would store it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction.

    Attributes
    ----------
    id
        ``transaction_id``.
    event_time
        Microseconds since 1970, UTC.
    amount_minor
        In minor units; none where the portfolio has no amounts.
    row
        Stored column → value, as a partition of ``transactions`` has it: tokens instead of numbers of cards and
        accounts, categories as text, numbers as float, yes and no as bool, None where missing. It has neither the id
        nor the time; it has ``amount``.
    """

    id: str
    event_time: int
    amount_minor: int | None
    row: Mapping[str, Any]

    @property
    def time(self) -> datetime:
        """The moment."""
        seconds, rest = divmod(self.event_time, 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
