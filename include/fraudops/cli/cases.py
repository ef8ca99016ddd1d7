"""``fraudops cases``: what is to be investigated, and everything that is done with it."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from fraudops.cli.case_pages import (
    case_lines,
    personal_lines,
    priority_lines,
    state_line,
    statistics_lines,
    table_of,
)
from fraudops.cli.chosen import chosen_portfolio, given_day
from fraudops.cli.console import out, tell
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles, read_roles
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="Cases: list, look, work, escalate, close with a second pair of eyes.")

CaseArgument = Annotated[str, typer.Argument(metavar="CASE", help="Such as cards-17.")]
ByOption = Annotated[str, typer.Option(help="Who you are (default: your user name); see 'fraudops roles list'.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept with the case.")]
VersionOption = Annotated[
    int | None, typer.Option(help="The version that you have seen: refused where somebody changed the case since.")
]


@app.command("list")
def list_cases(
    portfolio: Annotated[str | None, typer.Option("--portfolio", "-p", help="Only this portfolio.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only in this state; may be repeated.")] = None,
    severity: Annotated[list[str] | None, typer.Option(help="Only of this severity; may be repeated.")] = None,
    assignee: Annotated[str | None, typer.Option(help="Only somebody's.")] = None,
    unassigned: Annotated[bool, typer.Option("--unassigned", help="Only nobody's.")] = False,
    proposed: Annotated[bool, typer.Option("--proposed", help="Only what waits for a second pair of eyes.")] = False,
    late: Annotated[bool, typer.Option("--late", help="Only what is past its review deadline.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones as well.")] = False,
    subject: Annotated[str | None, typer.Option(help="Only of this customer, account …")] = None,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Cases on a page.")] = 25,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON list.")] = False,
) -> None:
    """List cases that are open, the highest priority first."""
    from fraudops.cases import STATES, Wanted, find
    from fraudops.cases.queue import OPEN_STATES, place_of

    for one in state or ():
        if one not in STATES:
            raise ContractError(f"there is no state {one!r}", where="--state", remedy=f"one of {', '.join(STATES)}")
    today, after, cases = datetime.now(UTC).date(), None, []
    wanted = Wanted(
        portfolio=portfolio,
        states=state or (() if everything else OPEN_STATES),
        severities=severity or (),
        assignee=assignee,
        unassigned=unassigned,
        subject=subject,
        proposed=proposed,
        late_on=today if late else None,
    )
    with Workspace.open(Settings.from_environment()).transaction() as session:
        for _ in range(page):
            cases = find(session, wanted, after=after, limit=limit)
            after = place_of(cases[-1]) if cases else (0.0, 2**62)
    if as_json:
        typer.echo(json.dumps([vars(case) for case in cases], default=str, indent=2))
    elif not cases:
        out.print("No cases.")
    else:
        out.print(table_of(cases, today))
        if len(cases) == limit:
            out.print(Text(f"more: --page {page + 1}", style="dim"))


@app.command()
def show(
    case: CaseArgument,
    personal: Annotated[bool, typer.Option("--personal", help="Names and card digits too; who looks is kept.")] = False,
    by: ByOption = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON object.")] = False,
) -> None:
    """Everything that explains a case; without what is personal, unless asked for."""
    from fraudops.cases import look, read
    from fraudops.rules.registry import read_rules

    settings = Settings.from_environment()
    desk = _Desk.of(case, settings)
    with desk.ws.transaction() as session:
        view = read(desk.ws, session, desk.portfolio, desk.number, rules=read_rules(settings.rules))
    seen = (
        look(desk.ws, desk.portfolio, desk.number, by=by or getpass.getuser(), roles=desk.roles) if personal else None
    )
    if as_json:
        typer.echo(json.dumps(view.to_dict() | ({"personal": vars(seen)} if seen else {}), indent=2))
        return
    for line in [*case_lines(view, desk.portfolio), *(personal_lines(seen) if seen else ())]:
        out.print(line)


@app.command("explain-priority")
def explain_priority(case: CaseArgument) -> None:
    """What a case's priority is made of."""
    from fraudops.cases import read

    desk = _Desk.of(case)
    with desk.ws.transaction() as session:
        view = read(desk.ws, session, desk.portfolio, desk.number)
    for line in priority_lines(view, desk.portfolio):
        out.print(line)


