"""Curves that a training run has stored, and what a threshold on them would do: plain numbers, no libraries."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fraudops.database import ModelVersion, Verdict
from fraudops.reports.curve_file import FILE, SCHEMA, SCHEMA_VERSION, UNSEEN
from sqlalchemy import select
from sqlalchemy.orm import Session

from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.verdicts import verdicts

TEST = "test"
"""As the slice is called; its room brings the libraries that train."""


@dataclass(frozen=True)
class Rows:
    """Held-out transactions that curves were measured on; money in minor units, None where there is none."""

    first: str | None
    last: str | None
    n: int
    positives: int
    days: float
    budget: int
    fraud_minor: int | None = None
    cost_allowing_minor: int | None = None
    cost_blocking_minor: int | None = None

    @property
    def without_minor(self) -> int | None:
        """What doing without a model costs: the cheaper of allowing all and blocking all."""
        if self.cost_allowing_minor is None or self.cost_blocking_minor is None:
            return None
        return min(self.cost_allowing_minor, self.cost_blocking_minor)

    @property
    def budget_a_day(self) -> float:
        """Alerts a day that the policy pays for."""
        return self.budget / self.days if self.days else float(self.budget)


@dataclass(frozen=True)
class Operating:
    """What a threshold would do with some rows."""

    threshold: float | None
    """None: nothing scores so much."""
    flagged: int
    caught: int
    alerts_a_day: float
    precision: float | None
    recall: float | None
    cost_minor: int | None
    saved_minor: int | None
    """Beside doing without a model."""
    missed_minor: int | None
    """Amount of the frauds below the threshold."""


@dataclass(frozen=True)
class Curve:
    """One version on some rows."""

    version: str
    candidate: str
    rows: Rows
    average_precision: float | None
    roc_auc: float | None
    review: float
    block: float | None
    review_value_minor: float | None
    decided: dict[str, Any]
    calibration: Sequence[dict[str, Any]]
    threshold: Sequence[float]
    flagged: Sequence[int]
    caught: Sequence[int]
    caught_minor: Sequence[int] | None
    cost_minor: Sequence[int] | None

    @property
    def name(self) -> str:
        """Such as ``v3 (lightgbm)``."""
        return f"{self.version} ({self.candidate})"

    def at_score(self, score: float) -> Operating:
        """With this review threshold."""
        return self._at(bisect_right(self.threshold, -score, key=lambda item: -item) - 1)

    def at_alerts(self, alerts_a_day: float) -> Operating:
        """With the threshold that gives at most so many alerts a day."""
        return self._at(bisect_right(self.flagged, alerts_a_day * self.rows.days + 1e-9) - 1)

    def as_decided(self) -> Operating:
        """With the version's own thresholds, its block threshold and amounts included."""
        of = self.decided
        return self._operating(self.review, of["flagged"], of["caught"], of["caught_minor"], of["cost_minor"])

    def _at(self, place: int) -> Operating:
        if place < 0:
            allowed = None if self.cost_minor is None else self.rows.cost_allowing_minor
            return self._operating(None, 0, 0, None if self.caught_minor is None else 0, allowed)
        value, cost = ((column[place] if column else None) for column in (self.caught_minor, self.cost_minor))
        return self._operating(self.threshold[place], self.flagged[place], self.caught[place], value, cost)

    def _operating(
        self, threshold: float | None, flagged: int, caught: int, value: int | None, cost: int | None
    ) -> Operating:
        rows = self.rows
        without, fraud = rows.without_minor, rows.fraud_minor
        return Operating(
            threshold=threshold,
            flagged=flagged,
            caught=caught,
            alerts_a_day=flagged / rows.days if rows.days else float(flagged),
            precision=caught / flagged if flagged else None,
            recall=caught / rows.positives if rows.positives else None,
            cost_minor=cost,
            saved_minor=None if cost is None or without is None else without - cost,
            missed_minor=None if value is None or fraud is None else fraud - value,
        )


