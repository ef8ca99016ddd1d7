"""The rows about the Handbook: its protocol in one week and in four, beside its own models and what can be reached."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.data import HANDBOOK, locate
from benchmarks.processes import Runner
from benchmarks.rows import Conditions, Row, Suite, median

_OURS, _REFERENCE = "benchmarks.handbook.ours", "benchmarks.handbook.reference"
_SEEDS = (42, 43, 44, 45, 46)
_QUICK = "xgboost"
"""In a hurry: one booster in the first week instead of the blend in all."""

WEEK_AP, WEEK_CP, WEEKS_AP, WEEKS_CP = (
    "handbook, first test week, average precision",
    "handbook, first test week, card precision@100",
    "handbook, four test weeks, mean average precision",
    "handbook, four test weeks, mean card precision@100",
)
_GOALS = {WEEK_AP: 0.765, WEEK_CP: 0.303, WEEKS_AP: 0.756, WEEKS_CP: 0.308}


def measure(conditions: Conditions) -> Iterator[Row]:
    """Train ours and the book's for each test week, and measure both as the book does."""
    file = locate(conditions.data, HANDBOOK)
    runner = Runner(conditions.work / "bytecode")
    weeks, seeds = (1, _SEEDS[:1]) if conditions.quick else (4, _SEEDS)
    candidate = _QUICK if conditions.quick else "blend"
    conditions.say(f"  ours ({candidate}), {weeks} test weeks, {len(seeds)} seeds in the first")
    ours = runner.run(_OURS, file, "--weeks", weeks, "--candidate", candidate, "--seeds", *seeds)
    conditions.say("  the book's features and models, and the ceiling")
    reference = runner.run(_REFERENCE, file, "--weeks", weeks).answer["found"]
    found = ours.answer["found"]
    cost = {"candidate": candidate, "cpu_seconds": round(ours.cpu_seconds), "peak_mb": round(ours.peak_mb)}
    for name, key in ((WEEK_AP, "average_precision"), (WEEK_CP, "card_precision")):
        yield _first_week(name, key, found, reference, cost)
    for name, key in ((WEEKS_AP, "average_precision"), (WEEKS_CP, "card_precision")):
        yield _all_weeks(name, key, found, reference, weeks)


SUITE = Suite("the Fraud Detection Handbook's protocol", (WEEK_AP, WEEK_CP, WEEKS_AP, WEEKS_CP), measure)


def _first_week(
    name: str, key: str, ours: Sequence[dict[str, Any]], reference: Sequence[dict[str, Any]], cost: dict[str, Any]
) -> Row:
    start = ours[0]["start"]
    seeds = {str(line["seed"]): round(line[key], 4) for line in ours if line["start"] == start}
    theirs = {line["model"]: line[key] for line in reference if line["start"] == start}
    return _row(name, median(seeds.values()), theirs, {"seeds": seeds, "roc_auc": ours[0]["roc_auc"], **cost})


def _all_weeks(
    name: str, key: str, ours: Sequence[dict[str, Any]], reference: Sequence[dict[str, Any]], weeks: int
) -> Row:
    if weeks == 1:
        return Row(name, unit="", skipped="not with --quick")
    first_seed = [line for line in ours if line["seed"] == _SEEDS[0]]
    values = {line["start"]: round(line[key], 4) for line in first_seed}
    theirs: dict[str, list[float]] = {}
    for line in reference:
        theirs.setdefault(line["model"], []).append(line[key])
    details = {"weeks": values, "deviation": round(statistics.stdev(values.values()), 4), "seed": _SEEDS[0]}
    return _row(name, statistics.fmean(values.values()), {m: statistics.fmean(v) for m, v in theirs.items()}, details)


def _row(name: str, value: float, theirs: dict[str, float], details: dict[str, Any]) -> Row:
    best = max(number for model, number in theirs.items() if model != "ceiling")
    return Row(
        name,
        unit="card precision" if "card" in name else "average precision",
        ours=value,
        reference=best,
        ratio=value / best,
        goal=f"at least {_GOALS[name]}",
        met=value >= _GOALS[name],
        details={"book": {model: round(number, 4) for model, number in theirs.items()}, **details},
    )
