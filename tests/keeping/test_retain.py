from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta

import pytest
from fraudops import cases
from fraudops.decisions.pending import partition_states
from fraudops.decisions.recorded import find_decision
from fraudops.decisions.replay import replay
from fraudops.decisions.scoring import score
from fraudops.errors import ContractError
from fraudops.features import build
from fraudops.keeping import retain as room
from fraudops.keeping.holds import place, release
from fraudops.keeping.retain import due, retain
from fraudops.keeping.verification import verify
from fraudops.portfolio import Cases
from fraudops.registry import versions
from fraudops.roles import Roles
from fraudops.store import removed_keys, tombstone

from tests.keeping.conftest import DAYS, Shop, at, portfolio_of

NOW = at("2026-03-09T12:00")
"""Eight days are over; what is kept for five of them goes back to 2026-03-04."""
FIVE = dict.fromkeys(
    ("transactions", "features", "scores", "history", "alerts", "notices", "labels", "protected"), "5d"
)


def _five(shop: Shop) -> None:
    shop.portfolio = shop.keeping(**FIVE, quarantine="5d", validation="5d", models="5d", training="5d")


def test_by_default_nothing_of_five_years_is_due(shop: Shop) -> None:
    assert due(shop.ws, shop.portfolio, NOW) == []
    nearly = NOW + timedelta(days=1800)
    assert {item.area for item in due(shop.ws, shop.portfolio, nearly)} == {"quarantine"}


def test_what_is_too_old_goes_and_the_ledger_says_what(shop: Shop) -> None:
    _five(shop)
    before = {key: shop.ws.store.require("transactions", "shop", key) for key in DAYS}
    expected = Counter(item.area for item in due(shop.ws, shop.portfolio, NOW))
    result = retain(shop.ws, shop.portfolio, now=NOW, actor="service:retain")
    for dataset in ("transactions", "lineage", "protected", "features", "scores", "labels"):
        assert shop.keys(dataset) == DAYS[3:], dataset
        assert removed_keys(shop.ws.store, dataset, "shop") == DAYS[:3], dataset
    assert {alert.partition_key for alert in shop.alerts()} == set(DAYS[3:])
    assert result.counts == expected
    assert not [name for name in shop.files() if any(day in name for day in DAYS[:3]) and "removed/" not in name]
    (began,), (removed,) = shop.ledger("retention_began"), shop.ledger("retention_removed")
    listed = {(area, name): digest for area, name, digest, *_ in began.details["items"]}
    assert listed["transactions", DAYS[0]] == before[DAYS[0]].data_digest
    assert removed.details["began"] == began.number
    assert removed.details["removed"]["transactions"] == 3
    assert removed.details["rows"]["transactions"] == 9
    assert removed.details["bytes"] > 0
    assert verify(shop.ws, shop.portfolio, now=NOW, thorough=True).findings == ()
    # Nothing is left to do, and nothing is done twice.
    assert due(shop.ws, shop.portfolio, NOW) == []
    assert retain(shop.ws, shop.portfolio, now=NOW, actor="a").to_dict()["ledger"] == []


def test_what_was_removed_is_no_missing_work(shop: Shop) -> None:
    _five(shop)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    # The features of the fourth look back to days that are gone; they stay what they were.
    assert partition_states(shop.ws, shop.portfolio) == dict.fromkeys(DAYS[3:], "scored")
    kept = shop.ws.store.require("features", "shop", DAYS[3])
    assert build(shop.ws, shop.portfolio, DAYS[3:])[0] == kept
    notices = len(shop.notices())
    result = shop.land(*[shop.file(key) for key in DAYS], labels=(shop.report(DAYS[0], f"{DAYS[0]}-b"),))
    assert result.keys == DAYS[3:]
    assert result.changed_keys == []
    assert [note for note in result.notes if "retention has removed" in note]
    assert result.rows_elsewhere == 13, "three days of four rows, and a report"
    assert shop.keys("transactions") == shop.keys("labels") == DAYS[3:]
    assert not [name for name in shop.files() if "quarantine" in name and b"2026-03-01" in shop.files()[name]]
    assert len(shop.notices()) == notices
    with pytest.raises(ContractError, match=r"2026-03-01 were removed by retention.*backup"):
        shop.land(shop.file(DAYS[0]), first=DAYS[0], last=DAYS[0])


def test_decisions_whose_past_is_gone_are_replayed_as_far_as_they_can_be(shop: Shop) -> None:
    _five(shop)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    (found,) = replay(shop.ws, shop.portfolio, DAYS[3], [f"{DAYS[3]}-c"])
    states = {part.name: part.state for part in found.parts}
    assert states.pop("features") == "gone"
    assert set(states.values()) == {"equal"}
    assert "removed by retention" in next(part.why for part in found.parts if part.name == "features")
    with pytest.raises(ContractError, match=rf"scores of {DAYS[0]} were removed by retention \(ledger entry"):
        find_decision(shop.ws, {"shop": shop.portfolio}, f"shop/{DAYS[0]}/{DAYS[0]}-c")


