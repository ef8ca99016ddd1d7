from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fraudops import ledger
from fraudops.database import Alert, Notice, migrate
from fraudops.database.privileges import APPLICATION
from fraudops.decisions.pending import partition_states
from fraudops.errors import ConfigurationError, ConflictError, FraudopsError, IntegrityError
from fraudops.keeping.snapshots import BackupFolder
from fraudops.keeping.verification import verify
from fraudops.stack.backup import Restored, TakenBackup, restore, take
from fraudops.stack.postgres import Postgres
from fraudops.store import Store
from fraudops.workspace import Workspace
from sqlalchemy import select

from tests.databases import as_owner
from tests.keeping.conftest import DAYS, Shop, at, portfolio_of

NOW = at("2026-03-09T12:00")
_numbers = itertools.count(1)


@pytest.fixture
def shop(workspace: Workspace) -> Shop:
    """Three days, scored."""
    shop = Shop(workspace, portfolio_of())
    shop.model("run-1", "2026-02-28", champion=True)
    for key in DAYS[:3]:
        shop.day(key)
    return shop


@pytest.fixture
def new_machine(postgres: Postgres, tmp_path: Path) -> Callable[..., Workspace]:
    """Makes empty installations that have the keys."""

    def make(**others: bytes) -> Workspace:
        number = next(_numbers)
        name = f"restored_{os.getpid()}_{number}"
        postgres.ensure_database(name)
        postgres.ensure_role(APPLICATION)
        keys = {"token_key": b"t" * 32, "ledger_key": b"l" * 32, "protection_key": b"p" * 32, **others}
        return Workspace(
            Store(tmp_path / f"store-{number}"), tmp_path / "landing", postgres.url(name, APPLICATION), **keys
        )

    return make


def _take(ws: Workspace, folder: Path, **others: object) -> TakenBackup:
    arguments = {"portfolios": ["shop"], "airflow_url": None, "now": NOW, "tell": lambda sentence: None, **others}
    return take(ws, folder, **arguments)  # type: ignore[arg-type]


def _restore(ws: Workspace, folder: Path, **others: object) -> Restored:
    arguments = {
        "name": None, "owner_url": as_owner(ws.database_url), "airflow_url": None,
        "overwrite": False, "incomplete": False, "actor": "a", "tell": lambda sentence: None, **others,
    }  # fmt: skip
    return restore(ws, folder, **arguments)  # type: ignore[arg-type]


def _facts(shop: Shop) -> tuple[object, ...]:
    """Alerts, notices, and the ledger's entries: what people rely on."""
    with shop.ws.transaction() as session:
        alerts = session.execute(select(Alert.transaction_id, Alert.score, Alert.decision).order_by(Alert.id)).all()
        notices = session.execute(select(Notice.message_id, Notice.text).order_by(Notice.id)).all()
        return [tuple(row) for row in alerts], [tuple(row) for row in notices], ledger.head(session)


def test_what_is_destroyed_comes_back_and_scores_the_same(
    shop: Shop, tmp_path: Path, new_machine: Callable[..., Workspace]
) -> None:
    facts, files = _facts(shop), shop.files()
    _take(shop.ws, tmp_path / "backups")
    shutil.rmtree(str(shop.ws.store.root))
    other = Shop(new_machine(), shop.portfolio)
    result = _restore(other.ws, tmp_path / "backups")
    assert (result.findings, result.left_out, result.replaced) == ((), (), None)
    assert other.files() == files
    assert _facts(other)[:2] == facts[:2]
    assert [entry.number for entry in other.ledger("restored")] == [facts[2].number + 1]  # type: ignore[attr-defined]
    assert verify(other.ws, shop.portfolio, now=NOW, thorough=True).findings == ()
    # Scored again from what was restored, with the model that was restored: the very same bytes.
    scored = other.ws.store.require("scores", "shop", DAYS[1])
    place = Path(str(other.ws.store.root)) / "scores" / "portfolio=shop" / f"date={DAYS[1]}"
    shutil.rmtree(place)
    other.score(DAYS[1])
    assert other.ws.store.require("scores", "shop", DAYS[1]) == scored
    # Verification has left the ledger's head.
    assert {name: content for name, content in other.files().items() if not name.startswith("ledger_heads/")} == files
    assert _facts(other)[:2] == facts[:2], "and nobody is told twice"


def test_a_backup_beside_a_writer_is_whole_and_the_rest_is_made_up_for(
    shop: Shop, tmp_path: Path, new_machine: Callable[..., Workspace]
) -> None:
    begun, failures = threading.Event(), []

    def write() -> None:
        try:
            for key in DAYS[3:]:
                shop.day(key)
                begun.set()
        except BaseException as error:
            failures.append(error)
            begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait()
    for _ in range(3):
        _take(shop.ws, tmp_path / "backups")
    writer.join()
    assert failures == []
    names = BackupFolder(tmp_path / "backups").snapshots()
    for name in names:
        other = Shop(new_machine(), shop.portfolio)
        assert _restore(other.ws, tmp_path / "backups", name=name).findings == ()
        for dataset in ("transactions", "labels", "features", "scores", "lineage", "protected"):
            for key in other.keys(dataset):
                other.ws.store.read_partition(dataset, "shop", key)
        other.ws.landing.mkdir(exist_ok=True)
        for key in DAYS:
            other.day(key)
        assert set(partition_states(other.ws, shop.portfolio).values()) == {"scored"}
        assert verify(other.ws, shop.portfolio, now=NOW, thorough=True).findings == ()
        for dataset in ("transactions", "features", "scores"):
            for key in DAYS:
                mine, theirs = (one.ws.store.require(dataset, "shop", key) for one in (other, shop))
                assert mine.data_digest == theirs.data_digest, (name, dataset, key)
        assert sorted(_facts(other)[0]) == sorted(_facts(shop)[0])  # type: ignore[type-var,arg-type]


