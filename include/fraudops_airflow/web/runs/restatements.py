"""What would be alerted today for days of the past."""

from __future__ import annotations

from dataclasses import dataclass

from fraudops.portfolio import Portfolio

from fraudops_airflow.web.archive import Archive


@dataclass(frozen=True)
class RestatementLine:
    """What would be alerted today for days of the past."""

    portfolio: Portfolio
    run: str
    version: str
    reason: str
    partitions: int
    new: int
    gone: int
    changed: int


def restatements(archive: Archive) -> list[RestatementLine]:
    """Every restatement that has a page, the newest days first."""
    lines = []
    for portfolio in archive.portfolios.values():
        for folder in archive.folders("restated", portfolio.name):
            if archive.has("restated", portfolio.name, folder.name):
                found = archive.json("restated", portfolio.name, folder.name, "summary.json")
                numbers = {name: int(found.get(name, 0)) for name in ("partitions", "new", "gone", "changed")}
                texts = {name: str(found.get(name, "")) for name in ("version", "reason")}
                lines.append(RestatementLine(portfolio, folder.name, **texts, **numbers))
    return lines
