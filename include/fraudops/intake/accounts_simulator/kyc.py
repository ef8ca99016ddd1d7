"""What the bank knows of its customers day by day: documents that are renewed, risk ratings that are reviewed.

A row says what was on file at the end of a day. Every customer renews in time and is reviewed in time, except the
part of the cast that is meant to be found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np

from fraudops.intake.accounts_simulator.people import People
from fraudops.intake.accounts_simulator.purposes import Purpose
from fraudops.intake.accounts_simulator.watchlist import entries, sounding_alike
from fraudops.intake.simulator.randomness import stream

COLUMNS = (
    "customer_id", "kind", "name", "aliases", "date_of_birth", "address_country", "risk_rating", "risk_rated_on",
    "documents", "opened_on",
)  # fmt: skip
_RATINGS = ("low", "medium", "high")
_REVIEWED = np.array([900, 600, 300])
"""Days after which a rating is reviewed, by rating: well before it is out of date (three, two years, one)."""
_NEVER = date(2199, 1, 1).toordinal()
_VALID = 3650
"""Days that a passport or a licence is valid."""


@dataclass(frozen=True)
class Finding:
    """Something about a customer's file, or name, that a rule should find; or a decoy."""

    kind: str
    variation: str
    customer: int
    decoy: bool
    rules: tuple[str, ...]
    since: date
    """Day from whose end on it can be known."""
    entry: str = ""
    """Entry of the watch list that it is about."""


@dataclass(frozen=True, eq=False)
class File:
    """The customers' files: what does not change, and when the rest does."""

    people: People
    names: np.ndarray
    aliases: dict[int, str]
    born: np.ndarray
    rating: np.ndarray
    """Index of the rating."""
    review: np.ndarray
    """Ordinal of some day on which it was reviewed."""
    frozen: np.ndarray
    """Never reviewed again."""
    expiry: np.ndarray
    """Ordinal of some day on which the document expires; 0: does not."""
    lapsed: np.ndarray
    """Not renewed."""
    missing: np.ndarray
    """No document on file."""
    findings: tuple[Finding, ...]

    def state(self, day: date) -> dict[str, np.ndarray]:
        """Rating day and expiry of each customer's document, as on file at the end of a day; ordinals."""
        today = day.toordinal()
        period = _REVIEWED[self.rating]
        rated = today - (today - self.review) % period
        rated = np.where(self.frozen, self.review, np.maximum(rated, self.people.opened))
        # A document is renewed some weeks before it expires.
        early = 15 + np.arange(len(self.expiry)) % 25
        left = (self.expiry - early - today) % _VALID
        expiry = today + early + np.where(left == 0, _VALID, left)
        kept = self.lapsed | (self.expiry == 0)
        return {"rated": rated, "expiry": np.where(kept, self.expiry, expiry)}

    def changed(self, day: date) -> np.ndarray:
        """Customers whose row is another one than the day before, or who came on the day."""
        now, before = self.state(day), self.state(date.fromordinal(day.toordinal() - 1))
        here = self.people.opened <= day.toordinal()
        other = (now["rated"] != before["rated"]) | (now["expiry"] != before["expiry"])
        return np.flatnonzero((here & other) | (self.people.opened == day.toordinal()))

    def lines(self, day: date, customers: np.ndarray) -> Iterator[tuple[str, ...]]:
        """Rows of some customers at the end of a day."""
        state = self.state(day)
        people = self.people
        for one in customers:
            business, expiry = bool(people.business[one]), int(state["expiry"][one])
            kind = "articles" if business else ("passport", "driving_licence")[one % 2]
            document = f"{kind}:{date.fromordinal(expiry) if expiry else ''}"
            yield (
                str(people.ids[one]),
                "business" if business else "person",
                str(self.names[one]),
                self.aliases.get(int(one), ""),
                "" if business else date.fromordinal(int(self.born[one])).isoformat(),
                "US",
                _RATINGS[self.rating[one]],
                date.fromordinal(int(state["rated"][one])).isoformat(),
                "" if self.missing[one] else document,
                date.fromordinal(int(people.opened[one])).isoformat(),
            )