@dataclass(frozen=True)
class CurveFile:
    """What one run has stored."""

    run_id: str
    currency: str
    minor_digits: int
    costs: dict[str, float] | None
    challenger: str
    champion: str | None
    curves: tuple[tuple[str, Curve], ...]
    """Which rows, and the curve."""

    def curve(self, version: str, rows: str = TEST) -> Curve | None:
        """A version's curve on the test slice, or on what the champion has not seen."""
        return next((curve for on, curve in self.curves if on == rows and curve.version == version), None)


@dataclass(frozen=True)
class Pair:
    """Two versions, as far as they can be laid side by side."""

    first: Curve
    second: Curve
    file: CurveFile
    same_rows: bool
    """Both were measured on the same transactions, so that their difference means something."""


def read_curves(archive: Archive, portfolio: str, run_id: str) -> CurveFile | None:
    """What a run has stored; None for runs from before there were curves, and where the report was not written."""
    found = archive.json("reports", portfolio, run_id, FILE)
    if found.get("schema") != SCHEMA or found.get("schema_version") != SCHEMA_VERSION:
        return None
    rows = {name: Rows(**given) for name, given in found["rows"].items()}
    return CurveFile(
        run_id=found["run_id"],
        currency=found["currency"],
        minor_digits=found["minor_digits"],
        costs=found["costs"],
        challenger=found["challenger"],
        champion=found["champion"],
        curves=tuple((given["rows"], _curve(given, rows[given["rows"]])) for given in found["curves"]),
    )


def pair(archive: Archive, session: Session, first: ModelVersion, second: ModelVersion) -> Pair | None:
    """Two versions on the same rows where there are such; else each on its own; None where one left no curves."""
    for run_id, rows in _common(session, first, second):
        file = read_curves(archive, first.portfolio, run_id)
        both = [file.curve(model.version, rows) for model in (first, second)] if file else [None]
        if file is not None and all(both):
            return Pair(both[0], both[1], file, same_rows=True)  # type: ignore[arg-type]
    files = [read_curves(archive, model.portfolio, model.run_id) for model in (first, second)]
    alone = [file.curve(model.version) if file else None for file, model in zip(files, (first, second), strict=True)]
    if files[1] is None or alone[0] is None or alone[1] is None:
        return None
    return Pair(alone[0], alone[1], files[1], same_rows=False)


def verdict_between(session: Session, first: ModelVersion, second: ModelVersion) -> Verdict | None:
    """The newest verdict that compared the two, whichever of them was the champion."""
    one, other = first.id, second.id
    return session.scalar(
        verdicts()
        .where(
            ((Verdict.challenger_id == other) & (Verdict.champion_id == one))
            | ((Verdict.challenger_id == one) & (Verdict.champion_id == other))
        )
        .order_by(Verdict.id.desc())
        .limit(1)
    )


# -- inside ---------------------------------------------------------------------------------------------


def _common(session: Session, first: ModelVersion, second: ModelVersion) -> list[tuple[str, str]]:
    """Runs whose file may hold both on the same rows, and which rows those are."""
    if first.run_id == second.run_id:
        return [(first.run_id, TEST)]
    pairs = ((first, second), (second, first))
    compared = [
        session.scalar(
            select(Verdict.run_id)
            .where(
                Verdict.challenger_id == challenger.id, Verdict.champion_id == champion.id, Verdict.kind == "training"
            )
            .limit(1)
        )
        for champion, challenger in pairs
    ]
    return [(run_id, UNSEEN) for run_id in compared if run_id]


def _curve(given: dict[str, Any], rows: Rows) -> Curve:
    table, thresholds = given["table"], given["thresholds"]
    return Curve(
        version=given["version"],
        candidate=given["candidate"],
        rows=rows,
        average_precision=given["average_precision"],
        roc_auc=given["roc_auc"],
        review=thresholds["review"],
        block=thresholds["block"],
        review_value_minor=thresholds["review_value_minor"],
        decided=given["decided"],
        calibration=given["calibration"],
        **{name: table[name] for name in ("threshold", "flagged", "caught", "caught_minor", "cost_minor")},
    )
