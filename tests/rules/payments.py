"""Transactions made by hand, and the inputs of a detector made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from fraudops.rules.history import Day, History, profile
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs
from fraudops.rules.numbers import Numbers, same_currency
from fraudops.rules.registry import Rule, read_rules
from fraudops.rules.rows import Rows

RULES = read_rules(Path(__file__).parents[2] / "include" / "rules")
SCHEMA = pa.schema(
    [
        ("transaction_id", pa.string()),
        ("event_time", pa.timestamp("us", "UTC")),
        ("account", pa.string()),
        ("customer", pa.string()),
        ("counterparty", pa.string()),
        ("counterparty_country", pa.string()),
        ("branch", pa.string()),
        ("direction", pa.string()),
        ("cash", pa.bool_()),
        ("on_behalf_of", pa.string()),
        ("channel", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
        ("base_minor", pa.int64()),
        ("current", pa.bool_()),
    ]
)
_DAY = timedelta(days=1)


class PlainDays:
    """Business days without holidays: weekdays in New York; after 18:00 the next one counts."""

    zone = ZoneInfo("America/New_York")

    def business_days(self, moments: Any) -> Any:
        return np.array([self._business(m) for m in moments.tolist()], dtype="datetime64[D]")

    def _business(self, moment: int) -> date:
        local = datetime.fromtimestamp(moment / 1e6, UTC).astimezone(self.zone)
        day = local.date() + _DAY if (local.hour, local.minute) > (18, 0) else local.date()
        while day.weekday() >= 5:
            day += _DAY
        return day


def paid(at: str, amount: float, *, account: str = "A1", **more: Any) -> dict[str, Any]:
    """One transaction; ``at`` is ISO, UTC where it names no zone. A transfer in, unless said otherwise."""
    moment = datetime.fromisoformat(at)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    minor = round(amount * 100)
    row = {
        "event_time": moment,
        "account": account,
        "customer": f"C-{account}",
        "counterparty": None,
        "counterparty_country": None,
        "branch": None,
        "direction": "in",
        "cash": False,
        "on_behalf_of": None,
        "channel": "online",
        "amount_minor": minor,
        "currency": "USD",
        "base_minor": minor,
    }
    return row | more


def table(rows: Iterable[Mapping[str, Any]], day: date) -> pa.Table:
    """The rows as a table; ``current`` are those of the day (UTC). Ids are numbers, unless given."""
    content = [
        {"transaction_id": f"T{number:06d}", "current": row["event_time"].date() == day, **row}
        for number, row in enumerate(rows)
    ]
    return pa.Table.from_pylist(content, schema=SCHEMA)


def inputs(rows: Iterable[Mapping[str, Any]] | pa.Table, day: str | date, **more: Any) -> Inputs:
    """All that a detector sees at the end of a day (UTC); later rows are left out, as the loader does."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    whole = rows if isinstance(rows, pa.Table) else table(rows, day)
    moments = np.array([m.timestamp() for m in whole["event_time"].to_pylist()])
    known = Rows.of(whole.filter(pa.array(moments < (start + _DAY).timestamp())))
    known = replace(known, current=known.times >= round(start.timestamp() * 1e6))
    active = np.isin(known.account.codes, known.account.codes[known.current])
    given = {
        "key": str(day),
        "start": start,
        "as_of": start + _DAY,
        "currency": "USD",
        "digits": 2,
        "calendar": PlainDays(),
        "transactions": known.where(active),
        "cash": known.where(known.cash),
        "history": history(known),
    }
    return Inputs(**given | more)


def history(rows: Rows) -> History:
    """Profiles of the days that are over."""
    days = []
    for start in np.unique(rows.times[~rows.current] // 86_400_000_000) * 86_400_000_000:
        of_day = profile(rows.where((rows.times >= start) & (rows.times < start + 86_400_000_000)))
        days.append(Day(int(start), of_day.select))
    return History(days, int(rows.times[0]) // 86_400_000_000 * 86_400_000_000 if len(rows) else 0)


def hits(rule: str, given: Inputs, **instead: Any) -> list[Hit]:
    """What a rule finds, with its numbers of that day, or other ones."""
    found: Rule = RULES[rule]
    numbers = Numbers(found.definition, given.day, to_minor=same_currency("USD"), instead=instead)
    return sorted(found.detect(given, numbers), key=lambda hit: hit.id_for("accounts", rule))
