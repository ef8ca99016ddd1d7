"""A large installation for the pages: four months of two portfolios, 100,000 alerts, 10,000 cases.

Written as the steps would write it, without them: rows that nobody looks at are made up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
from fraudops.database import Alert, CaseFile, CaseItem, ModelVersion, PromotionRecord, Verdict
from fraudops.decisions.pending import stale_keys
from fraudops.features.compute import lookback
from fraudops.features.loading import history_begins
from fraudops.features.partitions import config_of
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.store import Among, Input, Manifest
from fraudops.workspace import Workspace
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from benchmarks.processes import CHECKOUT

LAST = date(2026, 6, 30)
DAYS = 120
SUBJECT = "C00001"
"""The customer of the case that is opened: number 1 of ``cards``."""
_MODELS = 12
_CUSTOMERS, _TERMINALS = 4_000, 1_000
_DAY_US = 86_400_000_000
_REASONS = """["amount 43,318.87, usually 780.76 ± 416.96 by this customer over 30 days (55.5 times)",
 "payments by this customer in the last 24 hours reach 43,318.87 (typically 50.00)",
 "a third reason of the usual length, as they are"]"""


@dataclass(frozen=True)
class Size:
    """How much there is."""

    transactions: int
    """Of each portfolio on each day."""
    alerts: int
    cases: int


def portfolios() -> dict[str, Portfolio]:
    """``cards`` as it ships, and the same under another name."""
    cards = load_portfolio(CHECKOUT / "include" / "portfolios" / "cards.yaml")
    return {"cards": cards, "wallets": cards.model_copy(update={"name": "wallets", "title": "Wallets"})}


def prepare(ws: Workspace, size: Size) -> None:
    """Write all of it."""
    for portfolio in portfolios().values():
        _partitions(ws, portfolio, size, _models(ws, portfolio))
        if stale := stale_keys(ws, portfolio):
            raise RuntimeError(f"{portfolio.name}: {len(stale)} scores are out of date, which none is to be")
    with ws.transaction() as session:
        model = session.scalars(select(ModelVersion.id).where(ModelVersion.portfolio == "cards")).all()[0]
        session.execute(text(_ALERTS), {"alerts": size.alerts, "days": DAYS, "first": _key(0), "model": model})
        session.execute(text(_CASES), {"cases": size.cases, "days": DAYS, "first": _key(0)})
        session.execute(text(_ITEMS), {"cases": size.cases})
        _the_case(session, model, _paid(ws))


# -- inside -------------------------------------------------------------------------------------------


_ALERTS = f"""
insert into alert (portfolio, partition_key, transaction_id, event_time, amount_minor, minor_digits, currency, score,
                   decision, route, reasons, model_id, as_of, created_at)
select 'cards', to_char(cast(:first as date) + (i % :days), 'YYYY-MM-DD'), 'A' || i,
       cast(:first as timestamptz) + (i % :days) * interval '1 day' + (i % 86400) * interval '1 second', 1000 + i, 2,
       'EUR', (i % 1000) / 1000.0, case when i % 5 = 0 then 'block' else 'review' end, 'policy',
       '{_REASONS}'::jsonb, :model, now(), now()
from generate_series(1, :alerts) i"""
_CASES = """
insert into case_file (portfolio, number, subject_kind, subject, severity, priority, state, version, opened_key,
                       opened_as_of, created_at, due_on)
select 'cards', i + 1, 'customer', 'S' || lpad(i::text, 7, '0'),
       (array['low','medium','high','critical'])[1 + i % 4], (i * 7919) % 100000 / 10.0,
       (array['open','in_review','escalated'])[1 + i % 3], 1,
       to_char(cast(:first as date) + (i % :days), 'YYYY-MM-DD'),
       cast(:first as timestamptz) + (i % :days) * interval '1 day', now(), cast(:first as date) + (i % :days)
from generate_series(1, :cases - 1) i"""
_ITEMS = """
insert into case_item (portfolio, kind, reference, case_id, partition_key, as_of, severity, loss, added_at)
select 'cards', 'alert', a.id::text, (select min(id) from case_file) + (a.id % (:cases - 1)), a.partition_key, now(),
       'low', 1, now()
