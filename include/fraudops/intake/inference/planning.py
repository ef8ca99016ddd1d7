"""What follows from the size and the period of a file: partitions, windows, candidates, budgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fraudops.intake.inference.clocks import Clock, Resolution
from fraudops.intake.inference.roles import Choice
from fraudops.intake.inference.surveying import Survey
from fraudops.intake.inference.vocabulary import MERCHANTS
from fraudops.portfolio import Role
from fraudops.portfolio.columns import ENTITIES, TOKENS

FEWEST, MOST = 8, 200
"""Partitions that a file should be cut into."""
_DAY_STANDS_FOR = 60
"""Days that the rows of a file without a time are spread over."""
_LARGEST_TRAINING = 4_000_000
"""Rows beyond which the window is shortened: they have to fit into memory."""
_FOREST = 1_200_000
"""Rows × √columns that a forest of 150 trees learns in about three minutes on two cores."""
_BOOSTER = 10_000_000_000
"""Rows × columns × rounds that a booster learns in about three minutes."""
_INDICATORS = 15
"""A category becomes about so many columns."""
_MOST_BEHAVING = 4


@dataclass(frozen=True)
class Plan:
    """Numbers of the draft, each with the reason for it."""

    partition_hours: int
    partitions: int
    rows_per_day: int | None
    """Where there is no time: rows that stand for a day."""
    delay: str
    delay_reason: str
    window: str
    window_reason: str
    minimum_positives: int
    alerts_per_day: float
    alerts_reason: str
    calendar: tuple[str, ...]
    behaviour: tuple[dict[str, Any], ...]
    candidates: dict[str, dict[str, Any]]
    candidates_reason: str


def make_plan(survey: Survey, clock: Clock | None, choices: Sequence[Choice], *, has_label: bool) -> Plan:
    """Everything that follows from how much data there is, and over which time."""
    resolution = clock.resolution if clock else Resolution.NONE
    rows_per_day = None
    if clock is None or not survey.hours:
        rows_per_day = max(1, math.ceil(survey.rows / min(_DAY_STANDS_FOR, max(FEWEST, survey.rows // 50))))
        days: float = math.ceil(survey.rows / rows_per_day)
        hours, partitions = 24, int(days)
    else:
        days = survey.days
        hours = _partition_hours(survey, resolution)
        partitions = len(survey.rows_by_partition(hours))
    delay, delay_reason = (
        _delay(days) if clock else ("0d", "nothing in the file says when, or how late fraud is reported")
    )
    window, window_reason, learned = _window(survey.rows, days, hours)
    candidates, reason = _candidates(round(learned * 0.85 * 0.6), _model_columns(choices))
    alerts, alerts_reason = _alerts(survey, days)
    return Plan(
        hours, partitions, rows_per_day, delay, delay_reason, window, window_reason,
        max(5, min(20, survey.positives // 12)), alerts, alerts_reason, _calendar(resolution, days, clock),
        tuple(_behaviour(choices, days, resolution, has_label=has_label)), candidates, reason,
    )  # fmt: skip


def _partition_hours(survey: Survey, resolution: Resolution) -> int:
    if resolution is Resolution.MONTH:
        return 168
    counts = {hours: len(survey.rows_by_partition(hours)) for hours in (24, 12, 8, 6, 4, 3, 2, 1)}
    if counts[24] > MOST:
        return 168
    if counts[24] >= FEWEST or resolution is Resolution.DAY:
        return 24
    return next((hours for hours, count in counts.items() if count >= FEWEST), 1)


def _delay(days: float) -> tuple[str, str]:
    longest = int(days / 10)
    if longest < 1:
        return "0d", "the file covers too little time for a delay; how late fraud is reported is not in the file"
    return f"{min(7, longest)}d", "a guess: how long it takes until fraud is reported is not in the file"


def _window(rows: int, days: float, hours: int) -> tuple[str, str, int]:
    """The training window, why, and how many rows are in it."""
    whole = math.ceil(days) + math.ceil(hours / 24) + 1
    if rows <= _LARGEST_TRAINING:
        return f"{whole}d", "the whole file", rows
    shortened = max(math.ceil(hours / 24) * FEWEST, math.ceil(days * _LARGEST_TRAINING / rows))
    told = (
        f"the newest {_LARGEST_TRAINING / 1e6:.0f} of {rows / 1e6:.1f} million rows, to fit into memory; all: {whole}d"
    )
    return f"{shortened}d", told, _LARGEST_TRAINING


def _alerts(survey: Survey, days: float) -> tuple[float, str]:
    volume, frauds = survey.rows / max(days, 1 / 24), survey.positives / max(days, 1 / 24)
    budget = min(max(frauds, 0.001 * volume), 0.05 * volume) if frauds else 0.005 * volume
    rounded = float(f"{budget:.2g}")
    told = f"{volume:,.0f} rows a day" + (f", {frauds:.3g} of them fraud" if frauds else "")
    return (max(1, round(rounded)) if rounded >= 0.95 else 1), told


# -- features ----------------------------------------------------------------------------------------------


def _calendar(resolution: Resolution, days: float, clock: Clock | None) -> tuple[str, ...]:
    found: list[str] = []
    if resolution <= Resolution.HOUR:
        found += ["hour"] if clock is not None and clock.nominal else ["hour", "night"]
    if resolution <= Resolution.DAY and days >= 14:
        found += ["weekday", "weekend"] if clock is None or not clock.nominal else ["weekday"]
    return tuple(found)


def _behaviour(
    choices: Sequence[Choice], days: float, resolution: Resolution, *, has_label: bool
) -> list[dict[str, Any]]:
    has_amount = any(choice.role is Role.AMOUNT for choice in choices)
    windows = _windows(days, resolution)
    found = []
    acting = [choice for choice in choices if choice.behaves and choice.role in ENTITIES]
    acting = sorted(acting, key=_usefulness)[:_MOST_BEHAVING]
    for choice in acting:
        aggregates = ["count", *(["amount_mean", "amount_max", "amount_ratio", "amount_z"] if has_amount else [])]
        if has_label and _is_merchant(choice) and choice.profile.repeats >= 5:
            aggregates += ["fraud_count", "fraud_rate", "seconds_since_fraud"]
        found.append({"entity": (choice,), "windows": windows, "aggregates": aggregates})
    return found + _pairs(acting, windows)


def _pairs(acting: Sequence[Choice], windows: list[str]) -> list[dict[str, Any]]:
    """Who pays, together with where: whether this is new between the two."""
    payers = [choice for choice in acting if not _is_merchant(choice)]
    merchants = [choice for choice in acting if _is_merchant(choice)]
    if not payers or not merchants:
        return []
    aggregates = ["count", "seconds_since_first"]
    return [{"entity": (payers[0], merchants[0]), "windows": windows[-1:], "aggregates": aggregates}]


def _is_merchant(choice: Choice) -> bool:
    return bool(set(choice.profile.words) & MERCHANTS)


def _usefulness(choice: Choice) -> tuple[int, int]:
    return (0 if choice.role in TOKENS else 1), choice.profile.position


def _windows(days: float, resolution: Resolution) -> list[str]:
    if resolution is Resolution.MONTH:
        return ["31d", "92d"]
    if days >= 60:
        return ["1d", "7d", "30d"]
    if days >= 14 or resolution >= Resolution.DAY:
        return ["1d", "7d"] if days >= 14 else ["1d"]
    return ["1h", "1d"] if days >= 3 else ["1h", "6h"]


# -- candidates --------------------------------------------------------------------------------------------


def _model_columns(choices: Sequence[Choice]) -> int:
    columns = 0
    for choice in choices:
        if choice.exclude:
            continue
        if choice.role in (Role.NUMBER, Role.BOOLEAN, Role.AMOUNT):
            columns += 1
        elif choice.role is Role.CATEGORY:
            columns += min(choice.profile.distinct, _INDICATORS)
        elif choice.behaves:
            columns += 12
    return max(1, columns)


def _candidates(rows: int, columns: int) -> tuple[dict[str, dict[str, Any]], str]:
    """The four candidates, made smaller where they would take more than some minutes on two cores."""
    forest: dict[str, Any] = {"n_estimators": 150}
    linear: dict[str, Any] = {}
    booster: dict[str, Any] = {}
    work = rows * math.sqrt(columns)
    smaller = []
    if work > _FOREST:
        forest |= {"max_samples": float(f"{max(0.02, _FOREST / work):.2g}"), "min_samples_leaf": 3}
        smaller.append("each tree of the forest learns from a part of the rows")
    if work > 4 * _FOREST:
        forest |= {"n_estimators": 100, "max_depth": 20}
        linear = {"max_iter": 100}
    if rows * columns * 400 > _BOOSTER:
        rounds = max(100, round(_BOOSTER / (rows * columns) / 50) * 50)
        booster = {"n_estimators": rounds, "learning_rate": 0.1 if rounds >= 150 else 0.15}
        smaller.append("the boosters take fewer, larger steps")
    told = f"{rows:,} rows to learn from, about {columns} columns"
    reason = f"{told}: {' and '.join(smaller)}, so that training takes minutes on two cores" if smaller else told
    return {"random_forest": forest, "logistic_regression": linear, "lightgbm": booster, "xgboost": booster}, reason
