"""Chargebacks and dispositions are kept apart, and each says what it may say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from fraudops.errors import ContractError
from fraudops.intake.files import FeedFiles, named_files
from fraudops.intake.landing import land
from fraudops.intake.quarantine import held_files
from fraudops.labels import matured, reports
from fraudops.labels.history import feed_counts, history_of, immature_rows
from fraudops.labels.origins import LabelOrigins, changed_since, origins
from fraudops.labels.selective import label_weights
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

US = pa.timestamp("us", tz="UTC")
T1 = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGED = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


def said(
    ws: Workspace, day: int, *, chargebacks: dict[str, bool] | None = None, found: dict[str, str] | None = None
) -> None:
    """What arrived on a day of March 2026."""
    key, known_at = f"2026-03-{day:02d}", datetime(2026, 3, day, tzinfo=UTC) + timedelta(days=1)
    feeds: tuple[tuple[str, dict[str, pa.Array]], ...] = (
        ("labels", {"label": pa.array(list((chargebacks or {}).values()), pa.bool_())}),
        (
            "dispositions",
            {
                "finding": pa.array(list((found or {}).values()), pa.string()),
                "by": pa.array(["ann"] * len(found or {}), pa.string()),
            },
        ),
    )
    for (dataset, columns), ids in zip(feeds, (chargebacks, found), strict=True):
        if ids:
            moments = [known_at - timedelta(hours=3)] * len(ids)
            table = pa.table(
                {
                    "transaction_id": pa.array(list(ids), pa.string()),
                    **columns,
                    "reported_at": pa.array(moments, US),
                    "known_at": pa.array([known_at] * len(ids), US),
                }
            )
            ws.store.write(dataset, "cards", key, table, config="c")


def label(ws: Workspace, cards: Portfolio, as_of: datetime, name: str = "t1") -> bool | None:
    frame = pd.DataFrame({"transaction_id": [name], "event_time": pd.to_datetime([T1]).as_unit("us")})
    (value,) = matured(frame, reports(ws, cards, as_of=as_of), delay=cards.labels.delay, as_of=as_of)
    return None if pd.isna(value) else bool(value)


def on(day: int) -> datetime:
    return datetime(2026, 3, day, tzinfo=UTC)


def test_a_fraud_that_was_found_is_known_from_the_end_of_that_day(workspace: Workspace, cards: Portfolio) -> None:
    said(workspace, 2, found={"t1": "fraud"})
    assert label(workspace, cards, on(3) - timedelta(microseconds=1)) is None
    assert label(workspace, cards, on(3)) is True
    assert label(workspace, cards, AGED) is True


@pytest.mark.parametrize("finding", ["not_fraud", "insufficient"])
def test_what_is_not_found_to_be_fraud_matures_with_time_alone(
    workspace: Workspace, cards: Portfolio, finding: str
) -> None:
    said(workspace, 2, found={"t1": finding})
    matures = T1 + cards.labels.delay
    assert label(workspace, cards, matures - timedelta(microseconds=1)) is None
    assert label(workspace, cards, matures) is False


@pytest.mark.parametrize("finding", ["not_fraud", "insufficient"])
def test_a_finding_is_taken_back_by_a_later_one(workspace: Workspace, cards: Portfolio, finding: str) -> None:
    said(workspace, 2, found={"t1": "fraud"})
    said(workspace, 4, found={"t1": finding})
    assert label(workspace, cards, on(4)) is True
    assert label(workspace, cards, on(5)) is None
    assert label(workspace, cards, AGED) is False


def test_a_chargeback_wins_over_dispositions_before_and_after_it(workspace: Workspace, cards: Portfolio) -> None:
    said(workspace, 2, found={"t1": "not_fraud", "t2": "fraud"})
    said(workspace, 4, chargebacks={"t1": True, "t2": False})
    said(workspace, 6, found={"t1": "not_fraud", "t2": "fraud"})
    assert [label(workspace, cards, on(4), name) for name in ("t1", "t2")] == [None, True]
    assert [label(workspace, cards, AGED, name) for name in ("t1", "t2")] == [True, False]


def test_of_both_on_one_day_the_chargeback_counts(workspace: Workspace, cards: Portfolio) -> None:
    said(workspace, 2, chargebacks={"t1": True}, found={"t1": "not_fraud"})
    assert label(workspace, cards, on(3)) is True
    assert reports(workspace, cards, as_of=on(3))["feed"].tolist() == ["labels"]


def test_findings_count_without_a_feed_too_because_closing_a_case_brings_them(
    workspace: Workspace, cards: Portfolio
) -> None:
    said(workspace, 2, found={"t1": "fraud"})
    without = cards.model_copy(update={"labels": cards.labels.model_copy(update={"dispositions": None})})
    assert reports(workspace, without, as_of=AGED)["feed"].tolist() == ["dispositions"]
    assert without.labels.datasets == ("labels", "dispositions")


def test_what_nobody_could_say_counts_as_not_looked_at(workspace: Workspace, cards: Portfolio) -> None:
    said(workspace, 2, found={"t1": "fraud", "t2": "not_fraud", "t3": "insufficient"})
    labels = cards.labels.model_copy(update={"unreported": "unknown"})
    selective = cards.model_copy(update={"labels": labels})
    frame = pd.DataFrame({"transaction_id": ["t1", "t2", "t3", "t4"]})
    known = reports(workspace, selective, as_of=AGED)
    assert label_weights(workspace, selective, frame, known, []).tolist() == [1, 1, 0, 0]


def test_origins_keep_the_feeds_apart(workspace: Workspace, cards: Portfolio) -> None:
    said(workspace, 2, found={"t1": "fraud", "t2": "fraud", "t3": "insufficient", "t4": "fraud"})
    said(workspace, 4, chargebacks={"t2": True}, found={"t4": "not_fraud"})
    ids = pd.Series(["t1", "t2", "t3", "t4", "t5"])
    known = reports(workspace, cards, as_of=AGED)
    # t3: nobody could say. t4: fraud, then not.
    assert origins(ids, known) == LabelOrigins({"dispositions": 2, "labels": 1}, time=2, corrected=1)


def test_what_arrives_later_is_counted_as_changed_since(workspace: Workspace, cards: Portfolio) -> None:
    said(workspace, 2, found={"t1": "fraud"})
    frame = pd.DataFrame(
        {
            "transaction_id": ["t1", "t2", "t3"],
            "event_time": pd.to_datetime([T1] * 3).as_unit("us"),
            "label": [True, False, False],
        }
    )
    assert changed_since(workspace, cards, frame, "2026-03-01") == 0
    said(workspace, 18, chargebacks={"t1": False, "t2": True, "t3": False})
    assert changed_since(workspace, cards, frame, "2026-03-01") == 2


def test_the_history_of_a_label_says_who_when_before_and_after(workspace: Workspace, cards: Portfolio) -> None:
    said(workspace, 2, found={"t1": "fraud", "other": "fraud"})
    said(workspace, 3, found={"t1": "insufficient"})
    said(workspace, 5, chargebacks={"t1": True})
    said(workspace, 6, found={"t1": "not_fraud"})
    said(workspace, 9, chargebacks={"t1": False})
    told = history_of(workspace, cards, "t1")
    assert [(one.feed, one.by, one.before, one.after) for one in told] == [
        ("dispositions", "ann", "nothing said", "fraud"),
        ("dispositions", "ann", "fraud", "nothing said"),
        ("labels", None, "nothing said", "fraud"),
        ("dispositions", "ann", "fraud", "fraud"),
        ("labels", None, "fraud", "not fraud"),
    ]
    assert [one.known_at for one in told] == [on(3), on(4), on(6), on(7), on(10)]


def test_each_feed_is_counted_by_itself(workspace: Workspace, cards: Portfolio) -> None:
    said(workspace, 2, found={"t1": "fraud", "t2": "insufficient"})
    said(workspace, 4, chargebacks={"t1": True}, found={"t1": "not_fraud"})
    chargebacks, found = feed_counts(workspace, cards, on(5))
    assert (chargebacks.reports, chargebacks.frauds, chargebacks.corrected) == (1, 1, 0)
    assert (found.reports, found.transactions, found.frauds, found.corrected) == (3, 2, 0, 1)
    assert (found.first, found.last) == ("2026-03-02", "2026-03-04")
    early, _ = feed_counts(workspace, cards, on(4))
    assert (early.reports, early.first) == (0, None)


def test_partitions_younger_than_the_delay_are_not_matured(workspace: Workspace, cards: Portfolio) -> None:
    for day in (1, 2, 10):
        rows = pa.table({"transaction_id": ["x"] * day})
        workspace.store.write("transactions", "cards", f"2026-03-{day:02d}", rows, config="c")
    # The first of March is over on the second, and all known a week later.
    assert immature_rows(workspace, cards, on(8)) == 3
    assert immature_rows(workspace, cards, on(9)) == 2
    assert immature_rows(workspace, cards, on(11)) == 10


def test_a_portfolio_without_feeds_says_where_to_look(workspace: Workspace, portfolios: dict[str, Portfolio]) -> None:
    with pytest.raises(ContractError, match="labels come with the transactions' own file"):
        history_of(workspace, portfolios["handbook"], "t1")


# -- the feed itself -------------------------------------------------------------------------------------------

FILE = """transaction_id,reported_at,finding,by
t1,2026-03-02T09:00:00Z,Fraud,ann
t2,2026-03-02T10:00:00Z,not_fraud,bob
t3,2026-03-03T10:00:00Z,maybe,bob
t4,2026-03-03T11:00:00Z,insufficient,
,2026-03-03T12:00:00Z,fraud,bob
"""


def landed(ws: Workspace, cards: Portfolio, name: str, text: str) -> Path:
    folder = ws.landing / "cards"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    files = named_files(ws, cards, name)
    assert files == FeedFiles(dispositions=[folder / name])
    land(ws, cards, files)
    return folder / name


def test_a_file_of_dispositions_is_landed_and_what_cannot_be_used_is_kept(
    workspace: Workspace, cards: Portfolio
) -> None:
    landed(workspace, cards, "dispositions_2026-03-03.csv", FILE)
    assert workspace.store.keys("dispositions", "cards") == ["2026-03-02"]
    rows = workspace.store.read_partition("dispositions", "cards", "2026-03-02").to_pylist()
    assert [(row["transaction_id"], row["finding"], row["by"]) for row in rows] == [
        ("t1", "fraud", "ann"),
        ("t2", "not_fraud", "bob"),
    ]
    assert {row["known_at"] for row in rows} == {on(3)}
    (held,) = held_files(workspace.store, "cards")
    assert set(held.reasons) == {
        "finding: none of fraud, not_fraud, insufficient",
        "by: empty",
        "transaction_id: empty",
    }
    assert workspace.store.keys("labels", "cards") == []


def test_a_corrected_file_adds_and_takes_nothing_away(workspace: Workspace, cards: Portfolio) -> None:
    name = "dispositions_2026-03-02.csv"
    landed(workspace, cards, name, "\n".join(FILE.splitlines()[:2]) + "\n")
    first = workspace.store.require("dispositions", "cards", "2026-03-02").data_digest
    landed(workspace, cards, name, "transaction_id,reported_at,finding,by\nt1,2026-03-02T15:00:00Z,not_fraud,bob\n")
    told = history_of(workspace, cards, "t1")
    assert [(one.by, one.said) for one in told] == [("ann", "fraud"), ("bob", "not fraud")]
    landed(workspace, cards, name, "\n".join(FILE.splitlines()[:2]) + "\n")
    assert len(history_of(workspace, cards, "t1")) == 2
    assert workspace.store.require("dispositions", "cards", "2026-03-02").data_digest != first
