"""The page of a restatement: which alerts would be others today, by day and one by one."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from fraudops.evaluation.difference_figure import alerts_by_day
from fraudops.portfolio import Portfolio
from fraudops.portfolio.iso import money_text
from fraudops.reports.rendering import render
from fraudops.reports.safe_csv import write_csv
from fraudops.workspace import Workspace

_AREA = "restated"
_SHOWN = 300
_ORDER = [("partition_key", "descending"), ("score_now", "descending"), ("transaction_id", "ascending")]


def write_restatement_page(ws: Workspace, portfolio: Portfolio, summary: Mapping[str, Any], diff: pa.Table) -> str:
    """Write ``diff.csv``, the picture and the page beside a restatement; the page last.

    Parameters
    ----------
    summary, diff
        As the restatement wrote them.

    Returns
    -------
    str
        Path of the page in the store, below its root.
    """
    run, days = summary["run"], summary["days"]
    ordered = diff.sort_by(_ORDER)
    ws.store.put(_csv(ordered), _AREA, portfolio.name, run, "diff.csv")
    picture = alerts_by_day(
        [day["key"] for day in days],
        new=[day["new"] for day in days],
        gone=[day["gone"] for day in days],
        same=[day["now"] - day["new"] for day in days],
    )
    ws.store.put(picture, _AREA, portfolio.name, run, "alerts.png")
    page = render(
        "restatement.html",
        portfolio=portfolio,
        summary=summary,
        amounts=_amounts(portfolio, days),
        frauds={name: _frauds(diff, name) for name in ("new", "gone", "changed")},
        undecided=[day["key"] for day in days if not day["decided"]],
        learned=[day["key"] for day in days if day["learned"]],
        picture=base64.b64encode(picture).decode(),
        rows=[_row(portfolio, row) for row in ordered.slice(0, _SHOWN).to_pylist()],
        more=max(0, diff.num_rows - _SHOWN),
    )
    written = ws.store.put(page.encode(), _AREA, portfolio.name, run, "index.html")
    return written.relative_to(ws.store.root).as_posix()


def _csv(rows: pa.Table) -> bytes:
    stream = io.StringIO(newline="")
    write_csv(stream, rows.column_names, (tuple(map(_cell, row.values())) for row in rows.to_pylist()))
    return stream.getvalue().encode()


def _cell(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _amounts(portfolio: Portfolio, days: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Sums of the amounts, without a currency: rows may have different ones."""
    if not portfolio.has_amount:
        return {}
    return {name: _money(portfolio, sum(day[f"{name}_minor"] for day in days)) for name in ("new", "gone")}


def _money(portfolio: Portfolio, minor: int) -> str:
    return money_text(minor, portfolio.minor_digits, "")


def _frauds(diff: pa.Table, change: str) -> dict[str, int]:
    """How many of the transactions with a change are known as fraud, as genuine, and not yet."""
    labels = [row["label"] for row in diff.select(["change", "label"]).to_pylist() if row["change"] == change]
    return {"fraud": labels.count(True), "genuine": labels.count(False), "unknown": labels.count(None)}


def _row(portfolio: Portfolio, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "amount": _money(portfolio, row["amount_minor"]) if portfolio.has_amount else None,
        "known": {True: "fraud", False: "genuine", None: "not yet"}[row["label"]],
    }
