"""Numbers that say how good a model's scores are on one slice of transactions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fraudops.evaluation.bootstrap import RESAMPLES, Interval, ranking_intervals
from fraudops.evaluation.costs import ALLOW, BLOCK, REVIEW, CostModel
from fraudops.evaluation.money import Money
from fraudops.evaluation.money import measure as measure_money
from fraudops.evaluation.ranking import Ranking, caught_at, roc_aucs
from fraudops.evaluation.ranking import average_precisions as _average_precisions

FALSE_POSITIVE_RATES = (0.001, 0.005, 0.01)
"""False alarms that people state a recall for: one in a thousand, five in a thousand, one in a hundred."""
TUTORIAL_THRESHOLD = 0.5
"""Where the tutorial, and much of the literature, cuts."""
_BINS = 10


@dataclass(frozen=True)
class Confusion:
    """What happens to genuine and fraudulent transactions at one threshold.

    Attributes
    ----------
    threshold
        Transactions that score this much or more are flagged.
    false_alarms, caught
        Flagged transactions that were genuine, and that were fraud.
    passed, missed
        Unflagged transactions that were genuine, and that were fraud.
    """

    threshold: float
    caught: int
    false_alarms: int
    missed: int
    passed: int

    @property
    def n(self) -> int:
        """Number of transactions."""
        return self.caught + self.false_alarms + self.missed + self.passed

    @property
    def precision(self) -> float | None:
        """Share of the flagged that was fraud; None where nothing was flagged."""
        return _share(self.caught, self.caught + self.false_alarms)

    @property
    def recall(self) -> float | None:
        """Share of the fraud that was flagged; None where there was none."""
        return _share(self.caught, self.caught + self.missed)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values, with the names of the confusion matrix."""
        return {
            "threshold": self.threshold,
            "true_positive": self.caught,
            "false_positive": self.false_alarms,
            "false_negative": self.missed,
            "true_negative": self.passed,
            "precision": self.precision,
            "recall": self.recall,
            "n": self.n,
            "positives": self.caught + self.missed,
        }

    def report(self) -> dict[str, Any]:
        """The classification report: precision, recall, F1 and support per class, and accuracy."""
        genuine = _class_report(self.passed, self.missed, self.false_alarms)
        fraud = _class_report(self.caught, self.false_alarms, self.missed)
        return {"genuine": genuine, "fraud": fraud, "accuracy": _share(self.passed + self.caught, self.n)}


@dataclass(frozen=True)
class ReliabilityBin:
    """Transactions of similar score: what was predicted, and what happened.

    Attributes
    ----------
    mean_score
        Predicted probability, on average.
    fraud_rate
        Share that was fraud.
    low, high
        Wilson's 95 % interval of the share.
    """

    mean_score: float
    fraud_rate: float
    low: float
    high: float
    n: int
    positives: int


