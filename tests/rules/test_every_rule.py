"""What holds of every rule: the recipe "A rule" in CONTRIBUTING.md ends here."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fraudops.rules.gathering import still_suspected, suspected
from fraudops.rules.hit import Hit
from fraudops.rules.inputs import Inputs
from fraudops.rules.numbers import Numbers, same_currency
from fraudops.rules.registry import Rule
from fraudops.rules.running import row_of

from tests.rules.everything import DAY, customers, identities, rows, watchlist
from tests.rules.payments import RULES, inputs, paid, table

CHECKOUT = Path(__file__).parents[2]
RULE = pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
_WHOLE = table(rows(), date.fromisoformat(DAY))


def known() -> dict:
    return {"customers": customers(), "identities": identities(), "watchlist": watchlist()}


@pytest.fixture(scope="module")
def given() -> Inputs:
    return inputs(_WHOLE, DAY, **known())


def numbers_of(rule: Rule, day: date) -> Numbers:
    return Numbers(rule.definition, day, to_minor=same_currency("USD"))


def found(rule: Rule, given: Inputs) -> list[dict]:
    numbers = numbers_of(rule, given.day)
    hits = [row_of("accounts", rule, numbers, hit) for hit in rule.detect(given, numbers)]
    return sorted(hits, key=lambda hit: hit["hit_id"])


@RULE
def test_is_documented_and_tested(rule: Rule) -> None:
    assert f"`{rule.id}`" in (CHECKOUT / "docs" / "rules.md").read_text(encoding="utf-8")
    tests = (CHECKOUT / "tests" / "rules" / "detectors").glob("test_*.py")
    assert any(f'"{rule.id}"' in path.read_text(encoding="utf-8") for path in tests)


@RULE
def test_every_number_has_one_value_on_every_day(rule: Rule) -> None:
    changes = {rule.definition.since, *(i.since for n in rule.definition.numbers.values() for i in n.dated)}
    changes |= {change - timedelta(days=1) for change in changes} | {date(2030, 1, 1)}
    for day in sorted(day for day in changes if rule.definition.in_force(day)):
        explained = numbers_of(rule, day).explained()
        assert set(explained) == set(rule.definition.numbers)
        assert all(number["source"] for number in explained.values())


@RULE
def test_finds_something_and_explains_it_without_naming_anybody(rule: Rule, given: Inputs) -> None:
    hits = found(rule, given)
    assert hits, "tests/rules/everything.py has nothing for it"
    assert len({hit["hit_id"] for hit in hits}) == len(hits)
    names = [name for name in identities()["name"].to_pylist() if name]
    for hit in hits:
        public = " ".join((hit["because"], hit["values"], hit["numbers"]))
        assert len(hit["because"]) > 30
        assert json.loads(hit["values"])
        assert hit["subject"] not in hit["because"]
        assert not any(name.lower() in public.lower() for name in names)
        assert set(hit["transactions"]) <= set(given.transactions.ids.to_pylist()) | set(given.cash.ids.to_pylist())


@RULE
def test_the_order_of_rows_changes_nothing(rule: Rule, given: Inputs) -> None:
    order = list(range(_WHOLE.num_rows))
    random.Random(7).shuffle(order)
    mixed = {name: content.take(list(reversed(range(content.num_rows)))) for name, content in known().items()}
    assert found(rule, inputs(_WHOLE.take(order), DAY, **mixed)) == found(rule, given)


@RULE
def test_later_rows_change_nothing(rule: Rule, given: Inputs) -> None:
    later = [paid("2026-03-21T10:00", 9_999, account=f"A{n}", counterparty="Z", cash=n % 2 == 0) for n in range(12)]
    assert found(rule, inputs(table([*rows(), *later], date.fromisoformat(DAY)), DAY, **known())) == found(rule, given)


@RULE
def test_what_it_asks_for_is_enough(rule: Rule, given: Inputs) -> None:
    """The rows and sums of its suspects, as far back as it says, give what the whole past gives."""
    numbers = numbers_of(rule, given.day)
    whole, day = given.transactions, 86_400_000_000
    today = replace(given, transactions=whole.where(whole.current))
    mask = still_suspected(today, rule, numbers, suspected(today, rule, numbers))
    # Codes of the whole past are those of the partition: `where` keeps the names.
    reach = {of: given.start_us - rule.needs.days(of, numbers) * day for of in ("rows", "cash", "history")}
    kept = whole.current | (np.append(mask, False)[whole.account.codes] & (whole.times >= reach["rows"]))
    left_out = {
        name: replace(column, codes=np.where(whole.current, column.codes, -1))
        for name in ("customer", "counterparty_country", "branch", "on_behalf_of", "channel")
        if (column := getattr(whole, name)) is not None
    }
    whole = replace(whole, **left_out)
    history = type(given.history)([d for d in given.history.days if d.start >= reach["history"]], given.history.begins)
    asked = replace(
        given,
        transactions=whole.where(kept) if rule.needs.transactions else whole.where(np.zeros(len(whole), dtype=bool)),
        cash=given.cash.where(given.cash.times >= reach["cash"]),
        history=history,
        customers=given.customers if rule.needs.customers else None,
        identities=given.identities if rule.needs.identities else None,
        watchlist=given.watchlist if rule.needs.watchlist else None,
    )
    assert found(rule, asked) == found(rule, given)


@RULE
def test_an_empty_day_is_quiet(rule: Rule) -> None:
    empty = {name: content.slice(0, 0) for name, content in known().items()}
    assert found(rule, inputs([], DAY, **empty)) == []


@RULE
def test_a_huge_day_is_quick_and_makes_no_flood(rule: Rule) -> None:
    many = 60_000
    start = np.datetime64(f"{DAY}T00:00", "us")
    times = start + (np.arange(many) * (86_000_000_000 // many)).astype("timedelta64[us]")
    sample = table([paid(f"{DAY}T10:00", 25, account="A0", counterparty="S")], date.fromisoformat(DAY))
    whole = sample.take(np.zeros(many, dtype=np.int64))
    for name, content in (
        ("transaction_id", np.char.add("H", np.arange(many).astype(str))),
        ("account", np.char.add("A", (np.arange(many) % 20_000).astype(str))),
        ("event_time", times),
    ):
        place = whole.column_names.index(name)
        kind = whole.schema.field(name).type
        whole = whole.set_column(place, name, _array(content, kind))
    given = inputs(whole, DAY, **known())
    began = time.process_time()
    hits = [hit for hit in rule.detect(given, numbers_of(rule, given.day)) if isinstance(hit, Hit)]
    assert time.process_time() - began < 5
    assert len(hits) < 100


def _array(content: np.ndarray, kind: pa.DataType) -> pa.Array:
    return pa.array(content.astype("int64") if content.dtype.kind == "M" else content, kind)