def test_scores_that_went_before_their_transactions_are_not_made_anew(shop: Shop) -> None:
    shop.portfolio = shop.keeping(scores="5d")
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    states = partition_states(shop.ws, shop.portfolio)
    assert [states[key] for key in DAYS[:4]] == ["removed", "removed", "removed", "scored"]
    assert score(shop.ws, shop.portfolio, DAYS[0]).state == "removed"
    assert shop.keys("scores") == DAYS[3:]


def test_features_of_which_the_past_is_gone_are_not_computed_from_half_of_it(shop: Shop) -> None:
    _five(shop)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    other = portfolio_of(features={"behaviour": [{"entity": "customer", "windows": ["2d"], "aggregates": ["count"]}]})
    with pytest.raises(ContractError, match="retention has removed days that they look back to"):
        build(shop.ws, other, [DAYS[3]])
    assert build(shop.ws, other, [DAYS[7]])


def test_a_correction_of_a_day_whose_personal_data_are_gone_is_landed(shop: Shop) -> None:
    shop.portfolio = shop.keeping(protected="5d")
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert shop.keys("protected") == DAYS[3:]
    path = shop.file(DAYS[0])
    path.write_text(path.read_text().replace("20.00", "21.00"))
    assert shop.land(path).changed_keys == [DAYS[0]]
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert shop.keys("protected") == DAYS[3:]


def test_files_of_models_that_were_never_used_go_and_are_no_alarm(shop: Shop) -> None:
    never = shop.model("run-2", "2026-03-01")
    _five(shop)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    files = shop.files()
    assert "models/portfolio=shop/v1/model.joblib" in files, "the champion stays"
    assert "models/portfolio=shop/v2/model.joblib" not in files
    assert not [name for name in files if "run-2" in name]
    assert "training/portfolio=shop/run-1/dataset.parquet" in files
    with pytest.raises(ContractError, match=r"removed by retention \(ledger entry"):
        versions.load(shop.ws, never)
    assert shop.ledger("model_refused") == []


def _left(shop: Shop, area: str) -> set[str]:
    return {name.split("/")[2] for name in shop.files() if name.startswith(f"{area}/portfolio=shop/")}


def test_what_monitoring_compared_with_goes_once_no_day_of_its_champion_is_kept(shop: Shop) -> None:
    shop.model("run-2", "2026-03-02", champion=True)
    for version in ("v1", "v2"):
        shop.ws.store.put(b"{}", "monitoring_reference", "shop", version, "reference.json")
    _five(shop)
    (hold,) = place(shop.ws, shop.portfolio, first=DAYS[6], last=DAYS[6], reason="case 9", by="legal")
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert _left(shop, "monitoring_reference") == {"v1", "v2"}, "all of them stay while there is a hold"
    release(shop.ws, hold.id, reason="closed", by="legal")
    shop.portfolio = shop.keeping(**FIVE, references="8d")
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert _left(shop, "monitoring_reference") == {"v1", "v2"}
    _five(shop)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert _left(shop, "monitoring_reference") == {"v2"}, "the one in force"


def test_a_restatement_is_as_old_as_its_files_and_may_go_before_the_scores(shop: Shop) -> None:
    for run, moment in (("old", at("2026-03-03")), ("new", at("2026-03-08"))):
        path = shop.ws.store.put(b"{}", "restated", "shop", run, "summary.json")
        os.utime(str(path), (moment.timestamp(), moment.timestamp()))
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert _left(shop, "restated") == {"old", "new"}, "as long as the scores"
    shop.portfolio = shop.keeping(restatements="5d")
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert _left(shop, "restated") == {"new"}
    assert shop.keys("scores") == DAYS


def test_of_old_notices_only_that_there_were_such_is_kept(shop: Shop) -> None:
    with shop.ws.transaction() as session:
        for notice in shop.notices():
            notice = session.merge(notice)
            notice.state = "sent"
    waiting = shop.notices()[0]
    with shop.ws.transaction() as session:
        session.merge(waiting).state = "waiting"
    _five(shop)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    old = [notice for notice in shop.notices() if notice.as_of < at("2026-03-04")]
    assert next(notice for notice in old if notice.state == "waiting").text, "nobody has it yet"
    assert {(n.subject, n.text, n.html, tuple(n.recipients)) for n in old if n.state == "sent"} == {("", "", "", ())}
    assert all(notice.dedupe_key and notice.message_id for notice in old)
    assert all(notice.text for notice in shop.notices() if notice.as_of > at("2026-03-05"))


