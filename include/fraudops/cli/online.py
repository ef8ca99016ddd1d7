"""``fraudops online``: what scoring at once remembers of a portfolio's entities."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="What scoring at once remembers: bring the store's days in; look at it.")

PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: a JSON object.")]


@app.command("seed")
def seed_portfolio(
    portfolio: PortfolioOption,
    until: Annotated[str, typer.Option(help="Last partition to take (default: the newest).")] = "",
    as_json: JsonOption = False,
) -> None:
    """Bring published transactions, and what is known of them, into the online state; what is there stays."""
    from fraudops.online.seeding import seed

    settings = Settings.from_environment()
    result = seed(Workspace.open(settings), chosen_portfolio(settings, portfolio), until=until or None)
    if as_json:
        out.print(json.dumps(asdict(result), indent=2), markup=False)
        return
    out.print(
        f"{len(result.partitions)} partitions were new or corrected; {result.payments:,} payments came or went, "
        f"of {result.reports:,} transactions something else is known, {result.dropped:,} payments were too old"
    )


@app.command()
def status(portfolio: PortfolioOption, as_json: JsonOption = False) -> None:
    """How many payments and reports are kept, and which partitions they are from."""
    from fraudops.online.seeding import standing

    settings = Settings.from_environment()
    found = standing(Workspace.open(settings), chosen_portfolio(settings, portfolio))
    if as_json:
        out.print(json.dumps(asdict(found), indent=2), markup=False)
        return
    span = f" ({found.partitions[0]} to {found.partitions[-1]})" if found.partitions else ""
    out.print(
        f"{len(found.partitions)} partitions{span}; {found.payments:,} payments of entities, {found.waiting:,} of them "
        f"came online; {found.reports:,} reports; latest decision {found.number}"
    )
