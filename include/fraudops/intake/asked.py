"""Which partitions a landing is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudops.errors import ContractError
from fraudops.intake.mapping import NOWHERE
from fraudops.portfolio import Partitioning


@dataclass(frozen=True)
class Asked:
    """The partitions that are wanted, as codes: their numbers since 1970."""

    partitioning: Partitioning
    lowest: int
    highest: int

    @classmethod
    def between(cls, partitioning: Partitioning, first: str | None, last: str | None) -> Asked:
        bounds = []
        for name, key, default in (("first", first, -(2**62)), ("last", last, 2**62)):
            try:
                start = None if key is None else partitioning.start(key)
            except ValueError as error:
                raise ContractError(str(error), where=name) from None
            bounds.append(default if start is None else (start - partitioning.epoch) // partitioning.length)
        return cls(partitioning, bounds[0], bounds[1])

    def contains(self, code: int) -> bool:
        return self.lowest <= code <= self.highest

    def mask(self, codes: np.ndarray) -> np.ndarray:
        return (codes >= self.lowest) & (codes <= self.highest)

    def key(self, code: int) -> str | None:
        """Key of a partition's code; None for no partition."""
        if code == NOWHERE:
            return None
        return self.partitioning.key_of(self.partitioning.epoch + code * self.partitioning.length)

    def contains_key(self, key: str) -> bool:
        return self.contains((self.partitioning.start(key) - self.partitioning.epoch) // self.partitioning.length)
