"""The report page of a training run: the verdict, what it rests on, and what it does not say.

One HTML file with everything in it, so that it can be mailed, archived and printed; its figures and numbers also
lie beside it. It holds no wall-clock time: the same run gives the same bytes.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from fraudops.database import ModelVersion, Verdict
from fraudops.portfolio import Portfolio, format_duration
from fraudops.registry.comparison import verdict_of
from fraudops.registry.gate_lines import gate_lines
from fraudops.registry.versions import of_run
from fraudops.reports.curves import write_curves
from fraudops.reports.figures import Figure, draw
from fraudops.reports.rendering import render
from fraudops.training import dataset
from fraudops.training.dataset_summary import DatasetSummary
from fraudops.training.splits import SLICES, TEST, VALIDATION
from fraudops.workspace import Workspace

PAGE = "index.html"


@dataclass(frozen=True)
class CandidateLine:
    """One candidate, measured on both held-out slices."""

    name: str
    version: str
    description: str
    sha256: str
    is_challenger: bool
    is_baseline: bool
    test: dict[str, Any]
    """The registered numbers, as ``fraudops.evaluation.metrics.Metrics.to_dict`` names them."""
    validation: dict[str, Any]
    review_value: float | None = None
    """Expected loss, minor units, from which it has a transaction reviewed; None where the score decides."""

    @property
    def title(self) -> str:
        """Such as ``v3 (lightgbm)``."""
        return f"{self.version} ({self.name})"


@dataclass(frozen=True)
class SliceLine:
    """One slice of the data set, in words for the page."""

    name: str
    purpose: str
    rows: int
    positives: int
    first: str | None
    last: str | None
    partitions: str

    @property
    def rate(self) -> float | None:
        """Share of frauds."""
        return self.positives / self.rows if self.rows else None


@dataclass(frozen=True)
class TrainingReport:
    """Everything the page shows."""

    portfolio: Portfolio
    verdict: Verdict
    data: DatasetSummary
    slices: list[SliceLine]
    candidates: list[CandidateLine]
    """The challenger first, then by average precision on the validation slice."""
    lineage: dict[str, Any]
    parameters: dict[str, Any]
    importance: list[dict[str, Any]]
    """Columns of the challenger: loss of average precision when one is shuffled, the largest first."""

    @property
    def challenger(self) -> CandidateLine:
        """The candidate that the verdict is about."""
        return self.candidates[0]

    def slice(self, name: str) -> SliceLine:
        """One slice by its name."""
        return next(line for line in self.slices if line.name == name)


def write_training_report(ws: Workspace, portfolio: Portfolio, *, run_id: str) -> str:
    """Write a run's page, figures, ``metrics.json`` and ``curves.json``; the page last.

    Returns
    -------
    str
        Path of the page in the store, below its root.

    Raises
    ------
    ContractError
        The run has no verdict, or no data set.
    IntegrityError
        Its data set, its predictions, or the champion's artifact are not what was written.
    """
    with ws.transaction() as session:
        verdict = verdict_of(session, portfolio, run_id)
        models = of_run(session, portfolio.name, run_id)
    data = dataset.load(ws, portfolio, run_id)
    report = _collect(portfolio, verdict, models, data)
    by_name = {model.candidate: model for model in models}
    figures = draw(ws, portfolio, [by_name[line.name] for line in report.candidates])
    for figure in figures:
        ws.store.put(figure.png, "reports", portfolio.name, run_id, figure.file)
    ws.store.put(_metrics_json(report, figures), "reports", portfolio.name, run_id, "metrics.json")
    write_curves(ws, portfolio, verdict, models, data)
    page = ws.store.put(_page(report, figures), "reports", portfolio.name, run_id, PAGE)
    path = page.relative_to(ws.store.root).as_posix()
    with ws.transaction() as session:
        found = verdict_of(session, portfolio, run_id)
        if found.report != path:
            found.report = path
    return path


# -- collecting ---------------------------------------------------------------------------------------


def _collect(
    portfolio: Portfolio,
    verdict: Verdict,
    models: list[ModelVersion],
    data: dataset.Dataset,
) -> TrainingReport:
    lines = [_candidate(portfolio, model, verdict) for model in models]
    lines.sort(key=lambda line: (not line.is_challenger, -(line.validation["average_precision"] or 0.0), line.name))
    return TrainingReport(
        portfolio=portfolio,
        verdict=verdict,
        data=data.summary,
        slices=_slices(data, portfolio),
        candidates=lines,
        lineage=_flat(verdict.challenger.lineage),
        parameters=_flat(verdict.challenger.metrics.get("model", {}).get("parameters", {})),
        importance=verdict.challenger.metrics.get("importance", []),
    )


def _candidate(portfolio: Portfolio, model: ModelVersion, verdict: Verdict) -> CandidateLine:
    specification = portfolio.training.candidates.get(model.candidate)
    beside = (VALIDATION, "importance", "model")
    return CandidateLine(
        name=model.candidate,
        version=model.version,
        description=specification.description if specification else "",
        sha256=model.artifact_sha256,
        is_challenger=model.id == verdict.challenger_id,
        is_baseline=model.candidate == portfolio.training.baseline,
        test={name: value for name, value in model.metrics.items() if name not in beside},
        validation=model.metrics[VALIDATION],
        review_value=model.thresholds.get("review_value"),
    )


_PURPOSE = {
    "train": "the model and its preprocessing are fitted on it",
    "gap": "left out: its labels would not have been known yet",
    "validation": "the candidate is chosen, its scores calibrated, its thresholds set",
    "test": "the gates; nothing was fitted or chosen on it",
}


def _slices(data: dataset.Dataset, portfolio: Portfolio) -> list[SliceLine]:
    lines = []
    for name in SLICES:
        held, keys = data.summary.slices[name], data.rows_of(name)["partition_key"]
        lines.append(
            SliceLine(
                name=name,
                purpose=_PURPOSE[name].replace("yet", f"yet ({format_duration(data.summary.delay)})"),
                rows=held.rows,
                positives=held.positives,
                first=held.first,
                last=held.last,
                partitions=f"{keys.min()} to {keys.max()}" if len(keys) else "",
            )
        )
    return lines


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values under dotted names, sorted."""
    found: dict[str, Any] = {}
    for name, item in sorted(value.items()):
        if isinstance(item, dict):
            found |= _flat(item, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = ", ".join(map(str, item)) if isinstance(item, list) else item
    return found


# -- writing ------------------------------------------------------------------------------------------


def _page(report: TrainingReport, figures: list[Figure]) -> bytes:
    pictures = [(figure, base64.b64encode(figure.png).decode()) for figure in figures]
    return render("training.html", report=report, pictures=pictures, **_words(report)).encode()


def _words(report: TrainingReport) -> dict[str, Any]:
    """What the page says in words: sentences that more than one place of it needs, and the gates."""
    test = report.slice(TEST)
    champion = report.verdict.champion
    return {
        "gates": gate_lines(report.verdict.gates),
        "on_test": f"{report.challenger.title} on the test slice, partitions {test.partitions}",
        "against": f"{champion.version} ({champion.candidate})" if champion else None,
        "delay": format_duration(report.data.delay),
        "window": format_duration(report.data.window),
    }


def _metrics_json(report: TrainingReport, figures: list[Figure]) -> bytes:
    verdict, data = report.verdict, report.data
    content = {
        "portfolio": report.portfolio.name,
        "run_id": verdict.run_id,
        "as_of": data.as_of.isoformat(),
        "verdict": {
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "challenger": verdict.challenger.version,
            "champion": verdict.champion.version if verdict.champion else None,
            "gates": verdict.gates,
        },
        "candidates": {
            line.name: {
                "version": line.version,
                "artifact_sha256": line.sha256,
                VALIDATION: line.validation,
                TEST: line.test,
            }
            for line in report.candidates
        },
        "importance": report.importance,
        "data": data.to_dict(),
        "partitions": {line.name: line.partitions for line in report.slices},
        "figures": {figure.file: figure.title for figure in figures},
    }
    text = json.dumps(content, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()
