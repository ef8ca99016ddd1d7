"""Measures of single partitions, written once: what came in (``monitoring``), what it turned out to be (``outcomes``).

Both are histograms and sums, so that those of any days are added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from fraudops import __version__
from fraudops.evaluation.costs import ALLOW
from fraudops.evaluation.metrics import alert_budget
from fraudops.features import model_frame
from fraudops.labels import matured, reports
from fraudops.labels.selective import label_weights
from fraudops.monitoring import MEASURES, OUTCOMES
from fraudops.monitoring.bins import LADDER, MISSING, padded
from fraudops.monitoring.performance import SUMS, Expectations, Outcomes, on_ladder, sums_of, within_budget
from fraudops.monitoring.reference import Panel, Reference, unit_of
from fraudops.portfolio import Portfolio
from fraudops.store import Input, Manifest
from fraudops.workspace import Workspace

FEATURE, SCORE, LADDER_ROWS, LADDER_EXPECTED = "feature", "score", "ladder", "ladder_expected"
FRAUD, LADDER_FRAUD, LADDER_GENUINE = "fraud", "ladder_fraud", "ladder_genuine"
_SECTIONS = ("columns", "policy", "labels", "partition_hours")
_MOST_NAMED = 5
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Measured:
    """A measured partition: its manifest, and the cells of its histograms.

    Attributes
    ----------
    cells
        (kind, column) → bins and counts, two arrays of one length.
    """

    manifest: Manifest
    cells: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]

    @property
    def key(self) -> str:
        """The partition."""
        return self.manifest.key

    @property
    def facts(self) -> dict[str, Any]:
        """Counts and sums."""
        return self.manifest.facts

    def dense(self, kind: str, column: str, length: int) -> np.ndarray:
        """One histogram, shape (length,)."""
        found = np.zeros(length)
        bins, counts = self.cells.get((kind, column), (np.zeros(0, dtype=np.int64), np.zeros(0)))
        np.add.at(found, bins, counts)
        return found


def measure(ws: Workspace, portfolio: Portfolio, scores: Manifest, reference: Reference) -> tuple[Manifest, bool]:
    """Count a scored partition with the bins of the model that scored it.

    Returns
    -------
    (Manifest, bool)
        And whether it was written now.
    """
    key = scores.key
    inputs = [ws.store.require(d, portfolio.name, key).as_input() for d in ("transactions", "features")]
    inputs += [scores.as_input(), _as_input(reference)]
    config = portfolio.digest_of(*_SECTIONS)
    if (found := _current(ws, MEASURES, portfolio, key, inputs, config)) is not None:
        return found, False
    frame = model_frame(ws, portfolio, [key])
    table = ws.store.read(scores)
    score = table["score"].to_numpy()
    decision = np.asarray(table["decision"].to_pylist(), dtype=object)
    budget = _budget(portfolio, len(score))
    counted = [(b, b.counted(frame[b.name])) for b in reference.features.bins]
    cells = [(FEATURE, b.name, c) for b, c in counted]
    (score_bins,) = reference.score.bins
    cells.append((SCORE, SCORE, score_bins.counted(frame.assign(score=score)["score"])))
    cells.append((LADDER_ROWS, SCORE, on_ladder(score)))
    cells.append((LADDER_EXPECTED, SCORE, on_ladder(score, score)))
    facts = {
        **_model(scores),
        "rows": len(score),
        "alerts": int((decision != ALLOW).sum()),
        "decisions": dict(scores.facts["counts"]),
        "budget": budget,
        "within_budget": float(score[within_budget(score, budget)].sum()),
        "missing": {b.name: float(c[MISSING]) for b, c in counted if c[MISSING]},
        "new": {
            b.name: _new_values(frame[b.name].dropna().astype(str), b.codes(frame[b.name].dropna()) == b.new)
            for b, c in counted
            if b.new is not None and c[b.new]
        },
    }
    return ws.store.write(MEASURES, portfolio.name, key, _table(cells), config=config, inputs=inputs, facts=facts), True


def known_from(portfolio: Portfolio, key: str) -> datetime:
    """Moment from which a partition's labels are known: the end of the partition in which the last one is due."""
    partitioning = portfolio.partitioning
    due = partitioning.end(key) + portfolio.labels.delay
    return partitioning.end(partitioning.key_of(due - _TICK))


