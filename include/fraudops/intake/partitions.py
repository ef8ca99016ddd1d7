"""What a partition of transactions holds before a landing, and writing it afterwards.

The transactions are staged, and with them what is protected of them; where each row came from is kept beside
them in ``lineage``, which is written last and names the digest of the rows it belongs to. Rows that were staged
but have no lineage are what a crash left behind: they are forgotten, and the landing that runs again writes them
again.

Where rows are published already, the lineage says what the staged ones change in them (``changes``), and which
lineage was that of the published ones (``before``): the older data and manifests stay in the store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.errors import ContractError, IntegrityError
from fraudops.intake.changes import PartitionChange, compare
from fraudops.intake.feeds import Feed
from fraudops.intake.mapping import LINE
from fraudops.intake.merging import FILE, SHA256, wide_schema
from fraudops.intake.versions import FileName
from fraudops.portfolio import Role
from fraudops.store import Manifest, Store, tombstone

_ID = "transaction_id"
_CATEGORIES = 50


@dataclass(frozen=True)
class Arriving:
    """A file that is being landed."""

    name: FileName
    config: str
    """Digest of the configuration that its rows depend on."""
    has_rows: bool
    """Whether it has rows, usable or not, in the partition at hand."""


@dataclass(frozen=True)
class Arrivals:
    """What is being landed, as one partition sees it."""

    files: Mapping[str, Arriving]
    """By SHA-256: those in which there is something to do."""
    beside: frozenset[tuple[str, tuple[str, str]]] = frozenset()
    """All files of the landing, SHA-256 and identity: what lies side by side is not one another's version."""
    corrections: bool = False
    """Rows replace what is stored under their ids."""

    def names_besides(self, done: set[str]) -> set[tuple[str, str]]:
        """Identities of the files that bring rows into the partition and are not done with."""
        return {file.name.identity for sha, file in self.files.items() if file.has_rows and sha not in done}


