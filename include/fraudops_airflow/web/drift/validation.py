"""What validation found in partitions, and what was rejected of files."""

from __future__ import annotations

from dataclasses import dataclass

from fraudops.portfolio import Portfolio

from fraudops_airflow.web.archive import Archive

SHOWN_VALIDATIONS = 90
"""Rows in the table of validations; each costs a read from the store."""


@dataclass(frozen=True)
class ValidationLine:
    """What validation found in one partition."""

    portfolio: Portfolio
    key: str
    passed: bool | None
    checks: int | None
    failures: tuple[str, ...]
    has_page: bool


@dataclass(frozen=True)
class QuarantineLine:
    """Rejected rows of one file, by reason. The rows themselves are not shown here."""

    portfolio: Portfolio
    file: str
    folder: str
    rows: int
    reasons: tuple[tuple[str, int], ...]


def validations(archive: Archive) -> list[ValidationLine]:
    """The newest validated partitions of every portfolio."""
    return [
        validation(archive, portfolio, folder.name.removeprefix("date="))
        for portfolio in archive.portfolios.values()
        for folder in archive.folders("validation", portfolio.name)[:SHOWN_VALIDATIONS]
    ]


def validation(archive: Archive, portfolio: Portfolio, key: str) -> ValidationLine:
    """What validation found in one partition."""
    result = archive.json("validation", portfolio.name, f"date={key}", "result.json")
    passed, checks, failures = result.get("passed"), result.get("checks"), result.get("failures")
    return ValidationLine(
        portfolio=portfolio,
        key=key,
        passed=passed if isinstance(passed, bool) else None,
        checks=checks if isinstance(checks, int) else None,
        failures=tuple(str(failure) for failure in failures) if isinstance(failures, list) else (),
        has_page=archive.has("validation", portfolio.name, f"date={key}"),
    )


def quarantine(archive: Archive) -> list[QuarantineLine]:
    """Files with rejected rows: how many, and why."""
    lines = []
    for portfolio in archive.portfolios.values():
        for folder in archive.folders("quarantine", portfolio.name):
            summary = archive.json("quarantine", portfolio.name, folder.name, "summary.json")
            reasons = summary.get("reasons")
            counts = {str(k): int(v) for k, v in reasons.items()} if isinstance(reasons, dict) else {}
            rows = summary.get("rows")
            if rows == 0:
                continue  # a file of which every row was accepted has a summary too
            lines.append(
                QuarantineLine(
                    portfolio=portfolio,
                    file=str(summary.get("file", folder.name)),
                    folder=folder.name.removeprefix("file="),
                    rows=rows if isinstance(rows, int) else sum(counts.values()),
                    reasons=tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
                )
            )
    return sorted(lines, key=lambda line: (line.portfolio.name, line.file))
