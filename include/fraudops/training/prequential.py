"""Evaluation over several test windows: at the start of each a model is trained on what was known then.

One split says how good a model was in one week. Several say how good it is from week to week, and how much that
varies. Nothing is chosen here: a window's rows are measured once, by a model that has never seen them, and whose
thresholds were set on rows before them.

References
----------
Le Borgne, Siblini, Lebichot and Bontempi, Reproducible Machine Learning for Credit Card Fraud Detection, chapter 5,
"Prequential validation".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fraudops.errors import ContractError
from fraudops.evaluation.cards import CardPrecision, card_precision
from fraudops.evaluation.metrics import Metrics, evaluate
from fraudops.features import model_columns
from fraudops.portfolio import Portfolio
from fraudops.training.estimators import EstimatorUnavailableError
from fraudops.training.model import FraudModel, fit_model, refit_model
from fraudops.training.money import cost_model
from fraudops.training.splits import GAP, TRAIN, split_by_time
from fraudops.training.windows import History, Window, card_column, days_since_1970, partitions_of

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

FEWEST_POSITIVES = 5
"""Frauds without which nothing can be learned, or calibrated."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class WindowResult:
    """One candidate in one window.

    Attributes
    ----------
    learned, learned_positives
        Rows whose labels were known at the window's start, and frauds among them.
    left_out
        Rows of cards that were known to be compromised; not measured.
    metrics
        On the remaining rows.
    cards
        Precision among the most suspicious cards; None where the portfolio names no entity.
    alerts_per_day
        What the review threshold, set before the window, raised.
    """

    candidate: str
    window: Window
    seed: int
    learned: int
    learned_positives: int
    left_out: int
    metrics: Metrics
    cards: CardPrecision | None
    alerts_per_day: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "candidate": self.candidate,
            "start": self.window.start.isoformat(),
            "end": self.window.end.isoformat(),
            "seed": self.seed,
            "learned": self.learned,
            "learned_positives": self.learned_positives,
            "left_out": self.left_out,
            "alerts_per_day": self.alerts_per_day,
            "metrics": self.metrics.to_dict(),
            "cards": None if self.cards is None else self.cards.to_dict(),
        }


@dataclass(frozen=True)
class Spread:
    """A number over the windows in which it could be measured: mean, standard deviation (None for one), extremes."""

    mean: float
    deviation: float | None
    low: float
    high: float
    windows: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return dict(self.__dict__)


def evaluate_candidates(
    ws: Workspace,
    portfolio: Portfolio,
    window: Window,
    *,
    as_of: datetime,
    candidates: Sequence[str] = (),
    jobs: int = 1,
) -> list[WindowResult]:
    """Evaluate candidates in one window; one whose library does not work on this machine is left out.

    Parameters
    ----------
    as_of
        Labels known at this moment are what the window is measured by.
    candidates
        Names; empty: those that the portfolio evaluates.

    Raises
    ------
    ContractError
        There is no such candidate, no history before the window, no row in it, or too little fraud.
    MissingPartitionError
        A partition has no features.
    """
    names = candidates or portfolio.training.prequential.candidates or tuple(portfolio.training.candidates)
    for name in names:
        if name not in portfolio.training.candidates:
            raise ContractError(
                f"there is no candidate {name!r}",
                where=f"{portfolio.name} training.candidates",
                remedy=f"choose one of {', '.join(sorted(portfolio.training.candidates))}",
            )
    history = History.load(ws, portfolio, partitions_of(ws, portfolio, [window], as_of), as_of)
    learned, (tested, left_out) = history.known_at(window.start), history.within(window)
    if tested.empty:
        raise ContractError(
            "no transaction whose label is known", where=f"{portfolio.name} {window.name}", remedy="load the partitions"
        )
    found = []
    for name in names:
        try:
            found.append(evaluate_window(portfolio, name, window, learned, tested, left_out=left_out, jobs=jobs))
        except EstimatorUnavailableError:
            continue
    return found


def evaluate_window(
    portfolio: Portfolio,
    name: str,
    window: Window,
    learned: pd.DataFrame,
    tested: pd.DataFrame,
    *,
    left_out: int = 0,
    seed: int | None = None,
    jobs: int = 1,
) -> WindowResult:
    """Train a candidate on what was known at a window's start, and measure it in the window.

    Parameters
    ----------
    name
        The candidate.
    learned
        Rows with the model's columns, ``event_time`` and ``label``, in the order of time, all known at the start.
    tested
        Rows of the window, the same columns and the entities; those of known cards left out.
    seed
        Instead of the portfolio's.

    Raises
    ------
    ContractError
        Too little fraud was known at the window's start.
    EstimatorUnavailableError
        A library does not work on this machine.
    """
    seed = portfolio.training.seed if seed is None else seed
    model = train_on(portfolio, name, learned, where=window.name, seed=seed, jobs=jobs)
    label, score = tested["label"].to_numpy(dtype=bool), model.score(tested, jobs=jobs)
    amount = tested["amount_minor"].to_numpy() if portfolio.has_amount else None
    metrics = evaluate(
        label,
        score,
        amount,
        days=window.days,
        alerts_per_day=portfolio.policy.alerts_per_day,
        review=model.thresholds.review,
        block=model.thresholds.block,
        decision=model.decide(score, amount),
        costs=cost_model(portfolio),
        seed=seed,
    )
    return WindowResult(
        candidate=name,
        window=window,
        seed=seed,
        learned=len(learned),
        learned_positives=int(learned["label"].sum()),
        left_out=left_out,
        metrics=metrics,
        cards=_cards(portfolio, tested, score, seed),
        alerts_per_day=float((score >= model.thresholds.review).sum() / window.days),
    )


