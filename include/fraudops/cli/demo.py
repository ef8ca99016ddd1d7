"""``fraudops demo``: from a landing file to a compliance notice, in one command."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fraudops.cli.console import out
from fraudops.cli.mail import received
from fraudops.cli.narration import Narration
from fraudops.cli.stack import start
from fraudops.errors import FraudopsError
from fraudops.monthly.editions import editions
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.roles import read_roles
from fraudops.settings import Settings
from fraudops.stack import itinerary, overview
from fraudops.stack.environment import load
from fraudops.stack.itinerary import Itinerary, Simulation
from fraudops.stack.lifecycle import Stack
from fraudops.stack.walkthrough import Walkthrough
from fraudops.workspace import Workspace


def demo(
    portfolio: Annotated[str, typer.Option(help="Which portfolio to show.")] = "cards",
    file: Annotated[
        Path | None,
        typer.Option(help="Its data, where they are not simulated: a file as the portfolio describes it."),
    ] = None,
    days: Annotated[int, typer.Option(min=2, help="Days to simulate, before the later ones.")] = 90,
    live_days: Annotated[int, typer.Option(min=1, help="How many of them come one by one.")] = 14,
    later_days: Annotated[
        int, typer.Option(min=0, help="How many more follow at once, so that labels mature and drift shows.")
    ] = 28,
    end: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last day (default: yesterday, UTC).")
    ] = None,
    payments_per_day: Annotated[int, typer.Option(min=50, help="Simulated payments a day.")] = 2000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 42,
) -> None:
    """Run the whole lifecycle in Airflow, and leave Airflow running."""
    began = time.monotonic()
    settings = Settings.from_environment()
    shown = _portfolio(settings, portfolio)
    stack = Stack(settings)
    if file is not None:
        plan = itinerary.from_file(shown, file, settings.landing)
    else:
        plan = itinerary.simulated(
            shown,
            stack.folder,
            days=days,
            live_days=live_days,
            later_days=later_days,
            end=end.date() if end else itinerary.yesterday(),
            simulation=Simulation(seed, payments_per_day),
        )
    narration = Narration(out)
    with narration.phase("Start PostgreSQL, the mail sink and Airflow"):
        result = start(stack, told=narration.found)
        if not result.started:
            narration.found("they run already")
    try:
        _walk(settings, stack, plan, file, narration)
        _summary(stack, plan, time.monotonic() - began)
    except KeyboardInterrupt:
        out.print(f"interrupted. Airflow goes on at {result.address}; 'make demo' continues, 'make down' stops it.")
        raise typer.Exit(130) from None
    except FraudopsError:
        out.print(f"Airflow goes on at {result.address}, so that you can look; 'make down' stops it.")
        raise


def _portfolio(settings: Settings, name: str) -> Portfolio:
    path = settings.portfolios / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in settings.portfolios.glob("*.yaml")))
        raise FraudopsError(f"there is no portfolio {name!r}", where=str(path), remedy=f"use one of: {known}")
    return load_portfolio(path)


def _walk(settings: Settings, stack: Stack, plan: Itinerary, file: Path | None, narration: Narration) -> None:
    load(settings)
    itinerary.remember(plan, stack.folder)
    if file is not None:
        itinerary.copy_to_landing(plan, file, settings.landing)
    ws, roles = Workspace.open(Settings.from_environment()), read_roles(settings.roles)
    with closing(stack.client()) as client:
        Walkthrough(client, stack.client, ws, roles, plan, narration).run()


# -- the summary ----------------------------------------------------------------------------------------------


def _summary(stack: Stack, plan: Itinerary, seconds: float) -> None:
    ws = Workspace.open(Settings.from_environment())
    name = plan.portfolio.name
    found = overview.portfolio_overview(ws.store, plan.portfolio, ws)
    with ws.transaction() as session:
        run_id = overview.newest_training_run(session, name)
        candidates = overview.candidates(session, name, run_id) if run_id else []
        verdict = overview.verdict(session, name, run_id) if run_id else None
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row(
        "Rows", f"{found.rows:,} ingested in {found.partitions} partitions, {found.quarantined:,} quarantined"
    )
    facts.add_row("Champion", _champion(found.champion, verdict))
    facts.add_row("Alerts", _alerts(found))
    if found.hits is not None:
        facts.add_row("Rules", f"{found.hits:,} hits")
    if found.cases is not None:
        facts.add_row("Cases", f"{found.cases['open']:,} open: 'fraudops cases list -p {name}'")
        facts.add_row(
            "Deadlines", f"each day by {name}_clocks: 'fraudops filings list -p {name}' (compliance officers)"
        )
    packs = editions(ws, plan.portfolio)
    made = f"{len(packs)} made so far" if packs else "as soon as a month is complete"
    facts.add_row("Monthly packs", f"{made}, by {name}_report: 'fraudops report list -p {name}'")
    if found.monitoring:
        facts.add_row("Monitoring", found.monitoring)
    facts.add_row("Notices", f"{found.notices['sent']} e-mails sent, {found.notices['waiting']} waiting")
    if verdict is not None and verdict.report:
        facts.add_row("Report", str(ws.store.root / verdict.report))
    user, password = stack.login()
    facts.add_row("Airflow", f"{stack.client().address}   login {user} / {password}")
    facts.add_row("Time", f"{seconds // 60:.0f} min {seconds % 60:.0f} s")
    out.print()
    out.print(
        Panel(
            Group(
                facts,
                Text(),
                _candidates(candidates, found.champion),
                Text(),
                _emails(name, stack.folder.maildir),
            ),
            title=f"{plan.portfolio.title}: from a landing file to a compliance notice",
            padding=(1, 2),
            expand=False,
        )
    )
    out.print("Next: open the UI; 'fraudops status'; 'make demo' again does nothing twice; 'make down' stops all.")


def _champion(champion: overview.Champion | None, verdict: overview.VerdictLine | None) -> str:
    if champion is None:
        return f"nobody: {verdict.reason}" if verdict else "nobody"
    return f"{champion.version} ({champion.candidate}), approved by {champion.approved_by}\nbecause: {champion.reason}"


def _alerts(found: overview.PortfolioOverview) -> str:
    parts = ", ".join(f"{count} to {decision}" for decision, count in sorted(found.decisions.items()))
    pending = f"; {found.pending} partitions wait for a champion" if found.pending else ""
    return f"{found.alerts} raised in {found.scored} scored partitions ({parts or 'none'}){pending}"


def _candidates(lines: list[overview.CandidateLine], champion: overview.Champion | None) -> Table:
    table = Table(title="Candidates, on rows that none of them had seen", title_justify="left", header_style="dim")
    table.add_column("version")
    table.add_column("candidate")
    for title in ("average precision", "ROC AUC", "frauds", "rows"):
        table.add_column(title, justify="right")
    for line in lines:
        is_champion = champion is not None and champion.version == line.version
        table.add_row(
            line.version,
            line.candidate + (" ★" if is_champion else ""),
            _figure(line.metrics.get("average_precision")),
            _figure(line.metrics.get("roc_auc")),
            _count(line.metrics.get("positives")),
            _count(line.metrics.get("n")),
            style="bold" if is_champion else None,
        )
    return table


def _emails(portfolio: str, maildir: Path) -> Table:
    mails = [mail for mail in received(maildir) if mail.message["X-Fraudops-Portfolio"] == portfolio]
    newest = {str(mail.message["X-Fraudops-Kind"]): mail for mail in mails}
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    title = f"E-mails: {len(mails)} received; the newest of each kind, in {maildir}"
    table.add_row(Text(title if mails else "No e-mail was received", style="italic"))
    for mail in sorted(newest.values(), key=lambda mail: mail.number):
        recipient, file = str(mail.message["to"]), str(mail.path.relative_to(maildir))
        table.add_row(Text(str(mail.message["subject"])) + Text(f"\n   to {recipient}   {file}", style="dim"))
    table.add_row(Text("'fraudops mail list' lists all of them", style="dim") if mails else "")
    return table


def _figure(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "–"


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"
