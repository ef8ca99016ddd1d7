"""What is known beside the transactions: customers, watch lists, holidays, rates; each as of a moment."""

from fraudops.reference.reading import customers, holidays, identities, manifests, rates, watchlist
from fraudops.reference.schemas import IDENTITY, SCHEMAS, stored_schema

__all__ = [
    "IDENTITY",
    "SCHEMAS",
    "customers",
    "holidays",
    "identities",
    "manifests",
    "rates",
    "stored_schema",
    "watchlist",
]