@app.command()
def assign(
    case: CaseArgument,
    to: Annotated[str, typer.Argument(help="User name; 'nobody' gives it back.")],
    by: ByOption = "",
    version: VersionOption = None,
) -> None:
    """Give a case to somebody."""
    from fraudops.cases import assign

    _Desk.of(case).do(assign, by, version, to=None if to == "nobody" else to)


@app.command()
def start(case: CaseArgument, by: ByOption = "", version: VersionOption = None) -> None:
    """Begin the review of a case; one that is nobody's becomes yours."""
    from fraudops.cases import start

    _Desk.of(case).do(start, by, version)


@app.command()
def note(
    case: CaseArgument,
    text: Annotated[str, typer.Argument(help="What is to be remembered; - reads it from standard input.")],
    by: ByOption = "",
    version: VersionOption = None,
) -> None:
    """Write something down."""
    from fraudops.cases import note

    _Desk.of(case).do(note, by, version, text=typer.get_text_stream("stdin").read() if text == "-" else text)


@app.command()
def attach(
    case: CaseArgument,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="It is stored encrypted.")],
    by: ByOption = "",
    version: VersionOption = None,
) -> None:
    """Add a file to a case."""
    from fraudops.cases import attach

    _Desk.of(case).do(attach, by, version, name=file.name, content=file.read_bytes())


@app.command()
def attachment(
    case: CaseArgument,
    digest: Annotated[str, typer.Argument(help="How its digest begins, see 'show'.")],
    to: Annotated[Path, typer.Option(help="Where to write it.")] = Path(),
    by: ByOption = "",
) -> None:
    """Get a file of a case back; who took it is kept."""
    from fraudops.cases import attachment

    desk = _Desk.of(case)
    name, content = attachment(
        desk.ws, desk.portfolio, desk.number, digest, by=by or getpass.getuser(), roles=desk.roles
    )
    path = to / name if to.is_dir() else to
    _write_private(path, content)
    tell(f"{path}, {len(content):,} bytes")


@app.command()
def escalate(
    case: CaseArgument,
    detected_on: Annotated[str, typer.Option(help="Day on which a person first saw such facts, 2026-03-05.")],
    suspect: Annotated[bool, typer.Option("--suspect/--no-suspect", help="Whether somebody is suspected.")],
    reason: ReasonOption,
    by: ByOption = "",
    version: VersionOption = None,
) -> None:
    """Record facts that may be a basis for a report. For compliance officers; confidential."""
    from fraudops.cases import escalate

    day = given_day(detected_on, "--detected-on")
    _Desk.of(case).do(escalate, by, version, detected_on=day, suspect_known=suspect, reason=reason)


@app.command()
def close(
    case: CaseArgument,
    finding: Annotated[str, typer.Argument(help="fraud, not_fraud or insufficient")],
    reason: ReasonOption,
    otherwise: Annotated[
        list[str] | None, typer.Option("--except", help="transaction=finding: not this one; may be repeated.")
    ] = None,
    by: ByOption = "",
    version: VersionOption = None,
) -> None:
    """Close a case, or propose to where that takes two; its transactions get their labels."""
    from fraudops.cases import close

    others = dict(_pair(text) for text in otherwise or [])
    desk = _Desk.of(case)
    desk.do(close, by, version, finding=finding, reason=reason, otherwise=others)
    desk.hand_over(by)


@app.command()
def approve(
    case: CaseArgument,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, where there is something to add.")] = "",
    by: ByOption = "",
    version: VersionOption = None,
) -> None:
    """Close a case as somebody else proposed. For compliance officers."""
    from fraudops.cases import approve

    desk = _Desk.of(case)
    desk.do(approve, by, version, reason=reason)
    desk.hand_over(by)


@app.command()
def decline(case: CaseArgument, reason: ReasonOption, by: ByOption = "", version: VersionOption = None) -> None:
    """Leave a case open against a proposal. For compliance officers."""
    from fraudops.cases import decline

    _Desk.of(case).do(decline, by, version, reason=reason)


