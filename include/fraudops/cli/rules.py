"""``fraudops rules``: which there are, with which numbers; what they found; what others would find; snoozes."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from fraudops.cli.chosen import chosen_portfolio, given_day
from fraudops.cli.console import out, printable
from fraudops.cli.fraud_rates import show_fraud_rates
from fraudops.errors import ContractError
from fraudops.settings import Settings
from fraudops.workspace import Workspace

app = typer.Typer(no_args_is_help=True, help="The rules of law and policy: numbers by date, hits, backtests, snoozes.")

app.command("fraud-rates")(show_fraud_rates)

PortfolioOption = Annotated[str, typer.Option("--portfolio", "-p", help="Name of the portfolio.")]


@app.command("list")
def list_rules(
    as_of: Annotated[str, typer.Option(help="Day, such as 2026-03-05 (default: today).")] = "",
    jurisdiction: Annotated[str, typer.Option(help="US or EU: its rules, and those of none.")] = "",
) -> None:
    """The rules that are in force on a day, with their numbers of that day."""
    from fraudops.rules.numbers import in_force_on
    from fraudops.rules.registry import read_rules

    day = given_day(as_of, "--as-of") if as_of else datetime.now(UTC).date()
    table = Table("rule", "title", "law of", "severity", "numbers", title=f"in force on {day}")
    for rule in read_rules(Settings.from_environment().rules).values():
        definition = rule.definition
        if not definition.in_force(day) or (jurisdiction and definition.jurisdiction not in (jurisdiction, "any")):
            continue
        numbers = "\n".join(f"{number.name} {number.words}" for number in in_force_on(definition, day))
        table.add_row(rule.id, definition.title, definition.jurisdiction, definition.severity, Text(numbers))
    out.print(table)


@app.command()
def show(rule: Annotated[str, typer.Argument(help="Id of the rule.")]) -> None:
    """One rule: what it is for, what to do, and every number with its dates and sources."""
    from fraudops.rules.numbers import worded
    from fraudops.rules.registry import read_rules

    found = read_rules(Settings.from_environment().rules).get(rule)
    if found is None:
        raise ContractError(f"there is no rule {rule!r}", where="rules", remedy="see 'fraudops rules list'")
    definition = found.definition
    until = f" to {definition.to}" if definition.to else ""
    out.print(Text(f"{definition.id}: {definition.title}", style="bold"))
    out.print(
        Text(f"{definition.jurisdiction}, severity {definition.severity}, in force from {definition.since}{until}")
    )
    for heading, text in (
        ("purpose", definition.purpose),
        ("what to do", definition.action),
        ("one hit", definition.one_hit),
        ("source", f"{definition.source.text} {definition.source.url or ''}"),
    ):
        out.print(Text(f"\n{heading}: ", style="dim") + Text(" ".join(text.split())))
    table = Table("number", "meaning", "from", "to", "value", "source")
    for name, number in definition.numbers.items():
        for item in number.dated:
            _, last = number.on(item.since) or (item, None)
            value = worded(item.value, number.currency or number.unit)
            table.add_row(name, number.description, str(item.since), str(last or ""), value, item.source)
    out.print(table)


@app.command()
def hits(
    portfolio: PortfolioOption = "accounts",
    key: Annotated[str, typer.Option(help="Only what this partition found first.")] = "",
    rule: Annotated[str, typer.Option(help="Only this rule.")] = "",
    hit: Annotated[str, typer.Option(help="Everything about this hit.")] = "",
) -> None:
    """What the rules found, newest last."""
    from fraudops.rules import HITS
    from fraudops.rules.reading import found_hits

    settings = Settings.from_environment()
    chosen, ws = chosen_portfolio(settings, portfolio), Workspace.open(settings)
    found = found_hits(ws, chosen, ws.store.keys(HITS, chosen.name))
    found = [h for h in found if (not key or h.first == key) and (not rule or h.rule == rule)]
    if hit:
        found = [h for h in found if h.id == hit]
        if not found:
            raise ContractError(f"there is no hit {hit!r}", where=chosen.name, remedy="see 'fraudops rules hits'")
        one = found[0]
        out.print(Text(printable(f"{one.rule}, {one.kind} {one.subject}, {one.first} to {one.key}")))
        out.print(Text(printable(one.because)))
        out.print(Text(printable(f"seen: {one.values}")))
        for name, number in one.numbers.items():
            out.print(Text(printable(f"{name} = {number['value']} ({number['unit']}), {number['source']}")))
        out.print(Text(printable(f"transactions: {', '.join(one.transactions)}")))
        return
    table = Table("partition", "rule", "severity", "subject", "because", "hit")
    for item in found:
        mark = " (snoozed)" if item.snoozed else ""
        table.add_row(
            item.first, item.rule + mark, item.severity, printable(item.subject), Text(printable(item.because)), item.id
        )
    out.print(table)


@app.command()
def backtest(
    rule: Annotated[str, typer.Argument(help="Id of the rule.")],
    first: Annotated[str, typer.Option("--from", help="First partition, such as 2026-03-01.")],
    last: Annotated[str, typer.Option("--to", help="Last partition, included.")],
    portfolio: PortfolioOption = "accounts",
    instead: Annotated[
        list[str] | None, typer.Option("--set", help="Another number: name=value; may be repeated.")
    ] = None,
    minutes: Annotated[int, typer.Option(help="Minutes that an investigator needs for one hit.")] = 20,
    picture: Annotated[str, typer.Option(help="Where to write the picture (PNG).")] = "",
    by: Annotated[str, typer.Option(help="Who runs it (default: your user name).")] = "",
) -> None:
    """What the rule would have found, beside what it finds with the numbers in force; changes no hit.

    Its counts are kept for the rule's page in Fraud Ops, and the ledger says who ran it.
    """
    from fraudops.rules.backtest import backtest as compute
    from fraudops.rules.backtest_figure import save
    from fraudops.rules.backtest_record import keep
    from fraudops.rules.registry import read_rules

    settings = Settings.from_environment()
    chosen, ws, rules = chosen_portfolio(settings, portfolio), Workspace.open(settings), read_rules(settings.rules)
    values = dict(_pair(text) for text in instead or [])
    found = compute(ws, chosen, rules, rule, first=first, last=last, instead=values)
    table = Table(title=f"{rule}, {found.keys[0]} to {found.keys[-1]} ({len(found.keys)} partitions)")
    table.add_column("")
    table.add_column("in force", justify="right")
    columns = [found.summary(found.in_force)]
    if values:
        table.add_column(", ".join(f"{name}={value}" for name, value in values.items()), justify="right")
        columns.append(found.summary(found.tried))
    for name in columns[0]:
        table.add_row(name.replace("_", " "), *(f"{column[name]:,}" for column in columns))
    hours = [f"{column['hits'] * minutes / 60 / len(found.keys):.1f}" for column in columns]
    table.add_row(f"hours of investigators a day, at {minutes} minutes a hit", *hours)
    out.print(table)
    if values:
        out.print(", ".join(f"{number:,} {name}" for name, number in found.difference.items()))
    if picture:
        save(found, f"{rules[rule].definition.title}: new hits by partition", Path(picture))
        out.print(f"written to {picture}")
    is_new = keep(ws, chosen, rules[rule], found, by=by or getpass.getuser())
    out.print("its counts are kept; no hit was changed" if is_new else "the same was kept before; no hit was changed")


@app.command()
def snooze(
    rule: Annotated[str, typer.Argument(help="Id of the rule.")],
    subject: Annotated[str, typer.Argument(help="Customer or account, as the hit names it.")],
    until: Annotated[str, typer.Option(help="First day on which it is told of again, such as 2026-04-01.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is recorded.")],
    portfolio: PortfolioOption = "accounts",
    since: Annotated[str, typer.Option("--from", help="First day (default: now).")] = "",
    by: Annotated[str, typer.Option(help="Who answers for it (default: your user name).")] = "",
) -> None:
    """Tell nobody of the rule's hits of one customer or account for a while; they are kept, and marked."""
    from fraudops.rules.registry import read_rules
    from fraudops.rules.snoozing import snooze as place

    settings = Settings.from_environment()
    chosen = chosen_portfolio(settings, portfolio)
    if rule not in read_rules(settings.rules):
        raise ContractError(f"there is no rule {rule!r}", where="rules", remedy="see 'fraudops rules list'")
    found = place(
        Workspace.open(settings),
        chosen,
        rule=rule,
        subject=subject,
        since=_moment(since, "--from") if since else None,
        until=_moment(until, "--until"),
        reason=reason,
        by=by or getpass.getuser(),
    )
    out.print(f"snooze {found.id}: {rule} is silent about this {chosen.title} subject until {until}")


