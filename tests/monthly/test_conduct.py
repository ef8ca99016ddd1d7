"""Cases and deadlines in the pack: counts alone, and a sentence where there are none."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from fraudops.monthly.month import Month
from fraudops.monthly.sections import conduct
from fraudops.monthly.sections.conduct import CaseCounts, DeadlineCounts
from sqlalchemy.orm import Session

from tests.keeping.conftest import portfolio_of

MARCH = Month("2026-03")


def _room(monkeypatch: pytest.MonkeyPatch, name: str, asked: list[Any], found: Any) -> None:
    def statistics(session: Session, portfolio: Any, start: Any, end: Any) -> Any:
        asked.append((start.isoformat()[:10], end.isoformat()[:10]))
        return found

    for module in (f"fraudops.{name}", f"fraudops.{name}.statistics"):
        fake = ModuleType(module)
        fake.__spec__ = ModuleSpec(module, None)
        fake.statistics = statistics  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module, fake)


def test_rooms_are_asked_for_the_month_and_kinds_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    _room(monkeypatch, "cases", asked, SimpleNamespace(opened=4, closed={"fraud": 2}, open_at_end=3, late_at_end=1))
    kinds = [SimpleNamespace(met=1, missed=0, open_at_end=2), SimpleNamespace(met=3, missed=1, open_at_end=0)]
    _room(monkeypatch, "filings", asked, kinds)
    cases, deadlines = conduct.counts_of(Session(), portfolio_of(), MARCH)
    assert asked == [("2026-03-01", "2026-04-01")] * 2
    assert (cases, deadlines) == (CaseCounts(4, {"fraud": 2}, 3, 1), DeadlineCounts(4, 1, 2))
    found = conduct.conduct(MARCH, cases, deadlines)
    assert [row for grid in found.grids for row in grid.rows] == [
        *(("opened", 4), ("closed as fraud", 2), ("open at the end", 3), ("… past their review deadline", 1)),
        *(("met", 4), ("missed", 1), ("open at the end", 2)),
    ]
    said = repr(found).lower()
    assert not [
        word for word in ("sar", "ctr", "suspicious", "filing", "escalat") if word in said.replace("necessary", "")
    ]


def test_without_such_rooms_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct, "_statistics", lambda room: None)
    assert conduct.counts_of(Session(), portfolio_of(), MARCH) == (None, None)
    found = conduct.conduct(MARCH, None, None)
    assert (found.sentences, found.grids) == (("No cases in this installation.",), ())
