from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
from fraudops.labels import known_frauds, matured, reports
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

US = pa.timestamp("us", tz="UTC")


def _moment(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def _arrived(ws: Workspace, key: str, known_at: datetime, labels: dict[str, bool]) -> None:
    n = len(labels)
    table = pa.table(
        {
            "transaction_id": pa.array(list(labels), pa.string()),
            "label": pa.array(list(labels.values()), pa.bool_()),
            "reported_at": pa.array([known_at - timedelta(hours=3)] * n, US),
            "known_at": pa.array([known_at] * n, US),
        }
    )
    ws.store.write("labels", "cards", key, table, config="c")


def test_a_report_counts_from_the_end_of_the_day_it_arrived(
    workspace: Workspace, portfolios: dict[str, Portfolio]
) -> None:
    cards = portfolios["cards"]
    _arrived(workspace, "2026-03-05", _moment(6), {"t1": True})
    _arrived(workspace, "2026-03-08", _moment(9), {"t1": False, "t2": True})
    frame = pd.DataFrame(
        {
            "transaction_id": ["t1", "t2", "t3", "t4"],
            "event_time": pd.to_datetime([_moment(1), _moment(1), _moment(1), _moment(8)]).as_unit("us"),
        }
    )

    def labels(as_of: datetime) -> list[object]:
        known = reports(workspace, cards, as_of=as_of)
        found = matured(frame, known, delay=cards.labels.delay, as_of=as_of)
        return [None if pd.isna(value) else bool(value) for value in found]

    assert labels(_moment(5, 23)) == [None, None, None, None]
    assert labels(_moment(6)) == [True, None, None, None]
    assert labels(_moment(8)) == [True, False, False, None], "after a week without a report: genuine"
    assert labels(_moment(9)) == [False, True, False, None], "a late report and a correction"
    assert labels(_moment(20)) == [False, True, False, False]


def test_a_label_in_the_file_is_known_after_the_delay(workspace: Workspace, portfolios: dict[str, Portfolio]) -> None:
    handbook = portfolios["handbook"]
    table = pa.table(
        {
            "transaction_id": ["t1", "t2", "t3"],
            "event_time": pa.array([_moment(1, 5), _moment(1, 6), _moment(1, 7)], US),
            "label": pa.array([True, False, None], pa.bool_()),
        }
    )
    workspace.store.write("transactions", "handbook", "2026-03-01", table, config="c")
    early = reports(workspace, handbook, as_of=_moment(8, 4))
    assert early.empty
    as_of = _moment(8, 8)
    known = reports(workspace, handbook, as_of=as_of)
    found = matured(table.to_pandas(), known, delay=handbook.labels.delay, as_of=as_of)
    assert found.tolist()[:2] == [True, False]
    assert found.isna().tolist() == [False, False, True], "an empty label stays unknown"


def test_a_report_that_was_taken_back_is_no_known_fraud(workspace: Workspace, portfolios: dict[str, Portfolio]) -> None:
    cards = portfolios["cards"]
    _arrived(workspace, "2026-03-05", _moment(6), {"t2": True, "t1": True})
    _arrived(workspace, "2026-03-08", _moment(9), {"t1": False})
    assert known_frauds(workspace, cards, as_of=_moment(6)) == ["t1", "t2"]
    assert known_frauds(workspace, cards, as_of=_moment(9)) == ["t2"]
