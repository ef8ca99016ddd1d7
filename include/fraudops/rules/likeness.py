"""How alike are two names? One number, and what it rests on.

A name is compared part by part, in whatever order the parts come. Two parts agree where they sound alike: twice their
common letters in order, over all their letters, is at least :data:`ALIKE`. The score of two names is

    sum over agreeing parts of likeness times letters / (letters of agreeing parts + weight times letters of the rest)

where the rest weighs little (:data:`LEFT_OUT`) if only one of the two names has more parts than agree, since people
leave out middle names, and fully if both have. At least two parts must agree, unless one of the names is a single part;
then what is left over weighs double. A name that agrees only as it sounds loses :data:`AS_IT_SOUNDS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Indel

from fraudops.rules.names import sound

ALIKE = 0.7
LEFT_OUT = 0.4
AS_IT_SOUNDS = 10
SAME_LETTERS = 970
"""Names of the same letters, divided into words differently."""
TOP = 1000
_ALONE = 2.0

How = Literal["as written", "as it sounds", "same letters, divided differently"]


@dataclass(frozen=True)
class Likeness:
    """How alike two names are.

    Attributes
    ----------
    score
        Thousandths.
    how
        How they agree.
    parts, of
        How many parts agree, of how many the longer name has.
    """

    score: int
    how: How
    parts: int
    of: int


def likeness(one: tuple[str, ...], other: tuple[str, ...]) -> Likeness | None:
    """Compare the parts of two names; None where too few agree.

    Examples
    --------
    >>> likeness(("john", "smith"), ("smith", "john", "michael"))
    Likeness(score=865, how='as written', parts=2, of=3)
    >>> likeness(("viktor", "petrov"), ("victor", "petroff"))
    Likeness(score=990, how='as it sounds', parts=2, of=2)
    >>> likeness(("john", "smith"), ("john", "miller")) is None
    True
    """
    agreeing = _agreeing(one, other)
    shorter, longer = sorted((len(one), len(other)))
    if len(agreeing) < min(2, shorter):
        return None
    lengths, others = [len(sound(part)) for part in one], [len(sound(part)) for part in other]
    common = sum(lengths[i] + others[j] for _, i, j in agreeing)
    alike = sum(value * (lengths[i] + others[j]) for value, i, j in agreeing)
    rest = sum(lengths) + sum(others) - common
    written = all(one[i] == other[j] for _, i, j in agreeing)
    score = round(TOP * alike / (common + _weight(len(agreeing), shorter) * rest))
    return Likeness(
        score=score if written else max(0, score - AS_IT_SOUNDS),
        how="as written" if written else "as it sounds",
        parts=len(agreeing),
        of=longer,
    )


def bound(
    pairs: npt.NDArray[np.int64],
    common: npt.NDArray[np.int64],
    alike: npt.NDArray[np.float64],
    letters: npt.NDArray[np.int64],
    shorter: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """The most that :func:`likeness` can say, from sums over all pairs of parts that sound alike. Shapes (n,).

    Parameters
    ----------
    pairs
        How many pairs of parts sound alike.
    common, alike
        Their letters, and likeness times letters.
    letters
        Of both names together.
    shorter
        Parts of the name that has fewer.
    """
    # A part that sounds like two others is in two pairs: then only the sum of likeness bounds anything.
    loose = alike / np.maximum(LEFT_OUT * letters + (1 - LEFT_OUT) * alike, alike)
    needed = np.minimum(2, shorter)
    weight = np.where(needed == 1, _ALONE, np.where(shorter == 2, LEFT_OUT, 1.0))
    rest = np.maximum(letters - common, 0)
    tight = alike / (common + weight * rest)
    found: npt.NDArray[np.float64] = np.where(pairs == needed, tight, loose)
    return np.where(pairs >= needed, TOP * found, 0.0)


def _weight(agreeing: int, shorter: int) -> float:
    if agreeing < 2:
        return _ALONE
    return LEFT_OUT if agreeing == shorter else 1.0


def _agreeing(one: tuple[str, ...], other: tuple[str, ...]) -> list[tuple[float, int, int]]:
    """Parts that sound alike, the likest first, each once: (likeness, place in one, place in other)."""
    pairs = [
        (value, i, j)
        for i, mine in enumerate(one)
        for j, yours in enumerate(other)
        if (value := _alike(sound(mine), sound(yours))) >= ALIKE
    ]
    taken: list[tuple[float, int, int]] = []
    for value, i, j in sorted(pairs, key=_likest_first):
        if all(i != mine and j != yours for _, mine, yours in taken):
            taken.append((value, i, j))
    return taken


def _alike(one: str, other: str) -> float:
    value: float = Indel.normalized_similarity(one, other)
    return value


def _likest_first(pair: tuple[float, int, int]) -> Any:
    return -pair[0], pair[1], pair[2]
