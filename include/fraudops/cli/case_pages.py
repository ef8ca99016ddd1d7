"""What a terminal shows of cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from rich.table import Table
from rich.text import Text

from fraudops.cases import CaseStatistics, CaseSummary, CaseView, Outcome, Personal
from fraudops.cases.priority import rank, worths
from fraudops.cases.states import spoken
from fraudops.cases.surroundings import Normal
from fraudops.cases.view import AlertView, EventView, HitView, LinkView
from fraudops.cli.console import printable
from fraudops.portfolio import Portfolio, Role

_STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "", "info": "dim"}
_SHOWN, _COLUMNS = 8, 5


def table_of(cases: Sequence[CaseSummary], today: date) -> Table:
    """A list of cases."""
    table = Table("case", "severity", "state", "of", "subject", "items", "review by")
    table.add_column("priority", justify="right")
    for case in cases:
        table.add_row(
            case.name,
            Text(case.severity, style=_STYLES[case.severity]),
            spoken(case.state) + (f"; {case.proposed_finding} proposed" if case.proposed_finding else ""),
            printable(case.assignee or "–"),
            printable(f"{case.subject_kind} {case.subject}")[:34],
            str(case.items),
            Text(f"{case.due_on} late", style="bold red") if case.is_late(today) else str(case.due_on or "–"),
            f"{case.priority:,.2f}",
        )
    return table


def state_line(case: CaseSummary) -> Text:
    """What is now, in a line."""
    line = Text.assemble((case.name, "bold"), f": {spoken(case.state)}, version {case.version}")
    line.append(f", {printable(case.assignee)}'s" if case.assignee else ", nobody's")
    if case.proposed_finding is not None:
        finding = case.proposed_finding.replace("_", " ")
        line.append(f"; {printable(str(case.proposed_by))} proposes {finding}, a compliance officer decides")
    return line


def case_lines(view: CaseView, portfolio: Portfolio) -> Iterator[Text | Table]:
    """Everything that explains a case."""
    case = view.case
    yield state_line(case)
    yield Text(
        printable(f"{case.subject_kind} {case.subject}, severity {case.severity}, priority {case.priority:,.2f}")
    )
    eyes = "; closing it takes two people" if view.needs_two and case.closed_at is None else ""
    yield Text(f"opened by {case.opened_key}, to be reviewed by {case.due_on or '–'}{eyes}")
    for other in view.earlier:
        yield Text(f"the same subject: {other.name}, {spoken(other.state)}", style="yellow")
    for alert in view.alerts:
        yield from _alert_lines(alert)
    worst_first = sorted(view.hits, key=lambda hit: -rank(hit.severity))
    for rule in dict.fromkeys(hit.rule for hit in worst_first):
        yield from _rule_lines([hit for hit in view.hits if hit.rule == rule])
    yield from _normal_lines(view.normal, portfolio)
    yield _transactions(view, portfolio)
    if view.links:
        yield _heading("linked by others' transactions in the 30 days before")
        for link in view.links:
            yield _link_line(link)
    for escalation in view.escalations:
        yield _heading("escalated (confidential)")
        suspect = "a suspect is known" if escalation.suspect_known else "no suspect"
        yield Text(
            printable(f"  {escalation.by}: detected on {escalation.detected_on}, {suspect}: {escalation.reason}")
        )
    if view.attachments:
        yield _heading("attachments")
    for file in view.attachments:
        yield Text(printable(f"  {file.sha256[:12]}  {file.name}, {file.size:,} bytes, by {file.added_by}"))
    if view.dispositions:
        said = Counter((one.finding, one.by, one.reported_at, one.handed_over) for one in view.dispositions)
        yield _heading("said about its transactions")
        for (finding, by, at, handed_over), count in said.items():
            waits = "" if handed_over else ", not handed over yet"
            yield Text(printable(f"  {count} × {finding}, by {by}, {_time(at)}{waits}"))
    yield _heading("timeline")
    for event in view.timeline:
        yield _event_line(event)


def priority_lines(view: CaseView, portfolio: Portfolio) -> Iterator[Text | Table]:
    """What a case's priority is made of."""
    table = Table("item", "what", "severity")
    for name in ("expected loss", "severity counts", "together"):
        table.add_column(name, justify="right")
    items: list[AlertView | HitView] = [*view.alerts, *view.hits]
    parts = worths(portfolio.cases, [item.severity for item in items])
    losses = [item.loss if isinstance(item, AlertView) else 0.0 for item in items]
    for item, part, loss in sorted(zip(items, parts, losses, strict=True), key=lambda one: -(one[1] + one[2])):
        if isinstance(item, AlertView):
            name, what = f"alert {item.id}", f"score {item.score:.3f} × {_money(item.amount, item.currency)}"
        else:
            name, what = f"hit {item.id[:8]}", item.rule
        severity = Text(item.severity, style=_STYLES[item.severity])
        table.add_row(name, printable(what), severity, f"{loss:,.2f}", f"{part:,.2f}", f"{loss + part:,.2f}")
    table.add_row("", "", "", "", "priority", f"{view.case.priority:,.2f}", style="bold")
    yield table
    yield Text(f"the worst item's severity counts whole, each other's {portfolio.cases.further:g} of it", style="dim")


