"""A verdict's gates as every page, mail and terminal writes them, those of older verdicts included."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NOTHING = "–"
PASSED, FAILED, INFORMATION = "passed", "not passed", "for information"


@dataclass(frozen=True)
class PartLine:
    """One of several numbers that a gate rests on, such as one segment."""

    name: str
    measured: str
    passed: bool


@dataclass(frozen=True)
class GateLine:
    """One gate in words."""

    name: str
    measured: str
    required: str
    result: str
    """``passed``, ``not passed``, or ``for information`` where no verdict depends on it."""
    explanation: str
    rows: str
    """What it was measured on; empty where it is not about rows."""
    parts: tuple[PartLine, ...]


def gate_lines(gates: Iterable[Mapping[str, Any]]) -> list[GateLine]:
    """The gates of a stored verdict.

    One that was written before gates said in words what they measured is told by its numbers.
    """
    return [_line(gate) for gate in gates]


def failed_gates(gates: Iterable[Mapping[str, Any]]) -> list[str]:
    """Names of the gates that speak against a promotion."""
    return [line.name for line in gate_lines(gates) if line.result == FAILED]


def _line(gate: Mapping[str, Any]) -> GateLine:
    return GateLine(
        name=str(gate["name"]),
        measured=gate.get("measured") or _number(gate.get("value")) + _interval(gate.get("interval")),
        required=gate.get("required") or _number(gate.get("threshold")),
        result=(PASSED if gate["passed"] else FAILED) if gate.get("decides", True) else INFORMATION,
        explanation=str(gate.get("explanation") or ""),
        rows=_rows(gate.get("rows")),
        parts=tuple(_part(part) for part in gate.get("parts") or ()),
    )


def _part(part: Mapping[str, Any]) -> PartLine:
    positives = part.get("positives")
    name = part["name"] if positives is None else f"{part['name']}, {positives:,} frauds"
    return PartLine(name, part["measured"], part["passed"])


def _rows(rows: Mapping[str, Any] | None) -> str:
    if not rows or not rows["n"]:
        return ""
    span = rows["first"] if rows["first"] == rows["last"] else f"{rows['first']} to {rows['last']}"
    return f"{span}: {rows['n']:,} transactions, {rows['positives']:,} frauds"


def _number(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _interval(interval: Any) -> str:
    return f" [{_number(float(interval[0]))}, {_number(float(interval[1]))}]" if interval else ""
