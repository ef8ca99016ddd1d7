"""A shop whose days run through landing, publication, features, scores and alerts, as in a real installation."""

from __future__ import annotations

import io
import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
import pytest
from fraudops.database import Alert, LedgerEntry, ModelVersion, Notice, PromotionRecord
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.scoring import score_many
from fraudops.features import ModelColumns, build
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import LandResult, land
from fraudops.intake.publication import publish
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import register
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.databases import copied, drop, with_tables
from tests.decisions.amounts import AmountModel
from tests.intake.conftest import HEADER, make_portfolio, row

FEATURES = {"behaviour": [{"entity": "customer", "windows": ["3d"], "aggregates": ["count"]}]}
_numbers = itertools.count(1)
DAYS = [f"2026-03-0{day}" for day in range(1, 9)]
COLUMNS = ModelColumns(("amount", "customer_count_3d"), ("channel",))


def portfolio_of(**changes: Any) -> Portfolio:
    """The shop, with some of its sections changed."""
    training = {"window": "3d", "candidates": {"logistic_regression": {"estimator": "logistic_regression"}}}
    labels = {"delay": "1d", "source": {"path": "labels_{key}.csv"}}
    return make_portfolio(**{"features": FEATURES, "training": training, "labels": labels, **changes})


def at(text: str) -> datetime:
    """A UTC moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Shop:
    """Days of a small portfolio."""

    ws: Workspace
    portfolio: Portfolio
    models: list[ModelVersion] = field(default_factory=list)

    def keeping(self, **retention: str) -> Portfolio:
        """The portfolio with another retention."""
        return portfolio_of(retention={"reason": "a test", **retention})

    def deliver(self, name: str, *rows: str, header: str = HEADER) -> Path:
        folder = self.ws.landing / self.portfolio.name
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text("\n".join([header, *rows, ""]))
        return path

    def file(self, key: str) -> Path:
        """A day's file: two payments, a blocked one, and one that cannot be used."""
        return self.deliver(
            f"tx_{key}.csv",
            row(f"{key}-a", f"{key}T10:00:00Z", "12.50"),
            row(f"{key}-b", f"{key}T11:00:00Z", "20.00", customer_id="c2"),
            row(f"{key}-c", f"{key}T12:00:00Z", "990.00"),
            row(f"{key}-d", f"{key}T13:00:00Z", "a lot"),
        )

    def report(self, key: str, transaction: str) -> Path:
        """A day's report of fraud."""
        header = "transaction_id,reported_at,label"
        return self.deliver(f"labels_{key}.csv", f"{transaction},{key}T09:00:00Z,1", header=header)

    def land(self, *paths: Path, labels: tuple[Path, ...] = (), **limits: Any) -> LandResult:
        result = land(self.ws, self.portfolio, FeedFiles(list(paths), list(labels)), **limits)
        for key in result.keys:
            publish(self.ws, self.portfolio, key, actor="service:ingest")
        return result

    def score(self, *keys: str) -> None:
        build(self.ws, self.portfolio, keys)
        for result in score_many(self.ws, self.portfolio, keys):
            if result.state in ("scored", "unchanged"):
                raise_alerts(self.ws, self.portfolio, result.key, actor="service:score")

    def day(self, key: str) -> None:
        """A day as it comes: landed, reported, scored."""
        self.land(self.file(key), labels=(self.report(key, f"{key}-b"),))
        self.score(key)

    def model(self, run_id: str, as_of: str, *, champion: bool = False) -> ModelVersion:
        """A trained version, and its promotion."""
        content = io.BytesIO()
        joblib.dump(AmountModel(columns=COLUMNS, background={"amount": 20.0, "customer_count_3d": 1.0}), content)
        with self.ws.transaction() as session:
            model = register(
                self.ws, session, self.portfolio, run_id=run_id, candidate="amounts", as_of=at(as_of),
                trained_until=at(as_of), model_bytes=content.getvalue(), metrics={},
                thresholds={"review": 0.5, "block": 0.9}, lineage={},
            )  # fmt: skip
            self.ws.store.put(b"rows", "training", self.portfolio.name, run_id, "dataset.parquet")
            self.ws.store.put(b"page", "reports", self.portfolio.name, run_id, "index.html")
            if champion:
                entry = self.ws.record(session, portfolio="shop", actor="v", action="promoted", subject=model.version)
                session.add(
                    PromotionRecord(
                        portfolio="shop", model_id=model.id, kind="promotion", effective_from=at(as_of),
                        approved_by="v", reason="first", promoted_at=entry.at, ledger_number=entry.number,
                    )
                )  # fmt: skip
        return model

    def ledger(self, *actions: str) -> list[LedgerEntry]:
        with self.ws.transaction() as session:
            query = select(LedgerEntry).where(LedgerEntry.action.in_(actions)).order_by(LedgerEntry.number)
            return list(session.scalars(query))

    def alerts(self) -> list[Alert]:
        with self.ws.transaction() as session:
            return list(session.scalars(select(Alert).order_by(Alert.id)))

    def notices(self) -> list[Notice]:
        with self.ws.transaction() as session:
            return list(session.scalars(select(Notice).order_by(Notice.id)))

    def keys(self, dataset: str) -> list[str]:
        return self.ws.store.keys(dataset, self.portfolio.name)

    def files(self) -> dict[str, bytes]:
        """Every file of the store."""
        root = Path(str(self.ws.store.root))
        return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture(scope="session")
def _model_shop(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> tuple[Path, str]:
    """Folder and database of a shop of which every test gets a copy."""
    folder, name = tmp_path_factory.mktemp("shop"), f"shop_{os.getpid()}_{next(_numbers)}"
    shop = Shop(_workspace(folder, with_tables(postgres, name)), portfolio_of())
    shop.ws.landing.mkdir()
    shop.model("run-1", "2026-02-28", champion=True)
    for key in DAYS:
        shop.day(key)
    return folder, name


@pytest.fixture
def shop(_model_shop: tuple[Path, str], postgres: Postgres, tmp_path: Path) -> Iterator[Shop]:
    """Eight days, all scored, since a champion of the end of February."""
    folder, template = _model_shop
    shutil.copytree(folder, tmp_path / "shop")
    own = f"{template}_{next(_numbers)}"
    yield Shop(_workspace(tmp_path / "shop", copied(postgres, template, own)), portfolio_of())
    drop(postgres, own)


def _workspace(folder: Path, url: str) -> Workspace:
    return Workspace(
        store=Store(folder / "store"),
        landing=folder / "landing",
        database_url=url,
        token_key=b"t" * 32,
        ledger_key=b"l" * 32,
    )