@dataclass(frozen=True)
class Metrics:
    """Everything measured on one slice; None stands for what cannot be measured (no fraud, say).

    Attributes
    ----------
    average_precision, roc_auc
        Areas under the precision–recall steps and under the ROC curve.
    k
        Alert budget of the slice: alerts per day × days. ``precision_at_k`` and ``recall_at_k`` look at the
        k highest scores.
    brier
        Mean squared error of the probability.
    expected
        Frauds that the probabilities add up to; a calibrated model expects about ``positives``.
    confusion
        Of what is reviewed or blocked (``review``), of what is blocked (``block``, where there is a threshold) and
        at a score of 0.5 (``half``, as the tutorial does).
    recall_at_fpr
        False-positive rate → recall.
    value_recall
        Share of the defrauded amount that is reviewed or blocked.
    amount_fraud, amount_caught
        In minor units of the portfolio's currency; None where transactions have no amount.
    money
        Cost and savings of the decisions; None without costs or amounts.
    """

    n: int
    positives: int
    days: float
    average_precision: float | None
    average_precision_interval: Interval | None
    roc_auc: float | None
    roc_auc_interval: Interval | None
    k: int
    precision_at_k: float | None
    precision_at_k_interval: Interval | None
    recall_at_k: float | None
    recall_at_k_interval: Interval | None
    brier: float | None
    expected: float
    confusion: Mapping[str, Confusion]
    recall_at_fpr: Mapping[float, float | None]
    value_recall: float | None
    amount_fraud: int | None
    amount_caught: int | None
    calibration: tuple[ReliabilityBin, ...]
    money: Money | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "n": self.n,
            "positives": self.positives,
            "days": self.days,
            "average_precision": self.average_precision,
            "average_precision_interval": _listed(self.average_precision_interval),
            "roc_auc": self.roc_auc,
            "roc_auc_interval": _listed(self.roc_auc_interval),
            "k": self.k,
            "precision_at_k": self.precision_at_k,
            "precision_at_k_interval": _listed(self.precision_at_k_interval),
            "recall_at_k": self.recall_at_k,
            "recall_at_k_interval": _listed(self.recall_at_k_interval),
            "brier": self.brier,
            "expected": self.expected,
            "confusion": {name: found.to_dict() for name, found in self.confusion.items()},
            "report": {name: found.report() for name, found in self.confusion.items()},
            "recall_at_fpr": {f"{rate:g}": recall for rate, recall in self.recall_at_fpr.items()},
            "value_recall": self.value_recall,
            "amount_fraud": self.amount_fraud,
            "amount_caught": self.amount_caught,
            "calibration": [asdict(found) for found in self.calibration],
            "money": None if self.money is None else self.money.to_dict(),
        }


def evaluate(
    label: np.ndarray,
    score: np.ndarray,
    amount_minor: np.ndarray | None,
    *,
    days: float,
    alerts_per_day: float,
    review: float,
    block: float | None = None,
    decision: np.ndarray | None = None,
    costs: CostModel | None = None,
    seed: int = 42,
    resamples: int = RESAMPLES,
) -> Metrics:
    """Measure scores against labels.

    Parameters
    ----------
    label
        True for fraud.
    score
        Calibrated probability of fraud.
    amount_minor
        Amounts in minor units of the currency; None: transactions have none.
    days
        How many days the transactions span; with ``alerts_per_day`` it gives the alert budget.
    review, block
        Thresholds of the decisions; a score at or above one reaches it.
    decision
        ``allow``, ``review`` or ``block``, where more than the score decides; absent: by the thresholds.
    costs
        What decisions cost, minor units; absent: nothing is measured in money beyond the amounts.
    seed, resamples
        Of the bootstrap.

    Raises
    ------
    ValueError
        The arrays differ in length, or a score is not a number.
    """
    label, score = np.asarray(label, dtype=bool), np.asarray(score, dtype=np.float64)
    ranking = Ranking.of(label, score)
    k = alert_budget(alerts_per_day, days, len(label))
    intervals = ranking_intervals(label, score, k=k, seed=seed, resamples=resamples)
    caught = float(caught_at(ranking.positives[None, :], ranking.negatives[None, :], k)[0])
    if decision is None:
        blocked = score >= (np.inf if block is None else block)
        decision = np.select([blocked, score >= review], [BLOCK, REVIEW], ALLOW)
    decision = np.asarray(decision)
    flagged = {"review": (decision != ALLOW, review), "half": (score >= TUTORIAL_THRESHOLD, TUTORIAL_THRESHOLD)}
    if block is not None:
        flagged["block"] = (decision == BLOCK, block)
    amount_fraud = _sum(amount_minor, label)
    amount_caught = _sum(amount_minor, label & (decision != ALLOW))
    money = None
    if costs is not None and amount_minor is not None:
        money = measure_money(label, score, decision, amount_minor, costs, block=block, seed=seed, resamples=resamples)
    return Metrics(
        n=len(label),
        positives=ranking.n_positives,
        days=days,
        average_precision=_number(_average_precisions(ranking.positives[None, :], ranking.negatives[None, :])[0]),
        average_precision_interval=intervals.average_precision,
        roc_auc=_number(roc_aucs(ranking.positives[None, :], ranking.negatives[None, :])[0]),
        roc_auc_interval=intervals.roc_auc,
        k=k,
        precision_at_k=_share(caught, min(k, len(label))),
        precision_at_k_interval=intervals.precision_at_k,
        recall_at_k=_share(caught, ranking.n_positives),
        recall_at_k_interval=intervals.recall_at_k,
        brier=float(np.mean((score - label) ** 2)) if len(label) else None,
        expected=float(score.sum()),
        confusion={name: counted(label, rows, threshold) for name, (rows, threshold) in flagged.items()},
        recall_at_fpr={rate: recall_at_fpr(ranking, rate) for rate in FALSE_POSITIVE_RATES},
        value_recall=_share(amount_caught or 0, amount_fraud or 0),
        amount_fraud=amount_fraud,
        amount_caught=amount_caught,
        calibration=reliability(label, score),
        money=money,
    )