def personal_lines(seen: Personal) -> Iterator[Text]:
    """What is personal; never to be copied into a note."""
    yield _heading("personal (that you looked is in the timeline and in the ledger)")
    for name, value in seen.customer.items():
        yield Text(printable(f"  {name}: {value}"))
    for about, values in (*seen.transactions.items(), *seen.hits.items()):
        yield Text(printable(f"  {about}: " + ", ".join(f"{name} {value}" for name, value in values.items())))


def statistics_lines(found: CaseStatistics) -> Iterator[Text | Table]:
    """Counts of cases."""
    closed = ", ".join(f"{count} as {finding.replace('_', ' ')}" for finding, count in found.closed.items())
    yield Text(
        f"{found.opened} opened, {sum(found.closed.values())} closed ({closed or '–'}), {found.reopened} reopened"
    )
    ages = f", median age {found.median_age_days:g} days" if found.median_age_days is not None else ""
    yield Text(f"{found.open_at_end} open at the end, {found.late_at_end} of them late{ages}")
    table = Table("", "items", "fraud", "not fraud", "insufficient", "open", "precision")
    rows: list[tuple[str, Outcome]] = [*found.by_model.items(), *found.by_rule.items()]
    for name, one in rows:
        share = "–" if one.precision is None else f"{one.precision:.0%}"
        table.add_row(name, *map(str, (one.items, one.fraud, one.not_fraud, one.insufficient, one.open)), share)
    yield table


# -- inside -------------------------------------------------------------------------------------------


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold")


def _alert_lines(alert: AlertView) -> Iterator[Text]:
    yield _heading(
        f"alert {alert.id}: {alert.decision}, score {alert.score:.3f} by {alert.model_version} ({alert.candidate})"
    )
    yield Text(
        printable(f"  {alert.transaction_id}, {_time(alert.event_time)}, {_money(alert.amount, alert.currency)}")
    )
    for reason in alert.reasons:
        yield Text(f"  • {printable(reason)}")


def _rule_lines(hits: Sequence[HitView]) -> Iterator[Text]:
    """A rule's text, then its hits; numbers where they differ from those of the hit before."""
    rule = hits[0]
    count = f"{len(hits)} hits" if len(hits) > 1 else f"hit {rule.id[:8]}"
    yield _heading(f"{rule.title or rule.rule or 'what the store no longer has'} ({rule.severity}, {count})")
    if rule.purpose:
        yield Text(f"  rule: {rule.purpose}", style="dim")
        yield Text(f"  what to do: {rule.action}", style="dim")
    before: dict[str, Any] = {}
    for hit in hits:
        if hit.numbers != before:
            for name, number in hit.numbers.items():
                value = printable(str(number.get("value")))
                yield Text(
                    f"  {name} = {value} ({number.get('unit')}) on {hit.on}, {number.get('source')}", style="dim"
                )
            before = hit.numbers
        yield Text(f"  • {printable(hit.because)}")
        seen = "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in hit.values.items())
        yield Text(printable(f"    seen: {seen}"), style="dim")
        yield Text(printable(f"    hit {hit.id[:8]}, transactions {_some(hit.transactions)}"), style="dim")


