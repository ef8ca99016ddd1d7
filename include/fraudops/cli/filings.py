"""``fraudops filings``: what must be reported by a day, drafts, and what a person recorded. For compliance officers."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio, given_day
from fraudops.cli.console import out, printable
from fraudops.errors import ContractError
from fraudops.filings.acting import amend as record_amended
from fraudops.filings.acting import record_filed, record_not_required, require_officer
from fraudops.filings.acting import reopen as record_reopened
from fraudops.filings.definition import Clocks, read_clocks
from fraudops.filings.reading import ClockView, Event, find_clocks, read_clock
from fraudops.filings.starting import start_clocks
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles, read_roles
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(
    no_args_is_help=True,
    help="What must be reported by a day, and drafts. Confidential: for compliance officers. fraudops files nothing.",
)

PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")]
ByOption = Annotated[str, typer.Option(help="Who you are (default: your user name).")]
AsOfOption = Annotated[str, typer.Option(help="As it was at the end of this day, such as 2026-03-31 (default: now).")]
Number = Annotated[int, typer.Argument(help="Number of the clock, as the list shows it.")]
_STYLES = {"drafted": "yellow", "filed": "green", "not_required": "dim"}


@app.command("list")
def list_clocks(
    portfolio: PortfolioOption = "accounts",
    settled: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
    missed: Annotated[bool, typer.Option("--missed", help="Only those that were missed, ended or not.")] = False,
    as_of: AsOfOption = "",
    by: ByOption = "",
) -> None:
    """The clocks, the first to end first; whatever has come in since is started before."""
    ws, chosen, clocks, _ = _opened(portfolio, by)
    moment = _moment(as_of)
    start_clocks(ws, chosen, clocks, moment, actor=f"service:{chosen.dag_id('clocks')}")
    found = find_clocks(ws, chosen, clocks, moment, settled=settled or missed)
    found = [clock for clock in found if not missed or clock.missed_on is not None]
    if not found:
        out.print("No clocks.")
        return
    table = Table("no.", "what", "case", "about", "counts from", "last day", "act by", "", "state")
    for clock in found:
        due = f"{clock.due_on} {clock.due_on:%a}"
        table.add_row(
            *(
                str(clock.number),
                clock.clock.replace("_", " "),
                _case(clock),
                printable(f"{clock.subject_kind} {clock.subject}"),
            ),
            *(str(clock.trigger_on), due, str(clock.act_by), _left(clock), _state(clock)),
        )
    out.print(table)


@app.command()
def show(number: Number, portfolio: PortfolioOption = "accounts", as_of: AsOfOption = "", by: ByOption = "") -> None:
    """One clock, with everything that was recorded about it."""
    ws, chosen, clocks, _ = _opened(portfolio, by)
    moment = _moment(as_of)
    clock = read_clock(ws, chosen, clocks, number, moment)
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(clock):
        if value:
            facts.add_row(Text(name, style="dim"), value if isinstance(value, Text) else Text(printable(value)))
    out.print(facts)
    for event in clock.history:
        out.print(Text(_sentence(event)))


@app.command()
def draft(
    number: Number,
    folder: Annotated[Path, typer.Option("--out", help="Folder to write JSON, CSV and PDF into; it is made.")],
    portfolio: PortfolioOption = "accounts",
    version: Annotated[int, typer.Option(help="A version that was kept, instead of a new one.")] = 0,
    as_of: AsOfOption = "",
    by: ByOption = "",
) -> None:
    """Prepare the documents from the case, keep them encrypted as a new version, and write them to a folder."""
    from fraudops.filings.drafts import prepare, read_draft, written
    from fraudops.rules.registry import read_rules

    ws, chosen, clocks, roles = _opened(portfolio, by)
    who = by or getpass.getuser()
    if version:
        found, said = read_draft(ws, chosen, number, version, by=who, roles=roles), f"version {version}"
    else:
        rules = read_rules(Settings.from_environment().rules)
        kept = prepare(ws, chosen, clocks, rules, number, by=who, roles=roles, as_of=_moment(as_of))
        found, version = kept.draft, kept.version
        said = f"version {version}" if kept.is_new else f"version {version}, in which nothing has changed"
    names = _write(folder, f"{chosen.name}-draft-{number}-v{version}", written(found))
    out.print(f"{said}: {', '.join(names)} in {folder}")
    if found.missing:
        out.print(f"{len(found.missing)} fields are to be completed by a person; the documents name them")
    out.print("These files are not encrypted: keep them where only those are who need to know. Nothing was filed.")


@app.command()
def filed(
    number: Number,
    on: Annotated[str, typer.Option("--on", help="Day on which it was filed, such as 2026-03-30.")],
    reference: Annotated[str, typer.Option(help="Number that the authority gave.")],
    portfolio: PortfolioOption = "accounts",
    correct: Annotated[str, typer.Option(help="Why what was recorded before is wrong; it stays in the history.")] = "",
    by: ByOption = "",
) -> None:
    """Record that a person filed it, when, and with which number."""
    ws, chosen, clocks, roles = _opened(portfolio, by)
    following = record_filed(
        ws,
        chosen,
        clocks,
        number,
        filed_on=given_day(on, "--on"),
        reference=reference,
        correction=correct,
        by=by or getpass.getuser(),
        roles=roles,
    )
    clock = read_clock(ws, chosen, clocks, number, datetime.now(UTC))
    late = f", after its last day, {clock.missed_on}" if clock.missed_on else ", in time"
    out.print(f"{number}: recorded as filed on {on}{late}")
    if following is not None:
        after = read_clock(ws, chosen, clocks, following, datetime.now(UTC))
        out.print(
            f"{following}: activity that goes on is looked at from {after.review_on}, and is due on {after.due_on}"
        )


@app.command("not-required")
def not_required(
    number: Number,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why no report is needed; it is recorded.")],
    portfolio: PortfolioOption = "accounts",
    by: ByOption = "",
) -> None:
    """Record a decision that no report is needed; the clock stays in the record."""
    ws, chosen, _, roles = _opened(portfolio, by)
    record_not_required(ws, chosen, number, reason=reason, by=by or getpass.getuser(), roles=roles)
    out.print(f"{number}: recorded as not required")


@app.command()
def reopen(
    number: Number,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; what was recorded stays.")],
    portfolio: PortfolioOption = "accounts",
    by: ByOption = "",
) -> None:
    """Let a clock run on that was ended by mistake."""
    ws, chosen, clocks, roles = _opened(portfolio, by)
    record_reopened(ws, chosen, number, reason=reason, by=by or getpass.getuser(), roles=roles)
    clock = read_clock(ws, chosen, clocks, number, datetime.now(UTC))
    out.print(f"{number}: runs on, and is due on {clock.due_on}")


@app.command()
def amend(
    number: Number,
    detected_on: Annotated[str, typer.Option("--detected-on", help="Day of detection that is to count.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; both days stay in the record.")],
    portfolio: PortfolioOption = "accounts",
    suspect: Annotated[bool | None, typer.Option("--suspect/--no-suspect", help="Was one known on that day?")] = None,
    by: ByOption = "",
) -> None:
    """Let another day of detection count; a last day that has passed stays missed."""
    ws, chosen, clocks, roles = _opened(portfolio, by)
    record_amended(
        ws,
        chosen,
        clocks,
        number,
        detected_on=given_day(detected_on, "--detected-on"),
        suspect_known=suspect,
        reason=reason,
        by=by or getpass.getuser(),
        roles=roles,
    )
    clock = read_clock(ws, chosen, clocks, number, datetime.now(UTC))
    out.print(f"{number}: counts from {clock.trigger_on} now, and is due on {clock.due_on}")


# -- inside -------------------------------------------------------------------------------------------


def _opened(portfolio: str, by: str) -> tuple[Workspace, Portfolio, Clocks, Roles]:
    """Everything, for a compliance officer alone."""
    settings = Settings.from_environment()
    roles = read_roles(settings.roles)
    require_officer(roles, by or getpass.getuser())
    return Workspace.open(settings), chosen_portfolio(settings, portfolio), read_clocks(settings.clocks), roles


def _moment(text: str) -> datetime:
    if not text:
        return datetime.now(UTC)
    day = given_day(text, "--as-of") + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(seconds=1)


def _write(folder: Path, name: str, forms: dict[str, bytes]) -> list[str]:
    names = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for ending, content in forms.items():
            path = folder / f"{name}.{ending}"
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                stream.write(content)
            names.append(path.name)
    except OSError as error:
        raise ContractError(
            f"the files cannot be written: {error.strerror}", where=str(folder), remedy="give another folder"
        ) from None
    return names


def _case(clock: ClockView) -> str:
    return f"{clock.portfolio}-{clock.case}" if clock.case is not None else ""


def _left(clock: ClockView) -> Text:
    if clock.days_left is None:
        return Text("")
    if clock.days_left < 0:
        return Text(f"{-clock.days_left} days over", style="bold red")
    return Text(f"{clock.days_left} days left", style="yellow" if clock.days_left <= 5 else "")


def _state(clock: ClockView) -> Text:
    when = f" {clock.settled_on}" if clock.settled_on else ""
    number = f", {printable(clock.reference)}" if clock.reference else ""
    state = Text(clock.state.replace("_", " ") + when + number, style=_STYLES.get(clock.state, ""))
    return state.append(f", missed {clock.missed_on}", style="red") if clock.missed_on else state


def _facts(clock: ClockView) -> list[tuple[str, str | Text | None]]:
    suspect = {None: None, True: "known", False: "not known when it was detected"}[clock.suspect_known]
    return [
        ("number", f"{clock.number}, {clock.title}"),
        ("case", _case(clock)),
        ("about", f"{clock.subject_kind} {clock.subject}"),
        ("counts from", str(clock.trigger_on)),
        ("suspect", suspect),
        ("review", _text(clock.review_on)),
        ("last day", f"{clock.due_on:%A} {clock.due_on}"),
        ("act by", f"{clock.act_by:%A} {clock.act_by}, the last business day until then"),
        ("first last day", _text(clock.first_due_on)),
        ("left", _left(clock)),
        ("state", _state(clock)),
        ("settled", f"{clock.settled_on} by {clock.settled_by}" if clock.settled_on else None),
        ("reference", clock.reference),
        ("reason", clock.reason),
        ("recorded", "after the last day" if clock.recorded_late else None),
        ("report before", _text(clock.previous)),
    ]


def _text(value: date | int | None) -> str | None:
    return None if value is None else str(value)


def _sentence(event: Event) -> str:
    """One line of the history: what counts now first, then what was recorded and what was before."""
    details = {name: value for name, value in event.details.items() if name not in ("clock", "hit")}
    said = "; ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in details.items())
    return printable(f"  {event.at:%Y-%m-%d %H:%M} UTC  {event.by}  {event.kind.replace('_', ' ')}: {said}")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return "(" + ", ".join(f"{name.replace('_', ' ')} {_plain(item)}" for name, item in value.items()) + ")"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
