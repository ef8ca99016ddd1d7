"""``fraudops rules fraud-rates``: fraud by value over 90 days, beside the reference rates of PSD2."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Annotated

import typer
from rich.table import Table

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.errors import ContractError
from fraudops.settings import Settings
from fraudops.workspace import Workspace


def show_fraud_rates(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")] = "accounts",
    as_of: Annotated[str, typer.Option(help="Partition, such as 2026-03-05 (default: the newest).")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON object.")] = False,
) -> None:
    """Value of known fraud over the value of all remote payments, 90 days up to a partition (PSD2)."""
    from fraudops.rules.fraud_rates import TYPES, fraud_rates, read_reference

    settings = Settings.from_environment()
    chosen, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    keys = ws.store.keys("transactions", chosen.name)
    if not as_of and not keys:
        raise ContractError("there are no transactions", where=chosen.name, remedy="ingest some first")
    found = fraud_rates(ws, chosen, read_reference(settings.rules), as_of or keys[-1])
    if as_json:
        lines = [line.to_dict() for line in found.lines]
        typer.echo(json.dumps({"first": found.first, "last": found.last, "lines": lines}, indent=2))
        return
    table = Table(title=f"{chosen.title}: {found.first} to {found.last}, as known at the end of it")
    for name in (
        "payments",
        "up to EUR",
        "number",
        "frauds",
        "rate by value",
        "reference",
        "all within",
        "band within",
    ):
        table.add_column(name, justify="left" if name == "payments" else "right")
    for line in found.lines:
        table.add_row(
            TYPES[line.kind] if line.up_to is None else "",
            line.up_to or "all",
            f"{line.payments:,}",
            f"{line.frauds:,}",
            _percent(line.rate),
            _percent(line.reference),
            _answer(line.overall_within),
            _answer(line.within),
        )
    out.print(table)
    if found.unconverted:
        out.print(f"{found.unconverted:,} payments are in no line: no rate of exchange was known for them")
    out.print("by law the rate of all payments of a type counts (art. 19); nothing is reported by itself")


def _percent(share: Fraction | None) -> str:
    return "" if share is None else f"{float(share * 100):.4f} %"


def _answer(within: bool | None) -> str:
    return {None: "", True: "yes", False: "no"}[within]
