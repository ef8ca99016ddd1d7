from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry, transaction
from fraudops.keeping import verification
from fraudops.keeping.verification import verify, verify_and_tell
from fraudops.ledger.heads import exported
from fraudops.store import Tombstone
from fraudops.store.removal import bury
from sqlalchemy import text

from tests.databases import as_owner
from tests.keeping.conftest import DAYS, Shop, at

NOW = at("2026-03-09T12:00")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_PATIENCE", ())


def _folder(shop: Shop, dataset: str, name: str = f"date={DAYS[0]}") -> Path:
    return Path(str(shop.ws.store.root)) / dataset / "portfolio=shop" / name


def _forget_partition(shop: Shop) -> None:
    shutil.rmtree(_folder(shop, "transactions"))


def _other_rows(shop: Shop) -> None:
    table = shop.ws.store.read_partition("scores", "shop", DAYS[0])
    scores = shop.ws.store.require("scores", "shop", DAYS[0])
    shop.ws.store.write("scores", "shop", DAYS[0], table.slice(1), config=scores.config, facts=scores.facts)


def _a_partition_of_nowhere(shop: Shop) -> None:
    table = shop.ws.store.read_partition("labels", "shop", DAYS[0])
    shop.ws.store.write("labels", "shop", "2026-03-20", table, config="c")


def _other_bytes(shop: Shop) -> None:
    path = next(_folder(shop, "protected").glob("part-*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def _shorter_file(shop: Shop) -> None:
    path = next(_folder(shop, "lineage").glob("part-*.parquet"))
    path.write_bytes(path.read_bytes()[:-1])


def _no_file(shop: Shop) -> None:
    next(_folder(shop, "features").glob("part-*.parquet")).unlink()


def _cut_off(shop: Shop, dataset: str) -> None:
    path = _folder(shop, dataset) / "manifest.json"
    path.write_bytes(path.read_bytes()[:40])


def _another_model(shop: Shop) -> None:
    (_folder(shop, "models", "v1") / "model.joblib").write_bytes(b"other")


def _forged_tombstone(shop: Shop) -> None:
    rows = shop.ws.store.require("scores", "shop", DAYS[0])
    shutil.rmtree(_folder(shop, "features"))
    bury(
        shop.ws.store,
        Tombstone(dataset="features", portfolio="shop", key=DAYS[0], digest=rows.data_digest, rows=3, ledger=1),
    )


def _altered_entry(shop: Shop) -> None:
    with transaction(as_owner(shop.ws.database_url)) as session:
        session.execute(text("alter table ledger disable trigger all; alter table ledger_head disable trigger all"))
        session.execute(text("update ledger set actor = 'nobody' where number = 2"))


@pytest.mark.parametrize(
    ("alter", "finding"),
    [
        (_forget_partition, f"transactions {DAYS[0]}: the partition is gone, and nobody removed it"),
        (_other_rows, f"scores {DAYS[0]}: the rows are not those that the ledger has"),
        (_a_partition_of_nowhere, "labels 2026-03-20: the partition is not in the ledger"),
        (_other_bytes, f"protected {DAYS[0]}: part-"),
        (_shorter_file, f"lineage {DAYS[0]}: part-"),
        (_no_file, f"features {DAYS[0]}: part-"),
        (partial(_cut_off, dataset="transactions"), f"transactions {DAYS[0]}: the manifest cannot be read"),
        (partial(_cut_off, dataset="lineage"), f"lineage {DAYS[0]}: the manifest cannot be read"),
        (_another_model, "models v1: the file is not the one that was registered"),
        (_forged_tombstone, f"features {DAYS[0]}: is said to have been removed, and the ledger does not know of it"),
        (_altered_entry, "ledger, entry 2: altered"),
    ],
)
def test_whatever_is_altered_is_found_and_nothing_else(shop: Shop, alter: Callable[[Shop], None], finding: str) -> None:
    assert verify(shop.ws, shop.portfolio, now=NOW, thorough=True).findings == ()
    alter(shop)
    (found,) = verify(shop.ws, shop.portfolio, now=NOW, thorough=True).findings
    assert found.startswith(finding)


def test_in_thirty_days_every_file_is_read(shop: Shop) -> None:
    _other_bytes(shop)
    days = [at(f"2026-04-{day:02}") for day in range(1, 31)]
    assert sum(bool(verify(shop.ws, shop.portfolio, now=day).findings) for day in days) == 1


def test_a_step_that_is_at_work_just_now_is_no_finding(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _other_rows(shop)
    monkeypatch.setattr(verification, "_PATIENCE", (0.0,))

    def commit(seconds: float) -> None:
        with shop.ws.transaction() as session:
            digest = shop.ws.store.require("scores", "shop", DAYS[0]).data_digest
            shop.ws.record(
                session,
                portfolio="shop",
                actor="a",
                action="scored",
                subject=f"shop/scores/{DAYS[0]}",
                details={"digest": digest},
            )

    monkeypatch.setattr(verification.time, "sleep", commit)
    assert verify(shop.ws, shop.portfolio, now=NOW).findings == ()


def test_a_head_that_was_kept_shows_that_the_end_was_cut_off(shop: Shop) -> None:
    with transaction(as_owner(shop.ws.database_url)) as session:
        head = ledger.head(session)
        assert ledger.contains(session, head)
        before = session.get(LedgerEntry, head.number - 1)
        assert before is not None
        session.execute(text("alter table ledger disable trigger all; alter table ledger_head disable trigger all"))
        session.execute(text("delete from ledger where number = :number"), {"number": head.number})
        session.execute(
            text("update ledger_head set number = :number, digest = :digest"),
            {"number": before.number, "digest": before.digest},
        )
    with shop.ws.transaction() as session:
        assert list(ledger.verify(session, shop.ws.ledger_key)) == [], "by itself the chain does not show it"
        assert not ledger.contains(session, head)


def test_the_head_is_exported_and_told_once_a_week(shop: Shop) -> None:
    for day in range(8):
        assert verify_and_tell(shop.ws, shop.portfolio, now=NOW + timedelta(days=day)).findings == ()
    assert len(exported(shop.ws.store)) == 8
    told = [notice.dedupe_key for notice in shop.notices() if notice.kind == "ledger_head"]
    assert told == ["shop/ledger_head/2026-W11", "shop/ledger_head/2026-W12"]


def test_a_ledger_that_was_altered_is_not_vouched_for(shop: Shop) -> None:
    _altered_entry(shop)
    assert verify_and_tell(shop.ws, shop.portfolio, now=NOW).findings
    assert exported(shop.ws.store) == []
    assert {"records_altered"} <= (kinds := {notice.kind for notice in shop.notices()})
    assert "ledger_head" not in kinds
