"""What a crash between the store and the database leaves: found from the record, and finished."""

from __future__ import annotations

import pytest
from fraudops.database import Alert, LedgerEntry
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.scoring import score
from fraudops.decisions.unfinished import unfinished_keys
from fraudops.intake.publication import record_unrecorded
from fraudops.store import Store
from sqlalchemy import delete, update

from tests.decisions.conftest import Bank

DAY, QUIET = "2026-03-02", "2026-03-03"


class PowerFailureError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def scored(bank: Bank) -> Bank:
    """The second day is scored and has its two alerts, the third is scored and has none."""
    bank.promote("2026-03-01", "2026-02-01")
    for key in (DAY, QUIET):
        score(bank.ws, bank.portfolio, key)
        raise_alerts(bank.ws, bank.portfolio, key, actor="service:score")
    return bank


def test_what_is_whole_is_not_unfinished(scored: Bank) -> None:
    assert unfinished_keys(scored.ws, scored.portfolio) == []


def test_scores_that_were_published_and_not_recorded_are_found(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    bank.promote("2026-03-01", "2026-02-01")

    def publish_and_die(store: Store, manifest: object) -> None:
        real(store, manifest)  # type: ignore[arg-type]
        raise PowerFailureError

    real = Store.publish
    with monkeypatch.context() as patch:
        patch.setattr(Store, "publish", publish_and_die)
        with pytest.raises(PowerFailureError):
            score(bank.ws, bank.portfolio, QUIET)
    assert bank.ledger("scored") == []
    assert unfinished_keys(bank.ws, bank.portfolio) == [QUIET]
    assert score(bank.ws, bank.portfolio, QUIET).state == "unchanged"
    assert len(bank.ledger("scored")) == 1
    assert unfinished_keys(bank.ws, bank.portfolio) == []


def test_a_partition_that_lacks_an_alert_is_found(scored: Bank) -> None:
    with scored.ws.transaction() as session:
        session.execute(delete(Alert).where(Alert.transaction_id == f"{DAY}-3"))
    assert unfinished_keys(scored.ws, scored.portfolio) == [DAY]
    assert raise_alerts(scored.ws, scored.portfolio, DAY, actor="service:reconcile").raised == 1
    assert unfinished_keys(scored.ws, scored.portfolio) == []


def test_an_alert_that_another_partition_raised_will_do(scored: Bank) -> None:
    with scored.ws.transaction() as session:
        session.execute(update(Alert).where(Alert.transaction_id == f"{DAY}-3").values(partition_key="2026-03-01"))
    assert unfinished_keys(scored.ws, scored.portfolio) == []


def test_a_published_partition_gets_the_entry_it_lacks_once(scored: Bank) -> None:
    keys = scored.ws.store.keys("transactions", "cards")
    assert record_unrecorded(scored.ws, scored.portfolio, actor="service:reconcile") == keys
    assert record_unrecorded(scored.ws, scored.portfolio, actor="service:reconcile") == []
    entries: list[LedgerEntry] = scored.ledger("ingested")
    assert [entry.subject for entry in entries] == [f"cards/transactions/{key}" for key in keys]
    assert entries[0].details["after"] == scored.ws.store.require("transactions", "cards", keys[0]).data_digest
