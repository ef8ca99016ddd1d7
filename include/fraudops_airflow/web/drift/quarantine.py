"""What was rejected of files: how many rows, why, and what became of the others. The rows themselves are not shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fraudops.intake.quarantine import newest_held
from fraudops.intake.remedies import remedy_of
from fraudops.portfolio import Portfolio

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.attempts import Attempts, Trouble

PAGE = 50
COUNTED = 200
"""Newest files whose reasons are counted."""
LINES = 200
"""Rejected lines that a file's page names."""
TRACED = 31
"""Partitions of a file that are asked what became of its rows."""


@dataclass(frozen=True)
class QuarantineLine:
    """Rejected rows of one file, by reason."""

    portfolio: Portfolio
    file: str
    digits: str
    feed: str
    rows: int
    rows_read: int | None
    reasons: tuple[tuple[str, int], ...]
    partitions: tuple[tuple[str, dict[str, int]], ...]
    """Key → counts of its rows: rows, accepted, repeated, quarantined."""
    nowhere: int


@dataclass(frozen=True)
class Reason:
    """A reason over many files, and what to do."""

    reason: str
    rows: int
    files: int
    remedy: str


@dataclass(frozen=True)
class QuarantinePage:
    """Files with rejected rows, those that were landed last first; ``older``: after which the next page begins."""

    lines: tuple[QuarantineLine, ...]
    reasons: tuple[Reason, ...]
    counted: int
    older: str | None
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True)
class RejectedLine:
    """A rejected row without its content."""

    line: int
    column: str
    reason: str
    remedy: str
    partition: str


def quarantine_page(archive: Archive, portfolios: Iterable[Portfolio], after: str | None) -> QuarantinePage:
    """One page over some portfolios, one after the other."""
    attempts = Attempts()
    names = {
        f"{portfolio.name}:{digits}": (portfolio, digits)
        for portfolio in portfolios
        for digits in newest_held(archive.store, portfolio.name)
    }
    marks = list(names)
    begin = marks.index(after) + 1 if after in names else 0
    shown = marks[begin : begin + PAGE]
    found = {mark: _tried(archive, attempts, *names[mark]) for mark in dict.fromkeys([*shown, *marks[:COUNTED]])}
    lines = (found[mark] for mark in shown)
    counted = [line for mark in marks[:COUNTED] if (line := found[mark]) is not None]
    return QuarantinePage(
        lines=tuple(line for line in lines if line is not None and line.rows),
        reasons=tuple(_reasons(counted)),
        counted=len(counted),
        older=shown[-1] if begin + len(shown) < len(marks) else None,
        troubles=tuple(attempts.troubles),
    )


def quarantined(archive: Archive, portfolio: Portfolio, digits: str) -> QuarantineLine | None:
    """What is known of one landed file; None where there is none.

    Raises
    ------
    ValueError
        The digits cannot be part of a path, or the summary cannot be read.
    """
    summary = archive.json("quarantine", portfolio.name, f"file={digits}", "summary.json")
    if not summary:
        return None
    reasons = summary.get("reasons")
    counts = {str(k): int(v) for k, v in reasons.items()} if isinstance(reasons, dict) else {}
    rows, read = summary.get("rows"), summary.get("rows_read")
    parts: dict[str, Any] = summary.get("partitions") or {}
    return QuarantineLine(
        portfolio=portfolio,
        file=str(summary.get("file", digits)),
        digits=digits,
        feed=str(summary.get("feed", "")),
        rows=rows if isinstance(rows, int) else sum(counts.values()),
        rows_read=read if isinstance(read, int) else None,
        reasons=tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
        partitions=tuple((str(key), dict(found)) for key, found in sorted(parts.items(), reverse=True)),
        nowhere=int(summary.get("nowhere", 0)),
    )


def rejected_lines(archive: Archive, portfolio: Portfolio, digits: str) -> list[RejectedLine]:
    """The first rejected lines of a file, and what to do about each; never their content."""
    import io

    import pyarrow.parquet as pq

    content = archive.store.get("quarantine", portfolio.name, f"file={digits}", "rows.parquet")
    columns = ["line", "column", "reason", "partition_key"]
    rows = pq.read_table(io.BytesIO(content), columns=columns).slice(0, LINES).to_pylist()
    return [
        RejectedLine(
            row["line"], row["column"] or "", row["reason"], remedy_of(row["reason"]), row["partition_key"] or ""
        )
        for row in rows
    ]


# -- inside ---------------------------------------------------------------------------------------------


def _tried(archive: Archive, attempts: Attempts, portfolio: Portfolio, digits: str) -> QuarantineLine | None:
    return attempts.at(f"a file of {portfolio.name} ({digits})", lambda: quarantined(archive, portfolio, digits), None)


def _reasons(lines: Iterable[QuarantineLine]) -> list[Reason]:
    rows: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for line in lines:
        for reason, number in line.reasons:
            rows[reason] += number
            files[reason] += 1
    ordered = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    return [Reason(reason, number, files[reason], remedy_of(reason)) for reason, number in ordered]
