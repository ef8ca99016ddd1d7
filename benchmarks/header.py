"""Under which circumstances the rows were measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.data import digest

_PACKAGES = (
    "fraudops", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "xgboost-cpu", "lightgbm",
    "great-expectations", "pydantic", "sqlalchemy",
)  # fmt: skip


def header(*, quick: bool, data: Iterable[Path], load_before: float) -> dict[str, Any]:
    """Versions, machine, digests of the data, date, and whether the rows were measured in a hurry.

    Parameters
    ----------
    load_before
        The machine's load before anything was measured: the other people's work.
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": round(load_before, 2),
        "load_after": round(os.getloadavg()[0], 2),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        "data": {path.name: digest(path) for path in data},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name where the system tells it."""
    listing = Path("/proc/cpuinfo")
    if not listing.exists():
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in listing.read_text().splitlines() if "model name" in line]
    return names[0] if names else platform.processor()
