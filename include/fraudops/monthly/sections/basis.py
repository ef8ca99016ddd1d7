"""Words for what a figure was computed from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fraudops.monthly.days import Days
from fraudops.monthly.pack import listed


def span(keys: Sequence[str]) -> str:
    """``2026-03-01 to 2026-03-31 (30 partitions)``."""
    if not keys:
        return "no partition"
    if len(keys) == 1:
        return keys[0]
    return f"{keys[0]} to {keys[-1]} ({len(keys):,} partitions)"


def moment(at: datetime) -> str:
    """To the minute, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def scored_by(days: Days) -> str:
    """Each model with its partitions; empty where nothing was scored."""
    return listed([f"{version} ({span(keys)})" for version, keys in days.versions.items()])


def labels_of(days: Days, *, decided: bool = False) -> str:
    """Source of what counts transactions by what they turned out to be."""
    models = f"; decisions of {scored_by(days)}" if decided and days.versions else ""
    return f"Transactions of {span(days.keys)}{models}; labels known at {moment(days.as_of)}."
