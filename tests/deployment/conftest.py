"""Airflow writes a configuration file when it is first imported: into a folder of this test run."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="fo-airflow-"))
