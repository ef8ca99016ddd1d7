"""With what a model was trained: the interpreter, and the libraries that its numbers depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = ("fraudops", "joblib", "lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "xgboost-cpu")


def environment() -> dict[str, Any]:
    """Versions, as JSON-able values; no name of a machine, a person or a path."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: found for name in PACKAGES if (found := _version(name)) is not None},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