@dataclass(frozen=True)
class Present:
    """A partition as a landing finds it."""

    rows: pa.Table
    """Its rows, of :func:`~fraudops.intake.merging.wide_schema`; those that give way to the landing are gone."""
    published: Manifest | None
    staged: Manifest | None
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Files that were landed into it, by SHA-256: name, accepted, quarantined, …"""
    contained: frozenset[str] = frozenset()
    """Those of them with which nothing remains to be done."""
    superseded: frozenset[tuple[str, str]] = frozenset()
    """Identities of those that were there, and of which another version is being landed."""
    yielding: pa.Array | None = None
    """Ids of rows that failed validation: an arriving row of the same id replaces them."""
    seen: Seen | None = None
    """What is published, to be compared with; None where nothing is."""

    def without_rows(self) -> Present:
        """The same, light enough to be kept while the other partitions are merged."""
        seen = None if self.seen is None else replace(self.seen, rows=self.seen.rows.schema.empty_table())
        return replace(self, rows=self.rows.schema.empty_table(), yielding=None, seen=seen)


@dataclass(frozen=True)
class Seen:
    """Published rows with the file of each, and the lineage that says so."""

    rows: pa.Table
    lineage: Manifest


def contained_files(
    store: Store, portfolio: str, key: str, config: str, *, corrections: bool = False
) -> frozenset[str]:
    """Files (SHA-256) that are in a partition already, told from the manifests alone."""
    lineage = store.manifest("lineage", portfolio, key)
    base = store.staged("transactions", portfolio, key) or store.manifest("transactions", portfolio, key)
    if lineage is None or base is None or not belongs(lineage, base):
        return frozenset()
    files = lineage.facts["files"]
    return frozenset(sha for sha, facts in files.items() if _is_done(facts, config, corrections=corrections))


def waiting_change(store: Store, portfolio: str, key: str) -> PartitionChange | None:
    """What the staged rows of a partition change in the published ones, from the manifests alone."""
    lineage, staged = store.manifest("lineage", portfolio, key), store.staged("transactions", portfolio, key)
    if lineage is None or staged is None:
        return None
    return change_of(lineage, staged)


def change_of(lineage: Manifest, rows: Manifest) -> PartitionChange | None:
    """What some rows changed in those that were published before them; None where there were none, or no change."""
    found = lineage.facts.get("changes")
    return PartitionChange.from_dict(found) if found and belongs(lineage, rows) else None


def load(store: Store, feed: Feed, key: str, arrivals: Arrivals) -> Present:
    """A partition's rows, without those that an interrupted landing left or that give way to this landing.

    Rows give way where their file comes with another configuration, and where another version of it comes: a
    file of the same name with other bytes, and rows in this partition.

    Raises
    ------
    ContractError
        The partition was landed with other columns, from files that are not being landed again.
    IntegrityError
        The store has rows of which nobody knows where they came from.
    """
    published = store.manifest("transactions", feed.portfolio, key)
    lineage = store.manifest("lineage", feed.portfolio, key)
    staged = _repaired(store, feed.portfolio, key, published, lineage)
    base = staged or published
    if base is None:
        return Present(wide_schema(feed).empty_table(), None, None)
    if lineage is None:
        raise _no_lineage(feed, key)
    files = dict(lineage.facts["files"]) if belongs(lineage, base) else {}
    rows, origin = store.read(base), store.read(lineage)
    origin = _of_rows(origin, rows, feed, key)
    landing = arrivals.files
    done = {
        sha
        for sha in files.keys() & landing.keys()
        if _is_done(files[sha], landing[sha].config, corrections=arrivals.corrections)
    }
    names = arrivals.names_besides(done)
    known_as = {sha: _name_in(facts).identity for sha, facts in files.items()}
    superseded = {sha for sha, name in known_as.items() if name in names and (sha, name) not in arrivals.beside}
    gone = superseded | (files.keys() & landing.keys() - done)
    drop = pc.is_in(origin["file_sha256"], _texts(gone))
    keep = pc.invert(drop)
    wide = _widen(store, feed, lineage, rows.filter(keep), origin.filter(keep))
    settled = _settled_ids(store, feed, key, published, staged)
    return Present(
        rows=wide,
        published=published,
        staged=staged,
        files={sha: facts for sha, facts in files.items() if sha not in gone},
        contained=frozenset(done),
        superseded=frozenset(known_as[sha] for sha in superseded),
        yielding=None if settled is None else wide[_ID].filter(pc.invert(pc.is_in(wide[_ID], settled))),
        seen=_seen(store, feed, key, published, staged, lineage, Seen(_with_file(rows, origin), lineage)),
    )


def _is_done(facts: Mapping[str, Any], config: str, *, corrections: bool) -> bool:
    """Whether a file that was landed needs no second look: corrections were not asked for when rows conflicted."""
    return bool(facts["config"] == config and not (corrections and facts["conflict"]))


def _name_in(facts: Mapping[str, Any]) -> FileName:
    return FileName(facts["source"], facts["name"])


def _of_rows(origin: pa.Table, rows: pa.Table, feed: Feed, key: str) -> pa.Table:
    """The lineage in the order of the rows."""
    places = pc.index_in(rows[_ID], origin[_ID])
    if places.null_count:
        raise _no_lineage(feed, key)
    return origin.take(places)


def _seen(
    store: Store,
    feed: Feed,
    key: str,
    published: Manifest | None,
    staged: Manifest | None,
    lineage: Manifest,
    at_hand: Seen,
) -> Seen | None:
    """What is published: the rows at hand, or, where others are staged over them, those that the lineage names."""
    if published is None:
        return None
    if staged is None or belongs(lineage, published):
        return at_hand
    before = Manifest.model_validate(lineage.facts["before"])
    rows = store.read(published)
    return Seen(_with_file(rows, _of_rows(store.read(before), rows, feed, key)), before)


def _with_file(rows: pa.Table, origin: pa.Table) -> pa.Table:
    return rows.append_column(FILE, origin["file"])


def _repaired(
    store: Store, portfolio: str, key: str, published: Manifest | None, lineage: Manifest | None
) -> Manifest | None:
    """The staged manifest that the lineage belongs to; what a crash staged before its lineage is forgotten."""
    staged = store.staged("transactions", portfolio, key)
    if staged is None or (lineage is not None and belongs(lineage, staged)):
        return staged
    if lineage is None or (published is not None and belongs(lineage, published)):
        store.discard(staged)
        return None
    # The rows that waited for validation before the crash are still there: the lineage knows their manifest.
    for dataset in ("protected", "transactions"):
        if dataset in lineage.facts:
            before = Manifest.model_validate(lineage.facts[dataset])
            store.stage(dataset, portfolio, key, store.read(before), config=before.config, facts=before.facts)
    return store.staged("transactions", portfolio, key)


def _settled_ids(
    store: Store, feed: Feed, key: str, published: Manifest | None, staged: Manifest | None
) -> pa.ChunkedArray | None:
    """Ids of the published rows where what is staged failed validation; None where it did not."""
    if staged is None or not failed_validation(store, feed.portfolio, key, staged):
        return None
    return store.read(published, [_ID])[_ID] if published else pa.chunked_array([[]], pa.string())


def _texts(values: set[str]) -> pa.Array:
    return pa.array(sorted(values), pa.string())


def _no_lineage(feed: Feed, key: str) -> IntegrityError:
    return IntegrityError(
        "the partition has rows of which the lineage does not say where they came from",
        where=f"{feed.portfolio} {key}",
        remedy="restore lineage/ of the store from the same backup as transactions/",
    )


def failed_validation(store: Store, portfolio: str, key: str, manifest: Manifest) -> bool:
    """Whether validation looked at exactly these rows and refused them."""
    try:
        result = json.loads(store.get("validation", portfolio, f"date={key}", "result.json"))
    except FileNotFoundError:
        return False
    return result.get("data_digest") == manifest.data_digest and result.get("passed") is False


def stage(store: Store, feed: Feed, key: str, rows: pa.Table, config: str) -> Manifest:
    """Write a partition's rows, and first what is protected of them; readers see neither yet."""
    if len(feed.protected):
        protected = rows.select([_ID, *feed.protected.names])
        store.stage("protected", feed.portfolio, key, protected, config=config)
    table = rows.select(feed.stored.names).cast(feed.stored)
    return store.stage("transactions", feed.portfolio, key, table, config=config, facts=facts_of(table, feed))


