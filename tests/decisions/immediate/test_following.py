from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fraudops.cases import following as module
from fraudops.cases.following import follow_up
from fraudops.database import Alert, CaseFile, CaseItem, Notice, OnlineRecord
from fraudops.decisions.alerts import raise_alerts
from fraudops.decisions.immediate import following
from fraudops.decisions.scoring import score
from fraudops.decisions.tracing import trace_alert
from sqlalchemy import select, text

from tests.decisions.immediate.conftest import Office
from tests.decisions.immediate.desks import NOW, arrival

DAY = "2026-03-02"


def rows(office: Office, model: Any) -> list[Any]:
    with office.ws.transaction() as session:
        return list(session.scalars(select(model).order_by(*model.__table__.primary_key)))


def followed(office: Office) -> dict[str, int]:
    return follow_up(office.ws, office.portfolio).to_dict()


def test_alert_notice_case_and_ledger_of_what_is_not_allowed(office: Office) -> None:
    _, _reviewed, blocked = office.decide(
        arrival("a", 20.0), arrival("b", 600.0), arrival("c", 950.0, customer_id="c2")
    )
    assert followed(office) == {"raised": 2, "notices": 1, "opened": 2, "joined": 0, "recorded": 3}
    review, block = office.bank.alerts()
    assert (review.transaction_id, review.decision, review.score, review.as_of) == ("b", "review", 0.6, NOW)
    assert (block.partition_key, block.amount_minor, block.currency, block.route) == (DAY, 95_000, "EUR", "policy")
    assert block.reasons == [reason.text for reason in blocked.reasons]
    assert block.explanation is not None
    assert [reason["text"] for reason in block.explanation["reasons"]] == block.reasons
    assert block.model_id == office.bank.models[0].id
    (notice,) = office.bank.notices("immediate")
    assert notice.dedupe_key == "cards/immediate/c"
    assert office.bank.notices("digest") == []
    assert [(case.subject_kind, case.subject) for case in rows(office, CaseFile)] == [
        ("customer", "c1"), ("customer", "c2"),
    ]  # fmt: skip
    assert [item.reference for item in rows(office, CaseItem)] == [str(review.id), str(block.id)]
    (entry,) = office.bank.ledger("decided_at_once")
    assert (entry.actor, entry.subject) == ("service:serve", "cards/online/1-3")
    assert entry.details["decisions"] == {"v1": {"allow": 1, "block": 1, "review": 1}}
    assert (entry.details["alerts"], entry.details["notices"], entry.details["opened"]) == (2, 1, 2)
    assert [one.followed_up for one in office.decisions()] == [True] * 3
    assert [one.told for one in office.decisions()] == [True, False, True]


def test_again_does_nothing(office: Office) -> None:
    office.decide(arrival("b", 600.0), arrival("c", 950.0))
    followed(office)
    assert set(followed(office).values()) == {0}
    assert len(office.bank.alerts()) == 2
    assert len(office.bank.ledger("decided_at_once")) == 1


def test_several_at_once_do_it_once(office: Office) -> None:
    office.decide(*(arrival(f"b{n}", 600.0 + n) for n in range(20)))
    with ThreadPoolExecutor(4) as pool:
        done = [future.result() for future in [pool.submit(follow_up, office.ws, office.portfolio) for _ in range(4)]]
    assert sum(one.raised for one in done) == 20
    assert sum(one.recorded for one in done) == 20
    assert len(office.bank.alerts()) == 20


def test_what_fails_half_way_leaves_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.decide(arrival("c", 950.0))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for owner, name in ((module, "_gather"), (following, "record"), (following, "queue_immediate")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, killed)
            with pytest.raises(KeyboardInterrupt):
                followed(office)
        assert office.bank.alerts() == rows(office, Notice) == rows(office, CaseFile) == []
    assert followed(office)["raised"] == 1


def test_more_than_one_round(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 2)
    office.decide(*(arrival(f"b{n}", 600.0 + n) for n in range(5)))
    assert followed(office)["raised"] == 5
    assert [entry.subject for entry in office.bank.ledger("decided_at_once")] == ["cards/online/1-5"]


def test_immediate_notices_keep_to_the_limit_of_the_day(office: Office) -> None:
    for amounts in ((950.0, 960.0), (970.0, 980.0)):
        office.decide(*(arrival(f"x{amount}", amount) for amount in amounts))
        followed(office)
    told = [notice.dedupe_key for notice in office.bank.notices("immediate")]
    assert told == [f"cards/immediate/x{amount}" for amount in (960.0, 950.0, 980.0)]
    assert [one.told for one in office.decisions()] == [True, True, False, True]


