"""Which partitions a landing is asked for."""

from __future__ import annotations

from collections.abc import Iterable
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
    removed: frozenset[int] = frozenset()
    """Those that retention has removed: nobody gets them back by landing their files once more."""

    @classmethod
    def between(
        cls, partitioning: Partitioning, first: str | None, last: str | None, removed: Iterable[str] = ()
    ) -> Asked:
        bounds = []
        for name, key, default in (("first", first, -(2**62)), ("last", last, 2**62)):
            try:
                start = None if key is None else partitioning.start(key)
            except ValueError as error:
                raise ContractError(str(error), where=name) from None
            bounds.append(default if start is None else (start - partitioning.epoch) // partitioning.length)
        gone = frozenset((partitioning.start(key) - partitioning.epoch) // partitioning.length for key in removed)
        return cls(partitioning, bounds[0], bounds[1], gone)

    def contains(self, code: int) -> bool:
        return self.lowest <= code <= self.highest and code not in self.removed

    def mask(self, codes: np.ndarray) -> np.ndarray:
        within = (codes >= self.lowest) & (codes <= self.highest)
        return within & ~np.isin(codes, sorted(self.removed)) if self.removed else within

    def key(self, code: int) -> str | None:
        """Key of a partition's code; None for no partition."""
        if code == NOWHERE:
            return None
        return self.partitioning.key_of(self.partitioning.epoch + code * self.partitioning.length)

    def contains_key(self, key: str) -> bool:
        return self.contains((self.partitioning.start(key) - self.partitioning.epoch) // self.partitioning.length)
