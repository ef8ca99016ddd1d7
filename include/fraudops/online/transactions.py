"""The transaction, under the name of this room; it is made where it comes in (:mod:`fraudops.intake.single`)."""

from fraudops.intake.transaction import Transaction

__all__ = ["Transaction"]
