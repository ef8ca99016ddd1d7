"""An Airflow home of this test process alone."""

from __future__ import annotations

import os
import tempfile


def pytest_configure() -> None:
    """Airflow reads its settings when it is first imported, so they are set before any test module is."""
    os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="fo-airflow-"))
