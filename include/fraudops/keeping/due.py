"""What is older than its retention, and not held: found anew each time, from the store and the database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import Date, cast, func, select
from sqlalchemy.orm import Session
from upath import UPath

from fraudops.cases.forgetting import old_cases, partitions_of
from fraudops.database import Alert, ModelVersion, Notice, PromotionRecord, Shadow
from fraudops.keeping.holds import Held
from fraudops.monitoring import DATASETS as MONITORED
from fraudops.portfolio import CUSTOMERS_PROTECTED, ONLINE, REFERENCE_FEEDS, REPORT_FEEDS, Portfolio
from fraudops.registry.shadow import DATASET as SHADOW_SCORES
from fraudops.store import sha256_of
from fraudops.store.removal import MODELS, size_of
from fraudops.workspace import Workspace

RESTATED = "restated"
"""Area of what :mod:`fraudops.decisions.restating` writes."""
REFERENCE = "monitoring_reference"
"""Area of :mod:`fraudops.monitoring.reference`, which this room would import the models for."""
ALERTS, NOTICES, HISTORY, CASES = "alerts", "notices", "history", "cases"
NOTICE_IS_REMOVED = ""
"""Subject of a notice of which the content was removed: no notice is queued with such a one."""

_NEVER = datetime(9000, 1, 1, tzinfo=UTC)

PARTITIONS = {
    # In the order in which they go: what was computed before what it was computed from.
    "rule_hits_protected": "protected",
    "rule_hits": "alerts",
    "rule_cash": "transactions",
    "rule_profiles": "transactions",
    **dict.fromkeys(MONITORED, "scores"),
    "scores": "scores",
    ONLINE: "scores",
    SHADOW_SCORES: "scores",
    "features": "features",
    "labels": "labels",
    "dispositions": "labels",
    **dict.fromkeys((CUSTOMERS_PROTECTED, *REFERENCE_FEEDS), "reference"),
    "protected": "protected",
    "transactions": "transactions",
    "lineage": "transactions",
}
"""Dataset → the key under ``retention`` that it follows."""


@dataclass(frozen=True)
class Due:
    """Something that is to go, as the ledger records it.

    Attributes
    ----------
    area
        A dataset of partitions, an area of objects, ``history``, ``alerts``, ``notices`` or ``cases``.
    name
        Key of the partition, folder of the object, day of the notices, number of the case.
    digest
        Of what is removed: rows, files, or ids; so that a later copy can be told to be the one.
    rows
        Rows, files or entries.
    bytes
        In the store.
    """

    area: str
    name: str
    digest: str
    rows: int
    bytes: int

    def to_list(self) -> list[Any]:
        """As the ledger keeps it."""
        return [self.area, self.name, self.digest, self.rows, self.bytes]

    @classmethod
    def from_list(cls, values: list[Any]) -> Due:
        """The inverse of :meth:`to_list`."""
        return cls(*values)


def as_of_now(ws: Workspace, portfolio: Portfolio, now: datetime) -> datetime | None:
    """The moment that ages are counted to.

    A portfolio that is not scheduled is a file of the past: its present is the end of its newest partition, or else
    all of it would be too old on the day on which it is loaded. None where it has no partition.
    """
    if portfolio.scheduled:
        return now
    keys = ws.store.keys("transactions", portfolio.name)
    return min(now, portfolio.partitioning.end(keys[-1])) if keys else None


def find_due(ws: Workspace, session: Session, portfolio: Portfolio, as_of: datetime) -> Iterator[Due]:
    """Everything that retention would remove at a moment, in the order in which it is removed."""
    held = Held.read(session, portfolio)
    search = _Search(ws, session, portfolio, as_of, held)
    yield from search.alerts()
    yield from search.notices()
    yield from search.cases()
    for dataset, kind in PARTITIONS.items():
        kept = getattr(portfolio.retention, kind)
        if kept is not None:
            yield from search.partitions(dataset, kept)
    yield from search.history()
    yield from search.validations()
    yield from search.quarantine()
    yield from search.restatements()
    yield from search.references()
    yield from search.models()
    yield from search.runs()


def is_held(held: Held, item: Due, ws: Workspace, session: Session, portfolio: Portfolio) -> bool:
    """Whether a hold covers something."""
    if item.area == CASES:
        return held.covers_case(int(item.name), partitions_of(session, portfolio.name, int(item.name)))
    if item.area in (MODELS, "training", "reports", RESTATED):
        return False  # what scored a held partition was champion or shadow and stays anyway; the rest is no record
    if item.area == REFERENCE:
        return bool(held.ranges)
    if item.area == "quarantine":
        keys = _partitions_in(ws.store.path("quarantine", portfolio.name, item.name))
        return any(held.covers(key) for key in keys)
    if item.area == NOTICES:
        return held.covers_what_came_at(portfolio.partitioning.key_of(_midnight(item.name)))
    key = item.name.rpartition("/")[2].removeprefix("date=")
    return _covers(held, item.area, key)


def _covers(held: Held, dataset: str, key: str) -> bool:
    if dataset in REPORT_FEEDS:
        return held.covers_what_came_at(key)
    return held.covers_what_was_known_by(key) if PARTITIONS.get(dataset) == "reference" else held.covers(key)


def history_of(folder: UPath) -> list[UPath]:
    """Manifests of a partition's folder that were replaced."""
    place = folder / "history"
    return sorted(place.glob("*.json"), key=str) if place.exists() else []


