from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from fraudops.errors import ConfigurationError, IntegrityError
from fraudops.intake.files import FeedFiles
from fraudops.intake.landing import LandResult, land
from fraudops.intake.publication import publish
from fraudops.store import Store, formats
from fraudops.workspace import Workspace

from tests.intake.conftest import make_portfolio

GOLDEN = Path(__file__).parent / "golden"
KEY = "2026-03-05"
TABLE = pa.table({"a": [1, 2]})


def _golden(tmp_path: Path, number: int) -> Path:
    """A copy of a store as it was once written, and of what was landed into it."""
    return shutil.copytree(GOLDEN / f"format-{number}", tmp_path / "golden")


def _files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_the_first_write_says_the_format(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.keys("transactions", "p") == []
    assert not (tmp_path / "store").exists(), "reading begins nothing"
    store.write("transactions", "p", KEY, TABLE, config="c")
    assert (tmp_path / "store" / "format.json").read_text() == f'{{"format":{formats.CURRENT}}}\n'


def test_a_newer_store_is_neither_read_nor_written(tmp_path: Path) -> None:
    Store(tmp_path).write("transactions", "p", KEY, TABLE, config="c")
    (tmp_path / "format.json").write_text('{"format": 99}')
    before = _files(tmp_path)
    for use in (
        lambda store: store.read_partition("transactions", "p", KEY),
        lambda store: store.keys("transactions", "p"),
        lambda store: store.write("transactions", "p", KEY, TABLE, config="d"),
        lambda store: store.put(b"x", "reports", "p", "a.html"),
        lambda store: formats.migrate(store.root),
    ):
        with pytest.raises(ConfigurationError, match=r"has format 99.*use the version of fraudops that wrote it"):
            use(Store(tmp_path))
    assert _files(tmp_path) == before


@pytest.mark.parametrize("content", ["", "{}", '{"format": "1"}', '{"format": true}', "[1]", '{"format": -1}'])
def test_a_damaged_format_file_is_not_guessed_at(tmp_path: Path, content: str) -> None:
    Store(tmp_path).write("transactions", "p", KEY, TABLE, config="c")
    (tmp_path / "format.json").write_text(content)
    with pytest.raises(IntegrityError, match="restore it from the backup"):
        Store(tmp_path).keys("transactions", "p")


def test_an_older_store_is_read_and_not_written_before_it_is_brought_up_to_date(tmp_path: Path) -> None:
    store = Store(_golden(tmp_path, 0) / "store")
    assert store.read_partition("transactions", "shop", KEY)["amount"].to_pylist() == [12.5, 20.0]
    with pytest.raises(ConfigurationError, match="fraudops store migrate"):
        store.put(b"x", "reports", "shop", "a.html")
    assert len(formats.migrate(store.root)) == formats.CURRENT
    assert formats.migrate(store.root) == []
    store.put(b"x", "reports", "shop", "a.html")


def test_every_step_may_be_interrupted_and_run_again(tmp_path: Path) -> None:
    root = Store(_golden(tmp_path, 0) / "store").root
    for number in range(formats.CURRENT):
        formats.STEPS[number].run(root)
        once = _files(Path(str(root)))
        formats.STEPS[number].run(root)
        assert _files(Path(str(root))) == once


@pytest.mark.parametrize("number", range(formats.CURRENT + 1))
def test_a_store_of_every_format_takes_up_its_files_and_their_corrections(
    workspace: Workspace, tmp_path: Path, number: int
) -> None:
    golden = _golden(tmp_path, number)
    store = Store(golden / "store")
    formats.migrate(store.root)
    ws = Workspace(store, golden / "landing", workspace.database_url, workspace.token_key, workspace.ledger_key)
    path, shop = golden / "landing" / "shop" / f"tx_{KEY}.csv", make_portfolio()

    def landed() -> LandResult:
        return land(ws, shop, FeedFiles([path], [path.with_name(f"labels_{KEY}.csv")]))

    rows = store.read_partition("transactions", "shop", KEY)
    again = landed()
    assert (again.changed_keys, again.rows_quarantined) == ([], 1)
    assert store.read_partition("transactions", "shop", KEY) == rows
    path.write_text(path.read_text().replace("20.00", "21.00"))
    assert landed().changed_keys == [KEY]
    publish(ws, shop, KEY, actor="a")
    assert store.read_partition("transactions", "shop", KEY)["amount"].to_pylist() == [12.5, 21.0]
    assert store.read_partition("protected", "shop", KEY)["customer_name"].to_pylist() == ["Jo Doe", "Jo Doe"]
