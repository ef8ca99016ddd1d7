"""An invented watch list, a new version every Monday, and customers whose names are on it or look as if they were.

The names are put together from parts that are no names of the customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from fraudops.intake.accounts_simulator.purposes import Purpose
from fraudops.intake.simulator.randomness import stream

COLUMNS = ("list_version", "entry_id", "name", "aliases", "date_of_birth", "country", "program")
_ENTRIES = 360
_GIVEN = (
    "Yusuf", "Mikhail", "Khalid", "Sergei", "Dmitri", "Abdullah", "Jorge", "Aleksandr", "Hüseyin", "Ramón", "Tariq",
    "Vyacheslav", "Mehmet", "Óscar", "Nikolai", "Rashid", "Yevgeny", "Ibrahima", "Zoltán", "Mahmud",
)  # fmt: skip
_FAMILY = (
    "Zarovich", "Karimdad", "Belyakovsky", "Al-Hashrani", "Drozdenko", "Quintarralde", "Ozyurtlu", "Tchernavin",
    "Morvanescu", "Bakhtarov", "El-Mansaroui", "Szarvadi", "Galvezano", "Petrashvili", "Odonkwara", "Haqqulov",
    "Vukadinac", "Rostamzadeh", "Yanchukov", "Saravundar",
)  # fmt: skip
_FIRMS = ("Orient Star", "Black Heron", "Golden Delta", "Meridian Gulf", "Iron Steppe", "Northern Tide", "Red Dune")
_TRADES = ("Shipping", "Trading", "Petroleum", "Holdings", "Export Import", "Aviation")
_FORMS = ("LLC", "Ltd", "OOO", "FZE", "S.A.")
_COUNTRIES = ("RU", "IR", "SY", "KP", "VE", "BY", "MM", "SD", "LB", "CU")
_PROGRAMS = ("INVENTED-TERROR", "INVENTED-NARCOTICS", "INVENTED-CYBER", "INVENTED-COUNTRY")
_SOUNDS = (
    ("Yusuf", "Youssef"), ("Mikhail", "Michail"), ("Khalid", "Chalid"), ("Sergei", "Sergey"), ("Dmitri", "Dmitry"),
    ("Aleksandr", "Alexander"), ("Abdullah", "Abdallah"), ("Vyacheslav", "Viacheslav"), ("Nikolai", "Nikolay"),
    ("Yevgeny", "Evgeniy"), ("Mehmet", "Mehmed"), ("Mahmud", "Mahmoud"), ("ovich", "owitsch"), ("sky", "skiy"),
    ("ü", "u"), ("ó", "o"), ("Ó", "O"), ("á", "a"), ("kh", "h"), ("Tch", "Ch"), ("zadeh", "zade"), ("ch", "tch"),
)  # fmt: skip
"""How the same name is written elsewhere."""


@dataclass(frozen=True)
class Entry:
    """An entry of the list."""

    entry_id: str
    name: str
    aliases: tuple[str, ...]
    born: date | None
    """None for a firm."""
    country: str
    program: str
    added: int
    removed: int
    """Ordinals of the days from which on it is on the list, and no more."""


@lru_cache(maxsize=4)
def entries(seed: int, start: date) -> tuple[Entry, ...]:
    """Every entry that the list ever has."""
    rng = stream(seed, Purpose.WATCHLIST)
    found = []
    for number in range(_ENTRIES):
        firm = number % 6 == 5
        if firm:
            base = f"{_FIRMS[rng.integers(len(_FIRMS))]} {_TRADES[rng.integers(len(_TRADES))]}"
            name = f"{base} {_FORMS[rng.integers(len(_FORMS))]}"
            aliases: tuple[str, ...] = (base,)
        else:
            # Every pair of names once: given names change fastest.
            name = (
                f"{_GIVEN[number % len(_GIVEN)]} {_FAMILY[(number + number // 6 + number // 120 * 7) % len(_FAMILY)]}"
            )
            other = f"{_GIVEN[(number * 7 + 3) % len(_GIVEN)]} {name.split(' ', 1)[1]}"
            aliases = (sounding_alike(name, rng), *([other] if number % 3 else []))
        born = None if firm else date(1945, 1, 1) + timedelta(days=int(rng.integers(0, 16_000)))
        late = number % 9 == 8
        added = start.toordinal() + (int(rng.integers(1, 300)) if late else -int(rng.integers(30, 3000)))
        gone = added + int(rng.integers(60, 400)) if number % 31 == 30 else date(2200, 1, 1).toordinal()
        found.append(
            Entry(f"WL{number + 1:05d}", name, tuple(dict.fromkeys(aliases)), born, str(rng.choice(_COUNTRIES)),
                  str(rng.choice(_PROGRAMS)), added, gone)
        )  # fmt: skip
    return tuple(found)


def sounding_alike(name: str, rng: np.random.Generator) -> str:
    """Another spelling of a name."""
    fitting = [(old, new) for old, new in _SOUNDS if old in name]
    if fitting:
        old, new = fitting[int(rng.integers(len(fitting)))]
        return name.replace(old, new, 1)
    place = int(rng.integers(2, len(name) - 1))
    return name[:place] + name[place - 1] + name[place:]


def version_of(day: date) -> str:
    """Version of a list that appears on a day."""
    return f"{day:%Y}-{day.toordinal() // 7 % 1000:03d}"


def appears(start: date, day: date) -> bool:
    """Whether a version appears on a day: on the world's first, and on Mondays."""
    return day == start or day.weekday() == 0


def list_of(seed: int, start: date, day: date) -> list[Entry]:
    """Entries of the version that appears on a day."""
    return [entry for entry in entries(seed, start) if entry.added <= day.toordinal() < entry.removed]


def lines(seed: int, start: date, day: date) -> list[tuple[str, ...]]:
    """Rows of the version that appears on a day."""
    version = version_of(day)
    return [
        (version, entry.entry_id, entry.name, "|".join(entry.aliases), entry.born.isoformat() if entry.born else "",
         entry.country, entry.program)
        for entry in list_of(seed, start, day)
    ]  # fmt: skip
