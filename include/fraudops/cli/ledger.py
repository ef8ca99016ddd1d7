"""``fraudops ledger``: read the record, and prove that nobody has altered it."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy import func, select

from fraudops import ledger
from fraudops.cli.console import out, printable
from fraudops.database import LedgerEntry
from fraudops.errors import ContractError
from fraudops.ledger.heads import check, exported
from fraudops.ledger.heads import read as read_head
from fraudops.ledger.keys import Signatures
from fraudops.ledger.verification import CUT, finding
from fraudops.settings import Settings
from fraudops.store.digests import canonical_json
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Read the ledger, and verify that it is unaltered.")

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LONGEST = 200
_SHOWN_AT_ONCE = 50
"""Findings that are listed one by one; where more is wrong, the count says it."""


@app.command()
def show(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")] = "",
    action: Annotated[str, typer.Option(help="Only this action, such as promoted.")] = "",
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="How many entries, counted from the end.")] = 20,
) -> None:
    """The newest entries, in the order in which they were written."""
    query = select(LedgerEntry).order_by(LedgerEntry.number.desc()).limit(last)
    if portfolio:
        query = query.where(LedgerEntry.portfolio == portfolio)
    if action:
        query = query.where(LedgerEntry.action == action)
    with Workspace.open(Settings.from_environment()).transaction() as session:
        entries = list(session.scalars(query))[::-1]
    if not entries:
        out.print("No entry of the ledger fits.")
        return
    table = Table()
    for heading in ("number", "at (UTC)", "actor", "action", "subject", "details"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("number", "at (UTC)", "action"))
    for entry in entries:
        table.add_row(
            str(entry.number),
            f"{entry.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            Text(printable(entry.actor)),
            Text(entry.action),
            Text(printable(entry.subject)),
            Text(printable(", ".join(f"{name}={_short(value)}" for name, value in sorted(entry.details.items())))),
        )
    out.print(table)


@app.command()
def head(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Append it to this file, which you keep elsewhere.")
    ] = None,
) -> None:
    """The end of the chain: kept elsewhere, it shows later that nothing before it was changed or cut off."""
    with Workspace.open(Settings.from_environment()).transaction() as session:
        found = ledger.head(session)
    line = f"{found.number} {found.digest}"
    if output is None:
        out.print(line)
        return
    with output.open("a", encoding="ascii") as file:
        file.write(f"{line}\n")
    out.print(f"entry {found.number} appended to {printable(str(output))}")


@app.command()
def heads() -> None:
    """The signed heads in the store: ends that the chain once had, newest first."""
    ws = Workspace.open(Settings.from_environment())
    table = Table("number", "at (UTC)", "digest", "signed", "in the chain")
    with ws.transaction() as session:
        signatures = Signatures.read(session, ws.ledger_keys)
        for path in exported(ws.store):
            found = read_head(path)
            if found is None:
                table.add_row(path.name, "", "", "unreadable", "")
                continue
            table.add_row(
                f"{found.number}",
                f"{found.at:%Y-%m-%d %H:%M:%S}",
                found.digest,
                "yes" if found.counts(signatures) else "NO",
                "yes" if ledger.contains(session, found.head) else "NO",
            )
    if table.row_count:
        out.print(table)
    else:
        out.print("No head has been exported yet: 'fraudops verify' and the DAG <portfolio>_verify do so.")


@app.command()
def export(
    output: Annotated[Path, typer.Argument(help="File to write: one JSON object per line.")],
    first: Annotated[int, typer.Option("--from", min=1, help="Number of the first entry.")] = 1,
    last: Annotated[
        int | None, typer.Option("--to", min=1, help="Number of the last entry (default: the end).")
    ] = None,
) -> None:
    """Write entries, with digests and signatures, to a file that somebody else can check."""
    query = select(LedgerEntry).where(LedgerEntry.number >= first).order_by(LedgerEntry.number)
    if last is not None:
        query = query.where(LedgerEntry.number <= last)
    count = 0
    partial = output.with_name(f".{output.name}.partial")
    with Workspace.open(Settings.from_environment()).transaction() as session, partial.open("wb") as file:
        for entry in session.scalars(query.execution_options(yield_per=2_000)):
            file.write(canonical_json(_as_dict(entry)) + b"\n")
            count += 1
    partial.replace(output)
    out.print(f"{count:,} entries written to {printable(str(output))}")


@app.command()
def verify(
    kept: Annotated[
        Path | None,
        typer.Option("--heads", help="A file of heads that you kept (number, digest): all of them must be there."),
    ] = None,
) -> None:
    """Walk the whole chain; ends with exit code 1 where something does not fit."""
    ws = Workspace.open(Settings.from_environment())
    known = _read_heads(kept) if kept is not None else []
    with ws.transaction() as session:
        findings = [*ledger.verify(session, ws.ledger_keys), *check(session, ws.store, ws.ledger_keys)]
        findings += [
            finding(one.number, CUT, "it was once the end of the chain, and is gone or another one")
            for one in known
            if not ledger.contains(session, one)
        ]
        count = session.scalar(select(func.count()).select_from(LedgerEntry)) or 0
    if not findings:
        out.print(Text("unaltered: ", "bold green") + Text(f"{count:,} entries, each follows the one before it"))
        return
    out.print(Text(f"{len(findings):,} findings in {count:,} entries", "bold red"))
    for one in findings[:_SHOWN_AT_ONCE]:
        out.print(Text(f"  {one.where}: {one.what}"))
    if len(findings) > _SHOWN_AT_ONCE:
        out.print(f"  … and {len(findings) - _SHOWN_AT_ONCE:,} more")
    raise typer.Exit(1)


def _as_dict(entry: LedgerEntry) -> dict[str, object]:
    names = ("number", "portfolio", "actor", "action", "subject", "details", "previous", "digest", "signature")
    return {"at": entry.at.astimezone(UTC).isoformat(), **{name: getattr(entry, name) for name in names}}


def _read_heads(path: Path) -> list[ledger.Head]:
    found = []
    for place, line in enumerate(path.read_text(encoding="ascii").splitlines(), start=1):
        number, _, digest = line.partition(" ")
        if not number.isdigit() or not _DIGEST.fullmatch(digest):
            raise ContractError(
                "this is not a number and a digest", where=f"{path}, line {place}", remedy="give a file of ledger head"
            )
        found.append(ledger.Head(int(number), digest))
    return found


def _short(value: object) -> str:
    """The beginning of a digest, and of a list that goes on and on; everything else as it is."""
    text = str(value)
    if _DIGEST.fullmatch(text):
        return f"{text[:16]}…"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
