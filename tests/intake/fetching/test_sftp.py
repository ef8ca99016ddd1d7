from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from fraudops.intake.fetching import Access, fetch
from fraudops.intake.files import find_files
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

from tests.intake.fetching.conftest import message_of, portfolio_of, stored
from tests.intake.fetching.sftp_server import Host

Bring = Callable[..., Any]
HEADER = "transaction_id,event_time,amount,customer_id,label\n"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """A server with an empty folder ``/out``."""
    (tmp_path / "partner" / "out").mkdir(parents=True)
    found = Host(tmp_path / "partner")
    yield found
    found.close()


@pytest.fixture
def pay() -> Portfolio:
    """One file a day from the server."""
    return portfolio_of({"path": "sftp://127.0.0.1/out/tx_{key}.csv*", "connection": "partner"})


def _put(host: Host, name: str, *numbers: int | str, amount: float = 12.5, day: str = "2026-03-05") -> Path:
    path = host.root / "out" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(f"{number},{day}T10:00:00Z,{amount},c,0\n" for number in numbers))
    return path


def _access(host: Host, **others: Any) -> Callable[[object], Access]:
    options = {"port": host.port, "username": "feed", "password": "s3cret", "look_for_keys": False}
    merged = options | {"allow_agent": False, "host_key": host.public_key} | others
    return lambda source: Access(options={name: value for name, value in merged.items() if value is not None})


def test_the_days_file_is_fetched_once_and_landed(
    workspace: Workspace, host: Host, pay: Portfolio, bring: Bring
) -> None:
    _put(host, "tx_2026-03-05.csv", 1, 2)
    _put(host, "tx_2026-03-06.csv", 3, day="2026-03-06")
    _put(host, ".tx_2026-03-05.csv.tmp", 9)
    fetched, result = bring(pay, "2026-03-05", _access(host))
    assert fetched.notes == ["main: 1 files fetched, 0 unchanged"]
    assert result.rows_accepted == 2
    assert stored(workspace, pay) == {"1": 12.5, "2": 12.5}
    again, same = bring(pay, "2026-03-05", _access(host))
    assert again.notes == ["main: 0 files fetched, 1 unchanged"]
    assert same.changed_keys == []
    assert host.reads == ["tx_2026-03-05.csv"]
    everything, _ = bring(pay, access=_access(host))
    assert everything.notes == ["main: 1 files fetched, 1 unchanged"]


def test_a_file_that_has_changed_there_is_fetched_again(
    workspace: Workspace, host: Host, pay: Portfolio, bring: Bring
) -> None:
    path = _put(host, "tx_2026-03-05.csv", 1, 2)
    bring(pay, "2026-03-05", _access(host))
    _put(host, "tx_2026-03-05.csv", 1, 2, amount=99.5)
    os.utime(path, (2e9, 2e9))
    fetched, result = bring(pay, "2026-03-05", _access(host))
    assert fetched.notes == ["main: 1 files fetched, 0 unchanged"]
    assert result.changed_keys == ["2026-03-05"]
    assert stored(workspace, pay) == {"1": 99.5, "2": 99.5}


@pytest.mark.parametrize("harm", ["removed", "altered"])
def test_a_file_that_was_harmed_here_is_fetched_again(
    workspace: Workspace, host: Host, pay: Portfolio, harm: str
) -> None:
    _put(host, "tx_2026-03-05.csv", 1, 2)
    fetch(workspace, pay, _access(host))
    local = workspace.landing / pay.name / "main" / "tx_2026-03-05.csv"
    content = local.read_bytes()
    local.unlink() if harm == "removed" else local.write_text("x")
    fetch(workspace, pay, _access(host))
    assert local.read_bytes() == content


@pytest.mark.parametrize("change", ["grows", "is rewritten", "goes away"])
def test_a_file_that_changes_while_it_is_fetched_is_not_taken(
    workspace: Workspace, host: Host, pay: Portfolio, change: str
) -> None:
    path = _put(host, "tx_2026-03-05.csv", *range(50))

    def disturb(opened: Path) -> None:
        if change == "grows":
            with path.open("a") as file:
                file.write("51,2026-03-05T10:00:00Z,1,c,0\n")
        elif change == "is rewritten":
            os.utime(path, (2e9, 2e9))
        else:
            path.unlink()

    host.when_read = disturb
    said = message_of(lambda: fetch(workspace, pay, _access(host)))
    assert said.startswith("FraudopsError"), "worth a retry"
    assert "tx_2026-03-05.csv changed while it was fetched" in said or "went away" in said
    assert not list((workspace.landing / pay.name).rglob("tx_*"))
    host.when_read = lambda opened: None
    if change != "goes away":
        fetch(workspace, pay, _access(host))
        assert (workspace.landing / pay.name / "main" / path.name).read_bytes() == path.read_bytes()


def test_an_unfinished_download_is_never_landed(workspace: Workspace, host: Host, pay: Portfolio, bring: Bring) -> None:
    _put(host, "tx_2026-03-05.csv", 1)
    folder = workspace.landing / pay.name / "main"
    folder.mkdir(parents=True)
    (folder / ".tx_2026-03-05.csv.part").write_text("what a crash left behind")
    bring(pay, "2026-03-05", _access(host))
    assert sorted(path.name for path in folder.iterdir()) == [".tx_2026-03-05.csv.fetched", "tx_2026-03-05.csv"]


