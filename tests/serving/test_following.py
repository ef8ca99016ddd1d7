"""Keys and champions as the database has them, while it is there and while it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fraudops import ledger
from fraudops.database import LedgerEntry, ModelVersion, PromotionRecord
from fraudops.decisions.immediate import Champion
from fraudops.errors import ContractError
from fraudops.portfolio import Portfolio, load_all
from fraudops.registry import versions
from fraudops.serving import api_keys
from fraudops.serving.api_keys import KeyRing
from fraudops.serving.champions import FollowedChampions
from fraudops.serving.idempotency import InDatabase
from fraudops.serving.notes import Note
from fraudops.serving.problems import Problem
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace
from sqlalchemy import create_engine, select, text

from tests.databases import with_tables

from .paper import PORTFOLIOS

NOW = datetime.now(UTC)
AWAY = "postgresql+psycopg2://nobody@/nothing?host=/nowhere"


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """One for all."""
    return with_tables(postgres, "serving_following")


@pytest.fixture
def ws(tmp_path: Path, store: Store, database: str) -> Workspace:
    """An installation."""
    return Workspace(store=store, landing=tmp_path, database_url=database, token_key=b"t" * 32, ledger_key=b"l" * 32)


def away(ws: Workspace) -> Workspace:
    """The same installation without its database."""
    return Workspace(store=ws.store, landing=ws.landing, database_url=AWAY, token_key=b"t" * 32, ledger_key=b"l" * 32)


def prepared(portfolio: Portfolio, content: bytes, version: str, model_id: int, sha256: str) -> Champion:
    """A champion that is its bytes."""
    nothing = cast(Any, None)
    return Champion(version, model_id, sha256, cast(Any, SimpleNamespace(content=content)), nothing, nothing)


def followed(ws: Workspace, folder: Path) -> tuple[FollowedChampions, KeyRing]:
    """Somebody who has looked, or remembered, once; nothing runs."""
    keys = KeyRing()
    portfolios = {"cards": load_all(PORTFOLIOS)["cards"]}
    champions = FollowedChampions(ws, portfolios, keys, folder, prepare=prepared)
    champions.begin()
    return champions, keys


def promote(ws: Workspace, content: bytes) -> ModelVersion:
    """Register a model and put it in force."""
    portfolio = load_all(PORTFOLIOS)["cards"]
    with ws.transaction() as session:
        model = versions.register(
            ws, session, portfolio, run_id=content.decode(), candidate="c", as_of=NOW, trained_until=NOW,
            model_bytes=content, metrics={}, thresholds={}, lineage={},
        )  # fmt: skip
        entry = ws.record(session, portfolio="cards", actor="v", action="promoted", subject="x")
        session.add(
            PromotionRecord(
                portfolio="cards", model_id=model.id, kind="promotion", effective_from=NOW, approved_by="v",
                reason="test", promoted_at=NOW, ledger_number=entry.number,
            )
        )  # fmt: skip
        return model


# -- keys ---------------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_kept_as_a_digest(ws: Workspace, tmp_path: Path) -> None:
    key, told = api_keys.create(ws, name="gateway", scopes=["score"], portfolios=["cards"], per_second=5, by="ann")
    _, keys = followed(ws, tmp_path)
    found = keys.find(told, NOW)
    assert found is not None
    assert (found.id, found.scopes, found.portfolios, found.per_second) == (key.id, {"score"}, {"cards"}, 5)
    assert keys.find(told, NOW + timedelta(days=400)) is None
    assert keys.find(told[:-1] + ("A" if told[-1] != "A" else "B"), NOW) is None
    secret = told.rsplit("_", 1)[1] if told.count("_") == 2 else told.split("_", 2)[2]
    with create_engine(ws.database_url).connect() as connection:
        rows = connection.execute(text("select row_to_json(k)::text from api_key k")).scalars().all()
        entries = connection.execute(text("select details::text from ledger where action like 'api_key%'")).scalars()
        assert not any(secret in one for one in (*rows, *entries))


def test_rotation_keeps_both_until_the_first_is_revoked(ws: Workspace, tmp_path: Path) -> None:
    first, old = api_keys.create(ws, name="gateway", scopes=["score", "read"], by="ann")
    _, new = api_keys.rotate(ws, first.id, by="ann")
    champions, keys = followed(ws, tmp_path)
    assert keys.find(old, NOW) is not None
    assert keys.find(new, NOW) is not None
    api_keys.revoke(ws, first.id, by="bob")
    champions.look()
    assert keys.find(old, NOW) is None
    assert keys.find(new, NOW) is not None
    with pytest.raises(ContractError, match="was revoked by bob"):
        api_keys.rotate(ws, first.id, by="ann")
    with ws.transaction() as session:
        actions = session.execute(
            select(LedgerEntry.action, LedgerEntry.actor).where(LedgerEntry.subject == f"api-keys/{first.id}")
        ).all()
        assert sorted(map(tuple, actions)) == [("api_key_created", "ann"), ("api_key_revoked", "bob")]
        assert not list(ledger.verify(session, ws.ledger_keys))


@pytest.mark.parametrize("wrong", [{"scopes": []}, {"scopes": ["all"]}, {"name": " "}, {"per_second": 0}, {"days": 0}])
def test_a_key_that_makes_no_sense_is_not_made(ws: Workspace, wrong: dict[str, Any]) -> None:
    with pytest.raises(ContractError):
        api_keys.create(ws, **{"name": "gateway", "scopes": ["score"], "by": "ann", **wrong})


# -- champions ----------------------------------------------------------------------------------------


def test_a_promotion_is_taken_over_and_remembered(ws: Workspace, tmp_path: Path) -> None:
    first = promote(ws, b"model one")
    _, told = api_keys.create(ws, name="gateway", scopes=["score"], by="ann")
    champions, _ = followed(ws, tmp_path)
    assert champions.current("cards").sha256 == first.artifact_sha256  # type: ignore[union-attr]
    assert champions.degraded() == ()
    second = promote(ws, b"model two")
    champions.look()
    assert champions.current("cards").version == second.version  # type: ignore[union-attr]

    later, keys = followed(away(ws), tmp_path)
    found = later.current("cards")
    assert found is not None
    assert found.model.content == b"model two"  # type: ignore[attr-defined]
    assert keys.find(told, NOW) is not None
    assert later.degraded() == ("database",)


def test_an_altered_file_is_not_taken_over(ws: Workspace, tmp_path: Path) -> None:
    first = promote(ws, b"model three")
    champions, _ = followed(ws, tmp_path)
    second = promote(ws, b"model four")
    ws.store.put(b"something else", "models", "cards", second.version, versions.ARTIFACT)
    for _ in range(3):
        champions.look()
    assert champions.current("cards").version == first.version  # type: ignore[union-attr]
    assert champions.degraded() == ("champion",)
    with ws.transaction() as session:
        refused = select(LedgerEntry).where(LedgerEntry.action == "model_refused")
        assert len([one for one in session.scalars(refused) if one.subject.endswith(second.version)]) == 1


def test_without_a_database_only_what_is_signed_counts(ws: Workspace, tmp_path: Path) -> None:
    model = promote(ws, b"model five")
    followed(ws, tmp_path)
    (tmp_path / "models" / f"{model.artifact_sha256}.joblib").write_bytes(b"altered")
    assert followed(away(ws), tmp_path)[0].current("cards") is None
    note = tmp_path / "last_good.json"
    note.write_bytes(note.read_bytes().replace(b"cards", b"cardx"))
    assert Note(note, ws.ledger_keys).read() is None
    note.write_text("{")
    assert Note(note, ws.ledger_keys).read() is None


# -- answers ------------------------------------------------------------------------------------------


def test_answers_are_known_to_other_processes_for_a_day(ws: Workspace) -> None:
    engine = create_engine(ws.database_url)
    InDatabase(engine).put("k1", "order", "d" * 64, b'{"a":1}')
    other = InDatabase(engine)
    assert other.find("k1", "order", "d" * 64) == b'{"a":1}'
    assert other.find("k2", "order", "d" * 64) is None
    with pytest.raises(Problem):
        other.find("k1", "order", "e" * 64)
    with engine.begin() as connection:
        connection.execute(text("update idempotency_key set at = at - interval '25 hours'"))
    assert InDatabase(engine).find("k1", "order", "e" * 64) is None
    assert other.prune() == 1


def test_answers_are_remembered_while_the_database_is_away() -> None:
    answers = InDatabase(create_engine(AWAY))
    answers.put("k1", "order", "d" * 64, b"{}")
    assert answers.find("k1", "order", "d" * 64) == b"{}"
    assert answers.find("k1", "other", "d" * 64) is None
