"""Several sources feed one portfolio: each file is read in its source's way, and what is stored is the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fraudops.errors import ContractError
from fraudops.intake.feeds import file_config, partition_config, transactions_feed
from fraudops.intake.files import find_files, named_files
from fraudops.intake.landing import land
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

from .conftest import make_portfolio, quarantined, snapshot, staged_rows

Deliver = Callable[..., Path]

FIRST = {"path": "creditcard*.csv", "columns": {"event_time": "Time", "amount": "Amount", "label": "Class"}}
LATER = {
    "name": "later",
    "path": "new_transactions*.csv",
    "delimiter": ";",
    "columns": {
        "event_time": {"name": "seconds", "origin": "2026-03-06T00:00:00Z"},
        "amount": "transaction_amount",
        "label": {"name": "fraud_label", "positive": ["fraud"], "negative": ["ok"]},
        "V1": "component_1",
    },
}
COLUMNS = {
    "event_time": {"role": "time", "origin": "2026-03-05T00:00:00Z"},
    "amount": {"role": "amount"},
    "V1": {"role": "number"},
    "label": {"role": "label", "positive": ["1"]},
}


def two_sources(**changes: Any) -> Portfolio:
    content = {"transactions": [FIRST, LATER], "columns": COLUMNS, "labels": {"delay": "0d"}}
    return make_portfolio(**{**content, **changes})


@pytest.fixture
def both(deliver: Deliver) -> list[Path]:
    return [
        deliver("creditcard.csv", "10,1.50,0.5,1", "20,2.50,-1,0", header="Time,Amount,V1,Class"),
        deliver(
            "new_transactions.csv", "0.25;7.5;ok;10", "3;1;fraud;20", "3;1;maybe;30",
            header="component_1;transaction_amount;fraud_label;seconds",
        ),
    ]  # fmt: skip


def test_two_files_with_other_column_names(workspace: Workspace, both: list[Path]) -> None:
    portfolio = two_sources()
    result = land(workspace, portfolio, find_files(workspace, portfolio))
    assert (result.keys, result.rows_accepted) == (["2026-03-05", "2026-03-06"], 4)
    first, second = staged_rows(workspace, "2026-03-05"), staged_rows(workspace, "2026-03-06")
    assert list(first[0]) == list(second[0])
    assert [(row["amount"], row["V1"], row["label"]) for row in first] == [(1.5, 0.5, True), (2.5, -1.0, False)]
    assert [(row["amount"], row["V1"], row["label"]) for row in second] == [(7.5, 0.25, False), (1.0, 3.0, True)]
    (item,) = quarantined(workspace)
    assert (item["file"], item["line"], item["column"], item["reason"]) == (
        "new_transactions.csv", 4, "fraud_label", "not a label",
    )  # fmt: skip
    assert '"transaction_amount": "1"' in item["raw"]


def test_a_second_source_leaves_what_the_first_brought_alone(workspace: Workspace, both: list[Path]) -> None:
    alone = make_portfolio(transactions=FIRST, columns=COLUMNS, labels={"delay": "0d"})
    land(workspace, alone, named_files(workspace, alone, "creditcard.csv"))
    before = snapshot(workspace)
    together = two_sources()
    result = land(workspace, together, find_files(workspace, together))
    assert result.changed_keys == ["2026-03-06"]
    assert {name: content for name, content in snapshot(workspace).items() if name in before} == before


def test_only_what_says_how_a_row_is_read_is_configuration_of_a_file(workspace: Workspace) -> None:
    one, other = two_sources(), two_sources(transactions=[{**FIRST, "path": "elsewhere*.csv"}, LATER])
    changed = two_sources(transactions=[{**FIRST, "decimal": ","}, LATER])
    digests = [file_config(p, transactions_feed(p)) for p in (one, other, changed)]
    assert digests[0] == digests[1] != digests[2]
    assert len({partition_config(p, "transactions") for p in (one, other, changed)}) == 1


def test_a_file_of_any_name_belongs_to_the_source_whose_columns_it_has(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = two_sources()
    deliver("march.csv", "3;1;fraud;20", header="component_1;transaction_amount;fraud_label;seconds")
    result = land(workspace, portfolio, named_files(workspace, portfolio, "march.csv"))
    assert (result.keys, result.rows_accepted) == (["2026-03-06"], 1)


def test_a_file_that_fits_no_source_is_refused(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = two_sources()
    deliver("other.csv", "1,2", header="a,b")
    with pytest.raises(ContractError, match="fits none of the sources main, later") as error:
        land(workspace, portfolio, named_files(workspace, portfolio, "other.csv"))
    assert "creditcard*.csv" in str(error.value.remedy)
    deliver("creditcard_2.csv", "1,2", header="a,b")
    with pytest.raises(ContractError, match="no column 'Time'"):
        land(workspace, portfolio, named_files(workspace, portfolio, "creditcard_2.csv"))


def test_an_entity_and_a_moment_of_several_columns(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = make_portfolio(
        transactions={"path": "*.csv", "columns": {"spent": "Amount", "year": "Year"}, "missing": ["NA"]},
        columns={
            "when": {
                "role": "time",
                "parts": {"year": "year", "month": "Month", "day": "Day", "time": "Time"},
            },
            "card": {"role": "entity", "join": ["User", "Card"]},
            "User": {"role": "entity"},
            "spent": {"role": "amount"},
            "errors": {"role": "category"},
            "label": {"role": "label"},
        },
        labels={"delay": "1d"},
    )
    header = "User,Card,Year,Month,Day,Time,Amount,errors,label"
    path = deliver("a.csv", "0,3,2002,9,1,06:21,$134.09,NA,No", "0,3,2002,9,31,06:21,$1,NA,Yes", header=header)
    land(workspace, portfolio, named_files(workspace, portfolio, path.name))
    (row,) = staged_rows(workspace, "2002-09-01")
    assert f"{row['event_time']:%Y-%m-%d %H:%M}" == "2002-09-01 06:21"
    assert (row["card"], row["User"], row["amount_minor"], row["errors"]) == ("0|3", "0", 13409, None)
    (item,) = quarantined(workspace)
    assert (item["column"], item["reason"]) == ("Year + Month + Day + Time", "not a date")
    assert '"Card": "3"' in item["raw"]


def test_rows_without_a_time_or_an_amount(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = make_portfolio(
        transactions={"path": "*.csv"},
        columns={
            "when": {"role": "time", "origin": "2026-03-05T00:00:00Z", "rows_per_day": 2},
            "kind": {"role": "category"},
            "label": {"role": "label"},
        },
        labels={"delay": "0d"},
    )
    path = deliver("a.csv", "x,0", "x,0", "y,1", header="kind,label")
    result = land(workspace, portfolio, named_files(workspace, portfolio, path.name))
    assert result.keys == ["2026-03-05", "2026-03-06"]
    assert list(staged_rows(workspace)[0]) == ["transaction_id", "event_time", "kind", "label"]
    assert len(staged_rows(workspace)) == 2
