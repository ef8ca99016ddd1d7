"""``fraudops models``: versions, the champion, going back to an earlier one."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli import shadow
from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.database import ModelVersion, PromotionRecord, Verdict
from fraudops.portfolio import Portfolio, load_all
from fraudops.registry.gate_lines import FAILED, PASSED, gate_lines
from fraudops.roles import read_roles
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="List model versions, look at one, roll back, print its evidence.")
app.add_typer(shadow.app, name="shadow")

PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")]


@app.command("list")
def list_versions(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Only this portfolio.")] = "",
) -> None:
    """Every version, the newest first, and which is the champion."""
    from fraudops.registry import versions

    settings = Settings.from_environment()
    chosen = [chosen_portfolio(settings, portfolio)] if portfolio else list(load_all(settings.portfolios).values())
    ws, shown = Workspace.open(settings), 0
    with ws.transaction() as session:
        for one in chosen:
            found = versions.versions(session, one.name)
            if found:
                out.print(_version_table(one, found, versions.champion(session, one.name)))
                shown += 1
    if not shown:
        where = f" in {portfolio}" if portfolio else ""
        out.print(f"There is no model version{where} yet: trigger <portfolio>_train in Airflow.")


@app.command()
def show(version: Annotated[str, typer.Argument(help="Such as v3.")], portfolio: PortfolioOption = "cards") -> None:
    """One version: where it comes from, its numbers, the verdict on it, when it was champion."""
    from sqlalchemy import select

    from fraudops.registry import versions

    settings = Settings.from_environment()
    one = chosen_portfolio(settings, portfolio)
    with Workspace.open(settings).transaction() as session:
        model = versions.version(session, one.name, version)
        in_use = versions.champion(session, one.name)
        records = [r for r in versions.history(session, one.name) if r.model_id == model.id]
        of_training = (Verdict.kind == "training") & (Verdict.run_id == model.run_id)
        of_shadow = (Verdict.kind == "shadow") & (Verdict.challenger_id == model.id)
        verdicts = session.scalars(
            select(Verdict).where(Verdict.portfolio == one.name, of_training | of_shadow).order_by(Verdict.id)
        )
        out.print(_facts(model, is_champion=in_use is not None and in_use.id == model.id))
        for verdict in verdicts:
            _print_verdict(verdict, model)
        if records:
            out.print(_history_table(records))


@app.command()
def rollback(
    version: Annotated[str, typer.Argument(help="A former champion, such as v3.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is recorded.")],
    portfolio: PortfolioOption,
    by: Annotated[str, typer.Option(help="Who answers for it: an approver (default: your user name).")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make a former champion the champion again; recorded in the ledger with your name and reason."""
    from fraudops.notices.champion_messages import promotion as promotion_notice
    from fraudops.registry.approval import rollback_by
    from fraudops.reports.evidence import file_pack

    settings = Settings.from_environment()
    one = chosen_portfolio(settings, portfolio)
    if not yes:
        typer.confirm(f"Make {version} the champion of {one.name}?", abort=True)
    ws = Workspace.open(settings)
    summary = rollback_by(
        ws, one, read_roles(settings.roles), version=version, user=by or getpass.getuser(), reason=reason
    )
    with ws.transaction() as session:
        promotion_notice(session, ws, one, summary)
    state = "was champion already" if summary.already else "is champion"
    out.print(
        f"{one.name}: {summary.version} ({summary.candidate}) {state}, in force for partitions that end at or "
        f"after {_minute(datetime.fromisoformat(summary.effective_from))}; before it: {summary.previous}; "
        f"ledger entry {summary.ledger_number}"
    )
    filed = file_pack(ws, one, version=summary.version)
    out.print(f"evidence filed: {filed.page}")


