"""Puts a portfolio's file where Airflow finds it, and takes it away again."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fraudops.errors import ConflictError, FraudopsError
from fraudops.portfolio import Portfolio
from fraudops.settings import Settings
from fraudops.stack.client import AirflowClient
from fraudops.stack.walkthrough import workflows_of
from fraudops.training.checking import check_portfolio

PATIENCE = 45.0
"""Seconds after which new DAGs are missed. Mostly they are there in two or three; where Airflow knows no DAG yet that
it could be asked to read anew, in the thirty after which it reads its files by itself, and some for reading."""


class Change(StrEnum):
    """What an installation did."""

    ADDED = "added"
    REPLACED = "replaced"
    NONE = "unchanged"


@dataclass(frozen=True)
class Installation:
    """A portfolio that lies in its place."""

    portfolio: Portfolio
    path: Path
    landing: Path
    """Folder in which its files arrive."""
    change: Change
    difference: str
    """Lines that changed, as ``diff -u`` writes them; empty where none did."""


class OccupiedError(ConflictError):
    """Another file of that name lies there.

    Attributes
    ----------
    difference
        How the two differ, as ``diff -u`` writes it.
    """

    def __init__(self, path: Path, difference: str) -> None:
        super().__init__(
            "another portfolio of this name is installed, and differs",
            where=str(path),
            remedy="give yours another name, or take its place with --replace",
        )
        self.difference = difference


def install(settings: Settings, file: Path, *, replace: bool = False) -> Installation:
    """Check a file, copy it into the portfolios folder whole or not at all, and make its landing folder.

    Parameters
    ----------
    replace
        Whether it may take the place of another file.

    Raises
    ------
    PortfolioError
        Something is wrong with it; nothing is installed.
    OccupiedError
        Another one of its name is installed.
    """
    portfolio = check_portfolio(file)
    target = settings.portfolios / f"{portfolio.name}.yaml"
    text = file.read_text(encoding="utf-8-sig")
    before = target.read_text(encoding="utf-8-sig") if target.exists() else None
    difference = _difference(before, text, target)
    if difference and not replace:
        raise OccupiedError(target, difference)
    change = Change.ADDED if before is None else Change.REPLACED if difference else Change.NONE
    if change is not Change.NONE:
        _write(target, text)
    landing = settings.landing / portfolio.name
    landing.mkdir(parents=True, exist_ok=True)
    return Installation(portfolio, target, landing, change, difference)


def uninstall(settings: Settings, name: str) -> Path:
    """Take a portfolio's file away; its data, its models and its landing folder stay.

    Raises
    ------
    FraudopsError
        There is none of this name.
    """
    path = settings.portfolios / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in settings.portfolios.glob("*.yaml"))) or "none"
        raise FraudopsError(f"there is no portfolio {name!r}", where=str(path), remedy=f"use one of: {known}")
    path.unlink()
    return path


def wait_for_dags(client: AirflowClient, portfolio: Portfolio, timeout: float = PATIENCE) -> list[str]:
    """Let Airflow read its DAG files anew, and wait until it knows the portfolio's DAGs.

    Parameters
    ----------
    timeout
        Seconds.

    Raises
    ------
    FraudopsError
        They are not there in time.
    """
    wanted = [portfolio.dag_id(workflow) for workflow in workflows_of(portfolio)]
    client.parse_again()
    client.wait_for_dags(wanted, timeout)
    return wanted


def _difference(before: str | None, after: str, target: Path) -> str:
    if before is None:
        return ""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), f"{target} (installed)", "yours", lineterm="")
    return "\n".join(lines)


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # No reader takes a name with a leading dot for a portfolio.
    partial = target.with_name(f".{target.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)
