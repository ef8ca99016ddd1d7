"""What behaviour is measured by: one declaration per aggregate, and nothing else to change for another one.

A declaration is a name, a few facts (is it money, does it need labels, how far back does it look) and a formula over a
:class:`~fraudops.aggregates.view.View`. Formulas say *what* is counted; how it is counted fast is the business of the
engine (:mod:`fraudops.features.engine`). Nothing here imports NumPy: the names are needed where DAG files are parsed.

``docs/features.md`` has the recipe for a new one, and what each of these means.
"""

from fraudops.aggregates import amounts, frauds, payments, timing
from fraudops.aggregates.declaration import AGGREGATES, Aggregate, Unit, aggregate
from fraudops.aggregates.view import Frauds, Span, View

__all__ = [
    "AGGREGATES",
    "Aggregate",
    "Frauds",
    "Span",
    "Unit",
    "View",
    "aggregate",
    "amounts",
    "frauds",
    "payments",
    "timing",
]
