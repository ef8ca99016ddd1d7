"""Partitions of other lengths than a day: when ingest runs, for which key, and what the key starts."""

from __future__ import annotations

from typing import Any

import pytest
from fraudops.portfolio import Portfolio

from tests.intake.conftest import make_portfolio


def _timetable(dag: Any) -> Any:
    """A DAG's timetable as the scheduler gets it."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable


def _first_runs(portfolio: Portfolio) -> list[tuple[str, str]]:
    """Moment and key of the first two runs from Sunday, 2026-03-01 on."""
    import pendulum
    from airflow.timetables.base import TimeRestriction
    from fraudops_airflow.ingest import build_ingest

    timetable = _timetable(build_ingest(portfolio))
    ever = TimeRestriction(pendulum.datetime(2026, 3, 1, 12), None, catchup=True)
    first = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=ever)
    second = timetable.next_dagrun_info_v2(last_dagrun_info=first, restriction=ever)
    return [(run.run_after.isoformat()[:16], run.partition_key) for run in (first, second)]


@pytest.mark.parametrize(
    ("hours", "runs"),
    [
        (168, [("2026-03-02T00:00", "2026-02-23"), ("2026-03-09T00:00", "2026-03-02")]),
        (24, [("2026-03-02T00:00", "2026-03-01"), ("2026-03-03T00:00", "2026-03-02")]),
        (6, [("2026-03-01T12:00", "2026-03-01T06"), ("2026-03-01T18:00", "2026-03-01T12")]),
    ],
)
def test_ingest_runs_when_a_partition_is_over_and_for_that_one(hours: int, runs: list[tuple[str, str]]) -> None:
    portfolio = make_portfolio(partition_hours=hours)
    assert _first_runs(portfolio) == runs
    # The run's key is one that the library knows, and its partition ends when the run starts.
    for moment, key in runs:
        assert portfolio.partitioning.end(key).isoformat()[:16] == moment


@pytest.mark.parametrize(("hours", "key"), [(168, "2026-03-02"), (24, "2026-03-05"), (6, "2026-03-05T06")])
def test_a_published_partition_starts_score_with_its_own_key(hours: int, key: str) -> None:
    from fraudops_airflow.score import build_score

    portfolio = make_portfolio(partition_hours=hours)
    mapper = _timetable(build_score(portfolio)).default_partition_mapper
    assert mapper.to_downstream(key) == key
    assert mapper.to_partition_date(key) == portfolio.partitioning.start(key)
    with pytest.raises(ValueError, match="does not match format"):
        mapper.to_downstream("the fifth of March")
