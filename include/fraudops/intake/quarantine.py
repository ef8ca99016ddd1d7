"""Keeps every row that could not be used: its file, its line, what was wrong, and the row with secrets masked.

One object per file, named by the file's content::

    quarantine/portfolio=<P>/file=<first 16 digits of its SHA-256>/rows.parquet
                                                                   summary.json
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from fraudops.errors import ContractError
from fraudops.intake.mapping import Rejected
from fraudops.store import Store, canonical_json
from fraudops.store.files import explained

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("column", pa.string()),
        ("reason", pa.string()),
        ("raw", pa.string()),
        ("partition_key", pa.string()),
    ]
)
_HELD = 20_000
_MOST = 128 << 20
"""Characters of rejected rows that are kept of one file: with more, it is the file that is wrong, not some rows."""

LEADING = ""
"""Key of the rows before a file's first one with a usable time, until that one is known."""


@dataclass
class Rejects:
    """Rejected rows of one file while it is being landed; beyond some thousands they wait on disk."""

    folder: Path
    name: str
    _held: list[dict[str, Any]] = field(default_factory=list)
    _parts: list[Path] = field(default_factory=list)
    _reasons: Counter[str] = field(default_factory=Counter)
    _size: int = 0
    _moves: list[tuple[str | None, str | None]] = field(default_factory=list)
    _dropped: set[str | None] = field(default_factory=set)

    def add(self, rows: Iterable[tuple[Rejected, str | None]]) -> None:
        """Add rows, each with the key of its partition (None: nothing tells).

        Raises
        ------
        ContractError
            There are so many of them that the file as a whole is wrong.
        """
        for item, key in rows:
            self._held.append(
                {
                    "file": self.name,
                    "line": item.line,
                    "column": item.column,
                    "reason": item.reason,
                    "raw": item.raw,
                    "partition_key": key,
                }
            )
            self._size += len(item.raw) + len(item.reason)
            self._reasons[_kind_of(item.column, item.reason)] += 1
        if self._size > _MOST:
            raise self._too_many()
        if len(self._held) > _HELD:
            path = self.folder / f"{len(self._parts)}.parquet"
            with explained(path):
                pq.write_table(pa.Table.from_pylist(self._held, SCHEMA), path)
            self._parts.append(path)
            self._held.clear()

    def move(self, key: str | None, to: str | None) -> None:
        """Say that all rows added so far under one key belong under another one (None: to no partition)."""
        self._moves.append((key, to))

    def drop(self, key: str | None) -> None:
        """Forget the rows of a partition that was not asked for."""
        self._dropped.add(key)

    def table(self) -> pa.Table:
        """All of them."""
        parts = [pq.read_table(path, schema=SCHEMA) for path in self._parts]
        rows = pa.concat_tables([*parts, pa.Table.from_pylist(self._held, SCHEMA)])
        keys = rows["partition_key"]
        for key, to in self._moves:
            keys = pc.if_else(pc.fill_null(pc.equal(keys, key), False), pa.scalar(to, pa.string()), keys)
        rows = rows.set_column(SCHEMA.get_field_index("partition_key"), SCHEMA.field("partition_key"), keys)
        dropped = pc.is_in(keys, pa.array(sorted(key for key in self._dropped if key is not None), pa.string()))
        return rows.filter(pc.invert(dropped)) if self._dropped else rows

    def _too_many(self) -> ContractError:
        (reason, count), *_ = self._reasons.most_common(1)
        return ContractError(
            f"{self._reasons.total():,} rows so far cannot be used, {count:,} of them: {reason}",
            where=f"{self.name}, up to line {self._held[-1]['line']}",
            remedy="correct the file, or what the portfolio's YAML says about it; nothing of it was landed",
        )


