"""The step comply, in a store."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from fraudops.portfolio import Portfolio
from fraudops.reference import stored_schema
from fraudops.rules import HITS
from fraudops.rules.definition import RuleDefinition
from fraudops.rules.numbers import Numbers
from fraudops.rules.registry import Rule
from fraudops.rules.running import comply, undone
from fraudops.store import Store
from fraudops.workspace import Workspace

from tests.rules import everything
from tests.rules.payments import RULES, inputs, paid, same_currency, table

CHOSEN = {name: RULES[name] for name in ("cash_over_threshold", "structuring", "fan_in", "round_amounts", "velocity")}


@pytest.fixture
def plain(store, tmp_path: Path) -> Workspace:
    """A workspace without a database."""
    return Workspace(store=store, landing=tmp_path, database_url="", token_key=b"t" * 32, ledger_key=b"l" * 32)


@pytest.fixture(scope="module")
def accounts(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["accounts"]


@pytest.fixture(scope="module")
def looked_at(accounts: Portfolio, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which the rules have looked at the fortnight."""
    folder = tmp_path_factory.mktemp("looked_at")
    ws = Workspace(Store(folder), landing=folder, database_url="", token_key=b"t" * 32, ledger_key=b"l" * 32)
    comply(ws, accounts, publish(ws, fortnight()), CHOSEN)
    return folder


@pytest.fixture
def seen(plain: Workspace, looked_at: Path) -> Workspace:
    """A copy of it of the test's own."""
    shutil.copytree(looked_at, str(plain.store.root), dirs_exist_ok=True)
    return plain


def publish(ws: Workspace, rows: list[dict]) -> list[str]:
    """Write the rows as partitions of transactions of the portfolio accounts."""
    whole = table(rows, date(1970, 1, 1))
    stored = whole.rename_columns(
        {"account": "account_id_token", "customer": "customer_id", "counterparty": "counterparty_account_token"}
    ).drop_columns(["base_minor", "current"])
    keys = pc.strftime(stored["event_time"], "%Y-%m-%d")
    found = sorted(pc.unique(keys).to_pylist())
    for key in found:
        day = stored.filter(pc.equal(keys, key))
        ws.store.write("transactions", "accounts", key, day.sort_by([("event_time", "ascending")]), config="c")
    return found


def arrive(ws: Workspace, dataset: str, key: str, rows: list[dict]) -> None:
    known = datetime.fromisoformat(key).replace(tzinfo=UTC) + timedelta(days=1)
    content = [{"known_at": known, "file": "f", "line": n, **row} for n, row in enumerate(rows, 1)]
    ws.store.write(dataset, "accounts", key, pa.Table.from_pylist(content, schema=stored_schema(dataset)), config="c")


def fortnight() -> list[dict]:
    """Two quiet weeks, with cash over a weekend, and a deposit of nine thousand on each of four days."""
    rows = [
        paid(f"2026-03-{day:02d}T{hour}:00", 40 + day, account=f"A{n}", customer=f"C{n}", direction="out")
        for day in range(6, 22)
        for n, hour in enumerate(range(10, 20))
    ]
    cash = {"cash": True, "branch": "B1", "account": "A1", "customer": "C1"}
    rows += [paid("2026-03-06T20:00-05:00", 6_000, **cash), paid("2026-03-07T12:00-05:00", 6_000, **cash)]
    cash |= {"account": "A2", "customer": "C2"}
    rows += [paid(f"2026-03-{day}T15:00", 9_000, **cash | {"branch": f"B{day}"}) for day in (16, 17, 18, 19)]
    return rows


def stored(ws: Workspace) -> dict[str, bytes]:
    root = Path(ws.store.root)
    return {str(p.relative_to(root)): p.read_bytes() for p in root.glob("rule_*/**/date=*/*") if p.is_file()}


def test_any_order_gives_the_same_bytes_and_a_second_run_writes_nothing(seen, accounts, tmp_path) -> None:
    keys = seen.store.keys("transactions", "accounts")
    forward = stored(seen)
    assert not any(item.written for item in comply(seen, accounts, keys, CHOSEN))
    for path in Path(seen.store.root).glob("rule_*"):
        path.rename(tmp_path / f"old-{path.name}")
    for key in reversed(keys):
        comply(seen, accounts, [key], CHOSEN)
    assert stored(seen) == forward


def test_a_hit_that_grows_is_one_hit(seen, accounts) -> None:
    keys = seen.store.keys("transactions", "accounts")
    by_rule: dict[str, set[str]] = {}
    days: dict[str, list[str]] = {}
    for key in keys:
        for row in seen.store.read_partition(HITS, "accounts", key).to_pylist():
            by_rule.setdefault(row["rule"], set()).add(row["hit_id"])
            days.setdefault(row["rule"], []).append(key)
    assert {rule: len(found) for rule, found in by_rule.items()} == {"cash_over_threshold": 1, "structuring": 1}
    assert days["cash_over_threshold"] == ["2026-03-07"]
    assert days["structuring"] == ["2026-03-18", "2026-03-19"]


