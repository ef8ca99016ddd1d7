"""What follows from a corrected or late partition: who is told, once, and what is to be scored again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.corrections import follow_up
from fraudops.decisions.historic import tell_historic
from fraudops.decisions.pending import partition_states, stale_keys
from fraudops.decisions.scoring import score
from fraudops.features import build
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import land
from fraudops.intake.publication import publish
from fraudops.store import Input
from fraudops.store.digests import canonical_json
from fraudops.workspace import Workspace

from tests.decisions.conftest import Bank
from tests.intake.conftest import HEADER, make_portfolio, row

DAYS = ["2026-03-05", "2026-03-06", "2026-04-20"]
_BEHAVIOUR = [{"entity": "customer", "windows": ["30d"], "aggregates": ["amount_ratio"]}]


class Shop(Bank):
    """A shop whose days come as files."""

    def land(self, name: str, *rows: str, header: str = HEADER, **options: Any) -> list[str]:
        """Land a file and publish its partitions, as ``land`` does."""
        folder = self.ws.landing / self.portfolio.name
        folder.mkdir(exist_ok=True)
        path = Path(folder, name)
        path.write_text("\n".join([header, *rows, ""]))
        is_labels = name.startswith("labels")
        files = FeedFiles([], [path]) if is_labels else FeedFiles([path])
        result = land(self.ws, self.portfolio, files, **options)
        for key in result.keys:
            publish(self.ws, self.portfolio, key, actor="service:test")
        return [*result.keys, *result.label_keys]

    def score(self, *keys: str) -> None:
        """Score partitions and raise their alerts, as ``score`` and ``reconcile`` do."""
        build(self.ws, self.portfolio, keys)
        for key in keys:
            score(self.ws, self.portfolio, key)
            raise_alerts(self.ws, self.portfolio, key, actor="service:test")


def _day(key: str, *amounts: str) -> list[str]:
    return [row(f"{key}-{n}", f"{key}T1{n}:00:00Z", amount) for n, amount in enumerate(amounts)]


@pytest.fixture
def shop(workspace: Workspace) -> Shop:
    """Three days that are scored, two of them next to each other."""
    shop = Shop(workspace, make_portfolio(features={"behaviour": _BEHAVIOUR}))
    for key in DAYS:
        shop.land(f"tx_{key}.csv", *_day(key, "10", "950"))
    shop.promote("2026-03-01", "2026-02-01")
    shop.score(*DAYS)
    assert follow_up(shop.ws, shop.portfolio, DAYS).to_dict() == {
        "corrected": [], "stale": [], "models": [], "notices": 0,
    }  # fmt: skip
    return shop


def test_a_corrected_day_makes_the_days_that_look_back_at_it_stale(shop: Shop) -> None:
    keys = shop.land(f"tx_{DAYS[0]}.csv", *_day(DAYS[0], "10", "960", "920"))
    found = follow_up(shop.ws, shop.portfolio, keys)
    assert (found.corrected, found.stale, found.notices) == ([DAYS[0]], DAYS[:2], 1)
    assert list(found.sentences()) == [
        "the data owner is told of the changes in 2026-03-05",
        "2 partitions are stale and to be scored again: 2026-03-05, 2026-03-06",
    ]
    (notice,) = shop.notices("correction")
    assert notice.recipients == ["d@x.example"]
    assert notice.subject == "[fraudops] shop: 1 published partition changed, 1 row added, 1 changed, 0 removed"
    assert "tx_2026-03-05.csv" in notice.text
    assert "2 partitions were scored from what was there before (2026-03-05 to 2026-03-06)" in notice.text
    assert "shop_reconcile scores them again" in notice.text
    before = shop.alerts()
    shop.score(*found.stale)
    assert partition_states(shop.ws, shop.portfolio) == dict.fromkeys(DAYS, "scored")
    # What was raised stays, and is not told again; what is new is.
    assert [alert.id for alert in shop.alerts()[: len(before)]] == [alert.id for alert in before]
    assert [alert.transaction_id for alert in shop.alerts()[len(before) :]] == ["2026-03-05-2"]
    # It is weeks old by then, so it is told of in a summary.
    assert len(shop.notices("digest")) == 3
    assert tell_historic(shop.ws, shop.portfolio)
    (summary,) = shop.notices("historic")
    assert summary.subject == "[fraudops] shop: 1 alert of 1 past partition, 1 blocked"


def test_a_change_whose_partition_is_scored_again_already_is_told_as_such(shop: Shop) -> None:
    keys = shop.land(f"tx_{DAYS[2]}.csv", *_day(DAYS[2], "10", "960"))
    shop.score(*DAYS[2:])
    found = follow_up(shop.ws, shop.portfolio, keys)
    assert (found.corrected, found.stale) == (DAYS[2:], [])
    (notice,) = shop.notices("correction")
    assert "No score is out of date: what had been scored from the rows before" in notice.text
    assert "alerts that were raised stay" in notice.text


def test_a_change_is_told_once_whatever_died_in_between(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.land(f"tx_{DAYS[0]}.csv", *_day(DAYS[0], "10"))
    # Nobody followed that up; the next landing does.
    keys = shop.land(f"tx_{DAYS[1]}.csv", *_day(DAYS[1], "10"))
    with monkeypatch.context() as patched:
        patched.setattr("fraudops.decisions.corrections._models_trained_before", _dies)
        with pytest.raises(RuntimeError):
            follow_up(shop.ws, shop.portfolio, keys)
    assert follow_up(shop.ws, shop.portfolio, keys).corrected == DAYS[:2]
    assert follow_up(shop.ws, shop.portfolio, keys).corrected == []
    publish(shop.ws, shop.portfolio, DAYS[0], actor="service:test")
    assert follow_up(shop.ws, shop.portfolio, DAYS).notices == 0
    assert len(shop.notices("correction")) == 1
    # There and back again are two changes, and each is told.
    shop.land(f"tx_{DAYS[0]}.csv", *_day(DAYS[0], "10", "950"))
    shop.land(f"tx_{DAYS[0]}.csv", *_day(DAYS[0], "10"))
    assert follow_up(shop.ws, shop.portfolio, []).corrected == [DAYS[0]]
    assert [notice.text.count("2026-03-05  ") for notice in shop.notices("correction")] == [1, 2]


def _dies(*_: object) -> None:
    raise RuntimeError


def test_the_ledger_says_before_after_and_how_many(shop: Shop) -> None:
    before = shop.ws.store.require("transactions", "shop", DAYS[0])
    shop.land(f"tx_{DAYS[0]}.csv", *_day(DAYS[0], "11"))
    after = shop.ws.store.require("transactions", "shop", DAYS[0])
    details = shop.ledger("ingested")[-1].details
    assert (details["before"], details["after"]) == (before.data_digest, after.data_digest)
    assert details["changes"] == {"added": 0, "changed": 1, "removed": 1}
    assert "tx_" not in str(details)
    assert all("changes" not in entry.details for entry in shop.ledger("ingested")[:-1])


def test_a_late_file_and_a_late_day_are_followed_up(shop: Shop) -> None:
    keys = shop.land("tx_more.csv", row("late", f"{DAYS[1]}T20:00:00Z", "1"))
    found = follow_up(shop.ws, shop.portfolio, keys)
    assert (found.corrected, found.stale) == ([DAYS[1]], [DAYS[1]])
    shop.score(*found.stale)
    keys = shop.land("tx_2026-03-04.csv", *_day("2026-03-04", "10"))
    found = follow_up(shop.ws, shop.portfolio, keys)
    # A day that was not there takes nothing's place; days that look back at it are stale all the same.
    assert (found.corrected, found.stale, found.notices) == ([], DAYS[:2], 0)


def test_late_reports_make_days_that_look_back_at_them_stale(workspace: Workspace) -> None:
    behaviour = [{"entity": "customer", "windows": ["30d"], "aggregates": ["amount_ratio", "fraud_count"]}]
    shop = Shop(workspace, make_portfolio(features={"behaviour": behaviour}))
    for key in DAYS:
        shop.land(f"tx_{key}.csv", *_day(key, "10"))
    shop.promote("2026-03-01", "2026-02-01")
    shop.score(*DAYS)
    header = "transaction_id,reported_at,label"
    keys = shop.land("labels.csv", f"{DAYS[0]}-0,2026-03-05T12:00:00Z,1", header=header)
    found = follow_up(shop.ws, shop.portfolio, keys)
    assert (keys, found.stale, found.corrected) == ([DAYS[0]], [DAYS[1]], [])


def test_without_behaviour_only_the_day_itself_is_stale(workspace: Workspace) -> None:
    shop = Shop(workspace, make_portfolio(features={"calendar": ["hour"]}))
    for key in DAYS:
        shop.land(f"tx_{key}.csv", *_day(key, "10"))
    build(workspace, shop.portfolio, DAYS)
    for key in DAYS:
        made_of = [workspace.store.require(name, "shop", key) for name in ("transactions", "features")]
        inputs: list[Input] = [manifest.as_input() for manifest in made_of]
        workspace.store.write("scores", "shop", key, workspace.store.read(made_of[0]), config="c", inputs=inputs)
    shop.land(f"tx_{DAYS[1]}.csv", *_day(DAYS[1], "11"))
    assert stale_keys(workspace, shop.portfolio) == [DAYS[1]]
    assert stale_keys(workspace, shop.portfolio, since=DAYS[2]) == []


def test_models_that_learned_from_what_was_there_before_are_named(shop: Shop) -> None:
    store = shop.ws.store
    digests = {f"transactions/{key}": store.require("transactions", "shop", key).data_digest for key in DAYS[:2]}
    store.put(_dataset(digests), "training", "shop", "run-0", "dataset.json")
    shop.land(f"tx_{DAYS[2]}.csv", *_day(DAYS[2], "11"))
    keys = shop.land(f"tx_{DAYS[0]}.csv", *_day(DAYS[0], "11"))
    found = follow_up(shop.ws, shop.portfolio, keys)
    assert found.models == ["v1 was trained on 2026-03-05 as it was before"]
    (notice,) = shop.notices("correction")
    assert "v1 was trained on 2026-03-05 as it was before." in notice.text


def _dataset(inputs: dict[str, str]) -> bytes:
    content = {
        "portfolio": "shop", "run_id": "run-0", "as_of": "2026-03-07T00:00:00+00:00", "window": 86400.0,
        "split": "time", "promotable": True, "seed": 0, "delay": 0.0, "columns": {"numeric": [], "categorical": []},
        "slices": {}, "immature": 0, "validation_from": None, "test_from": None,
        "trained_until": "2026-03-07T00:00:00+00:00", "first_key": DAYS[0], "last_key": DAYS[1], "inputs": inputs,
        "config": "c", "sha256": "s", "code": "1",
    }  # fmt: skip
    return canonical_json(content)


def test_a_name_with_a_card_number_or_markup_is_not_passed_on(shop: Shop) -> None:
    keys = shop.land("tx_4111111111111111<b>.csv", row("new", f"{DAYS[0]}T20:00:00Z"))
    follow_up(shop.ws, shop.portfolio, keys)
    (notice,) = shop.notices("correction")
    assert "4111111111111111" not in notice.text + notice.html
    assert "<b>.csv" not in notice.html
