"""The listener warms the processes that fork others, and nobody else."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
from fraudops_airflow import preload


class Job:
    """Stands for Airflow's: the listener sees it before it knows its type."""


class TaskRunnerMarker:
    """What the hook gets in a task process."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been imported."""
    modules: list[str] = []

    def note(names: object) -> preload.Preloaded:
        modules.extend(names)  # type: ignore[arg-type]
        return preload.Preloaded(tuple(modules), {"lightgbm": "OSError: libgomp.so.1"}, 0.1)

    monkeypatch.setattr(preload, "preload", note)
    monkeypatch.delenv("FRAUDOPS_PRELOAD", raising=False)
    return modules


def test_the_scheduler_imports_and_says_so(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", ["airflow", "scheduler", "--skip-serve-logs"])
    with caplog.at_level(logging.INFO, logger=preload.__name__):
        preload.on_starting(component=Job())
    assert {"pandas", "great_expectations", "fraudops.store.store"} <= set(asked)
    assert "modules in" in caplog.text
    assert "tasks will import lightgbm themselves: OSError: libgomp.so.1" in caplog.text


def test_the_dag_processor_imports_what_dag_files_share(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["airflow", "dag-processor"])
    preload.on_starting(component=Job())
    assert "fraudops.portfolio" in asked
    assert not {"pandas", "sklearn.ensemble"} & set(asked)
    # A builder that somebody edits is read anew.
    assert not [name for name in asked if name.startswith("fraudops_airflow")]


@pytest.mark.parametrize(
    ("component", "argv"),
    [
        (TaskRunnerMarker(), ["airflow", "scheduler"]),
        (Job(), ["airflow", "triggerer"]),
        (Job(), ["airflow"]),
    ],
)
def test_nobody_else_does(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, component: object, argv: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    preload.on_starting(component=component)
    assert asked == []


def test_it_can_be_turned_off(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", ["airflow", "scheduler"])
    monkeypatch.setenv("FRAUDOPS_PRELOAD", "0")
    with caplog.at_level(logging.INFO, logger=preload.__name__):
        preload.on_starting(component=Job())
    assert asked == []
    assert "turned off" in caplog.text


def test_a_library_that_fails_is_left_to_the_tasks(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_library.py").write_text("raise OSError('libgomp.so.1: cannot open shared object file')\n")
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "ends_the_process.py").write_text("raise SystemExit(2)\n")
    result = preload.preload(["json", "broken_library", "no_such_library", "ends_the_process"])
    assert result.imported == ("json",)
    assert result.failed["broken_library"].startswith("OSError: libgomp.so.1")
    assert result.failed["no_such_library"].startswith("ModuleNotFoundError")
    assert result.failed["ends_the_process"].startswith("SystemExit")


def test_rooms_are_those_that_tasks_use() -> None:
    names = set(preload.rooms())
    assert {"fraudops.store.store", "fraudops.ledger.chain", "fraudops.workspace"} <= names
    assert not any(name.startswith(("fraudops.cli", "fraudops.stack")) for name in names)
    assert "fraudops.__main__" not in names, "importing it would run the command line"


def test_imports_leave_no_python_thread_behind() -> None:
    """A thread that lives at the fork is gone after it, with its locks held: the tasks would hang."""
    code = (
        "import threading; from fraudops_airflow import preload\n"
        "result = preload.preload(preload.LIBRARIES)\n"
        "assert not set(result.failed) - {'lightgbm'}, result.failed\n"
        "others = [t.name for t in threading.enumerate() if t is not threading.main_thread()]\n"
        "assert not others, others\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=180)
    assert result.returncode == 0, result.stderr
