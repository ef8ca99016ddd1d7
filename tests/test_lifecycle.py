"""The whole path with the library alone, from simulated files to queued notices, on a small world."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from fraudops.database import Alert, LedgerEntry, Notice
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.pending import partition_states, pending_keys
from fraudops.decisions.scoring import score, score_many
from fraudops.features import build
from fraudops.intake.files import find_files
from fraudops.intake.landing import land
from fraudops.intake.simulation import World, write_day, write_history
from fraudops.intake.validation import publish, validate
from fraudops.ledger import verify
from fraudops.portfolio import Candidate, Portfolio
from fraudops.registry.candidates import train
from fraudops.registry.comparison import compare
from fraudops.registry.promotion import promote
from fraudops.reports.training import write_training_report
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.training.dataset import assemble
from fraudops.workspace import Workspace
from sqlalchemy import func, select

from tests.databases import with_tables

START = date(2026, 3, 1)
HISTORY, LIVE = 45, 3
RUN = "manual__2026-05-01T00:00:00+00:00"


@dataclass(frozen=True)
class Lived:
    """A workspace in which everything has happened once."""

    ws: Workspace
    portfolio: Portfolio
    live: list[str]


def _day(number: int) -> date:
    return START + timedelta(days=number)


def _ingest(ws: Workspace, portfolio: Portfolio, key: str) -> None:
    land(ws, portfolio, find_files(ws, portfolio, key), first=key, last=key)
    outcome = validate(ws, portfolio, key)
    assert outcome.passed, outcome.failures
    publish(ws, portfolio, key, actor="service:test")


def _work(ws: Workspace, portfolio: Portfolio, key: str) -> None:
    build(ws, portfolio, [key])
    score(ws, portfolio, key)
    raise_alerts(ws, portfolio, key, actor="service:test")


@pytest.fixture(scope="module")
def lived(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, portfolios: dict[str, Portfolio]) -> Lived:
    folder = tmp_path_factory.mktemp("lifecycle")
    ws = Workspace(
        store=Store(folder / "store"),
        landing=folder / "landing",
        database_url=with_tables(postgres, "lifecycle"),
        token_key=b"t" * 32,
        ledger_key=b"l" * 32,
    )
    cards = portfolios["cards"]
    training = cards.training.model_copy(
        update={
            "minimum_positives": 10,
            "candidates": {
                "logistic_regression": Candidate(estimator="logistic_regression"),
                "random_forest": Candidate(
                    estimator="random_forest", parameters={"n_estimators": 30, "min_samples_leaf": 3}
                ),
            },
        }
    )
    cards = cards.model_copy(update={"training": training})
    landing = ws.landing / "cards"
    landing.mkdir(parents=True)
    world = World(seed=5, start=START, payments_per_day=900)
    write_history(landing, world, START, _day(HISTORY - 1))
    landed = land(ws, cards, find_files(ws, cards))
    for key in sorted(landed.keys):
        assert validate(ws, cards, key).passed
        publish(ws, cards, key, actor="service:test")
    build(ws, cards, landed.keys)
    as_of = cards.partitioning.end(max(landed.keys))
    assemble(ws, cards, run_id=RUN, as_of=as_of)
    for name in training.candidates:
        train(ws, cards, run_id=RUN, candidate=name)
    verdict = compare(ws, cards, run_id=RUN, as_of=as_of)
    assert verdict.outcome == "PROMOTE", verdict.reason
    write_training_report(ws, cards, run_id=RUN)
    promote(ws, cards, run_id=RUN, approved_by="validator", reason="it beats the floor")
    waiting = pending_keys(ws, cards)
    score_many(ws, cards, waiting)
    for key in waiting:
        raise_alerts(ws, cards, key, actor="service:test")
    live = [_day(HISTORY + n).isoformat() for n in range(LIVE)]
    for key in live:
        write_day(landing, world, date.fromisoformat(key))
        _ingest(ws, cards, key)
        _work(ws, cards, key)
    return Lived(ws, cards, live)


def _counts(ws: Workspace) -> tuple[int, int]:
    with ws.transaction() as session:
        alerts = session.scalar(select(func.count()).select_from(Alert)) or 0
        return alerts, session.scalar(select(func.count()).select_from(Notice)) or 0


def _bytes(ws: Workspace) -> dict[str, bytes]:
    root = Path(ws.store.root)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_alerts_were_raised_and_notices_wait(lived: Lived) -> None:
    alerts, notices = _counts(lived.ws)
    assert alerts > 0
    assert notices > 0


def test_every_partition_is_accounted_for(lived: Lived) -> None:
    states = partition_states(lived.ws, lived.portfolio)
    assert len(states) == HISTORY + LIVE
    assert {states[key] for key in lived.live} == {"scored"}
    assert set(states.values()) == {"history", "scored"}
    assert pending_keys(lived.ws, lived.portfolio) == []


def test_living_a_day_again_changes_no_byte_and_says_nothing_twice(lived: Lived) -> None:
    before, counts = _bytes(lived.ws), _counts(lived.ws)
    for key in reversed(lived.live):
        _ingest(lived.ws, lived.portfolio, key)
        _work(lived.ws, lived.portfolio, key)
    assert _bytes(lived.ws) == before
    assert _counts(lived.ws) == counts


def test_a_day_that_came_late_makes_the_days_after_it_stale(lived: Lived) -> None:
    ws, cards = lived.ws, lived.portfolio
    first, *later = lived.live
    published = ws.store.require("transactions", "cards", first)
    rows = ws.store.read(published)
    ws.store.write("transactions", "cards", first, rows.slice(1), config=published.config)
    try:
        states = partition_states(ws, cards)
        assert {key for key, state in states.items() if state == "stale"} == {first, *later}
    finally:
        ws.store.publish(published)
    assert "stale" not in partition_states(ws, cards).values()


def test_the_ledger_tells_the_story_and_verifies(lived: Lived) -> None:
    with lived.ws.transaction() as session:
        actions = set(session.scalars(select(LedgerEntry.action)))
        assert list(verify(session, lived.ws.ledger_key)) == []
    assert {"ingested", "trained", "verdict", "promoted", "scored", "alerts_raised"} <= actions


def test_no_card_number_and_no_name_leaves_the_protected_area(lived: Lived) -> None:
    import pyarrow.csv as pv
    import pyarrow.parquet as pq

    numbers: set[str] = set()
    names: set[str] = set()
    for file in (lived.ws.landing / "cards").glob("transactions_*"):
        columns = ["card_number", "customer_name"]
        options = pv.ConvertOptions(column_types={"card_number": "string"}, include_columns=columns)
        table = pv.read_csv(file, convert_options=options)
        numbers |= set(table["card_number"].to_pylist()) - {None, ""}
        names |= set(table["customer_name"].to_pylist()) - {None, ""}
    assert len(numbers) > 50
    root = Path(lived.ws.store.root)
    for path in root.rglob("*.parquet"):
        if path.relative_to(root).parts[0] == "protected":
            continue
        table = pq.read_table(path)
        for name in table.column_names:
            if str(table.schema.field(name).type) == "string":
                values = set(table[name].to_pylist())
                assert not values & numbers, f"{path}: {name} holds a card number"
                assert not values & names, f"{path}: {name} holds a name"
    for path in root.rglob("*"):
        if path.suffix in {".json", ".html"} and path.relative_to(root).parts[0] != "protected":
            text = path.read_text(encoding="utf-8")
            assert not any(number in text for number in numbers), path
            assert not any(name in text for name in names), path
    with lived.ws.transaction() as session:
        for notice in session.scalars(select(Notice)):
            text = notice.subject + notice.text + notice.html
            assert not any(number in text for number in numbers)
            assert not any(name in text for name in names)
