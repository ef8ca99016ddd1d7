from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest
from fraudops.decisions.immediate import Arrival
from fraudops.intake.collecting import collect, collected, uncollected
from fraudops.intake.files import find_files
from fraudops.intake.landing import land
from fraudops.store import Store

from tests.decisions.immediate.conftest import Office
from tests.decisions.immediate.desks import arrival

DAY = "2026-03-20"
CARD = "4111111111111111"


def sent(name: str, amount: Any, *, time: str = f"{DAY}T11:00:00Z", **more: Any) -> Arrival:
    """What a client sends, under the portfolio's own names."""
    row = {
        "transaction_id": name, "event_time": time, "amount": amount, "currency": "EUR", "customer_id": "c1",
        "terminal_id": "t1", "card_number": CARD, "customer_name": "Jo Doe", "country": "DE", "channel": "online",
        **more,
    }  # fmt: skip
    return replace(arrival(name, float(amount), time=time.removesuffix("Z")), raw=json.dumps(row).encode())


def _land(office: Office) -> list[dict[str, Any]]:
    with collected(office.ws, office.portfolio, [DAY]):
        land(office.ws, _unsimulated(office), find_files(office.ws, _unsimulated(office), DAY), first=DAY, last=DAY)
    store: Store = office.ws.store
    manifest = store.staged("transactions", "cards", DAY)
    assert manifest is not None
    return store.read(manifest).to_pylist()


def _unsimulated(office: Office) -> Any:
    sources = tuple(one.model_copy(update={"simulator": False}) for one in office.portfolio.transactions)
    return office.portfolio.model_copy(update={"transactions": sources})


def test_what_was_scored_at_once_is_landed_for_its_day(office: Office) -> None:
    office.decide(
        sent("b", 12.5), sent("a", 20, time=f"{DAY}T10:00:00Z"), sent("other", 7, time="2026-03-21T01:00:00Z")
    )
    first, second = _land(office)
    assert [first["transaction_id"], second["transaction_id"]] == ["a", "b"]
    assert (second["amount"], second["amount_minor"], second["channel"]) == (12.5, 1250, "online")
    assert second["card_token"] != CARD
    assert list((office.ws.landing / "cards").rglob("*.parquet")) == []


def test_the_same_rows_give_the_same_bytes(office: Office) -> None:
    office.decide(sent("b", 12.5), sent("a", "20.00"))
    one = collect(office.ws, office.portfolio, DAY)
    assert one is not None
    content = one.read_bytes()
    assert one.stat().st_mode & 0o777 == 0o600
    assert collect(office.ws, office.portfolio, DAY) == one
    assert one.read_bytes() == content
    assert pq.read_table(one)["amount"].to_pylist() == ["20.00", "12.5"]


def test_the_banks_own_file_says_the_same_once(office: Office) -> None:
    folder = office.ws.landing / "cards"
    folder.mkdir()
    header = "tx_id,tx_time,amount,currency,customer_id,terminal_id,card_number,customer_name,country,channel"
    lines = [
        f"{name},{DAY}T11:00:00Z,{amount},EUR,c1,t1,{CARD},Jo Doe,DE,online" for name, amount in (("a", 20), ("z", 5))
    ]
    (folder / f"transactions_{DAY}.csv").write_text("\n".join([header, *lines, ""]))
    office.decide(sent("a", 20.0), sent("b", 12.5))
    assert [row["transaction_id"] for row in _land(office)] == ["a", "b", "z"]


def test_nothing_is_collected_where_the_bank_brings_it(office: Office) -> None:
    office.decide(sent("a", 20.0))
    serving = office.portfolio.serving.model_copy(update={"collect": False})
    off = office.portfolio.model_copy(update={"serving": serving})
    assert collect(office.ws, off, DAY) is None
    assert uncollected(office.ws, off) == []
    assert collect(office.ws, office.portfolio, "2026-03-25") is None


def test_what_came_too_late_for_its_day_is_found(office: Office) -> None:
    office.decide(sent("2026-03-02-0", 600.0, time="2026-03-02T00:00:00Z"), sent("a", 20.0))
    assert uncollected(office.ws, office.portfolio) == []
    office.decide(sent("late", 20.0, time="2026-03-02T09:00:00Z"))
    assert uncollected(office.ws, office.portfolio) == ["2026-03-02"]


def test_it_is_gone_whether_or_not_landing_fails(office: Office) -> None:
    office.decide(sent("a", 20.0))
    with collected(office.ws, office.portfolio, [DAY]) as (file,):
        assert file.exists()
    assert not file.exists()
    with pytest.raises(KeyboardInterrupt), collected(office.ws, office.portfolio, [DAY]):
        raise KeyboardInterrupt
    assert not file.exists()
