"""The curves of a training run as numbers: one small file beside its report, which the pages draw and slide on.

Two models can be laid side by side only where both have scored the same transactions. So the file holds every
version of the run on the test slice, and the challenger with the champion on the part of it that neither has seen:
the very rows of the verdict.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fraudops.database import ModelVersion, Verdict
from fraudops.evaluation.costs import ALLOW, BLOCK, CostModel, RowCosts
from fraudops.evaluation.curve_table import CurveTable
from fraudops.evaluation.metrics import alert_budget, reliability
from fraudops.evaluation.ranking import average_precision, roc_auc
from fraudops.portfolio import Portfolio
from fraudops.registry.comparison import read_predictions, rows_of
from fraudops.registry.versions import load
from fraudops.reports.curve_file import FILE, SCHEMA, SCHEMA_VERSION, UNSEEN
from fraudops.training.dataset import Dataset
from fraudops.training.money import cost_model
from fraudops.training.splits import TEST
from fraudops.training.thresholds import Thresholds
from fraudops.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd


def write_curves(
    ws: Workspace, portfolio: Portfolio, verdict: Verdict, models: Sequence[ModelVersion], data: Dataset
) -> dict[str, Any]:
    """Write ``curves.json`` of a run; the same run gives the same bytes.

    Parameters
    ----------
    verdict
        The run's, its challenger and champion loaded.
    models
        Every version of the run.

    Raises
    ------
    IntegrityError
        Predictions, or the champion's artifact, are not what was written.
    """
    found = _Curves(ws, portfolio, verdict, models, data).to_dict()
    text = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    ws.store.put(f"{text}\n".encode(), "reports", portfolio.name, verdict.run_id, FILE)
    return found


# -- inside -------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Curves:
    ws: Workspace
    portfolio: Portfolio
    verdict: Verdict
    models: Sequence[ModelVersion]
    data: Dataset

    def to_dict(self) -> dict[str, Any]:
        champion = self.verdict.champion
        on_test = {model.id: rows_of(read_predictions(self.ws, model), TEST) for model in self.models}
        challenged = on_test[self.verdict.challenger_id]
        rows = {TEST: self._rows(challenged)}
        curves = [self._curve(model, TEST, on_test[model.id]) for model in self.models]
        if champion is not None:
            unseen = (challenged["event_time"] >= champion.trained_until).to_numpy()
            theirs = self._of_champion(champion, unseen)
            if theirs is not None:
                ours = challenged[unseen].reset_index(drop=True)
                rows[UNSEEN] = self._rows(ours)
                curves.append(self._curve(self.verdict.challenger, UNSEEN, ours))
                curves.append(self._curve(champion, UNSEEN, theirs))
        costs = self._costs
        return {
            "schema": SCHEMA,
            "schema_version": SCHEMA_VERSION,
            "portfolio": self.portfolio.name,
            "run_id": self.verdict.run_id,
            "challenger": self.verdict.challenger.version,
            "champion": champion.version if champion else None,
            "minor_digits": self.portfolio.minor_digits,
            # Where each row names its own currency a sum has none.
            "currency": "" if self.portfolio.currency in self.portfolio.columns else self.portfolio.currency,
            "costs": asdict(costs) if costs else None,
            "rows": rows,
            "curves": curves,
        }

    @property
    def _costs(self) -> CostModel | None:
        return cost_model(self.portfolio)

    def _of_champion(self, champion: ModelVersion, unseen: np.ndarray) -> pd.DataFrame | None:
        """The champion's scores of what it has not seen; None where there is nothing, or it lacks a column."""
        frame = self.data.rows_of(TEST)[unseen].reset_index(drop=True)
        if frame.empty:
            return None
        model = load(self.ws, champion)
        if any(name not in frame.columns for name in model.columns.all):
            return None
        return frame.assign(score=model.score(frame))

    def _rows(self, frame: pd.DataFrame) -> dict[str, Any]:
        """What the curves of some rows have in common: what they are, and what doing without a model costs."""
        keys, days = frame["partition_key"], self._days(frame)
        found: dict[str, Any] = {
            "first": str(keys.min()) if len(frame) else None,
            "last": str(keys.max()) if len(frame) else None,
            "n": len(frame),
            "positives": int(frame["label"].sum()),
            "days": days,
            "budget": alert_budget(self.portfolio.policy.alerts_per_day, days, len(frame)),
        }
        amount, costs = self._amounts(frame), self._costs
        if amount is None:
            return found
        label = frame["label"].to_numpy(dtype=bool)
        found["fraud_minor"] = int(np.maximum(amount[label], 0).sum())
        if costs is not None:
            plain = RowCosts.of(label, np.full(len(frame), ALLOW, dtype=object), amount, costs)
            found["cost_allowing_minor"] = round(float(plain.allowing.sum()))
            found["cost_blocking_minor"] = round(float(plain.blocking.sum()))
        return found

    def _days(self, frame: pd.DataFrame) -> float:
        """The time of some rows of the test slice, by their share of it: as the alert budget is reckoned."""
        whole = self.data.summary.slices[TEST]
        return whole.days * len(frame) / whole.rows if whole.rows else 0.0

    def _curve(self, model: ModelVersion, rows: str, frame: pd.DataFrame) -> dict[str, Any]:
        label, score = frame["label"].to_numpy(dtype=bool), frame["score"].to_numpy(dtype=np.float64)
        amount, thresholds = self._amounts(frame), Thresholds.read(model.thresholds)
        table = CurveTable.of(
            label, score, amount, self._costs, block=thresholds.block, keep=[thresholds.review] if len(frame) else []
        )
        return {
            "version": model.version,
            "candidate": model.candidate,
            "sha256": model.artifact_sha256,
            "rows": rows,
            "average_precision": average_precision(label, score),
            "roc_auc": roc_auc(label, score),
            "thresholds": {
                "review": thresholds.review,
                "block": thresholds.block,
                "review_value_minor": thresholds.review_value,
            },
            "decided": self._decided(label, thresholds.decide(score, amount), amount),
            "calibration": [asdict(found) for found in reliability(label, score)],
            "table": table.to_dict(),
        }

    def _decided(self, label: np.ndarray, decision: np.ndarray, amount: np.ndarray | None) -> dict[str, Any]:
        """What the version's own thresholds did with the rows."""
        flagged, blocked = decision != ALLOW, decision == BLOCK
        costs = self._costs
        return {
            "flagged": int(flagged.sum()),
            "caught": int((flagged & label).sum()),
            "blocked": int(blocked.sum()),
            "blocked_genuine": int((blocked & ~label).sum()),
            "caught_minor": None if amount is None else int(np.maximum(amount[flagged & label], 0).sum()),
            "cost_minor": None
            if amount is None or costs is None
            else round(float(RowCosts.of(label, decision, amount, costs).cost()[0])),
        }

    def _amounts(self, frame: pd.DataFrame) -> np.ndarray | None:
        return frame["amount_minor"].to_numpy() if self.portfolio.has_amount else None
