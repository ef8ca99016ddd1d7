"""Writes the simulated world as landing files, and remembers which world a landing folder belongs to.

The names match the patterns of ``portfolios/cards.yaml``::

    transactions_2026-11-09.csv, chargebacks_2026-11-09.csv, dispositions_2026-11-09.csv   one day
    transactions_history_2026-08-25_2026-11-08.csv.gz, chargebacks_history_….csv.gz, …     many days, in bulk
    simulation.json                                                           the world's parameters

A day's rows are the same in a history file and in the day's own. A file appears under its name only when it is
whole, so that who watches the folder never reads half of one.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import IO, Any

from fraudops.errors import ConfigurationError, ConflictError
from fraudops.intake.simulator.feed import payments_header, payments_text, reports_text
from fraudops.intake.simulator.investigators import LONGEST_DISPOSITION, dispositions, findings
from fraudops.intake.simulator.world import (
    CHARGEBACK_COLUMNS,
    DISPOSITION_COLUMNS,
    LONGEST_REPORT,
    World,
    arriving,
    reports,
    reports_of,
    simulate,
)

__all__ = [
    "WORLD_FILE",
    "World",
    "ensure_day",
    "load_world",
    "save_world",
    "write_day",
    "write_history",
]

WORLD_FILE = "simulation.json"
_FEEDS = ("transactions", "chargebacks", "dispositions")

_FORMAT = 1
"""Raised when the same parameters no longer make the same payments."""


def write_history(folder: Path, world: World, first: date, last: date) -> list[Path]:
    """Write many days into one compressed file of payments, and one each of the chargebacks and the dispositions that
    arrived in them.

    Days are simulated and written one after the other, so memory does not grow with their number.

    Raises
    ------
    ContractError
        The days are in the wrong order, or before the world's start.
    """
    days = world.days(first, last)
    folder.mkdir(parents=True, exist_ok=True)
    key = f"history_{first}_{last}"
    payments, chargebacks, looked_at = (folder / f"{feed}_{key}.csv.gz" for feed in _FEEDS)
    before = list(_days_that_still_report(world, first))
    found = [reports_of(world, day) for day in before]
    found_out = [findings(world, simulate(world, day)) for day in before if day >= first - LONGEST_DISPOSITION]
    with _whole(payments) as raw, _compressed(raw) as file:
        file.write(payments_header())
        for day in days:
            simulated = simulate(world, day)
            file.write(payments_text(world, simulated))
            found.append(reports(world, simulated))
            found_out.append(findings(world, simulated))
    with _whole(chargebacks) as raw, _compressed(raw) as file:
        file.write(reports_text(arriving(found, first, last), CHARGEBACK_COLUMNS))
    with _whole(looked_at) as raw, _compressed(raw) as file:
        file.write(reports_text(arriving(found_out, first, last), DISPOSITION_COLUMNS))
    return [payments, chargebacks, looked_at]


def write_day(folder: Path, world: World, day: date) -> list[Path]:
    """Write one day's payments, and the chargebacks and dispositions that arrive on it, in place of such files.

    Raises
    ------
    ContractError
        The day is before the world's start.
    """
    world.days(day, day)
    folder.mkdir(parents=True, exist_ok=True)
    for path, write in zip(_day_files(folder, day), _WRITERS, strict=True):
        write(path, world, day)
    return list(_day_files(folder, day))


def ensure_day(folder: Path, day: date) -> list[Path]:
    """Write what is missing of one day; a file that is there, whoever brought it, is left alone.

    Returns
    -------
    list of pathlib.Path
        The files written; none where the folder belongs to no simulated world, or the world starts later.
    """
    world = load_world(folder)
    if world is None or day < world.start:
        return []
    written = []
    for path, write in zip(_day_files(folder, day), _WRITERS, strict=True):
        if not any(folder.glob(f"{path.name}*")):
            write(path, world, day)
            written.append(path)
    return written


def save_world(folder: Path, world: World) -> Path:
    """Remember that a landing folder belongs to a world.

    Raises
    ------
    ConflictError
        It belongs to another one; its days would not fit together.
    """
    path = folder / WORLD_FILE
    known = load_world(folder)
    if known is not None and known != world:
        raise ConflictError(
            f"the folder belongs to another simulated world: {_described(known)}, not {_described(world)}",
            where=str(path),
            remedy="ask for the same parameters, or empty the folder ('make reset') to begin another world",
        )
    if known is None:
        folder.mkdir(parents=True, exist_ok=True)
        with _whole(path) as file:
            content = {"format": _FORMAT, **asdict(world), "start": world.start.isoformat()}
            file.write(json.dumps(content, indent=2).encode() + b"\n")
    return path


def load_world(folder: Path) -> World | None:
    """The world that a landing folder belongs to, or None.

    Raises
    ------
    ConfigurationError
        ``simulation.json`` is not what :func:`save_world` writes.
    """
    path = folder / WORLD_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise _unreadable(path, f"not valid JSON: {error}") from None
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise _unreadable(path, f"it is not of format {_FORMAT}")
    return _world_from(path, content)


def _world_from(path: Path, content: dict[str, Any]) -> World:
    parameters = {name: value for name, value in content.items() if name != "format"}
    try:
        parameters["start"] = date.fromisoformat(parameters["start"])
        return World(**parameters)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, f"it does not describe a world: {error}") from None


def _unreadable(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        what, where=str(path), remedy="delete the file, and the simulated files beside it, to begin another world"
    )


def _described(world: World) -> str:
    return ", ".join(f"{name} {value}" for name, value in asdict(world).items())


def _day_files(folder: Path, day: date) -> tuple[Path, ...]:
    return tuple(folder / f"{feed}_{day}.csv" for feed in _FEEDS)


def _write_payments(path: Path, world: World, day: date) -> None:
    with _whole(path) as file:
        file.write(payments_header())
        file.write(payments_text(world, simulate(world, day)))


def _write_chargebacks(path: Path, world: World, day: date) -> None:
    with _whole(path) as file:
        file.write(reports_text(world.chargebacks(day, day), CHARGEBACK_COLUMNS))


def _write_dispositions(path: Path, world: World, day: date) -> None:
    with _whole(path) as file:
        file.write(reports_text(dispositions(world, day, day), DISPOSITION_COLUMNS))


_WRITERS = (_write_payments, _write_chargebacks, _write_dispositions)


def _days_that_still_report(world: World, first: date) -> Iterator[date]:
    """Days before ``first`` whose frauds may be reported on it or later."""
    earliest = max(world.start, first - LONGEST_REPORT)
    return (earliest + timedelta(days=offset) for offset in range((first - earliest).days))


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when everything is in it, and vanishes where that fails."""
    # The process' number keeps two writers of the same file apart; they write the same bytes.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _compressed(file: IO[bytes]) -> gzip.GzipFile:
    """Neither name nor time of writing goes into the file: the same rows give the same bytes."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=4)
