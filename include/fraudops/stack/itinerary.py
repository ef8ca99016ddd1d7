"""What the demo will do: which partitions are loaded in bulk, which come day by day, from which files."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from fraudops.errors import ContractError, FraudopsError
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.files import source_of
from fraudops.intake.mapping import Mapper
from fraudops.intake.reading import read_batches
from fraudops.portfolio import Portfolio, Role
from fraudops.stack.folder import StackFolder
from fraudops.stack.secrets import write_private

_BULK_SHARE = 0.85
"""Share of a file's partitions that is loaded in bulk and trained on; the rest comes one by one."""


@dataclass(frozen=True)
class Simulation:
    """How the simulated world is made."""

    seed: int
    payments_per_day: int

    def to_dict(self) -> dict[str, Any]:
        """For the record."""
        return {"seed": self.seed, "payments_per_day": self.payments_per_day}


@dataclass(frozen=True)
class Itinerary:
    """The demo's plan for one portfolio."""

    portfolio: Portfolio
    first: str
    """First partition of the bulk load."""
    last: str
    """Its last one; training pretends to be at its end."""
    live: tuple[str, ...]
    """Partitions that follow, one run each, in the order of time."""
    simulation: Simulation | None = None
    file: str | None = None
    """Name of the file in the landing folder, where it is not simulated."""

    @property
    def bulk(self) -> list[str]:
        """All partitions of the bulk load."""
        return list(self.portfolio.partitioning.keys(self.first, self.last))

    @property
    def first_day(self) -> date:
        """The simulated world's first day."""
        return self.portfolio.partitioning.start(self.first).date()

    @property
    def last_bulk_day(self) -> date:
        """The last day of the bulk load."""
        return self.portfolio.partitioning.start(self.last).date()


def simulated(
    portfolio: Portfolio,
    folder: StackFolder,
    *,
    days: int,
    live_days: int,
    end: date,
    simulation: Simulation,
) -> Itinerary:
    """The plan of a simulated portfolio. An earlier demo is continued up to ``end``.

    Parameters
    ----------
    days, live_days
        How many days in all, and how many of them come one by one.
    end
        The last day.

    Raises
    ------
    FraudopsError
        The numbers make no sense, or an earlier demo was made with others.
    """
    if portfolio.partition_hours != 24 or not any(source.simulator for source in portfolio.transactions):
        raise FraudopsError("this portfolio has no simulator", where=portfolio.name, remedy="give its data with --file")
    if not 0 < live_days < days:
        raise FraudopsError(
            f"{live_days} of {days} days cannot come one by one",
            where="--live-days",
            remedy="leave some for the bulk load that training learns from",
        )
    earlier = _record(folder).get(portfolio.name)
    if earlier is None:
        first = end - timedelta(days=days - 1)
        last = end - timedelta(days=live_days)
    else:
        made = {name: earlier.get(name) for name in simulation.to_dict()}
        if made != simulation.to_dict():
            raise FraudopsError(
                f"an earlier demo was made with {made}, not with {simulation.to_dict()}",
                where=portfolio.name,
                remedy="'make reset' first, or leave these options away",
            )
        first, last = date.fromisoformat(earlier["first"]), date.fromisoformat(earlier["last"])
        end = max(end, date.fromisoformat(earlier["end"]))
    keys = portfolio.partitioning
    live = keys.keys((last + timedelta(days=1)).isoformat(), end.isoformat())
    return Itinerary(portfolio, first.isoformat(), last.isoformat(), tuple(live), simulation=simulation)


def from_file(portfolio: Portfolio, file: Path, landing: Path) -> Itinerary:
    """The plan of a portfolio whose data lie in a file.

    Parameters
    ----------
    landing
        Folder in which files arrive, one folder a portfolio.

    Raises
    ------
    ContractError
        The file cannot be read, or holds too few partitions.
    """
    if not file.is_file():
        raise ContractError("there is no such file", where=str(file), remedy="give the path of the data file")
    found = partitions_in(portfolio, file, landing)
    if len(found) < 2:
        raise ContractError(
            f"the file covers {len(found)} partitions of {portfolio.partition_hours} h; two are needed",
            where=str(file),
            remedy="one to learn from and one to score: set a smaller partition_hours in the portfolio's YAML",
        )
    bulk = min(len(found) - 1, math.ceil(len(found) * _BULK_SHARE))
    return Itinerary(portfolio, found[0], found[bulk - 1], tuple(found[bulk:]), file=file.name)


def partitions_in(portfolio: Portfolio, file: Path, landing: Path) -> list[str]:
    """Keys of the partitions that a file's rows fall into, in the order of time (its time columns are read).

    Raises
    ------
    ContractError
        The time's columns are not there, or the file cannot be read.
    """
    whole = transactions_feed(portfolio, source_of(portfolio, file, landing / portfolio.name))
    (time,) = whole.of_role(Role.TIME)
    feed = replace(whole, columns={time: whole.columns[time]})
    mapper, numbers = Mapper(feed, b""), set[int]()
    for batch in read_batches(file, feed, []):
        numbers.update(np.unique(mapper.map(batch).codes).tolist())
    cut = portfolio.partitioning
    return [cut.key_of(cut.epoch + number * cut.length) for number in sorted(numbers)]


def copy_to_landing(itinerary: Itinerary, file: Path, landing: Path) -> None:
    """Put the file into the portfolio's landing folder, unless it is there."""
    target = landing / itinerary.portfolio.name / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and (target.samefile(file) or target.stat().st_size == file.stat().st_size):
        return
    partial = target.with_name(f".{target.name}.partial")
    shutil.copyfile(file, partial)
    partial.replace(target)


def remember(itinerary: Itinerary, folder: StackFolder) -> None:
    """Record the plan, so that the next demo continues it and a reset knows what to take away."""
    record = _record(folder)
    record[itinerary.portfolio.name] = {
        "first": itinerary.first,
        "last": itinerary.last,
        "end": itinerary.live[-1],
        "copied": [itinerary.file] if itinerary.file else [],
        **(itinerary.simulation.to_dict() if itinerary.simulation else {}),
    }
    write_private(folder.demo, json.dumps(record, indent=2) + "\n")


def yesterday() -> date:
    """The last day that is over, UTC."""
    return datetime.now(UTC).date() - timedelta(days=1)


def _record(folder: StackFolder) -> dict[str, Any]:
    try:
        content = json.loads(folder.demo.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