from alert a where a.id % 3 <> 0"""


def _key(place: int) -> str:
    """Of the first day, of the second …"""
    return (LAST - timedelta(days=DAYS - 1 - place)).isoformat()


def _at(key: str) -> datetime:
    return datetime.combine(date.fromisoformat(key), datetime.min.time(), UTC)


def _models(ws: Workspace, portfolio: Portfolio) -> Input:
    """Versions with verdicts; the first one is champion."""
    with ws.transaction() as session:
        for number in range(1, _MODELS + 1):
            at = _at(_key(0)) - timedelta(days=_MODELS - number)
            model = ModelVersion(
                portfolio=portfolio.name,
                number=number,
                run_id=f"run-{number}",
                candidate="lightgbm",
                as_of=at,
                trained_until=at - timedelta(days=7),
                artifact=f"models/portfolio={portfolio.name}/v{number}/model.joblib",
                artifact_sha256=f"{number:064x}",
                metrics={"average_precision": 0.7654, "average_precision_interval": [0.7, 0.82]},
                thresholds={},
                lineage={},
                created_at=at,
            )
            session.add(model)
            session.flush()
            verdict = Verdict(
                portfolio=portfolio.name,
                run_id=model.run_id,
                challenger_id=model.id,
                outcome="PROMOTE" if number == 1 else "HOLD",
                reason="it beats the floor",
                gates=[],
                as_of=at,
                created_at=at,
            )
            session.add(verdict)
            session.flush()
            if number == 1:
                entry = ws.record(
                    session, portfolio=portfolio.name, actor="validator", action="promoted", subject=model.artifact
                )
                session.add(
                    PromotionRecord(
                        portfolio=portfolio.name,
                        model_id=model.id,
                        verdict_id=verdict.id,
                        kind="promotion",
                        effective_from=at,
                        approved_by="validator",
                        reason="read the report",
                        promoted_at=at,
                        ledger_number=entry.number,
                    )
                )
    return Input(dataset="models", key="v1", digest=f"{1:064x}")


def _partitions(ws: Workspace, portfolio: Portfolio, size: Size, model: Input) -> None:
    """Transactions, labels, features, scores and looks of every day, each made from the others of its day."""
    inputs: list[Input] = []
    for place in range(DAYS):
        key = _key(place)
        table = _transactions(key, size.transactions)
        inputs.append(_write(ws, portfolio, "transactions", key, table).as_input())
        begins = history_begins(portfolio, key, lookback(portfolio))
        known = [item for item in inputs if item.key >= begins and (item.dataset == "transactions" or item.key < key)]
        ids = table.select(["transaction_id"])
        features = ws.store.write("features", portfolio.name, key, ids, config=config_of(portfolio), inputs=known)
        facts = {"model_version": "v1", "model_sha256": model.digest}
        made_from = [features.as_input(), inputs[-1], model]
        _write(ws, portfolio, "scores", key, ids, made_from, facts)
        levels = dict.fromkeys(("alert rate", "calibration", "features", "missing values", "score"), "ok")
        looked = facts | {"levels": levels, "window": [key, key], "cohorts": [], "estimated": []}
        _write(ws, portfolio, "checks", key, _LOOK.empty_table(), facts=looked)
        inputs.append(_write(ws, portfolio, "labels", key, _labels(key, table)).as_input())


def _write(
    ws: Workspace,
    portfolio: Portfolio,
    dataset: str,
    key: str,
    table: pa.Table,
    inputs: list[Input] | None = None,
    facts: dict | None = None,
) -> Manifest:
    return ws.store.write(dataset, portfolio.name, key, table, config="c", inputs=inputs or (), facts=facts)


_LOOK = pa.schema([("family", pa.string()), ("level", pa.string())])


def _transactions(key: str, count: int) -> pa.Table:
    """A day in which the case's customer pays four times, and everybody else as often as chance has it."""
    rng = np.random.default_rng(date.fromisoformat(key).toordinal())
    start = int(_at(key).timestamp()) * 1_000_000
    customers = rng.integers(2, _CUSTOMERS, count)
    customers[rng.choice(count, 4, replace=False)] = int(SUBJECT[1:])
    amounts = np.exp(rng.normal(8.0, 1.2, count)).astype(np.int64) + 100
    return pa.table(
        {
            "transaction_id": [f"{key}-{number:06d}" for number in range(count)],
            "event_time": pa.array(np.sort(start + rng.integers(0, _DAY_US, count)), pa.timestamp("us", "UTC")),
            "customer_id": [f"C{number:05d}" for number in customers],
            "terminal_id": [f"T{number:05d}" for number in rng.integers(0, _TERMINALS, count)],
            "card_token": [f"{number:032x}" for number in customers],
            "amount": amounts / 100,
            "currency": ["EUR"] * count,
            "country": np.array(["FR", "DE", "GB"])[rng.integers(0, 3, count)],
            "channel": np.array(["pos", "online"])[rng.integers(0, 2, count)],
            "amount_minor": amounts,
        }
    )


def _labels(key: str, transactions: pa.Table) -> pa.Table:
    """Ten frauds of the day, told at its end."""
    ids = transactions["transaction_id"].slice(0, 10)
    known = pa.array([_at(key) + timedelta(days=1)] * len(ids), pa.timestamp("us", "UTC"))
    return pa.table({"transaction_id": ids, "label": pa.array([True] * len(ids)), "known_at": known})


def _the_case(session: Session, model: int, transactions: Iterator[dict]) -> None:
    """The case that is opened: what its customer paid on the last three days raised an alert each."""
    last = _key(DAYS - 1)
    case = CaseFile(
        portfolio="cards",
        number=1,
        subject_kind="customer",
        subject=SUBJECT,
        severity="high",
        priority=1.0,
        state="open",
        opened_key=_key(DAYS - 3),
        opened_as_of=_at(last),
        created_at=_at(last),
        due_on=LAST,
    )
    session.add(case)
    session.flush()
    for row in transactions:
        alert = Alert(
            portfolio="cards",
            partition_key=row["event_time"].date().isoformat(),
            transaction_id=row["transaction_id"],
            event_time=row["event_time"],
            amount_minor=row["amount_minor"],
            minor_digits=2,
            currency="EUR",
            score=0.9,
            decision="review",
            reasons=["a reason"],
            model_id=model,
            as_of=_at(last),
            created_at=_at(last),
        )
        session.add(alert)
        session.flush()
        session.add(
            CaseItem(
                portfolio="cards",
                kind="alert",
                reference=str(alert.id),
                case_id=case.id,
                partition_key=alert.partition_key,
                as_of=_at(last),
                severity="high",
                loss=1.0,
                added_at=_at(last),
            )
        )


def _paid(ws: Workspace) -> Iterator[dict]:
    """Rows of the case's customer on the last three days."""
    among = Among("customer_id", pa.array([SUBJECT]))
    for place in range(DAYS - 3, DAYS):
        yield from ws.store.read(ws.store.require("transactions", "cards", _key(place)), among=among).to_pylist()
