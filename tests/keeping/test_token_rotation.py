"""The key of the tokens is changed: a card stays one card, nothing is out of date, and nothing old is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fraudops.database import CaseFile, RuleHit, RuleSnooze
from fraudops.decisions.pending import stale_keys
from fraudops.decisions.replay import replay
from fraudops.errors import ConfigurationError, ContractError
from fraudops.intake.tokens import fingerprint_of, put_fingerprint, token_of
from fraudops.keeping.rotation import rotate_token_key
from fraudops.keeping.rotation import tokens as module
from fraudops.keeping.verification import verify
from fraudops.portfolio import Portfolio
from fraudops.rules.raising import raise_hits
from fraudops.rules.running import comply, undone
from fraudops.rules.snoozing import snooze
from fraudops.store import Store
from fraudops.workspace import LaterKeys, Workspace
from sqlalchemy import select

from tests.intake.conftest import CARD, row
from tests.keeping.conftest import DAYS, Shop, at
from tests.rules import everything
from tests.rules.payments import RULES, paid
from tests.rules.test_running import publish as write_days

NEW = b"n" * 32
DAY = DAYS[6]


def renewed(ws: Workspace, *keys: bytes) -> Workspace:
    """The same installation, opened anew with further keys."""
    return replace(ws, store=Store(str(ws.store.root)), later=LaterKeys(token=keys))


def rotated(ws: Workspace, *portfolios: Portfolio, rules: dict | None = None) -> module.TokensRotated | None:
    """The command."""
    return rotate_token_key(ws, portfolios, rules or {}, actor="admin", tell=lambda _: None)


def tables(ws: Workspace) -> dict[str, pa.Table]:
    """Every partition's file in the store."""
    root = Path(str(ws.store.root))
    return {str(p.relative_to(root)): pq.read_table(p, partitioning=None) for p in sorted(root.rglob("part-*.parquet"))}


def holding(ws: Workspace, text: str) -> set[str]:
    """Areas of the store with files in which a text stands."""
    return {name.split("/")[0] for name, table in tables(ws).items() if text in str(table.to_pylist())}


@pytest.fixture
def old(shop: Shop) -> str:
    """The token of the shop's card, corrected days among its partitions."""
    shop.land(shop.deliver(f"tx_{DAY}.csv", row(f"{DAY}-a", f"{DAY}T10:00:00Z", "12.75")))
    shop.score(*DAYS[6:])
    return token_of(CARD, shop.ws.token_key)


def test_a_card_stays_one_card_and_nothing_old_is_left(shop: Shop, old: str) -> None:
    before = {name: shop.keys(name) for name in ("transactions", "features", "scores")}
    scores = {key: shop.ws.store.require("scores", "shop", key) for key in before["scores"]}
    then = replay(shop.ws, shop.portfolio, DAYS[1], [f"{DAYS[1]}-c"])
    assert "transactions" in holding(shop.ws, old)

    ws = renewed(shop.ws, NEW)
    done = rotated(ws, shop.portfolio)

    assert done is not None
    assert done.partitions["transactions"] == len(DAYS) + 1, "replaced rows too: a replay may ask for them"
    assert holding(ws, old) == set()
    assert "transactions" in holding(ws, token_of(CARD, (b"t" * 32, NEW)))
    assert {key: ws.store.require("scores", "shop", key) for key in before["scores"]} == scores
    assert stale_keys(ws, shop.portfolio) == [], "nothing has to be computed anew"
    now = replay(ws, shop.portfolio, DAYS[1], [f"{DAYS[1]}-c"])
    assert [(one.state, one.parts) for one in now] == [(one.state, one.parts) for one in then]
    assert now[0].state == "equal"
    assert verify(ws, shop.portfolio, now=at("2026-03-10"), thorough=True).findings == ()
    assert rotated(ws, shop.portfolio) is None, "run again it finds nothing to do"


