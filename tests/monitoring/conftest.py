"""A small bank with a trained champion: what monitoring reads, written by the steps that write it."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from fraudops.database import Notice, PromotionRecord
from fraudops.decisions.scoring import score_many
from fraudops.features import build
from fraudops.portfolio import Candidate, Features, Monitoring, Portfolio
from fraudops.registry.candidates import train
from fraudops.registry.versions import version
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.training.dataset import assemble
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.databases import copied, drop, with_tables

FIRST = date(2026, 3, 2)
HISTORY, PER_DAY = 56, 150
RUN = "manual__1"
_numbers = itertools.count(1)


def key_of(day: int) -> str:
    """Partition of a day, counted from the first one."""
    return (FIRST + timedelta(days=day)).isoformat()


@dataclass
class Bank:
    """A champion trained on eight weeks; days after it are written when a test wants them."""

    ws: Workspace
    portfolio: Portfolio

    def day(self, number: int, *, raise_amounts: float = 1.0, hidden: int = 0, channel: str = "online") -> str:
        """A day's payments, and the chargebacks of the day a week before.

        Parameters
        ----------
        hidden
            Frauds that look like genuine payments.
        """
        random = np.random.default_rng(1000 + number)
        key = key_of(number)
        start = self.portfolio.partitioning.start(key)
        fraud = random.random(PER_DAY) < 0.08
        amount = np.exp(random.normal(3 + 2.2 * fraud, 0.7)) * raise_amounts
        fraud[:hidden] = True
        amount[:hidden] = np.exp(random.normal(1.0, 0.2, hidden))
        ids = [f"{key}-{n:03d}" for n in range(PER_DAY)]
        table = pa.table(
            {
                "transaction_id": pa.array(ids),
                "event_time": pa.array(
                    [start + timedelta(minutes=9 * n) for n in range(PER_DAY)], pa.timestamp("us", "UTC")
                ),
                "amount": pa.array(amount),
                "amount_minor": pa.array(np.rint(amount * 100).astype(np.int64)),
                "currency": pa.array(["EUR"] * PER_DAY),
                "customer_id": pa.array([f"c{n}" for n in random.integers(0, 400, PER_DAY)]),
                "terminal_id": pa.array([f"t{n}" for n in random.integers(0, 90, PER_DAY)]),
                "card_token": pa.array([f"k{n}" for n in random.integers(0, 500, PER_DAY)]),
                "country": pa.array(["DE"] * PER_DAY),
                "channel": pa.array([channel] * PER_DAY),
            }
        )
        self.ws.store.write("transactions", self.portfolio.name, key, table, config="c")
        build(self.ws, self.portfolio, [key])
        # Reported on the third day.
        self.report(key_of(number + 2), [name for name, bad in zip(ids, fraud, strict=True) if bad])
        return key

    def report(self, key: str, ids: list[str]) -> None:
        """Chargebacks that arrive on a day."""
        end = self.portfolio.partitioning.end(key)
        table = pa.table(
            {
                "transaction_id": pa.array(ids, pa.string()),
                "label": pa.array([True] * len(ids), pa.bool_()),
                "reported_at": pa.array([end - timedelta(hours=9)] * len(ids), pa.timestamp("us", "UTC")),
                "known_at": pa.array([end] * len(ids), pa.timestamp("us", "UTC")),
            }
        )
        self.ws.store.write("labels", self.portfolio.name, key, table, config="c")

    def score(self, *keys: str) -> None:
        """Score some days."""
        score_many(self.ws, self.portfolio, keys)

    def stored(self) -> dict[str, bytes]:
        """Every file that monitoring has written, but for manifests that were replaced."""
        root = Path(str(self.ws.store.root))
        return {
            str(path.relative_to(root)): path.read_bytes()
            for dataset in ("monitoring", "outcomes", "checks", "monitoring_reference")
            for path in sorted((root / dataset).rglob("*"))
            if path.is_file() and (path.name in ("manifest.json", "reference.json"))
        }

    def notices(self) -> list[Notice]:
        """What monitoring has told."""
        with self.ws.transaction() as session:
            return list(session.scalars(select(Notice).where(Notice.kind == "monitoring").order_by(Notice.id)))


@pytest.fixture(scope="session")
def trained(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory, portfolios: dict[str, Portfolio]
) -> tuple[Path, str, Portfolio]:
    """A store and a database in which a champion has just been promoted: copied for each test."""
    name = "monitoring_template"
    folder = tmp_path_factory.mktemp("monitoring")
    cards = portfolios["cards"]
    portfolio = cards.model_copy(
        update={
            "features": Features(calendar=("hour", "weekday")),
            "monitoring": Monitoring(resamples=200),
            "training": cards.training.model_copy(
                update={"candidates": {"logistic_regression": Candidate(estimator="logistic_regression")}}
            ),
        }
    )
    ws = _workspace(folder / "store", with_tables(postgres, name))
    bank = Bank(ws, portfolio)
    for number in range(HISTORY):
        bank.day(number)
    as_of = portfolio.partitioning.end(key_of(HISTORY - 1))
    assemble(ws, portfolio, run_id=RUN, as_of=as_of)
    train(ws, portfolio, run_id=RUN, candidate="logistic_regression")
    with ws.transaction() as session:
        entry = ws.record(session, portfolio=portfolio.name, actor="v", action="promoted", subject="v1")
        session.add(
            PromotionRecord(
                portfolio=portfolio.name,
                model_id=version(session, portfolio.name, "v1").id,
                kind="promotion",
                effective_from=as_of,
                approved_by="v",
                reason="the first one",
                promoted_at=datetime.now(UTC),
                ledger_number=entry.number,
            )
        )
    return folder / "store", name, portfolio


@pytest.fixture
def bank(trained: tuple[Path, str, Portfolio], postgres: Postgres, tmp_path: Path) -> Iterator[Bank]:
    """A bank of the test's own."""
    store, name, portfolio = trained
    shutil.copytree(store, tmp_path / "store")
    own = f"{name}_{next(_numbers)}"
    yield Bank(_workspace(tmp_path / "store", copied(postgres, name, own)), portfolio)
    drop(postgres, own)


def _workspace(store: Path, url: str) -> Workspace:
    landing = store.parent / "landing"
    landing.mkdir(exist_ok=True)
    return Workspace(store=Store(store), landing=landing, database_url=url, token_key=b"t" * 32, ledger_key=b"l" * 32)
