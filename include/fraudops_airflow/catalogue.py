"""The portfolios that DAGs are made for."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from airflow.sdk import get_parsing_context
from fraudops.errors import ConfigurationError
from fraudops.portfolio import Portfolio, load_portfolio
from fraudops.settings import Settings


def valid_portfolios() -> list[Portfolio]:
    """Every portfolio whose YAML is right, sorted by name; one bad file does not take the others away.

    In a task's process, which reads the DAG file for one DAG alone, that DAG's portfolio.
    """
    dag_id = get_parsing_context().dag_id
    only = None if dag_id is None else dag_id.rpartition("_")[0]
    return [portfolio for portfolio, _ in _read(only) if portfolio is not None]


def problems() -> list[str]:
    """What is wrong with the portfolios that were left out."""
    return [problem for _, problem in _read() if problem is not None]


def _read(only: str | None = None) -> list[tuple[Portfolio | None, str | None]]:
    found: list[tuple[Portfolio | None, str | None]] = []
    for path in sorted(Settings.from_environment().portfolios.glob("*.yaml")):
        if only not in (None, path.stem):
            continue
        try:
            stat = path.stat()
            found.append((_load(path, (stat.st_mtime_ns, stat.st_size)), None))
        except ConfigurationError as error:
            found.append((None, str(error)))
    return found


@lru_cache(maxsize=256)
def _load(path: Path, stamp: tuple[int, int]) -> Portfolio:
    """The same one while its file has not changed: every page asks for all of them."""
    return load_portfolio(path)
