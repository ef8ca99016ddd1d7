"""``fraudops labels``: what was said about transactions, by which feed, and how it changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out, printable
from fraudops.errors import ContractError
from fraudops.labels.history import FeedCount, Statement, feed_counts, history_of, immature_rows
from fraudops.portfolio import Portfolio, format_duration, load_all
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(help="Count the labels of each feed, and show how a transaction's label came about.")

NAMES = {"labels": "chargebacks", "dispositions": "dispositions"}
"""Dataset → what people call the feed."""


@app.callback(invoke_without_command=True)
def count_labels(
    context: typer.Context,
    portfolio: Annotated[str | None, typer.Option(help="Only this portfolio.")] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="What was known at the end of this partition, such as 2026-03-05 (default: the newest)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON object.")] = False,
) -> None:
    """Count what each feed has said, and what is not known yet."""
    if context.invoked_subcommand is not None:
        return
    settings = Settings.from_environment()
    ws = Workspace.open(settings)
    if portfolio is not None:
        wanted = [chosen_portfolio(settings, portfolio)]
    else:
        wanted = [one for one in load_all(settings.portfolios).values() if one.labels.datasets]
    found = {one.name: _counted(ws, one, as_of) for one in wanted}
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for one in wanted:
        _show(one, found[one.name])


@app.command("history")
def show_history(
    transaction: Annotated[str, typer.Argument(help="The transaction's id.")],
    portfolio: Annotated[str, typer.Option(help="The portfolio that it belongs to.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON list.")] = False,
) -> None:
    """Show everything that was said about a transaction: who, when, what counted before and after."""
    settings = Settings.from_environment()
    one = chosen_portfolio(settings, portfolio)
    statements = history_of(Workspace.open(settings), one, transaction)
    if as_json:
        typer.echo(json.dumps([statement.to_dict() for statement in statements], indent=2))
        return
    if not statements:
        delay = format_duration(one.labels.delay)
        out.print(
            Text(f"Nothing was said about {printable(transaction)}: it counts as genuine {delay} after its time.")
        )
        return
    out.print(_table(statements))


def _counted(ws: Workspace, portfolio: Portfolio, as_of: str | None) -> dict[str, object]:
    moment = _moment(ws, portfolio, as_of)
    return {
        "as_of": moment.isoformat() if moment else None,
        "feeds": [count.to_dict() for count in feed_counts(ws, portfolio, moment)] if moment else [],
        "not_matured": immature_rows(ws, portfolio, moment) if moment else 0,
    }


def _moment(ws: Workspace, portfolio: Portfolio, key: str | None) -> datetime | None:
    if key is None:
        keys = ws.store.keys("transactions", portfolio.name)
        return portfolio.partitioning.end(keys[-1]) if keys else None
    try:
        return portfolio.partitioning.end(key)
    except ValueError as error:
        raise ContractError(str(error), where="--as-of") from None


def _show(portfolio: Portfolio, counted: dict[str, object]) -> None:
    if counted["as_of"] is None:
        out.print(Text(f"{portfolio.name}: no transactions yet"))
        return
    table = Table(title=Text(f"{portfolio.name}, as of {_shown(datetime.fromisoformat(str(counted['as_of'])))}"))
    for name in ("feed", "reports", "transactions", "of these fraud", "corrected", "first", "last"):
        table.add_column(name, justify="left" if name in ("feed", "first", "last") else "right")
    for found in counted["feeds"]:  # type: ignore[attr-defined]
        count = FeedCount(**found)
        numbers = (count.reports, count.transactions, count.frauds, count.corrected)
        table.add_row(NAMES[count.feed], *(f"{number:,}" for number in numbers), count.first or "–", count.last or "–")
    out.print(table)
    delay = format_duration(portfolio.labels.delay)
    out.print(Text(f"{counted['not_matured']:,} transactions are younger than {delay}: their labels have not matured."))


def _table(statements: list[Statement]) -> Table:
    table = Table()
    for name in ("reported", "known from", "feed", "by", "said", "counted before", "counts from then on"):
        table.add_column(name)
    for one in statements:
        table.add_row(
            _shown(one.reported_at),
            _shown(one.known_at),
            NAMES[one.feed],
            printable(one.by) if one.by else "–",
            one.said,
            one.before,
            one.after,
        )
    return table


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"
