"""Which transactions a training run learns from: those old enough for their labels to be known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from fraudops.errors import ContractError
from fraudops.features import model_frame
from fraudops.labels import matured, reports
from fraudops.labels.origins import LabelOrigins, origins
from fraudops.labels.selective import WEIGHT, label_weights
from fraudops.portfolio import Portfolio, format_duration

if TYPE_CHECKING:
    from fraudops.workspace import Workspace


@dataclass(frozen=True, eq=False)
class Matured:
    """Rows of which it was known whether they were fraud, and how many were left out, and why."""

    frame: pd.DataFrame
    immature: int
    withheld: int
    labels: LabelOrigins


def choose_rows(ws: Workspace, portfolio: Portfolio, keys: list[str], as_of: datetime) -> Matured:
    """Rows of which it was known at ``as_of`` whether they were fraud, each with what it stands for.

    Raises
    ------
    MissingPartitionError
        A partition has no features.
    ContractError
        There is no such row.
    """
    frame = model_frame(ws, portfolio, keys)
    known = reports(ws, portfolio, as_of=as_of, first=keys[0], last=keys[-1])
    label = matured(frame, known, delay=portfolio.labels.delay, as_of=as_of)
    # A young transaction that is already reported must wait as well: taking the reported ones of an age at
    # which the others are still unknown would make fraud look common at the end of the window.
    old_enough = frame["event_time"] + portfolio.labels.delay <= pd.Timestamp(as_of)
    mature = (label.notna() & old_enough).to_numpy()
    weight = label_weights(ws, portfolio, frame, known, keys)
    usable = mature & (weight > 0)
    if not usable.any():
        raise ContractError(
            f"none of {len(frame):,} transactions had a matured label at {as_of:%Y-%m-%d %H:%M} UTC "
            f"(the delay is {format_duration(portfolio.labels.delay)})",
            where=f"{portfolio.name} {keys[0]} to {keys[-1]}",
            remedy="load older history, or choose a later moment",
        )
    rows = frame[usable].assign(label=label[usable].astype(bool), **{WEIGHT: weight[usable]}).reset_index(drop=True)
    return Matured(
        rows,
        immature=int((~mature).sum()),
        withheld=int((mature & ~usable).sum()),
        labels=origins(rows["transaction_id"], known),
    )
