"""``fraudops features``: what can be measured, and whether a portfolio's features keep to what was known."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.aggregates import AGGREGATES, Aggregate
from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.features.checking import Checked, check_stored
from fraudops.portfolio import Portfolio
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="List what behaviour can be measured by; check a portfolio's features.")


@app.command("list")
def list_aggregates() -> None:
    """Every aggregate that a portfolio's YAML may name, and what it means."""
    table = Table(title="aggregates of features.behaviour", title_justify="left")
    for heading in ("aggregate", "unit", "needs", "what it is"):
        # A name that is folded could neither be read nor copied.
        table.add_column(heading, overflow="fold", no_wrap=heading == "aggregate")
    for aggregate in AGGREGATES.values():
        table.add_row(aggregate.name, aggregate.unit.value, ", ".join(_needs(aggregate)), aggregate.description)
    out.print(table)


@app.command()
def check(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")],
    partitions: Annotated[int, typer.Option(min=1, help="How many stored partitions to look at.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON object.")] = False,
) -> None:
    """Change the future and the labels not yet known of stored partitions; whatever feature moves is told."""
    settings = Settings.from_environment()
    one = chosen_portfolio(settings, portfolio)
    checked = check_stored(Workspace.open(settings), one, partitions=partitions)
    if as_json:
        out.print(json.dumps(asdict(checked), indent=2), markup=False)
    else:
        _show(one, checked)
    if checked.findings:
        raise typer.Exit(1)


def _needs(aggregate: Aggregate) -> list[str]:
    needs = {"windows": aggregate.windowed, "amounts": aggregate.amount, "labels": aggregate.labels}
    return [name for name, needed in [*needs.items(), ("of", aggregate.other)] if needed]


def _show(portfolio: Portfolio, checked: Checked) -> None:
    out.print(
        f"{portfolio.title} ({portfolio.name}): {len(checked.features)} features of {checked.rows:,} rows in "
        f"{', '.join(checked.partitions)}, computed again with another future, with other labels where they were not "
        "known yet, and without rows older than the look-back."
    )
    if checked.could_tell:
        out.print(
            f"{len(checked.columns)} columns of the model, beside {checked.frauds:,} known frauds of "
            f"{len(checked.labelled)} partitions."
        )
    else:
        out.print(
            f"Whether a column tells the label cannot be said: {checked.frauds} frauds are known in "
            f"{len(checked.labelled)} partitions that have features and whose labels are due."
        )
    for finding in checked.findings:
        out.print(Text.assemble(("✗ ", "bold red"), (f"{finding.column} ", "bold"), f"[{finding.breach}] "))
        out.print(f"  {finding.detail}", markup=False)
    if not checked.findings:
        out.print(Text("✓ nothing moves, and no column tells the label", style="green"))
