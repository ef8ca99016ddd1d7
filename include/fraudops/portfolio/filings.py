"""The section ``filings`` of a portfolio: for which time clocks are kept, and what a report says of the bank."""

from __future__ import annotations

from datetime import date
from typing import Literal

from fraudops.portfolio.strict import Strict


class Institution(Strict):
    """What a draft says of the bank that files; what is left out, a person completes."""

    name: str | None = None
    """Legal name."""
    tax_number: str | None = None
    """EIN, in the US."""
    regulator: str | None = None
    """Primary federal regulator."""
    rssd: str | None = None
    """RSSD number of the institution or the branch."""
    address: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    contact_office: str | None = None
    contact_phone: str | None = None


class Filings(Strict):
    """Clocks of what must be reported by a day, and drafts of the reports (``docs/filings.md``)."""

    since: date | Literal["loaded"] | None = None
    """Business days before it were reported elsewhere: their hits start no clock. ``loaded``: what was due before the
    portfolio's first data came in was. Null: every hit starts one."""
    continuing: bool = True
    """Whether a filing starts the clock of activity that may go on; the guidance is an offer."""
    institution: Institution = Institution()
