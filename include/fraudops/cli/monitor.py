"""``fraudops monitor``."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio, load_all
from fraudops.settings import Settings
from fraudops.workspace import Workspace

_STYLES = {"ok": "green", "watch": "yellow", "act": "bold red", "unknown": "dim"}


def monitor(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")] = "",
    as_of: Annotated[str, typer.Option(help="As it was at the end of this partition, such as 2026-03-05.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Status of the champions: ok, watch or act, with what it rests on."""
    settings = Settings.from_environment()
    ws = Workspace.open(settings)
    if portfolio:
        chosen = [chosen_portfolio(settings, portfolio)]
    else:
        chosen = list(load_all(settings.portfolios).values())
    told = {item.name: _told(ws, item, _key(item, as_of)) for item in chosen}
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    for name, found in told.items():
        _show(name, found)


def _key(portfolio: Portfolio, text: str) -> str | None:
    if not text:
        return None
    try:
        portfolio.partitioning.start(text)
    except ValueError as error:
        raise ContractError(str(error), where="--as-of", remedy="name a partition") from None
    return text


def _told(ws: Workspace, portfolio: Portfolio, until: str | None) -> dict[str, Any] | None:
    from fraudops.monitoring.checks import FAMILIES, gravest
    from fraudops.monitoring.looks import checks_of, states
    from fraudops.monitoring.wording import sentence

    found = states(ws, portfolio, until=until)
    if not found:
        return None
    state = found[-1]
    checks = checks_of(ws, portfolio, state.key)
    lines = {}
    for family in FAMILIES:
        status, since = state.families.get(family, ("unknown", state.key))
        loudest = gravest(checks, family)
        lines[family] = {
            "status": status,
            "since": since,
            "finding": sentence(loudest) if loudest else "not judged yet: too little has been seen",
        }
    estimates = {c.family: [c.value, c.low, c.high] for c in checks if c.estimated}
    return {
        "champion": state.version,
        "key": state.key,
        "status": state.status,
        "since": state.since,
        "checks": lines,
        "estimates": estimates,
    }


def _show(name: str, found: dict[str, Any] | None) -> None:
    if found is None:
        out.print(Text(f"{name}: nothing has been monitored yet", style="dim"))
        return
    heading = Text(f"{name} ") + Text(found["status"], style=_STYLES[found["status"]])
    out.print(
        heading + Text(f" since {found['since']} (champion {found['champion']}, as of the end of {found['key']})")
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("check", "status", "since", "finding"):
        table.add_column(title, overflow="fold")
    for family, line in found["checks"].items():
        status = Text(line["status"], style=_STYLES[line["status"]])
        table.add_row(family, status, line["since"] if line["status"] != "unknown" else "–", Text(line["finding"]))
    out.print(table)
    if found["estimates"]:
        shown = ", ".join(f"{f} {v:.3f} [{low:.3f}, {high:.3f}]" for f, (v, low, high) in found["estimates"].items())
        out.print(
            Text(f"estimated, for days whose labels are not known yet (decides nothing): {shown}", style="italic")
        )
