"""Airflow connections become logins; the tasks of ingest and land fetch with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest
from fraudops.errors import ConfigurationError, FraudopsError
from fraudops.portfolio import Source
from fraudops.workspace import Workspace
from fraudops_airflow.ingest import build_ingest
from fraudops_airflow.land import build_land
from fraudops_airflow.sources import access_to

from tests.intake.fetching.conftest import TABLE, Bank, bank, portfolio_of, stored  # noqa: F401 - a fixture
from tests.intake.fetching.sftp_server import Host

Connect = Callable[..., None]
S3 = Source.model_validate({"path": "s3://feed/in/tx_{key}.csv", "connection": "bucket"})
SFTP = Source.model_validate({"path": "sftp://127.0.0.1/out/tx_{key}.csv", "connection": "partner"})
DATABASE = Source.model_validate({"table": "payments", "connection": "bank"})


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Makes an Airflow connection: ``connect("bank", conn_type="postgres", host="…")``."""

    def make(name: str, **content: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(content))

    return make


@pytest.fixture
def installation(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """The workspace, found through the environment as the tasks do."""
    monkeypatch.setenv("FRAUDOPS_DATABASE_URL", workspace.database_url)
    monkeypatch.setenv("FRAUDOPS_STORE", str(workspace.store.root))
    monkeypatch.setenv("FRAUDOPS_LANDING", str(workspace.landing))
    monkeypatch.setenv("FRAUDOPS_TOKEN_KEY", workspace.token_key.hex())
    monkeypatch.setenv("FRAUDOPS_LEDGER_KEY", workspace.ledger_key.hex())
    return workspace


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """An SFTP server with a day's file."""
    folder = tmp_path / "partner" / "out"
    folder.mkdir(parents=True)
    text = "transaction_id,event_time,amount,customer_id,label\n1,2026-03-05T10:00:00Z,5,c,0\n"
    (folder / "tx_2026-03-05.csv").write_text(text)
    found = Host(tmp_path / "partner")
    yield found
    found.close()


def test_a_connection_that_is_not_there_says_how_to_make_it() -> None:
    for source, kind in ((S3, "aws"), (SFTP, "sftp"), (DATABASE, "postgres")):
        with pytest.raises(ConfigurationError) as error:
            access_to(source)
        assert f"there is no Airflow connection '{source.connection}'" in str(error.value)
        assert f"airflow connections add {source.connection} --conn-json" in str(error.value)
        assert f'"conn_type": "{kind}"' in str(error.value)


def test_a_bucket_without_a_connection_uses_the_workers_role() -> None:
    assert access_to(S3.model_copy(update={"connection": None})).options == {}


def test_what_an_s3_connection_says(connect: Connect) -> None:
    extra = {"endpoint_url": "https://s3.bank.example", "region_name": "eu-central-1", "verify": "/ca.pem"}
    connect("bucket", conn_type="aws", login="ID", password="SECRET", extra=extra)
    assert access_to(S3).options == {
        "key": "ID",
        "secret": "SECRET",
        "endpoint_url": "https://s3.bank.example",
        "client_kwargs": {"region_name": "eu-central-1", "verify": "/ca.pem"},
    }
    assert "SECRET" not in repr(access_to(S3))
    connect("bucket", conn_type="aws", extra={"role_arn": "arn:aws:iam::1:role/x"})
    with pytest.raises(ConfigurationError, match="role_arn"):
        access_to(S3)


def test_what_a_database_connection_says(connect: Connect) -> None:
    connect("bank", conn_type="postgres", host="db.example", port=5433, login="reader", password="p@ss:/w",
            schema="core", extra={"sslmode": "verify-full", "cursor": "dictcursor"})  # fmt: skip
    url = access_to(DATABASE).url
    assert url is not None
    assert str(url) == "postgresql+psycopg2://reader:***@db.example:5433/core?sslmode=verify-full"
    connect("bank", conn_type="mysql", host="db.example")
    with pytest.raises(ConfigurationError, match="of type 'mysql', and only PostgreSQL is read"):
        access_to(DATABASE)


def test_an_sftp_connection_of_another_host_is_refused(connect: Connect) -> None:
    connect("partner", conn_type="sftp", host="other.example", login="feed")
    with pytest.raises(ConfigurationError, match=r"names the host '127.0.0.1', and its connection 'other.example'"):
        access_to(SFTP)


def test_the_host_key_is_checked_unless_the_connection_says_otherwise(connect: Connect) -> None:
    connect("partner", conn_type="sftp", host="127.0.0.1", login="feed", password="x")
    assert access_to(SFTP).options["no_host_key_check"] is False
    connect("partner", conn_type="sftp", host="127.0.0.1", login="feed", extra={"no_host_key_check": True})
    assert access_to(SFTP).options["no_host_key_check"] is True


def _ingest(portfolio: Any, key: str = "2026-03-05") -> dict[str, Any]:
    run = SimpleNamespace(
        dag_id="x", partition_key=key, run_type="manual", run_after=datetime(2026, 4, 1, tzinfo=UTC),
        triggering_user_name=None,
    )  # fmt: skip
    found: dict[str, Any] = build_ingest(portfolio).get_task("land").python_callable(dag_run=run, params={})
    return found


def _land(portfolio: Any, **params: Any) -> dict[str, Any]:
    run = SimpleNamespace(dag_id="pay_land", triggering_user_name="maria")
    form = {"path": None, "first": None, "last": None, "corrections": False, "set_aside": False, **params}
    found: dict[str, Any] = build_land(portfolio).get_task("land").python_callable(dag_run=run, params=form)
    return found


@pytest.mark.parametrize("login", ["password", "key"])
def test_ingest_fetches_the_days_file_over_the_connection(
    installation: Workspace, host: Host, connect: Connect, tmp_path: Path, login: str
) -> None:
    extra: dict[str, Any] = {"host_key": host.public_key}
    if login == "key":
        host.user_key.write_private_key_file(str(tmp_path / "id"))
        extra["private_key"] = (tmp_path / "id").read_text()
    secret = {"password": "s3cret"} if login == "password" else {}
    connect("partner", conn_type="sftp", host="127.0.0.1", port=host.port, login="feed", extra=extra, **secret)
    pay = portfolio_of({"path": "sftp://127.0.0.1/out/tx_{key}.csv", "connection": "partner"})
    result = _ingest(pay)
    assert result["fetched"] == ["main: 1 files fetched, 0 unchanged"]
    assert result["rows_accepted"] == 1
    assert stored(installation, pay) == {"1": 5.0}
    assert "s3cret" not in json.dumps(result)
    wrong = paramiko.ECDSAKey.generate()
    extra["host_key"] = f"{wrong.get_name()} {wrong.get_base64()}"
    connect("partner", conn_type="sftp", host="127.0.0.1", port=host.port, login="feed", extra=extra, **secret)
    with pytest.raises(FraudopsError, match="another key than the one that is known"):
        _ingest(pay)


def _connect_bank(connect: Connect, bank: Bank) -> None:  # noqa: F811
    folder = bank.url.partition("?host=")[2]
    connect("bank", conn_type="postgres", host=folder, login="postgres", schema="bank")


def test_land_reads_on_and_ingest_reads_a_day(installation: Workspace, bank: Bank, connect: Connect) -> None:  # noqa: F811
    _connect_bank(connect, bank)
    pay = portfolio_of({**TABLE, "watermark": "seq"})
    bank.pay(1)
    assert _land(pay)["rows_read"] == 1
    bank.pay(2)
    bank.pay(3, at="2026-03-06 08:00+00")
    second = _land(pay)
    assert (second["rows_read"], second["keys"]) == (2, ["2026-03-05", "2026-03-06"])
    assert _land(pay)["keys"] == []
    assert _ingest(pay)["rows_read"] == 2
    limited = _land(pay, first="2026-03-06", last="2026-03-06")
    assert (limited["rows_read"], limited["keys"]) == (1, ["2026-03-06"])


def test_a_named_file_is_landed_without_asking_any_server(installation: Workspace) -> None:
    pay = portfolio_of({"path": "sftp://127.0.0.1/out/tx_{key}.csv", "connection": "partner"})
    folder = installation.landing / pay.name / "main"
    folder.mkdir(parents=True)
    text = "transaction_id,event_time,amount,customer_id,label\n1,2026-03-05T10:00:00Z,5,c,0\n"
    (folder / "tx_2026-03-05.csv").write_text(text)
    result = _land(pay, path="main/tx_2026-03-05.csv")
    assert (result["fetched"], result["rows_read"]) == ([], 1)
