"""The tables. Every moment is an aware UTC timestamp; money is in minor units."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Declarative base; JSON columns are PostgreSQL's jsonb, moments carry their zone."""

    type_annotation_map = {dict[str, Any]: JSONB, list[Any]: JSONB, datetime: DateTime(timezone=True)}


class LedgerEntry(Base):
    """One link of the chain: what happened, who did it, and the digest of all that came before."""

    __tablename__ = "ledger"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    """Wall-clock time of the event (one of the two places where the wall clock is read)."""
    portfolio: Mapped[str] = mapped_column(String(64), index=True)
    actor: Mapped[str] = mapped_column(String(256))
    """Airflow user, or ``service:<workflow>``."""
    action: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(512))
    details: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    signature: Mapped[str] = mapped_column(String(64))


class LedgerHead(Base):
    """The chain's end; its one row is the lock that keeps the chain from forking."""

    __tablename__ = "ledger_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))


class ModelVersion(Base):
    """A trained candidate, ready to be compared. The digest decides whether its file may be loaded."""

    __tablename__ = "model_version"
    __table_args__ = (
        UniqueConstraint("portfolio", "number"),
        UniqueConstraint("portfolio", "run_id", "candidate"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64))
    number: Mapped[int] = mapped_column(Integer)
    run_id: Mapped[str] = mapped_column(String(250))
    candidate: Mapped[str] = mapped_column(String(64))
    as_of: Mapped[datetime]
    trained_until: Mapped[datetime]
    """No row at or after this moment was used in fitting, selecting, calibrating or gating."""
    artifact: Mapped[str] = mapped_column(Text)
    """Path in the store, below its root."""
    artifact_sha256: Mapped[str] = mapped_column(String(64))
    metrics: Mapped[dict[str, Any]]
    thresholds: Mapped[dict[str, Any]]
    lineage: Mapped[dict[str, Any]]
    """Digests of the partitions, configuration, code and seed it was made from."""
    created_at: Mapped[datetime]

    @property
    def version(self) -> str:
        """How people name it: ``v3``."""
        return f"v{self.number}"


class Verdict(Base):
    """What the comparison of a challenger with the champion found."""

    __tablename__ = "verdict"
    __table_args__ = (UniqueConstraint("portfolio", "run_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64))
    run_id: Mapped[str] = mapped_column(String(250))
    challenger_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    champion_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))
    outcome: Mapped[str] = mapped_column(String(16))
    """PROMOTE, HOLD or REJECT."""
    reason: Mapped[str] = mapped_column(Text)
    gates: Mapped[list[Any]]
    """A line per gate: name, value, interval, threshold, passed."""
    report: Mapped[str | None] = mapped_column(Text)
    """Path of the report page in the store."""
    as_of: Mapped[datetime]
    created_at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(16), default="training", server_default="training")
    """``training``: on the run's own test slice. ``shadow``: on live partitions that both have scored."""

    challenger: Mapped[ModelVersion] = relationship(foreign_keys=[challenger_id])
    champion: Mapped[ModelVersion | None] = relationship(foreign_keys=[champion_id])