def _normal_lines(normal: Normal | None, portfolio: Portfolio) -> Iterator[Text]:
    yield _heading("usual in the 90 days before")
    if normal is None:
        yield Text("  nothing is known")
        return

    def money(minor: int | None) -> str:
        return _money(None if minor is None else Decimal(minor).scaleb(-portfolio.minor_digits), normal.currency)

    yield Text(f"  {normal.transactions:,} transactions on {normal.active_days} days, {normal.first} to {normal.last}")
    if normal.mean_minor is not None:
        amounts = f"mean {money(normal.mean_minor)}, median {money(normal.median_minor)}"
        yield Text(printable(f"  {amounts}, largest {money(normal.largest_minor)}"))
    hours = ", ".join(f"{hour}:00 ({count})" for hour, count in normal.hours)
    yield Text(f"  hours ({normal.timezone}): {hours}")
    for column, values in normal.usual.items():
        yield Text(printable(f"  {column}: " + ", ".join(f"{value or 'none'} ({count})" for value, count in values)))


def _transactions(view: CaseView, portfolio: Portfolio) -> Table:
    """The case's transactions, with the columns that differ or matter."""
    rows = view.transactions[:_SHOWN]
    hidden = {"event_time", "amount", "amount_minor", "transaction_id", portfolio.entities.get(view.case.subject_kind)}
    known = list(rows[0]) if rows else []
    categories = {portfolio.stored_name(name) for name in portfolio.named(Role.CATEGORY)}
    known.sort(key=lambda name: name not in categories)
    columns = [name for name in known if name not in hidden and any(row[name] is not None for row in rows)]
    more = f", {_SHOWN} of {len(view.transactions)}" if len(view.transactions) > _SHOWN else ""
    table = Table(title=f"transactions{more}", title_justify="left")
    for name in ("transaction", "time", "amount"):
        table.add_column(name, no_wrap=True)
    for name in columns[:_COLUMNS]:
        table.add_column(name)
    for row in rows:
        amount = row.get("amount_minor")
        table.add_row(
            printable(row["transaction_id"]),
            _time(row["event_time"])[:16],
            "" if amount is None else f"{Decimal(amount).scaleb(-portfolio.minor_digits):,}",
            *(_short(row[name]) for name in columns[:_COLUMNS]),
        )
    return table


def _link_line(link: LinkView) -> Text:
    cases = f"; {_some(link.cases)}" if link.cases else ""
    others = f"{link.transactions:,} transactions of {link.subjects:,} others"
    bad = f"{link.alerted} with an alert, {link.known_frauds} known as fraud{cases}"
    return Text(
        printable(f"  {link.entity} {_short(link.value)}: {others}, {bad}"),
        style="yellow" if link.known_frauds or link.cases else "",
    )


def _event_line(event: EventView) -> Text:
    details = event.details
    told = {
        "opened": lambda: f"with {_items(details)}",
        "item_added": lambda: _items(details),
        "assigned": lambda: f"{details['before'] or 'nobody'} → {details['after'] or 'nobody'}",
        "proposed": lambda: _finding(details),
        "closed": lambda: _finding(details),
        "attached": lambda: f"{details['size']:,} bytes",
    }
    more = told[event.kind]() if event.kind in told else ""
    text = ": ".join(part for part in (more, event.text) if part)
    who = f"  {_time(event.at)[:16]}  {event.by}  "
    return Text.assemble(
        (printable(who), "dim"), f"{event.kind.replace('_', ' ')}", printable(f": {text}" if text else "")
    )


def _items(details: Mapping[str, Any]) -> str:
    counts = Counter(kind for kind, _ in details["items"])
    return ", ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(counts.items()))


def _finding(details: Mapping[str, Any]) -> str:
    others = f", {len(details['otherwise'])} transactions otherwise" if details.get("otherwise") else ""
    return f"{details['finding'].replace('_', ' ')}{others}"


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(ids[:_SHOWN]) + more


def _short(value: Any) -> str:
    text = "" if value is None else printable(str(value))
    return f"{text[:15]}…" if len(text) > 16 else text


def _money(amount: Decimal | None, currency: str) -> str:
    return "–" if amount is None else f"{amount:,} {currency}".rstrip()


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
