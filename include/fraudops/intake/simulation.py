"""Writes simulated worlds as landing files, and remembers which world a landing folder belongs to.

The names match the patterns of ``portfolios/cards.yaml``::

    transactions_2026-11-09.csv, chargebacks_2026-11-09.csv, dispositions_2026-11-09.csv   one day
    transactions_history_2026-08-25_2026-11-08.csv.gz, chargebacks_history_….csv.gz, …     many days, in bulk
    simulation.json                                                           the world's parameters

and those of ``portfolios/accounts.yaml``, where reports take the place of chargebacks and dispositions, and customers,
watch lists, holidays and rates have a file for each day that brings some, in bulk too.

A day's rows are the same in a history file and in the day's own. A file appears under its name only when it is
whole, so that who watches the folder never reads half of one.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from fraudops.errors import ConfigurationError, ConflictError
from fraudops.intake.accounts_simulator import files as accounts_files
from fraudops.intake.accounts_simulator.world import AccountsWorld
from fraudops.intake.simulator import files as cards_files
from fraudops.intake.simulator.days import Contents
from fraudops.intake.simulator.world import World

__all__ = [
    "KINDS",
    "WORLD_FILE",
    "AccountsWorld",
    "AnyWorld",
    "World",
    "ensure_day",
    "kind_for",
    "load_world",
    "save_world",
    "write_day",
    "write_history",
]

WORLD_FILE = "simulation.json"

_FORMAT = 1
"""Raised when the same parameters no longer make the same payments."""

AnyWorld = World | AccountsWorld


@dataclass(frozen=True)
class Kind:
    """A kind of world, and the module that writes its days."""

    name: str
    world: type[World] | type[AccountsWorld]
    files: ModuleType
    in_bulk: int
    """How many of its feeds have one file for many days."""


KINDS = {
    "cards": Kind("cards", World, cards_files, in_bulk=3),
    "accounts": Kind("accounts", AccountsWorld, accounts_files, in_bulk=2),
}


def kind_for(portfolio: str) -> Kind:
    """The kind of world that a portfolio's simulator writes: that of its name, or cards."""
    return KINDS.get(portfolio, KINDS["cards"])


def _kind_of(world: AnyWorld) -> Kind:
    return next(kind for kind in KINDS.values() if type(world) is kind.world)


def write_history(folder: Path, world: AnyWorld, first: date, last: date) -> list[Path]:
    """Write many days: one compressed file each of the transactions and of what is said of them, and the days' other
    files.

    Days are simulated and written one after the other, so memory does not grow with their number.

    Raises
    ------
    ContractError
        The days are in the wrong order, or before the world's start.
    """
    days, files = world.days(first, last), _kind_of(world).files
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for feed, pieces in files.bulk(world, first, last):
        path = folder / f"{feed}_history_{first}_{last}.csv.gz"
        with _whole(path) as raw, _compressed(raw) as file:
            file.writelines(pieces)
        written.append(path)
    for day in days:
        written += _write(folder, files.beside(world, day), day)
    return written


def write_day(folder: Path, world: AnyWorld, day: date) -> list[Path]:
    """Write one day's transactions, and everything else that arrives on it, in place of such files.

    Raises
    ------
    ContractError
        The day is before the world's start.
    """
    world.days(day, day)
    folder.mkdir(parents=True, exist_ok=True)
    return _write(folder, _kind_of(world).files.daily(world, day), day)


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
    contents = _kind_of(world).files.daily(world, day)
    missing = {feed: make for feed, make in contents.items() if not any(folder.glob(f"{_name(feed, day)}*"))}
    return _write(folder, missing, day)


def _write(folder: Path, contents: Contents, day: date) -> list[Path]:
    written = []
    for feed, make in contents.items():
        content = make()
        if content is not None:
            with _whole(folder / _name(feed, day)) as file:
                file.write(content)
            written.append(folder / _name(feed, day))
    return written


def _name(feed: str, day: date) -> str:
    return f"{feed}_{day}.csv"


def save_world(folder: Path, world: AnyWorld) -> Path:
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
            kind = _kind_of(world).name
            said = {} if kind == "cards" else {"world": kind}
            content = {"format": _FORMAT, **said, **asdict(world), "start": world.start.isoformat()}
            file.write(json.dumps(content, indent=2).encode() + b"\n")
    return path


def load_world(folder: Path) -> AnyWorld | None:
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


def _world_from(path: Path, content: dict[str, Any]) -> AnyWorld:
    parameters = {name: value for name, value in content.items() if name not in ("format", "world")}
    try:
        parameters["start"] = date.fromisoformat(parameters["start"])
        return KINDS[content.get("world", "cards")].world(**parameters)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, f"it does not describe a world: {error}") from None


def _unreadable(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        what, where=str(path), remedy="delete the file, and the simulated files beside it, to begin another world"
    )


def _described(world: AnyWorld) -> str:
    return ", ".join(f"{name} {value}" for name, value in asdict(world).items())


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