@app.command()
def lift(
    number: Annotated[int, typer.Argument(help="Number of the snooze, as the list shows it.")],
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; it is recorded.")],
    portfolio: PortfolioOption = "accounts",
    by: Annotated[str, typer.Option(help="Who answers for it (default: your user name).")] = "",
) -> None:
    """End a snooze before its time."""
    from fraudops.rules.snoozing import lift as end

    settings = Settings.from_environment()
    chosen = chosen_portfolio(settings, portfolio)
    found = end(Workspace.open(settings), chosen, number, reason=reason, by=by or getpass.getuser())
    out.print(f"snooze {found.id}: {found.rule} speaks of it again")


@app.command()
def snoozes(portfolio: PortfolioOption = "accounts") -> None:
    """Who is snoozed, by whom, why and until when."""
    from fraudops.rules.snoozing import snoozes as placed

    with Workspace.open(Settings.from_environment()).transaction() as session:
        table = Table("snooze", "rule", "subject", "from", "until", "reason", "by")
        for item in placed(session, portfolio):
            days = (f"{moment.astimezone(UTC):%Y-%m-%d}" for moment in (item.starts_at, item.ends_at))
            table.add_row(
                str(item.id),
                item.rule,
                printable(item.subject),
                *days,
                printable(item.reason),
                printable(item.placed_by),
            )
    out.print(table)


def _moment(text: str, where: str) -> datetime:
    day = given_day(text, where)
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ContractError(f"{text!r} sets nothing", where="--set", remedy="write it as number=value")
    return name.strip(), value.strip()
