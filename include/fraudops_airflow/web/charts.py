"""Interactive charts: data for Plotly, with what they show in words; colours come from the page's theme."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup


@dataclass(frozen=True)
class Chart:
    """One chart.

    Attributes
    ----------
    id
        Of its element; unique on the page.
    label
        What it shows, in a sentence: read out instead of the picture.
    traces
        As Plotly takes them; a colour is written as ``"@accent"`` after a variable of the style sheet.
    layout
        What differs from the common layout (titles of axes, ranges).
    height
        In pixels.
    """

    id: str
    label: str
    traces: Sequence[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)
    height: int = 320

    @property
    def data(self) -> Markup:
        """The figure as JSON that may stand in a ``<script>`` element."""
        return script_json({"traces": list(self.traces), "layout": self.layout, "height": self.height})


def script_json(value: object) -> Markup:
    """JSON in which nothing can end the element or be taken for markup."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