def test_what_is_landed_afterwards_joins_what_was_there(shop: Shop, old: str) -> None:
    ws = renewed(shop.ws, NEW)
    rotated(ws, shop.portfolio)
    after = Shop(ws, shop.portfolio)
    there = ws.store.require("transactions", "shop", DAYS[1])
    for corrections in (False, True):
        after.land(after.file(DAYS[1]), corrections=corrections)
    assert ws.store.require("transactions", "shop", DAYS[1]) == there, "the same file says nothing new"
    assert stale_keys(ws, shop.portfolio) == []
    after.day("2026-03-09")
    tokens = {
        token
        for key in (DAYS[0], "2026-03-09")
        for token in ws.store.read_partition("transactions", "shop", key)["card_token"].to_pylist()
    }
    assert len(tokens) == 1
    assert verify(ws, shop.portfolio, now=at("2026-03-10"), thorough=True).findings == ()


def test_a_second_rotation_goes_on_from_the_first(shop: Shop, old: str) -> None:
    rotated(renewed(shop.ws, NEW), shop.portfolio)
    ws = renewed(shop.ws, NEW, b"3" * 32)
    rotated(ws, shop.portfolio)
    assert holding(ws, token_of(CARD, (b"t" * 32, NEW))) == set()
    assert "transactions" in holding(ws, token_of(CARD, ws.token_keys))
    assert stale_keys(ws, shop.portfolio) == []
    assert replay(ws, shop.portfolio, DAYS[1], [f"{DAYS[1]}-c"])[0].state == "equal"
    assert verify(ws, shop.portfolio, now=at("2026-03-10"), thorough=True).findings == ()


STEPS = [
    ("begin_turning", True),
    ("replace_tokens", False),
    ("_record", True),
    ("swap_hit_ids", False),
    ("put_fingerprint", True),
    ("end_turning", False),
]


@pytest.mark.parametrize(("step", "late"), STEPS)
def test_whoever_is_interrupted_runs_it_again(
    shop: Shop, old: str, monkeypatch: pytest.MonkeyPatch, step: str, late: bool
) -> None:
    """Before a step, or after it."""
    ws = renewed(shop.ws, NEW)
    whole = getattr(module, step)

    def dies(*args: object) -> object:
        if late:
            whole(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, step, dies)
        with pytest.raises(KeyboardInterrupt):
            rotated(ws, shop.portfolio)
    with pytest.raises(ConfigurationError, match="being changed to a new key"):
        Store(str(ws.store.root)).keys("transactions", "shop")
    rotated(ws, shop.portfolio)
    assert holding(ws, old) == set()
    assert verify(renewed(shop.ws, NEW), shop.portfolio, now=at("2026-03-10"), thorough=True).findings == ()
    assert len(shop.ledger(module.ROTATED)) == 2, "the month's partitions, and the summary: once"
    assert not list(Path(str(ws.store.root)).rglob("turned.json"))


