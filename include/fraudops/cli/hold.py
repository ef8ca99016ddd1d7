"""``fraudops hold``: what retention must not remove."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out, printable
from fraudops.database import LegalHold
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Legal holds: what retention must not remove.")

ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; it is recorded.")]
ByOption = Annotated[str, typer.Option(help="Who answers for it (default: your user name).")]


@app.command()
def add(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")],
    reason: ReasonOption,
    first: Annotated[str, typer.Option("--from", help="First partition, such as 2026-03-05.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last partition (default: the first).")] = "",
    transaction: Annotated[list[str] | None, typer.Option(help="Id of a transaction; may be repeated.")] = None,
    alert: Annotated[int | None, typer.Option(help="Number of an alert.")] = None,
    by: ByOption = "",
) -> None:
    """Hold partitions, or those of some transactions, with all that belongs to them."""
    from fraudops.keeping.holds import place

    settings = Settings.from_environment()
    placed = place(
        Workspace.open(settings),
        chosen_portfolio(settings, portfolio),
        first=first or None,
        last=last or None,
        transactions=transaction or (),
        alert=alert,
        reason=reason,
        by=by or getpass.getuser(),
    )
    for hold in placed:
        out.print(f"hold {hold.id}: {portfolio} {_span(hold)} stays until it is released")


@app.command("list")
def list_holds(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Released ones as well.")] = False,
) -> None:
    """The holds that are in force."""
    from fraudops.keeping.holds import holds

    with Workspace.open(Settings.from_environment()).transaction() as session:
        found = holds(session, portfolio or None, active=not everything)
    if not found:
        out.print("Nothing is held.")
        return
    table = Table("hold", "portfolio", "partitions", "transactions", "reason", "placed by", "on (UTC)", "released")
    for hold in found:
        table.add_row(
            str(hold.id),
            hold.portfolio,
            _span(hold),
            Text(printable(", ".join(hold.transactions))),
            Text(printable(hold.reason)),
            Text(printable(hold.placed_by)),
            _day(hold.placed_at),
            Text(f"{_day(hold.released_at)} by {printable(hold.released_by or '')}" if hold.released_at else "–"),
        )
    out.print(table)


@app.command()
def release(
    number: Annotated[int, typer.Argument(help="Number of the hold, see 'fraudops hold list'.")],
    reason: ReasonOption,
    by: ByOption = "",
) -> None:
    """End a hold; the next run of retention removes what is due."""
    from fraudops.keeping.holds import release as end

    hold = end(Workspace.open(Settings.from_environment()), number, reason=reason, by=by or getpass.getuser())
    out.print(f"hold {hold.id} is released: {hold.portfolio} {_span(hold)}")


def _span(hold: LegalHold) -> str:
    return hold.first_key if hold.first_key == hold.last_key else f"{hold.first_key} to {hold.last_key}"


def _day(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d}"
