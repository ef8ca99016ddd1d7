"""``fraudops up``, ``down``, ``reset``."""

from __future__ import annotations

import signal
from typing import Annotated, Any

import typer

from fraudops.cli.console import out, tell
from fraudops.settings import Settings
from fraudops.stack.lifecycle import Stack, Tell, UpResult


def up(
    port: Annotated[int | None, typer.Option(help="Port of the Airflow UI (default: the last one, else 8080).")] = None,
) -> None:
    """Start the stack; harmless when it runs."""
    stack = Stack(Settings.from_environment())
    result = start(stack, port)
    out.print(_greeting(result))
    user, password = stack.login()
    out.print(f"  Airflow UI  [bold]{result.address}[/]   login [bold]{user}[/] / [bold]{password}[/]")
    out.print(f"  e-mails     {stack.folder.maildir}")
    out.print(f"  logs        {stack.folder.logs}")


def start(stack: Stack, port: int | None = None, told: Tell = tell) -> UpResult:
    """Start the stack; an interruption leaves nothing running, and says so."""
    treat_termination_as_interruption()
    try:
        return stack.up(told, port=port)
    except KeyboardInterrupt:
        out.print("interrupted: nothing of the stack runs, the data is as it was. 'make up' starts it again.")
        raise typer.Exit(130) from None


def _greeting(result: UpResult) -> str:
    if not result.started:
        return "the stack runs already"
    verb = "repaired" if result.repaired else "up"
    return f"{verb} in {result.seconds:.0f} s: started {', '.join(result.started)}"


def down() -> None:
    """Stop the stack; harmless when it does not run."""
    count = Stack(Settings.from_environment()).down()
    out.print(f"stopped {count} processes; the data is kept" if count else "nothing of the stack was running")


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the stack and delete the store, the databases, the keys, the e-mails and generated landing files."""
    stack = Stack(Settings.from_environment())
    if not yes:
        typer.confirm(f"Delete everything below {stack.folder.root} and {stack.settings.store}?", abort=True)
    removed = stack.reset()
    for what in removed:
        out.print(f"deleted {what}")


def treat_termination_as_interruption() -> None:
    """Let SIGTERM end a command as tidily as Ctrl-C does."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
