"""Holidays of the Federal Reserve, copied from its published schedule, not computed.

https://www.federalreserve.gov/aboutthefed/k8.htm: "For holidays falling on Saturday, Federal Reserve Banks and
Branches will be open the preceding Friday. For holidays falling on Sunday, all Federal Reserve Banks and Branches will
be closed the following Monday."

In the order of New Year, King, Washington, Memorial, Juneteenth, Independence, Labor, Columbus, Veterans, Thanksgiving,
Christmas. In 2026 Independence Day is a Saturday, in 2027 Juneteenth and Christmas are: the Fridays before are business
days. Independence Day 2027 is a Sunday, observed on Monday.
"""

from __future__ import annotations

from datetime import date

_PUBLISHED = """
2024: 01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25
2025: 01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25
2026: 01-01 01-19 02-16 05-25 06-19 07-04 09-07 10-12 11-11 11-26 12-25
2027: 01-01 01-18 02-15 05-31 06-19 07-05 09-06 10-11 11-11 11-25 12-25
"""
_YEARS = [line.split(": ") for line in _PUBLISHED.split("\n") if line]
HOLIDAYS = frozenset(date.fromisoformat(f"{year}-{day}") for year, days in _YEARS for day in days.split())
