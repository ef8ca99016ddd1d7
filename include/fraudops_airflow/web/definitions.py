"""Rules and clocks of the installation, read anew when a file has changed: to read all takes longer than a page may."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from fraudops.filings.definition import Clocks, read_clocks
from fraudops.rules.registry import Rule, read_rules
from fraudops.settings import Settings

Stamp = tuple[tuple[str, int, int], ...]
"""Names, times of change and sizes of the files of a folder."""


def known_rules() -> Mapping[str, Rule]:
    """All rules, by their ids."""
    folder = Settings.from_environment().rules
    return _rules(folder, _stamp(folder))


def known_clocks() -> Clocks:
    """All clocks."""
    folder = Settings.from_environment().clocks
    return _clocks(folder, _stamp(folder))


def _stamp(folder: Path) -> Stamp:
    found = ((path.name, path.stat()) for path in sorted(folder.glob("*.yaml")))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


@lru_cache(maxsize=2)
def _rules(folder: Path, stamp: Stamp) -> Mapping[str, Rule]:
    return read_rules(folder)


@lru_cache(maxsize=2)
def _clocks(folder: Path, stamp: Stamp) -> Clocks:
    return read_clocks(folder)