def test_the_batch_of_the_day_raises_none_again_and_tells_only_what_nobody_was_told(office: Office) -> None:
    # The bank's own file has the transactions that were decided at once: 600.00 and 990.00.
    (_reviewed, _blocked) = office.decide(arrival(f"{DAY}-0", 600.0), arrival(f"{DAY}-3", 990.0))
    followed(office)
    office.bank.day(DAY, [600.0, 30.0, 700.0, 990.0])
    score(office.ws, office.portfolio, DAY)
    result = raise_alerts(office.ws, office.portfolio, DAY, actor="service:score")
    assert (result.raised, result.already, result.notices) == (1, 2, 1)
    assert [alert.transaction_id for alert in office.bank.alerts()] == [f"{DAY}-0", f"{DAY}-3", f"{DAY}-2"]
    (digest,) = office.bank.notices("digest")
    assert f"{DAY}-0" in digest.text
    assert f"{DAY}-2" in digest.text
    assert f"{DAY}-3" not in digest.text
    (entry,) = office.bank.ledger("alerts_raised")
    assert f"cards/{entry.details['digest']}" == digest.dedupe_key
    assert all(one.told for one in office.decisions())
    again = raise_alerts(office.ws, office.portfolio, DAY, actor="service:score")
    assert (again.raised, again.notices) == (0, 0)
    assert len(office.bank.notices("digest")) == 1


def test_a_day_of_which_all_was_raised_at_once_has_its_digest(office: Office) -> None:
    office.decide(arrival(f"{DAY}-0", 600.0))
    followed(office)
    office.bank.day(DAY, [600.0, 30.0])
    score(office.ws, office.portfolio, DAY)
    assert raise_alerts(office.ws, office.portfolio, DAY, actor="service:score").notices == 1
    (digest,) = office.bank.notices("digest")
    assert f"{DAY}-0" in digest.text


def test_what_the_batch_has_raised_stays_as_it_is(office: Office) -> None:
    score(office.ws, office.portfolio, DAY)
    raise_alerts(office.ws, office.portfolio, DAY, actor="service:score")
    before = [(alert.id, alert.as_of) for alert in office.bank.alerts()]
    office.decide(arrival(f"{DAY}-3", 990.0))
    assert followed(office)["raised"] == 0
    assert [(alert.id, alert.as_of) for alert in office.bank.alerts()] == before
    assert [one.told for one in office.decisions()] == [True]


def test_what_is_allowed_waits_a_minute_for_its_entry(office: Office) -> None:
    office.decide(arrival("a", 20.0))
    followed(office)
    assert office.bank.ledger("decided_at_once") == []
    with office.ws.transaction() as session:
        session.execute(text("update online_record set at = at - interval '61 seconds'"))
    office.decide(arrival("b", 30.0))
    assert followed(office)["recorded"] == 2
    (entry,) = office.bank.ledger("decided_at_once")
    assert (entry.subject, entry.details["rows"]) == ("cards/online/1-2", 2)
    assert rows(office, OnlineRecord)[0].number == 2


def test_the_entry_shows_whether_a_decision_was_altered(office: Office) -> None:
    office.decide(arrival("b", 600.0))
    followed(office)
    (entry,) = office.bank.ledger("decided_at_once")
    with office.ws.transaction() as session:
        assert following.run_of(session, "cards", 1, 1).digest == entry.details["digest"]
        session.execute(text("update online_decision set followed_up = false, told = true, raw = null"))
        assert following.run_of(session, "cards", 1, 1).digest == entry.details["digest"]
        session.execute(text("update online_decision set features[1] = 7"))
        assert following.run_of(session, "cards", 1, 1).digest != entry.details["digest"]


def test_nothing_of_a_customer_is_in_the_ledger_or_a_mail(office: Office) -> None:
    office.decide(arrival("c", 950.0, customer_id="Erika-4711"))
    followed(office)
    with office.ws.transaction() as session:
        entries = [json.dumps(entry.details) + entry.subject for entry in office.bank.ledger("decided_at_once")]
        mails = [notice.subject + notice.text for notice in session.scalars(select(Notice))]
        assert session.scalar(select(Alert.id)) is not None
    assert mails
    assert not any("4711" in said for said in [*entries, *mails])


def test_a_trace_names_the_notices_of_what_was_raised_at_once(office: Office) -> None:
    office.decide(arrival(f"{DAY}-0", 600.0), arrival(f"{DAY}-3", 990.0))
    followed(office)
    office.bank.day(DAY, [600.0, 30.0, 700.0, 990.0])
    score(office.ws, office.portfolio, DAY)
    raise_alerts(office.ws, office.portfolio, DAY, actor="service:score")
    told = {
        alert.transaction_id: [one.kind for one in trace_alert(office.ws, office.portfolio, alert).notices]
        for alert in office.bank.alerts()
    }
    assert told == {f"{DAY}-0": ["digest"], f"{DAY}-3": ["immediate"], f"{DAY}-2": ["digest"]}
