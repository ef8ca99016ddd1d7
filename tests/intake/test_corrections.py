"""Late and corrected files: which rows give way, what is kept, and that all of it is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fraudops.errors import FraudopsError
from fraudops.intake import landing as landing_module
from fraudops.intake.changes import FileChange
from fraudops.intake.files import FeedFiles, find_files
from fraudops.intake.landing import land
from fraudops.intake.publication import publish
from fraudops.intake.validation import validate
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest, Store
from fraudops.workspace import Workspace
from sqlalchemy.orm import Session
from upath import UPath

from .conftest import land_paths, make_portfolio, quarantined, row, snapshot, staged_rows, without_ids

Deliver = Callable[..., Path]
KEY, NEXT = "2026-03-05", "2026-03-06"
NEXT_TIME = f"{NEXT}T10:00:00Z"
NO_IDS = "event_time,amount,V1,kind,label"


def _publish(ws: Workspace, portfolio: Portfolio, *keys: str) -> None:
    for key in keys or (KEY,):
        publish(ws, portfolio, key, actor="service:test")


def _amounts(ws: Workspace, key: str = KEY) -> dict[str, float]:
    return {item["transaction_id"]: item["amount"] for item in staged_rows(ws, key)}


# -- the same name ------------------------------------------------------------------------------------------


def test_a_corrected_file_takes_the_place_of_its_published_rows_and_of_no_others(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    other = deliver("tx_0.csv", row(1, amount="1"))
    land_paths(workspace, shop, other, deliver("tx_1.csv", row(2, amount="2"), row(3, amount="3"), row(4, amount="4")))
    _publish(workspace, shop)
    before = workspace.store.require("transactions", "shop", KEY)
    corrected = deliver("tx_1.csv", row(2, amount="2"), row(3, amount="30"), row(5, amount="5"), row(6, amount="x"))
    result = land_paths(workspace, shop, other, corrected)
    assert _amounts(workspace) == {"1": 1, "2": 2, "3": 30, "5": 5}
    (change,) = result.changes
    assert (change.key, change.before) == (KEY, before.data_digest)
    assert change.files == (FileChange("tx_1.csv", added=1, changed=1, removed=1),)
    assert result.notes == ["tx_1.csv came before with other bytes: its rows took the place of those in 1 partition"]
    # Nothing is seen before it is published, and what was seen stays readable afterwards.
    assert workspace.store.require("transactions", "shop", KEY) == before
    _publish(workspace, shop)
    assert workspace.store.require("transactions", "shop", KEY).data_digest == change.after
    assert [item["amount"] for item in workspace.store.read(before).to_pylist()] == [1, 2, 3, 4]
    lineage = workspace.store.require("lineage", "shop", KEY)
    assert {facts["name"] for facts in lineage.facts["files"].values()} == {"tx_0.csv", "tx_1.csv"}
    earlier = workspace.store.read(Manifest.model_validate(lineage.facts["before"])).to_pylist()
    assert {item["transaction_id"] for item in earlier if item["file"] == "tx_1.csv"} == {"2", "3", "4"}
    assert land_paths(workspace, shop, other, corrected).changes == []


def test_what_waits_to_be_published_is_said_by_every_landing_until_it_is(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1), row(2)))
    _publish(workspace, shop)
    late = deliver("tx_2.csv", row(3))
    first = land_paths(workspace, shop, late)
    again = land_paths(workspace, shop, late)
    assert first.changes == again.changes
    assert str(first.changes[0]) == f"{KEY}: 1 rows added, 0 changed, 0 removed (tx_2.csv: 1 added)"
    # Landed over what waits, not over what was published.
    more = land_paths(workspace, shop, deliver("tx_1.csv", row(2)))
    assert more.changes[0].files == (FileChange("tx_1.csv", removed=1), FileChange("tx_2.csv", added=1))
    assert more.to_dict()["changes_in"] == 1


def test_without_ids_a_corrected_file_takes_the_place_of_its_rows(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = without_ids()
    kept = deliver("a.csv", "10,5,1,x,0", header=NO_IDS)
    land_paths(workspace, portfolio, kept, deliver("b.csv", "10,5,1,x,0", "10,5,1,x,0", "20,6,1,x,0", header=NO_IDS))
    _publish(workspace, portfolio)
    corrected = deliver("b.csv", "10,5,1,x,0", "20,7,1,x,0", header=NO_IDS)
    result = land_paths(workspace, portfolio, kept, corrected)
    assert [item["amount"] for item in staged_rows(workspace)] == [5, 5, 7]
    assert [item["transaction_id"][-2:] for item in staged_rows(workspace)] == ["-1", "-2", "-1"]
    assert result.changes[0].counts == {"added": 1, "changed": 0, "removed": 2}
    direct = Workspace(**{**vars(workspace), "store": Store(workspace.landing / "direct")})
    land_paths(direct, portfolio, kept, corrected)
    assert staged_rows(workspace) == staged_rows(direct)


def test_a_file_that_has_grown_changes_only_the_partition_that_grew(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = without_ids()
    land_paths(workspace, portfolio, deliver("all.csv", "10,5,1,x,0", "10,5,1,x,0", header=NO_IDS))
    _publish(workspace, portfolio)
    before = workspace.store.require("transactions", "shop", KEY)
    grown = deliver("all.csv", "10,5,1,x,0", "10,5,1,x,0", "86400,1,1,x,0", header=NO_IDS)
    result = land_paths(workspace, portfolio, grown)
    assert (result.changed_keys, result.changes) == ([NEXT], [])
    assert workspace.store.staged("transactions", "shop", KEY) is None
    assert workspace.store.require("transactions", "shop", KEY) == before


def test_the_same_name_in_another_folder_is_another_file(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = make_portfolio(
        transactions={"path": "*/tx.csv", "columns": {"transaction_id": "id", "event_time": "time"}}
    )
    for folder in ("north", "south"):
        (workspace.landing / "shop" / folder).mkdir(parents=True)
    north, south = deliver("north/tx.csv", row(1)), deliver("south/tx.csv", row(2))
    land_paths(workspace, portfolio, north)
    _publish(workspace, portfolio)
    land_paths(workspace, portfolio, south)
    assert list(_amounts(workspace)) == ["1", "2"]
    land_paths(workspace, portfolio, deliver("south/tx.csv", row(3)))
    assert list(_amounts(workspace)) == ["1", "3"]
    assert {item["file"] for item in workspace.store.read_partition("lineage", "shop", KEY).to_pylist()} == {
        "north/tx.csv",
        "south/tx.csv",
    }


def test_the_same_name_from_another_source_is_another_file(workspace: Workspace, deliver: Deliver) -> None:
    ours = {"path": "*.csv", "columns": {"transaction_id": "id", "event_time": "time"}}
    theirs = {"name": "theirs", "path": "*.csv", "columns": {"transaction_id": "number", "event_time": "time"}}
    portfolio = make_portfolio(transactions=[ours, theirs])
    land_paths(workspace, portfolio, deliver("tx.csv", row(1)))
    header = "number,time,amount,customer_id,card_number,customer_name,channel,distance,contactless"
    land_paths(workspace, portfolio, deliver("tx.csv", row(2), header=header))
    assert list(_amounts(workspace)) == ["1", "2"]


def test_packing_a_file_does_not_make_it_another(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    plain = deliver("tx_1.csv", row(1), row(2))
    land_paths(workspace, shop, plain)
    plain.unlink()
    land_paths(workspace, shop, deliver("tx_1.csv.gz", row(2), row(3)))
    assert list(_amounts(workspace)) == ["2", "3"]


def test_a_packed_twin_beside_its_file_is_no_version_of_it(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    plain, packed = deliver("tx_1.csv", row(1), row(2)), deliver("tx_1.csv.gz", row(1), row(2))
    land_paths(workspace, shop, plain, packed)
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="3")), packed)
    before = snapshot(workspace)
    assert _amounts(workspace) == {"1": 3}
    land_paths(workspace, shop, plain, packed)
    assert snapshot(workspace) == before


def test_an_earlier_version_kept_under_another_name_gives_way_all_the_same(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="1"), row(2, amount="2")))
    kept = deliver("tx_1_old.csv", row(1, amount="1"), row(2, amount="2"))
    corrected = deliver("tx_1.csv", row(1, amount="10"), row(2, amount="2"))
    land_paths(workspace, shop, kept, corrected)
    assert _amounts(workspace) == {"1": 10, "2": 2}
    result = land_paths(workspace, shop, kept, corrected)
    assert _amounts(workspace) == {"1": 10, "2": 2}
    assert result.notes[0].startswith("tx_1_old.csv has other values for 1 row of tx_1.csv")


def test_partitions_that_a_version_lacks_keep_their_rows_and_are_named(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("export.csv", row(1), row(2), row(3, NEXT_TIME)))
    _publish(workspace, shop, KEY, NEXT)
    result = land_paths(workspace, shop, deliver("export.csv", row(3, NEXT_TIME, "7")))
    left = "export.csv has no row in 1 partition in which its version before had 2 rows (2026-03-05)"
    assert f"{left}: they stay as they are" in result.notes
    assert _amounts(workspace) == {"1": 12.5, "2": 12.5}
    assert _amounts(workspace, NEXT) == {"3": 7}


def test_a_row_that_moves_to_another_day_leaves_the_one_it_was_in(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("export.csv", row(1), row(2)))
    result = land_paths(workspace, shop, deliver("export.csv", row(1), row(2, NEXT_TIME)))
    assert (list(_amounts(workspace)), list(_amounts(workspace, NEXT))) == (["1"], ["2"])
    assert result.changed_keys == [KEY, NEXT]


def test_a_days_file_with_rows_of_other_days_says_so(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    path = deliver(f"tx_{KEY}.csv", row(1), row(2, NEXT_TIME), row(3, NEXT_TIME))
    result = land_paths(workspace, shop, path, first=KEY, last=KEY)
    remark = f"tx_{KEY}.csv has 2 rows of partitions that were not asked for: land the file without limits"
    assert result.notes == [remark]
    assert land_paths(workspace, shop, path).notes == []
    changed = deliver(f"tx_{KEY}.csv", row(1), row(2, NEXT_TIME))
    result = land_paths(workspace, shop, changed, first=NEXT, last=NEXT)
    assert any(note.startswith(f"tx_{KEY}.csv has 1 row of partitions") for note in result.notes)


def test_bytes_that_were_replaced_are_in_force_again_when_they_come_again(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    for amount in ("1", "2", "3"):
        land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount=amount)))
        _publish(workspace, shop)
    result = land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="2")))
    assert _amounts(workspace) == {"1": 2}
    assert "tx_1.csv holds bytes that other versions of it had replaced: they are in force again" in result.notes
    assert result.changes[0].counts == {"added": 0, "changed": 1, "removed": 0}


def test_a_correction_that_is_refused_can_be_taken_back(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1)))
    _publish(workspace, shop)
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="x"), row(2, customer_name="Al")))
    back = deliver("tx_1.csv", row(1))
    result = land_paths(workspace, shop, back)
    assert result.changes == []
    assert workspace.store.staged("transactions", "shop", KEY) is None
    assert workspace.store.staged("protected", "shop", KEY) is None


def test_what_is_protected_changes_when_its_rows_do(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    def names() -> dict[str, str]:
        rows = workspace.store.read_partition("protected", "shop", KEY).to_pylist()
        return {item["transaction_id"]: item["customer_name"] for item in rows}

    land_paths(workspace, shop, deliver("tx_1.csv", row(1), row(2)))
    _publish(workspace, shop)
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, customer_name="Al", amount="3")))
    assert names() == {"1": "Jo Doe", "2": "Jo Doe"}
    _publish(workspace, shop)
    assert names() == {"1": "Al"}
    # Where nothing else changes there is nothing to validate.
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, customer_name="Bo", amount="3")))
    assert names() == {"1": "Bo"}


def test_reports_are_not_taken_back_by_another_version_of_their_file(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    header = "transaction_id,reported_at,label"
    payments = deliver("tx.csv", row(1))
    paths = [deliver("labels_1.csv", "1,2026-03-07T10:00:00Z,1", "2,2026-03-07T10:00:00Z,1", header=header)]
    land(workspace, shop, FeedFiles([payments], paths))
    deliver("labels_1.csv", "1,2026-03-07T10:00:00Z,1", header=header)
    result = land(workspace, shop, FeedFiles([payments], paths))
    assert len(workspace.store.read_partition("labels", "shop", "2026-03-07")) == 2
    assert [note for note in result.notes if "labels_1.csv" in note and "stays reported" in note]
    assert land(workspace, shop, FeedFiles([payments], paths)).notes == []


# -- other names --------------------------------------------------------------------------------------------


def test_other_values_under_another_name_are_told_with_what_to_do(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1), row(2)))
    result = land_paths(workspace, shop, deliver("tx_2.csv", row(1, amount="9"), row(2)))
    assert result.notes == [
        "tx_2.csv has other values for 1 row of tx_1.csv, which stay as they are: deliver a new version under that "
        "name, or land this file with corrections"
    ]
    assert (result.rows_accepted, result.rows_quarantined, result.rows_repeated) == (0, 2, 1)
    assert _amounts(workspace)["1"] == 12.5


def test_an_export_that_repeats_what_is_stored_passes_validation(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    days = [deliver(f"tx_{n}.csv", row(n)) for n in range(20)]
    land_paths(workspace, shop, *days)
    _publish(workspace, shop)
    export = deliver("tx_export.csv", *(row(n) for n in range(21)))
    result = land_paths(workspace, shop, export)
    assert (result.rows_accepted, result.rows_repeated) == (1, 20)
    assert validate(workspace, shop, KEY).passed
    # What a file says twice is held against it, as before, and so is another value.
    land_paths(workspace, shop, deliver("tx_twice.csv", *[row(100)] * 20))
    assert not validate(workspace, shop, KEY).passed


# -- corrections by id --------------------------------------------------------------------------------------


def test_corrections_replace_rows_of_the_same_id(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="1"), row(2, amount="2"), row(3, amount="3")))
    _publish(workspace, shop)
    path = deliver("fixes.csv", row(1, amount="1"), row(2, amount="20"), row(4, amount="4"))
    result = land(workspace, shop, FeedFiles([path]), corrections=True)
    assert _amounts(workspace) == {"1": 1, "2": 20, "3": 3, "4": 4}
    assert (result.rows_accepted, result.rows_quarantined) == (3, 0)
    assert result.changes[0].files == (FileChange("fixes.csv", added=1, changed=1),)
    origin = {
        r["transaction_id"]: r["file"] for r in workspace.store.read_partition("lineage", "shop", KEY).to_pylist()
    }
    assert origin == {"1": "tx_1.csv", "2": "fixes.csv", "3": "tx_1.csv", "4": "fixes.csv"}
    before = snapshot(workspace)
    again = land(workspace, shop, FeedFiles([path]), corrections=True)
    assert (snapshot(workspace), again.rows_accepted, again.changes) == (before, 3, result.changes)


def test_corrections_that_say_what_is_stored_change_no_byte_of_it(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1), row(2, customer_name="")))
    _publish(workspace, shop)
    before = {n: c for n, c in snapshot(workspace).items() if n.startswith(("transactions", "protected"))}
    path = deliver("again.csv", row(2, customer_name=""), row(1), row(1))
    result = land(workspace, shop, FeedFiles([path]), corrections=True)
    assert (result.rows_accepted, result.changes, result.changed_keys) == (3, [], [])
    assert {n: c for n, c in snapshot(workspace).items() if n.startswith(("transactions", "protected"))} == before
    assert {r["file"] for r in workspace.store.read_partition("lineage", "shop", KEY).to_pylist()} == {"tx_1.csv"}


def test_the_last_of_several_corrections_stays_and_the_others_are_set_aside(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="1")))
    first = deliver("fixes_1.csv", row(1, amount="2"), row(1, amount="3"))
    second = deliver("fixes_2.csv", row(1, amount="4"))
    result = land(workspace, shop, FeedFiles([first, second]), corrections=True)
    assert _amounts(workspace) == {"1": 4}
    assert (result.rows_accepted, result.rows_repeated) == (1, 2)
    assert {item["reason"] for item in quarantined(workspace)} == {"replaced by the same id as line 2 of fixes_2.csv"}
    assert result.reasons == {"id: replaced by the same id": 2}
    # Back to what was stored: a log of changes may end where it began.
    land(workspace, shop, FeedFiles([deliver("fixes_3.csv", row(1, amount="5"), row(1, amount="4"))]), corrections=True)
    assert _amounts(workspace) == {"1": 4}


def test_corrections_one_by_one_leave_the_rows_of_all_at_once(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, tmp_path: Path
) -> None:
    paths = [
        deliver(f"fixes_{n}.csv", *(row(i, amount=str(10 * n + i)) for i in range(n, n + 3)), row(9)) for n in range(4)
    ]
    land(workspace, shop, FeedFiles(paths), corrections=True)
    apart = Workspace(**{**vars(workspace), "store": Store(tmp_path / "apart")})
    for path in paths:
        land(apart, shop, FeedFiles([path]), corrections=True)
    assert staged_rows(apart) == staged_rows(workspace)


def test_a_file_whose_rows_conflicted_can_be_landed_with_corrections_afterwards(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="1"), row(2, amount="2")))
    path = deliver("tx_2.csv", row(1, amount="10"), row(2, amount="2"), row(3, amount="3"))
    land_paths(workspace, shop, path)
    result = land(workspace, shop, FeedFiles([path]), corrections=True)
    assert _amounts(workspace) == {"1": 10, "2": 2, "3": 3}
    assert (result.rows_accepted, result.rows_quarantined, quarantined(workspace)) == (3, 0, [])
    before = snapshot(workspace)
    land_paths(workspace, shop, path)
    assert snapshot(workspace) == before


def test_a_new_version_does_not_undo_what_another_file_corrected(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="1"), row(2, amount="2")))
    land(workspace, shop, FeedFiles([deliver("fixes.csv", row(1, amount="10"))]), corrections=True)
    land_paths(workspace, shop, deliver("tx_1.csv", row(1, amount="1"), row(2, amount="20")))
    assert _amounts(workspace) == {"1": 10, "2": 20}


def test_corrections_without_ids_add_rows_and_say_so(workspace: Workspace, deliver: Deliver) -> None:
    portfolio = without_ids()
    land_paths(workspace, portfolio, deliver("a.csv", "10,5,1,x,0", header=NO_IDS))
    path = deliver("b.csv", "10,5,1,x,0", "20,5,1,x,0", header=NO_IDS)
    result = land(workspace, portfolio, FeedFiles([path]), corrections=True)
    assert len(staged_rows(workspace)) == 3
    assert any("without an id" in note for note in result.notes)


# -- crashes ------------------------------------------------------------------------------------------------


class _Stopped(Exception):
    """The process died."""


def _dies_after(patched: pytest.MonkeyPatch, writes: int) -> None:
    """Let some changes of the store happen, and no more."""
    left = writes
    put, discard = Store._put, Store.discard

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _Stopped

    def counted_put(store: Store, path: UPath, content: bytes) -> None:
        count()
        put(store, path, content)

    def counted_discard(store: Store, manifest: Manifest) -> None:
        count()
        discard(store, manifest)

    patched.setattr(Store, "_put", counted_put)
    patched.setattr(Store, "discard", counted_discard)


@pytest.mark.parametrize("corrections", [False, True])
@pytest.mark.parametrize("published", [False, True])
def test_a_landing_that_dies_anywhere_is_made_up_for_by_the_next(
    workspace: Workspace,
    shop: Portfolio,
    deliver: Deliver,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    corrections: bool,
    published: bool,
) -> None:
    first = [row(1), row(2), row(3, NEXT_TIME), row(8, amount="x")]
    second = [row(1, amount="5"), row(4, customer_name="Al"), row(3, NEXT_TIME, customer_name="Bo"), row(9, amount="y")]
    path = deliver("tx_1.csv", *first)

    def stored(name: str) -> Workspace:
        return Workspace(**{**vars(workspace), "store": Store(tmp_path / name)})

    landed = stored("landed")
    land_paths(landed, shop, path, deliver("tx_0.csv", row(0)))
    if published:
        _publish(landed, shop, KEY, NEXT)
    deliver("tx_1.csv", *second)

    def begin(name: str) -> Workspace:
        shutil.copytree(tmp_path / "landed", tmp_path / name)
        return stored(name)

    def finish(ws: Workspace) -> dict[str, bytes]:
        result = land(ws, shop, FeedFiles([path]), corrections=corrections)
        assert [change.key for change in result.changes] == ([KEY] if published else [])
        _publish(ws, shop, KEY, NEXT)
        return snapshot(ws)

    smooth = finish(begin("smooth"))
    for writes in range(1_000):
        ws = begin(f"crash-{writes}")
        with monkeypatch.context() as patched:
            _dies_after(patched, writes)
            try:
                land(ws, shop, FeedFiles([path]), corrections=corrections)
            except _Stopped:
                pass
            else:
                assert writes > 10
                break
        assert finish(ws) == smooth, f"after {writes} writes"


def test_a_publication_that_dies_anywhere_is_made_up_for_by_the_next(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["Jo Doe"]
    deliver(f"tx_{KEY}.csv", row(1), row(2))
    for writes in range(100):
        land(workspace, shop, find_files(workspace, shop, KEY))
        with monkeypatch.context() as patched, suppress(_Stopped):
            _dies_after(patched, writes)
            _publish(workspace, shop)
            break
        _publish(workspace, shop)
        kept = workspace.store.read_partition("protected", "shop", KEY)["customer_name"].to_pylist()
        assert kept == ["Jo Doe", names[-1]]
        names.append(f"Al {writes}")
        deliver(f"tx_{KEY}.csv", row(1, amount=str(writes)), row(2, customer_name=names[-1]))
    assert writes > 3


def test_a_file_that_changes_while_another_landing_holds_the_lock_is_not_landed(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = deliver("tx_1.csv", row(1))
    lock = landing_module.lock_landing

    def waiting(session: Session, portfolio: str) -> None:
        lock(session, portfolio)
        deliver("tx_1.csv", row(1), row(2))

    with monkeypatch.context() as patched:
        patched.setattr(landing_module, "lock_landing", waiting)
        with pytest.raises(FraudopsError, match="changed while"):
            land_paths(workspace, shop, path)
    assert not [name for name in snapshot(workspace) if name.startswith(("transactions", "lineage", "files"))]
