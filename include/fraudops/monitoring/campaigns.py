"""Frauds that belong together: those of one terminal, one card, one customer.

A compromised terminal brings dozens of frauds in its own country and at its own hours. Counted one by one they would
look like dozens of witnesses for a new pattern; they are one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def campaigns(entities: Sequence[pd.Series], rows: int) -> np.ndarray:
    """Number of each fraud's campaign, from 0 on in the order of the rows.

    A fraud belongs to that of its entities which has most frauds (of equal ones the first); where none has another
    fraud, it is its own. Links are not followed further: a few stolen cards that meet at a few terminals would make
    one campaign of everything.

    Parameters
    ----------
    entities
        Columns that name an entity; a missing one links nothing.
    rows
        How many frauds there are.
    """
    best, names = np.ones(rows, dtype=np.int64), np.arange(rows, dtype=np.int64)
    offset = rows
    for column in entities:
        codes, distinct = pd.factorize(column.to_numpy(dtype=object))
        named = codes >= 0
        size = np.zeros(rows, dtype=np.int64)
        size[named] = np.bincount(codes[named], minlength=len(distinct))[codes[named]]
        better = size > best
        best[better], names[better] = size[better], codes[better] + offset
        offset += len(distinct)
    return pd.factorize(names)[0]
