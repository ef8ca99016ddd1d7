"""The result as a table for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table


def show(header: dict[str, Any], rows: list[dict[str, Any]], console: Console) -> None:
    """Print a result."""
    hurry = ", quick" if header["quick"] else ""
    table = Table(title=f"{header['date']}{hurry}, {header['cores']} cores, load {header['load_before']} before")
    for name in ("measured", "ours", "reference", "ratio", "unit", "goal", "met"):
        table.add_column(name, justify="right" if name in ("ours", "reference", "ratio") else "left")
    for row in rows:
        if row.get("skipped"):
            table.add_row(row["name"], "", "", "", "", f"skipped: {row['skipped']}", "")
            continue
        numbers = (_number(row[name]) for name in ("ours", "reference", "ratio"))
        table.add_row(row["name"], *numbers, row["unit"], row["goal"] or "", _met(row["met"]))
    console.print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _met(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"
