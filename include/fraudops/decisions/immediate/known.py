"""What had been decided before on transactions that somebody sends again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from fraudops.decisions.immediate.records import Conflict, Decided, ReasonGiven, thresholds_told
from fraudops.decisions.immediate.writing import raw_cursor

_KNOWN = """
select transaction_id, content, decision_id, score, decision, route, propensity, reasons, degraded, model_id
from online_decision where portfolio = %s and transaction_id = any(%s)
"""
_MODELS = "select id, number, thresholds from model_version where id = any(%s)"
REMEMBERED = 20_000
"""Decisions that a process remembers, for when there is no database to ask."""


@dataclass(frozen=True, slots=True)
class Known:
    """A decision, and the content of its transaction."""

    content: str
    decided: Decided

    def answer(self, content: str) -> Decided | Conflict:
        """The same decision again; or, for another content, that the id is taken."""
        if content != self.content:
            return Conflict(self.decided.transaction_id, self.decided.decision_id)
        return replace(self.decided, repeated=True)


def find(connection: Connection, portfolio: str, ids: Sequence[str]) -> dict[str, Known]:
    """Decisions on these transactions, by id; in one question, but for those that are found."""
    with raw_cursor(connection) as cursor:
        cursor.execute(_KNOWN, (portfolio, [*ids]))
        rows = cursor.fetchall()
        if not rows:
            return {}
        cursor.execute(_MODELS, (sorted({row[-1] for row in rows}),))
        models = {number: (f"v{version}", thresholds) for number, version, thresholds in cursor}
    return {row[0]: _known(row, *models[row[-1]]) for row in rows}


class Remembered:
    """The latest decisions of a process."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._found: OrderedDict[str, Known] = OrderedDict()
        self._most = most

    def find(self, ids: Iterable[str]) -> dict[str, Known]:
        """Those of these transactions that are remembered."""
        return {one: self._found[one] for one in ids if one in self._found}

    def add(self, known: Iterable[Known]) -> None:
        """Remember them, and forget the oldest ones."""
        for one in known:
            self._found[one.decided.transaction_id] = one
        while len(self._found) > self._most:
            self._found.popitem(last=False)


def _known(row: tuple[Any, ...], version: str, thresholds: dict[str, Any]) -> Known:
    transaction_id, content, decision_id, score, decision, route, propensity, reasons, degraded, _ = row
    return Known(
        content,
        Decided(
            decision_id=decision_id,
            transaction_id=transaction_id,
            score=score,
            decision=decision,
            route=route,
            propensity=propensity,
            thresholds=thresholds_told(thresholds),
            reasons=tuple(ReasonGiven(one["code"], one["text"]) for one in reasons),
            model_version=version,
            degraded=tuple(degraded),
        ),
    )
