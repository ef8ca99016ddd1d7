"""``fraudops portfolio infer``, ``check``, ``add``, ``remove`` and ``list``."""

from __future__ import annotations

import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fraudops.cli.console import err, out, show_error
from fraudops.errors import FraudopsError
from fraudops.portfolio import Portfolio, PortfolioError, Role, format_duration, load_portfolio
from fraudops.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Infer, check, add, remove and list portfolio files.")

_WIDEST = 100
"""Columns that a sentence takes at most."""


@app.command()
def infer(
    file: Annotated[Path, typer.Argument(help="A data file: CSV, plain or gzip, or Parquet.")],
    name: Annotated[str | None, typer.Option(help="Name of the portfolio (default: from the file's).")] = None,
) -> None:
    """Write a commented first draft of a file's portfolio to standard output.

    Types, time, amount, label, entities, personal data and categories are told from the values; what is not
    sure stands as a comment.
    """
    from fraudops.intake.inference import infer as infer_portfolio

    draft = infer_portfolio(file, name)
    sys.stdout.write(draft.text)
    for message in draft.messages:
        _wrapped(err, f"· {message}", "  ")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Portfolio files (YAML).", exists=True, dir_okay=False)],
    file: Annotated[
        Path | None, typer.Option("--file", help="A data file to try: its header and its first 10,000 rows.")
    ] = None,
) -> None:
    """Read portfolio files and say what each means, or everything that is wrong with it."""
    if file is not None and len(files) > 1:
        raise FraudopsError("a data file is tried against one portfolio", where="--file", remedy="name one YAML file")
    failed = False
    for path in files:
        portfolio = _checked(path)
        if portfolio is None:
            failed = True
            continue
        out.print(f"[green]ok[/] {path}")
        for line in _meaning(portfolio):
            _wrapped(out, f"   {line}", "      ")
        if file is not None:
            failed = not _tried(portfolio, file)
    if failed:
        raise typer.Exit(2)


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A portfolio file (YAML).", exists=True, dir_okay=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of another one of its name.")] = False,
) -> None:
    """Check a portfolio file and install it; its DAGs appear in the running Airflow."""
    from fraudops.stack.installation import Change, OccupiedError, install

    settings = Settings.from_environment()
    try:
        done = install(settings, file, replace=replace)
    except PortfolioError as error:
        _show_problems(error)
        raise typer.Exit(2) from None
    except OccupiedError as error:
        _show_difference(error.difference)
        show_error(error)
        raise typer.Exit(2) from None
    if done.change is Change.REPLACED:
        _show_difference(done.difference)
    out.print(f"[green]{done.change}[/] {done.path}")
    out.print(f"   its files arrive in {done.landing}")
    _announce(settings, done.portfolio)
    out.print(f"Next: fraudops demo --portfolio {done.portfolio.name} --file FILE")


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="Name of the portfolio.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a portfolio's file away; its DAGs vanish, its data stays."""
    from fraudops.stack.installation import uninstall

    if not yes:
        typer.confirm(f"Remove the portfolio {name}? Its data stays.", abort=True)
    path = uninstall(Settings.from_environment(), name)
    out.print(f"removed {path}; its DAGs vanish within some minutes, its data and its landing folder stay")


