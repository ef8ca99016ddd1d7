"""``fraudops evaluate``: how good candidates are from window to window, each time trained on what was known then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from fraudops.cli.chosen import chosen_portfolio
from fraudops.cli.console import out
from fraudops.errors import ConfigurationError
from fraudops.settings import Settings
from fraudops.workspace import Workspace

_MOST_TOLD = ("average precision", "card precision", "savings", "alerts a day")


def evaluate(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")] = "cards",
    candidate: Annotated[
        list[str] | None, typer.Option("--candidate", "-c", help="Only this one; may be given several times.")
    ] = None,
    as_of: Annotated[
        str, typer.Option(help="Pretend that it is this moment (ISO). Default: the end of the newest partition.")
    ] = "",
    jobs: Annotated[int, typer.Option(help="Threads; the result does not depend on it.")] = 1,
) -> None:
    """Evaluate candidates over the test windows of ``training.prequential``; writes a page and its numbers."""
    from fraudops.reports.prequential import evaluate_and_put, read_windows, write_prequential_report
    from fraudops.training.evaluation_runs import plan_evaluation
    from fraudops.training.prequential import spreads

    settings = Settings.from_environment()
    chosen, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    plan = plan_evaluation(ws, chosen, _moment(as_of))
    files = []
    for asked, window in zip(plan.to_list(), plan.windows, strict=True):
        out.print(f"{window.name} …")
        files.append(evaluate_and_put(ws, chosen, asked, candidates=candidate or (), jobs=jobs))
    written = [file for file in files if file]
    page = write_prequential_report(ws, chosen, plan.name, written, as_of=plan.as_of)
    told = read_windows(ws, chosen, plan.name, written)
    table = Table(title=f"{chosen.title}: {len(written)} windows, mean ± standard deviation")
    table.add_column("candidate")
    for measure in _MOST_TOLD:
        table.add_column(measure, justify="right")
    for one, measures in spreads(told).items():
        cells = [measures.get(measure) for measure in _MOST_TOLD]
        table.add_row(one, *(f"{c.mean:.3f} ± {c.deviation or 0:.3f}" if c else "–" for c in cells))
    out.print(table)
    out.print(f"written to {page} in the store; Fraud Ops → Reports shows it")


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no moment", remedy="write it as 2026-03-05T00:00:00+00:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
