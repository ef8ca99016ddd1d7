"""The rows about the tutorial: what it costs, and how well it finds fraud."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.data import ULB, locate, unpack
from benchmarks.processes import Run, Runner
from benchmarks.rows import Conditions, Row, Suite, median

_OURS, _REFERENCE = "benchmarks.tutorial.ours", "benchmarks.tutorial.reference"
_SEEDS = (42, 43, 44, 45, 46)
"""The first is the portfolio's own: its model is the one that is compared with the tutorial's."""
_LESS_CPU, _MEDIAN_AP, _BY_TIME_AP = 20, 0.888, 0.8

CPU, AP, SEEDS, BY_TIME = (
    "tutorial, CPU",
    "tutorial, average precision",
    "tutorial, median average precision over seeds",
    "by time, average precision",
)


def measure(conditions: Conditions) -> Iterator[Row]:
    """Run the tutorial and ours on the same CSV, and compare what they cost and what they find."""
    csv = unpack(locate(conditions.data, ULB), conditions.work / "ulb")
    runner = Runner(conditions.work / "bytecode")
    runner.warm(_OURS)
    runner.warm(_REFERENCE)
    ours = _ours(conditions, runner, csv)
    reference = _reference(conditions, runner, csv)
    yield _cpu(ours, reference)
    yield _difference(conditions, runner, ours, reference)
    yield _over_seeds(ours, reference)
    yield _by_time(conditions, runner, csv)


SUITE = Suite("the tutorial on ULB", (CPU, AP, SEEDS, BY_TIME), measure)


def _ours(conditions: Conditions, runner: Runner, csv: Path) -> list[Run]:
    """One run a seed: they cost alike, so that the same runs serve for the cost and for the seeds."""
    found = []
    for seed in _SEEDS[: 3 if conditions.quick else None]:
        conditions.say(f"  ours, seed {seed}")
        found.append(runner.run(_OURS, csv, _scores(conditions, f"ours-{seed}"), "--seed", seed))
    return found


def _reference(conditions: Conditions, runner: Runner, csv: Path) -> list[Run]:
    """The forest takes minutes: in a hurry it is grown once, on two threads, and their CPU time added up."""
    jobs = min(2, os.cpu_count() or 1) if conditions.quick else 1
    found = []
    for number in range(1 if conditions.quick else 3):
        conditions.say(f"  the tutorial as published, run {number + 1} (minutes)")
        found.append(runner.run(_REFERENCE, csv, _scores(conditions, "reference"), "--jobs", jobs))
    return found


def _scores(conditions: Conditions, name: str) -> Path:
    return conditions.work / f"{name}.npz"


def _cpu(ours: list[Run], reference: list[Run]) -> Row:
    mine, theirs = (median(run.cpu_seconds for run in runs) for runs in (ours, reference))
    return Row(
        CPU,
        unit="CPU s",
        ours=mine,
        reference=theirs,
        ratio=theirs / mine,
        goal=f"at least {_LESS_CPU} times less",
        met=theirs / mine >= _LESS_CPU,
        details={
            "runs": {"ours": _seconds(ours), "reference": _seconds(reference)},
            "peak_mb": {
                "ours": round(median(run.peak_mb for run in ours)),
                "reference": round(median(run.peak_mb for run in reference)),
            },
        },
    )


def _difference(conditions: Conditions, runner: Runner, ours: list[Run], reference: list[Run]) -> Row:
    compared = runner.run(
        "benchmarks.tutorial.comparison",
        _scores(conditions, f"ours-{_SEEDS[0]}"),
        _scores(conditions, "reference"),
    ).answer
    mine, theirs = ours[0].answer["average_precision"], reference[0].answer["average_precision"]
    return Row(
        AP,
        unit="average precision",
        ours=mine,
        reference=theirs,
        ratio=mine / theirs,
        goal="95 % interval of the difference above 0",
        met=compared["low"] > 0,
        details={
            "difference": compared,
            "ours_interval": ours[0].answer["average_precision_interval"],
            "roc_auc": {"ours": ours[0].answer["roc_auc"], "reference": reference[0].answer["roc_auc"]},
            "confusion": {
                "ours_review": ours[0].answer["confusion"]["review"],
                "ours_half": ours[0].answer["confusion"]["half"],
                "reference": reference[0].answer["confusion"],
            },
        },
    )


def _over_seeds(ours: list[Run], reference: list[Run]) -> Row:
    found = [run.answer["average_precision"] for run in ours]
    middle, theirs = median(found), reference[0].answer["average_precision"]
    return Row(
        SEEDS,
        unit="average precision",
        ours=middle,
        reference=theirs,
        ratio=middle / theirs,
        goal=f"at least {_MEDIAN_AP}",
        met=middle >= _MEDIAN_AP,
        details={"seeds": dict(zip(map(str, _SEEDS), (round(value, 4) for value in found), strict=False))},
    )


def _by_time(conditions: Conditions, runner: Runner, csv: Path) -> Row:
    """The blend, which costs more than the one booster that is measured against the tutorial's forest."""
    found = []
    for seed in _SEEDS[: 1 if conditions.quick else None]:
        conditions.say(f"  ours, split by time, seed {seed}")
        found.append(
            runner.run(
                _OURS, csv, _scores(conditions, "time"), "--split", "time", "--candidate", "blend", "--seed", seed
            )
        )
    values = [run.answer["average_precision"] for run in found]
    middle, first = median(values), found[0].answer
    return Row(
        BY_TIME,
        unit="average precision",
        ours=middle,
        goal=f"at least {_BY_TIME_AP}",
        met=middle >= _BY_TIME_AP,
        details={
            "seeds": dict(zip(map(str, _SEEDS), (round(value, 4) for value in values), strict=False)),
            "cpu_seconds": _seconds(found),
            "ours_interval": first["average_precision_interval"],
            "roc_auc": first["roc_auc"],
            "n": first["n"],
            "positives": first["positives"],
        },
    )


def _seconds(runs: list[Run]) -> list[float]:
    return [round(run.cpu_seconds, 2) for run in runs]
