"""The compose file is one that starts: complete, pinned, closed to the network, with settings that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from fraudops import settings

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "docker-compose.yaml").read_text()
COMPONENTS = {"airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}
LIBRARY_VARIABLES = {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file, its anchors resolved."""
    return yaml.safe_load(TEXT)


def test_the_services(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == COMPONENTS | {"airflow-init", "fraudops-scoring", "postgres", "mail"}


def test_every_lasting_service_is_watched(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name == "airflow-init":
            assert service["restart"] == "no"
            continue
        assert service["restart"] == "always", name
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        assert {"interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"]), name


def test_components_wait_for_the_tables(compose: dict[str, Any]) -> None:
    for name in COMPONENTS:
        needs = compose["services"][name]["depends_on"]
        assert needs["airflow-init"]["condition"] == "service_completed_successfully"
        assert needs["postgres"]["condition"] == "service_healthy"


def test_the_scoring_service_stops_no_sooner_than_it_has_answered(compose: dict[str, Any]) -> None:
    service = compose["services"]["fraudops-scoring"]
    assert service["environment"] == compose["x-airflow-common"]["environment"]
    assert service["user"] == compose["x-airflow-common"]["user"]
    assert service["stop_grace_period"] == "40s"


def test_ports_are_open_to_this_machine_alone(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    images += re.findall(r"^FROM (\S+)", (CHECKOUT / "Dockerfile").read_text(), re.MULTILINE)
    for image in images:
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+[\w.-]*", image), image


def test_every_component_has_the_same_environment(compose: dict[str, Any]) -> None:
    common = compose["x-airflow-common"]["environment"]
    for name in COMPONENTS:
        assert compose["services"][name]["environment"] == common, name
    assert common.items() <= compose["services"]["airflow-init"]["environment"].items()
    assert common["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_variables_are_ones_that_somebody_reads(compose: dict[str, Any]) -> None:
    from airflow.configuration import conf

    known = set(re.findall(r"``(FRAUDOPS_\w+)``", settings.__doc__ or ""))
    for variable in compose["x-airflow-common"]["environment"]:
        if variable.startswith("AIRFLOW__"):
            _, section, option = variable.split("__", 2)
            options = conf.configuration_description[section.lower()]["options"]
            assert option.lower() in options, variable
        elif variable.startswith("FRAUDOPS_"):
            assert variable in known, variable
        else:
            assert variable.startswith("AIRFLOW_CONN_") or variable in LIBRARY_VARIABLES, variable


def test_the_images_variables_are_ones_that_somebody_reads() -> None:
    known = set(re.findall(r"``(FRAUDOPS_\w+)``", settings.__doc__ or ""))
    used = set(re.findall(r"^ +(?:ENV )?(FRAUDOPS_\w+)=", (CHECKOUT / "Dockerfile").read_text(), re.MULTILINE))
    assert used
    assert used <= known


def test_secrets_come_from_the_environment_and_are_missed_loudly() -> None:
    required = set(re.findall(r"\$\{(\w+):\?[^}]+\}", TEXT))
    assert {
        "AIRFLOW_JWT_SECRET",
        "FRAUDOPS_TOKEN_KEY",
        "FRAUDOPS_LEDGER_KEY",
        "FRAUDOPS_PROTECTION_KEY",
        "AIRFLOW_FERNET_KEY",
    } <= required
    optional = set(re.findall(r"\$\{(\w+):-[^}]+\}", TEXT))
    assert optional == {"AIRFLOW_UID", "UI_PORT", "MAIL_PORT", "SCORING_PORT"}
    assert set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT)) == required | optional
    example = (CHECKOUT / ".env.example").read_text()
    offered = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert set(offered) == required | optional
    assert all(offered[name] == "" for name in required), "a secret must not have a default"


def test_make_env_fills_every_secret_and_replaces_nothing(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    (tmp_path / "docker").mkdir()
    shutil.copy(CHECKOUT / "docker" / "make-env.sh", tmp_path / "docker")
    shutil.copy(CHECKOUT / ".env.example", tmp_path)
    script = [str(tmp_path / "docker" / "make-env.sh")]
    subprocess.run(script, check=True, capture_output=True)
    file = tmp_path / ".env"
    values = dict(re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE))
    assert all(values.values())
    assert len(bytes.fromhex(values["FRAUDOPS_TOKEN_KEY"])) == 32
    assert file.stat().st_mode & 0o077 == 0
    again = subprocess.run(script, capture_output=True, text=True)
    assert again.returncode == 1
    assert "left as it is" in again.stderr
    assert dict(re.findall(r"^(\w+)=(.*)$", file.read_text(), re.MULTILINE)) == values


def test_docker_accepts_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode != 0:
        pytest.skip("docker with its compose plugin is not installed; the GitHub workflow runs this")
    names = re.findall(r"\$\{(\w+):\?", TEXT)
    file = str(CHECKOUT / "docker-compose.yaml")
    command = [docker, "compose", "--env-file", os.devnull, "--file", file, "config", "--quiet"]
    complete = {**os.environ, **dict.fromkeys(names, "ab")}
    result = subprocess.run(command, env=complete, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    bare = {key: value for key, value in os.environ.items() if key not in names}
    result = subprocess.run(command, env=bare, capture_output=True, text=True)
    assert result.returncode != 0
    assert "make-env.sh" in result.stderr