@app.command()
def reopen(case: CaseArgument, reason: ReasonOption, by: ByOption = "", version: VersionOption = None) -> None:
    """Take a closed case up again; closing it otherwise corrects its labels."""
    from fraudops.cases import reopen

    _Desk.of(case).do(reopen, by, version, reason=reason)


@app.command()
def export(
    case: CaseArgument,
    to: Annotated[Path, typer.Option(help="File to write (JSON), readable by you alone.")],
    by: ByOption = "",
) -> None:
    """Write everything that explains a case into a file; who did is kept."""
    from fraudops.cases import export
    from fraudops.rules.registry import read_rules

    settings = Settings.from_environment()
    desk = _Desk.of(case, settings)
    who, rules = by or getpass.getuser(), read_rules(settings.rules)
    view = export(desk.ws, desk.portfolio, desk.number, by=who, roles=desk.roles, rules=rules)
    _write_private(to, json.dumps(view.to_dict(), indent=2).encode() + b"\n")
    tell(f"{to}: confidential, as the case is")


@app.command()
def gather(
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")] = "cards",
) -> None:
    """Gather the alerts and hits that are in no case yet; Airflow does it by itself."""
    from fraudops.cases import gather_waiting, hand_over

    settings = Settings.from_environment()
    chosen, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    found = gather_waiting(ws, chosen, actor=getpass.getuser())
    hand_over(ws, chosen, actor=getpass.getuser())
    cases = f"{found.opened:,} cases opened, {found.joined:,} have more, {found.left:,} left"
    tell(f"{found.items:,} alerts and hits: {cases}")


@app.command()
def statistics(
    first: Annotated[str, typer.Option("--from", help="First day, such as 2026-03-01.")],
    last: Annotated[str, typer.Option("--to", help="Last day, included.")],
    portfolio: Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")] = "cards",
) -> None:
    """Count cases: opened, closed, how old, what became of the hits of each rule and the alerts of each model."""
    from fraudops.cases import statistics

    settings = Settings.from_environment()
    name = chosen_portfolio(settings, portfolio).name
    start = datetime.combine(given_day(first, "--from"), time(), UTC)
    end = datetime.combine(given_day(last, "--to"), time(), UTC) + timedelta(days=1)
    with Workspace.open(settings).transaction() as session:
        found = statistics(session, name, start, end)
    for line in statistics_lines(found):
        out.print(line)


# -- inside -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Desk:
    """A case that was named, with what it takes to work it."""

    ws: Workspace
    portfolio: Portfolio
    number: int
    roles: Roles

    @classmethod
    def of(cls, name: str, settings: Settings | None = None) -> _Desk:
        """Raises ContractError where the name is none of a case."""
        settings = settings or Settings.from_environment()
        portfolio, _, number = name.rpartition("-")
        if not portfolio or not (number.isascii() and number.isdigit()):
            raise ContractError(
                f"{name!r} names no case", remedy="write it such as cards-17; see 'fraudops cases list'"
            )
        chosen = chosen_portfolio(settings, portfolio)
        return cls(Workspace.open(settings), chosen, int(number), read_roles(settings.roles))

    def do(self, step: Callable[..., int], by: str, version: int | None, **more: Any) -> None:
        """Take a step, and say where that leaves the case."""
        from fraudops.cases import summary

        who = by or getpass.getuser()
        step(self.ws, self.portfolio, self.number, by=who, roles=self.roles, version=version, **more)
        with self.ws.transaction() as session:
            out.print(state_line(summary(session, self.portfolio, self.number)))

    def hand_over(self, by: str) -> None:
        """Let training see what was said, where something was."""
        from fraudops.cases import hand_over

        for key in hand_over(self.ws, self.portfolio, actor=by or getpass.getuser()):
            tell(f"labels: dispositions of {key}, known from the end of that partition on")


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.rpartition("=")
    if not sign:
        raise ContractError(f"{text!r} excepts nothing", where="--except", remedy="write it as transaction=finding")
    return name.strip(), value.strip()


def _write_private(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone can read."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ContractError(
            "there is a file of this name", where=str(path), remedy="choose another with --to"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
