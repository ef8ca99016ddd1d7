"""``fraudops quarantine``: the rows that could not be used, why, and what to do about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import typer
from rich.text import Text

from fraudops.cli.console import out, printable
from fraudops.errors import ContractError
from fraudops.intake.quarantine import Held, held_files
from fraudops.intake.remedies import remedy_of
from fraudops.reports.safe_csv import export_csv
from fraudops.settings import Settings
from fraudops.store import Store

app = typer.Typer(no_args_is_help=True, help="List, show and export the rows that could not be used.")

_DIGITS = 16
_SHOWN_REASONS = 5
_COLUMNS = ("portfolio", "file", "digest", "line", "column", "reason", "what to do", "partition", "row")

PortfolioOption = Annotated[str | None, typer.Option("--portfolio", "-p", help="Only this portfolio.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: a JSON list.")]


@app.command("list")
def list_files(portfolio: PortfolioOption = None, as_json: JsonOption = False) -> None:
    """List the files of which rows lie in quarantine: how many, and why."""
    found = _held(portfolio)
    if as_json:
        _write_json([_facts(held) for held in found])
        return
    if not found:
        out.print("Nothing lies in quarantine.")
        return
    for held in found:
        for line in _summary(held):
            out.print(line)
    out.print(Text("fraudops quarantine show FILE lists the rows, export writes them to a CSV file", style="dim"))


@app.command()
def show(
    file: Annotated[str, typer.Argument(help="The file's name, or the first digits of its digest.")],
    portfolio: PortfolioOption = None,
    column: Annotated[str | None, typer.Option(help="Only rows rejected for this column.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most this many rows, in the order of the lines.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show a file's rejected rows: line, column, reason, what to do, and the row with secrets masked."""
    held = _only(_named(_held(portfolio), file), file)
    rows = held.archive.rows()
    if column is not None:
        rows = rows.filter(pc.fill_null(pc.equal(rows["column"], column), False))
    shown = rows.slice(0, limit)
    if as_json:
        _write_json([dict(zip(_COLUMNS, values, strict=True)) for values in _cells(held, shown)])
        return
    for line in _summary(held):
        out.print(line)
    for item in shown.to_pylist():
        column_name = f", column {printable(item['column'])}" if item["column"] else ""
        out.print(Text(f"line {item['line']}{column_name}: ") + Text(printable(item["reason"]), style="bold"))
        out.print(Text(f"   {printable(item['raw'])}", style="dim"))
    if rows.num_rows > limit:
        out.print(Text(f"{rows.num_rows - limit:,} more; see --limit, or fraudops quarantine export", style="dim"))


@app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV file to write.", dir_okay=False)],
    file: Annotated[str | None, typer.Argument(help="Only this file: its name, or digits of its digest.")] = None,
    portfolio: PortfolioOption = None,
) -> None:
    """Write the rejected rows to a CSV file that a spreadsheet may open: no cell of it becomes a formula."""
    found = _held(portfolio)
    if file is not None:
        found = _named(found, file)
    rows = (cells for held in found for cells in _cells(held, held.archive.rows()))
    count = export_csv(output, _COLUMNS, rows)
    files = f"{len(found)} {'file' if len(found) == 1 else 'files'}"
    out.print(f"{count:,} {'row' if count == 1 else 'rows'} of {files}: {output}")


def _held(portfolio: str | None) -> list[Held]:
    settings = Settings.from_environment()
    store = Store(settings.store)
    names = [portfolio] if portfolio is not None else _portfolios(store)
    return [held for name in names for held in held_files(store, name)]


def _portfolios(store: Store) -> list[str]:
    """Those with a quarantine, whether their YAML is still there or not."""
    return sorted(place.name.removeprefix("portfolio=") for place in (store.root / "quarantine").glob("portfolio=*"))


def _named(found: list[Held], name: str) -> list[Held]:
    """The files of a name, or of a digest."""
    named = [held for held in found if name in (held.file, Path(held.file).name)]
    digits = name.lower().removesuffix("…")
    named = named or [held for held in found if len(digits) >= 6 and held.archive.sha256.startswith(digits)]
    if not named:
        raise ContractError(
            f"no rows of {name!r} lie in quarantine", where="quarantine", remedy="see 'fraudops quarantine list'"
        )
    return named


def _only(found: list[Held], name: str) -> Held:
    if len(found) > 1:
        which = ", ".join(f"{held.archive.sha256[:_DIGITS]} ({held.archive.portfolio})" for held in found)
        raise ContractError(
            f"there are {len(found)} files {name!r}: {which}",
            where="quarantine",
            remedy="give the digest in place of the name, or say which portfolio with --portfolio",
        )
    return found[0]


def _summary(held: Held) -> Iterator[Text]:
    yield Text.assemble(
        (printable(held.file), "bold"),
        f"  {held.rows:,} of {held.rows_read:,} rows  ",
        (f"{held.archive.portfolio}, {held.archive.sha256[:_DIGITS]}", "dim"),
    )
    ordered = sorted(held.reasons.items(), key=lambda item: (-item[1], item[0]))
    for reason, count in ordered[:_SHOWN_REASONS]:
        yield Text(f"   {count:,} × {printable(reason)}")
        yield Text(f"      → {remedy_of(reason)}", style="dim")
    if len(ordered) > _SHOWN_REASONS:
        yield Text(f"   and {len(ordered) - _SHOWN_REASONS} other reasons", style="dim")


def _cells(held: Held, rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    for item in rows.to_pylist():
        yield (
            held.archive.portfolio,
            held.file,
            held.archive.sha256[:_DIGITS],
            item["line"],
            item["column"],
            item["reason"],
            remedy_of(item["reason"]),
            item["partition_key"],
            item["raw"],
        )


def _facts(held: Held) -> dict[str, Any]:
    return {
        "portfolio": held.archive.portfolio,
        "file": held.file,
        "digest": held.archive.sha256,
        "rows": held.rows,
        "rows_read": held.rows_read,
        "reasons": held.reasons,
    }


def _write_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=True, indent=2))