def change_between(feed: Feed, present: Present, manifest: Manifest, rows: pa.Table) -> PartitionChange | None:
    """What staged rows change in the published ones; None where nothing is published, or it is the same."""
    published, seen = present.published, present.seen
    if published is None or seen is None or published.data_digest == manifest.data_digest:
        return None
    files = compare(seen.rows, rows, feed.content)
    return PartitionChange(manifest.key, published.data_digest, manifest.data_digest, files)


def write_lineage(
    store: Store,
    feed: Feed,
    manifest: Manifest,
    origin: pa.Table,
    files: dict[str, dict[str, Any]],
    change: PartitionChange | None,
    present: Present,
) -> None:
    """Write where the rows of a staged manifest came from: from here on the landing counts as done."""
    facts: dict[str, Any] = {"files": files, "transactions": manifest.model_dump(mode="json")}
    protected = store.staged("protected", feed.portfolio, manifest.key) if len(feed.protected) else None
    if protected is not None:
        facts["protected"] = protected.model_dump(mode="json")
    if change is not None and present.seen is not None:
        # Without the facts: they would hold the lineage before that one, and so on.
        before = present.seen.lineage.model_copy(update={"facts": {}})
        facts |= {"changes": change.to_dict(), "before": before.model_dump(mode="json")}
    store.write(
        "lineage",
        feed.portfolio,
        manifest.key,
        origin,
        config=manifest.config,
        inputs=(manifest.as_input(),),
        facts=facts,
    )
    if present.published == manifest:
        # Nothing waits for validation. What is protected may have changed all the same.
        publish_protected(store, feed.portfolio, manifest.key)
        store.discard(manifest)


