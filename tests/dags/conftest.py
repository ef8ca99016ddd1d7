"""An Airflow of this test process alone: its own home, an SQLite file, nothing of the machine's."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

CHECKOUT = Path(__file__).resolve().parents[2]


def pytest_configure() -> None:
    """Airflow reads its settings when it is first imported, so they are set before any test module is."""
    home = tempfile.mkdtemp(prefix="fo-airflow-")
    os.environ.setdefault("AIRFLOW_HOME", home)
    os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
    os.environ.setdefault("AIRFLOW__CORE__UNIT_TEST_MODE", "False")


@pytest.fixture(scope="session")
def dag_bag() -> DagBag:
    """Every DAG of the project, parsed as Airflow parses them."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(CHECKOUT / "dags"))
