"""What is needed before Airflow starts."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from fraudops.errors import ConfigurationError
from fraudops.settings import Settings
from fraudops.stack import preparation
from fraudops.stack.lifecycle import Stack


def absent(name: str) -> str:
    raise importlib.metadata.PackageNotFoundError(name)


def test_the_release_of_airflow_is_named() -> None:
    assert preparation.airflow_release() == f"apache-airflow-core {importlib.metadata.version('apache-airflow-core')}"


def test_where_airflow_is_not_installed_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "version", absent)
    stack = Stack(
        Settings.from_environment({"FRAUDOPS_HOME": str(tmp_path), "FRAUDOPS_STATE": str(tmp_path / "state")})
    )
    with pytest.raises(ConfigurationError, match=r"Airflow is not installed → run 'make install'.*fraudops\[airflow\]"):
        stack.up(lambda _: None)
    assert not (tmp_path / "state").exists()
