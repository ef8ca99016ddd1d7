"""One rule of a portfolio: its text, every number with its dates, what it found over time, snoozes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from fraudops.portfolio import Portfolio
from fraudops.rules import HITS
from fraudops.rules.backtest_record import KeptBacktest, kept
from fraudops.rules.definition import RuleDefinition
from fraudops.rules.numbers import worded
from fraudops.rules.raised import Wanted, count_hits, hits_by_day
from fraudops.rules.snoozing import snoozes

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.attempts import Attempts, Trouble
from fraudops_airflow.web.charts import Chart
from fraudops_airflow.web.compliance.rules import newest_day, section_of, when, why_silent
from fraudops_airflow.web.definitions import known_rules

SHOWN_BACKTESTS = 10
SHOWN_PARTITIONS = 180
"""Partitions in the chart of hits over time."""


@dataclass(frozen=True)
class Value:
    """One value of one number, from a day on."""

    number: str
    description: str
    since: date
    last: date | None
    words: str
    source: str
    when: str
    """``past``, ``now``, ``to come``: seen from the day that is shown."""


@dataclass(frozen=True)
class SnoozeLine:
    """Who is not told of, until when, and why."""

    number: int
    rule: str
    subject: str
    starts_at: datetime
    ends_at: datetime
    reason: str
    by: str
    runs: bool


@dataclass(frozen=True)
class RulePage:
    """Everything of one rule.

    Attributes
    ----------
    day
        From which values are past or to come.
    silent
        Why it does not run on that day; None where it does.
    months
        New hits by month, of the partitions in the chart.
    """

    portfolio: Portfolio
    definition: RuleDefinition
    day: date
    silent: str | None
    values: tuple[Value, ...]
    hits: int
    chart: Chart | None
    months: tuple[tuple[str, int], ...]
    first: str
    last: str
    backtests: tuple[KeptBacktest, ...]
    """Those that were run, the newest first."""
    backtest_chart: Chart | None
    """Of the newest one."""
    troubles: tuple[Trouble, ...]


def rule_page(archive: Archive, portfolio: Portfolio, name: str, today: date) -> RulePage | None:
    """One rule as of the newest partition's day, or today where there is none; None where there is no such rule."""
    rule = known_rules().get(name)
    if rule is None or portfolio.compliance is None:
        return None
    definition, compliance = rule.definition, section_of(portfolio)
    keys = archive.store.keys(HITS, portfolio.name)
    shown = keys[-SHOWN_PARTITIONS:]
    day = newest_day(portfolio, keys) or today
    runs = (
        definition.in_force(day)
        and definition.jurisdiction in (compliance.jurisdiction, "any")
        and name not in compliance.rules.off
    )
    with archive.reading() as session:
        found = hits_by_day(session, portfolio.name, shown)
        hits = count_hits(session, portfolio.name, Wanted(rule=name))
        attempts, none = Attempts(), list[KeptBacktest]()
        backtests = attempts.at(
            "backtests", lambda: kept(archive.store, session, portfolio, rule, most=SHOWN_BACKTESTS), none
        )
    counts = [found.get((name, key), 0) for key in shown]
    return RulePage(
        portfolio=portfolio,
        definition=definition,
        day=day,
        silent=None if runs else why_silent(definition, compliance, day),
        values=tuple(_values(definition, day)),
        hits=hits,
        chart=_chart(definition.title, shown, counts) if shown else None,
        months=tuple(_by_month(shown, counts)),
        first=shown[0] if shown else "",
        last=shown[-1] if shown else "",
        backtests=tuple(backtests),
        backtest_chart=_backtest_chart(definition.title, backtests[0]) if backtests else None,
        troubles=tuple(attempts.troubles),
    )


def snooze_lines(archive: Archive, portfolio: Portfolio, rule: str, now: datetime) -> list[SnoozeLine]:
    """The snoozes of a rule, the newest first."""
    with archive.reading() as session:
        return [
            SnoozeLine(
                item.id,
                item.rule,
                item.subject,
                item.starts_at.astimezone(UTC),
                item.ends_at.astimezone(UTC),
                item.reason,
                item.placed_by,
                item.ends_at > now,
            )
            for item in reversed(snoozes(session, portfolio.name))
            if item.rule == rule
        ]


def _values(definition: RuleDefinition, day: date) -> list[Value]:
    found = []
    for name, number in definition.numbers.items():
        for item in reversed(number.dated):
            _, last = number.on(item.since) or (item, None)
            words = worded(item.value, number.currency or number.unit)
            place = when(item.since, last, day)
            found.append(Value(name, number.description, item.since, last, words, item.source, place))
    return found


def _chart(title: str, keys: list[str], counts: list[int]) -> Chart:
    trace = {"type": "bar", "x": keys, "y": counts, "marker": {"color": "@accent"}, "name": "new hits"}
    most = max(counts)
    label = f"New hits of {title} by partition, {keys[0]} to {keys[-1]}: {sum(counts)} in all, at most {most} in one."
    steps = {"dtick": 1} if most <= 8 else {}
    layout = {
        "yaxis": {"title": {"text": "new hits"}, "rangemode": "tozero", "tickformat": "d"} | steps,
        "xaxis": {"type": "category", "nticks": 12},
        "bargap": 0.15,
    }
    return Chart("rule-hits", label, [trace], layout, 260)


def _backtest_chart(title: str, found: KeptBacktest) -> Chart:
    keys, before, after = list(found.keys), found.in_force, found.tried
    traces: list[dict[str, Any]] = [
        {"type": "bar", "x": keys, "y": list(before.by_key), "marker": {"color": "@soft"}, "name": "in force"}
    ]
    label = f"Backtest of {title}, {keys[0]} to {keys[-1]}: {sum(before.by_key)} hits with the numbers in force"
    if found.instead:
        told = ", ".join(f"{name} = {value}" for name, value in sorted(found.instead.items()))
        traces.append({"type": "bar", "x": keys, "y": list(after.by_key), "marker": {"color": "@accent"}, "name": told})
        label += f", {sum(after.by_key)} with {told}"
    steps = {"dtick": 1} if max(*before.by_key, *after.by_key) <= 8 else {}
    layout = {
        "yaxis": {"title": {"text": "new hits"}, "rangemode": "tozero", "tickformat": "d"} | steps,
        "xaxis": {"type": "category", "nticks": 12},
        "bargap": 0.15,
    }
    return Chart("rule-backtest", f"{label}.", traces, layout, 260)


def _by_month(keys: list[str], counts: list[int]) -> list[tuple[str, int]]:
    months: dict[str, int] = {}
    for key, number in zip(keys, counts, strict=True):
        months[key[:7]] = months.get(key[:7], 0) + number
    return list(reversed(months.items()))
