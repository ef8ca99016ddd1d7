"""Two versions side by side at one threshold: the numbers that the slider moves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from markupsafe import Markup

from fraudops_airflow.web.charts import script_json
from fraudops_airflow.web.models.curves import Curve, Operating, Pair
from fraudops_airflow.web.models.measures import money

By = Literal["score", "alerts"]
NOTHING = "–"


@dataclass(frozen=True)
class Chosen:
    """Where the slider stands."""

    by: By
    """The same score for both, or the same number of alerts a day."""
    at: float

    @classmethod
    def read(cls, pair: Pair, by: str, at: str) -> Chosen:
        """From the page's address; what does not make sense there is where the second version's own policy stands."""
        kind: By = "alerts" if by == "alerts" else "score"
        try:
            value = float(at)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            value = pair.second.rows.budget_a_day if kind == "alerts" else pair.second.review
        return cls(kind, value)

    def of(self, curve: Curve) -> Operating:
        """What it means for one version."""
        return curve.at_alerts(self.at) if self.by == "alerts" else curve.at_score(self.at)

    @property
    def text(self) -> str:
        """As a field shows it."""
        return f"{self.at:.6g}"


@dataclass(frozen=True)
class Row:
    """One number of both, and the second's less the first's."""

    key: str
    name: str
    first: str
    second: str
    difference: str


@dataclass(frozen=True)
class SideBySide:
    """The comparison at one threshold, and with the thresholds that each version has."""

    pair: Pair
    chosen: Chosen
    at: tuple[Operating, Operating]
    rows: tuple[Row, ...]
    own: tuple[Row, ...]

    @property
    def data(self) -> Markup:
        """What the slider works with in the browser."""
        return script_json(
            {
                "by": self.chosen.by,
                "at": self.chosen.at,
                "unit": 10**self.pair.file.minor_digits,
                "same": self.pair.same_rows,
                "curves": [_table(curve) for curve in (self.pair.first, self.pair.second)],
            }
        )


def side_by_side(pair: Pair, chosen: Chosen) -> SideBySide:
    """Both versions at what was chosen."""
    at = (chosen.of(pair.first), chosen.of(pair.second))
    own = (pair.first.as_decided(), pair.second.as_decided())
    return SideBySide(pair, chosen, at, _rows(pair, *at), _rows(pair, *own))


# -- inside ---------------------------------------------------------------------------------------------


def _table(curve: Curve) -> dict[str, Any]:
    rows = curve.rows
    return {
        "threshold": list(curve.threshold),
        "flagged": list(curve.flagged),
        "caught": list(curve.caught),
        "caught_minor": list(curve.caught_minor) if curve.caught_minor is not None else None,
        "cost_minor": list(curve.cost_minor) if curve.cost_minor is not None else None,
        "n": rows.n,
        "positives": rows.positives,
        "days": rows.days,
        "fraud_minor": rows.fraud_minor,
        "allowing_minor": rows.cost_allowing_minor,
        "without_minor": rows.without_minor,
    }


def _rows(pair: Pair, first: Operating, second: Operating) -> tuple[Row, ...]:
    digits, currency = pair.file.minor_digits, pair.file.currency

    def line(key: str, name: str, form: Callable[[float], str], *, differs: bool = True) -> Row:
        one, other = getattr(first, key), getattr(second, key)
        said = [NOTHING if value is None else form(value) for value in (one, other)]
        difference = NOTHING
        if differs and pair.same_rows and one is not None and other is not None:
            sign = "+" if other > one else "−" if other < one else "±"
            # Shares differ by points, not by per cent of themselves.
            difference = f"{sign}{form(abs(other - one)).replace('%', ' points')}"
        return Row(key, name, *said, difference)

    found = [
        line("threshold", "Score from which on is reviewed", lambda value: f"{value:.4g}", differs=False),
        line("alerts_a_day", "Alerts a day", lambda value: f"{value:,.1f}"),
        line("precision", "Precision: alerts that are fraud", lambda value: f"{value:.1%}"),
        line("recall", "Recall: frauds that are found", lambda value: f"{value:.1%}"),
    ]
    unit = f", {currency}" if currency else ""
    whole = [
        ("missed_minor", f"Lost to frauds that are missed{unit}"),
        ("cost_minor", f"Cost: losses, reviews, friction{unit}"),
        ("saved_minor", f"Saved beside no model{unit}"),
    ]
    return (
        *found,
        *(
            line(key, name, lambda value: money(value, digits, ""))
            for key, name in whole
            if getattr(second, key) is not None
        ),
    )
