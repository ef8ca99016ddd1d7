"""Tables of cases: what is investigated, by whom, with what finding. Every moment is an aware UTC timestamp."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fraudops.database.models import Base


class CaseFile(Base):
    """What is known to be worth an investigation about one subject, until it is closed."""

    __tablename__ = "case_file"
    __table_args__ = (
        UniqueConstraint("portfolio", "number"),
        # What comes in about a subject joins the case that is still open.
        Index(
            "uq_case_file_open",
            "portfolio",
            "subject_kind",
            "subject",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_case_file_work", "portfolio", "state", "priority"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(Integer)
    """Within the portfolio, from 1."""
    subject_kind: Mapped[str] = mapped_column(String(64))
    """An entity of the portfolio (``customer``, ``account`` …), or ``transaction``."""
    subject: Mapped[str] = mapped_column(String(256))
    """As it is stored: an id, or a token of a card or an account."""
    severity: Mapped[str] = mapped_column(String(16))
    """``info``, ``low``, ``medium``, ``high``, ``critical``; it never falls while the case is open."""
    priority: Mapped[float] = mapped_column(Float)
    """From 0; what is looked at first, see :mod:`fraudops.cases.priority`."""
    state: Mapped[str] = mapped_column(String(24))
    """``open``, ``in_review``, ``escalated``, ``closed_fraud``, ``closed_not_fraud``, ``closed_insufficient``."""
    assignee: Mapped[str | None] = mapped_column(String(256))
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    """Counts changes: who changes a case says which version they have seen."""
    opened_key: Mapped[str] = mapped_column(String(16))
    """Partition that opened it."""
    opened_as_of: Mapped[datetime]
    created_at: Mapped[datetime]
    due_on: Mapped[date | None] = mapped_column(Date)
    """Internal review deadline."""
    finding: Mapped[str | None] = mapped_column(String(16))
    """``fraud``, ``not_fraud``, ``insufficient``: of the last closing; None while it is open."""
    closed_by: Mapped[str | None] = mapped_column(String(256))
    closed_at: Mapped[datetime | None]
    proposed_finding: Mapped[str | None] = mapped_column(String(16))
    """What waits for a second pair of eyes."""
    proposed_by: Mapped[str | None] = mapped_column(String(256))
    proposed_at: Mapped[datetime | None]

    @property
    def name(self) -> str:
        """How people name it: ``cards-17``."""
        return f"{self.portfolio}-{self.number}"


class CaseItem(Base):
    """An alert or a rule's hit that was gathered, once: into a case, or into none because it is not worth one."""

    __tablename__ = "case_item"
    __table_args__ = (Index("ix_case_item_case_id", "case_id"),)

    portfolio: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    """``alert`` or ``hit``."""
    reference: Mapped[str] = mapped_column(String(64), primary_key=True)
    """Number of the alert, id of the hit."""
    case_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"))
    """None where it opens no case, and there was none to join."""
    partition_key: Mapped[str] = mapped_column(String(16))
    as_of: Mapped[datetime]
    severity: Mapped[str] = mapped_column(String(16))
    """What it says about the case's severity."""
    loss: Mapped[float] = mapped_column(Float)
    """Expected loss, in major units of money: score × amount of an alert."""
    added_at: Mapped[datetime]


class CaseEvent(Base):
    """One line of a case's timeline. Never updated."""

    __tablename__ = "case_event"
    __table_args__ = (Index("ix_case_event_case_id", "case_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"))
    version: Mapped[int] = mapped_column(Integer)
    """Version of the case once this had happened; a look changes none."""
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(256))
    kind: Mapped[str] = mapped_column(String(24))
    """``opened``, ``item_added``, ``assigned``, ``note``, ``state``, ``proposed``, ``attached``, ``looked_at`` …"""
    text: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]]


class CaseAttachment(Base):
    """A file that belongs to a case; its bytes lie encrypted in the store."""

    __tablename__ = "case_attachment"
    __table_args__ = (UniqueConstraint("case_id", "sha256"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"))
    name: Mapped[str] = mapped_column(String(256))
    media_type: Mapped[str] = mapped_column(String(128))
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes before encryption."""
    sha256: Mapped[str] = mapped_column(String(64))
    """Of the bytes before encryption."""
    path: Mapped[str] = mapped_column(Text)
    """Path in the store, below its root."""
    added_by: Mapped[str] = mapped_column(String(256))
    added_at: Mapped[datetime]


class Disposition(Base):
    """What closing a case says about one transaction; handed over, it is a label for training."""

    __tablename__ = "disposition"
    __table_args__ = (
        UniqueConstraint("case_id", "transaction_id", "reported_at"),
        Index("ix_disposition_waiting", "portfolio", postgresql_where=text("handed_over_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64))
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"))
    transaction_id: Mapped[str] = mapped_column(String(256))
    finding: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(256))
    reported_at: Mapped[datetime]
    handed_over_at: Mapped[datetime | None]
    """When it was written into the store; None: not yet."""


class Escalation(Base):
    """A person's finding that there may be a basis for a report. Confidential: nothing outside cases tells of it."""

    __tablename__ = "escalation"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("case_file.id"), index=True)
    detected_on: Mapped[date] = mapped_column(Date)
    """Day on which a named person first saw facts that may be a basis for a report."""
    suspect_known: Mapped[bool] = mapped_column(Boolean)
    by: Mapped[str] = mapped_column(String(256))
    at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)

    case: Mapped[CaseFile] = relationship()
