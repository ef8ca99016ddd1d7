from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from fraudops.cli import alerts as command
from fraudops.decisions import alerts as module
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.scoring import score
from fraudops.errors import ConflictError, IntegrityError, MissingPartitionError
from typer.testing import CliRunner

from tests.decisions.conftest import Bank, at

DAY = "2026-03-02"
ACTOR = "service:score"


@pytest.fixture
def scored(bank: Bank) -> Bank:
    """The second day is scored: one review (600.00), one block (990.00)."""
    bank.promote("2026-03-01", "2026-02-01")
    score(bank.ws, bank.portfolio, DAY)
    return bank


def test_an_alert_for_each_review_and_block(scored: Bank) -> None:
    result = raise_alerts(scored.ws, scored.portfolio, DAY, actor=ACTOR)
    assert result.to_dict() == {"key": DAY, "raised": 2, "already": 0, "notices": 2}
    review, block = scored.alerts()
    assert (review.decision, review.score, review.amount_minor) == ("review", 0.6, 60_000)
    assert (block.transaction_id, block.decision, block.currency) == (f"{DAY}-3", "block", "EUR")
    assert (block.minor_digits, block.event_time, block.as_of) == (2, at(f"{DAY}T03:00"), at("2026-03-03"))
    assert block.model_id == scored.models[0].id
    # Its customer paid 10.00 the day before and 600.00 an hour ago.
    assert block.reasons == ["amount 990.00, this customer's mean over 30 days is 305.00 (3.2 times)"]
    assert block.explanation is not None
    assert [reason["text"] for reason in block.explanation["reasons"]] == block.reasons
    assert block.explanation["reasons"][0]["contribution"] > 0
    (entry,) = scored.ledger("alerts_raised")
    assert (entry.actor, entry.subject) == (ACTOR, f"cards/alerts/{DAY}")
    assert entry.details == {
        "review": 1,
        "block": 1,
        "samples": 0,
        "notices": 2,
        "model_version": "v1",
        "scores": scored.ws.store.require("scores", "cards", DAY).data_digest,
    }


def test_a_rerun_raises_none_again(scored: Bank) -> None:
    raise_alerts(scored.ws, scored.portfolio, DAY, actor=ACTOR)
    again = raise_alerts(scored.ws, scored.portfolio, DAY, actor=ACTOR)
    assert (again.raised, again.already, again.notices) == (0, 2, 0)
    assert len(scored.alerts()) == 2
    assert len(scored.notices("digest")) == len(scored.notices("immediate")) == 1
    assert len(scored.ledger("alerts_raised")) == 1


def test_two_runs_at_once_raise_each_alert_once(scored: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    both, real = Barrier(2, timeout=20), module._rows

    def together(*arguments: object) -> object:
        rows = real(*arguments)  # type: ignore[arg-type]
        both.wait()
        return rows

    monkeypatch.setattr(module, "_rows", together)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(raise_alerts, scored.ws, scored.portfolio, DAY, actor=ACTOR) for _ in range(2)]
        results = [run.result() for run in runs]
    assert sorted(result.raised for result in results) == [0, 2]
    assert len(scored.alerts()) == 2
    assert len(scored.notices("digest")) == len(scored.notices("immediate")) == 1
    assert len(scored.ledger("alerts_raised")) == 1


def test_a_day_on_which_all_is_allowed_sends_nothing(scored: Bank) -> None:
    score(scored.ws, scored.portfolio, "2026-03-03")
    result = raise_alerts(scored.ws, scored.portfolio, "2026-03-03", actor=ACTOR)
    assert (result.raised, result.already, result.notices) == (0, 0, 0)
    assert scored.notices("digest") == []
    assert scored.ledger("alerts_raised") == []


def test_immediate_notices_are_capped_the_highest_scores_first(scored: Bank) -> None:
    scored.day("2026-03-04", [910.0, 990.0, 930.0, 980.0, 905.0, 20.0])
    score(scored.ws, scored.portfolio, "2026-03-04")
    result = raise_alerts(scored.ws, scored.portfolio, "2026-03-04", actor=ACTOR)
    assert (result.raised, result.notices) == (5, 4)
    told = [notice.dedupe_key.rpartition("/")[2] for notice in scored.notices("immediate")]
    assert told == ["2026-03-04-1", "2026-03-04-3", "2026-03-04-2"]
    assert len(scored.notices("digest")) == 1


