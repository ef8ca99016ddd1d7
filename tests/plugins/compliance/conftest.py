"""The bank of the tests of filings, behind the pages."""

from __future__ import annotations

from tests.filings.conftest import bank
from tests.filings.test_drafts import known

__all__ = ["bank", "known"]