@dataclass(frozen=True)
class _Search:
    ws: Workspace
    session: Session
    portfolio: Portfolio
    as_of: datetime
    held: Held

    def partitions(self, dataset: str, kept: timedelta) -> Iterator[Due]:
        store, name = self.ws.store, self.portfolio.name
        for key in self._keys(dataset, kept):
            if _covers(self.held, dataset, key):
                continue
            manifest = store.manifest(dataset, name, key) or store.staged(dataset, name, key)
            if manifest is not None:
                size = size_of(store.path(dataset, name, f"date={key}"))
                yield Due(dataset, key, manifest.data_digest, manifest.rows, size)

    def history(self) -> Iterator[Due]:
        for dataset, kind in PARTITIONS.items():
            whole = getattr(self.portfolio.retention, kind)
            for key in self._keys(dataset, self.portfolio.retention.history):
                if (whole is not None and self._is_due(key, whole)) or _covers(self.held, dataset, key):
                    continue  # it goes with the partition, or stays with it
                folder = self.ws.store.path(dataset, self.portfolio.name, f"date={key}")
                files = history_of(folder)
                if files:
                    digest = sha256_of("\n".join(path.name for path in files).encode())
                    yield Due(HISTORY, f"{dataset}/{key}", digest, len(files), sum(p.stat().st_size for p in files))

    def validations(self) -> Iterator[Due]:
        for key in self._keys("validation", self.portfolio.retention.validation):
            if not self.held.covers(key):
                yield self._folder("validation", f"date={key}")

    def quarantine(self) -> Iterator[Due]:
        kept = self.portfolio.retention.quarantine
        for folder in _folders(self.ws.store.path("quarantine", self.portfolio.name), "file="):
            keys = _partitions_in(folder)
            over = _newest(folder) + kept <= self.as_of if not keys else all(self._is_due(key, kept) for key in keys)
            if over and not any(self.held.covers(key) for key in keys):
                yield self._folder("quarantine", folder.name)

    def restatements(self) -> Iterator[Due]:
        """What would have been decided: as old as its files."""
        kept = self.portfolio.retention.restatements or self.portfolio.retention.scores
        for folder in _folders(self.ws.store.path(RESTATED, self.portfolio.name), ""):
            if _newest(folder) + kept <= self.as_of:
                yield self._folder(RESTATED, folder.name)

    def references(self) -> Iterator[Due]:
        """What days were compared with: as old as the last of them, and all of it stays while there is a hold."""
        kept = self.portfolio.retention.references or self.portfolio.retention.scores
        until = self._in_force_until()
        for folder in _folders(self.ws.store.path(REFERENCE, self.portfolio.name), ""):
            over = until.get(folder.name) or _newest(folder)
            if over + kept <= self.as_of and not self.held.ranges:
                yield self._folder(REFERENCE, folder.name)

    def models(self) -> Iterator[Due]:
        kept, used = self.portfolio.retention.models, self._used()
        for model in self._versions():
            folder = self.ws.store.path(MODELS, self.portfolio.name, model.version)
            if model.id not in used and model.as_of + kept <= self.as_of and folder.exists():
                yield Due(MODELS, model.version, model.artifact_sha256, 1, size_of(folder))

    def runs(self) -> Iterator[Due]:
        kept, used = self.portfolio.retention.training, self._used()
        newest: dict[str, datetime] = {}
        needed = set()
        for model in self._versions():
            newest[model.run_id] = max(model.as_of, newest.get(model.run_id, model.as_of))
            if model.id in used:
                needed.add(model.run_id)
        for area in ("training", "reports"):
            for folder in _folders(self.ws.store.path(area, self.portfolio.name), ""):
                # A run that registered nothing (it failed, or evaluated only) is as old as what it wrote.
                age = newest.get(folder.name) or _newest(folder)
                if folder.name not in needed and age + kept <= self.as_of:
                    yield self._folder(area, folder.name)

    def alerts(self) -> Iterator[Due]:
        query = (
            select(Alert.partition_key, func.count(), func.string_agg(Alert.transaction_id, "\n"))
            .where(Alert.portfolio == self.portfolio.name)
            .group_by(Alert.partition_key)
            .order_by(Alert.partition_key)
        )
        for key, count, ids in self.session.execute(query):
            if self._is_due(key, self.portfolio.retention.alerts) and not self.held.covers(key):
                yield Due(ALERTS, key, sha256_of("\n".join(sorted(ids.split("\n"))).encode()), count, 0)

    def notices(self) -> Iterator[Due]:
        day = cast(func.timezone("UTC", Notice.as_of), Date)
        query = (
            select(day, func.count(), func.string_agg(Notice.message_id, "\n"))
            .where(
                Notice.portfolio == self.portfolio.name,
                Notice.state.in_(("sent", "rejected")),
                Notice.subject != NOTICE_IS_REMOVED,
            )
            .group_by(day)
            .order_by(day)
        )
        for found, count, ids in self.session.execute(query):
            end = _midnight(found.isoformat()) + timedelta(days=1)
            if end + self.portfolio.retention.notices > self.as_of:
                continue
            item = Due(NOTICES, found.isoformat(), sha256_of("\n".join(sorted(ids.split("\n"))).encode()), count, 0)
            if not is_held(self.held, item, self.ws, self.session, self.portfolio):
                yield item

    def cases(self) -> Iterator[Due]:
        closed_before = self.as_of - self.portfolio.retention.cases
        for case in old_cases(self.ws, self.session, self.portfolio.name, closed_before):
            if not self.held.covers_case(case.number, case.keys):
                yield Due(CASES, str(case.number), case.digest, case.rows, case.bytes)

    # -- inside ---------------------------------------------------------------------------------------

    def _keys(self, dataset: str, kept: timedelta) -> list[str]:
        """Keys of folders that are due, published or not."""
        folders = _folders(self.ws.store.path(dataset, self.portfolio.name), "date=")
        keys = [folder.name.removeprefix("date=") for folder in folders]
        return [key for key in keys if self._is_due(key, kept)]

    def _is_due(self, key: str, kept: timedelta) -> bool:
        try:
            return self.portfolio.partitioning.end(key) + kept <= self.as_of
        except ValueError:
            return False  # partitions were of another length then: nobody knows when this one ended

    def _folder(self, area: str, name: str) -> Due:
        folder = self.ws.store.path(area, self.portfolio.name, name)
        files = sorted((path for path in folder.rglob("*") if path.is_file()), key=str)
        digests = [f"{path.relative_to(folder).as_posix()} {sha256_of(path.read_bytes())}" for path in files]
        return Due(
            area, name, sha256_of("\n".join(digests).encode()), len(files), sum(path.stat().st_size for path in files)
        )

    def _versions(self) -> list[ModelVersion]:
        query = select(ModelVersion).where(ModelVersion.portfolio == self.portfolio.name).order_by(ModelVersion.number)
        return list(self.session.scalars(query))

    def _in_force_until(self) -> dict[str, datetime]:
        """When each champion was replaced for the last time; a day that lies ahead of all for the one in force."""
        records = self.session.scalars(
            select(PromotionRecord)
            .where(PromotionRecord.portfolio == self.portfolio.name)
            .order_by(PromotionRecord.effective_from, PromotionRecord.id)
        ).all()
        names = {model.id: model.version for model in self._versions()}
        ends = [record.effective_from for record in records[1:]] + [_NEVER]
        # Later records replace earlier ones of the same version.
        return {names[record.model_id]: end for record, end in zip(records, ends, strict=False)}

    def _used(self) -> set[int]:
        """Versions that were champion, or a shadow."""
        name = self.portfolio.name
        champions = self.session.scalars(select(PromotionRecord.model_id).where(PromotionRecord.portfolio == name))
        shadows = self.session.scalars(select(Shadow.model_id).where(Shadow.portfolio == name))
        return {*champions, *shadows}


def _folders(place: UPath, prefix: str) -> list[UPath]:
    if not place.exists():
        return []
    found = (path for path in place.iterdir() if path.name.startswith(prefix) and path.is_dir())
    return sorted(found, key=lambda path: path.name)


def _partitions_in(quarantined: UPath) -> list[str]:
    """Partitions that a file of which rows lie in quarantine has rows in."""
    try:
        summary = json.loads((quarantined / "summary.json").read_bytes())
    except FileNotFoundError:
        return []
    return sorted(summary.get("partitions", {}))


def _newest(folder: UPath) -> datetime:
    """When the youngest file of a folder was written: of some objects nobody says what time they are about."""
    times = [path.stat().st_mtime for path in folder.rglob("*") if path.is_file()]
    return datetime.fromtimestamp(max(times), UTC) if times else _NEVER


def _midnight(day: str) -> datetime:
    return datetime.combine(datetime.fromisoformat(day), time(), UTC)