def test_a_second_backup_copies_what_is_new(shop: Shop, tmp_path: Path) -> None:
    first = _take(shop.ws, tmp_path / "backups")
    shop.day(DAYS[3])
    second = _take(shop.ws, tmp_path / "backups", now=at("2026-03-10"))
    new = set(second.snapshot.files) - set(first.snapshot.files)
    assert any(f"date={DAYS[3]}" in name for name in new)
    fresh = {item.sha256: item.bytes for item in second.snapshot.files.values()}
    known = {item.sha256 for item in first.snapshot.files.values()}
    stored = sum(size for sha256, size in fresh.items() if sha256 not in known)
    lists = second.path.stat().st_size + second.snapshot.databases["fraudops"].bytes
    assert second.new_bytes == stored + lists
    assert len(BackupFolder(tmp_path / "backups").snapshots()) == 2


def test_what_is_there_is_not_overwritten_unasked(
    shop: Shop, tmp_path: Path, new_machine: Callable[..., Workspace]
) -> None:
    _take(shop.ws, tmp_path / "backups")
    before, facts = shop.files(), _facts(shop)
    with pytest.raises(ConflictError, match=r"not empty: the store.*--overwrite"):
        _restore(shop.ws, tmp_path / "backups")
    with pytest.raises(ConflictError, match="not empty: the database"):
        _restore(replace(shop.ws, store=Store(tmp_path / "other"), landing=tmp_path), tmp_path / "backups")
    assert (shop.files(), _facts(shop)) == (before, facts)
    shop.day(DAYS[3])
    replaced = _restore(shop.ws, tmp_path / "backups", overwrite=True).replaced
    assert replaced is not None
    assert (replaced / "scores" / "portfolio=shop" / f"date={DAYS[3]}").exists(), "moved aside, and not deleted"
    assert shop.files() == before
    assert _facts(shop)[:2] == facts[:2]


def test_a_backup_that_lacks_something_is_found_out_before_anything_is_written(
    shop: Shop, tmp_path: Path, new_machine: Callable[..., Workspace]
) -> None:
    taken = _take(shop.ws, tmp_path / "backups")
    name = next(name for name in taken.snapshot.files if name.startswith("features") and name.endswith("parquet"))
    lost = tmp_path / "backups" / "objects" / taken.snapshot.files[name].sha256[:2] / taken.snapshot.files[name].sha256
    lost.write_bytes(b"x" + lost.read_bytes()[1:])
    other = new_machine()
    with pytest.raises(IntegrityError, match=r"lacks 1 of \d+ files:\n.*was altered"):
        _restore(other, tmp_path / "backups")
    assert not Path(str(other.store.root)).exists()
    lost.unlink()
    result = _restore(other, tmp_path / "backups", incomplete=True)
    assert result.left_out == (name,)
    findings = verify(other, shop.portfolio, now=NOW, thorough=True).findings
    assert [finding for finding in findings if "is gone" in finding]
    with pytest.raises(IntegrityError, match="lacks 1"):
        _restore(new_machine(), tmp_path / "backups", name=taken.path.name)


def test_other_keys_and_altered_or_newer_lists_are_refused(
    shop: Shop, tmp_path: Path, new_machine: Callable[..., Workspace]
) -> None:
    taken = _take(shop.ws, tmp_path / "backups")
    with pytest.raises(
        ConfigurationError, match=r"FRAUDOPS_LEDGER_KEY: the ledger key are not those.*put the keys back"
    ):
        _restore(new_machine(ledger_key=b"x" * 32), tmp_path / "backups")
    folder = BackupFolder(tmp_path / "backups")
    for change in ({"format": 99}, {"database_revision": "0999_tomorrow"}):
        later = folder.save(taken.snapshot.model_copy(update={**change, "taken_at": at("2027-01-01")}))
        with pytest.raises(ConfigurationError, match="newer"):
            _restore(new_machine(), tmp_path / "backups")
        later.unlink()
    taken.path.write_bytes(taken.path.read_bytes().replace(b'"code"', b'"c0de"'))
    with pytest.raises(IntegrityError, match="list was altered"):
        _restore(new_machine(), tmp_path / "backups")
    with pytest.raises(FraudopsError, match="there is no backup"):
        _restore(new_machine(), tmp_path / "nowhere")


def test_an_older_backup_is_brought_up_to_date(
    shop: Shop, tmp_path: Path, new_machine: Callable[..., Workspace], postgres: Postgres
) -> None:
    name = f"older_{os.getpid()}"
    postgres.ensure_database(name)
    migrate(postgres.url(name), "0003_shadow")
    old = Workspace(
        shop.ws.store, shop.ws.landing, postgres.url(name, APPLICATION), shop.ws.token_key, shop.ws.ledger_key
    )
    _take(old, tmp_path / "backups")
    other = new_machine()
    assert _restore(other, tmp_path / "backups").snapshot.database_revision == "0003_shadow"
    with other.transaction() as session:
        assert session.scalars(select(Alert.explanation)).all() == []


def test_a_file_that_was_altered_in_the_store_is_told(shop: Shop, tmp_path: Path) -> None:
    folder = Path(str(shop.ws.store.root)) / "scores" / "portfolio=shop" / f"date={DAYS[0]}"
    path = next(folder.glob("part-*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert _take(shop.ws, tmp_path / "backups").wrong == (path.relative_to(str(shop.ws.store.root)).as_posix(),)
