"""Business days: on which one does a moment fall, for the bank's books?

Cash that comes in at night, over a weekend or on a holiday is treated as received on the next business day (31 CFR
1010.313(b)); a bank's business day is the day on which it posts a transaction to the customer's account (31 CFR
1010.100(d)). So a day here ends at the bank's cutoff in its own time zone, and what comes later belongs to the next
one. That holds for cash out as well, because the posting day does.

Holidays come from a feed: the Federal Reserve's are kept as they are observed. One that falls on a Sunday is observed
on Monday; one on a Saturday is not moved, and the Friday before it is a business day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from fraudops.errors import ContractError

Days = npt.NDArray[np.datetime64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class BusinessCalendar:
    """Weekends, holidays and the cutoff of a bank.

    Attributes
    ----------
    timezone
        Name of the time zone in which the bank's days are counted.
    cutoff
        Local time. A transaction at the cutoff itself belongs to that day, one after it to the next business day.
    holidays
        Days on which the bank is closed, beside Saturdays and Sundays.

    Examples
    --------
    >>> calendar = BusinessCalendar("America/New_York", time(18), frozenset({date(2026, 1, 1)}))
    >>> str(calendar.business_day(datetime(2025, 12, 31, 23, 30, tzinfo=UTC)))  # 18:30 in New York, before a holiday
    '2026-01-02'
    """

    timezone: str
    cutoff: time
    holidays: frozenset[date] = frozenset()

    @classmethod
    def of(cls, holidays: pa.Table, *, jurisdiction: str, timezone: str, cutoff: time) -> BusinessCalendar:
        """The calendar that the holidays known at a moment make.

        Parameters
        ----------
        holidays
            The columns ``date`` and ``jurisdiction``; those of other jurisdictions do not count.
        """
        days, places = (holidays[name].to_pylist() for name in ("date", "jurisdiction"))
        chosen = frozenset(day for day, place in zip(days, places, strict=True) if place == jurisdiction)
        return cls(timezone, cutoff, chosen)

    @property
    def years(self) -> frozenset[int]:
        """Years of which a holiday is known; in any other a business day is a guess."""
        return frozenset(day.year for day in self.holidays)

    def is_business_day(self, day: date) -> bool:
        """Whether a day is neither a Saturday, nor a Sunday, nor a holiday."""
        return bool(np.is_busday(np.datetime64(day, "D"), busdaycal=self._calendar))

    def business_day(self, moment: datetime) -> date:
        """The business day to which an aware moment belongs.

        Raises
        ------
        ContractError
            The moment has no time zone.
        """
        if moment.tzinfo is None:
            raise ContractError("a moment without a time zone has no business day", where=moment.isoformat())
        found: date = self.business_days(np.array([(moment - _EPOCH) // _MICROSECOND]))[0].item()
        return found

    def business_days(self, moments: npt.NDArray[np.int64]) -> Days:
        """The business days to which moments belong.

        Parameters
        ----------
        moments
            Microseconds since 1970, UTC; any number of them.

        Returns
        -------
        ndarray
            Days (``datetime64[D]``), one for each moment.
        """
        local = self._local(moments)
        days = local.astype("datetime64[D]")
        late = local - days > self._cutoff
        return self.on_or_after(days + late.astype("timedelta64[D]"))

    def local_days(self, moments: npt.NDArray[np.int64]) -> Days:
        """The calendar days (``datetime64[D]``) on which moments (microseconds since 1970, UTC) lie locally."""
        return self._local(moments).astype("datetime64[D]")

    def on_or_after(self, days: Days) -> Days:
        """Each day itself where it is a business day, else the next one."""
        rolled: Days = np.busday_offset(days, 0, roll="forward", busdaycal=self._calendar)
        return rolled

    def following(self, day: date, count: int) -> date:
        """The ``count``-th business day after a day; a negative number looks back."""
        roll = "backward" if count > 0 else "forward"
        found: date = np.busday_offset(day, count, roll=roll, busdaycal=self._calendar).item()  # type: ignore[call-overload]
        return found

    def between(self, first: date, last: date) -> list[date]:
        """Business days from the first day to the last, both included."""
        days = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + 1)
        return list(days[np.is_busday(days, busdaycal=self._calendar)].tolist())

    def count_between(self, first: date, last: date) -> int:
        """How many business days lie from the first day to the last, both included."""
        return int(np.busday_count(first, last + _DAY, busdaycal=self._calendar))

    def span(self, day: date) -> tuple[datetime, datetime]:
        """The moments (UTC) after which and until which a transaction belongs to a business day.

        Raises
        ------
        ContractError
            The day is no business day.
        """
        if not self.is_business_day(day):
            raise ContractError("nothing belongs to a day that is no business day", where=day.isoformat())
        return self._end(self.following(day, -1)), self._end(day)

    def _local(self, moments: npt.NDArray[np.int64]) -> npt.NDArray[np.datetime64]:
        utc = pd.DatetimeIndex(np.asarray(moments, dtype="datetime64[us]")).tz_localize("UTC")
        return utc.tz_convert(ZoneInfo(self.timezone)).tz_localize(None).to_numpy().astype("datetime64[us]")

    def _end(self, day: date) -> datetime:
        return datetime.combine(day, self.cutoff, tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)

    @cached_property
    def _cutoff(self) -> np.timedelta64:
        return np.timedelta64(timedelta(hours=self.cutoff.hour, minutes=self.cutoff.minute, seconds=self.cutoff.second))

    @cached_property
    def _calendar(self) -> np.busdaycalendar:
        return np.busdaycalendar(holidays=sorted(self.holidays))
