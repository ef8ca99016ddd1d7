"""What investigators find: few payments, looked at the day after, chosen because they looked like fraud.

The world knows no alerts. As an alert would, the choice leans to fraud and to large amounts, so these labels are few,
early and not like the rest; a small part is wrong, and is put right the day after or by a chargeback.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa

from fraudops.intake.simulator.days import arriving, timestamps
from fraudops.intake.simulator.randomness import Purpose, stream
from fraudops.intake.simulator.world import DISPOSITION_COLUMNS, Day, World, simulate

LONGEST_DISPOSITION = timedelta(days=2)
"""No finding comes later than this after its payment."""

_HOUR, _DAY = 3_600, 86_400
_SEEN_FRAUDS = 0.35
"""Share of the frauds that somebody looks at."""
_SEEN_GENUINE = 0.003
"""Share of all payments that are looked at and are genuine: among the largest amounts."""
_UNDECIDED, _MISTAKEN = 0.05, 0.04
_NAMES = np.array(["a.keller", "b.moreau", "c.santos", "d.lindqvist"])


def dispositions(world: World, first: date, last: date) -> pd.DataFrame:
    """Findings that are reported on some days, in the order of their times.

    Returns
    -------
    pandas.DataFrame
        ``transaction_id``, ``reported_at`` (UTC, to the second), ``finding``, ``by``.
    """
    days = world.days(max(world.start, first - LONGEST_DISPOSITION), last)
    return arriving([_findings_of(world, day) for day in days], first, last)


@lru_cache(maxsize=4096)
def _findings_of(world: World, day: date) -> pd.DataFrame:
    return findings(world, simulate(world, day))


def findings(world: World, simulated: Day) -> pd.DataFrame:
    """What is found, whenever that is, about the payments of a simulated day."""
    rng = stream(world.seed, Purpose.DISPOSITIONS, simulated.day)
    payments = simulated.payments
    is_fraud = payments.scenario > 0
    frauds = np.flatnonzero(is_fraud & (rng.random(len(payments)) < _SEEN_FRAUDS))
    genuine = np.flatnonzero(~is_fraud)
    largest = genuine[np.argsort(-payments.minor[genuine], kind="stable")]
    wanted = round(_SEEN_GENUINE * len(payments))
    chosen = rng.permutation(largest[: 3 * wanted])[:wanted]
    numbers = np.sort(np.r_[frauds, chosen])
    size = len(numbers)
    luck, investigator = rng.random(size), rng.integers(0, len(_NAMES), size=size)
    truth = np.where(is_fraud[numbers], "fraud", "not_fraud").astype(object)
    mistaken = luck < _MISTAKEN
    said = np.where(mistaken, np.where(is_fraud[numbers], "not_fraud", "fraud"), truth)
    said = np.where((luck >= _MISTAKEN) & (luck < _MISTAKEN + _UNDECIDED), "insufficient", said)
    when = _DAY + rng.integers(8 * _HOUR, 18 * _HOUR, size=size)
    # A genuine payment that was taken for fraud: the customer calls, and the finding is put right the day after.
    wrong = np.flatnonzero(mistaken & ~is_fraud[numbers])
    ids = simulated.ids(np.r_[numbers, numbers[wrong]])
    columns = (
        ids,
        timestamps(simulated.day, np.r_[when, when[wrong] + _DAY]),
        pa.array(np.r_[said, truth[wrong]], pa.string()),
        pa.array(_NAMES[np.r_[investigator, investigator[wrong]]], pa.string()),
    )
    return pa.table(dict(zip(DISPOSITION_COLUMNS, columns, strict=True))).to_pandas()