def test_days_may_be_folders(workspace: Workspace, host: Host, bring: Bring) -> None:
    pay = portfolio_of({"name": "feed", "path": "sftp://127.0.0.1/out/day={key}/part-*.csv", "connection": "partner"})
    for day in ("2026-03-05", "2026-03-06"):
        for part in (0, 1):
            _put(host, f"day={day}/part-{part}.csv", f"{day}-{part}", day=day)
    _put(host, "day=2026-03-05/other.csv", 9)
    bring(pay, "2026-03-05", _access(host))
    assert set(stored(workspace, pay)) == {"2026-03-05-0", "2026-03-05-1"}
    bring(pay, access=_access(host))
    assert set(stored(workspace, pay, "2026-03-06")) == {"2026-03-06-0", "2026-03-06-1"}


def test_a_key_logs_in_as_well(workspace: Workspace, host: Host, pay: Portfolio, tmp_path: Path) -> None:
    _put(host, "tx_2026-03-05.csv", 1)
    file = tmp_path / "id"
    host.user_key.write_private_key_file(str(file))
    fetch(workspace, pay, _access(host, password=None, private_key=file.read_text()))
    fetch(workspace, pay, _access(host, password=None, key_filename=str(file)))
    said = message_of(lambda: fetch(workspace, pay, _access(host, password=None, private_key="no key at all")))
    assert "private_key cannot be read" in said


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_refused_login_is_said_without_the_password(
    workspace: Workspace, host: Host, pay: Portfolio, password: str | None
) -> None:
    said = message_of(lambda: fetch(workspace, pay, _access(host, password=password)))
    assert said.startswith("ContractError")
    assert "access is denied" in said
    assert "wrong" not in said


def test_only_the_host_whose_key_is_known_is_talked_to(
    workspace: Workspace, host: Host, pay: Portfolio, tmp_path: Path
) -> None:
    _put(host, "tx_2026-03-05.csv", 1)
    other = paramiko.ECDSAKey.generate()
    said = message_of(lambda: fetch(workspace, pay, _access(host, host_key=f"{other.get_name()} {other.get_base64()}")))
    assert "the host shows another key than the one that is known" in said
    hosts = tmp_path / "known_hosts"
    hosts.write_text("")
    unknown = _access(host, host_key=None, known_hosts=str(hosts))
    said = message_of(lambda: fetch(workspace, pay, unknown))
    assert said.startswith("ContractError")
    assert f"the host's key is not known; it shows {host.key.get_name()} SHA256:" in said
    assert host.reads == []
    hosts.write_text(f"[127.0.0.1]:{host.port} {host.public_key}\n")
    fetch(workspace, pay, unknown)
    assert "host_key is none" in message_of(lambda: fetch(workspace, pay, _access(host, host_key="AAAA")))
    fetch(workspace, pay, _access(host, host_key=None, known_hosts=str(hosts), no_host_key_check=True))


def test_a_missing_folder_a_closed_port_and_a_missing_file_are_told_apart(
    workspace: Workspace, host: Host, pay: Portfolio
) -> None:
    fetch(workspace, pay, _access(host), first="2026-03-05", last="2026-03-05")
    said = message_of(lambda: find_files(workspace, pay, "2026-03-05"))
    assert "no file matches 'sftp://127.0.0.1/out/tx_2026-03-05.csv*'" in said
    other = portfolio_of({"path": "sftp://127.0.0.1/elsewhere/tx_{key}.csv"})
    assert "there is no such bucket or folder" in message_of(lambda: fetch(workspace, other, _access(host)))
    host.close()
    said = message_of(lambda: fetch(workspace, pay, _access(host)))
    assert said.startswith("FraudopsError")
    assert "cannot be reached" in said


@pytest.mark.parametrize("name", ["../tx_1.csv", "a/../../tx_1.csv", "tx_\n1.csv", "tx_1\\..\\2.csv"])
def test_a_name_that_leads_elsewhere_is_refused(workspace: Workspace, host: Host, pay: Portfolio, name: str) -> None:
    _put(host, "tx_2026-03-05.csv", 1)
    host.extra_names = [name]
    said = message_of(lambda: fetch(workspace, pay, _access(host)))
    assert said.startswith("ContractError")
    assert "leads elsewhere" in said
    assert host.reads == []


def test_a_link_out_of_the_landing_folder_is_not_followed(
    workspace: Workspace, host: Host, pay: Portfolio, tmp_path: Path
) -> None:
    _put(host, "tx_2026-03-05.csv", 1)
    (tmp_path / "outside").mkdir()
    (workspace.landing / pay.name).mkdir()
    (workspace.landing / pay.name / "main").symlink_to(tmp_path / "outside")
    assert "leads out of the landing folder" in message_of(lambda: fetch(workspace, pay, _access(host)))
    assert not list((tmp_path / "outside").iterdir())


def test_links_and_folders_of_the_server_are_passed_over(workspace: Workspace, host: Host, pay: Portfolio) -> None:
    _put(host, "tx_2026-03-05.csv", 1)
    (host.root / "out" / "tx_link.csv").symlink_to("/etc/passwd")
    (host.root / "out" / "tx_folder.csv").mkdir()
    fetch(workspace, pay, _access(host))
    assert host.reads == ["tx_2026-03-05.csv"]


def test_without_the_package_it_says_what_to_install(
    workspace: Workspace, host: Host, pay: Portfolio, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "fraudops.intake.fetching.sftp", raising=False)
    monkeypatch.setitem(sys.modules, "paramiko", None)
    said = message_of(lambda: fetch(workspace, pay, _access(host)))
    assert said.startswith("ConfigurationError")
    assert "pip install 'fraudops[sftp]'" in said