@dataclass(frozen=True)
class Archive:
    """What quarantine holds about one file."""

    store: Store
    portfolio: str
    sha256: str

    @property
    def _place(self) -> tuple[str, str, str]:
        return "quarantine", self.portfolio, f"file={self.sha256[:16]}"

    def rows(self) -> pa.Table:
        """Rows of earlier landings of the same file."""
        try:
            return pq.read_table(io.BytesIO(self.store.get(*self._place, "rows.parquet")), schema=SCHEMA)
        except FileNotFoundError:
            return SCHEMA.empty_table()

    def summary(self) -> dict[str, Any]:
        """Counts of earlier landings of the same file; empty where there were none."""
        try:
            found: dict[str, Any] = json.loads(self.store.get(*self._place, "summary.json"))
        except FileNotFoundError:
            return {}
        return found if found.get("sha256") == self.sha256 else {}

    def save(self, rows: pa.Table, summary: dict[str, Any]) -> None:
        """Replace both, in the order of the lines; equal content has equal bytes and is not written again."""
        rows = rows.sort_by([("line", "ascending"), ("reason", "ascending")])
        sink = io.BytesIO()
        pq.write_table(rows.combine_chunks(), sink, compression="zstd")
        if rows.num_rows or self.store.path(*self._place, "rows.parquet").exists():
            self._put(sink.getvalue(), "rows.parquet")
        content = {
            **summary,
            "sha256": self.sha256,
            "rows": rows.num_rows,
            "reasons": reasons_of(rows),
        }
        self._put(canonical_json(content) + b"\n", "summary.json")

    def _put(self, content: bytes, name: str) -> None:
        path = self.store.path(*self._place, name)
        if not path.exists() or path.read_bytes() != content:
            self.store.put(content, *self._place, name)


def reasons_of(rows: pa.Table) -> dict[str, int]:
    """How often each reason occurs; line numbers are left out, so that equal reasons are one."""
    if not rows.num_rows:
        return {}
    counted: Counter[str] = Counter()
    pairs = rows.select(["column", "reason"]).group_by(["column", "reason"]).aggregate([([], "count_all")])
    for row in pairs.to_pylist():
        counted[_kind_of(row["column"], row["reason"])] += row["count_all"]
    return dict(sorted(counted.items()))


def _kind_of(column: str | None, reason: str) -> str:
    """Column and reason, without the lines that other rows stand in."""
    reason = _OTHER_LINE.sub("", reason)
    return f"{column}: {reason}" if column else reason


_OTHER_LINE = re.compile(r" (of|as) line \d+.*")


def of_partitions(rows: pa.Table, keys: set[str]) -> pa.Table:
    """The rows that belong to one of these partitions."""
    return rows.filter(pc.is_in(rows["partition_key"], pa.array(sorted(keys), pa.string())))


def count_by_partition(rows: pa.Table) -> dict[str, int]:
    """Rows per partition; those of none are left out."""
    counted = rows["partition_key"].value_counts().to_pylist()
    return {item["values"]: item["counts"] for item in counted if item["values"] is not None}


@dataclass(frozen=True)
class Held:
    """What quarantine holds of one file, as its summary says it."""

    archive: Archive
    file: str
    rows: int
    rows_read: int
    reasons: dict[str, int]
    """Column and reason → rows."""


def newest_held(store: Store, portfolio: str) -> list[str]:
    """Digits that name the files of which rows lie in quarantine, those that were landed last first.

    Only names and times of writing are looked at: what the summaries say is read by whoever shows it.
    """
    area = store.path("quarantine", portfolio)
    if not area.exists():
        return []
    found = []
    for place in area.iterdir():
        rows = place / "rows.parquet"
        if place.name.startswith("file=") and rows.exists():
            found.append((-_written_at(rows), place.name.removeprefix("file=")))
    return [digits for _, digits in sorted(found)]


def _written_at(path: UPath) -> float:
    """Seconds; 0 where a bucket does not tell."""
    written: float = getattr(path.stat(), "st_mtime", 0.0) or 0.0
    return written


def held_files(store: Store, portfolio: str) -> list[Held]:
    """The files of a portfolio of which rows lie in quarantine, in the order of their names."""
    area = store.root / "quarantine" / f"portfolio={portfolio}"
    found = []
    for place in sorted(area.glob("file=*/summary.json"), key=str):
        summary = json.loads(place.read_bytes())
        if summary["rows"]:
            archive = Archive(store, portfolio, summary["sha256"])
            reasons = {str(reason): int(count) for reason, count in summary["reasons"].items()}
            found.append(Held(archive, summary["file"], summary["rows"], summary["rows_read"], reasons))
    return sorted(found, key=lambda held: (held.file, held.archive.sha256))