@app.command(name="list")
def list_() -> None:
    """List the portfolios, those with mistakes included."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("name", "title", "owner", "partitions of", "label delay", "candidates"):
        table.add_column(title)
    problems = []
    for path in sorted(Settings.from_environment().portfolios.glob("*.yaml")):
        try:
            portfolio = load_portfolio(path)
        except FraudopsError as error:
            problems.append(error)
            continue
        table.add_row(
            portfolio.name,
            portfolio.title,
            portfolio.owner,
            f"{portfolio.partition_hours} h",
            format_duration(portfolio.labels.delay),
            str(len(portfolio.training.candidates)),
        )
    out.print(table)
    for problem in problems:
        _show_problems(problem) if isinstance(problem, PortfolioError) else show_error(problem)
    if problems:
        raise typer.Exit(2)


# -- checking ----------------------------------------------------------------------------------------------


def _checked(path: Path) -> Portfolio | None:
    # The estimators are asked for their parameters, and their libraries are heavy.
    from fraudops.training.checking import check_portfolio

    try:
        return check_portfolio(path)
    except PortfolioError as error:
        _show_problems(error)
    except FraudopsError as error:
        show_error(error)
    return None


def _show_problems(error: PortfolioError) -> None:
    """Each problem with its line, key and value, in sentences that fit the terminal."""
    count = len(error.problems)
    err.print(Text("wrong ", style="bold red") + Text(f"{error.where}: {count} problem{'s' if count > 1 else ''}"))
    for problem in error.problems:
        place = f"line {problem.line}: " if problem.line is not None else ""
        err.print(Text(f"  {place}") + Text(problem.key, style="bold"))
        given = f" (got {problem.value})" if problem.value is not None else ""
        _wrapped(err, f"      {problem.message}{given}", "      ")
        if problem.remedy:
            _wrapped(err, f"      → {problem.remedy}", "        ")


def _tried(portfolio: Portfolio, file: Path) -> bool:
    """Say what landing a file's first rows would do; False where it could not be landed."""
    from fraudops.intake.rehearsal import rehearse

    try:
        found = rehearse(portfolio, file, Settings.from_environment().landing)
    except FraudopsError as error:
        show_error(error)
        return False
    for ours, theirs in found.missing.items():
        name = repr(theirs) + (f" (for {ours!r})" if ours != theirs else "")
        _wrapped(err, f"   {file.name} has no column {name}", "      ")
    if found.unnamed:
        some = ", ".join(map(repr, _shortened(list(found.unnamed))))
        _wrapped(out, f"   passed over, because the portfolio does not name them: {some}", "      ")
    if not found.rows:
        return False
    share = found.quarantined / found.rows
    _wrapped(
        out,
        f"   first {found.rows:,} rows of {file.name}: {found.rows - found.quarantined:,} usable in "
        f"{found.partitions} partitions, {found.quarantined:,} would be quarantined ({100 * share:.2g} %)",
        "      ",
    )
    for reason, rows in found.reasons.items():
        _wrapped(out, f"      {rows:,} rows: {reason}", "         ")
    return share <= portfolio.validation.quarantined


def _wrapped(console: Console, text: str, indent: str) -> None:
    width = min(console.width, _WIDEST)
    lines = textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    console.print(Text("\n".join(lines)))


def _meaning(portfolio: Portfolio) -> list[str]:
    roles = {role: portfolio.named(role) for role in Role}
    used = [f"{role.value}: {', '.join(_shortened(names))}" for role, names in roles.items() if names]
    window = format_duration(portfolio.training.window)
    return [
        f"{portfolio.title}: partitions of {portfolio.partition_hours} h, like {portfolio.partitioning.example}",
        *used,
        f"trains {', '.join(portfolio.training.candidates)} on {window}, "
        f"labels matured after {format_duration(portfolio.labels.delay)}",
        f"alerts: at most {portfolio.policy.alerts_per_day} a day; promotion by "
        + (", ".join(portfolio.promotion.approvers) if portfolio.promotion.needs_approval else "the policy alone"),
    ]


def _shortened(names: list[str]) -> list[str]:
    return names if len(names) <= 6 else [*names[:3], "…", names[-1]]


# -- adding ------------------------------------------------------------------------------------------------


def _show_difference(difference: str) -> None:
    styles = {"+": "green", "-": "red", "@": "dim"}
    for line in difference.splitlines():
        err.print(Text(line, style=styles.get(line[:1], "default")))


def _announce(settings: Settings, portfolio: Portfolio) -> None:
    """Wait for the DAGs where a stack runs; else say what will happen."""
    from fraudops.stack.installation import wait_for_dags
    from fraudops.stack.lifecycle import Stack

    stack = Stack(settings)
    state = stack.state()
    if not state.running:
        out.print("   no local stack runs: the DAGs appear when it does ('make up', or the demo below)")
        return
    began = time.monotonic()
    with closing(stack.client()) as client:
        dags = wait_for_dags(client, portfolio)
    _wrapped(out, f"   in Airflow after {time.monotonic() - began:.0f} s: {', '.join(dags)}", "      ")
    user, password = stack.login()
    out.print(f"   {state.address}   login {user} / {password}")