def test_taking_the_new_key_away_undoes_what_was_only_planned(
    shop: Shop, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.files()
    with monkeypatch.context() as patch:
        patch.setattr(module, "replace_tokens", _raise)
        with pytest.raises(KeyboardInterrupt):
            rotated(renewed(shop.ws, NEW), shop.portfolio)
    assert rotated(renewed(shop.ws), shop.portfolio) is None
    assert shop.files() == before


def test_it_cannot_be_taken_away_any_more_once_it_is_recorded(
    shop: Shop, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "swap_hit_ids", _raise)
        with pytest.raises(KeyboardInterrupt):
            rotated(renewed(shop.ws, NEW), shop.portfolio)
    with pytest.raises(ContractError, match="the database has the new tokens already"):
        rotated(renewed(shop.ws), shop.portfolio)


def _raise(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_key_that_is_missing_or_another_one_is_named(shop: Shop, old: str) -> None:
    with pytest.raises(ContractError, match="there is a new key, and the tokens in the store do not have it yet"):
        Shop(renewed(shop.ws, NEW), shop.portfolio).land(shop.file(DAYS[1]))
    rotated(renewed(shop.ws, NEW), shop.portfolio)
    for wrong in (renewed(shop.ws), replace(renewed(shop.ws, NEW), token_key=b"x" * 32)):
        with pytest.raises(ContractError, match="made with another key"):
            Shop(wrong, shop.portfolio).land(shop.file(DAYS[1]))
        with pytest.raises(ContractError, match="give all keys that were used"):
            rotated(wrong, shop.portfolio)


def test_old_rows_that_somebody_puts_back_are_found(shop: Shop, old: str) -> None:
    folder = Path(str(shop.ws.store.path("transactions", "shop", f"date={DAYS[1]}")))
    kept = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    ws = renewed(shop.ws, NEW)
    rotated(ws, shop.portfolio)
    for name, content in kept.items():
        (folder / name).write_bytes(content)
    (found,) = verify(ws, shop.portfolio, now=at("2026-03-10")).findings
    assert found.startswith(f"transactions {DAYS[1]}: the rows are not those that the last change")


# -- accounts: hits and cases about them ----------------------------------------------------------------


def hashed(ws: Workspace) -> Callable[[dict], dict]:
    """Rows with tokens in the place of the names of accounts."""

    def change(item: dict) -> dict:
        found = {
            name: token_of(item[name], ws.token_keys) if item[name] else None for name in ("account", "counterparty")
        }
        return item | found

    return change


def test_hits_keep_their_ids_and_are_not_raised_again(workspace: Workspace, portfolios: dict[str, Portfolio]) -> None:
    accounts, day = portfolios["accounts"], everything.DAY
    write_days(workspace, [hashed(workspace)(item) for item in everything.rows()])
    put_fingerprint(workspace.store, "accounts", workspace.token_keys)
    comply(workspace, accounts, [day], RULES)
    raised = raise_hits(workspace, accounts, day, RULES, actor="t").raised
    about = token_of("A4", workspace.token_keys)
    until = {"until": at("2026-04-21"), "since": at("2026-01-01")}
    snooze(workspace, accounts, rule="dormant_account", subject=about, reason="a charity", by="olga", **until)
    with workspace.transaction() as session:
        before = {hit.hit_id: hit.kind for hit in session.scalars(select(RuleHit))}
        session.add(_case(accounts, about))
    assert set(before.values()) == {"account", "customer"}

    ws = renewed(workspace, NEW)
    rotated(ws, accounts, rules=RULES)

    now = token_of("A4", ws.token_keys)
    assert now == token_of(about, NEW)
    with ws.transaction() as session:
        assert {hit.hit_id: hit.kind for hit in session.scalars(select(RuleHit))} == before
        subjects = {hit.subject for hit in session.scalars(select(RuleHit)) if hit.kind == "account"}
        assert {token_of(f"A{n}", ws.token_keys) for n in range(4, 8)} <= subjects
        assert session.scalars(select(RuleSnooze.subject)).one() == now
        assert session.scalars(select(CaseFile.subject)).one() == now
    assert holding(ws, about) == set()
    assert undone(ws, accounts, RULES, keys=[day]) == []
    # Had a rule changed, or a day been corrected, it would be run again: it finds what is known.
    ws.store.path("rule_hits", "accounts", f"date={day}", "manifest.json").unlink()
    comply(ws, accounts, [day], RULES)
    assert raise_hits(ws, accounts, day, RULES, actor="t").already == raised
    # Ten payers more on the next day: the same episode of the same account.
    payers = [paid(f"2026-03-21T{n + 8:02d}:30", 400, account="A4", counterparty=f"P{n}") for n in range(12)]
    write_days(ws, [hashed(ws)(item) for item in payers])
    comply(ws, accounts, ["2026-03-21"], RULES)
    found = ws.store.read_partition("rule_hits", "accounts", "2026-03-21").to_pylist()
    assert [item["subject"] for item in found if item["rule"] == "fan_in"] == [now]
    assert raise_hits(ws, accounts, "2026-03-21", RULES, actor="t").already >= 1


def _case(portfolio: Portfolio, subject: str) -> CaseFile:
    moment = at("2026-03-21")
    return CaseFile(
        portfolio=portfolio.name, number=1, subject_kind="account", subject=subject, severity="high", priority=1.0,
        state="open", version=1, opened_key=everything.DAY, opened_as_of=moment, created_at=moment,
    )  # fmt: skip


def test_a_fingerprint_tells_keys_apart() -> None:
    assert len({fingerprint_of(keys) for keys in (NEW, (NEW,), (NEW, b"x" * 32), (b"x" * 32, NEW))}) == 3
