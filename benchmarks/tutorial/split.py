"""Which rows are learned from and which are tested: places in the file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]

TUTORIAL, TIME = "tutorial", "time"
TEST_SHARE = 0.2
SEED = 42


def split(kind: str, rows: int) -> tuple[Places, Places]:
    """Places of the rows to learn from and of those to test, each in the order of the file.

    Parameters
    ----------
    kind
        ``tutorial``: the very rows of ``train_test_split(…, test_size=0.2, random_state=42)``. ``time``: the
        last fifth of the file, which is in the order of time, is tested.
    """
    if kind == TIME:
        cut = round(rows * (1 - TEST_SHARE))
        return np.arange(cut), np.arange(cut, rows)
    from sklearn.model_selection import train_test_split

    learned, tested = train_test_split(np.arange(rows), test_size=TEST_SHARE, random_state=SEED)
    return np.sort(learned), np.sort(tested)
