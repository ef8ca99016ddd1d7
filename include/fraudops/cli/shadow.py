"""``fraudops models shadow``: challengers that score beside the champion."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.database import Shadow
from fraudops.portfolio import load_all
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Challengers in the shadow of the champion: start, stop, list.")

PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; it is recorded.")]
ByOption = Annotated[str, typer.Option(help="Who answers for it (default: your user name).")]


@app.command()
def start(
    version: Annotated[str, typer.Argument(help="A challenger with the verdict PROMOTE or HOLD, such as v7.")],
    portfolio: PortfolioOption,
    reason: ReasonOption,
    days: Annotated[int, typer.Option(min=1, max=366, help="For so long.")] = 14,
    by: ByOption = "",
) -> None:
    """Let a challenger score live partitions beside the champion; nothing acts on its decisions."""
    from fraudops.registry import shadow

    settings = Settings.from_environment()
    found = shadow.start(
        Workspace.open(settings),
        chosen_portfolio(settings, portfolio),
        model=version,
        days=days,
        started_by=by or getpass.getuser(),
        reason=reason,
    )
    out.print(
        f"{portfolio}: {found.model.version} ({found.model.candidate}) is a shadow from "
        f"{_minute(found.starts_at)} to {_minute(found.ends_at)}"
    )


@app.command()
def stop(portfolio: PortfolioOption, reason: ReasonOption, by: ByOption = "") -> None:
    """End the running shadow without a comparison; what it scored stays."""
    from fraudops.registry import shadow

    settings = Settings.from_environment()
    found = shadow.stop(
        Workspace.open(settings),
        chosen_portfolio(settings, portfolio),
        stopped_by=by or getpass.getuser(),
        reason=reason,
    )
    out.print(f"{portfolio}: {found.model.version} ({found.model.candidate}) is no shadow any more")


@app.command("list")
def list_shadows(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")] = "",
) -> None:
    """Every shadow, the newest first, and what became of it."""
    from fraudops.registry.shadow import shadows

    settings = Settings.from_environment()
    chosen = [chosen_portfolio(settings, portfolio)] if portfolio else list(load_all(settings.portfolios).values())
    with Workspace.open(settings).transaction() as session:
        found = [shadow for one in chosen for shadow in shadows(session, one.name)]
    if not found:
        out.print("There is no shadow yet: 'fraudops models shadow start' or <portfolio>_shadow in Airflow.")
        return
    table = Table("portfolio", "version", "from", "to", "started by", "reason", "state")
    for shadow in found:
        table.add_row(
            shadow.portfolio,
            f"{shadow.model.version} {shadow.model.candidate}",
            _minute(shadow.starts_at),
            _minute(shadow.ends_at),
            Text(shadow.started_by),
            Text(shadow.reason),
            _state(shadow),
        )
    out.print(table)


def _state(shadow: Shadow) -> str:
    if shadow.outcome is None:
        return "running"
    return f"compared: {shadow.verdict.outcome}" if shadow.verdict else f"{shadow.outcome} by {shadow.ended_by}"


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
