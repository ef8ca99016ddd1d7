"""Explanations that differ by rounding alone are the same; in anything else they are not."""

from __future__ import annotations

from typing import Any

import pytest
from fraudops.explanation.alike import alike

RECORDED = {"base": -3.25, "reasons": [{"text": "much", "contribution": 1.5, "columns": [{"value": 7, "usual": None}]}]}


def _put(old: Any, path: list[Any], value: Any) -> Any:
    if not path:
        return value
    copy = old.copy()
    copy[path[0]] = _put(old[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize(
    ("path", "value", "same"),
    [
        ([], RECORDED, True),
        (["base"], -3.250_006, True),
        (["base"], -3.2501, False),
        (["reasons", 0, "text"], "more", False),
        (["reasons", 0, "columns", 0, "value"], 8, False),
        (["reasons", 0, "columns", 0, "usual"], 0, False),
        (["reasons"], [], False),
        (["base"], "-3.25", False),
        ([], {**RECORDED, "rest": 0.0}, False),
    ],
)
def test_alike(path: list[Any], value: Any, same: bool) -> None:
    assert alike(RECORDED, _put(RECORDED, path, value)) is same