def settle(ws: Workspace, portfolio: Portfolio, scores: Manifest, reference: Reference) -> tuple[Manifest, bool]:
    """Write down what a scored partition turned out to be, by the labels that were known when they were due.

    What is reported later changes nothing here, whenever this is run.

    Returns
    -------
    (Manifest, bool)
        And whether it was written now.
    """
    key, as_of = scores.key, known_from(portfolio, scores.key)
    inputs = [ws.store.require(d, portfolio.name, key).as_input() for d in ("transactions", "features")]
    inputs += [scores.as_input(), _as_input(reference)]
    for feed in portfolio.labels.datasets:
        arrived = _arrived(portfolio, ws.store.keys(feed, portfolio.name), key)
        inputs += [ws.store.require(feed, portfolio.name, k).as_input() for k in arrived]
    config = portfolio.digest_of(*_SECTIONS)
    if (found := _current(ws, OUTCOMES, portfolio, key, inputs, config)) is not None:
        return found, False
    frame = model_frame(ws, portfolio, [key])
    table = ws.store.read(scores)
    known = reports(ws, portfolio, as_of=as_of, first=key, last=key)
    label = matured(frame, known, delay=portfolio.labels.delay, as_of=as_of)
    weight = label_weights(ws, portfolio, frame, known, [key])
    usable = label.notna().to_numpy() & (weight > 0)
    truth = label.fillna(False).to_numpy(dtype=bool)[usable]
    score, weight = table["score"].to_numpy()[usable], weight[usable]
    alerted = np.asarray(table["decision"].to_pylist(), dtype=object)[usable] != ALLOW
    frauds = frame[usable][truth]
    cells = [(FRAUD, b.name, b.counted(frauds[b.name], weight[truth])) for b in reference.frauds.bins]
    cells.append((LADDER_FRAUD, SCORE, on_ladder(score, weight * truth)))
    cells.append((LADDER_GENUINE, SCORE, on_ladder(score, weight * ~truth)))
    sums = sums_of(score, truth, alerted, _budget(portfolio, len(frame)), weight)
    facts = {
        **_model(scores),
        "as_of": as_of.isoformat(),
        "sums": dict(zip(SUMS, sums.tolist(), strict=True)),
        "unknown": int((~usable).sum()),
    }
    return ws.store.write(OUTCOMES, portfolio.name, key, _table(cells), config=config, inputs=inputs, facts=facts), True


def unsettled(ws: Workspace, portfolio: Portfolio, keys: Iterable[str]) -> list[str]:
    """Partitions whose outcomes were written from other labels than there are now: late or corrected ones."""
    feeds = portfolio.labels.datasets
    if not feeds:
        return []
    there = {feed: ws.store.keys(feed, portfolio.name) for feed in feeds}
    now = {(feed, k): ws.store.require(feed, portfolio.name, k).as_input() for feed in feeds for k in there[feed]}
    found = []
    for key in keys:
        manifest = ws.store.manifest(OUTCOMES, portfolio.name, key)
        labels = {now[feed, k] for feed in feeds for k in _arrived(portfolio, there[feed], key)}
        if manifest is not None and {i for i in manifest.inputs if i.dataset in feeds} != labels:
            found.append(key)
    return found


def read(ws: Workspace, manifest: Manifest) -> Measured:
    """The histograms that a manifest names."""
    table = ws.store.read(manifest)
    kinds, columns = table["kind"].to_pylist(), table["column"].to_pylist()
    bins, counts = table["bin"].to_numpy(), table["count"].to_numpy()
    cells: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
    begin = 0
    for place in range(1, len(kinds) + 1):
        if place == len(kinds) or (kinds[place], columns[place]) != (kinds[begin], columns[begin]):
            cells[kinds[begin], columns[begin]] = (bins[begin:place], counts[begin:place])
            begin = place
    return Measured(manifest, cells)


def units_of(found: Iterable[Measured]) -> list[str]:
    """Days that some partitions start in, ascending."""
    return sorted({unit_of(item.key) for item in found})


