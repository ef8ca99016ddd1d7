"""``fraudops retain`` and ``fraudops verify``."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out, printable
from fraudops.keeping.size import format_bytes
from fraudops.portfolio import Portfolio, load_all
from fraudops.settings import Settings
from fraudops.workspace import Workspace

PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")]
_SHOWN = 40


def retain(
    portfolio: PortfolioOption = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: Annotated[str, typer.Option(help="Who answers for it (default: your user name).")] = "",
) -> None:
    """Remove what is older than the portfolio's retention and not under a legal hold; the ledger says what."""
    from fraudops.keeping.retain import due, total_bytes
    from fraudops.keeping.retain import retain as remove

    settings = Settings.from_environment()
    ws, now = Workspace.open(settings), datetime.now(UTC)
    for one in _chosen(settings, portfolio):
        items = due(ws, one, now)
        out.print(
            f"[bold]{one.name}[/]: {len(items):,} things are older than their retention and not held, "
            f"{format_bytes(total_bytes(items))}"
        )
        for item in items[:_SHOWN]:
            out.print(
                Text(f"  {item.area} {printable(item.name)}: {item.rows:,} rows, {format_bytes(item.bytes)}", "dim")
            )
        if len(items) > _SHOWN:
            out.print(Text(f"  and {len(items) - _SHOWN:,} more", "dim"))
        if dry_run:
            continue
        if items and not yes:
            typer.confirm("Remove them for good?", abort=True)
        done = remove(ws, one, now=now, actor=by or getpass.getuser())
        entries = ", ".join(map(str, done.ledger)) or "none"
        out.print(
            f"  removed {done.counts.total():,} and {done.collected.unreferenced + done.collected.temporary:,} files "
            f"that nothing refers to, {format_bytes(done.bytes)}; ledger entries: {entries}"
        )
        for kept in done.kept:
            out.print(Text(f"  kept: {kept} (held, or changed in the meantime)"))


def verify(
    portfolio: PortfolioOption = "",
    thorough: Annotated[bool, typer.Option("--thorough", help="Read every data file, not one in thirty.")] = False,
) -> None:
    """Check ledger, store and models against each other; exit code 1 where something was altered."""
    from fraudops.keeping.verification import verify as look

    settings = Settings.from_environment()
    ws, wrong = Workspace.open(settings), False
    for one in _chosen(settings, portfolio):
        found = look(ws, one, now=datetime.now(UTC), thorough=thorough)
        wrong = wrong or bool(found.findings)
        out.print(Text(f"{one.name}: ", "bold") + Text(found.sentence, "red" if found.findings else "green"))
        for finding in found.findings:
            out.print(Text(f"  {printable(finding)}"))
    if wrong:
        raise typer.Exit(1)


def _chosen(settings: Settings, name: str) -> list[Portfolio]:
    return [chosen_portfolio(settings, name)] if name else list(load_all(settings.portfolios).values())
