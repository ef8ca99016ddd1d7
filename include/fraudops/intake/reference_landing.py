"""Lands reference files: customers, watch lists, holidays, rates.

A file belongs to the partition that its name says, and is known from the end of it. A partition keeps the rows of each
of its files, with file and line; which of several rows is in force is decided when they are read
(:mod:`fraudops.reference`). A file that comes again with other bytes takes the place of its earlier version, rows and
all, and what the earlier version had overruled is in force again.

Order of writing: what is personal, then the rest, then quarantine. A file counts as landed when the manifest of its
partition names its bytes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from fraudops.errors import ContractError
from fraudops.intake.asked import Asked
from fraudops.intake.feeds import Feed, file_config, partition_config
from fraudops.intake.files import key_in_name, place_of
from fraudops.intake.landing_file import LandingFile
from fraudops.intake.mapping import LINE, Mapper, Rejected
from fraudops.intake.merging import raw_rows
from fraudops.intake.publication import record
from fraudops.intake.quarantine import Archive, Rejects, of_partitions, reasons_of
from fraudops.intake.reading import fingerprint, read_batches, require_unchanged
from fraudops.intake.reference_feeds import shape_of
from fraudops.intake.remarks import version_remarks
from fraudops.intake.results import FileResult
from fraudops.intake.versions import FileName, deliver
from fraudops.portfolio import CUSTOMERS_PROTECTED, Portfolio
from fraudops.reference import IDENTITY, stored_schema
from fraudops.store import Manifest
from fraudops.workspace import Workspace


@dataclass
class ReferenceLanding:
    """One reference feed's files on their way into the store."""

    ws: Workspace
    portfolio: Portfolio
    feed: Feed
    asked: Asked
    folder: Path
    actor: str
    results: list[FileResult] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    files: list[LandingFile] = field(default_factory=list)
    """Those in which there is something to do."""
    _of_key: dict[str, list[tuple[LandingFile, pa.Table]]] = field(default_factory=lambda: defaultdict(list))
    """Partition → its files and their rows."""

    def __post_init__(self) -> None:
        self._shape = shape_of(self.feed)
        self._config = partition_config(self.portfolio, self.feed.kind)

    # -- reading ---------------------------------------------------------------------------------------

    def read(self, paths: list[Path]) -> None:
        """Read every file to its end; nothing is written to the store, so a bad one leaves no trace.

        Raises
        ------
        ContractError
            A name says no partition, a file is not what the contract says, or a whole list would be empty.
        """
        seen: dict[str, str] = {}
        for path in paths:
            mark = fingerprint(path)
            place = FileName(self.feed.source.name, place_of(self.ws.landing / self.portfolio.name, path))
            if seen.setdefault(_name_of(place), place.path) != place.path:
                raise ContractError(
                    f"{place.path} and {seen[_name_of(place)]} are two versions of one file",
                    where=str(path.parent),
                    remedy="remove one of them",
                )
            key = key_in_name(self.portfolio, self.feed.source, place.path)
            if not self.asked.contains_key(key):
                self.notes.append(f"{place.path} was passed over, because retention has removed {key}")
                continue
            self.keys.add(key)
            config = file_config(self.portfolio, self.feed)
            archive = Archive(self.ws.store, self.portfolio.name, mark.sha256)
            if self._is_known(place, key, archive, config):
                continue
            rejects = Rejects(self._subfolder(f"rejects-{len(self.files)}"), place.path)
            file = LandingFile(path, place, self.feed, config, mark, archive, rejects)
            self._of_key[key].append((file, self._rows(file, key)))
            self.files.append(file)

    def _is_known(self, place: FileName, key: str, archive: Archive, config: str) -> bool:
        """Whether a file has been landed just so; then its counts are those of that landing."""
        manifest = self.ws.store.manifest(self.feed.kind, self.portfolio.name, key)
        facts = manifest.facts["files"].get(_name_of(place)) if manifest is not None else None
        summary = archive.summary()
        if facts != {"sha256": archive.sha256, "config": config} or summary.get("config") != config:
            return False
        counts = summary["partitions"].get(key)
        if counts is None:
            return False
        self.reasons.update(reasons_of(of_partitions(archive.rows(), {key})))
        self.results.append(self._result(place.path, archive.sha256, counts["rows"], counts["accepted"]))
        return True

    def _rows(self, file: LandingFile, key: str) -> pa.Table:
        """The file's usable rows; the others go into quarantine."""
        mapper = Mapper(self.feed, self.ws.token_keys, self._code(key))
        empty = pa.schema([*self.feed.stored, *self.feed.protected, pa.field(LINE, pa.int64())]).empty_table()
        tables = [empty]
        for batch in read_batches(file.path, self.feed, self.notes):
            mapped = mapper.map(batch)
            file.rows += mapped.rows.num_rows + len(mapped.rejected)
            file.rejects.add((item, key) for item in mapped.rejected)
            tables.append(mapped.rows.select(empty.schema.names).cast(empty.schema))
        require_unchanged(file.path, file.mark)
        rows = self._distinct(self._alike(pa.concat_tables(tables).combine_chunks(), file, key), file, key)
        if self._shape.is_whole and not rows.num_rows:
            raise ContractError(
                "no row of the file can be used, and it is the whole list: nothing would be in force",
                where=str(file.path),
                remedy="ask its sender for it again",
            )
        file.accepted[key] = rows.num_rows
        return rows

    def _alike(self, rows: pa.Table, file: LandingFile, key: str) -> pa.Table:
        """The rows that say what the first one says, where all have to."""
        name = self._shape.alike
        if name is None or not rows.num_rows:
            return rows
        first = rows[name][0]
        wrong = pc.fill_null(pc.not_equal(rows[name], first), True)
        reason = f"not that of line {rows[LINE][0].as_py()}, and a file is one list"
        self._reject(rows.filter(wrong), self.feed.file_column(name), [reason] * pc.sum(wrong).as_py(), file, key)
        return rows.filter(pc.invert(wrong))

    def _distinct(self, rows: pa.Table, file: LandingFile, key: str) -> pa.Table:
        """Of several rows about the same thing the first: a file says each thing once."""
        about = list(IDENTITY[self.feed.kind])
        first = rows.select([*about, LINE]).group_by(about).aggregate([(LINE, "min")])
        repeated = pc.invert(pc.is_in(rows[LINE], first[f"{LINE}_min"]))
        again = rows.filter(repeated)
        if not again.num_rows:
            return rows
        lines = dict(zip(_keys(first, about), first[f"{LINE}_min"].to_pylist(), strict=True))
        reasons = [f"the same {' and '.join(about)} as line {lines[thing]}" for thing in _keys(again, about)]
        self._reject(again, self.feed.file_column(about[-1]), reasons, file, key)
        return rows.filter(pc.invert(repeated))

    def _reject(self, rows: pa.Table, column: str, reasons: list[str], file: LandingFile, key: str) -> None:
        code = self._code(key)
        found = zip(rows[LINE].to_pylist(), reasons, raw_rows(rows, self.feed), strict=True)
        file.rejects.add((Rejected(line, column, reason, raw, code), key) for line, reason, raw in found)

    def _code(self, key: str) -> int:
        partitioning = self.portfolio.partitioning
        return (partitioning.start(key) - partitioning.epoch) // partitioning.length

    # -- writing ---------------------------------------------------------------------------------------

    def publish(self, session: Session) -> None:
        """Publish each partition with its entry in the ledger."""
        for key, files in sorted(self._of_key.items()):
            self._publish(session, key, files)
            for file, _ in files:
                self._quarantine(file, key)

    def _publish(self, session: Session, key: str, files: list[tuple[LandingFile, pa.Table]]) -> None:
        store, name, kind = self.ws.store, self.portfolio.name, self.feed.kind
        before = store.manifest(kind, name, key)
        known = dict(before.facts["files"]) if before is not None else {}
        for file, _ in files:
            place = _name_of(file.place)
            delivery = deliver(store, name, kind, file.place, file.sha256)
            self.notes += version_remarks(file.name, delivery, int(place in known and delivery.previous is not None))
            known[place] = {"sha256": file.sha256, "config": file.config}
        if kind == "customers":
            self._write(CUSTOMERS_PROTECTED, key, files, known)
        after = self._write(kind, key, files, known)
        if before is None or before.data_digest != after.data_digest:
            self.changed.add(key)
        details = {"before": before.data_digest if before is not None and before != after else None}
        record(self.ws, session, after, actor=self.actor, details=details)

    def _write(
        self, dataset: str, key: str, files: list[tuple[LandingFile, pa.Table]], known: dict[str, Any]
    ) -> Manifest:
        """A partition's rows: those of its other files, and those that arrive."""
        store, name, schema = self.ws.store, self.portfolio.name, stored_schema(dataset)
        end = self.portfolio.partitioning.end(key)
        before = store.manifest(dataset, name, key)
        tables = [schema.empty_table() if before is None else store.read(before).select(schema.names).cast(schema)]
        arriving = {_name_of(file.place) for file, _ in files}
        others = [_unpacked(place) not in arriving for place in tables[0]["file"].to_pylist()]
        tables[0] = tables[0].filter(pa.array(others, pa.bool_()))
        for file, rows in files:
            columns = {
                field.name: rows[field.name] for field in schema if field.name not in ("known_at", "file", "line")
            }
            columns |= {
                "known_at": pa.repeat(pa.scalar(end, schema.field("known_at").type), rows.num_rows),
                "file": pa.repeat(file.name, rows.num_rows),
                "line": rows[LINE],
            }
            tables.append(pa.table(columns).select(schema.names).cast(schema))
        rows = pa.concat_tables(tables).sort_by([("file", "ascending"), ("line", "ascending")])
        facts = {"rows": rows.num_rows, "files": known}
        return store.write(dataset, name, key, rows, config=self._config, facts=facts)

    def _quarantine(self, file: LandingFile, key: str) -> None:
        # The same bytes may have come on another day as well: a list that has not changed.
        summary = file.archive.summary()
        others = summary["partitions"] if summary.get("config") == file.config else {}
        others = {name: counts for name, counts in others.items() if name != key}
        fresh = file.rejects.table()
        rows = pa.concat_tables([of_partitions(file.archive.rows(), set(others)), fresh])
        accepted = file.accepted[key]
        counts = {"rows": file.rows, "accepted": accepted, "quarantined": file.rows - accepted, "repeated": 0}
        file.archive.save(
            rows,
            {
                "file": summary.get("file", file.name),
                "feed": self.feed.kind,
                "config": file.config,
                "rows_read": file.rows,
                "nowhere": 0,
                "partitions": {**others, key: counts},
            },
        )
        self.reasons.update(reasons_of(fresh))
        self.results.append(self._result(file.name, file.sha256, file.rows, accepted))

    def _result(self, name: str, sha256: str, rows: int, accepted: int) -> FileResult:
        return FileResult(name, self.feed.kind, sha256, rows, accepted, rows - accepted, 0)

    def _subfolder(self, name: str) -> Path:
        folder = self.folder / f"{self.feed.kind}-{name}"
        folder.mkdir()
        return folder


def _name_of(place: FileName) -> str:
    return place.identity[1]


def _unpacked(path: str) -> str:
    return FileName("", path).identity[1]


def _keys(rows: pa.Table, names: list[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in names), strict=True))
