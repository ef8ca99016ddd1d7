"""Reads a month's partitions, one after the other, and counts them: the rows of one are held at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import numpy as np
import pandas as pd

from fraudops.labels import matured, reports
from fraudops.labels.known import DISPOSITIONS, arrivals, frauds_among
from fraudops.monthly.month import Month, partitions_of
from fraudops.portfolio import Portfolio
from fraudops.store import Manifest
from fraudops.workspace import Workspace

Name = TypeVar("Name", str, tuple[str, str, str])
ALLOW, REVIEW, BLOCK = "allow", "review", "block"
FRAUD, GENUINE, OPEN = "fraud", "genuine", "not matured"
"""What a transaction is known as. ``OPEN``: its label delay has not passed, whatever has been reported by then."""


@dataclass
class Sum:
    """How many transactions, and their amounts in minor units."""

    number: int = 0
    minor: int = 0

    def __iadd__(self, other: Sum) -> Sum:
        self.number += other.number
        self.minor += other.minor
        return self


@dataclass
class Day:
    """One partition, counted.

    Attributes
    ----------
    rows
        Currency → transactions.
    outcomes
        Currency, outcome (of :data:`FRAUD` …) and decision (empty where it was not scored) → transactions.
    early
        Currency → transactions that are reported as fraud already, though their delay has not passed.
    findings
        What investigators had found about its alerts by then → how many.
    version
        Model that scored it; None: nothing did.
    """

    key: str
    version: str | None = None
    rows: dict[str, Sum] = field(default_factory=dict)
    outcomes: dict[tuple[str, str, str], Sum] = field(default_factory=dict)
    early: dict[str, Sum] = field(default_factory=dict)
    findings: Counter[str] = field(default_factory=Counter)

    def total(self, *, outcome: str | None = None, decisions: Iterable[str] | None = None) -> Sum:
        """Transactions of all currencies; amounts of different ones are added up only where there is one."""
        wanted = None if decisions is None else set(decisions)
        found = Sum()
        for (_, known_as, decision), part in self.outcomes.items():
            if (outcome is None or known_as == outcome) and (wanted is None or decision in wanted):
                found += part
        return found


@dataclass(frozen=True)
class Days:
    """A month's partitions as of a moment.

    Attributes
    ----------
    expected
        Keys of all of them, whether or not they are there.
    days
        Those that are, in the order of time.
    missing
        Those that are not.
    frauds
        Transactions known as fraud then, matured or not.
    manifests
        What was read.
    """

    month: Month
    as_of: datetime
    expected: tuple[str, ...]
    days: tuple[Day, ...]
    frauds: frozenset[str]
    manifests: tuple[Manifest, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the partitions that are there."""
        return tuple(day.key for day in self.days)

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys of the partitions that are not there."""
        there = set(self.keys)
        return tuple(key for key in self.expected if key not in there)

    @property
    def versions(self) -> dict[str, list[str]]:
        """Model → the partitions that it scored."""
        found: dict[str, list[str]] = {}
        for day in self.days:
            if day.version is not None:
                found.setdefault(day.version, []).append(day.key)
        return found

    def added_up(self, keys: Iterable[str] | None = None) -> Day:
        """Some partitions (None: all of them) as one."""
        wanted = None if keys is None else set(keys)
        whole = Day("")
        for day in self.days:
            if wanted is None or day.key in wanted:
                _add(whole.rows, day.rows)
                _add(whole.outcomes, day.outcomes)
                _add(whole.early, day.early)
                whole.findings += day.findings
        return whole


def read_days(ws: Workspace, portfolio: Portfolio, month: Month, as_of: datetime) -> Days:
    """Count a month's partitions by what was known at a moment.

    Raises
    ------
    IntegrityError
        A partition's data was altered.
    """
    expected = partitions_of(portfolio, month)
    published = set(ws.store.keys("transactions", portfolio.name))
    keys = [key for key in expected if key in published]
    if not keys:
        return Days(month, as_of, tuple(expected), (), frozenset(), ())
    known = reports(ws, portfolio, as_of=as_of, first=keys[0], last=keys[-1])
    frauds = frozenset(frauds_among(known))
    findings = _findings(ws, portfolio, as_of, keys[0])
    manifests: list[Manifest] = []
    days = []
    for key in keys:
        rows, read = _rows(ws, portfolio, key)
        days.append(_count(portfolio, key, rows, known, frauds, findings, as_of, read[1] if read[1:] else None))
        manifests += read
    return Days(month, as_of, tuple(expected), tuple(days), frauds, tuple(manifests))


# -- inside -------------------------------------------------------------------------------------------


def _rows(ws: Workspace, portfolio: Portfolio, key: str) -> tuple[pd.DataFrame, list[Manifest]]:
    """Id, time, amount, currency and decision of each transaction of a partition, and the manifests they are from."""
    manifest = ws.store.require("transactions", portfolio.name, key)
    has_currency = portfolio.has_amount and portfolio.currency in portfolio.columns
    columns = ["transaction_id", "event_time", *(["amount_minor"] if portfolio.has_amount else [])]
    named = [portfolio.stored_name(portfolio.currency)] if has_currency else []
    rows = ws.store.read(manifest, [*columns, *named]).to_pandas()
    if not portfolio.has_amount:
        rows["currency"], rows["amount_minor"] = "", 0
    else:
        rows["currency"] = rows[named[0]].fillna("").astype(str) if named else portfolio.currency
    scores = ws.store.manifest("scores", portfolio.name, key)
    if scores is None:
        return rows.assign(decision=""), [manifest]
    decided = ws.store.read(scores, ["transaction_id", "decision"]).to_pandas().set_index("transaction_id")["decision"]
    rows["decision"] = decided.reindex(rows["transaction_id"]).fillna("").to_numpy()
    return rows, [manifest, scores]


def _count(
    portfolio: Portfolio,
    key: str,
    rows: pd.DataFrame,
    known: pd.DataFrame,
    frauds: frozenset[str],
    findings: Mapping[str, str],
    as_of: datetime,
    scores: Manifest | None,
) -> Day:
    label = matured(rows, known, delay=portfolio.labels.delay, as_of=as_of)
    is_due = (rows["event_time"] + portfolio.labels.delay <= pd.Timestamp(as_of)).to_numpy() & label.notna().to_numpy()
    is_fraud = label.fillna(False).to_numpy(dtype=bool)
    outcome = np.select([is_due & is_fraud, is_due], [FRAUD, GENUINE], OPEN)
    version = scores.facts["model_version"] if scores is not None else None
    day = Day(key, version)
    reported = ~is_due & rows["transaction_id"].isin(frauds).to_numpy()
    for part in _summed(rows.assign(outcome=outcome, early=reported)):
        currency, known_as, decision, is_early, number, minor = part
        _add(day.rows, {currency: Sum(number, minor)})
        _add(day.outcomes, {(currency, known_as, decision): Sum(number, minor)})
        if is_early:
            _add(day.early, {currency: Sum(number, minor)})
    alerted = rows.loc[rows["decision"].isin([REVIEW, BLOCK]), "transaction_id"]
    day.findings.update(findings[name] for name in alerted if name in findings)
    return day


def _summed(rows: pd.DataFrame) -> Iterator[tuple[str, str, str, bool, int, int]]:
    groups = rows.groupby(["currency", "outcome", "decision", "early"], sort=True)["amount_minor"]
    for row in groups.agg(["size", "sum"]).reset_index().to_dict("records"):
        names = str(row["currency"]), str(row["outcome"]), str(row["decision"])
        yield *names, bool(row["early"]), int(row["size"]), int(row["sum"])


def _findings(ws: Workspace, portfolio: Portfolio, as_of: datetime, first: str) -> dict[str, str]:
    """Transaction → what an investigator said last, by the moment."""
    found: dict[str, str] = {}
    for key in arrivals(ws, portfolio, DISPOSITIONS, as_of, first):
        table = ws.store.read_partition(DISPOSITIONS, portfolio.name, key, ["transaction_id", "finding", "reported_at"])
        for row in table.sort_by("reported_at").to_pylist():
            found[row["transaction_id"]] = row["finding"]
    return found


def _add(into: dict[Name, Sum], parts: Mapping[Name, Sum]) -> None:
    for name, part in parts.items():
        into.setdefault(name, Sum())
        into[name] += part
