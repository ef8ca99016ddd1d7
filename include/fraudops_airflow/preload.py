"""Imports libraries once in the processes that fork others: the scheduler and the DAG processor.

Great Expectations and scikit-learn cost seconds of CPU in every task process that imports them. Imported once
in the scheduler, before LocalExecutor forks its workers, they are shared by all tasks, for some hundred MiB of its
memory. The DAG processor forks for every DAG file, again and again; there the models of a portfolio's YAML are what
costs. Only imports: a library that has *run* something before the fork (a thread pool, OpenMP) can hang the tasks.

What was imported stays as it was: who changes the library's code restarts both (``fraudops down``, ``fraudops up``).

Tasks are correct without it. ``FRAUDOPS_PRELOAD=0`` turns it off.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import fraudops
from airflow.listeners import hookimpl
from sqlalchemy.orm import configure_mappers

log = logging.getLogger(__name__)

LIBRARIES = (
    "numpy",
    "pandas",
    "psycopg2.extras",
    "pyarrow",
    "pyarrow.acero",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "upath.implementations.local",
    "joblib",
    "sklearn.calibration",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.impute",
    "sklearn.inspection",
    "sklearn.isotonic",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
    "sklearn.preprocessing",
    # scikit-learn looks at data frames through these, and imports them with the first one.
    "narwhals._pandas_like.dataframe",
    "narwhals._pandas_like.namespace",
    "narwhals.stable.v2._namespace",
    "lightgbm",
    "xgboost",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "great_expectations",
    "great_expectations.render.renderer",
    "great_expectations.render.view",
)

WIRING = (
    "airflow.sdk.definitions.decorators",
    "airflow.providers.smtp.operators.smtp",
    "airflow.providers.standard.decorators.branch_python",
    "airflow.providers.standard.decorators.python",
    "airflow.providers.standard.decorators.short_circuit",
    "airflow.providers.standard.operators.hitl",
    "airflow.providers.standard.operators.trigger_dagrun",
    "fraudops.portfolio",
    "fraudops.settings",
)
"""What a DAG file is made of, but for our builders: those are read anew each time."""

_DOORS = ("cli", "stack", "serving")
"""Rooms of the library that no task enters."""


@dataclass(frozen=True)
class Preloaded:
    """What was imported, what could not be (with the reason), and how long it took."""

    imported: tuple[str, ...]
    failed: dict[str, str]
    seconds: float


@hookimpl
def on_starting(component: object) -> None:
    """Airflow's hook, called in every process that starts something; acts in those that fork others."""
    modules = modules_for(component)
    if not modules:
        return
    if os.environ.get("FRAUDOPS_PRELOAD", "1") == "0":
        log.info("fraudops preload: turned off by FRAUDOPS_PRELOAD=0")
        return
    result = preload(modules)
    log.info(
        "fraudops preload: %d modules in %.1f s: %s",
        len(result.imported),
        result.seconds,
        ", ".join(result.imported),
    )
    for module, reason in result.failed.items():
        log.warning("fraudops preload: tasks will import %s themselves: %s", module, reason)


def modules_for(component: object) -> tuple[str, ...]:
    """What this process should import; nothing where it is neither the scheduler nor the DAG processor.

    The hook runs before the job knows its type, and also in every task process, forked from the scheduler with
    the scheduler's command line: there the component is not a ``Job``.
    """
    if type(component).__name__ != "Job":
        return ()
    return {"scheduler": (*LIBRARIES, *WIRING, *rooms()), "dag-processor": WIRING}.get("".join(sys.argv[1:2]), ())


def preload(modules: Iterable[str]) -> Preloaded:
    """Import modules by name; one that cannot be imported is noted and left to the tasks."""
    started = time.monotonic()
    # Great Expectations logs hundreds of lines while it is imported.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    imported, failed = [], {}
    for module in modules:
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as error:  # whatever breaks, the scheduler must start
            failed[module] = f"{type(error).__name__}: {error}"
        else:
            imported.append(module)
    # Else each process that speaks to our database works the tables' relations out for itself.
    configure_mappers()
    return Preloaded(tuple(imported), failed, time.monotonic() - started)


def rooms() -> Iterator[str]:
    """Names of the library's modules that tasks use, two levels deep, without importing any.

    A folder within a room is named as a whole: it imports what it needs.
    """
    for room in pkgutil.iter_modules(fraudops.__path__):
        if room.name in _DOORS or room.name.startswith("__"):
            continue
        yield f"fraudops.{room.name}"
        if room.ispkg:
            folders = [f"{path}/{room.name}" for path in fraudops.__path__]
            for module in pkgutil.iter_modules(folders):
                if not module.name.startswith("__"):
                    yield f"fraudops.{room.name}.{module.name}"
