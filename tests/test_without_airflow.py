"""The library needs what ``pip install fraudops`` installs, and nothing of what the extra ``airflow`` adds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[1]
LIBRARY = CHECKOUT / "include" / "fraudops"
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
# Alembic runs these itself, within its own context; opening any database does that.
MIGRATIONS = LIBRARY / "database" / "migrations"
MODULES = sorted(
    ".".join(path.relative_to(LIBRARY.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in LIBRARY.rglob("*.py")
    # What speaks SFTP needs the extra of that name, and is imported where a source names a server; so does the service.
    if not path.is_relative_to(MIGRATIONS) and path.stem != "sftp" and not path.is_relative_to(LIBRARY / "serving")
)

IMPORT_ALL = """
import importlib, json, sys

class Absent:
    def __init__(self, names):
        self.names = set(names)
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r} (it is not installed with the library)", name=name)

modules, absent = json.load(sys.stdin)
before = set(sys.modules)  # what the interpreter itself starts with
sys.meta_path.insert(0, Absent(absent))
failed = {}
for module in modules:
    try:
        importlib.import_module(module)
    except BaseException as error:
        failed[module] = f"{type(error).__name__}: {error}"
print(json.dumps([failed, sorted({name.partition(".")[0] for name in set(sys.modules) - before} & set(absent))]))
"""


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_with(wanted: list[str]) -> set[str]:
    """Distributions that come with some requirements, theirs included."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in wanted]
    while waiting:
        requirement = waiting.pop()
        if normal(requirement.name) in found:
            continue
        found.add(normal(requirement.name))
        try:
            needed = [Requirement(text) for text in requires(requirement.name) or ()]
        except PackageNotFoundError:
            continue  # for another platform or Python
        waiting += [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found


def import_all(modules: list[str], absent: list[str]) -> tuple[dict[str, str], list[str]]:
    """Import modules in a fresh process in which others cannot be imported; failures, and what slipped through."""
    process = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        input=json.dumps([modules, absent]),
        env={**os.environ, "PYTHONPATH": str(LIBRARY.parent), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=True,
    )
    failed, present = json.loads(process.stdout.splitlines()[-1])
    return failed, present


@pytest.fixture(scope="module")
def not_with_the_library() -> list[str]:
    """Top-level modules of every distribution here that the library alone would not bring."""
    with_library = installed_with(PROJECT["dependencies"])
    return sorted(
        module
        for module, distributions in packages_distributions().items()
        if module not in {"fraudops", "tests"} and not {normal(name) for name in distributions} & with_library
    )


def test_every_module_imports_with_what_the_library_alone_installs(not_with_the_library: list[str]) -> None:
    assert {"airflow", "fastapi", "pytest", "hypothesis"} <= set(not_with_the_library)
    assert len(MODULES) > 100
    failed, present = import_all(MODULES, [*not_with_the_library, "fraudops_airflow"])
    assert failed == {}
    assert present == []


def test_the_hook_does_keep_modules_away() -> None:
    failed, _ = import_all(["airflow", "fraudops_airflow.email", "json"], ["airflow"])
    assert set(failed) == {"airflow", "fraudops_airflow.email"}


def test_the_extra_is_what_the_airflow_layer_needs() -> None:
    names = {normal(Requirement(text).name) for text in PROJECT["dependencies"]}
    assert not {name for name in names if "airflow" in name}
    extra = [normal(Requirement(text).name) for text in PROJECT["optional-dependencies"]["airflow"]]
    assert extra
    # The pages hand Plotly's script out of its wheel; nothing else of them is not Airflow's own.
    assert {name for name in extra if not name.startswith("apache-airflow")} == {"plotly"}


def test_everything_that_pyproject_names_is_pinned() -> None:
    pinned = {
        normal(Requirement(line).name)
        for line in (CHECKOUT / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    # The mirror is for those who have a server for it; 'make install' leaves its client out, and so do the pins.
    extras = {name: group for name, group in PROJECT["optional-dependencies"].items() if name != "mlflow"}
    groups = [PROJECT["dependencies"], *extras.values()]
    assert {normal(Requirement(text).name) for group in groups for text in group} - {"fraudops"} <= pinned


def test_the_pins_name_no_index() -> None:
    text = (CHECKOUT / "requirements.txt").read_text()
    assert not re.search(r"^\s*-|https?:|@ ", text, re.MULTILINE)