def added_up(found: Sequence[Measured], panel: Panel, kind: str) -> np.ndarray:
    """Histograms of a panel's columns over some partitions, shape (columns, longest)."""
    rows = [sum((item.dense(kind, b.name, b.count) for item in found), np.zeros(b.count)) for b in panel.bins]
    counts, _ = padded(rows)
    return np.pad(counts, [(0, 0), (0, panel.counts.shape[-1] - counts.shape[-1])])


def outcomes_of(found: Sequence[Measured]) -> Outcomes:
    """Matured partitions, day by day."""
    units = units_of(found)
    place = {unit: number for number, unit in enumerate(units)}
    sums = np.zeros((len(units), len(SUMS)))
    fraud, genuine = np.zeros((len(units), LADDER)), np.zeros((len(units), LADDER))
    for item in found:
        row = place[unit_of(item.key)]
        sums[row] += [item.facts["sums"][name] for name in SUMS]
        fraud[row] += item.dense(LADDER_FRAUD, SCORE, LADDER)
        genuine[row] += item.dense(LADDER_GENUINE, SCORE, LADDER)
    return Outcomes(tuple(units), sums, fraud, genuine)


def expectations_of(found: Sequence[Measured]) -> Expectations:
    """Partitions of which only the scores are known, day by day."""
    units = units_of(found)
    place = {unit: number for number, unit in enumerate(units)}
    rows, expected = np.zeros((len(units), LADDER)), np.zeros((len(units), LADDER))
    budget, inside = np.zeros(len(units)), np.zeros(len(units))
    for item in found:
        row = place[unit_of(item.key)]
        rows[row] += item.dense(LADDER_ROWS, SCORE, LADDER)
        expected[row] += item.dense(LADDER_EXPECTED, SCORE, LADDER)
        budget[row] += item.facts["budget"]
        inside[row] += item.facts["within_budget"]
    return Expectations(tuple(units), rows, expected, budget, inside)


# -- inside -------------------------------------------------------------------------------------------


def _as_input(reference: Reference) -> Input:
    return Input(dataset="monitoring_reference", key=reference.version, digest=reference.digest)


def _current(
    ws: Workspace, dataset: str, portfolio: Portfolio, key: str, inputs: Sequence[Input], config: str
) -> Manifest | None:
    found = ws.store.manifest(dataset, portfolio.name, key)
    made_from = tuple(sorted(inputs, key=lambda i: (i.dataset, i.key)))
    if found is None or (found.inputs, found.config, found.code) != (made_from, config, __version__):
        return None
    return found


def _arrived(portfolio: Portfolio, keys: Iterable[str], key: str) -> list[str]:
    """Partitions of labels that tell of a partition and were there when its labels were due."""
    as_of = known_from(portfolio, key)
    return [k for k in keys if k >= key and portfolio.partitioning.end(k) <= as_of]


def _budget(portfolio: Portfolio, rows: int) -> int:
    return alert_budget(portfolio.policy.alerts_per_day, portfolio.partition_hours / 24, rows)


def _model(scores: Manifest) -> dict[str, Any]:
    return {name: scores.facts[name] for name in ("model_version", "model_sha256")}


def _new_values(values: Any, is_new: np.ndarray) -> dict[str, Any]:
    """How many, and the commonest of them by name (a category is no personal value)."""
    counts = values[is_new].value_counts()
    named = sorted(counts.index, key=lambda value: (-int(counts[value]), value))[:_MOST_NAMED]
    return {"rows": int(counts.sum()), "values": [value[:60] for value in named]}


def _table(cells: list[tuple[str, str, np.ndarray]]) -> pa.Table:
    kinds, columns, bins, counts = [], [], [], []
    for kind, column, histogram in cells:
        for place in np.flatnonzero(histogram):
            kinds.append(kind)
            columns.append(column)
            bins.append(int(place))
            counts.append(float(histogram[place]))
    return pa.table(
        {
            "kind": pa.array(kinds, pa.string()),
            "column": pa.array(columns, pa.string()),
            "bin": pa.array(bins, pa.int32()),
            "count": pa.array(counts, pa.float64()),
        }
    )
