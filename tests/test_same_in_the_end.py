"""Days in their order, backwards, in bulk, twice, overlapping, scored late: in the end the store has the same bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fraudops.database import Alert, Notice
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.historic import tell_historic
from fraudops.decisions.pending import partition_states
from fraudops.decisions.scoring import score
from fraudops.features import build
from fraudops.intake.files import find_files
from fraudops.intake.landing import land
from fraudops.intake.publication import publish
from fraudops.intake.validation import validate
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.databases import with_tables
from tests.decisions.conftest import Bank
from tests.intake.conftest import CARD, HEADER, make_portfolio

DAYS = [(date(2026, 3, 5) + timedelta(days=number)).isoformat() for number in range(6)]
DATASETS = ("transactions", "protected", "lineage", "labels", "features", "scores")
ROWS = 12
SEEDS = range(3)


@dataclass(frozen=True)
class Outcome:
    """What an installation holds when all is done.

    Attributes
    ----------
    partitions
        Path → bytes of each manifest in force and of the data that it names.
    quarantine, validation
        Path → bytes.
    alerts
        Transaction, decision, score.
    told
        Transactions or partitions that notices tell of.
    """

    partitions: dict[str, bytes]
    quarantine: dict[str, bytes]
    validation: dict[str, bytes]
    alerts: set[tuple[str, str, float]]
    notices: set[str]


class Installation(Bank):
    """One way in which the days can come."""

    def ingest(self, *keys: str) -> None:
        """As ``ingest`` does, a day at a time."""
        for key in keys:
            land(self.ws, self.portfolio, find_files(self.ws, self.portfolio, key), first=key, last=key)
            self._publish(key)

    def load(self) -> None:
        """As ``land`` does, all at once."""
        landed = land(self.ws, self.portfolio, find_files(self.ws, self.portfolio))
        for key in sorted(landed.keys):
            self._publish(key, until=max(landed.keys))

    def score(self, *keys: str) -> None:
        """As ``score`` does, a day at a time."""
        for key in keys:
            build(self.ws, self.portfolio, [key])
            score(self.ws, self.portfolio, key)
            raise_alerts(self.ws, self.portfolio, key, actor="service:test")

    def reconcile(self) -> None:
        """What is missing or stale, as ``reconcile`` finds it, and the summary of the past."""
        states = partition_states(self.ws, self.portfolio)
        self.score(*(key for key, state in states.items() if state in ("pending", "stale")))
        tell_historic(self.ws, self.portfolio)

    def outcome(self) -> Outcome:
        """What is there now."""
        assert set(partition_states(self.ws, self.portfolio).values()) == {"scored"}
        store, root = self.ws.store, Path(str(self.ws.store.root))
        partitions = {}
        for dataset in DATASETS:
            for key in store.keys(dataset, self.portfolio.name):
                manifest = store.require(dataset, self.portfolio.name, key)
                folder = root / dataset / f"portfolio={self.portfolio.name}" / f"date={key}"
                for name in ("manifest.json", *(file.name for file in manifest.files)):
                    partitions[f"{dataset}/{key}/{name}"] = (folder / name).read_bytes()
        with self.ws.transaction() as session:
            alerts = {(alert.transaction_id, alert.decision, alert.score) for alert in session.scalars(select(Alert))}
            notices = set(session.scalars(select(Notice.dedupe_key)))
        areas = ({str(p): p.read_bytes() for p in (root / area).rglob("*") if p.is_file()} for area in _AREAS)
        relative = ({str(Path(p).relative_to(root)): content for p, content in area.items()} for area in areas)
        quarantine, validation = relative
        return Outcome(partitions, quarantine, validation, alerts, notices)

    def _publish(self, key: str, until: str | None = None) -> None:
        outcome = validate(self.ws, self.portfolio, key)
        assert outcome.passed, outcome.failures
        publish(self.ws, self.portfolio, key, actor="service:test", until=until)


_AREAS = ("quarantine", "validation")


def _rows(key: str) -> tuple[list[str], list[str]]:
    """A day's payments, one of them unusable and one there twice, and the reports of fraud that arrive on it."""
    chance = random.Random(key)
    start = datetime.fromisoformat(key)
    rows = [
        f"{key}-{n},{(start + timedelta(hours=n + 8)).isoformat()},{chance.choice([9, 25, 60, 700, 950])},"
        f"c{chance.randrange(4)},{CARD},Ada,{chance.choice(['web', 'shop'])},{chance.randrange(50)},true"
        for n in range(ROWS)
    ]
    broken = f"{key}-x,{key}T12:00:00,much,c1,{CARD},Ada,web,1,true"
    before = date.fromisoformat(key) - timedelta(days=2)
    reports = [f"{before}-{n},{key}T10:00:00Z,1" for n in range(0, ROWS, 5)]
    return [HEADER, *rows, broken, rows[3]], ["transaction_id,reported_at,label", *reports]


