"""What the demo will do: which partitions are loaded in bulk, which come day by day, from which files."""

from __future__ import annotations

import filecmp
import json
import math
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from fraudops.errors import ContractError, FraudopsError
from fraudops.intake.feeds import transactions_feed
from fraudops.intake.files import source_of
from fraudops.intake.mapping import Mapper
from fraudops.intake.reading import read_batches
from fraudops.intake.settling import far_partitions
from fraudops.portfolio import Portfolio, Role
from fraudops.stack.folder import StackFolder
from fraudops.stack.secrets import write_private

_BULK_SHARE = 0.85
"""Share of a file's partitions that is loaded in bulk and trained on; the rest comes when there is a champion."""
_COMPLETE = 0.5
"""A file's last partition with fewer rows than this share of the usual number is not over: it is left out."""
_FEWEST = 4
_MOST_LIVE = 7
"""At most this many of the rest come one by one, the others in a second bulk run."""
_LARGE = 50 << 20
_MOST_LIVE_OF_LARGE = 2
"""Of a file of more than this many bytes: each run of a partition reads the whole file."""


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
    bulk: tuple[str, ...]
    """Partitions that are loaded at once, in the order of time; training pretends to be at the end of the last."""
    live: tuple[str, ...]
    """Partitions that follow, one run each, in the order of time."""
    simulation: Simulation | None = None
    file: str | None = None
    """Name of the file in the landing folder, where it is not simulated."""
    catch_up: tuple[str, ...] = ()
    """Partitions between the two: loaded and scored at once when there is a champion."""
    later: tuple[str, ...] = ()
    """Partitions after the live ones, loaded and scored at once: weeks go by, and labels mature."""
    left_out: tuple[str, ...] = ()
    """A partition that the file ends in the middle of: it is not over yet."""

    @property
    def first(self) -> str:
        """First partition of the bulk load."""
        return self.bulk[0]

    @property
    def last(self) -> str:
        """Last partition of the bulk load."""
        return self.bulk[-1]

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
    later_days: int = 0,
) -> Itinerary:
    """The plan of a simulated portfolio. An earlier demo is continued up to ``end``.

    Parameters
    ----------
    days, live_days, later_days
        How many days are loaded in bulk or come one by one; how many of them come one by one; how many follow at once.
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
        first = end - timedelta(days=days + later_days - 1)
        last = end - timedelta(days=live_days + later_days)
        live_end, later_end = end - timedelta(days=later_days), end
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
        live_end = date.fromisoformat(earlier.get("live_end", end.isoformat()))
        later_end = date.fromisoformat(earlier.get("later_end", live_end.isoformat()))
    keys, day = portfolio.partitioning, timedelta(days=1)
    later = tuple(keys.keys((live_end + day).isoformat(), later_end.isoformat()))
    # What has come since then comes one by one again.
    live = tuple(keys.keys((last + day).isoformat(), live_end.isoformat()))
    live += tuple(keys.keys((later_end + day).isoformat(), end.isoformat()))
    bulk = tuple(keys.keys(first.isoformat(), last.isoformat()))
    return Itinerary(portfolio, bulk, live, simulation=simulation, later=later)


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
    rows = partitions_in(portfolio, file, landing)
    found = _complete(rows)
    if len(found) < 2:
        raise ContractError(
            f"the file covers {len(found)} partitions of {portfolio.partition_hours} h; two are needed",
            where=str(file),
            remedy="one to learn from and one to score: set a smaller partition_hours in the portfolio's YAML",
        )
    bulk = min(len(found) - 1, math.ceil(len(found) * _BULK_SHARE))
    most = _MOST_LIVE_OF_LARGE if file.stat().st_size > _LARGE else _MOST_LIVE
    live = max(bulk, len(found) - most)
    return Itinerary(
        portfolio,
        tuple(found[:bulk]),
        tuple(found[live:]),
        file=file.name,
        catch_up=tuple(found[bulk:live]),
        left_out=tuple(key for key in rows if key not in found),
    )


def _complete(rows: dict[str, int]) -> list[str]:
    """The partitions but for a last one that the file ends in the middle of."""
    keys = list(rows)
    if len(keys) > _FEWEST and rows[keys[-1]] < _COMPLETE * median(rows.values()):
        return keys[:-1]
    return keys


def partitions_in(portfolio: Portfolio, file: Path, landing: Path) -> dict[str, int]:
    """Partitions that a file's rows fall into, in the order of time → rows (only its time columns are read).

    Raises
    ------
    ContractError
        The time's columns are not there, or the file cannot be read.
    """
    whole = transactions_feed(portfolio, source_of(portfolio, file, landing / portfolio.name))
    (time,) = whole.of_role(Role.TIME)
    feed = replace(whole, columns={time: whole.columns[time]})
    mapper, rows = Mapper(feed, b""), Counter[int]()
    for batch in read_batches(file, feed, []):
        numbers, counts = np.unique(mapper.map(batch).codes, return_counts=True)
        rows.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
    for number in far_partitions(rows, feed):
        del rows[number]
    cut = portfolio.partitioning
    return {cut.key_of(cut.epoch + number * cut.length): rows[number] for number in sorted(rows)}


def copy_to_landing(itinerary: Itinerary, file: Path, landing: Path) -> None:
    """Put the file into the portfolio's landing folder, unless it is there with these very bytes."""
    target = landing / itinerary.portfolio.name / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists() and (target.samefile(file) or filecmp.cmp(target, file, shallow=False)):
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
        "end": max(*itinerary.live, *itinerary.later, ""),
        **_before_later(itinerary),
        "copied": sorted({*record.get(itinerary.portfolio.name, {}).get("copied", []), *_copied(itinerary)}),
        **(itinerary.simulation.to_dict() if itinerary.simulation else {}),
    }
    write_private(folder.demo, json.dumps(record, indent=2) + "\n")


def _before_later(itinerary: Itinerary) -> dict[str, str]:
    if not itinerary.later:
        return {}
    before = [key for key in itinerary.live if key < itinerary.later[0]]
    return {"live_end": before[-1], "later_end": itinerary.later[-1]}


def _copied(itinerary: Itinerary) -> list[str]:
    return [itinerary.file] if itinerary.file else []


def yesterday() -> date:
    """The last day that is over, UTC."""
    return datetime.now(UTC).date() - timedelta(days=1)


def _record(folder: StackFolder) -> dict[str, Any]:
    try:
        content = json.loads(folder.demo.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
