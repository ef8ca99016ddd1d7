"""What a partition of transactions holds before a landing, and writing it afterwards.

The transactions are staged; where each row came from is kept beside them in ``lineage``, which is written last
and names the digest of the rows it belongs to. Rows that were staged but have no lineage are what a crash left
behind: they are forgotten, and the landing that runs again writes them again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.errors import ContractError, IntegrityError
from fraudops.intake.feeds import Feed
from fraudops.intake.mapping import LINE
from fraudops.intake.merging import FILE, SHA256, wide_schema
from fraudops.portfolio import Role
from fraudops.store import Manifest, Store

_ID = "transaction_id"
_CATEGORIES = 50


@dataclass(frozen=True)
class Arriving:
    """A file that is being landed."""

    name: str
    config: str
    """Digest of the configuration that its rows depend on."""


@dataclass(frozen=True)
class Present:
    """A partition as a landing finds it."""

    rows: pa.Table
    """Its rows, of :func:`~fraudops.intake.merging.wide_schema`; those that the landing replaces are gone."""
    published: Manifest | None
    staged: Manifest | None
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Files that were landed into it, by SHA-256: name, accepted, quarantined."""
    contained: frozenset[str] = frozenset()
    """Those of them with which nothing remains to be done."""
    yielding: pa.Array | None = None
    """Ids of rows that failed validation: an arriving row of the same id replaces them."""


def contained_files(store: Store, portfolio: str, key: str, config: str) -> frozenset[str]:
    """Files (SHA-256) that are in a partition already, told from the manifests alone."""
    lineage = store.manifest("lineage", portfolio, key)
    base = store.staged("transactions", portfolio, key) or store.manifest("transactions", portfolio, key)
    if lineage is None or base is None or not belongs(lineage, base):
        return frozenset()
    return frozenset(sha for sha, facts in lineage.facts["files"].items() if facts["config"] == config)


def load(store: Store, feed: Feed, key: str, landing: Mapping[str, Arriving]) -> Present:
    """A partition's rows, without those that an interrupted landing left or that this landing replaces.

    Parameters
    ----------
    landing
        Files that are being landed, by SHA-256.

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
    places = pc.index_in(rows[_ID], origin[_ID])
    if places.null_count:
        raise _no_lineage(feed, key)
    origin = origin.take(places)
    settled = _settled_ids(store, feed, key, published, staged)
    replaced = {sha for sha, file in landing.items() if sha in files and files[sha]["config"] != file.config}
    corrected = {file.name for sha, file in landing.items() if sha not in files} if settled is not None else set()
    drop = pc.is_in(origin["file_sha256"], _texts(replaced))
    if settled is not None:
        # A file of the same name is the corrected one; what it brought before goes, unless it is published.
        again = pc.is_in(origin["file"], _texts(corrected))
        drop = pc.or_(drop, pc.and_not(again, pc.is_in(rows[_ID], settled)))
    keep = pc.invert(drop)
    wide = _widen(store, feed, key, rows.filter(keep), origin.filter(keep))
    gone = set(origin["file_sha256"].filter(drop).to_pylist()) - set(wide[SHA256].to_pylist())
    remaining = {sha: facts for sha, facts in files.items() if sha not in gone | replaced}
    return Present(
        rows=wide,
        published=published,
        staged=staged,
        files=remaining,
        contained=frozenset(sha for sha in remaining if sha in landing),
        yielding=None if settled is None else wide[_ID].filter(pc.invert(pc.is_in(wide[_ID], settled))),
    )


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
    before = Manifest.model_validate(lineage.facts["transactions"])
    return store.stage("transactions", portfolio, key, store.read(before), config=before.config, facts=before.facts)


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


def stage(store: Store, feed: Feed, key: str, rows: pa.Table, present: Present, config: str) -> Manifest:
    """Write a partition's rows, protected first; they stay staged unless they are what is published."""
    if len(feed.protected):
        protected = rows.select([_ID, *feed.protected.names])
        store.write("protected", feed.portfolio, key, protected, config=config)
    table = rows.select(feed.stored.names).cast(feed.stored)
    manifest = store.stage("transactions", feed.portfolio, key, table, config=config, facts=facts_of(table, feed))
    if present.published == manifest:
        store.discard(manifest)
    return manifest


def write_lineage(
    store: Store, feed: Feed, manifest: Manifest, origin: pa.Table, files: dict[str, dict[str, Any]]
) -> None:
    """Write where the rows of a staged manifest came from: from here on the landing counts as done."""
    facts = {"files": files, "transactions": manifest.model_dump(mode="json")}
    store.write(
        "lineage",
        feed.portfolio,
        manifest.key,
        origin,
        config=manifest.config,
        inputs=(manifest.as_input(),),
        facts=facts,
    )


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


def _widen(store: Store, feed: Feed, key: str, rows: pa.Table, origin: pa.Table) -> pa.Table:
    schema = wide_schema(feed)
    if not rows.num_rows:
        return schema.empty_table()
    if rows.schema.names != feed.stored.names or rows.schema.types != feed.stored.types:
        names = sorted(set(origin["file"].to_pylist()))
        raise ContractError(
            "the partition was landed with other columns than the portfolio names now",
            where=f"{feed.portfolio} {key}",
            remedy=f"land all of its files again in one run: {', '.join(names[:8])}",
        )
    columns = {name: rows[name] for name in rows.schema.names}
    if len(feed.protected):
        columns |= _protected(store, feed, key, rows[_ID])
    columns |= {FILE: origin["file"], SHA256: origin["file_sha256"], LINE: origin["line"]}
    return pa.table(columns).select(schema.names).cast(schema)


def _protected(store: Store, feed: Feed, key: str, ids: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    kept = store.read_partition("protected", feed.portfolio, key)
    places = pc.index_in(ids, kept[_ID])
    found = {}
    for column in feed.protected:
        known = column.name in kept.schema.names
        found[column.name] = kept[column.name].take(places) if known else pa.nulls(len(ids), column.type)
    return found


def belongs(lineage: Manifest, rows: Manifest) -> bool:
    """Whether a lineage is that of these very rows."""
    return any(owner.digest == rows.data_digest for owner in lineage.inputs)
