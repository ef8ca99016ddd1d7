"""Validation: what it stops, what it says, what it leaves; and publication behind it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry
from fraudops.errors import ConfigurationError, ContractError, MissingPartitionError
from fraudops.intake.suite import Check, usual_range
from fraudops.intake.validation import ValidationOutcome, judge, publish, validate
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace
from sqlalchemy import select

from .conftest import COLUMNS, HEADER, land_paths, make_portfolio, row, snapshot

Deliver = Callable[..., Path]
KEY = "2026-03-05"


def _land(ws: Workspace, portfolio: Portfolio, deliver: Deliver, *rows: str, name: str = "tx.csv") -> None:
    land_paths(ws, portfolio, deliver(name, *rows))


def _history(ws: Workspace, portfolio: Portfolio, deliver: Deliver, days: int = 6, **others: str) -> None:
    """Some ordinary published days before the one that is looked at: four rows of 10 each."""
    rows = [
        row(f"{d}-{n}", f"2026-02-{d:02d}T10:00:00Z", "10", **others) for d in range(10, 10 + days) for n in range(4)
    ]
    _land(ws, portfolio, deliver, *rows, name="history.csv")
    for day in range(10, 10 + days):
        publish(ws, portfolio, f"2026-02-{day}", actor="service:test")


def test_a_good_partition_passes(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    _land(workspace, shop, deliver, row(1), row(2, distance="", contactless="", card_number=""))
    outcome = validate(workspace, shop, KEY)
    assert (outcome.passed, outcome.failures) == (True, [])
    assert outcome.checks > 15
    assert json.loads(json.dumps(outcome.to_dict()))["report"] == outcome.report
    result = json.loads(workspace.store.get("validation", "shop", f"date={KEY}", "result.json"))
    assert (result["passed"], result["rows"], result["checks"]) == (True, 2, outcome.checks)


def test_validating_again_leaves_the_same_bytes(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    _land(workspace, shop, deliver, row(1), row(2, amount="x"))
    validate(workspace, shop, KEY)
    before = snapshot(workspace)
    validate(workspace, shop, KEY)
    assert snapshot(workspace) == before


@pytest.mark.parametrize(
    ("validation", "rows", "sentence"),
    [
        ({"minimum_rows": 3}, [row(1)], "partition: expected at least 3 rows; observed 1 row"),
        (
            {"maximum_missing": {"channel": 0.2}},
            [row(1), row(2, channel="")],
            "channel: expected at most 20 % missing; observed 50 % missing",
        ),
        (
            {"maximum_missing": {"card_number": 0}},
            [row(1, card_number="")],
            "card_token: expected at most 0 % missing; observed 100 % missing",
        ),
        (
            {"quarantined": 0.4},
            [row(1), row(2, amount="x")],
            "partition: expected at most 40 % of the rows in quarantine; observed 50 % in quarantine",
        ),
        ({}, [row(1, amount="x")], "partition: expected at least 1 row; observed 0 rows"),
    ],
)
def test_what_the_portfolio_forbids(
    workspace: Workspace, deliver: Deliver, validation: dict[str, Any], rows: list[str], sentence: str
) -> None:
    portfolio = make_portfolio(validation={"quarantined": 1, **validation})
    _land(workspace, portfolio, deliver, *rows)
    outcome = validate(workspace, portfolio, KEY)
    assert not outcome.passed
    assert outcome.failures == [sentence]
    with pytest.raises(ContractError, match="did not pass"):
        publish(workspace, portfolio, KEY, actor="service:test")
    assert workspace.store.manifest("transactions", "shop", KEY) is None


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(1, amount="10")], "partition: expected 2 to 6 rows, as in 6 earlier partitions; observed 1 row"),
        ([row(n, amount="1000") for n in range(4)], "amount: expected a mean of 5.00 to 15.00"),
        ([row(n, amount="10", distance="") for n in range(4)], "distance: expected at most 5 % missing"),
        ([row(n, amount="10", channel="new") for n in range(4)], "channel: expected at least 80 % of the values"),
    ],
)
def test_what_is_unlike_earlier_partitions(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, rows: list[str], words: str
) -> None:
    _history(workspace, shop, deliver)
    _land(workspace, shop, deliver, *rows)
    outcome = validate(workspace, shop, KEY)
    assert len(outcome.failures) == 1
    assert words in outcome.failures[0]


def test_too_few_earlier_partitions_teach_nothing(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    _history(workspace, shop, deliver, days=4)
    _land(workspace, shop, deliver, row(1, amount="9999"))
    assert validate(workspace, shop, KEY).passed


def test_a_portfolio_may_ask_for_more_before_anything_is_learned(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    _history(workspace, shop, deliver)
    _land(workspace, shop, deliver, row(1, amount="10"))
    assert not validate(workspace, shop, KEY).passed
    patient = shop.model_copy(update={"validation": shop.validation.model_copy(update={"learn_after": 7})})
    assert validate(workspace, patient, KEY).passed


def test_one_large_payment_is_no_error(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    _history(workspace, shop, deliver)
    _land(workspace, shop, deliver, *[row(n, amount="10") for n in range(4)], row(9, amount="9999"))
    assert validate(workspace, shop, KEY).passed


def test_later_partitions_do_not_count(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    _history(workspace, shop, deliver)
    _land(workspace, shop, deliver, row(1, "2026-02-09T10:00:00Z", amount="9999"))
    assert validate(workspace, shop, "2026-02-09").passed


def test_a_partition_without_rows_fails(workspace: Workspace, shop: Portfolio) -> None:
    outcome = validate(workspace, shop, KEY)
    assert outcome.failures == ["partition: expected rows; observed no file brought any"]
    assert outcome.report is not None


def test_a_wrong_column_in_the_configuration(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = make_portfolio(validation={"maximum_missing": {"customer_name": 0.5}})
    _land(workspace, portfolio, deliver, row(1))
    with pytest.raises(ConfigurationError, match="maximum_missing"):
        validate(workspace, portfolio, KEY)


def test_the_page_loads_nothing_and_escapes_everything(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = make_portfolio(title="<script>alert(1)</script>", validation={"minimum_rows": 9})
    _land(workspace, portfolio, deliver, row(1))
    outcome = validate(workspace, portfolio, KEY)
    page = _page(workspace, outcome)
    assert "<script" not in page
    assert not re.search(r"""(src|href)=|url\(|https?://|@import""", page)
    assert "expected at least 9 rows; observed 1 row" in page
    assert "Jo Doe" not in page
    assert "c1" not in page


def test_publishing_makes_the_rows_visible_and_records_it(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, database_url: str
) -> None:
    ws = Workspace(**{**vars(workspace), "database_url": database_url})
    _land(ws, shop, deliver, row(1), row(2, amount="x"))
    first = publish(ws, shop, KEY, actor="anna")
    again = publish(ws, shop, KEY, actor="anna")
    assert (first.rows, first.changed, again.changed) == (1, True, False)
    assert ws.store.staged("transactions", "shop", KEY) is None
    _land(ws, shop, deliver, row(3), name="late.csv")
    second = publish(ws, shop, KEY, actor="service:ingest")
    with ws.transaction() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.number)).all()
        assert list(ledger.verify(session, ws.ledger_key)) == []
    assert [entry.subject for entry in entries] == [f"shop/transactions/{KEY}"] * 2
    assert entries[0].details["quarantined"] == 1
    assert entries[0].details["before"] is None
    assert entries[1].details["before"] == entries[0].details["after"] == first.data_digest
    assert entries[1].details["after"] == second.data_digest
    assert len(entries[1].details["files"]) == 2


