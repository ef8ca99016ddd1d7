from __future__ import annotations

from fraudops.cases.following import follow_up
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.pending import partition_states
from fraudops.decisions.replay import replay
from fraudops.decisions.scoring import score
from fraudops.decisions.unfinished import unfinished_keys

from tests.decisions.immediate.conftest import Office
from tests.decisions.immediate.desks import arrival, champion

DAY = "2026-03-02"
"""Of the bank's file: 600, 30, 40 and 990."""


def test_a_day_without_any_has_the_bytes_that_it_had(office: Office) -> None:
    score(office.ws, office.portfolio, DAY)
    before = office.bank.stored("scores")
    manifest = office.ws.store.require("scores", "cards", DAY)
    assert "online" not in manifest.facts
    assert {known.dataset for known in manifest.inputs} == {"transactions", "features", "models"}
    office.decide(arrival("elsewhere", 20.0, time="2026-03-09T10:00"))
    assert score(office.ws, office.portfolio, DAY).state == "unchanged"
    assert office.bank.stored("scores") == before
    assert office.bank.stored("online") == {}


def test_the_batch_keeps_what_was_decided_at_once(office: Office) -> None:
    first = office.bank.models[0]
    office.bank.promote("2026-03-01", "2026-02-01", factor=0.1)
    office.champion = champion(office.portfolio, first.id)
    office.decide(arrival(f"{DAY}-3", 990.0), arrival("not in the file", 20.0, time=f"{DAY}T01:00"))
    follow_up(office.ws, office.portfolio)
    assert score(office.ws, office.portfolio, DAY).decisions == {"allow": 3, "review": 0, "block": 1}
    manifest = office.ws.store.require("scores", "cards", DAY)
    rows = {row["transaction_id"]: row for row in office.ws.store.read(manifest).to_pylist()}
    assert (rows[f"{DAY}-3"]["score"], rows[f"{DAY}-3"]["decision"]) == (0.99, "block")
    assert rows[f"{DAY}-0"]["score"] == 0.06
    assert manifest.facts["online"] == {"rows": 1, "models": {"v1": 1}}
    assert manifest.facts["model_version"] == "v2"
    assert "online" in {known.dataset for known in manifest.inputs}
    assert raise_alerts(office.ws, office.portfolio, DAY, actor="service:score").raised == 0
    assert unfinished_keys(office.ws, office.portfolio) == []
    assert partition_states(office.ws, office.portfolio)[DAY] == "scored"


def test_again_gives_the_same_bytes(office: Office) -> None:
    office.decide(arrival(f"{DAY}-3", 990.0))
    score(office.ws, office.portfolio, DAY)
    before = office.bank.stored("scores") | office.bank.stored("online")
    assert score(office.ws, office.portfolio, DAY).state == "unchanged"
    assert office.bank.stored("scores") | office.bank.stored("online") == before


def test_what_is_recorded_lies_in_the_store(office: Office) -> None:
    _, decided = office.decide(arrival("a", 20.0), arrival(f"{DAY}-3", 990.0, time=f"{DAY}T11:30"))
    score(office.ws, office.portfolio, DAY)
    manifest = office.ws.store.require("online", "cards", DAY)
    _, row = office.ws.store.read(manifest).to_pylist()
    assert (row["transaction_id"], row["number"], row["model_version"]) == (f"{DAY}-3", 2, "v1")
    assert row["features"][0] == 1.0
    assert row["reasons"] == [reason.text for reason in decided.reasons]
    assert manifest.facts["models"] == {"v1": 2}


def test_a_replay_of_the_partition_comes_out_equal(office: Office) -> None:
    office.decide(arrival(f"{DAY}-3", 990.0))
    follow_up(office.ws, office.portfolio)
    score(office.ws, office.portfolio, DAY)
    raise_alerts(office.ws, office.portfolio, DAY, actor="service:score")
    for one in replay(office.ws, office.portfolio, DAY, [f"{DAY}-{place}" for place in range(4)]):
        assert (one.state, one.whole) == ("equal", True), one
