"""Which pairs of names are worth scoring? All that may reach the least score, and few others.

Parts are few where names are many: each part that a customer has is compared once with each part that the list has.
How many letters two parts share bounds how alike they can be, and one matrix product counts them for all pairs; only
what passes is compared in order. A sparse product then adds up what two names have in common, which bounds their score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Indel
from scipy import sparse

from fraudops.rules.likeness import ALIKE, TOP, bound
from fraudops.rules.names import letters, parts, sound

_ROWS = 512
"""Parts, or names, that are looked at together: bounds the memory."""
_REPEATS = 3
"""A letter is counted up to so many times in a part; the few that have more pass as they are."""


_COUNT, _LETTERS = 52, 36
_LETTERS_MASK, _ALIKE_MASK = (1 << (_COUNT - _LETTERS)) - 1, (1 << _LETTERS) - 1
"""Three sums in 64 bits: pairs of parts that sound alike, their letters, and likeness times letters."""
_FINE = 1024
_SLACK = 1e-3
"""For sums that are rounded."""


class Named(Protocol):
    """Somebody with names."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name, then the aliases."""
        ...


@dataclass(frozen=True)
class Spelling:
    """One name of somebody.

    Attributes
    ----------
    party
        Whose: the place in the list of parties.
    number
        Which: 0 for the name, 1 for the first alias.
    parts
        As :func:`fraudops.rules.names.parts` gives them.
    letters
        As :func:`fraudops.rules.names.letters` gives them.
    """

    party: int
    number: int
    parts: tuple[str, ...]
    letters: str


def spellings(parties: Sequence[Named], *, business: bool) -> list[Spelling]:
    """Every name of everybody of which anything can be read."""
    return [
        Spelling(party, number, found, letters(name))
        for party, named in enumerate(parties)
        for number, name in enumerate(named.names)
        if (found := parts(name, business=business))
    ]


def candidates(
    ones: Sequence[Spelling], others: Sequence[Spelling], least: int, *, fewest_letters: int
) -> Iterator[tuple[Spelling, Spelling, float]]:
    """Pairs whose :func:`fraudops.rules.likeness.likeness` may reach a score, and pairs of the same letters.

    Each comes with the most that its score can be; a pair that is both may come twice.

    Parameters
    ----------
    least
        Score in thousandths.
    fewest_letters
        Shorter names are not paired by their letters.
    """
    for one, other, most in chain(_by_parts(ones, others, least), _by_letters(ones, others, fewest_letters)):
        yield ones[one], others[other], most


def _by_letters(ones: Sequence[Spelling], others: Sequence[Spelling], fewest: int) -> Iterator[tuple[int, int, float]]:
    places: dict[str, list[int]] = {}
    for place, spelling in enumerate(others):
        if len(spelling.letters) >= fewest:
            places.setdefault(spelling.letters, []).append(place)
    for place, spelling in enumerate(ones):
        for other in places.get(spelling.letters, ()):
            yield place, other, float(TOP)


def _by_parts(ones: Sequence[Spelling], others: Sequence[Spelling], least: int) -> Iterator[tuple[int, int, float]]:
    if not ones or not others:
        return
    mine, my_sounds = _incidence(ones)
    yours, your_sounds = _incidence(others)
    # Of each part of ours: the names of theirs with a part that sounds like it.
    hearing = _alike(my_sounds, your_sounds) @ yours.T.tocsr()
    own, their = _sizes(ones), _sizes(others)
    for start in range(0, len(ones), _ROWS):
        shared = (mine[start : start + _ROWS] @ hearing).tocoo()
        row, column = start + shared.row, shared.col
        most = bound(
            shared.data >> _COUNT,
            (shared.data >> _LETTERS) & _LETTERS_MASK,
            (shared.data & _ALIKE_MASK) / _FINE,
            own.letters[row] + their.letters[column],
            np.minimum(own.parts[row], their.parts[column]),
        )
        most += _SLACK
        enough = most >= least
        yield from zip(row[enough].tolist(), column[enough].tolist(), most[enough].tolist(), strict=True)


@dataclass(frozen=True)
class _Sizes:
    parts: npt.NDArray[np.int64]
    letters: npt.NDArray[np.int64]


def _sizes(spelled: Sequence[Spelling]) -> _Sizes:
    """How many parts each name has, and how many letters these have as they sound."""
    return _Sizes(
        np.array([len(spelling.parts) for spelling in spelled]),
        np.array([sum(len(sound(part)) for part in spelling.parts) for spelling in spelled]),
    )


def _incidence(spelled: Sequence[Spelling]) -> tuple[sparse.csr_array, list[str]]:
    """Which names have which parts, as they sound; and these sounds."""
    sounds: dict[str, int] = {}
    rows, columns = [], []
    for row, spelling in enumerate(spelled):
        for part in spelling.parts:
            rows.append(row)
            columns.append(sounds.setdefault(sound(part), len(sounds)))
    ones = np.ones(len(rows), dtype=np.int64)
    return sparse.csr_array((ones, (rows, columns)), shape=(len(spelled), len(sounds))), list(sounds)


def _alike(ones: list[str], others: list[str]) -> sparse.csr_array:
    """Which sounds are alike. What is added up over a name is packed into one number: see :data:`_COUNT`."""
    lengths = np.array([len(text) for text in others], dtype=np.float32)
    theirs = _letter_counts(others).T.copy()
    rows, columns, packed = [], [], []
    for start in range(0, len(ones), _ROWS):
        chunk = ones[start : start + _ROWS]
        shared = _letter_counts(chunk) @ theirs
        both = np.array([len(text) for text in chunk], dtype=np.float32)[:, None] + lengths[None, :]
        row, column = np.nonzero(2 * shared >= ALIKE * both - _SLACK)
        value = process.cpdist(
            [chunk[place] for place in row.tolist()],
            [others[place] for place in column.tolist()],
            scorer=Indel.normalized_similarity,
            score_cutoff=ALIKE,
            dtype=np.float64,
        )
        found = value >= ALIKE
        row, column, value = row[found], column[found], value[found]
        letters_of_both = both[row, column].astype(np.int64)
        rows.append(row + start)
        columns.append(column)
        weighed = np.ceil(value * letters_of_both * _FINE).astype(np.int64)
        packed.append((1 << _COUNT) + (letters_of_both << _LETTERS) + weighed)
    where = (np.concatenate(rows), np.concatenate(columns))
    return sparse.csr_array((np.concatenate(packed), where), shape=(len(ones), len(others)))


def _letter_counts(sounds: Sequence[str]) -> npt.NDArray[np.float32]:
    """For each sound whether it has a first, a second, a third a, b, … Rows multiply to how many letters two share."""
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    columns = {letter: place * _REPEATS for place, letter in enumerate(alphabet)}
    found = np.zeros((len(sounds), len(alphabet) * _REPEATS + 1), dtype=np.float32)
    for row, text in enumerate(sounds):
        for letter in set(text):
            count = text.count(letter)
            place = columns[letter]
            found[row, place : place + min(count, _REPEATS)] = 1
            # More than that share at most the surplus of either.
            found[row, -1] += max(0, count - _REPEATS)
    return found
