"""``fraudops report``: the monthly pack of a portfolio."""

from __future__ import annotations

import getpass
import json
import webbrowser
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.errors import ContractError
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="The monthly pack: make one, list those there are.")
Named = Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")]


@app.command()
def monthly(
    month: Annotated[str, typer.Argument(help="Such as 2026-03.")],
    portfolio: Named = "cards",
    as_of: Annotated[
        str, typer.Option(help="Restated: with the labels known at this later day's start, such as 2026-05-01.")
    ] = "",
    incomplete: Annotated[bool, typer.Option("--incomplete", help="Even though partitions are missing.")] = False,
    opened: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON object.")] = False,
) -> None:
    """Make a month's pack (page, PDF, CSV), or find the one that was made; queue its mail once."""
    from fraudops.monthly.editions import PAGE, make_pack
    from fraudops.monthly.month import Month

    settings = Settings.from_environment()
    chosen, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    found = make_pack(
        ws,
        chosen,
        Month.parse(month),
        settings.rules,
        actor=getpass.getuser(),
        as_of=_moment(as_of),
        incomplete=incomplete,
    )
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        said = "made" if found.state == "made" else "was there: the same bytes"
        out.print(f"{chosen.title}, {month}: {said}")
        out.print(f"{ws.store.root}/{found.path}/: {', '.join(sorted(found.digests))}", soft_wrap=True)
        if found.notices:
            out.print("its mail waits in the outbox")
    if opened:
        webbrowser.open((ws.store.root / found.path / PAGE).as_uri())


@app.command("list")
def list_(portfolio: Named = "cards") -> None:
    """List the packs there are, with the moment that each is as of."""
    from fraudops.monthly.editions import editions

    settings = Settings.from_environment()
    chosen, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    table = Table(title=f"{chosen.title}: monthly packs")
    for heading in ("month", "as of", "folder in the store"):
        table.add_column(heading)
    for folder in editions(ws, chosen):
        month, _, edition = folder.partition("_as-of-")
        table.add_row(month, f"{edition.replace('T', ' ')}:00 UTC", f"packs/portfolio={chosen.name}/{folder}")
    out.print(table)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ContractError(f"{text!r} is no moment", where="--as-of", remedy="write it such as 2026-05-01") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
