"""Rows that say themselves which partition they belong to, on their way into the store: transactions and reports.

One :class:`RowLanding` is one feed's files in one run of :func:`fraudops.intake.landing.land`, which says in which
order things are written.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy.orm import Session

from fraudops.errors import ContractError
from fraudops.intake.asked import Asked
from fraudops.intake.changes import PartitionChange
from fraudops.intake.feeds import Feed, file_config, partition_config
from fraudops.intake.files import place_of
from fraudops.intake.label_feed import merge_reports
from fraudops.intake.landing_file import COUNTED, LandingFile
from fraudops.intake.mapping import NOWHERE, Mapper, Rejected
from fraudops.intake.merging import FILE, SHA256, Kind, Merged, merge, wide_schema, without_ids
from fraudops.intake.partitions import (
    Arrivals,
    Arriving,
    Present,
    change_between,
    contained_files,
    lineage_of,
    load,
    stage,
    waiting_change,
    write_lineage,
)
from fraudops.intake.publication import record
from fraudops.intake.quarantine import LEADING, Archive, Rejects, count_by_partition, of_partitions, reasons_of
from fraudops.intake.reading import fingerprint, read_batches, require_unchanged
from fraudops.intake.remarks import (
    conflict_remarks,
    elsewhere_remarks,
    left_behind_remarks,
    report_remarks,
    version_remarks,
)
from fraudops.intake.replacing import replace
from fraudops.intake.results import FileResult
from fraudops.intake.settling import Unsettled, is_years_away, settle
from fraudops.intake.spool import Spool
from fraudops.intake.versions import Delivery, FileName, deliver
from fraudops.portfolio import Portfolio, Role
from fraudops.store import Manifest
from fraudops.workspace import Workspace

ACTOR = "service:ingest"


@dataclass
class RowLanding:
    """One feed's files on their way into the store."""

    ws: Workspace
    portfolio: Portfolio
    feed: Feed
    """What is stored; each file's own feed says how that file writes it."""
    asked: Asked
    folder: Path
    corrections: bool = False
    results: list[FileResult] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    changes: dict[str, PartitionChange | None] = field(default_factory=dict)
    """Of the partitions that were looked at: what waits to be published in place of other rows."""
    files: list[LandingFile] = field(default_factory=list)
    """Those in which there is something to do."""
    _seen: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every file → its name, of those with the same bytes the first."""
    _beside: set[tuple[str, tuple[str, str]]] = field(default_factory=set)
    """SHA-256 and identity of every file."""

    def __post_init__(self) -> None:
        self._spool = Spool(self._subfolder("rows"))
        self.config = partition_config(self.portfolio, self.feed.kind)
        if self.corrections and not self.feed.of_role(Role.ID):
            self.corrections = False
            self.notes.append(
                "rows without an id cannot replace one another, so they were added; what corrects a file has its name"
            )

    # -- reading ---------------------------------------------------------------------------------------

    def read(self, files: list[tuple[Path, Feed]]) -> None:
        """Read every file to its end; nothing is written to the store, so a bad one leaves no trace."""
        for path, feed in files:
            mark = fingerprint(path)
            place = FileName(feed.source.name, place_of(self.ws.landing / self.feed.portfolio, path))
            self._beside.add((mark.sha256, place.identity))
            if mark.sha256 in self._seen:
                self.notes.append(f"{place.path} holds the same bytes as {self._seen[mark.sha256]}: read once")
                continue
            self._seen[mark.sha256] = place.path
            archive = Archive(self.ws.store, self.feed.portfolio, mark.sha256)
            config = file_config(self.portfolio, feed)
            known = self._known(place, archive, config)
            if known is not None:
                self.results.append(known)
                if archive.summary()["file"] != place.path:
                    self.notes.append(f"{place.path} holds the bytes of {archive.summary()['file']}, landed before")
                continue
            rejects = Rejects(self._subfolder(f"rejects-{mark.sha256}"), place.path)
            file = LandingFile(path, place, feed, config, mark, archive, rejects)
            self._read(file)
            if self._is_removed(file):
                self.results.append(FileResult(file.name, self.feed.kind, file.sha256, file.rows, 0, 0, file.rows, 0))
            else:
                self.files.append(file)

    def _is_removed(self, file: LandingFile) -> bool:
        """Whether all that the file has rows in was removed by retention; what was, the notes say."""
        removed = {code: rows for code, rows in file.by_code.items() if code in self.asked.removed}
        if removed:
            keys = sorted(key for code in removed if (key := self.asked.key(code)) is not None)
            self.notes.append(
                f"{file.name}: {sum(removed.values()):,} rows of {len(keys)} partitions ({keys[0]} to {keys[-1]}) were "
                "passed over, because retention has removed these partitions"
            )
        return bool(removed) and removed.keys() == file.by_code.keys() - {NOWHERE}

    def _read(self, file: LandingFile) -> None:
        mapper = Mapper(file.feed, self.ws.token_keys)
        for batch in read_batches(file.path, file.feed, self.notes):
            mapped = mapper.map(batch)
            file.rows += mapped.rows.num_rows + len(mapped.rejected)
            for codes in (mapped.codes, mapped.rejected_codes):
                found, counts = np.unique(codes, return_counts=True)
                file.by_code.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
            file.rejects.add((item, self._key(item.code)) for item in mapped.rejected if self._is_kept(item.code))
            wanted = self.asked.mask(mapped.codes) | self._is_years_away(mapped.codes)
            rows = mapped.rows if wanted.all() else mapped.rows.filter(pa.array(wanted))
            origin = {FILE: file.name, SHA256: file.sha256}
            for column, value in origin.items():
                rows = rows.append_column(column, pa.repeat(value, rows.num_rows))
            self._spool.add(rows, mapped.codes[wanted])
        require_unchanged(file.path, file.mark)
        self.notes += [f"{file.name}: {remark}" for remark in mapper.remarks()]
        unsettled = Unsettled(file.sha256, file.feed, file.by_code, file.rejects, mapper.first)
        settle(unsettled, self._spool, self.asked.key, self.asked.contains, self._is_kept)
        if not file.rows and self.feed.kind == "transactions":
            raise ContractError(
                "the file has a header and no rows",
                where=str(file.path),
                remedy="ask its sender for it again, or remove it if there is nothing to say",
            )

    def _key(self, code: int) -> str | None:
        return LEADING if code == NOWHERE else self.asked.key(code)

    def _is_kept(self, code: int) -> bool:
        return code == NOWHERE or self.asked.contains(code) or bool(self._is_years_away(np.array([code])))

    def _is_years_away(self, codes: np.ndarray) -> np.ndarray:
        return is_years_away(codes, self.asked.lowest, self.asked.highest, self.asked.partitioning.hours)

    def _known(self, place: FileName, archive: Archive, config: str) -> FileResult | None:
        """The counts of a file that has been landed in all that is asked for; None where there is work."""
        summary = archive.summary()
        if self.feed.kind != "transactions" or not summary or summary["config"] != config:
            return None
        asked = {key: n for key, n in summary["partitions"].items() if self.asked.contains_key(key)}
        for key, counts in asked.items():
            contained = contained_files(self.ws.store, self.feed.portfolio, key, config, corrections=self.corrections)
            if "accepted" not in counts or archive.sha256 not in contained:
                return None
        self.keys |= set(asked)
        self.reasons.update(summary["reasons"] if len(asked) == len(summary["partitions"]) else {})
        accepted = sum(counts["accepted"] for counts in asked.values())
        quarantined = summary["nowhere"] + sum(counts["quarantined"] for counts in asked.values())
        elsewhere = sum(n["rows"] for key, n in summary["partitions"].items() if key not in asked)
        repeated = sum(counts["repeated"] for counts in asked.values())
        return FileResult(
            place.path, self.feed.kind, archive.sha256, summary["rows_read"], accepted, quarantined, elsewhere, repeated
        )

    # -- transactions ----------------------------------------------------------------------------------

    def stage_partitions(self) -> None:
        """Merge, sort and stage each partition, then quarantine, then lineage (see the module's text)."""
        deliveries = self._deliver()
        origins = Spool(self._subfolder("lineage"))
        staged: list[tuple[int, Manifest, Present]] = []
        contained: dict[str, set[str]] = {file.sha256: set() for file in self.files}
        gave_way: Counter[tuple[str, str]] = Counter()
        for code, key in self._partitions():
            present = load(self.ws.store, self.feed, key, self._arrivals(code))
            self.keys.add(key)
            for sha256 in present.contained:
                contained[sha256].add(key)
            files = [file for file in self.files if code in file.by_code]
            for file in files:
                file.begin(key, present.files[file.sha256] if file.sha256 in present.contained else None)
            if all(file.sha256 in present.contained for file in files):
                self.changes[key] = waiting_change(self.ws.store, self.feed.portfolio, key)
                self._spool.drop(code)
                continue
            manifest, rows = self._stage_partition(code, key, present)
            origins.add(lineage_of(rows), np.full(rows.num_rows, code))
            staged.append((code, manifest, present.without_rows()))
            gave_way.update(file.place.identity for file in files if file.place.identity in present.superseded)
        quarantined = {file.sha256: self._quarantine(file, contained[file.sha256]) for file in self.files}
        for code, manifest, present in staged:
            origin = origins.take(code) if manifest.rows else lineage_of(wide_schema(self.feed).empty_table())
            facts = self._file_facts(code, manifest.key, present, quarantined)
            write_lineage(self.ws.store, self.feed, manifest, origin, facts, self.changes[manifest.key], present)
        for file, delivery in zip(self.files, deliveries, strict=True):
            self._remark(file, delivery, gave_way[file.place.identity])

    def _deliver(self) -> list[Delivery]:
        """Note under each file's name which bytes it has now, before anything depends on it."""
        store, portfolio, kind = self.ws.store, self.feed.portfolio, self.feed.kind
        return [deliver(store, portfolio, kind, file.place, file.sha256) for file in self.files]

    def _remark(self, file: LandingFile, delivery: Delivery, gave_way: int) -> None:
        self.notes += version_remarks(file.name, delivery, gave_way)
        if delivery.previous is not None and delivery.previous not in self._seen:
            here = {key for code in file.by_code if (key := self.asked.key(code)) is not None}
            self.notes += left_behind_remarks(file.name, file.archive, delivery.previous, here)
        self.notes += conflict_remarks(file.name, [item for item, _ in file.duplicates])

    def _partitions(self) -> list[tuple[int, str]]:
        codes = {code for file in self.files for code in file.by_code if self.asked.contains(code)}
        return [(code, key) for code in sorted(codes) if (key := self.asked.key(code)) is not None]

    def _arrivals(self, code: int) -> Arrivals:
        files = {file.sha256: Arriving(file.place, file.config, code in file.by_code) for file in self.files}
        return Arrivals(files, frozenset(self._beside), self.corrections)

    def _stage_partition(self, code: int, key: str, present: Present) -> tuple[Manifest, pa.Table]:
        merged = self._merge(code, present)
        accepted = Counter({item["values"]: item["counts"] for item in merged.rows[SHA256].value_counts().to_pylist()})
        accepted.update(merged.confirmed)
        by_sha = {file.sha256: file for file in self.files}
        for sha256, file in by_sha.items():
            if code in file.by_code and sha256 not in present.contained:
                file.accepted[key] = accepted[sha256]
        for item in merged.duplicates:
            by_sha[item.sha256].add_duplicate(item, key)
        manifest = stage(self.ws.store, self.feed, key, merged.rows, self.config)
        before = present.staged or present.published
        if before is None or before.data_digest != manifest.data_digest:
            self.changed.add(key)
        self.changes[key] = change_between(self.feed, present, manifest, merged.rows)
        return manifest, merged.rows

    def _merge(self, code: int, present: Present) -> Merged:
        arriving, rows = self._arriving(code, present), present.rows
        if self.corrections:
            return replace(rows, arriving, self.feed)
        if present.yielding is not None and self.feed.of_role(Role.ID):
            ids = arriving["transaction_id"]
            rows = without_ids(rows, ids.filter(pc.is_in(ids, present.yielding)))
        return merge(rows, arriving, self.feed)

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
        for file in self.files:
            if code in file.by_code and file.sha256 not in present.contained:
                facts[file.sha256] = {
                    "name": file.place.path,
                    "source": file.place.source,
                    "accepted": file.accepted[key],
                    **{kind: file.kinds[key][kind] for kind in COUNTED},
                    "quarantined": quarantined[file.sha256].get(key, 0),
                    "config": file.config,
                }
        return facts

    def all_changes(self) -> dict[str, PartitionChange]:
        """By partition: what waits to be published in place of other rows, since this landing or an earlier one."""
        for key in self.keys - self.changes.keys():
            self.changes[key] = waiting_change(self.ws.store, self.feed.portfolio, key)
        return {key: change for key, change in self.changes.items() if change is not None}

    # -- quarantine ------------------------------------------------------------------------------------

    def _quarantine(self, file: LandingFile, contained: set[str]) -> dict[str, int]:
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
                repeated = file.kinds[partition][Kind.REPEATED] if partition in file.kinds else 0
                partitions[partition] = {
                    "rows": total,
                    "accepted": accepted,
                    "quarantined": total - accepted,
                    "repeated": repeated,
                }
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
        if "{key}" in (file.feed.source.path or ""):
            not_landed = sum(found["rows"] for found in partitions.values() if "accepted" not in found)
            self.notes += elsewhere_remarks(file.name, not_landed)
        self._count(file, of_partitions(rows, {k for c, k in code_of.items() if k and self.asked.contains(c)}), nowhere)
        return per_key

    def _count(self, file: LandingFile, quarantined: pa.Table, nowhere: pa.Table) -> None:
        elsewhere = sum(
            rows for code, rows in file.by_code.items() if code != NOWHERE and not self.asked.contains(code)
        )
        accepted = sum(file.accepted.values())
        repeated = sum(kinds[Kind.REPEATED] for kinds in file.kinds.values())
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
                repeated,
            )
        )

    # -- reports of fraud ------------------------------------------------------------------------------

    def publish_reports(self, session: Session) -> None:
        """Publish chargebacks, or dispositions, by the partition in which they arrived."""
        for file, delivery in zip(self.files, self._deliver(), strict=True):
            self.notes += report_remarks(file.name, delivery)
        for file in self.files:
            rejected = count_by_partition(file.rejects.table())
            for code, key in self._partitions():
                file.accepted[key] = file.by_code[code] - rejected.get(key, 0)
            self._quarantine(file, set())
        for code, key in self._partitions():
            if code not in self._spool.codes:
                continue
            before = self.ws.store.manifest(self.feed.kind, self.feed.portfolio, key)
            end = self.asked.partitioning.end(key)
            known = None if before is None else self.ws.store.read(before)
            table = merge_reports(self.feed.kind, known, self._spool.take(code), end)
            after = before
            if before is None or known is None or not table.equals(known):
                after = self.ws.store.write(
                    self.feed.kind, self.feed.portfolio, key, table, config=self.config, facts={"rows": table.num_rows}
                )
                self.changed.add(key)
            if after is not None:
                details = {"before": before.data_digest if before is not None and before != after else None}
                record(self.ws, session, after, actor=ACTOR, details=details)
            self.keys.add(key)

    def _subfolder(self, name: str) -> Path:
        folder = self.folder / f"{self.feed.kind}-{name}"
        folder.mkdir()
        return folder
