from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest
from fraudops.settings import Settings
from fraudops.stack.environment import fraudops_variables, load, stack_environment
from fraudops.stack.folder import StackFolder
from fraudops.stack.ports import Ports, any_free, first_free, is_free
from fraudops.stack.postgres import Postgres
from fraudops.stack.processes import start_mark
from fraudops.stack.record import ProcessRecord, StackRecord, read_record
from fraudops.stack.secrets import Secrets, ensure_secrets

PORTS = Ports(ui=8081, mail=2525)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.from_environment({"FRAUDOPS_HOME": str(tmp_path), "FRAUDOPS_STATE": str(tmp_path / "da ta")})


def test_another_airflow_on_this_machine_does_not_leak_in(settings: Settings) -> None:
    base = {
        "PATH": "/bin",
        "AIRFLOW_HOME": "/somewhere",
        "AIRFLOW_CONFIG": "/somewhere/airflow.cfg",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite://",
        "AIRFLOW__CELERY__BROKER_URL": "redis://",
        "AIRFLOW_CONN_SMTP_DEFAULT": "smtp://mail.example:25",
        "PYTHONPATH": "/mine",
        "NO_PROXY": "intranet",
    }
    found = stack_environment(settings, Secrets.generate(), PORTS, base)
    assert found["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert "AIRFLOW__CELERY__BROKER_URL" not in found
    assert found["AIRFLOW_HOME"] == str(settings.state / "stack" / "airflow")
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://")
    assert found["AIRFLOW_CONN_SMTP_DEFAULT"] == "smtp://mail.example:25"
    assert found["PYTHONPATH"].split(os.pathsep) == [str(settings.home / "include"), "/mine"]
    assert set(found["NO_PROXY"].split(",")) == {"intranet", "127.0.0.1", "localhost"}


def test_mail_goes_to_the_sink_without_tls(settings: Settings) -> None:
    found = stack_environment(settings, Secrets.generate(), PORTS, {})
    assert json.loads(found["AIRFLOW_CONN_SMTP_DEFAULT"]) == {
        "conn_type": "smtp",
        "host": "127.0.0.1",
        "port": 2525,
        "extra": {"disable_ssl": True, "disable_tls": True},
    }


def test_everything_listens_on_loopback(settings: Settings) -> None:
    found = stack_environment(settings, Secrets.generate(), PORTS, {})
    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8081/execution/"


def test_the_caller_s_own_keys_and_database_are_kept(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "FRAUDOPS_STATE": str(tmp_path),
            "FRAUDOPS_TOKEN_KEY": "ab" * 32,
            "FRAUDOPS_DATABASE_URL": "postgresql+psycopg2://db/prod",
            "FRAUDOPS_STORE": "s3://bucket/fraudops",
        }
    )
    secrets = Secrets.generate()
    found = fraudops_variables(settings, secrets, "http://x")
    assert found["FRAUDOPS_TOKEN_KEY"] == "ab" * 32
    assert found["FRAUDOPS_LEDGER_KEY"] == secrets.ledger_key
    assert found["FRAUDOPS_DATABASE_URL"] == "postgresql+psycopg2://db/prod"
    assert found["FRAUDOPS_STORE"] == "s3://bucket/fraudops"


def test_a_fresh_shell_finds_the_stack(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("FRAUDOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    folder = StackFolder.of(settings)
    assert not load(settings)
    secrets = ensure_secrets(folder.secrets)
    StackRecord(ports=PORTS).write(folder.record)
    os.environ["FRAUDOPS_TOKEN_KEY"] = "cd" * 32
    assert load(settings)
    assert os.environ["FRAUDOPS_LEDGER_KEY"] == secrets.ledger_key
    assert os.environ["FRAUDOPS_TOKEN_KEY"] == "cd" * 32
    assert os.environ["FRAUDOPS_UI_URL"] == "http://127.0.0.1:8081"
    assert os.environ["FRAUDOPS_DATABASE_URL"] == Postgres(folder.root).url("fraudops", "fraudops_app")


def test_a_record_survives_and_a_damaged_one_is_no_record(tmp_path: Path) -> None:
    file = tmp_path / "processes.json"
    assert read_record(file) is None
    process = ProcessRecord(pid=os.getpid(), started=start_mark(os.getpid()) or "", at=1.5)
    record = StackRecord(ports=PORTS, processes={"scheduler": process})
    record.write(file)
    assert read_record(file) == record
    file.write_text('{"ports": ')
    assert read_record(file) is None


def test_a_port_in_use_is_passed_over() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        taken = server.getsockname()[1]
        assert not is_free(taken)
        assert first_free([taken]) > taken
        other = any_free()
        assert first_free([taken, other]) == other
    assert first_free([None, taken]) == taken


def test_python_keeps_its_bytecode_whatever_the_shell_says(settings: Settings) -> None:
    found = stack_environment(settings, Secrets.generate(), PORTS, {"PYTHONDONTWRITEBYTECODE": "1"})
    assert "PYTHONDONTWRITEBYTECODE" not in found
    # Not beside the sources: that is what the caller does not want.
    assert found["PYTHONPYCACHEPREFIX"].startswith(str(settings.state / "stack"))
    assert "PYTHONPYCACHEPREFIX" not in stack_environment(settings, Secrets.generate(), PORTS, {})