@app.command()
def pack(
    version: Annotated[str, typer.Argument(help="Such as v3.")],
    portfolio: PortfolioOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to put the two files into.")] = Path(),
) -> None:
    """The evidence pack of a version: a page that prints, and the same as JSON; filed anew where more is known."""
    from fraudops.reports.evidence import file_pack, read_pack

    settings = Settings.from_environment()
    ws = Workspace.open(settings)
    filed = file_pack(ws, chosen_portfolio(settings, portfolio), version=version)
    output.mkdir(parents=True, exist_ok=True)
    for name, content in zip((filed.page, filed.data), read_pack(ws, filed), strict=True):
        target = output / f"{filed.portfolio}-{filed.version}-{name}"
        target.write_bytes(content)
        out.print(Text(str(target)))
    out.print(f"revision {filed.revision}, ledger entry {filed.ledger_number}")


# -- inside -------------------------------------------------------------------------------------------


def _version_table(portfolio: Portfolio, found: list[ModelVersion], in_use: ModelVersion | None) -> Table:
    table = Table(title=f"{portfolio.title} ({portfolio.name})", title_justify="left")
    for heading in ("version", "candidate", "average precision", "ROC AUC", "as of", "trained until", "run"):
        table.add_column(heading, no_wrap=heading != "run", overflow="fold")
    for model in found:
        is_champion = in_use is not None and in_use.id == model.id
        measured = model.metrics
        table.add_row(
            Text(f"{model.version} champion" if is_champion else model.version, "bold green" if is_champion else ""),
            Text(model.candidate),
            Text(_average_precision(measured)),
            _number(measured.get("roc_auc")),
            _minute(model.as_of),
            _minute(model.trained_until),
            Text(model.run_id),
        )
    return table


def _facts(model: ModelVersion, *, is_champion: bool) -> Table:
    title = f"{model.portfolio} {model.version} ({model.candidate})" + (" — champion" if is_champion else "")
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    measured = model.metrics
    rows: dict[str, Any] = {
        "average precision": _average_precision(measured),
        "ROC AUC": _number(measured.get("roc_auc")),
        "held-out rows": f"{measured['n']:,}, {measured['positives']:,} frauds" if "positives" in measured else "—",
        "thresholds": ", ".join(f"{name} {_number(model.thresholds.get(name))}" for name in ("review", "block")),
        "as of": _minute(model.as_of),
        "trained until": _minute(model.trained_until),
        "run": model.run_id,
        "artifact": model.artifact,
        "SHA-256": model.artifact_sha256,
        "registered": _minute(model.created_at),
    }
    for name, value in rows.items():
        table.add_row(name, Text(str(value)))
    return table


def _print_verdict(verdict: Verdict, model: ModelVersion) -> None:
    colour = {"PROMOTE": "bold green", "HOLD": "bold yellow", "REJECT": "bold red"}[verdict.outcome]
    about = "" if verdict.challenger_id == model.id else f" (on {verdict.challenger.version}, the run's challenger)"
    out.print(Text(verdict.outcome, colour) + Text(f"{about}  {verdict.reason}", "default"))
    table = Table("gate", "measured", "required", "passed")
    for gate in gate_lines(verdict.gates):
        table.add_row(Text(gate.name), Text(gate.measured), Text(gate.required), _result(gate.result))
        for part in gate.parts:
            table.add_row(Text(f"  {part.name}", "dim"), Text(part.measured, "dim"))
    out.print(table)
    if verdict.report:
        out.print(Text(f"report: {verdict.report}"))


def _result(result: str) -> Text:
    return Text(result, {PASSED: "green", FAILED: "bold red"}.get(result, "dim"))


def _history_table(records: list[PromotionRecord]) -> Table:
    table = Table(title="champion", title_justify="left")
    for heading in ("by", "in force from", "approved by", "reason", "ledger"):
        table.add_column(heading, overflow="fold")
    for record in records:
        table.add_row(
            record.kind,
            _minute(record.effective_from),
            Text(record.approved_by),
            Text(record.reason),
            str(record.ledger_number),
        )
    return table


def _average_precision(measured: dict[str, Any]) -> str:
    interval = measured.get("average_precision_interval")
    text = _number(measured.get("average_precision"))
    return text + (f" [{_number(interval[0])}, {_number(interval[1])}]" if interval else "")


def _number(value: Any) -> str:
    if value is None:
        return "—"
    return (
        f"{value:,.0f}"
        if isinstance(value, float) and value >= 10
        else (f"{value:.3f}" if isinstance(value, float) else str(value))
    )


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
