"""``fraudops store``: how large it is, and which form it has."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.console import out, printable
from fraudops.keeping.size import disk, format_bytes, measure
from fraudops.settings import Settings
from fraudops.store import Store, formats

PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")]

app = typer.Typer(no_args_is_help=True, help="How large the store is; bring one of an earlier version up to date.")


@app.command()
def size(
    portfolio: PortfolioOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Partitions, files and bytes of every dataset, and how much room the disk has left."""
    store = Store(Settings.from_environment().store)
    found, room = measure(store, portfolio or None), disk(store)
    total = sum(area.bytes for area in found)
    if as_json:
        content = {
            "areas": [area.to_dict() for area in found],
            "bytes": total,
            "disk": room.to_dict() if room else None,
        }
        typer.echo(json.dumps(content, indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("portfolio", "dataset"):
        table.add_column(name)
    for name in ("partitions", "files", "size"):
        table.add_column(name, justify="right")
    table.add_column("from")
    table.add_column("to")
    for area in found:
        table.add_row(
            area.portfolio,
            area.area,
            f"{area.partitions:,}" if area.partitions else "–",
            f"{area.files:,}",
            format_bytes(area.bytes),
            area.oldest or "",
            area.newest or "",
        )
    out.print(table)
    out.print(f"{format_bytes(total)} in {printable(str(store.root))}" + (f"; {room.sentence}" if room else ""))
    if room and room.is_little:
        out.print(Text("the disk is nearly full: see 'fraudops retain --dry-run', or give it more room", "bold yellow"))


@app.command()
def migrate() -> None:
    """Bring a store that an earlier fraudops wrote up to this version's format; harmless where it is."""
    done = formats.migrate(Store(Settings.from_environment().store).root)
    for line in done:
        out.print(line)
    if not done:
        out.print(f"nothing to do: the store has format {formats.CURRENT}, or there is none yet")