@lru_cache(maxsize=4)
def customer_file(seed: int, people: People, start: date) -> File:
    """The customers' files."""
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, int(Purpose.PEOPLE), 1))))
    count, first = len(people.ids), start.toordinal()
    risks = rng.choice(3, count, p=[0.6, 0.3, 0.1]), rng.choice(3, count, p=[0.85, 0.12, 0.03])
    rating = np.where(people.business, *risks)
    file = File(
        people=people,
        names=people.names.astype(object),
        aliases={},
        born=people.born.copy(),
        rating=rating,
        review=first - rng.integers(0, 900, count),
        frozen=np.zeros(count, bool),
        expiry=np.where(people.business, 0, first + rng.integers(0, _VALID, count)),
        lapsed=np.zeros(count, bool),
        missing=np.zeros(count, bool),
        findings=(),
    )
    found = [*_expired(file, start), *_missing(file, start), *_outdated(file, start), *_named(file, seed, start)]
    object.__setattr__(file, "findings", tuple(found))
    return file


def _expired(file: File, start: date) -> Iterator[Finding]:
    """Documents that had expired before the world began, and some that expire in it."""
    for place, one in enumerate(file.people.cast["expired"]):
        late = 12 * (place - 2)
        file.expiry[one], file.lapsed[one] = start.toordinal() + late, True
        variation = "expired before the first day" if late < 0 else "expires and is not renewed"
        since = max(start, date.fromordinal(start.toordinal() + late + 1))
        yield Finding("expired_document", variation, int(one), False, ("document_expired",), since)


def _missing(file: File, start: date) -> Iterator[Finding]:
    for one in file.people.cast["missing"]:
        file.missing[one] = True
        yield Finding("missing_document", "none on file", int(one), False, ("document_missing",), start)


def _outdated(file: File, start: date) -> Iterator[Finding]:
    """Ratings that were not reviewed for longer than any policy allows."""
    limits = (1100, 740, 370)
    for place, one in enumerate(file.people.cast["outdated"]):
        file.rating[one] = place % 3
        age = limits[place % 3] - 9 * (place // 3 - 1)
        file.review[one], file.frozen[one] = start.toordinal() - age, True
        since = max(start, date.fromordinal(start.toordinal() - age + limits[place % 3]))
        variation = f"{_RATINGS[place % 3]} risk, never reviewed again"
        yield Finding("outdated_rating", variation, int(one), False, ("risk_rating_outdated",), since)


def _named(file: File, seed: int, start: date) -> Iterator[Finding]:
    """Customers who are on the list under another spelling, and some who only have a similar name."""
    rng = stream(seed, Purpose.WATCHLIST, date.fromordinal(1))
    listed = [entry for entry in entries(seed, start) if entry.born and entry.removed > _NEVER]
    people = file.people
    for place, one in enumerate(people.cast["screening"]):
        entry = listed[place * 11 % len(listed)]
        given, family = entry.name.split(" ", 1)
        ways = (
            ("another spelling", sounding_alike(entry.name, rng)),
            ("the order turned round", f"{family} {given}"),
            ("an alias of the list", entry.aliases[-1]),
            ("with a middle name, in capitals", f"{given} Anton {family}".upper()),
        )
        variation, name = ways[place % len(ways)]
        if place % 5 == 4:
            file.names[one], file.aliases[int(one)] = people.names[one], name
            variation = f"as the customer's alias: {variation}"
        else:
            file.names[one] = name
        file.born[one] = (entry.born or start).toordinal()
        since = max(start, date.fromordinal(max(entry.added, int(people.opened[one]))))
        yield Finding("screening", variation, int(one), False, ("name_screening",), since, entry.entry_id)
    for place, one in enumerate(people.cast["lookalike"]):
        entry = listed[(place * 13 + 5) % len(listed)]
        given, family = entry.name.split(" ", 1)
        if place % 2:
            file.names[one], variation = f"Karla {family}", "the family name alone"
        else:
            file.names[one], variation = f"{given} Winter", "the given name alone"
        yield Finding("lookalike", variation, int(one), True, ("name_screening",), start, entry.entry_id)