def test_what_arrives_late_makes_the_days_after_it_stale_and_no_others(seen, accounts) -> None:
    assert undone(seen, accounts, CHOSEN) == []
    late = paid("2026-03-20T11:00", 20_000, account="A5", customer="C5", cash=True, branch="B9")
    publish(seen, [*fortnight(), late])
    assert undone(seen, accounts, CHOSEN) == ["2026-03-20", "2026-03-21"]
    comply(seen, accounts, ["2026-03-20"], CHOSEN)
    (hit,) = seen.store.read_partition(HITS, "accounts", "2026-03-20").to_pylist()
    assert (hit["rule"], hit["subject"], hit["on"]) == ("cash_over_threshold", "C5", date(2026, 3, 20))
    assert json.loads(hit["numbers"])["threshold"]["value"] == "10000.00"


def test_a_law_that_is_made_later_changes_its_days_and_none_before(seen, accounts) -> None:
    keys = seen.store.keys("transactions", "accounts")
    before = stored(seen)
    changed = {**CHOSEN, "cash_over_threshold": _from("2026-03-18", "8000.00")}
    # Cash of the days before it may belong to a business day after it: these are looked at again.
    assert undone(seen, accounts, changed) == [key for key in keys if key >= "2026-03-11"]
    comply(seen, accounts, keys, changed)
    rows = {key: seen.store.read_partition(HITS, "accounts", key).to_pylist() for key in keys}
    cash = {
        key: [json.loads(row["numbers"]) for row in found if row["rule"] == "cash_over_threshold"]
        for key, found in rows.items()
    }
    assert {key: found[0]["threshold"]["value"] for key, found in cash.items() if found} == {
        "2026-03-07": "10000.00",
        "2026-03-18": "8000.00",
        "2026-03-19": "8000.00",
    }
    data = {name: content for name, content in stored(seen).items() if name.endswith(".parquet")}
    assert {name for name in data if data[name] != before.get(name)} <= {
        name for name in data if "date=2026-03-18" in name or "date=2026-03-19" in name
    }
    comply(seen, accounts, keys, CHOSEN)
    assert {name: content for name, content in stored(seen).items() if name in before} == before, "and back"


def _from(day: str, threshold: str) -> Rule:
    """Cash over another threshold from a day on."""
    rule = CHOSEN["cash_over_threshold"]
    content = rule.definition.model_dump(by_alias=True)
    content["numbers"]["threshold"]["dated"] = [
        {**content["numbers"]["threshold"]["dated"][0], "to": None},
        {"from": day, "value": threshold, "source": "made up"},
    ]
    return replace(rule, definition=RuleDefinition.model_validate(content))


def test_a_holiday_that_becomes_known_later_counts_from_then_on(plain, accounts) -> None:
    cash = {"cash": True, "branch": "B1", "account": "A1", "customer": "C1"}
    keys = publish(plain, [paid("2026-03-17T15:00", 6_000, **cash), paid("2026-03-18T15:00", 6_000, **cash)])
    comply(plain, accounts, keys, CHOSEN)
    assert plain.store.read_partition(HITS, "accounts", "2026-03-18").num_rows == 0
    arrive(plain, "holidays", "2026-03-17", [{"date": date(2026, 3, 17), "name": "a feast", "jurisdiction": "US"}])
    assert undone(plain, accounts, CHOSEN) == keys
    comply(plain, accounts, keys, CHOSEN)
    assert plain.store.read_partition(HITS, "accounts", "2026-03-18")["subject"].to_pylist() == ["C1"]


def test_amounts_without_a_rate_are_told_and_others_are_converted(plain, accounts) -> None:
    cash = {"cash": True, "branch": "B1", "account": "A1", "customer": "C1", "currency": "EUR"}
    keys = publish(plain, [paid("2026-03-17T15:00", 9_500, **cash)])
    (found,) = comply(plain, accounts, keys, CHOSEN)
    assert (found.unconverted, found.hits["cash_over_threshold"]) == ({"EUR": 1}, 0)
    arrive(
        plain, "rates", "2026-03-16", [{"date": date(2026, 3, 16), "currency": "EUR", "rate": Decimal("1.10000000")}]
    )
    (found,) = comply(plain, accounts, keys, CHOSEN)
    assert (found.unconverted, found.hits["cash_over_threshold"]) == ({}, 1)


def test_what_is_read_for_the_suspects_gives_what_the_whole_past_gives(plain, accounts) -> None:
    chosen = {name: rule for name, rule in RULES.items() if rule.needs.transactions}
    publish(plain, everything.rows())
    arrive(plain, "customers", "2026-01-01", everything.customers().to_pylist())
    comply(plain, accounts, [everything.DAY], chosen)
    found = plain.store.read_partition(HITS, "accounts", everything.DAY)
    whole = inputs(everything.rows(), everything.DAY, customers=everything.customers())
    expected = {
        (name, hit.id_for("accounts", name), tuple(hit.transactions))
        for name, rule in chosen.items()
        for hit in rule.detect(whole, Numbers(rule.definition, whole.day, to_minor=same_currency("USD")))
    }
    assert {name for name, _, _ in expected} == set(chosen)
    assert {(row["rule"], row["hit_id"], tuple(row["transactions"])) for row in found.to_pylist()} == expected


def test_an_account_that_moves_every_day_is_not_dormant_on_a_day_without_suspects(plain, accounts) -> None:
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(25)]
    keys = publish(plain, [paid(f"{day}T10:00", 2_401, direction="out") for day in days])
    arrive(plain, "customers", "2026-01-01", [{**everything.customers().to_pylist()[0], "customer_id": "C-A1"}])
    (found,) = comply(plain, accounts, keys[-1:], {"dormant_account": RULES["dormant_account"]})
    assert found.hits == {"dormant_account": 0}
