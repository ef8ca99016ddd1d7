"""The command ``fraudops``.

``fraudops --help`` imports none of the commands, so it answers at once; a command is imported when it is called.
"""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from fraudops import __version__
from fraudops.errors import FraudopsError

COMMANDS = {
    "demo": ("demo", "demo", "Run the whole lifecycle, from a landing file to a compliance notice, in Airflow."),
    "up": ("stack", "up", "Start PostgreSQL, the mail sink and Airflow on this machine."),
    "down": ("stack", "down", "Stop all of them; the data is kept."),
    "reset": ("stack", "reset", "Stop all of them and delete everything they made."),
    "status": ("status", "status", "What runs, who is champion, what waits."),
    "portfolio": ("portfolio", "app", "Infer, check, add, remove and list portfolio files."),
    "sources": ("sources", "app", "Where rows come from; how far databases have been read."),
    "simulate": ("simulate", "app", "Write simulated card payments."),
    "features": ("features", "app", "What behaviour is measured by; check that no feature looks ahead."),
    "online": ("online", "app", "What scoring at once remembers: bring the store's days in; where it stands."),
    "models": ("models", "app", "List model versions, look at one, roll back, shadow, print the evidence."),
    "evaluate": ("evaluate", "evaluate", "Evaluate candidates over several test windows; writes a page."),
    "monitor": ("monitor", "monitor", "Status of the champions: ok, watch or act, and what it rests on."),
    "policy": ("policy", "app", "What another policy would have done."),
    "roles": ("roles", "app", "Who is who, and who may decide on promotions."),
    "quarantine": ("quarantine", "app", "List, show and export the rows that could not be used."),
    "labels": ("labels", "app", "Count the labels of each feed; show how a label came about."),
    "cases": ("cases", "app", "Investigate: list, look, work, escalate, close with a second pair of eyes."),
    "alerts": ("alerts", "app", "List alerts and why they were raised."),
    "replay": ("replay", "replay", "Compute past decisions again, and compare them with the record."),
    "comply": ("comply", "comply", "Run the rules of law and policy over partitions."),
    "rules": ("rules", "app", "The rules: numbers by date, what they found, backtests, snoozes."),
    "filings": ("filings", "app", "Clocks of what must be reported by a day, and drafts; for compliance officers."),
    "trace": ("trace", "app", "What led to an alert; what became of a file's rows."),
    "restate": ("restate", "restate", "What would be alerted today for days of the past; changes nothing."),
    "report": ("report", "app", "The monthly pack: make one, list those there are."),
    "mail": ("mail", "app", "Read the e-mails that the local mail sink received."),
    "ledger": ("ledger", "app", "Read and verify the ledger."),
    "serve": ("serve", "serve", "Score transactions as they happen, over HTTP."),
    "consume": ("consume", "consume", "Score the transactions of a Redis or Valkey stream."),
    "api-keys": ("api_keys", "app", "Keys of the scoring service: make, list, change, revoke."),
    "keys": ("keys", "app", "Which keys there are, and changing one: of tokens, ledger, protected files."),
    "store": ("store", "app", "How large the store is; bring one of an earlier version up to date."),
    "verify": ("retain", "verify", "Check that ledger, store and models are what was written."),
    "retain": ("retain", "retain", "Remove what is older than its retention."),
    "backup": ("backup", "backup", "Back up databases and store while everything goes on working."),
    "restore": ("backup", "restore", "Put a backup in the place of an empty installation."),
    "hold": ("hold", "app", "Legal holds: what retention must not remove."),
}
"""Command → module below ``fraudops.cli``, its attribute (a function or a typer app), help."""


class LazyGroup(TyperGroup):
    """Commands that are listed from the table above and imported when they are called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in that knows the command's help."""
        if cmd_name not in COMMANDS:
            return None
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name][2])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, _load(name) if name is not None and command is not None else command, rest


def _load(name: str) -> Any:
    module, attribute, text = COMMANDS[name]
    found = getattr(importlib.import_module(f"fraudops.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    single = typer.Typer(add_completion=False)
    single.command(name, help=text)(found)
    return get_command(single)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="fraudops: MLOps for fraud detection and compliance, run as Apache Airflow DAGs.",
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"fraudops {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Run the command line; an error that was raised on purpose is one message and exit code 2."""
    try:
        if not {"--help", "--version"} & set(sys.argv) and len(sys.argv) > 1:
            _load_environment()
        app()
    except FraudopsError as error:
        _fail(error)
    except Exception as error:
        if type(error).__name__ != "OperationalError" or not type(error).__module__.startswith("sqlalchemy"):
            raise
        _fail(FraudopsError("the database does not answer", remedy="start the local stack with 'make up'"))


def _load_environment() -> None:
    """Let a command in a fresh shell find the local stack's database and keys."""
    from fraudops.stack.environment import load

    load()


def _fail(error: FraudopsError) -> None:
    from fraudops.cli.console import show_error

    show_error(error)
    sys.exit(2)
