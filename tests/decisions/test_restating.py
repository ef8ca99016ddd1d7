"""What would be alerted today is said beside the record, and changes nothing of it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.restating import Restatement, conclude, read_restatement, restate
from fraudops.decisions.scoring import score
from fraudops.errors import ContractError
from fraudops.ledger import verify
from fraudops.reports.restatement import write_restatement_page

from tests.decisions.conftest import Bank

DAYS = ["2026-03-01", "2026-03-02", "2026-03-03"]
RECORD = ("transactions", "features", "scores", "labels", "lineage")


@pytest.fixture
def decided(bank: Bank) -> Bank:
    """Two scored days: one block; one review and one block. The third day has no score."""
    bank.promote("2026-03-01", "2026-02-01")
    for day in DAYS[:2]:
        score(bank.ws, bank.portfolio, day)
        raise_alerts(bank.ws, bank.portfolio, day, actor="service:test")
    return bank


def _restate(bank: Bank, **options: str) -> Restatement:
    asked = {"first": DAYS[0], "last": DAYS[-1], "reason": "what if", **options}
    return restate(bank.ws, bank.portfolio, **asked)  # type: ignore[arg-type]


def test_the_model_of_then_would_decide_the_same(decided: Bank) -> None:
    found = _restate(decided, model="v1", last=DAYS[1])
    assert found.counts == {
        "partitions": 2, "rows": 7, "then": 3, "now": 3, "new": 0, "gone": 0, "changed": 0, "same": 3,
    }  # fmt: skip


def test_another_model_has_new_gone_and_changed_alerts(decided: Bank) -> None:
    # 950 -> 0.475: gone; 600 -> 0.3: gone; 990 -> 0.495: gone.
    decided.promote("2026-03-03", "2026-03-02", factor=0.5, effective="2026-03-04")
    milder = _restate(decided)
    assert (milder.version, [day.gone for day in milder.days]) == ("v2", [1, 2, 0])
    # What it has learned from is told; a day without a score is told apart from one on which all was allowed.
    assert [day.learned for day in milder.days] == [True, False, False]
    assert [day.decided for day in milder.days] == [True, True, False]
    assert milder.days[1].gone_minor == 159_000
    decided.promote("2026-03-03", "2026-02-20", factor=20.0, effective="2026-03-05")
    harsher = _restate(decided)
    _, diff = read_restatement(decided.ws, decided.portfolio, harsher.run)
    rows = {row["transaction_id"]: row for row in diff.to_pylist()}
    assert rows["2026-03-02-1"]["change"] == "new"
    assert (rows["2026-03-02-1"]["decision_then"], rows["2026-03-02-1"]["decision_now"]) == ("allow", "review")
    assert (rows["2026-03-02-0"]["change"], rows["2026-03-02-0"]["score_then"]) == ("changed", 0.6)
    assert (rows["2026-03-03-2"]["change"], rows["2026-03-03-2"]["decision_then"]) == ("new", None)
    assert "2026-03-02-3" not in rows


def test_nothing_of_the_record_is_changed_and_one_notice_is_sent(decided: Bank) -> None:
    decided.promote("2026-03-03", "2026-03-02", factor=0.5, effective="2026-03-04")
    before = {dataset: decided.stored(dataset) for dataset in RECORD}
    alerts = [(alert.id, alert.decision, alert.score) for alert in decided.alerts()]
    found = _restate(decided)
    assert conclude(decided.ws, decided.portfolio, found, actor="ada")
    assert {dataset: decided.stored(dataset) for dataset in RECORD} == before
    assert [(alert.id, alert.decision, alert.score) for alert in decided.alerts()] == alerts
    (notice,) = decided.notices("restated")
    assert notice.subject == "[fraudops] cards: restatement of 2026-03-01 to 2026-03-03 (3): 0 new, 3 gone, 0 changed"
    assert notice.recipients == ["model-risk@bank.example"]
    assert "what if" in notice.text
    (entry,) = decided.ledger("restated")
    assert (entry.actor, entry.details["gone"], entry.details["model_version"]) == ("ada", 3, "v2")
    with decided.ws.transaction() as session:
        assert list(verify(session, decided.ws.ledger_key)) == []


def test_the_same_again_gives_the_same_bytes_and_no_second_notice(decided: Bank) -> None:
    found = _restate(decided)
    conclude(decided.ws, decided.portfolio, found, actor="ada")
    write_restatement_page(decided.ws, decided.portfolio, *read_restatement(decided.ws, decided.portfolio, found.run))
    before = decided.stored("restated")
    again = _restate(decided)
    assert again == found == Restatement.read(decided.ws, decided.portfolio, found.run)
    write_restatement_page(decided.ws, decided.portfolio, *read_restatement(decided.ws, decided.portfolio, again.run))
    assert decided.stored("restated") == before
    assert not conclude(decided.ws, decided.portfolio, again, actor="ada")
    assert len(decided.notices("restated")) == len(decided.ledger("restated")) == 1


def test_the_page_says_what_is_new_and_gone(decided: Bank) -> None:
    decided.promote("2026-03-03", "2026-02-20", factor=20.0, effective="2026-03-05")
    found = _restate(decided)
    path = write_restatement_page(
        decided.ws, decided.portfolio, *read_restatement(decided.ws, decided.portfolio, found.run)
    )
    page = Path(str(decided.ws.store.root), path).read_text()
    assert "2026-03-02-1" in page
    assert "1 of the partitions had no decision then" in page
    assert "<script" not in page
    lines = Path(str(decided.ws.store.root), path).with_name("diff.csv").read_text().splitlines()
    assert lines[0].startswith('"partition_key","transaction_id"')
    assert len(lines) == 1 + found.total("new") + found.total("gone") + found.total("changed")


def test_a_day_whose_rows_were_corrected_is_restated_from_the_rows_of_now(decided: Bank) -> None:
    table = decided.ws.store.read_partition("transactions", "cards", DAYS[1])
    amounts = pa.array([600.0, 30.0, 970.0, 990.0])
    minor = pa.array([60_000, 3_000, 97_000, 99_000], pa.int64())
    corrected = table.set_column(2, "amount", amounts).set_column(3, "amount_minor", minor)
    decided.ws.store.write("transactions", "cards", DAYS[1], corrected, config="c")
    found = _restate(decided, last=DAYS[1])
    assert (found.total("new"), found.days[1].new_minor) == (1, 97_000)


def test_what_cannot_be_restated_is_said(decided: Bank) -> None:
    with pytest.raises(ContractError, match="no published partition"):
        _restate(decided, first="2026-05-01", last="2026-05-02")
    with pytest.raises(ContractError, match="does not look like"):
        _restate(decided, first="March")
    with pytest.raises(ContractError, match="there is no model version 'v9'"):
        _restate(decided, model="v9")
