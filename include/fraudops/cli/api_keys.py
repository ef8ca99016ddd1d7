"""``fraudops api-keys``: who may ask the scoring service."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.console import out, printable
from fraudops.database.online_models import ApiKey
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Keys of the scoring service: make, list, change and revoke them.")

ByOption = Annotated[str, typer.Option(help="Who answers for it (default: your user name).")]
DaysOption = Annotated[int, typer.Option(help="Days for which it is valid; 0: until it is revoked.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Of the program that is to have it.")],
    scope: Annotated[list[str] | None, typer.Option(help="score, read or metrics; may be repeated.")] = None,
    portfolio: Annotated[list[str] | None, typer.Option("--portfolio", "-p", help="Only this one; repeatable.")] = None,
    rate: Annotated[int, typer.Option(help="Transactions a second; 0: as the service says.")] = 0,
    days: DaysOption = 365,
    by: ByOption = "",
) -> None:
    """Make a key; it is shown this once."""
    from fraudops.cli.chosen import chosen_portfolio
    from fraudops.serving import api_keys

    settings = Settings.from_environment()
    for one in portfolio or ():
        chosen_portfolio(settings, one)
    key, text = api_keys.create(
        Workspace.open(settings),
        name=name,
        scopes=scope or ["score", "read"],
        portfolios=portfolio or (),
        per_second=rate or None,
        days=days or None,
        by=by or getpass.getuser(),
    )
    _show(key, text)


@app.command("list")
def list_keys() -> None:
    """All keys, the newest first."""
    from fraudops.serving import api_keys

    with Workspace.open(Settings.from_environment()).transaction() as session:
        found = api_keys.every(session)
    table = Table("id", "name", "scopes", "portfolios", "made by", "on (UTC)", "state")
    for key in found:
        table.add_row(
            key.id,
            Text(printable(key.name)),
            ", ".join(key.scopes),
            ", ".join(key.portfolios) or "all",
            Text(printable(key.created_by)),
            f"{key.created_at.astimezone(UTC):%Y-%m-%d}",
            Text(_state(key)),
        )
    out.print(table if found else "There are no keys: make one with 'fraudops api-keys create'.")


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(help="Id of the key, see 'fraudops api-keys list'.")],
    days: DaysOption = 365,
    by: ByOption = "",
) -> None:
    """Make a second key with the same rights; revoke the first one once nobody uses it."""
    from fraudops.serving import api_keys

    ws = Workspace.open(Settings.from_environment())
    _show(*api_keys.rotate(ws, key_id, days=days or None, by=by or getpass.getuser()))
    out.print(f"{key_id} goes on being valid: 'fraudops api-keys revoke {key_id}' ends it.")


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(help="Id of the key.")], by: ByOption = "") -> None:
    """End a key; a running service refuses it within two seconds."""
    from fraudops.serving import api_keys

    key = api_keys.revoke(Workspace.open(Settings.from_environment()), key_id, by=by or getpass.getuser())
    out.print(f"{key.id} is revoked")


def _show(key: ApiKey, text: str) -> None:
    until = f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "until it is revoked"
    out.print(f"key {key.id} for {', '.join(key.scopes)}, valid {until}. It is shown this once:")
    out.print(text, soft_wrap=True)


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at.astimezone(UTC):%Y-%m-%d} by {printable(key.revoked_by or '')}"
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        return f"expired {key.expires_at.astimezone(UTC):%Y-%m-%d}"
    return f"until {key.expires_at.astimezone(UTC):%Y-%m-%d}" if key.expires_at else "until revoked"
