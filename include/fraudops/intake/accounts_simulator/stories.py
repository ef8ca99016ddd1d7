"""Which stories begin on a day, and what of them happens on it."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from fraudops.intake.accounts_simulator.moves import NOBODY, Moves
from fraudops.intake.accounts_simulator.people import HELPERS, People
from fraudops.intake.accounts_simulator.plots import KINDS, Kind, first_day
from fraudops.intake.accounts_simulator.purposes import Purpose
from fraudops.intake.accounts_simulator.scenes import Event, Scene, Story
from fraudops.intake.simulator.randomness import before, starting

LONGEST = timedelta(days=24)
"""No story takes longer, from the day on which it begins."""
_COMPANY = 4
"""How many helpers a story may need."""


def stories_on(seed: int, people: People, start: date, day: date) -> list[tuple[Story, list[Event]]]:
    """Stories of which something happens on a day (UTC), with what does."""
    found = []
    for offset in range(LONGEST.days, -1, -1):
        for story in stories_from(seed, people, start, day - timedelta(days=offset)):
            events = [event for event in story.events if event.moment.date() == day]
            if events:
                found.append((story, events))
    return found


@lru_cache(maxsize=4096)
def stories_from(seed: int, people: People, start: date, day: date) -> tuple[Story, ...]:
    """Stories that begin on a day."""
    return tuple(
        _story(seed, people, kind, place, number, day)
        for place, kind in enumerate(KINDS)
        if day >= first_day(start, kind)
        for number in _numbers(kind, place, day)
    )


def _numbers(kind: Kind, place: int, day: date) -> range:
    """Numbers of the stories of a kind that begin on a day; kinds do not all begin on the same ones."""
    shifted = day + timedelta(days=3 * place)
    first = before(1 / kind.every, shifted)
    return range(first, first + starting(1 / kind.every, shifted))


def _story(seed: int, people: People, kind: Kind, place: int, number: int, day: date) -> Story:
    cast = people.cast[kind.part]
    # Each member is the subject in turn; who helps is in no story of their own.
    subject, helpers = int(cast[number % len(cast)]), people.cast[HELPERS]
    others = [int(helpers[(_COMPANY * number + 5 * place + more) % len(helpers)]) for more in range(_COMPANY)]
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, int(Purpose.STORIES), place, number))))
    scene = Scene(people, rng, day, subject, others)
    variation = kind.plots[number % len(kind.plots)](scene)
    behind = {event.behalf for event in scene.events if event.behalf != NOBODY}
    acting = {int(people.owner[event.account]) for event in scene.events}
    named = [subject, *sorted((behind | acting) - {subject})]
    return Story(
        kind=kind.name,
        variation=variation,
        number=number,
        decoy=kind.decoy,
        rules=kind.rules,
        customers=tuple(str(people.ids[one]) for one in named),
        events=tuple(sorted(scene.events, key=lambda event: event.moment)),
    )


def as_moves(events: list[Event], story: int) -> Moves:
    """Movements of a story on one day; ``story`` is its number among the day's."""

    def column(name: str, kind: type) -> np.ndarray:
        return np.array([getattr(event, name) for event in events], kind)

    seconds = [event.moment.hour * 3600 + event.moment.minute * 60 + event.moment.second for event in events]
    return Moves(
        second=np.array(seconds, np.int64),
        account=column("account", np.int64),
        counterparty=column("counterparty", np.int64),
        minor=column("minor", np.int64),
        direction=column("direction", np.int64),
        cash=column("cash", bool),
        channel=column("channel", np.int64),
        place=column("place", np.int64),
        behalf=column("behalf", np.int64),
        fraud=column("fraud", bool),
        story=np.full(len(events), story, np.int64),
    )


def signs_of_life(people: People, start: date, day: date) -> np.ndarray:
    """Accounts that will be dormant and move a little on a day: in the world's first days, and never again."""
    cast = people.cast["dormant"]
    return people.account[cast[cast % 5 == (day - start).days]] if day < start + timedelta(days=5) else cast[:0]
