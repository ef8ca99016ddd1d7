"""What a model sees of a single transaction, as it happens: the portfolio's features from what its entities did before.

The batch (:mod:`fraudops.features`) computes the same columns over whole partitions. Both have one declaration each of
what is counted (:mod:`fraudops.aggregates`), and agree to the last bit on what had arrived.
"""

from fraudops.online.transactions import Transaction

__all__ = ["Transaction"]