def publish_protected(store: Store, portfolio: str, key: str) -> None:
    """Make what is protected of a partition's staged rows visible, as far as the lineage knows it."""
    lineage, protected = store.manifest("lineage", portfolio, key), store.staged("protected", portfolio, key)
    if lineage is None or protected is None:
        return
    if lineage.facts.get("protected") == protected.model_dump(mode="json"):
        store.publish(protected)


def count_rows_of(store: Store, portfolio: str, key: str, sha256: str) -> int:
    """Rows that a partition has of a file."""
    lineage = store.manifest("lineage", portfolio, key)
    if lineage is None or sha256 not in lineage.facts["files"]:
        return 0
    return int(pc.sum(pc.equal(store.read(lineage, ["file_sha256"])["file_sha256"], sha256)).as_py() or 0)


def lineage_of(rows: pa.Table) -> pa.Table:
    """The lineage columns of merged rows."""
    return rows.select([_ID, FILE, SHA256, LINE]).rename_columns([_ID, "file", "file_sha256", "line"])


def facts_of(rows: pa.Table, feed: Feed) -> dict[str, Any]:
    """Small facts of a partition, from its rows alone: what later partitions are compared with."""
    total = rows.num_rows
    facts: dict[str, Any] = {"rows": total, "missing": {}, "categories": {}}
    if not total:
        return facts
    if feed.of_role(Role.AMOUNT):
        facts["mean_amount"] = float(f"{np.mean(rows['amount'].to_numpy()):.9g}")
    for column in rows.schema:
        facts["missing"][column.name] = float(f"{rows[column.name].null_count / total:.9g}")
    for name in feed.columns:
        if feed.columns[name].role is Role.CATEGORY:
            values = pc.unique(rows[name]).drop_null()
            if len(values) <= _CATEGORIES:
                facts["categories"][name] = sorted(values.to_pylist())
    return facts


def _widen(store: Store, feed: Feed, lineage: Manifest, rows: pa.Table, origin: pa.Table) -> pa.Table:
    schema = wide_schema(feed)
    if not rows.num_rows:
        return schema.empty_table()
    if rows.schema.names != feed.stored.names or rows.schema.types != feed.stored.types:
        names = sorted(set(origin["file"].to_pylist()))
        raise ContractError(
            "the partition was landed with other columns than the portfolio names now",
            where=f"{feed.portfolio} {lineage.key}",
            remedy=f"land all of its files again in one run: {', '.join(names[:8])}",
        )
    columns = {name: rows[name] for name in rows.schema.names}
    if len(feed.protected):
        columns |= _protected(store, feed, lineage, rows[_ID])
    columns |= {FILE: origin["file"], SHA256: origin["file_sha256"], LINE: origin["line"]}
    return pa.table(columns).select(schema.names).cast(schema)


def _protected(store: Store, feed: Feed, lineage: Manifest, ids: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    found: dict[str, pa.ChunkedArray] = {}
    if "protected" not in lineage.facts or tombstone(store, "protected", feed.portfolio, lineage.key) is not None:
        return {column.name: pa.chunked_array([pa.nulls(len(ids), column.type)]) for column in feed.protected}
    kept = store.read(Manifest.model_validate(lineage.facts["protected"]))
    places = pc.index_in(ids, kept[_ID])
    for column in feed.protected:
        known = column.name in kept.schema.names
        found[column.name] = kept[column.name].take(places) if known else pa.nulls(len(ids), column.type)
    return found


def belongs(lineage: Manifest, rows: Manifest) -> bool:
    """Whether a lineage is that of these very rows."""
    return any(owner.digest == rows.data_digest for owner in lineage.inputs)