class PromotionRecord(Base):
    """Who made which version the champion, when, and why. Never updated: the latest one counts."""

    __tablename__ = "promotion"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    previous_id: Mapped[int | None] = mapped_column(ForeignKey("model_version.id"))
    verdict_id: Mapped[int | None] = mapped_column(ForeignKey("verdict.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    """``promotion`` or ``rollback``."""
    effective_from: Mapped[datetime]
    """First ``as_of`` at which it is in force: never before a partition that another champion scored."""
    approved_by: Mapped[str] = mapped_column(String(256))
    reason: Mapped[str] = mapped_column(Text)
    promoted_at: Mapped[datetime]
    ledger_number: Mapped[int] = mapped_column(ForeignKey("ledger.number"))

    model: Mapped[ModelVersion] = relationship(foreign_keys=[model_id])


class Shadow(Base):
    """A challenger that scores live partitions beside the champion, and on which nothing acts."""

    __tablename__ = "shadow"
    __table_args__ = (
        # One at a time: a partition has one shadow, and what it is compared on is told apart by time alone.
        Index("uq_shadow_running", "portfolio", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64), index=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    days: Mapped[int] = mapped_column(Integer)
    starts_at: Mapped[datetime]
    """Partitions that start at or after it, and end at or before ``ends_at``, are scored."""
    ends_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(256))
    reason: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(256))
    outcome: Mapped[str | None] = mapped_column(String(16))
    """How it ended: ``compared``, ``stopped`` by a person, ``promoted`` in the meantime."""
    verdict_id: Mapped[int | None] = mapped_column(ForeignKey("verdict.id"))

    model: Mapped[ModelVersion] = relationship()
    verdict: Mapped[Verdict | None] = relationship()


class Alert(Base):
    """A transaction that somebody should look at."""

    __tablename__ = "alert"
    __table_args__ = (
        UniqueConstraint("portfolio", "transaction_id"),
        Index("ix_alert_partition", "portfolio", "partition_key"),
        # People search for a transaction without saying in which portfolio.
        Index("ix_alert_transaction", "transaction_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64))
    partition_key: Mapped[str] = mapped_column(String(16))
    transaction_id: Mapped[str] = mapped_column(String(256))
    event_time: Mapped[datetime]
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    """None where transactions have no amount."""
    minor_digits: Mapped[int] = mapped_column(Integer)
    currency: Mapped[str] = mapped_column(String(8))
    score: Mapped[float] = mapped_column(Float)
    decision: Mapped[str] = mapped_column(String(16))
    """``review`` or ``block``."""
    route: Mapped[str] = mapped_column(String(16), server_default="policy")
    """``policy``; ``passed_block`` or ``sample`` where chance decided, see ``fraudops.decisions.exploration``."""
    reasons: Mapped[list[Any]]
    """Sentences, the weightiest first."""
    explanation: Mapped[dict[str, Any] | None]
    """The same as data, see :class:`fraudops.explanation.Explanation`; None where it was raised without."""
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    as_of: Mapped[datetime]
    created_at: Mapped[datetime]

    model: Mapped[ModelVersion] = relationship()


class Notice(Base):
    """The outbox: an e-mail that must be received. Queued in the transaction of what it tells about."""

    __tablename__ = "notice"
    __table_args__ = (Index("ix_notice_state", "state", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    """``digest``, ``immediate``, ``validation_failure``, ``verdict``, ``promotion`` …"""
    dedupe_key: Mapped[str] = mapped_column(String(400), unique=True)
    """A step that runs again queues nothing new."""
    message_id: Mapped[str] = mapped_column(String(250), unique=True)
    """The same in every attempt, so that a mail client shows a repeated delivery once."""
    recipients: Mapped[list[Any]]
    sender: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(String(400))
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    """``waiting``, ``sending``, ``sent``, ``uncertain``, ``rejected``."""
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    as_of: Mapped[datetime]
    queued_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    """While this lies ahead, another sender keeps its hands off."""
    claimed_by: Mapped[str | None] = mapped_column(Text)
    """Who sends it, such as the task; when the same one comes again, its earlier try is dead."""

    deliveries: Mapped[list[Delivery]] = relationship(order_by="Delivery.id")
    attachments: Mapped[list[NoticeAttachment]] = relationship(
        order_by="NoticeAttachment.place", cascade="all, delete-orphan", passive_deletes=True
    )


class NoticeAttachment(Base):
    """A file that a notice brings: where it lies in the store, and the digest by which it is known again."""

    __tablename__ = "notice_attachment"

    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    """Its place among the notice's files, from 0."""
    name: Mapped[str] = mapped_column(String(200))
    """What it is called in the mail."""
    media_type: Mapped[str] = mapped_column(String(100))
    path: Mapped[str] = mapped_column(Text)
    """In the store, below its root."""
    size: Mapped[int] = mapped_column(BigInteger)
    """Bytes."""
    sha256: Mapped[str] = mapped_column(String(64))


class Delivery(Base):
    """One attempt to deliver a notice, and how it ended."""

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notice.id"), index=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(String(16))
    """``started``, ``sent``, ``refused`` (nothing was delivered, worth another attempt), ``rejected`` (the server
    refuses it for good), ``uncertain``."""
    accepted: Mapped[list[Any]] = mapped_column(default=list)
    """Recipients for whom the server took the notice over."""
    refused: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Recipients whom the server refuses for good → its reply."""
    detail: Mapped[str] = mapped_column(Text, default="")


class LegalHold(Base):
    """Partitions that retention must not touch until somebody releases them."""

    __tablename__ = "legal_hold"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64), index=True)
    first_key: Mapped[str] = mapped_column(String(16))
    last_key: Mapped[str] = mapped_column(String(16))
    """First and last partition that are held, both included."""
    transactions: Mapped[list[Any]]
    """Ids for the sake of which they are held; empty where the partitions themselves were named."""
    reason: Mapped[str] = mapped_column(Text)
    placed_by: Mapped[str] = mapped_column(String(256))
    placed_at: Mapped[datetime]
    released_by: Mapped[str | None] = mapped_column(String(256))
    release_reason: Mapped[str | None] = mapped_column(Text)
    released_at: Mapped[datetime | None]


class RuleHit(Base):
    """A hit of a rule that was raised, once, however many partitions find it; the store explains it."""

    __tablename__ = "rule_hit"

    portfolio: Mapped[str] = mapped_column(String(64), primary_key=True)
    hit_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    rule: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(256))
    """Customer or account, as it is stored."""
    partition_key: Mapped[str] = mapped_column(String(16), index=True)
    """Partition that raised it."""
    as_of: Mapped[datetime]
    raised_at: Mapped[datetime]


class RuleSnooze(Base):
    """Nobody is told of a rule's hits of one subject for a while; they are kept and marked."""

    __tablename__ = "rule_snooze"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64), index=True)
    rule: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(256))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    """Hits of partitions that end after ``starts_at`` and at or before this are snoozed."""
    reason: Mapped[str] = mapped_column(Text)
    placed_by: Mapped[str] = mapped_column(String(256))
    placed_at: Mapped[datetime]
