"""What a watch finds, what it asks for once, and what it leaves alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fraudops.errors import ContractError
from fraudops.intake.apart import land_apart
from fraudops.intake.files import find_files
from fraudops.intake.folder import Settling, look
from fraudops.intake.landing import land
from fraudops.intake.watching import ask, done_with, lying, patterns, refused_files, undone
from fraudops.portfolio import Portfolio, Source
from fraudops.workspace import Workspace

HEADER = "tx_id,tx_time,amount,currency,customer_id,terminal_id,card_number,customer_name,country,channel\n"
ROW = "C1,2026-03-05T10:00:00Z,12.50,EUR,c1,t1,4556737586899855,A,DE,online\n"
DAY = "transactions_2026-03-05.csv"


@pytest.fixture
def cards(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["cards"]


@pytest.fixture
def folder(workspace: Workspace) -> Path:
    path = workspace.landing / "cards"
    path.mkdir()
    return path


def deliver(folder: Path, name: str = DAY, text: str = HEADER + ROW) -> None:
    (folder / name).write_text(text)


# -- the folder from outside -----------------------------------------------------------------------------------


def test_only_finished_files_that_match_are_seen(folder: Path, cards: Portfolio) -> None:
    for name in (DAY, "chargebacks_2026-03-05.csv.gz", "dispositions_x.csv", "notes.txt", DAY + ".part", f".{DAY}.tmp"):
        (folder / name).write_text("x")
    (folder / "transactions_folder.csv").mkdir()
    assert set(look(folder, patterns(cards))) == {DAY, "chargebacks_2026-03-05.csv.gz", "dispositions_x.csv"}
    assert look(folder / "nowhere", ["*"]) == {}


def test_a_file_is_ready_when_it_has_stopped_growing() -> None:
    settling = Settling({}, settle=10)
    assert settling.ready({"a": (1, 1)}, 0) == []
    assert settling.ready({"a": (2, 2)}, 9) == []
    assert settling.ready({"a": (2, 2)}, 18.9) == []
    assert settling.ready({"a": (2, 2)}, 19) == ["a"]


def test_what_is_known_is_never_ready_until_it_changes() -> None:
    settling = Settling({"a": (1, 1)}, settle=1)
    assert settling.ready({"a": (1, 1)}, 0) == settling.ready({"a": (1, 1)}, 99) == []
    assert settling.ready({"a": (1, 5)}, 100) == []
    assert settling.ready({"a": (1, 5)}, 101) == ["a"]


def test_two_files_at_once_are_taken_together_and_a_slow_one_holds_up_nobody() -> None:
    settling = Settling({}, settle=10)
    settling.ready({"a": (1, 1)}, 0)
    settling.ready({"a": (1, 1), "b": (1, 1)}, 4)
    assert settling.ready({"a": (1, 1), "b": (1, 1)}, 10) == []
    assert settling.ready({"a": (1, 1), "b": (1, 1)}, 14) == ["a", "b"]
    settling = Settling({}, settle=10)
    for second in range(20):
        assert settling.ready({"a": (1, 1), "b": (second, second)}, second) == []
    assert settling.ready({"a": (1, 1), "b": (20, 20)}, 20) == ["a"]


# -- what there is to do ---------------------------------------------------------------------------------------


def test_a_new_file_is_asked_for_once(workspace: Workspace, cards: Portfolio, folder: Path) -> None:
    deliver(folder)
    assert done_with(workspace, cards, run="r1") == {}
    assert ask(workspace, cards, [DAY], run="r1") == [DAY]
    assert ask(workspace, cards, [DAY], run="r2") == []
    assert set(done_with(workspace, cards, run="r2")) == {DAY}
    # The run that asked was broken off before anything came of it: its next try asks again.
    assert done_with(workspace, cards, run="r1") == {}
    assert ask(workspace, cards, [DAY], run="r1") == [DAY]


def test_bytes_that_the_store_knows_are_left_alone_whoever_landed_them(
    workspace: Workspace, cards: Portfolio, folder: Path
) -> None:
    deliver(folder)
    deliver(folder, "chargebacks_2026-03-05.csv", "transaction_id,reported_at,label\nC1,2026-03-07T10:00:00Z,1\n")
    land(workspace, cards, find_files(workspace, cards))
    assert set(done_with(workspace, cards, run="r1")) == {DAY, "chargebacks_2026-03-05.csv"}
    assert ask(workspace, cards, [DAY], run="r1") == []
    # Touched, with the same bytes.
    os.utime(folder / DAY, ns=(1, 1))
    assert done_with(workspace, cards, run="r1")[DAY][1] == 1
    deliver(folder, text=HEADER + ROW + ROW.replace("C1", "C2"))
    assert DAY not in done_with(workspace, cards, run="r1")
    assert ask(workspace, cards, [DAY], run="r1") == [DAY]


def test_what_was_landed_is_done_with_and_what_was_lost_is_found(
    workspace: Workspace, cards: Portfolio, folder: Path
) -> None:
    deliver(folder)
    ask(workspace, cards, [DAY], run="lost")
    assert set(undone(workspace, cards)) == {DAY}
    assert ask(workspace, cards, [DAY], run="reconcile", again=True) == [DAY]
    result, refused = land_apart(workspace, cards, [DAY])
    assert (result.keys, refused) == (["2026-03-05"], [])
    assert undone(workspace, cards) == {}
    assert ask(workspace, cards, [DAY], run="reconcile", again=True) == []


def test_the_same_bytes_under_another_name_are_asked_for_once(
    workspace: Workspace, cards: Portfolio, folder: Path
) -> None:
    deliver(folder)
    deliver(folder, "transactions_copy.csv")
    land_apart(workspace, cards, [DAY, "transactions_copy.csv"])
    assert undone(workspace, cards) == {}


def test_a_file_that_cannot_be_used_is_refused_and_the_others_are_landed(
    workspace: Workspace, cards: Portfolio, folder: Path
) -> None:
    deliver(folder)
    bad = ("transactions_bad.csv", "transactions_empty.csv")
    deliver(folder, bad[0], "a,b\n1,2\n")
    deliver(folder, bad[1], "")
    names = [*bad, DAY]
    assert ask(workspace, cards, names, run="r1") == sorted(names)
    result, refused = land_apart(workspace, cards, names)
    assert result.keys == ["2026-03-05"]
    assert [found.name for found in refused] == list(bad)
    assert "tx_id" in refused[0].what
    assert refused[1].sha256 == ""
    assert refused_files(workspace, cards) == sorted(bad)
    # It is not asked for again, by nobody, until its bytes are others.
    assert ask(workspace, cards, names, run="r2") == ask(workspace, cards, names, run="r2", again=True) == []
    assert undone(workspace, cards) == {}
    assert set(done_with(workspace, cards, run="r2")) == set(names)
    deliver(folder, bad[0], HEADER + ROW.replace("C1", "C9"))
    assert ask(workspace, cards, names, run="r3") == [bad[0]]
    assert land_apart(workspace, cards, [bad[0]])[1] == []
    assert refused_files(workspace, cards) == [bad[1]]


def test_a_file_that_grew_while_it_was_landed_is_another_one(
    workspace: Workspace, cards: Portfolio, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fraudops.intake import apart

    deliver(folder)
    ask(workspace, cards, [DAY], run="r1")

    def grow(*arguments: object, **limits: object) -> object:
        result = land(*arguments, **limits)  # type: ignore[arg-type]
        with (folder / DAY).open("a") as file:
            file.write(ROW.replace("C1", "C2"))
        return result

    monkeypatch.setattr(apart, "land", grow)
    land_apart(workspace, cards, [DAY])
    assert set(undone(workspace, cards)) == {DAY}
    assert ask(workspace, cards, [DAY], run="r2") == [DAY]


def test_another_token_key_is_no_fault_of_the_file(workspace: Workspace, cards: Portfolio, folder: Path) -> None:
    deliver(folder)
    land_apart(workspace, cards, [DAY])
    deliver(folder, "transactions_2026-03-06.csv", HEADER + ROW.replace("03-05", "03-06"))
    other = Workspace(
        store=workspace.store,
        landing=workspace.landing,
        database_url=workspace.database_url,
        token_key=b"x" * 32,
        ledger_key=workspace.ledger_key,
    )
    with pytest.raises(ContractError, match="another key"):
        land_apart(other, cards, ["transactions_2026-03-06.csv"])
    assert set(undone(workspace, cards)) == {"transactions_2026-03-06.csv"}


def test_files_that_are_gone_are_forgotten(workspace: Workspace, cards: Portfolio, folder: Path) -> None:
    deliver(folder)
    land_apart(workspace, cards, [DAY])
    (folder / DAY).unlink()
    assert done_with(workspace, cards, run="r1") == {}
    assert lying(workspace, cards) == {}


def test_what_is_fetched_is_no_arrival(cards: Portfolio) -> None:
    remote = Source(path="s3://bucket/in/tx_{key}.csv")
    fetched = cards.model_copy(update={"transactions": (remote,)})
    assert [feed for feed, _ in fetched.watched] == ["labels", "dispositions"]
    off = cards.model_copy(update={"watch": cards.watch.model_copy(update={"enabled": False})})
    assert off.watched == []
