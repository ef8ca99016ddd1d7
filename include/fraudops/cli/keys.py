"""``fraudops keys``: which keys there are, and changing one."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from fraudops import ledger
from fraudops.cli.console import out, tell
from fraudops.cli.local_database import database_of
from fraudops.errors import ContractError
from fraudops.ledger.keys import fingerprint
from fraudops.portfolio import TOKENS, load_all
from fraudops.settings import Settings
from fraudops.stack.lifecycle import Stack
from fraudops.stack.secrets import add_key, read_secrets
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="The keys of tokens, ledger and protected files: look, and change one.")


class Kind(StrEnum):
    """Which key."""

    TOKEN = "token"
    LEDGER = "ledger"
    PROTECTION = "protection"

    @property
    def variable(self) -> str:
        """Where it is given."""
        return f"FRAUDOPS_{self.upper()}_KEY"


@dataclass(frozen=True)
class _Standing:
    """Where a key stands.

    Attributes
    ----------
    fingerprints
        Of the keys, the oldest first.
    waiting
        How many of them, the newest, are not in use yet.
    needed
        What the older ones are needed for.
    """

    fingerprints: Sequence[str]
    waiting: int
    needed: str


@app.command()
def show() -> None:
    """The keys by their fingerprints, which of them is in use, and what the older ones are still needed for."""
    settings = Settings.from_environment()
    table = Table("key", "fingerprint", "state", "older ones are needed for")
    with database_of(Stack(settings), settings.database_url, alone=False):
        for kind in Kind:
            found = _standing(Workspace.open(settings), settings, kind)
            in_use = len(found.fingerprints) - found.waiting - 1
            for place, text in enumerate(found.fingerprints):
                state = "in use" if place == in_use else "earlier" if place < in_use else "waits for its rotation"
                table.add_row(kind, text, state, found.needed if place == in_use and place else "")
    out.print(table)


@app.command()
def rotate(
    kind: Annotated[Kind, typer.Argument(help="Which key.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    by: Annotated[str, typer.Option(help="Who answers for it (default: your user name).")] = "",
) -> None:
    """Change a key; who is interrupted runs it again. The stack of 'make up' is given a new key, and must be down.

    Elsewhere add the new key to the variable first, after the others and with a comma between them.
    """
    settings, actor = Settings.from_environment(), by or getpass.getuser()
    stack = Stack(settings)
    with database_of(stack, settings.database_url, alone=True):
        if not _standing(Workspace.open(settings), settings, kind).waiting:
            settings = _with_new_key(stack, settings, kind, yes=yes)
        elif not yes:
            typer.confirm(f"Change the {kind} key to the newest of {kind.variable}?", abort=True)
        _carry_out(Workspace.open(settings), settings, kind, actor)


def _with_new_key(stack: Stack, settings: Settings, kind: Kind, *, yes: bool) -> Settings:
    """The settings with a key that the local stack did not have; elsewhere a person gives it."""
    known = read_secrets(stack.folder.secrets)
    if known is None or os.environ.get(kind.variable) != getattr(known, f"{kind}_key"):
        raise ContractError(
            "there is no new key",
            where=kind.variable,
            remedy="add one after the others, with a comma between them ('openssl rand -hex 32' makes one), for every "
            "process; then run this again",
        )
    if not yes:
        typer.confirm(f"Make a new {kind} key in {stack.folder.secrets}, and change to it?", abort=True)
    os.environ[kind.variable] = getattr(add_key(stack.folder.secrets, known, f"{kind}_key"), f"{kind}_key")
    return Settings.from_environment()


def _carry_out(ws: Workspace, settings: Settings, kind: Kind, actor: str) -> None:
    from fraudops.keeping.rotation import rotate_ledger_key, rotate_protection_key, rotate_token_key
    from fraudops.rules.registry import read_rules

    if kind is Kind.LEDGER:
        number = rotate_ledger_key(ws, actor=actor)
        out.print(f"entry {number} is the first that the new key has signed" if number else "the new key signs already")
    elif kind is Kind.PROTECTION:
        count = rotate_protection_key(ws, actor=actor)
        out.print(f"{count} files are encrypted anew")
    else:
        rules = read_rules(settings.rules)
        done = rotate_token_key(ws, load_all(settings.portfolios).values(), rules, actor=actor, tell=tell)
        if done is None:
            out.print("every stored token has all keys already")
        for name, partitions in (done.partitions if done else {}).items():
            out.print(f"  {name}: {partitions} partitions")
    if kind is Kind.PROTECTION:
        out.print("Backups of before need the older keys; nothing else does.")
    else:
        out.print(f"Keep the older keys in {kind.variable}: they go on being needed.")


def _standing(ws: Workspace, settings: Settings, kind: Kind) -> _Standing:
    from fraudops.intake.tokens import fingerprint_of
    from fraudops.keeping.rotation.protected import newest_protection, protection_fingerprint
    from fraudops.keeping.rotation.tokens import lacking

    if kind is Kind.LEDGER:
        with ws.transaction() as session:
            used = ws.ledger_keys.index(ledger.signing_key(session, ws.ledger_keys))
        names = [fingerprint(key) for key in ws.ledger_keys]
        return _Standing(names, len(names) - used - 1, "entries that they have signed")
    if kind is Kind.TOKEN:
        portfolios = [one for one in load_all(settings.portfolios).values() if one.named(*TOKENS)]
        waiting = max((lacking(ws, one) for one in portfolios), default=0)
        names = [fingerprint_of(ws.token_keys[:n])[:16] for n in range(1, len(ws.token_keys) + 1)]
        return _Standing(names, waiting, "numbers, which go through all of them")
    names = [protection_fingerprint(key) for key in ws.protection_keys]
    with ws.transaction() as session:
        newest = newest_protection(session)
    used = names.index(newest) if newest in names else 0
    return _Standing(names, max(len(names) - used - 1, 0), "backups of before")
