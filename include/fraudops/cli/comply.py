"""``fraudops comply``: run the rules over partitions."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.settings import Settings
from fraudops.workspace import Workspace


def comply(
    keys: Annotated[list[str] | None, typer.Argument(help="Partitions, such as 2026-03-05.")] = None,
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")] = "accounts",
    everything: Annotated[bool, typer.Option("--all", help="All partitions that lack it or are out of date.")] = False,
) -> None:
    """Run the rules in force on each partition's day; a second run raises nothing twice."""
    from fraudops.rules.raising import raise_hits
    from fraudops.rules.registry import read_rules
    from fraudops.rules.running import comply, undone

    settings = Settings.from_environment()
    chosen, ws, rules = chosen_portfolio(settings, portfolio), Workspace.open(settings), read_rules(settings.rules)
    wanted = [*(keys or []), *(undone(ws, chosen, rules) if everything else [])]
    for key in wanted:
        chosen.partitioning.start(key)
    table = Table("partition", "run", "hits", "new", "snoozed", "notices", "without a rate")
    for result in comply(ws, chosen, wanted, rules):
        raised = raise_hits(ws, chosen, result.key, rules, actor=getpass.getuser())
        table.add_row(
            result.key,
            "now" if result.written else "up to date",
            *(f"{n:,}" for n in (sum(result.hits.values()), raised.raised, raised.snoozed, raised.notices)),
            ", ".join(f"{number:,} {code}" for code, number in sorted(result.unconverted.items())) or "–",
        )
    out.print(table)
