"""What there is to do, asked of the store: which partitions have a score, which wait for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from fraudops.decisions.scoring import is_fresh
from fraudops.decisions.succession import Succession
from fraudops.features import outdated
from fraudops.portfolio import Portfolio
from fraudops.store import removed_keys
from fraudops.workspace import Workspace

PartitionState = Literal["scored", "stale", "pending", "history", "removed"]


def partition_states(ws: Workspace, portfolio: Portfolio) -> dict[str, PartitionState]:
    """State of every published partition of transactions, in the order of time.

    - ``scored``;
    - ``stale``: scored, but its transactions or features have changed since, or its features would come out
      otherwise now, because an earlier partition or a label came late or was corrected;
    - ``pending``: to be scored as soon as there is a champion, which may be now;
    - ``history``: never to be scored, because the first champion may have been trained on it;
    - ``removed``: its scores were removed by retention, and are not to be made anew.

    Each dataset is listed once; manifests are read only of what has been scored.
    """
    states: dict[str, PartitionState] = dict.fromkeys(ws.store.keys("transactions", portfolio.name), "scored")
    return states | dict(_unscored(ws, portfolio)) | dict.fromkeys(stale_keys(ws, portfolio), "stale")


def stale_keys(ws: Workspace, portfolio: Portfolio, *, since: str | None = None) -> list[str]:
    """Partitions whose scores were made from what has changed since, in the order of time.

    Parameters
    ----------
    since
        Look at this partition and later ones only: what comes late changes nothing before it.
    """
    published = set(ws.store.keys("transactions", portfolio.name))
    scored = [key for key in ws.store.keys("scores", portfolio.name) if since is None or key >= since]
    scored = [key for key in scored if key in published]
    fresh = {key for key in scored if is_fresh(ws, ws.store.require("scores", portfolio.name, key))}
    return sorted((set(scored) - fresh) | set(outdated(ws, portfolio, fresh)))


def pending_keys(ws: Workspace, portfolio: Portfolio) -> list[str]:
    """Partitions that have no score and are to get one, in the order of time."""
    return [key for key, state in _unscored(ws, portfolio) if state == "pending"]


def history_keys(ws: Workspace, portfolio: Portfolio) -> list[str]:
    """Partitions that are never scored because the first champion may have been trained on them."""
    return [key for key, state in _unscored(ws, portfolio) if state == "history"]


def _unscored(ws: Workspace, portfolio: Portfolio) -> Iterator[tuple[str, Literal["pending", "history", "removed"]]]:
    with ws.transaction() as session:
        succession = Succession.read(session, portfolio)
    scored, removed = set(ws.store.keys("scores", portfolio.name)), removed_keys(ws.store, "scores", portfolio.name)
    for key in ws.store.keys("transactions", portfolio.name):
        if key in removed:
            yield key, "removed"
        elif key not in scored:
            yield key, "history" if succession.model_for(key) == "history" else "pending"
