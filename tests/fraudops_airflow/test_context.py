from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio
from fraudops_airflow.context import BACKFILLED, actor, is_backfilled, moment, requested_partition


def _run(key: str | None, user: str | None = None) -> Any:
    now = datetime(2026, 3, 20, 12, tzinfo=UTC)
    return SimpleNamespace(
        dag_id="cards_ingest", partition_key=key, triggering_user_name=user, run_type="manual", run_after=now
    )


def test_the_partition_comes_from_the_run_or_from_the_form(portfolios: dict[str, Portfolio]) -> None:
    cards = portfolios["cards"]
    assert requested_partition(cards, _run("2026-03-05"), {"partition": None}) == "2026-03-05"
    assert requested_partition(cards, _run(None), {"partition": "2026-03-05"}) == "2026-03-05"
    assert requested_partition(cards, _run("2026-03-05"), {"partition": "2026-03-05"}) == "2026-03-05"


@pytest.mark.parametrize(
    ("key", "form", "message"),
    [
        (None, None, "no partition was given"),
        ("2026-03-05", "2026-03-06", "two partitions were given"),
        (None, "05.03.2026", "does not look like"),
        (None, "2026-3-5", "2026-03-05"),
        (None, "2026-03-20", "not over yet"),
        ("2030-01-01", None, "not over yet"),
    ],
)
def test_a_run_without_a_usable_partition_says_what_to_give(
    portfolios: dict[str, Portfolio], key: str | None, form: str | None, message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        requested_partition(portfolios["cards"], _run(key), {"partition": form})


def test_who_is_answerable() -> None:
    assert actor(_run(None, "maria")) == "maria"
    assert actor(_run("2026-03-05")) == "service:cards_ingest"


def test_moments(portfolios: dict[str, Portfolio]) -> None:
    cards = portfolios["cards"]
    assert moment(cards, None) is None
    assert moment(cards, "2026-03-05") == datetime(2026, 3, 6, tzinfo=UTC), "a partition stands for its end"
    assert moment(cards, "2026-03-05T12:00:00") == datetime(2026, 3, 5, 12, tzinfo=UTC)
    with pytest.raises(ContractError, match="neither a moment nor a partition"):
        moment(cards, "next week")


def test_what_follows_from_a_backfill_knows_it() -> None:
    asked = SimpleNamespace(run_type="backfill")
    followed = SimpleNamespace(run_type="asset_triggered")
    assert is_backfilled(asked, None)
    assert not is_backfilled(followed, None)
    for extra, expected in (({BACKFILLED: True}, True), ({BACKFILLED: False}, False), ({}, False), (None, False)):
        assert is_backfilled(followed, {"asset": [SimpleNamespace(extra=extra)]}) is expected
