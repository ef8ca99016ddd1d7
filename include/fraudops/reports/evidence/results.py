"""From a version's registered metrics to the table of its results."""

from __future__ import annotations

from typing import Any

from fraudops.reports.evidence.contents import Measured, ResultLine, Results
from fraudops.training.splits import TEST, VALIDATION

_LINES = (
    ("average_precision", "Average precision", "number", "chooses and gates"),
    ("precision_at_k", "Precision at the alert budget", "share", ""),
    ("recall_at_k", "Recall at the alert budget", "share", ""),
    ("card_precision_at_k", "Card precision at the alert budget", "share", "known compromised cards removed"),
    ("brier", "Brier score", "number", "smaller is better"),
    ("expected", "Frauds expected by the scores", "number", "a calibrated model expects as many as there are"),
    ("positives", "Frauds", "count", ""),
    ("n", "Transactions", "count", ""),
    ("value_recall", "Share of the defrauded amount that is flagged", "share", ""),
    ("roc_auc", "ROC AUC", "number", "shown, never used to choose"),
)
_MONEY = (
    ("cost", "Cost of the decisions", "money", ""),
    ("cost_allowing", "Cost, had everything been allowed", "money", ""),
    ("cost_blocking", "Cost, had everything been blocked", "money", ""),
    ("savings", "Savings", "share", "1 − cost / the cheaper of the two"),
    ("best_savings", "Savings at the best threshold", "share", "known only in hindsight"),
)


def results(metrics: dict[str, Any]) -> Results:
    """The results of a version; a measure that was not taken is left out."""
    # The slice that gates lies at the top, the one that selects under its name.
    test, validation = metrics, metrics.get(VALIDATION, {})
    lines = [_line(spec, validation, test) for spec in _LINES if _is_there(spec[0], validation, test)]
    lines += _recalls(validation, test)
    here, there = (found.get("money") or {} for found in (test, validation))
    lines += [_line(spec, there, here) for spec in _MONEY if _is_there(spec[0], there, here)]
    beside = (VALIDATION, "importance", "model")
    return Results(
        lines=tuple(lines),
        measured={TEST: {k: v for k, v in test.items() if k not in beside}, VALIDATION: validation},
    )


def _is_there(key: str, *slices: dict[str, Any]) -> bool:
    return any(found.get(key) is not None for found in slices)


def _line(spec: tuple[str, str, str, str], validation: dict[str, Any], test: dict[str, Any]) -> ResultLine:
    key, name, unit, remark = spec
    return ResultLine(key, name, unit, _measured(validation, key), _measured(test, key), remark)


def _measured(found: dict[str, Any], key: str) -> Measured:
    low, high = found.get(f"{key}_interval") or (None, None)
    return Measured(found.get(key), low, high)


def _recalls(validation: dict[str, Any], test: dict[str, Any]) -> list[ResultLine]:
    """Recall at each false-positive rate; JSON has made texts of the rates."""
    here, there = ({str(k): v for k, v in found.get("recall_at_fpr", {}).items()} for found in (test, validation))
    return [
        ResultLine(
            f"recall_at_fpr_{rate}",
            f"Recall where {100 * float(rate):g} % of genuine transactions are flagged",
            "share",
            Measured(there.get(rate)),
            Measured(here[rate]),
        )
        for rate in sorted(here, key=float)
    ]
