"""What a detector yields: one finding, with everything that explains it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Plain = int | str | bool | None
"""What a hit may hold: whole numbers and texts, so that its bytes are the same everywhere. Money in minor units."""


@dataclass(frozen=True)
class Hit:
    """One finding about one subject.

    Attributes
    ----------
    kind, subject
        Whom it is about: a customer's or an account's id as it is stored.
    one
        What makes it one hit, beside portfolio, rule and subject: a business day, the start of an episode. A run that
        finds it again, or more of it on a later day, gives the same.
    transactions
        Ids of the transactions that it rests on, in the order of time.
    values
        What was observed, by name. Never a name of a person.
    because
        One plain sentence: what was seen, and what it was compared with. Never a name, an account, or a card number.
    on
        Day whose numbers it was compared with.
    protected
        Personal data that explain it, such as the name that matched: kept apart.
    """

    kind: Literal["customer", "account"]
    subject: str
    one: Sequence[str]
    because: str
    on: date
    values: Mapping[str, Plain | Sequence[Plain]] = field(default_factory=dict)
    transactions: Sequence[str] = ()
    protected: Mapping[str, str] = field(default_factory=dict)

    def id_for(self, portfolio: str, rule: str) -> str:
        """The same for the same finding, whichever run makes it."""
        parts = (portfolio, rule, self.kind, self.subject, *self.one)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
