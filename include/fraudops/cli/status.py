"""``fraudops status``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.console import out
from fraudops.keeping.size import Storage, storage
from fraudops.settings import Settings
from fraudops.stack.lifecycle import Stack, StackState
from fraudops.stack.overview import PRIMARY_METRIC, PortfolioOverview, portfolio_overview
from fraudops.stack.preparation import readable_portfolios
from fraudops.stack.secrets import read_secrets
from fraudops.store import Store
from fraudops.workspace import Workspace

NOT_RUNNING = 3
"""Exit code where the stack does not run, as ``systemctl status`` has it."""


@dataclass(frozen=True)
class Status:
    """All that ``fraudops status`` shows."""

    stack: StackState
    login: tuple[str, str] | None
    portfolios: list[PortfolioOverview]
    storage: Storage | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``--json``."""
        return {
            "running": self.stack.running,
            "address": self.stack.address,
            "login": {"user": self.login[0], "password": self.login[1]} if self.login else None,
            "processes": self.stack.parts,
            "scoring": self.stack.scoring,
            "storage": self.storage.to_dict() if self.storage else None,
            "portfolios": {portfolio.name: portfolio.to_dict() for portfolio in self.portfolios},
        }


def read_status(settings: Settings) -> Status:
    """Ask the processes, the store and, where it runs, the database."""
    stack = Stack(settings)
    state = stack.state()
    secrets = read_secrets(stack.folder.secrets)
    database = state.parts.get("postgres", False) or (
        settings.database_url is not None and settings.database_url != stack.database_url
    )
    ws = Workspace.open(settings) if database else None
    store = Store(settings.store)
    now = datetime.now(UTC)
    found = [
        portfolio_overview(store, portfolio, ws, now=now) for portfolio in readable_portfolios(settings.portfolios)
    ]
    return Status(state, ("admin", secrets.passwords["admin"]) if secrets else None, found, storage(store))


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What runs, who is champion, what waits. Exit code 3 where the stack does not run."""
    found = read_status(Settings.from_environment())
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        _show(found)
    if not found.stack.running:
        raise typer.Exit(NOT_RUNNING)


def _show(found: Status) -> None:
    if found.stack.running and found.login:
        user, password = found.login
        out.print(f"running at [bold]{found.stack.address}[/]   login [bold]{user}[/] / [bold]{password}[/]")
        if found.stack.scoring:
            out.print(f"scoring service at [bold]{found.stack.scoring}[/]   keys: 'fraudops api-keys create'")
    elif any(found.stack.parts.values()):
        down = ", ".join(part for part, runs in found.stack.parts.items() if not runs) or "Airflow is not healthy"
        out.print(f"[bold yellow]partly running[/] (missing: {down}): 'make up' repairs it")
    else:
        out.print("[bold]not running[/]: 'make up' starts it, 'make demo' shows the whole lifecycle")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("portfolio", "champion", "partitions", "rows", "alerts", "notices"):
        table.add_column(title, overflow="fold")
    for portfolio in found.portfolios:
        table.add_row(*_cells(portfolio))
    out.print()
    out.print(table)
    for portfolio in found.portfolios:
        if portfolio.monitoring:
            out.print(Text(f"{portfolio.name}: {portfolio.monitoring}"))
        if portfolio.shadow:
            out.print(Text(f"{portfolio.name}: {portfolio.shadow}"))
        if portfolio.in_time:
            style = "yellow" if portfolio.in_time.startswith("late") else "default"
            out.print(Text(f"{portfolio.name} is {portfolio.in_time}", style=style))
        for alarm in portfolio.alarms:
            out.print(Text("ALARM ", style="bold red") + Text(f"{portfolio.name}: {alarm}"))
    if found.storage:
        warning = Text("DISK NEARLY FULL ", style="bold red") if found.storage.disk.is_little else Text("")
        out.print(warning + Text(found.storage.sentence, "dim"))


def _cells(portfolio: PortfolioOverview) -> list[str]:
    champion = portfolio.champion
    precision = champion.metrics.get(PRIMARY_METRIC) if champion else None
    model = f"{champion.version} {champion.candidate}" if champion else "–"
    waiting = f", {portfolio.pending} pending" if portfolio.pending else ""
    waiting += f", {portfolio.stale} stale: {portfolio.name}_reconcile scores them again" if portfolio.stale else ""
    notices = portfolio.notices
    return [
        portfolio.name,
        f"{model} ({PRIMARY_METRIC.replace('_', ' ')} {precision:.3f})" if precision is not None else model,
        f"{portfolio.partitions} ({portfolio.scored} scored{waiting})" if portfolio.partitions else "–",
        f"{portfolio.rows:,} ({portfolio.quarantined:,} quarantined)" if portfolio.partitions else "–",
        f"{portfolio.alerts:,}" if portfolio.alerts is not None else "–",
        f"{notices['sent']} sent, {notices['waiting']} waiting" if notices["sent"] is not None else "–",
    ]
