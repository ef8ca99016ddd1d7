"""Lands files: rows are typed, tokenised, sorted into partitions and staged; what cannot be used is quarantined.

Every row of a file ends in exactly one place::

    rows in the file = accepted + quarantined + elsewhere (partitions that were not asked for)

Order of writing, so that a crash at any point costs nothing but time: each partition's protected and staged
rows, then the quarantine of each file, then each partition's lineage. A file counts as landed in a partition
when the lineage says so; landing it again changes nothing.

Two rows of one transaction id are seen where they fall into one partition. Across partitions nobody looks: an
id that comes back on another day, with another time, is another row.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import text
from sqlalchemy.orm import Session

from fraudops.errors import ContractError
from fraudops.intake.feeds import Feed, file_config, labels_feed, partition_config, transactions_feed
from fraudops.intake.files import FeedFiles, source_of
from fraudops.intake.label_feed import merge_reports
from fraudops.intake.mapping import NOWHERE, Mapper, Rejected
from fraudops.intake.merging import FILE, SHA256, Duplicate, merge, wide_schema, without_ids
from fraudops.intake.partitions import Arriving, Present, contained_files, lineage_of, load, stage, write_lineage
from fraudops.intake.publication import record
from fraudops.intake.quarantine import LEADING, Archive, Rejects, count_by_partition, of_partitions, reasons_of
from fraudops.intake.reading import Fingerprint, fingerprint, read_batches, require_unchanged
from fraudops.intake.settling import Unsettled, is_years_away, settle
from fraudops.intake.spool import Spool
from fraudops.intake.tokens import guard_token_key
from fraudops.portfolio import Partitioning, Portfolio, Role
from fraudops.store import Manifest
from fraudops.workspace import Workspace

_ACTOR = "service:ingest"
_SHOWN_REASONS = 50


@dataclass(frozen=True)
class FileResult:
    """What became of one file's rows."""

    name: str
    feed: str
    sha256: str
    rows: int
    accepted: int
    quarantined: int
    elsewhere: int
    """Rows of partitions that were not asked for."""


