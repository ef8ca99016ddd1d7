"""From looks to statuses: a pure function over what is stored, in the order of time.

Whoever wrote a look, when, and in which order: the same looks end in the same statuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fraudops.portfolio.monitoring import Hysteresis

Status = Literal["unknown", "ok", "watch", "act"]
ORDER: tuple[Status, ...] = ("unknown", "ok", "watch", "act")


@dataclass(frozen=True)
class Look:
    """What was seen at the end of one partition.

    Attributes
    ----------
    version
        The champion that it is about.
    levels
        Family of checks → ``ok``, ``watch`` or ``act``; a family that could not be judged is absent.
    """

    key: str
    version: str
    levels: Mapping[str, Status]


@dataclass(frozen=True)
class State:
    """Status after one partition.

    Attributes
    ----------
    since
        First partition of the current stretch of this status.
    families
        Family → its status and since when.
    """

    key: str
    version: str
    status: Status
    since: str
    families: Mapping[str, tuple[Status, str]] = field(default_factory=dict)

    @property
    def reasons(self) -> list[str]:
        """Families that have the overall status, where that is more than ok."""
        if self.status not in ("watch", "act"):
            return []
        return [family for family, (status, _) in self.families.items() if status == self.status]


def worst(statuses: Iterable[Status]) -> Status:
    """The one that asks for most; ``unknown`` where there is none."""
    return max(statuses, key=ORDER.index, default="unknown")


def fold(looks: Sequence[Look], rule: Hysteresis) -> list[State]:
    """Statuses after each look.

    A status begins when ``rule.enter`` of the last ``rule.of`` judged looks of a family show it or a graver one, and
    ends when at most ``rule.leave`` still do. A new champion begins anew: it is compared with another reference.

    Parameters
    ----------
    looks
        In any order; they are taken in the order of their keys.
    """
    states: list[State] = []
    seen: dict[str, list[Status]] = {}
    for look in sorted(looks, key=lambda look: look.key):
        before = states[-1] if states and states[-1].version == look.version else None
        if before is None:
            seen = {}
        families: dict[str, tuple[Status, str]] = {}
        for family in sorted({*seen, *look.levels}):
            if family in look.levels:
                seen[family] = [*seen.get(family, []), look.levels[family]][-rule.of :]
            was, since = before.families.get(family, ("ok", look.key)) if before else ("ok", look.key)
            now = _next(was, seen[family], rule)
            families[family] = (now, since if now == was else look.key)
        status = worst(status for status, _ in families.values())
        begins = before.since if before and before.status == status else look.key
        states.append(State(look.key, look.version, status, begins, families))
    return states


def _next(was: Status, recent: Sequence[Status], rule: Hysteresis) -> Status:
    def showing(status: Status) -> int:
        return sum(ORDER.index(level) >= ORDER.index(status) for level in recent)

    graver: tuple[Status, ...] = ("act", "watch")
    for status in graver:
        held = ORDER.index(was) >= ORDER.index(status)
        if showing(status) >= rule.enter or (held and showing(status) > rule.leave):
            return status
    return "ok"
