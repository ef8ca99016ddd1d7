"""``fraudops restate``: what would be alerted today for days of the past; changes nothing of the record."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.settings import Settings
from fraudops.workspace import Workspace


def restate(
    first: Annotated[str, typer.Option("--from", help="First partition, such as 2026-03-01.")],
    last: Annotated[str, typer.Option("--to", help="Last partition, included.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is recorded.")],
    model: Annotated[str, typer.Option("--model", "-m", help="A version such as v3, or 'champion'.")] = "champion",
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")] = "cards",
) -> None:
    """Say which alerts would be new, gone or changed; writes a page, a ledger entry and one notice."""
    from fraudops.decisions.restating import conclude, read_restatement
    from fraudops.decisions.restating import restate as compute
    from fraudops.reports.restatement import write_restatement_page

    settings = Settings.from_environment()
    chosen, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    found = compute(ws, chosen, first=first, last=last, model=model, reason=reason)
    page = write_restatement_page(ws, chosen, *read_restatement(ws, chosen, found.run))
    is_new = conclude(ws, chosen, found, actor=getpass.getuser())
    table = Table(title=f"{chosen.title}: {found.days[0].key} to {found.days[-1].key}, model {found.version}")
    for heading in ("partition", "transactions", "then", "now", "new", "gone", "changed"):
        table.add_column(heading, justify="left" if heading == "partition" else "right")
    for day in found.days:
        if day.new or day.gone or day.changed:
            then = f"{day.then:,}" if day.decided else "–"
            table.add_row(
                day.key, f"{day.rows:,}", then, *(f"{n:,}" for n in (day.now, day.new, day.gone, day.changed))
            )
    counts = found.counts
    table.add_row("all", *(f"{counts[name]:,}" for name in ("rows", "then", "now", "new", "gone", "changed")))
    out.print(table)
    out.print("nothing of the record was changed" + ("" if is_new else "; this restatement was recorded before"))
    out.print(f"written to {page} in the store; Fraud Ops shows it")
