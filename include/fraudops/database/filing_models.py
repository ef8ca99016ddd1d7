"""Tables of what must be reported by a day. Confidential: only the room ``filings`` reads them; nothing tells of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Date, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fraudops.database.models import Base


class Filing(Base):
    """A report that is due, with its clock. A row is never removed, and what has changed is in its events."""

    __tablename__ = "filing"
    __table_args__ = (
        UniqueConstraint("portfolio", "origin"),
        Index("ix_filing_open", "portfolio", "state", "due_on"),
        Index("ix_filing_case_id", "case_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64))
    # Without a cascade: a case with a clock cannot be deleted.
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"))
    kind: Mapped[str] = mapped_column(String(16))
    """``sar``, ``ctr``, ``sar_continuing``."""
    origin: Mapped[str] = mapped_column(String(400))
    """What started it, so that it is started once: an escalation, a person's business day, a filing."""
    subject_kind: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(256))
    trigger_on: Mapped[date] = mapped_column(Date)
    """Day that its days are counted from."""
    suspect_known: Mapped[bool | None] = mapped_column(Boolean)
    """Whether a suspect was identified; None where that makes no difference."""
    review_on: Mapped[date | None] = mapped_column(Date)
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(16))
    """``due``, ``drafted``, ``filed``, ``not_required``."""
    filed_on: Mapped[date | None] = mapped_column(Date)
    """Day on which a person filed it, or decided that it need not be filed."""
    filed_by: Mapped[str | None] = mapped_column(String(256))
    reference: Mapped[str | None] = mapped_column(String(64))
    """Number that the authority gave."""
    reason: Mapped[str | None] = mapped_column(Text)
    """Why it need not be filed."""
    keep_until: Mapped[date | None] = mapped_column(Date)
    """Until when what supports it is kept; None: it is not filed yet, or need not be."""
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("filing.id"))
    created_at: Mapped[datetime]

    events: Mapped[list[FilingEvent]] = relationship(order_by="FilingEvent.id")


class FilingEvent(Base):
    """One line of a filing's history. Never updated."""

    __tablename__ = "filing_event"
    __table_args__ = (UniqueConstraint("escalation_id"), Index("ix_filing_event_filing_id", "filing_id", "id"))

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    filing_id: Mapped[int] = mapped_column(ForeignKey("filing.id"))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(256))
    kind: Mapped[str] = mapped_column(String(24))
    """``started``, ``recorded_again``, ``amended``, ``drafted``, ``filed``, ``not_required``, ``corrected``."""
    escalation_id: Mapped[int | None] = mapped_column(ForeignKey("escalation.id"))
    """The escalation that it took in; each is taken in once."""
    details: Mapped[dict[str, Any]]


class FilingDraft(Base):
    """A version of the documents that a person reviews; the bytes lie encrypted in the store."""

    __tablename__ = "filing_draft"
    __table_args__ = (UniqueConstraint("filing_id", "version"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    filing_id: Mapped[int] = mapped_column(ForeignKey("filing.id"))
    version: Mapped[int] = mapped_column(Integer)
    as_of: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(256))
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the JSON form, before encryption."""
    created_at: Mapped[datetime]


class ClockWarning(Base):
    """What people were told of a clock, so that they are told once."""

    __tablename__ = "clock_warning"

    portfolio: Mapped[str] = mapped_column(String(64), primary_key=True)
    clock: Mapped[str] = mapped_column(String(64), primary_key=True)
    """``filing/<id>`` or ``case/<number>``."""
    due_on: Mapped[date] = mapped_column(Date, primary_key=True)
    stage: Mapped[str] = mapped_column(String(24), primary_key=True)
    """Days before the last one, or ``overdue`` with the day."""
    on: Mapped[date] = mapped_column(Date)
