"""``fraudops simulate``: write simulated payments into the landing folder."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fraudops.cli.chosen import given_day
from fraudops.errors import ContractError
from fraudops.settings import Settings

if TYPE_CHECKING:
    from fraudops.intake.simulation import AccountsWorld, AnyWorld

_SHOWN = 8

app = typer.Typer(no_args_is_help=True, help="Write simulated payments into the landing folder.")

PortfolioOption = Annotated[str, typer.Option(help="Portfolio whose landing folder is written.")]
FolderOption = Annotated[Path | None, typer.Option(help="Write here instead of the portfolio's landing folder.")]

PlantedOption = Annotated[
    Path | None, typer.Option(help="Write what was planted in these days into this file (accounts; JSON).")
]


@app.command()
def history(
    portfolio: PortfolioOption = "cards",
    folder: FolderOption = None,
    first: Annotated[str | None, typer.Option(help="First day, as 2026-08-25 (default: 90 days ago).")] = None,
    days: Annotated[int, typer.Option(min=1, help="How many days.")] = 76,
    seed: Annotated[int | None, typer.Option(help="Another seed is another world (default: 42).")] = None,
    payments_per_day: Annotated[int | None, typer.Option(help="On average (default: 2000).")] = None,
    planted: PlantedOption = None,
) -> None:
    """Write many days in bulk: one compressed file of payments, one of what is said of them.

    The world is remembered beside them, so that missing days can be written later. Where the folder belongs to
    a world already, its parameters are taken for those that are not given.
    """
    from fraudops.intake.simulation import kind_for, load_world, save_world, write_history

    target = _target(portfolio, folder)
    known = load_world(target)
    begin = given_day(first) if first else known.start if known else datetime.now(UTC).date() - timedelta(days=90)
    defaults = known or kind_for(portfolio).world(start=begin)
    world = replace(
        defaults,
        start=min(begin, known.start) if known else begin,
        seed=defaults.seed if seed is None else seed,
        payments_per_day=defaults.payments_per_day if payments_per_day is None else payments_per_day,
    )
    if planted is not None:
        _require_stories(world)
    save_world(target, world)
    last = begin + timedelta(days=days - 1)
    _tell(write_history(target, world, begin, last))
    if planted is not None:
        _tell([_write_planted(planted, world, begin, last)])


@app.command()
def day(
    keys: Annotated[list[str], typer.Argument(help="Days, as 2026-11-09.")],
    portfolio: PortfolioOption = "cards",
    folder: FolderOption = None,
    planted: PlantedOption = None,
) -> None:
    """Write single days of the world that the folder belongs to; files already there are replaced."""
    from fraudops.intake.simulation import WORLD_FILE, load_world, write_day

    target = _target(portfolio, folder)
    world = load_world(target)
    if world is None:
        raise ContractError(
            "the folder belongs to no simulated world",
            where=str(target / WORLD_FILE),
            remedy="write its history first: fraudops simulate history",
        )
    days = [given_day(key) for key in keys]
    if planted is not None:
        _require_stories(world)
    for moment in days:
        _tell(write_day(target, world, moment))
    if planted is not None:
        _tell([_write_planted(planted, world, min(days), max(days))])


def _require_stories(world: AnyWorld) -> AccountsWorld:
    from fraudops.intake.simulation import AccountsWorld

    if not isinstance(world, AccountsWorld):
        raise ContractError("no stories are planted in this world", remedy="leave out --planted")
    return world


def _write_planted(path: Path, world: AnyWorld, first: date, last: date) -> Path:
    """The truth, for tests and whoever judges rules: no rule, and nothing else, ever reads it."""
    found = _require_stories(world).planted(first, last)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return path


def _target(portfolio: str, folder: Path | None) -> Path:
    return folder if folder is not None else Settings.from_environment().landing / portfolio


def _tell(paths: list[Path]) -> None:
    for path in paths[:_SHOWN]:
        typer.echo(f"{path}  {path.stat().st_size / 1e6:.1f} MB")
    if len(paths) > _SHOWN:
        typer.echo(f"and {len(paths) - _SHOWN} files of single days beside them")