@dataclass(frozen=True)
class LandResult:
    """What a landing did; the counts are those of the files, whether they were new or known."""

    keys: list[str]
    """Partitions of transactions that the files have rows in, among those asked for."""
    changed_keys: list[str]
    """Those with other rows than before; they are staged and wait for validation."""
    label_keys: list[str]
    """Partitions in which reports of fraud arrived."""
    rows_read: int
    rows_accepted: int
    rows_quarantined: int
    rows_elsewhere: int
    files: list[FileResult]
    reasons: dict[str, int]
    """Why rows were quarantined, the most frequent reasons first."""
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, without anything confidential."""
        found = dict(vars(self))
        return {**found, "files": [dict(vars(item)) for item in self.files]}


def land(
    ws: Workspace, portfolio: Portfolio, files: FeedFiles, *, first: str | None = None, last: str | None = None
) -> LandResult:
    """Land files: transactions are staged for validation, reports of fraud published.

    Parameters
    ----------
    files
        From :func:`~fraudops.intake.files.find_files`; paths given by hand are trusted.
    first, last
        Limit the transactions to these partitions, both included. Reports of fraud are not limited: each
        carries the moment from which it is known.

    Raises
    ------
    ContractError
        A file is not what the portfolio says, or the token key is not the one used before. Nothing is staged.
    FraudopsError
        A file changed while it was read; trying again helps.
    """
    asked = _Asked.between(portfolio.partitioning, first, last)
    guard_token_key(ws, portfolio)
    with tempfile.TemporaryDirectory(prefix="fraudops-landing-") as name:
        folder = Path(name)
        payments = _Landing(ws, portfolio, transactions_feed(portfolio), asked, folder)
        payments.read([(path, _feed_of(ws, portfolio, path)) for path in files.transactions])
        reports = None
        if files.labels and portfolio.labels.source is not None:
            feed = labels_feed(portfolio, portfolio.labels.source)
            everything = _Asked.between(portfolio.partitioning, None, None)
            reports = _Landing(ws, portfolio, feed, everything, folder)
            reports.read([(path, feed) for path in files.labels])
        with _alone(ws, portfolio) as session:
            payments.stage_partitions()
            if reports is not None:
                reports.publish_reports(session)
    return _result(payments, reports)


def _feed_of(ws: Workspace, portfolio: Portfolio, path: Path) -> Feed:
    return transactions_feed(portfolio, source_of(portfolio, path, ws.landing / portfolio.name))


@contextmanager
def _alone(ws: Workspace, portfolio: Portfolio) -> Iterator[Session]:
    """One landing of a portfolio writes at a time: two could merge into the same partition and lose rows."""
    with ws.transaction() as session:
        name = f"fraudops.landing.{portfolio.name}"
        session.execute(text("select pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name})
        yield session


@dataclass(frozen=True)
class _Asked:
    """The partitions that are wanted, as codes: their numbers since 1970."""

    partitioning: Partitioning
    lowest: int
    highest: int

    @classmethod
    def between(cls, partitioning: Partitioning, first: str | None, last: str | None) -> _Asked:
        bounds = []
        for name, key, default in (("first", first, -(2**62)), ("last", last, 2**62)):
            try:
                start = None if key is None else partitioning.start(key)
            except ValueError as error:
                raise ContractError(str(error), where=name) from None
            bounds.append(default if start is None else (start - partitioning.epoch) // partitioning.length)
        return cls(partitioning, bounds[0], bounds[1])

    def contains(self, code: int) -> bool:
        return self.lowest <= code <= self.highest

    def mask(self, codes: np.ndarray) -> np.ndarray:
        return (codes >= self.lowest) & (codes <= self.highest)

    def key(self, code: int) -> str | None:
        """Key of a partition's code; None for no partition."""
        if code == NOWHERE:
            return None
        return self.partitioning.key_of(self.partitioning.epoch + code * self.partitioning.length)

    def contains_key(self, key: str) -> bool:
        return self.contains((self.partitioning.start(key) - self.partitioning.epoch) // self.partitioning.length)


@dataclass
class _File:
    """A file being landed."""

    path: Path
    feed: Feed
    config: str
    """Digest of the configuration that its rows depend on."""
    mark: Fingerprint
    archive: Archive
    rejects: Rejects
    rows: int = 0
    by_code: Counter[int] = field(default_factory=Counter)
    """Rows of each partition, usable or not."""
    accepted: dict[str, int] = field(default_factory=dict)
    """Accepted rows of each partition that was asked for."""
    duplicates: list[tuple[Duplicate, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def sha256(self) -> str:
        return self.mark.sha256


@dataclass
class _Landing:
    """One feed's files on their way into the store."""

    ws: Workspace
    portfolio: Portfolio
    feed: Feed
    """What is stored; each file's own feed says how that file writes it."""
    asked: _Asked
    folder: Path
    results: list[FileResult] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    _files: list[_File] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._spool = Spool(self._subfolder("rows"))
        self.config = partition_config(self.portfolio, self.feed.kind)

    # -- reading ---------------------------------------------------------------------------------------

    def read(self, files: list[tuple[Path, Feed]]) -> None:
        """Read every file to its end; nothing is written to the store, so a bad one leaves no trace."""
        seen: dict[str, str] = {}
        for path, feed in files:
            mark = fingerprint(path)
            if mark.sha256 in seen:
                self.notes.append(f"{path.name} holds the same bytes as {seen[mark.sha256]}: read once")
                continue
            seen[mark.sha256] = path.name
            archive = Archive(self.ws.store, self.feed.portfolio, mark.sha256)
            config = file_config(self.portfolio, feed)
            known = self._known(path, archive, config)
            if known is not None:
                self.results.append(known)
                if archive.summary()["file"] != path.name:
                    self.notes.append(f"{path.name} holds the bytes of {archive.summary()['file']}, landed before")
                continue
            rejects = Rejects(self._subfolder(f"rejects-{mark.sha256}"), path.name)
            file = _File(path, feed, config, mark, archive, rejects)
            self._read(file)
            self._files.append(file)

    def _read(self, file: _File) -> None:
        mapper = Mapper(file.feed, self.ws.token_key)
        for batch in read_batches(file.path, file.feed, self.notes):
            mapped = mapper.map(batch)
            file.rows += mapped.rows.num_rows + len(mapped.rejected)
            for codes in (mapped.codes, mapped.rejected_codes):
                found, counts = np.unique(codes, return_counts=True)
                file.by_code.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
            file.rejects.add((item, self._key(item.code)) for item in mapped.rejected if self._wanted(item))
            wanted = self.asked.mask(mapped.codes) | self._is_years_away(mapped.codes)
            rows = mapped.rows if wanted.all() else mapped.rows.filter(pa.array(wanted))
            origin = {FILE: file.name, SHA256: file.sha256}
            for column, value in origin.items():
                rows = rows.append_column(column, pa.repeat(value, rows.num_rows))
            self._spool.add(rows, mapped.codes[wanted])
        require_unchanged(file.path, file.mark)
        self.notes += [f"{file.name}: {remark}" for remark in mapper.remarks()]
        unsettled = Unsettled(file.sha256, file.feed, file.by_code, file.rejects, mapper.first)
        settle(unsettled, self._spool, self.asked.key, self.asked.contains)
        if not file.rows and self.feed.kind == "transactions":
            raise ContractError(
                "the file has a header and no rows",
                where=str(file.path),
                remedy="ask its sender for it again, or remove it if there is nothing to say",
            )

    def _key(self, code: int) -> str | None:
        return LEADING if code == NOWHERE else self.asked.key(code)

    def _wanted(self, item: Rejected) -> bool:
        return (
            item.code == NOWHERE or self.asked.contains(item.code) or bool(self._is_years_away(np.array([item.code])))
        )

    def _is_years_away(self, codes: np.ndarray) -> np.ndarray:
        return is_years_away(codes, self.asked.lowest, self.asked.highest, self.asked.partitioning.hours)

    def _known(self, path: Path, archive: Archive, config: str) -> FileResult | None:
        """The counts of a file that has been landed in all that is asked for; None where there is work."""
        summary = archive.summary()
        if self.feed.kind != "transactions" or not summary or summary["config"] != config:
            return None
        asked = {key: n for key, n in summary["partitions"].items() if self.asked.contains_key(key)}
        for key, counts in asked.items():
            contained = contained_files(self.ws.store, self.feed.portfolio, key, config)
            if "accepted" not in counts or archive.sha256 not in contained:
                return None
        self.keys |= set(asked)
        self.reasons.update(summary["reasons"] if len(asked) == len(summary["partitions"]) else {})
        accepted = sum(counts["accepted"] for counts in asked.values())
        quarantined = summary["nowhere"] + sum(counts["quarantined"] for counts in asked.values())
        elsewhere = sum(n["rows"] for key, n in summary["partitions"].items() if key not in asked)
        return FileResult(
            path.name, self.feed.kind, archive.sha256, summary["rows_read"], accepted, quarantined, elsewhere
        )

    # -- transactions ----------------------------------------------------------------------------------

    def stage_partitions(self) -> None:
        """Merge, sort and stage each partition, then quarantine, then lineage (see the module's text)."""
        origins = Spool(self._subfolder("lineage"))
        staged: list[tuple[int, Manifest, Present]] = []
        contained: dict[str, set[str]] = {file.sha256: set() for file in self._files}
        landing = {file.sha256: Arriving(file.name, file.config) for file in self._files}
        for code, key in self._partitions():
            present = load(self.ws.store, self.feed, key, landing)
            self.keys.add(key)
            for sha256 in present.contained & set(landing):
                contained[sha256].add(key)
            files = [file for file in self._files if code in file.by_code]
            if all(file.sha256 in present.contained for file in files):
                for file in files:
                    file.accepted[key] = present.files[file.sha256]["accepted"]
                self._spool.drop(code)
                continue
            manifest, rows = self._stage_partition(code, key, present)
            origins.add(lineage_of(rows), np.full(rows.num_rows, code))
            staged.append((code, manifest, present))
        quarantined = {file.sha256: self._quarantine(file, contained[file.sha256]) for file in self._files}
        for code, manifest, present in staged:
            origin = origins.take(code) if manifest.rows else lineage_of(wide_schema(self.feed).empty_table())
            write_lineage(
                self.ws.store,
                self.feed,
                manifest,
                origin,
                self._file_facts(code, manifest.key, present, quarantined),
            )

    def _partitions(self) -> list[tuple[int, str]]:
        codes = {code for file in self._files for code in file.by_code if self.asked.contains(code)}
        return [(code, key) for code in sorted(codes) if (key := self.asked.key(code)) is not None]

    def _stage_partition(self, code: int, key: str, present: Present) -> tuple[Manifest, pa.Table]:
        arriving = self._arriving(code, present)
        rows = present.rows
        if present.yielding is not None and self.feed.of_role(Role.ID):
            ids = arriving["transaction_id"]
            rows = without_ids(rows, ids.filter(pc.is_in(ids, present.yielding)))
        merged = merge(rows, arriving, self.feed)
        accepted = Counter(merged.rows[SHA256].to_pylist())
        by_sha = {file.sha256: file for file in self._files}
        for sha256, file in by_sha.items():
            if code in file.by_code:
                file.accepted[key] = accepted[sha256]
        for item in merged.duplicates:
            by_sha[item.sha256].duplicates.append((item, key))
        manifest = stage(self.ws.store, self.feed, key, merged.rows, present, self.config)
        before = present.staged or present.published
        if before is None or before.data_digest != manifest.data_digest:
            self.changed.add(key)
        return manifest, merged.rows

    def _arriving(self, code: int, present: Present) -> pa.Table:
        """A partition's spooled rows, without those of files that it has already."""
        if code not in self._spool.codes:
            names = [n for n in wide_schema(self.feed).names if n != "transaction_id" or self.feed.of_role(Role.ID)]
            return wide_schema(self.feed).empty_table().select(names)
        rows = self._spool.take(code)
        if not present.contained:
            return rows
        return rows.filter(pc.invert(pc.is_in(rows[SHA256], pa.array(sorted(present.contained), pa.string()))))

    def _file_facts(
        self, code: int, key: str, present: Present, quarantined: dict[str, dict[str, int]]
    ) -> dict[str, dict[str, Any]]:
        facts = {sha256: dict(known) for sha256, known in present.files.items()}
        for file in self._files:
            if code in file.by_code and file.sha256 not in present.contained:
                facts[file.sha256] = {
                    "name": file.name,
                    "accepted": file.accepted[key],
                    "quarantined": quarantined[file.sha256].get(key, 0),
                    "config": file.config,
                }
        return facts

    # -- quarantine ------------------------------------------------------------------------------------

    def _quarantine(self, file: _File, contained: set[str]) -> dict[str, int]:
        """Save a file's rejected rows beside those of its earlier landings; returns how many per partition."""
        code_of = {code: self.asked.key(code) for code in file.by_code}
        counts = {key: file.by_code[code] for code, key in code_of.items() if key is not None}
        done = {key for code, key in code_of.items() if key is not None and self.asked.contains(code)} - contained
        before = file.archive.rows()
        for item, key in file.duplicates:
            id_column = file.feed.file_column(self.feed.of_role(Role.ID)[0])
            rejected = Rejected(item.line, id_column, item.reason, item.raw, NOWHERE)
            file.rejects.add([(rejected, key)])
        fresh = file.rejects.table()
        nowhere = fresh.filter(pc.is_null(fresh["partition_key"]))
        rows = pa.concat_tables([of_partitions(before, set(counts) - done), of_partitions(fresh, done), nowhere])
        per_key = count_by_partition(rows)
        summary = file.archive.summary()
        earlier = summary.get("partitions", {}) if summary.get("config") == file.config else {}
        partitions: dict[str, dict[str, int]] = {}
        for partition, total in counts.items():
            if partition in file.accepted:
                accepted = file.accepted[partition]
                partitions[partition] = {"rows": total, "accepted": accepted, "quarantined": total - accepted}
            else:
                partitions[partition] = earlier.get(partition, {"rows": total})
        name = summary.get("file", file.name)
        file.archive.save(
            rows,
            {
                "file": name,
                "feed": self.feed.kind,
                "config": file.config,
                "rows_read": file.rows,
                "nowhere": nowhere.num_rows,
                "partitions": partitions,
            },
        )
        self._count(file, of_partitions(rows, {k for c, k in code_of.items() if k and self.asked.contains(c)}), nowhere)
        return per_key

    def _count(self, file: _File, quarantined: pa.Table, nowhere: pa.Table) -> None:
        elsewhere = sum(
            rows for code, rows in file.by_code.items() if code != NOWHERE and not self.asked.contains(code)
        )
        accepted = sum(file.accepted.values())
        self.reasons.update(reasons_of(pa.concat_tables([quarantined, nowhere])))
        self.results.append(
            FileResult(
                file.name,
                self.feed.kind,
                file.sha256,
                file.rows,
                accepted,
                file.rows - accepted - elsewhere,
                elsewhere,
            )
        )

    # -- reports of fraud ------------------------------------------------------------------------------

    def publish_reports(self, session: Session) -> None:
        """Publish the reports of fraud by the partition in which they arrived."""
        for file in self._files:
            rejected = count_by_partition(file.rejects.table())
            for code, key in self._partitions():
                file.accepted[key] = file.by_code[code] - rejected.get(key, 0)
            self._quarantine(file, set())
        for code, key in self._partitions():
            if code not in self._spool.codes:
                continue
            before = self.ws.store.manifest("labels", self.feed.portfolio, key)
            end = self.asked.partitioning.end(key)
            known = None if before is None else self.ws.store.read(before)
            table = merge_reports(known, self._spool.take(code), end)
            after = before
            if before is None or known is None or not table.equals(known):
                after = self.ws.store.write(
                    "labels", self.feed.portfolio, key, table, config=self.config, facts={"rows": table.num_rows}
                )
                self.changed.add(key)
            if after is not None:
                details = {"before": before.data_digest if before is not None and before != after else None}
                record(self.ws, session, after, actor=_ACTOR, details=details)
            self.keys.add(key)

    def _subfolder(self, name: str) -> Path:
        folder = self.folder / f"{self.feed.kind}-{name}"
        folder.mkdir()
        return folder


def _result(payments: _Landing, reports: _Landing | None) -> LandResult:
    files = [*payments.results, *(reports.results if reports else [])]
    reasons = payments.reasons + (reports.reasons if reports else Counter())
    return LandResult(
        keys=sorted(payments.keys),
        changed_keys=sorted(payments.changed),
        label_keys=sorted(reports.keys) if reports else [],
        rows_read=sum(item.rows for item in files),
        rows_accepted=sum(item.accepted for item in files),
        rows_quarantined=sum(item.quarantined for item in files),
        rows_elsewhere=sum(item.elsewhere for item in files),
        files=files,
        reasons=dict(reasons.most_common(_SHOWN_REASONS)),
        notes=[*payments.notes, *(reports.notes if reports else [])],
    )
