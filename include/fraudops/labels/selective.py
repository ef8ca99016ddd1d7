"""Labels that decisions select, and what a labelled row then stands for.

What was really blocked never happened: nobody reports it. What was allowed may be looked at by nobody. Scores keep how
each transaction was decided (its *route*) and how likely its label was to become known (its *propensity*); a row whose
label became known by chance stands for all those like it, one divided by its propensity.

What was not scored, because there was no champion yet, was decided by nobody: it stands for itself.

References
----------
Horvitz and Thompson (1952), A generalization of sampling without replacement from a finite universe.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from fraudops.portfolio import Labels, Portfolio

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

POLICY, PASSED_BLOCK, SAMPLE = "policy", "passed_block", "sample"
ROUTES = (POLICY, PASSED_BLOCK, SAMPLE)
"""Why a transaction was decided as it was: by the thresholds; as a block that was passed to review; as a sample."""

WEIGHT = "label_weight"
"""Column of a data set: how many transactions a row stands for; absent where labels tell all."""

_COLUMNS = ("transaction_id", "decision", "route", "propensity")


def decided_keys(ws: Workspace, portfolio: Portfolio, keys: Sequence[str]) -> list[str]:
    """Partitions of these whose decisions tell which labels are known; none where labels tell all."""
    if not portfolio.labels.selective:
        return []
    scored = set(ws.store.keys("scores", portfolio.name))
    return [key for key in keys if key in scored]


def label_weights(
    ws: Workspace, portfolio: Portfolio, frame: pd.DataFrame, known: pd.DataFrame, keys: Sequence[str]
) -> np.ndarray:
    """How many transactions each row stands for; 0 for one whose label tells nothing.

    Parameters
    ----------
    frame
        Transactions of these partitions, with ``transaction_id``.
    known
        Result of :func:`fraudops.labels.reports`.
    keys
        Partitions that the frame covers.
    """
    if not portfolio.labels.selective:
        return np.ones(len(frame))
    tables = [_decisions(ws, portfolio, key) for key in decided_keys(ws, portfolio, keys)]
    decided = pd.concat([pd.DataFrame(columns=list(_COLUMNS)), *tables]).set_index("transaction_id")
    here = decided.reindex(frame["transaction_id"])
    last = known.drop_duplicates("transaction_id", keep="last")
    reported = frame["transaction_id"].isin(last.loc[last["label"].notna(), "transaction_id"]).to_numpy()
    return weigh(
        portfolio.labels,
        decision=here["decision"].to_numpy(object),
        route=here["route"].to_numpy(object),
        propensity=here["propensity"].to_numpy(np.float64),
        reported=reported,
    )


def weigh(
    labels: Labels, *, decision: np.ndarray, route: np.ndarray, propensity: np.ndarray, reported: np.ndarray
) -> np.ndarray:
    """The rule of :func:`label_weights`, on arrays.

    Parameters
    ----------
    decision, route, propensity
        As scores keep them; missing for what was not scored.
    reported
        Whether somebody said what the transaction was.
    """
    weight = np.ones(len(decision))
    by_chance = np.zeros(len(decision), dtype=bool)
    if labels.blocked == "unlabelled":
        # Also where a block was reported all the same: those that were passed already stand for it.
        weight[decision == "block"] = 0.0
        by_chance |= route == PASSED_BLOCK
    if labels.unreported == "unknown":
        weight[(decision == "allow") | ~reported] = 0.0
        by_chance |= route == SAMPLE
    weight[by_chance] /= propensity[by_chance]
    return weight


def _decisions(ws: Workspace, portfolio: Portfolio, key: str) -> pd.DataFrame:
    table = ws.store.read_partition("scores", portfolio.name, key)
    if "route" not in table.column_names:
        # Scored before anything was decided by chance.
        table = table.append_column("route", pa.array([POLICY] * table.num_rows, pa.string()))
        table = table.append_column("propensity", pa.array(np.ones(table.num_rows)))
    return table.select(list(_COLUMNS)).to_pandas()
