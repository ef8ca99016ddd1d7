"""Writes and reads what was seen at the end of each partition: the dataset ``checks``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

import pyarrow as pa
from sqlalchemy.orm import Session

from fraudops import __version__
from fraudops.monitoring import CHECKS, MEASURES, OUTCOMES, measures
from fraudops.monitoring.checks import Check, levels_of, look
from fraudops.monitoring.measures import Measured
from fraudops.monitoring.reference import Reference, reference_of, unit_of
from fraudops.monitoring.status import Look, State, fold
from fraudops.portfolio import Portfolio
from fraudops.registry.versions import version
from fraudops.store import Input, Manifest
from fraudops.workspace import Workspace

REMEMBERED = 120
"""Looks that a status is derived from: what lies before has no say in it."""
_DAY = timedelta(days=1)
_TYPES = {"int": pa.int64(), "str": pa.string(), "bool": pa.bool_(), "Status | None": pa.string()}
_SCHEMA = pa.schema([(f.name, _TYPES.get(str(f.type), pa.float64())) for f in fields(Check)])


@dataclass
class Desk:
    """One run's view of a portfolio: manifests, references and histograms that it has read already."""

    ws: Workspace
    portfolio: Portfolio
    references: dict[str, Reference | None] = field(default_factory=dict)
    manifests: dict[tuple[str, str], Manifest | None] = field(default_factory=dict)
    histograms: dict[str, Measured] = field(default_factory=dict)

    def reference(self, session: Session, name: str) -> Reference | None:
        """The reference of a version, by its name; None where nothing is left to make it from."""
        if name not in self.references:
            model = version(session, self.portfolio.name, name)
            self.references[name] = reference_of(self.ws, self.portfolio, model)
        return self.references[name]

    def manifest(self, dataset: str, key: str) -> Manifest | None:
        """A manifest, read once."""
        if (dataset, key) not in self.manifests:
            self.manifests[dataset, key] = self.ws.store.manifest(dataset, self.portfolio.name, key)
        return self.manifests[dataset, key]

    def wrote(self, manifest: Manifest) -> None:
        """A manifest that is new."""
        self.manifests[manifest.dataset, manifest.key] = manifest

    def of_model(self, dataset: str, keys: Iterable[str], sha256: str) -> list[Manifest]:
        """Manifests of some partitions that a model scored."""
        found = (self.manifest(dataset, key) for key in keys)
        return [m for m in found if m is not None and m.facts["model_sha256"] == sha256]

    def read(self, manifest: Manifest) -> Measured:
        """Histograms, read once."""
        name = f"{manifest.dataset}/{manifest.key}/{manifest.data_digest}"
        if name not in self.histograms:
            self.histograms[name] = measures.read(self.ws, manifest)
        return self.histograms[name]


def window_units(portfolio: Portfolio) -> int:
    """Days (of weekly partitions: weeks) of a whole window."""
    return max(1, portfolio.monitoring.window // max(portfolio.partitioning.length, _DAY))


def write_look(desk: Desk, key: str, reference: Reference, measured: Sequence[str], settled: Sequence[str]) -> bool:
    """Compare what was known at the end of a partition with the reference, and write it down.

    Parameters
    ----------
    measured, settled
        Keys of all measures and all outcomes, ascending.

    Returns
    -------
    bool
        Whether anything was written: the same inputs are not compared twice.
    """
    ws, portfolio, rule = desk.ws, desk.portfolio, desk.portfolio.monitoring
    partitioning, end = portfolio.partitioning, desk.portfolio.partitioning.end(key)
    delay = portfolio.labels.delay
    reach = max(2 * rule.window, delay + 2 * max(partitioning.length, _DAY))
    recent = [k for k in measured if k <= key and partitioning.end(k) > end - reach]
    scored = desk.of_model(MEASURES, recent, reference.model_sha256)
    whole = window_units(portfolio)
    days = sorted({unit_of(m.key) for m in scored if partitioning.end(m.key) > end - 2 * rule.window})[-whole:]
    window = [m for m in scored if unit_of(m.key) in days]
    oldest = end - delay - rule.cohorts
    due = [k for k in settled if partitioning.end(k) > oldest and measures.known_from(portfolio, k) <= end]
    cohorts = desk.of_model(OUTCOMES, due, reference.model_sha256)
    young = [m for m in scored if measures.known_from(portfolio, m.key) > end]
    used = {(m.dataset, m.key): m.as_input() for m in (*window, *young, *cohorts)}
    made_from = Input(dataset="monitoring_reference", key=reference.version, digest=reference.digest)
    inputs = tuple(sorted([*used.values(), made_from], key=lambda i: (i.dataset, i.key)))
    config = portfolio.digest_of("monitoring")
    current = desk.manifest(CHECKS, key)
    if current is not None and (current.inputs, current.config, current.code) == (inputs, config, __version__):
        return False
    found = look(
        rule,
        reference,
        [desk.read(m) for m in window],
        [desk.read(m) for m in cohorts],
        [desk.read(m) for m in young],
        units=whole,
    )
    facts = {
        "model_version": reference.version,
        "model_sha256": reference.model_sha256,
        "levels": levels_of(found),
        "window": _ends(window),
        "cohorts": _ends(cohorts),
        "estimated": _ends(young),
    }
    table = pa.Table.from_pylist([check.to_dict() for check in found], schema=_SCHEMA)
    desk.wrote(ws.store.write(CHECKS, portfolio.name, key, table, config=config, inputs=inputs, facts=facts))
    return True


def affected(
    portfolio: Portfolio, measured: Sequence[str], changed: Iterable[str], settled: Iterable[str]
) -> list[str]:
    """Keys whose look may have changed with these measures and outcomes."""
    rule, partitioning = portfolio.monitoring, portfolio.partitioning
    reach = max(2 * rule.window, portfolio.labels.delay + 2 * max(partitioning.length, _DAY))
    stretches: list[tuple[datetime, datetime]] = [
        (partitioning.end(key), partitioning.end(key) + reach) for key in changed
    ]
    for key in settled:
        begin = measures.known_from(portfolio, key)
        stretches.append((begin, begin + rule.cohorts))
    ends = {key: partitioning.end(key) for key in measured}
    return [key for key, end in ends.items() if any(first <= end <= last for first, last in stretches)]


def checks_of(ws: Workspace, portfolio: Portfolio, key: str) -> list[Check]:
    """What was seen at the end of a partition; nothing where nobody looked."""
    manifest = ws.store.manifest(CHECKS, portfolio.name, key)
    if manifest is None:
        return []
    return [Check(**row) for row in ws.store.read(manifest).to_pylist()]


def states(ws: Workspace, portfolio: Portfolio, *, until: str | None = None, desk: Desk | None = None) -> list[State]:
    """Status after each of the last partitions that were looked at, in the order of time.

    Parameters
    ----------
    until
        Key: later partitions have not happened yet.
    """
    desk = desk or Desk(ws, portfolio)
    keys = [key for key in ws.store.keys(CHECKS, portfolio.name) if until is None or key <= until][-REMEMBERED:]
    found = [manifest for key in keys if (manifest := desk.manifest(CHECKS, key)) is not None]
    looks = [Look(m.key, m.facts["model_version"], m.facts["levels"]) for m in found]
    return fold(looks, portfolio.monitoring.status)


def _ends(found: Sequence[Manifest]) -> list[str]:
    keys = sorted(m.key for m in found)
    return [keys[0], keys[-1]] if keys else []
