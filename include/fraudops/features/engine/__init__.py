"""Computes aggregates with NumPy: binary searches for the windows, differences of running sums for what is in them.

Two properties are deliberate:

- **Order.** Rows come sorted by (event_time, transaction_id); a row sees itself and the rows before it in that order,
  and none after it, whatever their timestamps say. Ties are thereby defined.
- **Exactness.** Sums are sums of integers (minor units). They do not depend on where the history that was loaded
  begins, so a bulk load and ninety single days give the same bytes.
"""

from fraudops.features.engine.history import EntityHistory, History, Request
from fraudops.features.engine.reports import Reported

__all__ = ["EntityHistory", "History", "Reported", "Request"]