def test_late_rows_get_alerts_and_a_digest_but_no_more_immediate_notices_than_the_limit(scored: Bank) -> None:
    scored.day("2026-03-04", [910.0, 990.0])
    score(scored.ws, scored.portfolio, "2026-03-04")
    raise_alerts(scored.ws, scored.portfolio, "2026-03-04", actor=ACTOR)
    scored.day("2026-03-04", [910.0, 990.0, 940.0, 950.0, 600.0])
    score(scored.ws, scored.portfolio, "2026-03-04")
    result = raise_alerts(scored.ws, scored.portfolio, "2026-03-04", actor=ACTOR)
    assert (result.raised, result.already, result.notices) == (3, 2, 2)
    assert len(scored.notices("immediate")) == 3
    assert len(scored.notices("digest")) == 2


def test_a_new_score_leaves_earlier_alerts_as_they_are(scored: Bank) -> None:
    raise_alerts(scored.ws, scored.portfolio, DAY, actor=ACTOR)
    before = [(alert.id, alert.score, alert.decision, alert.reasons) for alert in scored.alerts()]
    scored.day(DAY, [20.0, 30.0, 40.0, 930.0])
    score(scored.ws, scored.portfolio, DAY)
    result = raise_alerts(scored.ws, scored.portfolio, DAY, actor=ACTOR)
    assert (result.raised, result.already) == (0, 1)
    assert [(alert.id, alert.score, alert.decision, alert.reasons) for alert in scored.alerts()] == before


def test_the_currency_of_the_row(scored: Bank) -> None:
    scored.day("2026-03-04", [950.0, 960.0], currency=["JPY", None])
    score(scored.ws, scored.portfolio, "2026-03-04")
    raise_alerts(scored.ws, scored.portfolio, "2026-03-04", actor=ACTOR)
    assert [alert.currency for alert in scored.alerts()] == ["JPY", ""]
    one = scored.portfolio.model_copy(update={"currency": "USD"})
    score(scored.ws, one, DAY)
    raise_alerts(scored.ws, one, DAY, actor=ACTOR)
    assert {alert.currency for alert in scored.alerts()[2:]} == {"USD"}


def test_no_alerts_from_scores_of_other_rows(scored: Bank) -> None:
    scored.day(DAY, [950.0])
    with pytest.raises(ConflictError, match="have changed since"):
        raise_alerts(scored.ws, scored.portfolio, DAY, actor=ACTOR)
    assert scored.alerts() == []


def test_no_alerts_without_scores(bank: Bank) -> None:
    with pytest.raises(MissingPartitionError, match="scores"):
        raise_alerts(bank.ws, bank.portfolio, DAY, actor=ACTOR)


def test_an_altered_model_explains_nothing(bank: Bank) -> None:
    bank.promote("2026-03-01", "2026-02-01", factor=1.01)
    score(bank.ws, bank.portfolio, DAY)
    path = bank.artifact(bank.models[0])
    path.write_bytes(b"x" + path.read_bytes())
    module.load_model.__globals__["_models"].clear()
    with pytest.raises(IntegrityError):
        raise_alerts(bank.ws, bank.portfolio, DAY, actor=ACTOR)
    assert bank.alerts() == []
    assert bank.notices("digest") == []


def test_the_command_lists_and_shows(scored: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    raise_alerts(scored.ws, scored.portfolio, DAY, actor=ACTOR)
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", scored.ws.database_url)
    run = CliRunner()
    listed = json.loads(run.invoke(command.app, ["list", "--json", "--decision", "block"]).stdout)
    assert [(a["transaction_id"], a["amount"], a["model_version"]) for a in listed] == [(f"{DAY}-3", "990.00", "v1")]
    shown = run.invoke(command.app, ["show", str(listed[0]["id"])])
    assert shown.exit_code == 0
    assert "this customer's mean over 30 days is 305.00" in shown.stdout
    assert f"{DAY}-0" in run.invoke(command.app, ["list"]).stdout
    assert "No alerts" in run.invoke(command.app, ["list", "--portfolio", "ulb"]).stdout
    assert run.invoke(command.app, ["show", "nothing"]).exit_code == 1