def alert_budget(alerts_per_day: float, days: float, n: int) -> int:
    """How many of ``n`` transactions may be alerted over some days: at least one, where there is one."""
    return max(min(int(alerts_per_day * days + 1e-9), n), min(1, n))


def confusion(label: np.ndarray, score: np.ndarray, threshold: float) -> Confusion:
    """Counts when every score at or above the threshold is flagged."""
    return counted(label, score >= threshold, threshold)


def counted(label: np.ndarray, flagged: np.ndarray, threshold: float) -> Confusion:
    """Counts when these transactions are flagged; the threshold is what they are named by."""
    caught, flags, frauds = int((flagged & label).sum()), int(flagged.sum()), int(label.sum())
    return Confusion(
        threshold=float(threshold),
        caught=caught,
        false_alarms=flags - caught,
        missed=frauds - caught,
        passed=len(label) - flags - frauds + caught,
    )


def recall_at_fpr(ranking: Ranking, rate: float) -> float | None:
    """Share of the fraud caught when at most this share of genuine transactions is flagged.

    None without frauds, or where so few genuine transactions cannot show such a rate.
    """
    n_negatives = ranking.n - ranking.n_positives
    if not ranking.n_positives or n_negatives * rate < 1:
        return None
    false, true = ranking.rates()
    return float(true[np.searchsorted(false, rate, side="right") - 1])


def reliability(label: np.ndarray, score: np.ndarray, bins: int = _BINS) -> tuple[ReliabilityBin, ...]:
    """Predicted against observed fraud rates.

    Frauds are rare, so equal-sized groups would put nearly all of them into the last one. Groups are cut so
    that each holds about the same share of the predicted frauds; equal scores stay together.
    """
    if not len(score):
        return ()
    order = np.argsort(score, kind="stable")
    ranked, labels = score[order], label[order]
    mass = np.cumsum(ranked)
    group = np.minimum((bins * mass / mass[-1] - 1e-9).astype(int), bins - 1) if mass[-1] > 0 else mass * 0
    # Equal scores take the group of their last row.
    group = group[np.searchsorted(ranked, ranked, side="right") - 1]
    found = []
    for number in np.unique(group):
        inside = group == number
        n, positives = int(inside.sum()), int(labels[inside].sum())
        low, high = wilson(positives, n)
        found.append(ReliabilityBin(float(ranked[inside].mean()), positives / n, low, high, n=n, positives=positives))
    return tuple(found)


def wilson(positives: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; holds for small counts too."""
    if not n:
        return 0.0, 1.0
    z, share = 1.959963984540054, positives / n
    middle = share + z * z / (2 * n)
    half = z * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    scale = 1 + z * z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def _class_report(hits: int, false: int, missed: int) -> dict[str, Any]:
    return {
        "precision": _share(hits, hits + false),
        "recall": _share(hits, hits + missed),
        "f1": _share(2 * hits, 2 * hits + false + missed),
        "support": hits + missed,
    }


def _sum(amount_minor: np.ndarray | None, chosen: np.ndarray) -> int | None:
    return None if amount_minor is None else int(np.asarray(amount_minor, dtype=np.int64)[chosen].sum())


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else interval.to_list()
