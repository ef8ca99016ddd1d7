"""``fraudops evaluate``: how good candidates are from window to window, each time trained on what was known then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from fraudops.cli.console import out
from fraudops.errors import ConfigurationError, ContractError
from fraudops.portfolio import Portfolio, load_all
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
    from fraudops.features import build
    from fraudops.reports.prequential import put_window, write_prequential_report
    from fraudops.training.prequential import evaluate_candidates, spreads
    from fraudops.training.windows import evaluation_name, partitions_of, windows

    settings = Settings.from_environment()
    chosen, ws = _portfolio(settings, portfolio), Workspace.open(settings)
    plan, moment = chosen.training.prequential, _moment(ws, chosen, as_of)
    found = windows(plan, moment - chosen.labels.delay)
    build(ws, chosen, partitions_of(ws, chosen, found, moment))
    name, files, told = evaluation_name(found, plan), [], []
    for window in found:
        out.print(f"{window.name} …")
        results = evaluate_candidates(ws, chosen, window, as_of=moment, candidates=candidate or (), jobs=jobs)
        if results:
            files.append(put_window(ws, chosen, name, results))
            told += [result.to_dict() for result in results]
    page = write_prequential_report(ws, chosen, name, files, as_of=moment)
    table = Table(title=f"{chosen.title}: {len(found)} windows, mean ± standard deviation")
    table.add_column("candidate")
    for measure in _MOST_TOLD:
        table.add_column(measure, justify="right")
    for one, measures in spreads(told).items():
        cells = [measures.get(measure) for measure in _MOST_TOLD]
        table.add_row(one, *(f"{c.mean:.3f} ± {c.deviation or 0:.3f}" if c else "–" for c in cells))
    out.print(table)
    out.print(f"written to {page} in the store; Fraud Ops → Reports shows it")


def _portfolio(settings: Settings, name: str) -> Portfolio:
    found = load_all(settings.portfolios)
    if name not in found:
        raise ConfigurationError(f"there is no portfolio {name!r}", remedy=f"choose one of {', '.join(sorted(found))}")
    return found[name]


def _moment(ws: Workspace, portfolio: Portfolio, text: str) -> datetime:
    if not text:
        keys = ws.store.keys("transactions", portfolio.name)
        if not keys:
            raise ContractError("there is no partition", where=portfolio.name, remedy="load history first")
        return portfolio.partitioning.end(keys[-1])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(f"{text!r} is no moment", remedy="write it as 2026-03-05T00:00:00+00:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
