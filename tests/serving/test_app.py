"""What the service answers, over HTTP, with a desk of paper."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fraudops.serving.api_keys import KeyRing
from fraudops.serving.app import create_app
from fraudops.serving.batcher import ClosedError, FullError
from fraudops.serving.limits import Limits
from fraudops.serving.link import DatabaseAwayError
from fraudops.serving.logs import JsonLines
from fraudops.serving.problems import Kind

from .paper import KEY, ROW, OneChampion, PaperDesk, ask, client_of, grant, make_service, score


def kind_of(response: Any) -> str:
    """The slug of a problem, which is one in all that it says."""
    assert response.headers["content-type"] == "application/problem+json"
    content = response.json()
    assert content["status"] == response.status_code
    (kind,) = (kind for kind in Kind if kind.uri == content["type"])
    assert (kind.status, kind.title) == (content["status"], content["title"])
    return kind.slug


def test_one_transaction_is_decided() -> None:
    response = score(make_service(), {**ROW, "amount": 2_000})
    assert response.status_code == 200
    assert response.json() == {
        "portfolio": "cards",
        "decision_id": response.json()["decision_id"],
        "transaction_id": "T1",
        "probability": 0.75,
        "decision": "review",
        "thresholds": {"review": 0.5, "block": None},
        "reasons": [{"code": "amount.high", "text": "The amount is high"}],
        "model_version": "v3",
        "repeated": False,
        "degraded": [],
    }
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in response.headers


def test_each_row_of_several_has_an_answer_of_its_own() -> None:
    service = make_service()
    score(service, ROW)
    rows = [
        ROW,
        {**ROW, "amount": 7},
        {**ROW, "transaction_id": "T2", "amount": "much"},
        {**ROW, "transaction_id": "T3"},
    ]
    response = score(service, *rows)
    assert response.status_code == 200
    again, other, faulty, new = response.json()["results"]
    assert response.json()["errors"] == 2
    assert again["repeated"]
    assert other["problem"]["type"].endswith("transaction-conflict")
    assert other["problem"]["decision_id"] == again["decision_id"]
    assert [error["column"] for error in faulty["problem"]["errors"]] == ["amount"]
    assert not new["repeated"]
    assert [one["index"] for one in response.json()["results"]] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "invalid-request"),
        (b"{", "invalid-request"),
        (b"[]", "invalid-request"),
        (b'{"portfolio": "cards"}', "invalid-request"),
        (b'{"portfolio": "cards", "transaction": {}, "transactions": []}', "invalid-request"),
        (b'{"portfolio": "cards", "transactions": []}', "invalid-request"),
        (b'{"portfolio": "cards", "transaction": [1]}', "invalid-request"),
        (b'{"portfolio": "cards", "transaction": {}, "Jo Doe": 1}', "invalid-request"),
        (b'{"portfolio": "cards", "transaction": {"a": 1e999}}', "invalid-request"),
        (b'{"portfolio": "cards", "transaction": {"a": "\xff"}}', "invalid-request"),
        (b'{"portfolio": "cards", "transaction": {"a": "\\ud800"}}', "invalid-request"),
        (b'{"portfolio": "cards", "transaction": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001, "invalid-request"),
        (b'{"portfolio": "nowhere", "transaction": {}}', "not-found"),
        (b'{"portfolio": "cards", "transaction": {}}', "invalid-transaction"),
        (b'{"portfolio": "cards", "transaction": {"transaction_id": {"a": 1}}}', "invalid-transaction"),
        (b'{"portfolio": "cards", "transactions": [' + b",".join([b"{}"] * 51) + b"]}", "too-many-transactions"),
        (b"x" * 200_001, "body-too-large"),
    ],
)
def test_rubbish_is_a_problem_that_repeats_none_of_it(body: bytes, expected: str) -> None:
    response = ask(
        make_service(), "POST", "/v1/score", content=body, headers={"content-type": "application/json; charset=utf-8"}
    )
    assert kind_of(response) == expected
    assert "Jo Doe" not in response.text


def test_no_value_of_a_row_comes_back_or_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = {key: "4111111111111112" if key == "card_number" else f"secret-{key}" for key in ROW}
    desk = PaperDesk(failure=ValueError("secret-customer_id"))
    for service, row in ((make_service(), secret), (make_service(scorer=desk), ROW)):
        response = score(service, {**row, "customer_name": "secret-name"})
        assert "secret" not in response.text
        assert "41111" not in response.text
    assert response.status_code == 500
    lines = [JsonLines().format(record) for record in caplog.records]
    assert not any("secret" in line or "41111" in line for line in lines)
    requests = [json.loads(line) for line in lines if '"message":"request"' in line]
    assert [(one["status"], one["portfolio"], one["rows"], one["key"]) for one in requests] == [
        (422, "cards", 1, "a" * 12),
        (500, "cards", 1, "a" * 12),
    ]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (FullError(), "busy"),
        (ClosedError(), "stopping"),
        (DatabaseAwayError("gone"), "database-away"),
        (ValueError("x"), "internal"),
    ],
)
def test_who_cannot_decide_says_when_to_come_again(failure: Exception, expected: str) -> None:
    response = score(make_service(scorer=PaperDesk(failure=failure)), ROW)
    assert kind_of(response) == expected
    assert ("retry-after" in response.headers) == (response.status_code == 503)


def test_a_decision_that_takes_too_long_is_given_up() -> None:
    service = make_service(scorer=PaperDesk(seconds=5), limits=Limits(seconds=0.05))
    assert kind_of(score(service, ROW)) == "timeout"


def test_without_a_champion_nothing_is_decided() -> None:
    service = make_service(champions=OneChampion(there=False))
    assert kind_of(score(service, ROW)) == "no-champion"
    response = ask(service, "GET", "/readyz")
    assert (response.status_code, response.json()["status"]) == (503, "unready")


# -- keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": ""},
        {"authorization": "Bearer x"},
        {"authorization": "Basic " + KEY},
        {"authorization": "Bearer " + KEY[:-1] + "t"},
        {"authorization": "", "x-api-key": KEY + "\xe9"},
    ],
)
def test_without_a_valid_key_there_is_no_answer(headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    for method, path in (("POST", "/v1/score"), ("GET", "/v1/portfolios/cards"), ("GET", "/metrics")):
        response = ask(make_service(), method, path, headers=raw)
        assert kind_of(response) == "unauthorized"
        assert response.headers["www-authenticate"].startswith("Bearer")


def test_a_key_may_come_in_a_header_of_its_own() -> None:
    assert score(make_service(), ROW, headers={"authorization": "", "x-api-key": KEY}).status_code == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scopes": frozenset({"read"})}, "forbidden"),
        ({"portfolios": frozenset({"accounts"})}, "forbidden"),
        ({"expires_at": datetime.now(UTC) - timedelta(seconds=1)}, "unauthorized"),
    ],
)
def test_a_key_allows_what_it_was_made_for(changes: dict[str, Any], expected: str) -> None:
    assert kind_of(score(make_service(keys=KeyRing([grant(**changes)])), ROW)) == expected


def test_a_key_that_was_revoked_is_refused() -> None:
    service = make_service()
    assert score(service, ROW).status_code == 200
    service.keys.replace([])
    assert kind_of(score(service, ROW)) == "unauthorized"


def test_a_key_has_so_many_transactions_a_second() -> None:
    service = make_service(keys=KeyRing([grant(per_second=1)]), limits=Limits(rows=3))

    async def asked() -> list[Any]:
        async with client_of(create_app(service)) as client:
            body = {"portfolio": "cards", "transactions": [ROW, {**ROW, "transaction_id": "T2"}]}
            return [await client.post("/v1/score", json=body) for _ in range(2)]

    first, second = asyncio.run(asked())
    assert (first.status_code, first.headers["ratelimit-remaining"]) == (200, "1")
    assert kind_of(second) == "rate-limited"
    assert int(second.headers["retry-after"]) >= 1


# -- the same request again ---------------------------------------------------------------------------


def test_the_same_request_with_its_key_is_answered_the_same() -> None:
    service = make_service()
    headers = {"idempotency-key": "order-1"}
    first, second = (score(service, ROW, headers=headers) for _ in range(2))
    assert first.content == second.content
    assert service.scorer.asked == 1  # type: ignore[attr-defined]
    assert kind_of(score(service, {**ROW, "amount": 1}, headers=headers)) == "idempotency-mismatch"
    assert kind_of(score(service, ROW, headers={"idempotency-key": "x" * 129})) == "invalid-request"


# -- what can be looked at ----------------------------------------------------------------------------


def test_a_portfolio_says_what_a_request_needs() -> None:
    service = make_service()
    found = ask(service, "GET", "/v1/portfolios/cards").json()
    assert {one["name"]: one["required"] for one in found["columns"]} == {
        "transaction_id": True, "event_time": True, "amount": True, "currency": False, "customer_id": True,
        "terminal_id": True, "card_number": False, "customer_name": False, "country": False, "channel": True,
    }  # fmt: skip
    assert (found["champion"]["version"], found["thresholds"]) == ("v3", {"review": 0.5, "block": None})
    assert kind_of(ask(service, "GET", "/v1/portfolios/nowhere")) == "not-found"


def test_a_decision_is_found_by_its_id() -> None:
    service = make_service()
    assert ask(service, "GET", "/v1/decisions/D1").json() == {"portfolio": "cards", "decision_id": "D1"}
    assert kind_of(ask(service, "GET", "/v1/decisions/D2")) == "not-found"
    assert kind_of(ask(service, "GET", "/v1/decisions/%00")) == "not-found"
    service.keys.replace([grant(portfolios=frozenset({"accounts"}))])
    assert kind_of(ask(service, "GET", "/v1/decisions/D1")) == "not-found"


def test_degraded_is_ready_and_says_so() -> None:
    service = make_service(degraded=lambda: ("database",))
    response = ask(service, "GET", "/readyz")
    assert (response.status_code, response.json()["degraded"]) == (200, ["database"])
    assert 'fraudops_degraded{what="database"} 1.0' in ask(service, "GET", "/metrics").text


def test_who_stops_is_not_ready_and_closes_connections() -> None:
    service = make_service(stopping=True)
    assert ask(service, "GET", "/readyz").status_code == 503
    assert score(service, ROW).headers["connection"] == "close"
    assert ask(service, "GET", "/healthz").status_code == 200


def test_measures_count_and_name_nobody() -> None:
    service = make_service()
    score(service, ROW, {**ROW, "transaction_id": "T2", "amount": 2_000}, {})
    for path in ("/nowhere/4111111111111111", "/v1/decisions/4111111111111111"):
        ask(service, "GET", path)
    text = ask(service, "GET", "/metrics").text
    assert 'fraudops_transactions_total{decision="review",portfolio="cards"} 1.0' in text
    assert 'fraudops_transactions_total{decision="faulty",portfolio="cards"} 1.0' in text
    assert 'fraudops_model_info{portfolio="cards",version="v3"} 1.0' in text
    assert "41111" not in text
    assert "T2" not in text


def test_other_methods_and_addresses_are_problems() -> None:
    response = ask(make_service(), "GET", "/v1/score")
    assert kind_of(response) == "method-not-allowed"
    assert response.headers["allow"] == "POST"
    assert kind_of(ask(make_service(), "DELETE", "/healthz")) == "method-not-allowed"
    assert kind_of(ask(make_service(), "GET", "/docs")) == "not-found"


def test_examples_of_the_description_can_be_sent_as_they_are() -> None:
    service = make_service()
    document = ask(service, "GET", "/openapi.json").json()
    examples = document["paths"]["/v1/score"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert len(examples) == 2 * len(service.portfolios)
    for example in examples.values():
        response = ask(service, "POST", "/v1/score", json=example["value"])
        assert response.status_code == 200, response.text
        assert response.json().get("errors", 0) == 0
