"""Hits keep their ids when the key of the tokens changes, although an account's token is part of what an id is made of.

An id that is made under the keys of now leads to the one under which the hit is known since it was first found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from fraudops.store import Store, canonical_json

_AREA, _NAME, _PLANNED = "protected", "hit_ids.json", "hit_ids.turned.json"


def read_hit_ids(store: Store, portfolio: str) -> dict[str, str]:
    """Id as it is made now → id under which the hit is known; without those that are the same."""
    return _read(store, portfolio, _NAME) or {}


def plan_hit_ids(store: Store, portfolio: str, ids: Mapping[str, str]) -> None:
    """What they will be, once the key has changed."""
    store.put(canonical_json(dict(ids)) + b"\n", _AREA, portfolio, _PLANNED)


def swap_hit_ids(store: Store, portfolio: str) -> None:
    """Let those count that were planned; may run again."""
    planned = _read(store, portfolio, _PLANNED)
    if planned is not None:
        store.put(canonical_json(planned) + b"\n", _AREA, portfolio, _NAME)
        forget_planned(store, portfolio)


def forget_planned(store: Store, portfolio: str) -> None:
    """Forget what was planned."""
    store.path(_AREA, portfolio, _PLANNED).unlink(missing_ok=True)


def _read(store: Store, portfolio: str, name: str) -> dict[str, str] | None:
    try:
        found: dict[str, str] = json.loads(store.get(_AREA, portfolio, name))
    except FileNotFoundError:
        return None
    return found
