"""Dated lists of what a validation file is expected to answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import yaml


@dataclass(frozen=True)
class Expectation:
    """One thing that is expected.

    Attributes
    ----------
    answered_in
        Sections of the pack; empty: outside it.
    left
        What the pack cannot answer.
    """

    id: str
    expects: str
    answered_in: tuple[str, ...]
    left: str = ""


@dataclass(frozen=True)
class ExpectationList:
    """One text, and what it expects."""

    title: str
    in_force_from: date
    supersedes: str
    note: str
    items: tuple[Expectation, ...]


def in_force(on: date) -> ExpectationList | None:
    """The newest list that was in force on a day; None before the first."""
    known = [found for found in all_lists() if found.in_force_from <= on]
    return max(known, key=lambda found: found.in_force_from, default=None)


def all_lists() -> list[ExpectationList]:
    """Every list, by the names of their files."""
    folder = files(__package__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    return [_read(folder.joinpath(name).read_text("utf-8")) for name in names]


def _read(text: str) -> ExpectationList:
    content = yaml.safe_load(text)
    items = [
        Expectation(item["id"], item["expects"], tuple(item["answered_in"]), item.get("left", ""))
        for item in content["items"]
    ]
    return ExpectationList(
        title=content["title"],
        in_force_from=content["in_force_from"],
        supersedes=content["supersedes"],
        note=" ".join(content["note"].split()),
        items=tuple(items),
    )
