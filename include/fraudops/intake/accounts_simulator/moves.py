"""Movements on accounts, column by column, before they are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

CHANNELS = ("branch", "atm", "transfer", "card", "online", "wire")
BRANCH, ATM, TRANSFER, CARD, ONLINE, WIRE = range(len(CHANNELS))
IN, OUT = 0, 1
NOBODY = -1


@dataclass(frozen=True, eq=False)
class Moves:
    """Columns of equal length, one entry per movement, seen from one of our accounts."""

    second: np.ndarray
    """Of the day, UTC."""
    account: np.ndarray
    counterparty: np.ndarray
    """Account on the other side, ours or another bank's; :data:`NOBODY` for cash."""
    minor: np.ndarray
    direction: np.ndarray
    cash: np.ndarray
    channel: np.ndarray
    place: np.ndarray
    """Branch or machine; :data:`NOBODY` where it was neither."""
    behalf: np.ndarray
    """Customer for whom it was done; :data:`NOBODY`: for the holder."""
    fraud: np.ndarray
    """What the holder will report."""
    story: np.ndarray
    """Number among the day's stories; :data:`NOBODY`: everyday life."""

    def __len__(self) -> int:
        return len(self.second)

    def take(self, places: np.ndarray) -> Moves:
        """Some of them, in the order of ``places``."""
        return Moves(*(getattr(self, item.name)[places] for item in fields(self)))


def moves(
    account: np.ndarray,
    second: np.ndarray,
    minor: np.ndarray,
    *,
    direction: int,
    channel: int,
    counterparty: np.ndarray | int = NOBODY,
    place: np.ndarray | int = NOBODY,
    cash: bool = False,
    fraud: bool = False,
) -> Moves:
    """Movements of one kind."""

    def filled(value: np.ndarray | int | bool, kind: type) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, kind), len(account)).copy()

    return Moves(
        second=np.asarray(second, np.int64) % 86_400,
        account=np.asarray(account, np.int64),
        counterparty=filled(counterparty, np.int64),
        minor=np.maximum(np.asarray(minor), 1).astype(np.int64),
        direction=filled(direction, np.int64),
        cash=filled(cash, bool),
        channel=filled(channel, np.int64),
        place=filled(place, np.int64),
        behalf=filled(NOBODY, np.int64),
        fraud=filled(fraud, bool),
        story=filled(NOBODY, np.int64),
    )


def joined(parts: Iterable[Moves]) -> Moves:
    """All of them, one part after the other."""
    found = list(parts)
    return Moves(*(np.concatenate([getattr(part, item.name) for part in found]) for item in fields(Moves)))
