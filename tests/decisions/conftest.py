"""A bank with a few payments a day and a model that follows the amount."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joblib
import pyarrow as pa
import pytest
from fraudops.database import Alert, LedgerEntry, ModelVersion, Notice, PromotionRecord
from fraudops.features import build
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import register
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.decisions.amounts import THRESHOLDS, AmountModel


def at(text: str) -> datetime:
    """A UTC moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Bank:
    """Writes partitions and promotes models, as ingest and the registry would."""

    ws: Workspace
    portfolio: Portfolio
    models: list[ModelVersion] = field(default_factory=list)

    def day(self, key: str, amounts: list[float], **columns: Any) -> None:
        """A day's payments, an hour apart, and their features."""
        n = len(amounts)
        start = self.portfolio.partitioning.start(key)
        table = pa.table(
            {
                "transaction_id": pa.array([f"{key}-{i}" for i in range(n)], pa.string()),
                "event_time": pa.array([start.replace(hour=i % 24) for i in range(n)], pa.timestamp("us", "UTC")),
                "amount": pa.array(amounts, pa.float64()),
                "amount_minor": pa.array([round(a * 100) for a in amounts], pa.int64()),
                "currency": pa.array(columns.get("currency", ["EUR"] * n), pa.string()),
                "customer_id": pa.array([f"c{i % 3}" for i in range(n)], pa.string()),
                "terminal_id": pa.array(["t1"] * n, pa.string()),
                "card_token": pa.array([f"k{i % 3}" for i in range(n)], pa.string()),
                "country": pa.array(["DE"] * n, pa.string()),
                "channel": pa.array(["online"] * n, pa.string()),
            }
        )
        self.ws.store.write("transactions", self.portfolio.name, key, table, config="c")
        self.features(key)

    def features(self, key: str) -> None:
        build(self.ws, self.portfolio, [key])

    def promote(
        self,
        as_of: str,
        trained_until: str,
        *,
        factor: float = 1.0,
        effective: str | None = None,
        thresholds: Thresholds = THRESHOLDS,
    ) -> None:
        """Register a model and make it champion."""
        content = io.BytesIO()
        joblib.dump(AmountModel(factor, thresholds=thresholds), content)
        with self.ws.transaction() as session:
            model = register(
                self.ws,
                session,
                self.portfolio,
                run_id=f"run-{len(self.models)}",
                candidate="amounts",
                as_of=at(as_of),
                trained_until=at(trained_until),
                model_bytes=content.getvalue(),
                metrics={},
                thresholds={"review": 0.5, "block": 0.9},
                lineage={},
            )
        self.models.append(model)
        self.put_in_force(model, effective or as_of)

    def put_in_force(self, model: ModelVersion, effective: str, kind: str = "promotion") -> None:
        with self.ws.transaction() as session:
            entry = self.ws.record(
                session, portfolio=self.portfolio.name, actor="v", action="promoted", subject=model.version
            )
            session.add(
                PromotionRecord(
                    portfolio=self.portfolio.name,
                    model_id=model.id,
                    kind=kind,
                    effective_from=at(effective),
                    approved_by="v",
                    reason="better",
                    promoted_at=entry.at,
                    ledger_number=entry.number,
                )
            )

    def artifact(self, model: ModelVersion) -> Path:
        return Path(str(self.ws.store.root / model.artifact))

    def ledger(self, action: str) -> list[LedgerEntry]:
        with self.ws.transaction() as session:
            query = select(LedgerEntry).where(LedgerEntry.action == action).order_by(LedgerEntry.number)
            return list(session.scalars(query))

    def alerts(self) -> list[Alert]:
        with self.ws.transaction() as session:
            return list(session.scalars(select(Alert).order_by(Alert.id)))

    def notices(self, kind: str) -> list[Notice]:
        with self.ws.transaction() as session:
            return list(session.scalars(select(Notice).where(Notice.kind == kind).order_by(Notice.id)))

    def stored(self, dataset: str) -> dict[str, bytes]:
        """Every file of a dataset."""
        root = Path(str(self.ws.store.root)) / dataset
        return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture
def bank(workspace: Workspace, portfolios: dict[str, Portfolio]) -> Bank:
    """Without a champion, with three days of payments."""
    return three_days(workspace, portfolios["cards"])


def three_days(workspace: Workspace, cards: Portfolio) -> Bank:
    """The bank without a champion."""
    bank = Bank(workspace, cards)
    for day, amounts in enumerate(([10, 20, 950], [600, 30, 40, 990], [10, 20, 30]), start=1):
        bank.day(f"2026-03-0{day}", [float(a) for a in amounts])
    return bank