def test_what_is_held_stays_until_it_is_released(shop: Shop) -> None:
    _five(shop)
    place(shop.ws, shop.portfolio, transactions=[f"{DAYS[1]}-a"], reason="court order 7", by="legal")
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    for dataset in ("transactions", "lineage", "protected", "features", "scores"):
        assert shop.keys(dataset) == [DAYS[1], *DAYS[3:]], dataset
    assert shop.keys("labels") == DAYS[1:], "a report on a held day may have come later"
    assert {alert.partition_key for alert in shop.alerts()} == {DAYS[1], *DAYS[3:]}
    assert [name for name in shop.files() if name.startswith("quarantine") and b"2026-03-02" in shop.files()[name]]
    (hold,) = shop.ledger("hold_placed")
    assert hold.details["reason"] == "court order 7"
    release(shop.ws, int(hold.subject.rpartition("/")[2]), reason="settled", by="legal")
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert shop.keys("transactions") == DAYS[3:]


def test_what_an_open_case_is_about_stays_until_the_case_is_closed(shop: Shop) -> None:
    _five(shop)
    roles = Roles.model_validate({"users": {"ann": ["investigator"]}})
    alone = shop.portfolio.model_copy(update={"cases": Cases(four_eyes_from=None)})
    cases.gather(shop.ws, alone, DAYS[1], actor="service:score")
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    for dataset in ("transactions", "protected", "features", "scores"):
        assert shop.keys(dataset) == [DAYS[1], *DAYS[3:]], dataset
    assert {alert.partition_key for alert in shop.alerts()} == {DAYS[1], *DAYS[3:]}
    with shop.ws.transaction() as session:
        numbers = [case.number for case in cases.find(session, cases.Wanted(alone.name))]
    for number in numbers:
        cases.start(shop.ws, alone, number, by="ann", roles=roles)
        cases.close(shop.ws, alone, number, finding="not_fraud", reason="r", by="ann", roles=roles)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert shop.keys("transactions") == DAYS[3:]


class _KilledError(BaseException):
    """Stands for SIGKILL: nothing catches it."""


@pytest.mark.parametrize("step", [0, 7, 14, 20])
def test_wherever_it_is_killed_the_next_run_ends_as_an_undisturbed_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    _five(shop)
    announced = due(shop.ws, shop.portfolio, NOW)
    remove, calls = room._remove, iter(range(1_000))

    def dying(*arguments: object) -> bool:
        if next(calls) == step:
            raise _KilledError
        return remove(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(room, "_remove", dying)
    with pytest.raises(_KilledError):
        retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    monkeypatch.setattr(room, "_remove", remove)
    # What people and steps do meanwhile meets nothing half removed.
    partition_states(shop.ws, shop.portfolio)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert len(shop.ledger("retention_began")) == 1
    (removed,) = shop.ledger("retention_removed")
    assert removed.details["removed"] == Counter(item.area for item in announced)
    assert removed.details["bytes"] == sum(item.bytes for item in announced)
    assert shop.keys("transactions") == DAYS[3:]
    assert {alert.partition_key for alert in shop.alerts()} == set(DAYS[3:])
    assert verify(shop.ws, shop.portfolio, now=NOW, thorough=True).findings == ()


def test_a_partition_dies_in_the_middle_of_its_removal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from fraudops.store import removal

    _five(shop)
    monkeypatch.setattr(removal, "remove_folder", lambda folder: (_ for _ in ()).throw(_KilledError))
    with pytest.raises(_KilledError):
        retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    monkeypatch.undo()
    gone = tombstone(shop.ws.store, "scores", "shop", DAYS[0])
    assert gone is not None, "said before the manifest went"
    assert shop.ws.store.manifest("scores", "shop", DAYS[0]) is None
    assert partition_states(shop.ws, shop.portfolio)[DAYS[0]] == "removed"
    # A hold that comes now cannot bring back what has no manifest any more; the rest of the day it keeps.
    place(shop.ws, shop.portfolio, first=DAYS[0], reason="late", by="legal")
    result = retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert f"transactions {DAYS[0]}" in result.kept
    assert shop.keys("transactions") == [DAYS[0], *DAYS[3:]]
    assert not [name for name in shop.files() if name.startswith(f"scores/portfolio=shop/date={DAYS[0]}")]


def test_what_was_rewritten_after_it_was_announced_stays(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    _five(shop)
    monkeypatch.setattr(room, "_finish", lambda *arguments: None)
    retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    monkeypatch.undo()
    path = shop.file(DAYS[0])
    path.write_text(path.read_text().replace("20.00", "21.00"))
    shop.land(path)
    result = retain(shop.ws, shop.portfolio, now=NOW, actor="a")
    assert result.kept == [f"protected {DAYS[0]}", f"transactions {DAYS[0]}", f"lineage {DAYS[0]}"][-len(result.kept) :]
    assert shop.keys("transactions") == DAYS[3:], "and goes in the same run, announced as what it is now"
    assert len(shop.ledger("retention_began")) == 2
