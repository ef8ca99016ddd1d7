"""``fraudops trace``: what led to an alert, and what became of a file's rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.alerts import find_alert
from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out, printable
from fraudops.decisions.tracing import AlertTrace, FileTrace, rows_of_file, trace_alert, trace_file
from fraudops.portfolio import load_all
from fraudops.reports.safe_csv import export_csv
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="What led to an alert; what became of a file's rows.")

_COLUMNS = ("line", "partition", "outcome", "transaction", "decision", "alert", "reason")
PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command("alert")
def alert_command(
    alert: Annotated[str, typer.Argument(help="The alert's number, or the transaction's id.")],
    portfolio: PortfolioOption = "",
    as_json: JsonOption = False,
) -> None:
    """File, row, partitions, model, rule, e-mails and ledger entries of an alert."""
    settings = Settings.from_environment()
    ws = Workspace.open(settings)
    with ws.transaction() as session:
        found = find_alert(session, alert, portfolio or None)
    trace = trace_alert(ws, chosen_portfolio(settings, found.portfolio), found)
    facts = list(_alert_facts(trace))
    if as_json:
        typer.echo(json.dumps(_grouped(facts), ensure_ascii=True, indent=2))
        return
    grid = Table.grid(padding=(0, 2))
    for name, value in facts:
        grid.add_row(Text(name, "dim"), Text(printable(value)))
    out.print(grid)
    out.print(Text(f"fraudops replay --decision {_decision(trace)} computes it again", "dim"))


@app.command("file")
def file_command(
    file: Annotated[str, typer.Argument(help="Path below the landing folder, name, or digits of the SHA-256.")],
    portfolio: PortfolioOption = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="CSV file with a line for each row.")] = None,
    as_json: JsonOption = False,
) -> None:
    """By partition: rows accepted, stored now, repeated, in quarantine and why; alerts that they raised."""
    settings = Settings.from_environment()
    chosen = {portfolio: chosen_portfolio(settings, portfolio)} if portfolio else load_all(settings.portfolios)
    ws = Workspace.open(settings)
    found = trace_file(ws, chosen, file)
    if as_json:
        typer.echo(json.dumps([_file_facts(trace) for trace in found], ensure_ascii=True, indent=2))
    else:
        for trace in found:
            _print_file(trace)
    if output is not None:
        _write_rows(ws, found, output)


# -- inside ---------------------------------------------------------------------------------------------------


def _decision(trace: AlertTrace) -> str:
    return f"{trace.alert.portfolio}/{trace.alert.partition_key}/{trace.alert.transaction_id}"


def _alert_facts(trace: AlertTrace) -> Iterator[tuple[str, str]]:
    """Name and text of every fact, in the order from the file to the mail; a name may come again."""
    alert, model = trace.alert, trace.alert.model
    yield "alert", f"no. {alert.id}: {alert.decision}, score {alert.score!r}, route {alert.route}"
    yield "decision", _decision(trace)
    if trace.file is None:
        yield "file", "unknown: the lineage of the rows that were scored is gone"
    else:
        yield "file", f"{trace.file}, line {trace.line}"
        yield "file's SHA-256", str(trace.file_sha256)
    for step in trace.steps:
        yield step.dataset, f"{alert.partition_key}, digest {step.digest}, {step.state}"
    yield "model", f"{model.version} ({model.candidate}), SHA-256 {model.artifact_sha256}, run {model.run_id}"
    yield "champion", trace.champion
    yield "rule", trace.rule
    for reason in alert.reasons:
        yield "reason", str(reason)
    for notice in trace.notices:
        yield "e-mail", f"notice {notice.number} ({notice.kind}), {notice.state}, Message-ID {notice.message_id}"
        for started, outcome, accepted in notice.deliveries:
            yield "delivery", f"{_time(started)} {outcome}, taken over for {accepted}"
    if not trace.notices:
        yield "e-mail", "none yet: notify tells of alerts of the past in a summary"
    for number, at, actor, action, subject in trace.ledger:
        yield "ledger", f"{number}  {_time(at)}  {action}  {subject}  by {actor}"


def _grouped(facts: list[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in facts:
        grouped.setdefault(name, []).append(value)
    return grouped


def _print_file(trace: FileTrace) -> None:
    newer = "; other bytes came under its name later" if trace.newer else ""
    out.print(
        Text.assemble(
            (printable(trace.file), "bold"),
            f"  {trace.rows_read:,} rows of {trace.feed}",
            (f"  {trace.portfolio}, SHA-256 {trace.sha256}{newer}", "dim"),
        )
    )
    table = Table()
    for heading in ("partition", "rows", "accepted", "stored now", "repeated", "quarantined", "alerts"):
        table.add_column(heading, justify="left" if heading == "partition" else "right")
    for part in trace.partitions:
        numbers = (part.rows, part.accepted, part.stored, part.repeated, part.quarantined, part.alerts)
        table.add_row(part.key, *(f"{number:,}" for number in numbers))
    if trace.nowhere:
        table.add_row("of no partition", f"{trace.nowhere:,}", "0", "0", "0", f"{trace.nowhere:,}", "0")
    out.print(table)
    for reason, count in sorted(trace.reasons.items(), key=lambda item: (-item[1], item[0])):
        out.print(Text(f"   {count:,} × {printable(reason)}"))


def _file_facts(trace: FileTrace) -> dict[str, Any]:
    return {
        "portfolio": trace.portfolio,
        "file": trace.file,
        "sha256": trace.sha256,
        "feed": trace.feed,
        "rows_read": trace.rows_read,
        "nowhere": trace.nowhere,
        "newer_version": trace.newer,
        "partitions": [vars(part) for part in trace.partitions],
        "reasons": dict(trace.reasons),
    }


def _write_rows(ws: Workspace, found: list[FileTrace], output: Path) -> None:
    header = ("file", "digest", *_COLUMNS)
    rows = (
        (trace.file, trace.sha256[:16], *(row[name] for name in _COLUMNS))
        for trace in found
        for row in sorted(rows_of_file(ws, trace), key=lambda row: row["line"])
    )
    count = export_csv(output, header, rows)
    out.print(f"{count:,} rows: {output}")


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
