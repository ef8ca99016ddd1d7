"""``fraudops backup`` and ``fraudops restore``."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.console import out, printable, tell
from fraudops.cli.local_database import database_of
from fraudops.errors import ConfigurationError
from fraudops.keeping.size import format_bytes
from fraudops.keeping.snapshots import BackupFolder
from fraudops.settings import Settings
from fraudops.stack.backup import restore as put_back
from fraudops.stack.backup import take
from fraudops.stack.environment import AIRFLOW_DATABASE
from fraudops.stack.lifecycle import Stack
from fraudops.stack.preparation import AirflowMigration, readable_portfolios
from fraudops.workspace import Workspace

FolderArgument = Annotated[Path, typer.Argument(help="Folder of backups, best on another disk.", file_okay=False)]


def backup(
    folder: FolderArgument,
    airflow: Annotated[bool, typer.Option(help="Airflow's database of the local stack as well.")] = True,
    show: Annotated[bool, typer.Option("--list", help="Only list the backups in the folder.")] = False,
) -> None:
    """Back up databases and store while everything goes on working; a second one into the folder copies what is new."""
    if show:
        _list(folder)
        return
    settings = Settings.from_environment()
    ws, stack = Workspace.open(settings), Stack(settings)
    with database_of(stack, ws.database_url, alone=False) as own:
        done = take(
            ws,
            folder,
            portfolios=[portfolio.name for portfolio in readable_portfolios(settings.portfolios)],
            airflow_url=stack.postgres.url(AIRFLOW_DATABASE) if own and airflow else None,
            now=datetime.now(UTC),
            tell=tell,
        )
    found = done.snapshot
    out.print(
        f"backed up {len(found.files):,} files and {', '.join(found.databases)}: {format_bytes(found.bytes)}, of which "
        f"{format_bytes(done.new_bytes)} are new in {printable(str(folder))}"
    )
    out.print(Text(f"  {done.path.name}, ledger up to entry {found.ledger_number:,}", "dim"))
    where = f"{stack.folder.secrets}" if own else "FRAUDOPS_TOKEN_KEY, FRAUDOPS_LEDGER_KEY and FRAUDOPS_PROTECTION_KEY"
    out.print(f"[bold]The keys are not in it[/]: keep {where} somewhere else, or the backup is of no use.")
    if done.wrong:
        out.print(Text(f"{len(done.wrong)} files of the store are not what was written: fraudops verify", "bold red"))
        raise typer.Exit(1)


def restore(
    folder: FolderArgument,
    snapshot: Annotated[str, typer.Option(help="Which backup, or the beginning of its name (default: newest).")] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the databases and move the store aside where there are some.")
    ] = False,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Restore what there is of a backup that lacks files.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before overwriting.")] = False,
) -> None:
    """Put a backup in the place of an empty installation; everything is checked before anything is written."""
    settings = Settings.from_environment()
    stack = Stack(settings)
    if settings.database_url is None:
        raise ConfigurationError(
            "the keys of the installation are not here",
            where=str(stack.folder.secrets),
            remedy="put the secrets.json that you kept into this place (or set FRAUDOPS_DATABASE_URL, "
            "FRAUDOPS_TOKEN_KEY, FRAUDOPS_LEDGER_KEY and FRAUDOPS_PROTECTION_KEY), then restore",
        )
    ws = Workspace.open(settings)
    if overwrite and not yes:
        typer.confirm(f"Replace the databases, and the store in {ws.store.root}?", abort=True)
    with database_of(stack, ws.database_url, alone=True) as own:
        done = put_back(
            ws,
            folder,
            name=snapshot or None,
            owner_url=stack.database_owner_url,
            airflow_url=stack.postgres.url(AIRFLOW_DATABASE) if own else None,
            overwrite=overwrite,
            incomplete=incomplete,
            actor=getpass.getuser(),
            tell=tell,
        )
        if own:
            AirflowMigration(stack.postgres, {}, stack.folder.logs / "migrate.log").forget()
    found = done.snapshot
    out.print(
        f"restored {done.files:,} files and {', '.join(found.databases)} as of {found.taken_at:%Y-%m-%d %H:%M:%S} UTC, "
        f"ledger up to entry {found.ledger_number:,}"
    )
    if done.replaced:
        out.print(f"  the store that was there lies in {printable(str(done.replaced))}: delete it when all is well")
    for name in done.left_out:
        out.print(Text(f"  not in the backup: {printable(name)}", "yellow"))
    for finding in done.findings:
        out.print(Text(f"  {printable(finding)}", "red"))
    out.print("Start with 'make up', then: fraudops verify --thorough; <portfolio>_reconcile scores what is missing.")
    if done.findings or done.left_out:
        raise typer.Exit(1)


def _list(folder: Path) -> None:
    backups = BackupFolder(folder)
    table = Table("backup", "taken (UTC)", "files", "size", "ledger up to", "databases")
    for name in backups.snapshots():
        found = backups.read(name)
        table.add_row(
            name.removesuffix(".json"),
            f"{found.taken_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            f"{len(found.files):,}",
            format_bytes(found.bytes),
            f"{found.ledger_number:,}",
            ", ".join(found.databases),
        )
    out.print(table)
