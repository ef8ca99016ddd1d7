"""Who of the customers bears a name like one on a list?

Names are compared as :mod:`fraudops.rules.likeness` says: part by part, in any order, as they sound. Names of the same
letters, divided into words differently, count as nearly the same. Scores are in thousandths.

Dates of birth are evidence: the same date adds to the score, another one takes from it, a missing one says nothing.

Everybody is compared with every entry, and nothing is lost on the way (:mod:`fraudops.rules.candidates`). Whoever
knows which customers and which entries have changed since the last time uses :func:`screen_changes`; it finds what
:func:`screen` would find about them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Literal

from fraudops.rules.candidates import Spelling, candidates, spellings
from fraudops.rules.likeness import SAME_LETTERS, TOP, How, Likeness, likeness

_FEWEST_LETTERS = 8
"""Shorter names are not compared by their letters alone."""
_ROUNDED = 1
"""Scores are rounded to thousandths, their bounds are not."""

Birth = Literal["agrees", "near", "contradicts", "unknown"]


@dataclass(frozen=True)
class Party:
    """A customer, or an entry of a list.

    Attributes
    ----------
    id
        Customer id or entry id.
    names
        The name first, then the aliases.
    born
        ``YYYY-MM-DD``, ``YYYY`` where only the year is known, empty where nothing is.
    business
        Of a customer: whether it is a business, whose legal form is not compared.
    """

    id: str
    names: tuple[str, ...]
    born: str = ""
    business: bool = False


@dataclass(frozen=True)
class Criteria:
    """What makes a match; thousandths of a score.

    Attributes
    ----------
    threshold
        The least score.
    birth_agrees, birth_contradicts
        What the same date of birth adds, and another one takes.
    """

    threshold: int = 850
    birth_agrees: int = 50
    birth_contradicts: int = 200


@dataclass(frozen=True)
class Match:
    """A customer who may be an entry of the list.

    Attributes
    ----------
    customer, entry
        Their ids.
    score
        Thousandths: that of the names with the evidence of the dates of birth.
    name_score
        Of the names alone.
    customer_name, entry_name
        Which of the names matched: 0 is the name, 1 the first alias.
    how
        How the names agree.
    parts, of
        How many parts of the name agree, of how many the longer one has.
    birth
        What the dates of birth say.
    """

    customer: str
    entry: str
    score: int
    name_score: int
    customer_name: int
    entry_name: int
    how: How
    parts: int
    of: int
    birth: Birth


def screen(customers: Sequence[Party], entries: Sequence[Party], criteria: Criteria) -> list[Match]:
    """Compare all customers with all entries.

    Returns
    -------
    list of Match
        The best one for each customer and entry, sorted by their ids.
    """
    found = chain(
        _screen([party for party in customers if not party.business], entries, criteria, business=False),
        _screen([party for party in customers if party.business], entries, criteria, business=True),
    )
    return sorted(found, key=lambda match: (match.customer, match.entry))


def screen_changes(
    customers: Sequence[Party],
    entries: Sequence[Party],
    criteria: Criteria,
    *,
    new_customers: Collection[str],
    new_entries: Collection[str],
) -> list[Match]:
    """What :func:`screen` finds about customers and entries that are new or have changed, by their ids."""
    fresh = [party for party in customers if party.id in new_customers]
    settled = [party for party in customers if party.id not in new_customers]
    listed = [party for party in entries if party.id in new_entries]
    found = screen(fresh, entries, criteria) + screen(settled, listed, criteria)
    return sorted(found, key=lambda match: (match.customer, match.entry))


def compare_births(one: str, other: str) -> Birth:
    """What two dates of birth say.

    ``near`` is what a slip of the pen, or a list that knows no better, makes of the same date: the same year, a
    neighbouring one where only years are known, day and month exchanged, or one of day, month and year alone different.

    Examples
    --------
    >>> [compare_births("1962-03-05", other) for other in ("1962-03-05", "1962-05-03", "1962", "1971-08-30", "")]
    ['agrees', 'near', 'near', 'contradicts', 'unknown']
    """
    if not one or not other:
        return "unknown"
    if one == other and len(one) == len("YYYY-MM-DD"):
        return "agrees"
    first, second = one.split("-"), other.split("-")
    if len(first) < 3 or len(second) < 3:
        return "near" if abs(int(first[0]) - int(second[0])) <= 1 else "contradicts"
    if first[0] == second[0] or sum(a == b for a, b in zip(first, second, strict=True)) == 2:
        return "near"
    return "contradicts"


def _screen(
    customers: Sequence[Party], entries: Sequence[Party], criteria: Criteria, *, business: bool
) -> Iterator[Match]:
    if not customers or not entries:
        return
    theirs, listed = spellings(customers, business=business), spellings(entries, business=business)
    rated = _rater()
    best: dict[tuple[int, int], Match] = {}
    least = criteria.threshold - criteria.birth_agrees - 1
    for one, other, most in candidates(theirs, listed, least, fewest_letters=_FEWEST_LETTERS):
        customer, entry = customers[one.party], entries[other.party]
        birth = compare_births(customer.born, entry.born)
        evidence = _evidence(birth, criteria)
        # Rating two names is what takes time: most pairs cannot reach the threshold with such dates of birth.
        if most + evidence + _ROUNDED < criteria.threshold:
            continue
        found = rated(one, other)
        if found is None or found.score + evidence < criteria.threshold:
            continue
        match = Match(
            customer=customer.id,
            entry=entry.id,
            score=max(0, min(TOP, found.score + evidence)),
            name_score=found.score,
            customer_name=one.number,
            entry_name=other.number,
            how=found.how,
            parts=found.parts,
            of=found.of,
            birth=birth,
        )
        pair = (one.party, other.party)
        if pair not in best or _rank(match) > _rank(best[pair]):
            best[pair] = match
    yield from best.values()


def _evidence(birth: Birth, criteria: Criteria) -> int:
    return {"agrees": criteria.birth_agrees, "contradicts": -criteria.birth_contradicts}.get(birth, 0)


def _rank(match: Match) -> tuple[int, int, int]:
    """The higher, the better; of equal ones the name before the aliases."""
    return match.name_score, -match.entry_name, -match.customer_name


def _rater() -> Callable[[Spelling, Spelling], Likeness | None]:
    """Rates pairs of spellings, each pair of texts once: many customers have the same name."""
    of_parts = lru_cache(maxsize=1 << 18)(likeness)

    def rate(one: Spelling, other: Spelling) -> Likeness | None:
        found = of_parts(one.parts, other.parts)
        if one.letters != other.letters or len(one.letters) < _FEWEST_LETTERS:
            return found
        if found is not None and found.score >= SAME_LETTERS:
            return found
        longer = max(len(one.parts), len(other.parts))
        return Likeness(SAME_LETTERS, "same letters, divided differently", longer, longer)

    return rate
