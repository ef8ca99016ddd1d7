"""``fraudops portfolio check`` and ``list``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from fraudops.cli.console import out, show_error
from fraudops.errors import FraudopsError
from fraudops.portfolio import Portfolio, Role, format_duration, load_portfolio
from fraudops.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Check and list portfolio files.")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Portfolio files (YAML).", exists=True, dir_okay=False)],
) -> None:
    """Read portfolio files and say what each means, or everything that is wrong with it."""
    failed = False
    for file in files:
        try:
            portfolio = load_portfolio(file)
        except FraudopsError as error:
            failed = True
            show_error(error)
            continue
        out.print(f"[green]ok[/] {file}")
        for line in _meaning(portfolio):
            out.print(f"   {line}")
    if failed:
        raise typer.Exit(2)


@app.command(name="list")
def list_() -> None:
    """List the portfolios, those with mistakes included."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("name", "title", "owner", "partitions of", "label delay", "candidates"):
        table.add_column(title)
    problems = []
    for path in sorted(Settings.from_environment().portfolios.glob("*.yaml")):
        try:
            portfolio = load_portfolio(path)
        except FraudopsError as error:
            problems.append(error)
            continue
        table.add_row(
            portfolio.name,
            portfolio.title,
            portfolio.owner,
            f"{portfolio.partition_hours} h",
            format_duration(portfolio.labels.delay),
            str(len(portfolio.training.candidates)),
        )
    out.print(table)
    for problem in problems:
        show_error(problem)
    if problems:
        raise typer.Exit(2)


def _meaning(portfolio: Portfolio) -> list[str]:
    roles = {role: portfolio.named(role) for role in Role}
    used = [f"{role.value}: {', '.join(_shortened(names))}" for role, names in roles.items() if names]
    window = format_duration(portfolio.training.window)
    return [
        f"{portfolio.title}: partitions of {portfolio.partition_hours} h, like {portfolio.partitioning.example}",
        *used,
        f"trains {', '.join(portfolio.training.candidates)} on {window}, "
        f"labels matured after {format_duration(portfolio.labels.delay)}",
        f"alerts: at most {portfolio.policy.alerts_per_day} a day; promotion by "
        + (", ".join(portfolio.promotion.approvers) if portfolio.promotion.needs_approval else "the policy alone"),
    ]


def _shortened(names: list[str]) -> list[str]:
    return names if len(names) <= 6 else [*names[:3], "…", names[-1]]
