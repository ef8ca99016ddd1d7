"""An office for the bank of tests/decisions."""

from tests.decisions.conftest import bank

__all__ = ["bank"]