@pytest.fixture(scope="module")
def install(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Installation]:
    """Makes an empty installation with the same files and the same champion."""
    portfolio = make_portfolio(
        features={
            "calendar": ["hour"],
            "behaviour": [
                {"entity": "customer", "windows": ["30d"], "aggregates": ["amount_ratio", "count", "fraud_count"]}
            ],
        },
        labels={"delay": "1d", "source": {"path": "labels_{key}.csv"}},
        validation={"quarantined": 0.5},
    )
    numbers = iter(range(100))

    def make(*, historic_after: timedelta | None = None) -> Installation:
        folder, name = tmp_path_factory.mktemp("same"), f"same_{next(numbers)}"
        landing = folder / "landing" / "shop"
        landing.mkdir(parents=True)
        for key in DAYS:
            payments, reports = _rows(key)
            (landing / f"tx_{key}.csv").write_text("\n".join([*payments, ""]))
            (landing / f"labels_{key}.csv").write_text("\n".join([*reports, ""]))
        ws = Workspace(Store(folder / "store"), folder / "landing", with_tables(postgres, name), b"t" * 32, b"l" * 32)
        notices = portfolio.notices.model_copy(update={"historic_after": historic_after})
        made = Installation(ws, portfolio.model_copy(update={"notices": notices}))
        made.promote("2026-03-01", "2026-02-01")
        return made

    return make


@pytest.fixture(scope="module")
def daily(install: Callable[..., Installation]) -> Outcome:
    """Each day on its day."""
    one = install()
    for key in DAYS:
        one.ingest(key)
        one.score(key)
    found = one.outcome()
    assert len(found.alerts) > ROWS
    assert found.quarantine
    return found


def _assert_same(found: Outcome, daily: Outcome) -> None:
    assert found.partitions == daily.partitions
    assert found.quarantine == daily.quarantine
    assert found.alerts == daily.alerts


def test_a_bulk_load_is_the_same_as_the_days(install: Callable[..., Installation], daily: Outcome) -> None:
    bulk = install()
    bulk.load()
    bulk.reconcile()
    _assert_same(bulk.outcome(), daily)
    assert bulk.outcome() == daily


def test_days_that_run_again_and_backfills_that_overlap_are_the_same(
    install: Callable[..., Installation], daily: Outcome
) -> None:
    again = install()
    for stretch in (DAYS[:4], DAYS[2:], DAYS):
        for key in stretch:
            again.ingest(key)
            again.score(key)
    assert again.outcome() == daily


def test_scoring_that_was_paused_and_caught_up_is_the_same(
    install: Callable[..., Installation], daily: Outcome
) -> None:
    paused = install()
    paused.ingest(*DAYS)
    paused.score(DAYS[4], DAYS[1])
    paused.reconcile()
    assert paused.outcome() == daily


def test_backwards_is_the_same_once_reconciled(install: Callable[..., Installation], daily: Outcome) -> None:
    backwards = install()
    for key in reversed(DAYS):
        backwards.ingest(key)
        backwards.score(key)
    assert "stale" in partition_states(backwards.ws, backwards.portfolio).values()
    backwards.reconcile()
    _assert_same(backwards.outcome(), daily)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_is_the_same_once_reconciled(install: Callable[..., Installation], daily: Outcome, seed: int) -> None:
    """Ingests and scorings at random, some of them twice or not at all, some days reconciled in between."""
    chance, one = random.Random(seed), install(historic_after=timedelta(days=1))
    waiting: list[str] = []
    for key in _shuffled(chance, [*DAYS, *chance.sample(DAYS, 2)]):
        one.ingest(key)
        waiting.append(key)
        while waiting and chance.random() < 0.6:
            one.score(waiting.pop(chance.randrange(len(waiting))))
        if chance.random() < 0.2:
            one.reconcile()
    one.reconcile()
    found = one.outcome()
    _assert_same(found, daily)
    assert _told(one) == {transaction: 1 for transaction, _, _ in found.alerts}


def _shuffled(chance: random.Random, keys: Sequence[str]) -> list[str]:
    return chance.sample(list(keys), len(keys))


def _told(one: Installation) -> dict[str, int]:
    """How many digests or summaries told of each transaction: what the notices leave out, or say twice, shows here."""
    from fraudops.decisions.historic import summary_of
    from fraudops.decisions.recorded import entry_of
    from fraudops.decisions.tracing import trace_alert

    counts = {}
    with one.ws.transaction() as session:
        alerts = list(session.scalars(select(Alert)))
        for alert in alerts:
            entry = entry_of(session, alert)
            assert entry is not None
            assert bool(entry.details.get("historic")) == (summary_of(session, entry) is not None)
            assert alert.model is not None
    for alert in alerts:
        kinds = [notice.kind for notice in trace_alert(one.ws, one.portfolio, alert).notices]
        counts[alert.transaction_id] = sum(kind in ("digest", "historic") for kind in kinds)
    return counts


def test_a_partition_says_the_moment_of_nothing(daily: Outcome) -> None:
    today = datetime.now(UTC).strftime("%Y-%m-%d").encode()
    assert not [name for name, content in daily.partitions.items() if name.endswith(".json") and today in content]
