"""What a formula may ask about an entity. Everything it can reach lies before the row, or was known by then.

An engine implements these protocols; arrays have one value per row that is asked for, and know arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Array = Any
"""Numbers, one per row that is asked for."""
Column = Any
"""Whole numbers, one per payment of the entity: what a :class:`Span` can add up."""


class Span(Protocol):
    """A stretch of an entity's payments, one stretch per row; payments of one moment are in the order of their ids."""

    @property
    def count(self) -> Array:
        """How many payments."""

    def total(self, column: Column) -> Array:
        """Sum of a column, exact."""

    def largest(self, column: Column) -> Array:
        """Maximum of a column; the span must not be empty."""

    def smallest(self, column: Column) -> Array:
        """Minimum of a column; the span must not be empty."""

    def deviation(self, column: Column) -> Array:
        """Standard deviation of the sample; missing for fewer than two payments."""

    @property
    def since_last(self) -> Array:
        """Seconds from the span's last payment to the row; missing where the span is empty."""

    @property
    def since_first(self) -> Array:
        """Seconds from the span's first payment to the row; missing where the span is empty."""


class Frauds(Protocol):
    """Frauds of an entity of which the report began to count in the window before each row.

    A report counts from the moment it was known, and never before one label delay has passed since the payment.
    """

    @property
    def count(self) -> Array:
        """How many."""

    @property
    def amount(self) -> Array:
        """Their amounts together."""

    @property
    def since_latest(self) -> Array:
        """Seconds since the payment of the latest of them; missing where there is none."""

    @property
    def since_report(self) -> Array:
        """Seconds since the newest of these reports began to count; missing where there is none."""


class View(Protocol):
    """An entity's history as the rows that are asked for see it."""

    @property
    def amount(self) -> Array:
        """Amount of the row itself."""

    @property
    def amounts(self) -> Column:
        """Amounts in minor units."""

    @property
    def nights(self) -> Column:
        """1 for a payment at night, else 0."""

    @property
    def weekends(self) -> Column:
        """1 for a payment at a weekend, else 0."""

    def payments(self, window: int) -> Span:
        """Payments less than a window old, the row itself the last of them."""

    def earlier(self, window: int) -> Span:
        """Payments less than a window old, without the row itself."""

    def matured(self, window: int) -> Span:
        """Payments of the window that ended one label delay ago: what is fraud among them should be known."""

    def frauds(self, window: int) -> Frauds:
        """Frauds that became known within a window."""

    def fraud_streak(self, window: int) -> Span:
        """The latest payments of ``matured(window)``, as far back as all of them are known to be fraud; often none.

        Without a delay, payments of the row's own moment are left out: nothing is known of them yet.
        """

    def distinct(self, window: int) -> Array:
        """How many different others (``of``) occur among ``payments(window)``."""

    @property
    def everyone(self) -> View:
        """All entities together, as the same rows see them."""

    def marked(self, name: str, window: int, which: Callable[[View, int], Array]) -> Column:
        """1 for each payment for which something held at its own moment, else 0.

        Parameters
        ----------
        name
            Of what is asked: the answer for a name and a window is kept.
        """

    def over(self, numerator: Array, denominator: Array) -> Array:
        """A quotient; missing where the denominator is not positive."""

    def larger(self, first: Array, second: Array | float) -> Array:
        """The larger of two values; missing where one is."""
