"""What validation found in partitions, and how many rows came and were rejected by day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from fraudops.portfolio import Portfolio

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.attempts import Attempts, Trouble
from fraudops_airflow.web.charts import Chart

PAGE = 40
"""Rows in the table of validations; each costs a read from the store."""
TREND = 60
"""Partitions in the pictures over time."""
LOOKED_AT = 400
"""Newest partitions of a portfolio that are asked whether validation has stopped them."""
MOST_STOPPED = 20


@dataclass(frozen=True)
class ValidationLine:
    """What validation found in one partition.

    Attributes
    ----------
    passed
        None where the result cannot be read.
    rows, quarantined
        Rows of the partition, and those that were rejected of its files.
    state
        ``published``; ``stopped``: the rows wait, and nothing downstream sees them; ``none``: there are none.
    failed
        Column (or none), what was expected, what was observed.
    """

    portfolio: Portfolio
    key: str
    passed: bool | None
    checks: int | None
    failures: tuple[str, ...]
    has_page: bool
    rows: int | None
    quarantined: int | None
    state: str
    failed: tuple[tuple[str, str, str], ...] = ()
    learned_from: int = 0

    @property
    def share(self) -> float | None:
        """Rejected rows among all that came."""
        if self.rows is None or self.quarantined is None or not self.rows + self.quarantined:
            return None
        return self.quarantined / (self.rows + self.quarantined)


@dataclass(frozen=True)
class ValidationPage:
    """Some validations: those that stopped a partition, then the others, the newest first.

    Attributes
    ----------
    older
        Key before which the next page begins; None where there is none.
    """

    stopped: tuple[ValidationLine, ...]
    lines: tuple[ValidationLine, ...]
    older: str | None


@dataclass(frozen=True)
class PartitionFile:
    """A file that brought rows into a partition; ``digits`` name its own page.

    What says again what another file said is kept apart too, and is no fault.
    """

    digits: str
    name: str
    accepted: int
    rejected: int
    repeated: int


def validation_page(archive: Archive, portfolios: Iterable[Portfolio], before: str | None) -> ValidationPage:
    """One page over some portfolios; a page ends where another key begins."""
    chosen = list(portfolios)
    names = [(key, portfolio) for portfolio in chosen for key in validated(archive, portfolio)]
    names = sorted(names, key=lambda name: name[1].name)
    names = sorted((name for name in names if before is None or name[0] < before), key=lambda n: n[0], reverse=True)
    shown: list[tuple[str, Portfolio]] = []
    older = None
    for key, group in groupby(names, key=lambda name: name[0]):
        if len(shown) >= PAGE:
            older = shown[-1][0]
            break
        shown += [(key, portfolio) for _, portfolio in group]
    stopped = [] if before else [name for portfolio in chosen for name in _stopped(archive, portfolio)]
    return ValidationPage(
        tuple(validation(archive, portfolio, key) for key, portfolio in stopped),
        tuple(validation(archive, portfolio, key) for key, portfolio in shown),
        older,
    )


def validation(archive: Archive, portfolio: Portfolio, key: str) -> ValidationLine:
    """What validation found in one partition; a result that cannot be read says nothing."""
    name, attempts = portfolio.name, Attempts()
    nothing: dict[str, Any] = {}
    result = attempts.at("result", lambda: archive.json("validation", name, f"date={key}", "result.json"), nothing)
    passed, checks, failures = result.get("passed"), result.get("checks"), result.get("failures")
    rows, quarantined, learned = result.get("rows"), result.get("quarantined"), result.get("learned_from")
    return ValidationLine(
        portfolio=portfolio,
        key=key,
        passed=passed if isinstance(passed, bool) else None,
        checks=checks if isinstance(checks, int) else None,
        failures=tuple(str(failure) for failure in failures) if isinstance(failures, list) else (),
        has_page=archive.has("validation", name, f"date={key}"),
        rows=rows if isinstance(rows, int) else None,
        quarantined=quarantined if isinstance(quarantined, int) else None,
        state=_state(archive, name, key),
        failed=tuple(_failed(result.get("results"))),
        learned_from=len(learned) if isinstance(learned, list) else 0,
    )


def validated(archive: Archive, portfolio: Portfolio) -> list[str]:
    """Keys of the validated partitions, the newest first."""
    return [
        folder.name.removeprefix("date=")
        for folder in archive.folders("validation", portfolio.name)
        if folder.name.startswith("date=")
    ]


def files_of(archive: Archive, portfolio: Portfolio, key: str) -> tuple[list[PartitionFile], tuple[Trouble, ...]]:
    """The files that a partition's rows came from, by its lineage; and what cannot be read of it."""
    attempts = Attempts()
    lineage = attempts.at(
        "where the rows came from", lambda: archive.store.manifest("lineage", portfolio.name, key), None
    )
    known: dict[str, Any] = lineage.facts.get("files", {}) if lineage is not None else {}
    files = [
        PartitionFile(
            digits=sha[:16],
            name=str(f["name"]),
            accepted=int(f["accepted"]),
            rejected=int(f["quarantined"]) - int(f["repeated"]),
            repeated=int(f["repeated"]),
        )
        for sha, f in known.items()
    ]
    return sorted(files, key=lambda file: file.name), tuple(attempts.troubles)


