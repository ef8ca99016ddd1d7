"""Finding files: patterns, what is missing, and paths that lead out of the landing folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fraudops.errors import ContractError, FraudopsError
from fraudops.intake.files import find_files, named_files
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

from .conftest import row, without_ids

Deliver = Callable[..., Path]


def test_a_days_files(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    for name in ("tx_2026-03-06.csv", "tx_2026-03-05.csv.gz", "labels_2026-03-05.csv", "other.txt"):
        deliver(name, row(1))
    (workspace.landing / "shop" / ".tx_2026-03-05.csv.part").write_text("half")
    day = find_files(workspace, shop, "2026-03-05")
    assert [path.name for path in day.transactions] == ["tx_2026-03-05.csv.gz"]
    assert [path.name for path in day.labels] == ["labels_2026-03-05.csv"]
    assert len(find_files(workspace, shop).transactions) == 2
    assert find_files(workspace, shop, "2026-03-06").labels == []


def test_a_missing_file_is_worth_a_retry_and_says_what_is_there(
    workspace: Workspace, shop: Portfolio, deliver: Deliver
) -> None:
    with pytest.raises(FraudopsError, match="does not exist"):
        find_files(workspace, shop, "2026-03-05")
    deliver("wrong_name.csv", row(1))
    with pytest.raises(FraudopsError, match=r"tx_2026-03-05\.csv.*holds wrong_name\.csv") as error:
        find_files(workspace, shop, "2026-03-05")
    assert not isinstance(error.value, ContractError)
    assert error.value.remedy


@pytest.mark.parametrize("key", ["2026-3-5", "../../etc", "*", "2026-03-05T06"])
def test_a_wrong_key(workspace: Workspace, shop: Portfolio, key: str) -> None:
    with pytest.raises(ContractError, match=r"(a key|does not) look"):
        find_files(workspace, shop, key)


def test_a_link_out_of_the_folder_is_refused(
    workspace: Workspace, shop: Portfolio, deliver: Deliver, tmp_path: Path
) -> None:
    deliver("tx_1.csv", row(1))
    (tmp_path / "secret.csv").write_text("secret")
    (workspace.landing / "shop" / "tx_2.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(ContractError, match="leads out"):
        find_files(workspace, shop)
    for name in ("tx_2.csv", "../../secret.csv", str(tmp_path / "secret.csv")):
        with pytest.raises(ContractError, match="leads out"):
            named_files(workspace, shop, name)


def test_named_files(workspace: Workspace, shop: Portfolio, deliver: Deliver) -> None:
    payments, labels = deliver("anything.csv", row(1)), deliver("labels_x.csv", row(1))
    found = named_files(workspace, shop, ["anything.csv", "labels_x.csv"])
    assert (found.transactions, found.labels) == ([payments.resolve()], [labels.resolve()])
    with pytest.raises(ContractError, match=r"no 'none\.csv'; the folder holds anything\.csv, labels_x\.csv"):
        named_files(workspace, shop, "none.csv")
    with pytest.raises(ContractError, match="not a regular file"):
        named_files(workspace, shop, ".")


def test_the_same_data_twice_without_ids(workspace: Workspace, deliver: Deliver) -> None:
    for name in ("a.csv", "a.csv.gz"):
        deliver(name, "10,5,1,x,0", header="event_time,amount,V1,kind,label")
    with pytest.raises(ContractError, match="side by side"):
        find_files(workspace, without_ids())
