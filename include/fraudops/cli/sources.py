"""``fraudops sources``: where rows come from, how far databases have been read, reading again from the start."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.errors import ConfigurationError, FraudopsError
from fraudops.intake.fetching.watermarks import reset, watermark_of
from fraudops.portfolio import Portfolio, Source
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Where rows come from, and how far databases have been read.")

PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")]


@app.command()
def show(portfolio: PortfolioOption) -> None:
    """Every source of a portfolio, its connection, and the watermark that it has been read up to."""
    settings = Settings.from_environment()
    one, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    table = Table(title=f"{one.title} ({one.name})", title_justify="left")
    for heading in ("source", "of", "rows from", "connection", "watermark", "read up to", "readings"):
        table.add_column(heading, overflow="fold")
    for feed, source in one.feeds:
        place = source.path or source.table or "a query"
        table.add_row(*map(Text, [source.name, feed, place, source.connection or "", *_progress(ws, one, source)]))
    out.print(table)


@app.command("reset")
def read_again(
    source: Annotated[str, typer.Argument(help="Name of the source.")],
    portfolio: PortfolioOption,
    reason: Annotated[str, typer.Option(help="Why; it goes into the ledger.")],
) -> None:
    """Have the next 'land' read a source from the start; rows that are stored already change nothing."""
    settings = Settings.from_environment()
    one, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    found = next((item for _, item in one.feeds if item.name == source and item.watermark), None)
    if found is None:
        raise ConfigurationError(
            f"{source!r} is no source with a watermark",
            where=one.name,
            remedy=f"choose one of {', '.join(item.name for _, item in one.feeds if item.watermark) or 'none'}",
        )
    before = reset(ws, one, found, actor=getpass.getuser(), reason=reason)
    read = f"it had been read up to {before.column} {before.value}" if before.value else "nothing had been read yet"
    out.print(Text(f"{one.dag_id('land')} reads {source} from the start next time; {read}."))


def _progress(ws: Workspace, portfolio: Portfolio, source: Source) -> list[str]:
    if source.watermark is None:
        return ["", "", ""]
    try:
        found = watermark_of(ws.store, portfolio, source)
    except FraudopsError as error:
        return [source.watermark, error.what, ""]
    return [source.watermark, found.value or "nothing yet", str(found.readings)]
