"""The step itself, on a small bank: what it writes, whom it tells, what it asks for, and that order does not matter."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from fraudops.monitoring import OUTCOMES
from fraudops.monitoring.checks import FRAUDS, NEW, RECALL
from fraudops.monitoring.history import history
from fraudops.monitoring.looks import checks_of, states
from fraudops.monitoring.measures import known_from
from fraudops.monitoring.watch import monitor, unmonitored
from fraudops.portfolio import Monitoring

from tests.monitoring.conftest import HISTORY, Bank, key_of


def live(bank: Bank, count: int, first: int = HISTORY, **facts: object) -> list[str]:
    """Days after the promotion, scored."""
    keys = [bank.day(first + n, **facts) for n in range(count)]  # type: ignore[arg-type]
    bank.score(*keys)
    return keys


def test_quiet_weeks_are_ok_and_nobody_is_told(bank: Bank) -> None:
    keys = live(bank, 24)
    for key in keys:
        result = monitor(bank.ws, bank.portfolio, [key])
    found = states(bank.ws, bank.portfolio)
    assert [state.key for state in found] == keys
    assert {state.status for state in found} <= {"unknown", "ok"}
    assert (found[-1].status, result.retraining, bank.notices()) == ("ok", None, [])
    assert {"features", "score", RECALL, FRAUDS} <= set(found[-1].families)


def test_shifted_amounts_are_told_once_and_retrained_on_from_the_newest_day_alone(bank: Bank) -> None:
    keys = live(bank, 18, raise_amounts=4.0)
    results = {key: monitor(bank.ws, bank.portfolio, [key]) for key in keys[:-1]}
    # Days are published up to the last one: none of those before it is the newest.
    assert all(result.retraining is None for result in results.values())
    result = monitor(bank.ws, bank.portfolio, [keys[-1]])
    assert result.status == "act"
    assert result.retraining is not None
    assert result.retraining.run_id == "drift__2026-W20__v1"
    assert "amount" in result.retraining.reason
    assert monitor(bank.ws, bank.portfolio, [keys[-1]]).retraining == result.retraining
    (notice,) = [notice for notice in bank.notices() if notice.dedupe_key.endswith("/act")]
    assert "amount" in notice.text
    assert {"model-risk@bank.example", "data-owner@bank.example"} == set(notice.recipients)
    with bank.ws.transaction() as session:
        from fraudops.ledger import verify

        verify(session, bank.ws.ledger_key)


def test_the_past_asks_for_no_training(bank: Bank) -> None:
    keys = live(bank, 16, raise_amounts=4.0)
    assert monitor(bank.ws, bank.portfolio, keys, may_retrain=False).retraining is None
    assert monitor(bank.ws, bank.portfolio, [keys[-1]]).retraining is not None
    off = bank.portfolio.model_copy(update={"monitoring": Monitoring(resamples=200, retrain=False)})
    assert monitor(bank.ws, off, [keys[-1]]).retraining is None


def test_any_order_ends_in_the_same_files_and_the_same_status(bank: Bank) -> None:
    keys = live(bank, 16, hidden=6)
    for key in keys:
        monitor(bank.ws, bank.portfolio, [key])
    in_order, status = bank.stored(), states(bank.ws, bank.portfolio)
    root = bank.ws.store.root
    for dataset in ("monitoring", "outcomes", "checks", "monitoring_reference"):
        import shutil

        shutil.rmtree(str(root / dataset))
    shuffled = list(keys)
    random.Random(3).shuffle(shuffled)
    for key in shuffled:
        monitor(bank.ws, bank.portfolio, [key])
    assert bank.stored() == in_order
    assert states(bank.ws, bank.portfolio) == status
    assert unmonitored(bank.ws, bank.portfolio) == []
    again = monitor(bank.ws, bank.portfolio, keys)
    assert (again.measured, again.settled, again.looked) == ([], [], [])


def test_frauds_of_a_new_kind_are_seen_when_their_labels_are_known(bank: Bank) -> None:
    keys = live(bank, 20, hidden=8)
    monitor(bank.ws, bank.portfolio, keys)
    found = {state.key: state for state in states(bank.ws, bank.portfolio)}
    # The labels of the first day are due seven days after it: nobody may know better before.
    assert FRAUDS not in found[keys[6]].families
    assert found[keys[-1]].families[FRAUDS][0] == "act"
    assert found[keys[-1]].families[RECALL][0] in ("watch", "act")


def test_labels_that_are_not_due_yet_do_not_enter(bank: Bank) -> None:
    keys = live(bank, 10)
    monitor(bank.ws, bank.portfolio, keys)
    newest = bank.portfolio.partitioning.end(keys[-1])
    settled = bank.ws.store.keys(OUTCOMES, bank.portfolio.name)
    assert settled == [key for key in keys if known_from(bank.portfolio, key) <= newest]
    assert len(settled) == 3
    before = bank.stored()
    # A report of a settled day that arrives after its labels were due.
    bank.report(key_of(HISTORY + 9), [f"{keys[0]}-{n:03d}" for n in range(40)])
    monitor(bank.ws, bank.portfolio, keys)
    assert (
        bank.stored()[f"outcomes/portfolio=cards/date={keys[0]}/manifest.json"]
        == (before[f"outcomes/portfolio=cards/date={keys[0]}/manifest.json"])
    )


def test_labels_that_arrived_late_in_a_day_already_settled_are_settled_anew(bank: Bank) -> None:
    keys = live(bank, 10)
    monitor(bank.ws, bank.portfolio, keys)
    manifest = bank.ws.store.require(OUTCOMES, bank.portfolio.name, keys[0])
    bank.report(key_of(HISTORY + 3), [f"{keys[0]}-{n:03d}" for n in range(30)])
    assert keys[0] in unmonitored(bank.ws, bank.portfolio)
    monitor(bank.ws, bank.portfolio, unmonitored(bank.ws, bank.portfolio))
    after = bank.ws.store.require(OUTCOMES, bank.portfolio.name, keys[0])
    assert after.facts["sums"]["frauds"] > manifest.facts["sums"]["frauds"]
    assert unmonitored(bank.ws, bank.portfolio) == []


def test_an_estimate_is_marked_and_decides_nothing(bank: Bank) -> None:
    keys = live(bank, 12)
    monitor(bank.ws, bank.portfolio, keys)
    checks = checks_of(bank.ws, bank.portfolio, keys[-1])
    estimates = [check for check in checks if check.estimated]
    assert {check.family for check in estimates} == {"average precision", "precision", RECALL}
    assert all(check.level is None and "estimate" in check.note for check in estimates)
    # On the second day nothing has matured: there is an estimate, and no measurement.
    early = checks_of(bank.ws, bank.portfolio, keys[1])
    assert {check.estimated for check in early if check.family == RECALL} == {True}


def test_a_new_category_is_worth_a_look_and_no_training(bank: Bank) -> None:
    keys = live(bank, 12, channel="telepathy")
    result = monitor(bank.ws, bank.portfolio, keys)
    found = states(bank.ws, bank.portfolio)[-1]
    assert found.families[NEW][0] == "watch"
    new = next(c for c in checks_of(bank.ws, bank.portfolio, keys[-1]) if c.family == NEW and c.column == "channel")
    assert (new.value, new.note) == (1.0, "telepathy")
    assert result.key == keys[-1]


def test_without_its_training_run_a_champion_is_not_watched(bank: Bank) -> None:
    import shutil

    keys = live(bank, 1)
    shutil.rmtree(str(bank.ws.store.root / "training"))
    result = monitor(bank.ws, bank.portfolio, keys)
    assert result.status == "unknown"
    assert result.notes == ["v1 is not watched: what its training run left is not there any more"]


def test_the_history_shows_distributions_then_and_now(bank: Bank) -> None:
    keys = live(bank, 12, raise_amounts=4.0)
    monitor(bank.ws, bank.portfolio, keys)
    found = history(bank.ws, bank.portfolio)
    assert found is not None
    loudest = found.distributions[0]
    assert loudest.check.column == "amount"
    for place in (1, 2):
        assert sum(bar[place] for bar in loudest.bars) == pytest.approx(1.0)
    assert found.measured[RECALL][-1].key == keys[-1]
    earlier = history(bank.ws, bank.portfolio, until=keys[5])
    assert earlier is not None
    assert earlier.newest.key == keys[5]
    assert replace(earlier.newest, families={}).status in ("unknown", "ok", "watch", "act")
