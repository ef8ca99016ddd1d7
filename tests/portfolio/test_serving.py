from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fraudops.decisions import scoring
from fraudops.features import partitions
from fraudops.intake.feeds import partition_config
from fraudops.portfolio import Portfolio, PortfolioError, Serving, load_portfolio
from fraudops.training import dataset
from pydantic import ValidationError

from tests.intake.conftest import make_portfolio, without_ids

ON = {"enabled": True}


def test_nothing_is_scored_at_once_unless_somebody_says_so(portfolios: dict[str, Portfolio]) -> None:
    assert make_portfolio().serving == Serving(enabled=False, collect=True, without_database="answer")
    assert [name for name, portfolio in sorted(portfolios.items()) if portfolio.serving.enabled] == ["cards"]


def test_no_partition_depends_on_it() -> None:
    off, on = make_portfolio(), make_portfolio(serving=ON)
    for digest in (scoring.config_of, partitions.config_of, lambda p: p.digest_of(*dataset.SECTIONS)):
        assert digest(off) == digest(on)
    assert partition_config(off, "transactions") == partition_config(on, "transactions")


def test_what_was_decided_at_once_must_be_found_in_its_partition() -> None:
    with pytest.raises(ValidationError, match=r"serving.enabled: no column has role 'id'"):
        without_ids(serving=ON)


@pytest.mark.parametrize("serving", [{}, {"enabled": False}])
def test_without_ids_nothing_is_scored_at_once(serving: dict[str, Any]) -> None:
    assert not without_ids(serving=serving).serving.enabled


def test_a_label_is_not_known_at_once() -> None:
    columns = make_portfolio().model_dump(mode="json", exclude_defaults=True)["columns"]
    mine: dict[str, Any] = {"columns": {**columns, "fraud": {"role": "label"}}, "labels": {"delay": "7d"}}
    with pytest.raises(ValidationError, match=r"serving.collect: .* the label, which nobody knows"):
        make_portfolio(**mine, serving=ON)
    assert make_portfolio(**mine, serving={**ON, "collect": False}).serving.enabled


def test_the_name_of_our_own_source_is_taken() -> None:
    source = {"name": "online", "path": "tx_{key}.csv"}
    with pytest.raises(ValidationError, match=r"transactions\[0\].name: 'online' is the source"):
        make_portfolio(transactions=source, serving=ON)
    assert make_portfolio(transactions=source).transactions[0].name == "online"


@pytest.mark.parametrize(
    ("serving", "needed"),
    [
        ({}, False),
        (ON, True),
        ({**ON, "collect": False}, True),
        ({**ON, "collect": False, "without_database": "refuse"}, False),
    ],
)
def test_rows_as_received_are_kept_only_encrypted(serving: dict[str, Any], needed: bool) -> None:
    assert make_portfolio(serving=serving).serving.needs_protection is needed


def test_every_mistake_has_its_line(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "include" / "portfolios" / "ulb.yaml").read_text()
    path = tmp_path / "ulb.yaml"
    path.write_text(text + "\nserving: {enabled: true}\n")
    with pytest.raises(PortfolioError) as error:
        load_portfolio(path)
    assert {problem.key for problem in error.value.problems} == {"serving.enabled", "serving.collect"}
    assert all(problem.line for problem in error.value.problems)