def test_a_commit_that_failed_is_made_up_for(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, database_url: str
) -> None:
    ws = Workspace(**{**vars(workspace), "database_url": database_url})
    _land(ws, shop, deliver, row(1))
    staged = ws.store.staged("transactions", "shop", KEY)
    assert staged is not None
    ws.store.publish(staged)
    assert not publish(ws, shop, KEY, actor="service:ingest").changed
    with ws.transaction() as session:
        assert [entry.action for entry in session.scalars(select(LedgerEntry))] == ["ingested"]


def test_publishing_what_is_not_there(workspace: Workspace, shop: Portfolio) -> None:
    with pytest.raises(MissingPartitionError):
        publish(workspace, shop, KEY, actor="service:test")


def test_the_usual_range_is_never_tight() -> None:
    assert usual_range([100, 101, 99, 100, 100], 6) == (50, 150)
    low, high = usual_range([100, 200, 300, 400, 500], 6)
    assert low < 0 < 1000 < high


def _wide_portfolio(columns: int) -> Portfolio:
    numbers = {f"V{n}": {"role": "number", "minimum": 0} for n in range(columns)}
    return make_portfolio(columns={**COLUMNS, **numbers}, validation={"maximum_missing": {"V7": 0.2}})


def test_a_failure_among_hundreds_of_columns_is_named_and_shown_first(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = _wide_portfolio(400)
    values = {f"V{n}": "1" for n in range(400)}
    header = ",".join([HEADER, *values])
    rows = [row(1, **values), row(2, **{**values, "V7": ""})]
    land_paths(workspace, portfolio, deliver("tx.csv", *rows, header=header))
    outcome = validate(workspace, portfolio, KEY)
    assert outcome.failures == ["V7: expected at most 20 % missing; observed 50 % missing"]
    assert outcome.checks > 800
    page = _page(workspace, outcome)
    folded = re.findall(r"<summary>(\w+) to (\w+): (\d+) columns", page)
    assert ("V8", "V57", "50") in folded
    # Nothing is lost by folding, and the column that fails is in no fold.
    assert sum(int(count) for _, _, count in folded) == 399 + 9
    assert page.count('class="failed"') == 1
    assert not re.search(r"<details>(?:(?!</details>).)*V7<", page, re.DOTALL)


def test_the_page_of_a_narrow_table_folds_nothing(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    _land(workspace, shop, deliver, row(1))
    assert "<details>" not in _page(workspace, validate(workspace, shop, KEY))


def test_what_could_not_be_measured_does_not_hold() -> None:
    checks = [
        Check("a", "at most 1", "nothing", math.nan, most=1),
        Check("b", "at least 1", "1", 1, least=1),
        Check("c", "text", "numbers", stored="double", prescribed="string"),
        Check("d", "at least 1 and at most 2", "3", 3, least=1, most=2),
        Check("e", "at least 1", "0", 0, least=1),
    ]
    assert judge(checks) == {0, 2, 3, 4}


def test_a_partition_without_one_of_its_columns_fails(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    _land(workspace, shop, deliver, row(1))
    staged = workspace.store.staged("transactions", "shop", KEY)
    assert staged is not None
    rows = workspace.store.read(staged).drop_columns(["distance"])
    rows = rows.set_column(rows.column_names.index("channel"), "channel", pa.array([1.0]))
    workspace.store.stage("transactions", "shop", KEY, rows, config=staged.config, facts=staged.facts)
    failures = validate(workspace, shop, KEY).failures
    assert failures[0].startswith("partition: expected the 9 columns of the portfolio, in their order; observed 8")
    assert failures[1:] == [
        "channel: expected text; observed numbers",
        "distance: expected numbers; observed nothing",
    ]


@pytest.mark.parametrize(
    ("column", "value", "sentence"),
    [
        ("transaction_id", "1", "transaction_id: expected no id twice; observed 2 rows with an id that repeats"),
        ("amount", -1.0, "amount: expected at least 0 and at most 10000; observed 1 row outside"),
        ("customer_id", None, "customer_id: expected a value in every row; observed 1 row without one"),
        (
            "event_time",
            datetime(2026, 3, 6, tzinfo=UTC),
            "event_time: expected from 2026-03-05 00:00 to before 2026-03-06 00:00 UTC; observed 1 row outside",
        ),
    ],
)
def test_what_landing_would_never_let_through(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, column: str, value: Any, sentence: str
) -> None:
    _land(workspace, shop, deliver, row(1), row(2))
    staged = workspace.store.staged("transactions", "shop", KEY)
    assert staged is not None
    rows = workspace.store.read(staged)
    changed = pa.array([rows[column][0].as_py(), value], rows[column].type)
    rows = rows.set_column(rows.column_names.index(column), column, changed)
    workspace.store.stage("transactions", "shop", KEY, rows, config=staged.config, facts=staged.facts)
    assert validate(workspace, shop, KEY).failures == [sentence]


def _page(ws: Workspace, outcome: ValidationOutcome) -> str:
    assert outcome.report is not None
    return ws.store.root.joinpath(outcome.report).read_text(encoding="utf-8")