def train_on(
    portfolio: Portfolio, name: str, rows: pd.DataFrame, *, where: str, seed: int, jobs: int = 1
) -> FraudModel:
    """A candidate as a training run would leave it that gated on what follows these rows.

    They are cut into what is learned from and what is calibrated on in the proportion of ``training.shares``.
    """
    training = portfolio.training
    candidate, members = training.candidates[name], training.members_of(name)
    learned, selected, _ = training.shares
    cut = split_by_time(
        rows["event_time"],
        (learned / (learned + selected), selected / (learned + selected), 0.0),
        portfolio.labels.delay,
    )
    train, validation = rows[cut.slices == TRAIN], rows[~np.isin(cut.slices, (TRAIN, GAP))]
    for slice_name, held in ((TRAIN, train), ("validation", validation)):
        if held["label"].sum() < FEWEST_POSITIVES:
            raise ContractError(
                f"{int(held['label'].sum())} frauds in the {slice_name} slice, at least {FEWEST_POSITIVES} are needed",
                where=f"{portfolio.name} {where}",
                remedy="load more history, or evaluate fewer or later windows",
            )
    times = validation["event_time"]
    model = fit_model(
        portfolio.name,
        name,
        candidate,
        model_columns(portfolio),
        train,
        validation,
        days=max((times.iloc[-1] - times.iloc[0]) / _DAY, portfolio.partitioning.length / _DAY),
        policy=portfolio.policy,
        costs=cost_model(portfolio),
        seed=seed,
        jobs=jobs,
        members=members,
        gap=portfolio.labels.delay,
    )
    return refit_model(model, candidate, rows, members=members, jobs=jobs) if candidate.refit else model


Measured = Mapping[str, Any]
"""A :class:`WindowResult` as it is written down."""

MEASURES: dict[str, Callable[[Measured], float | None]] = {
    "average precision": lambda found: found["metrics"]["average_precision"],
    "card precision": lambda found: found["cards"]["value"] if found["cards"] else None,
    "precision at the alert budget": lambda found: found["metrics"]["precision_at_k"],
    "recall at the alert budget": lambda found: found["metrics"]["recall_at_k"],
    "recall at 1 false alarm in 1,000": lambda found: found["metrics"]["recall_at_fpr"]["0.001"],
    "recall at 1 false alarm in 100": lambda found: found["metrics"]["recall_at_fpr"]["0.01"],
    "Brier score": lambda found: found["metrics"]["brier"],
    "frauds expected for each that happened": lambda found: _expected(found["metrics"]),
    "savings": lambda found: (found["metrics"].get("money") or {}).get("savings"),
    "alerts a day": lambda found: found["alerts_per_day"],
    "ROC AUC (never used to choose)": lambda found: found["metrics"]["roc_auc"],
}
"""What is summed up over the windows, in the order in which it is told."""


def spreads(results: Sequence[Measured]) -> dict[str, dict[str, Spread]]:
    """Candidate → measure → spread over the windows; a measure that no window could give is left out."""
    found: dict[str, dict[str, Spread]] = {}
    for candidate in dict.fromkeys(result["candidate"] for result in results):
        own = [result for result in results if result["candidate"] == candidate]
        measured = {name: [value for r in own if (value := of(r)) is not None] for name, of in MEASURES.items()}
        found[candidate] = {name: spread(values) for name, values in measured.items() if values}
    return found


def _expected(metrics: Measured) -> float | None:
    return metrics["expected"] / metrics["positives"] if metrics["positives"] else None


def spread(values: Sequence[float]) -> Spread:
    """Mean, deviation and extremes of some numbers, of which there is at least one."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(float(np.mean(values)), deviation, float(min(values)), float(max(values)), len(values))


def _cards(portfolio: Portfolio, tested: pd.DataFrame, score: np.ndarray, seed: int) -> CardPrecision | None:
    column, plan = card_column(portfolio), portfolio.training.prequential
    if column is None:
        return None
    return card_precision(
        tested[column].to_numpy(),
        days_since_1970(tested["event_time"]),
        tested["label"].to_numpy(dtype=bool),
        score,
        k=plan.cards_per_day or max(round(portfolio.policy.alerts_per_day), 1),
        seed=seed,
    )