def trend(archive: Archive, portfolio: Portfolio) -> list[ValidationLine]:
    """The last validated partitions of which counts are known, in the order of time."""
    lines = (validation(archive, portfolio, key) for key in validated(archive, portfolio)[:TREND])
    return [line for line in reversed(list(lines)) if line.share is not None]


def trend_charts(portfolio: Portfolio, lines: Sequence[ValidationLine]) -> tuple[tuple[str, Chart], ...]:
    """Rows by partition, and the share of rejected ones; none with fewer than two partitions."""
    if len(lines) < 2:
        return ()
    keys = [line.key for line in lines]
    span = f"{portfolio.title}, {keys[0]} to {keys[-1]}"
    rejected = {"type": "bar", "x": keys, "y": [line.share for line in lines], "marker": {"color": "@block"}}
    rows = {"type": "bar", "x": keys, "y": [line.rows for line in lines], "marker": {"color": "@accent"}}
    failed = ["@block" if line.passed is False else "@accent" for line in lines]
    rows["marker"] = {"color": failed}
    shares = {"yaxis": {"tickformat": ".2~%", "rangemode": "tozero"}, "xaxis": {"type": "date"}}
    return (
        ("Share of rejected rows", Chart("rejected", f"Share of rejected rows: {span}", [rejected], shares, 240)),
        (
            "Rows (red: validation failed)",
            Chart("rows", f"Rows by partition: {span}", [rows], {"xaxis": {"type": "date"}}, 240),
        ),
    )


# -- inside ---------------------------------------------------------------------------------------------


def _stopped(archive: Archive, portfolio: Portfolio) -> list[tuple[str, Portfolio]]:
    """The newest partitions that validation keeps from being published."""
    found = []
    for key in validated(archive, portfolio)[:LOOKED_AT]:
        if _state(archive, portfolio.name, key) == "stopped":
            found.append((key, portfolio))
    return found[:MOST_STOPPED]


def _state(archive: Archive, portfolio: str, key: str) -> str:
    try:
        folder = archive.store.path("transactions", portfolio, f"date={key}")
    except ValueError:
        return "none"
    if (folder / "staged.json").exists():
        return "stopped"
    return "published" if (folder / "manifest.json").exists() else "none"


def _failed(results: object) -> Iterable[tuple[str, str, str]]:
    for item in results if isinstance(results, list) else ():
        if isinstance(item, dict) and item.get("passed") is False:
            yield str(item.get("column") or "partition"), str(item.get("expected")), str(item.get("observed"))
