"""The tables behind scoring at once: what entities did, what was decided, and who may ask.

A portfolio's row in :class:`OnlinePortfolio` is the lock under which its transactions get their numbers, one after
the other: what a decision could know is what has a smaller number.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Float, ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fraudops.database.models import Base


class OnlinePortfolio(Base):
    """Where a portfolio's online state stands; its row is locked by whoever changes the state."""

    __tablename__ = "online_portfolio"

    portfolio: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    """Of the latest decision."""
    epoch: Mapped[int] = mapped_column(BigInteger)
    """Grows when something other than a decision changed the state: what a process remembers of it is then out of
    date."""


class OnlinePayment(Base):
    """A transaction as one of its entities remembers it: what the features of later ones are computed from."""

    __tablename__ = "online_payment"
    __table_args__ = (
        Index("ix_online_payment_time", "portfolio", "event_time"),
        Index("ix_online_payment_number", "portfolio", "number", postgresql_where=text("number is not null")),
    )

    entity: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    """Digest of the portfolio, the kind of the entity and the values that name it."""
    event_time: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """Microseconds since 1970, UTC."""
    transaction_id: Mapped[str] = mapped_column(String(256, collation="C"), primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64, collation="C"))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    others: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Other entities that aggregates of this kind count: name → value; none where nothing counts one."""
    number: Mapped[int | None] = mapped_column(BigInteger)
    """Of its decision; none for what the batch has brought."""


class OnlineReport(Base):
    """What became known of a transaction, as one of its entities remembers it."""

    __tablename__ = "online_report"
    __table_args__ = (
        Index("ix_online_report_entity", "entity"),
        Index("ix_online_report_transaction", "portfolio", "transaction_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    portfolio: Mapped[str] = mapped_column(String(64))
    entity: Mapped[bytes] = mapped_column(LargeBinary)
    """As in :class:`OnlinePayment`."""
    event_time: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[str] = mapped_column(String(256))
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    known_at: Mapped[int] = mapped_column(BigInteger)
    """Microseconds since 1970, UTC."""
    fraud: Mapped[bool | None] = mapped_column(Boolean)
    """None: whoever said it cannot say what it was."""


class OnlineSeed(Base):
    """A partition that the online state has taken over from the store."""

    __tablename__ = "online_seed"

    portfolio: Mapped[str] = mapped_column(String(64), primary_key=True)
    dataset: Mapped[str] = mapped_column(String(64), primary_key=True)
    partition_key: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))


class OnlineDecision(Base):
    """A transaction that was decided at once, and all that its decision rests on. Rows are never changed, but for
    what says that it has been followed up and told."""

    __tablename__ = "online_decision"
    __table_args__ = (
        Index("uq_online_decision_transaction", "portfolio", "transaction_id", unique=True),
        Index("ix_online_decision_partition", "portfolio", "partition_key"),
        Index(
            "ix_online_decision_waiting",
            "portfolio",
            "number",
            postgresql_where=text("not followed_up"),
        ),
    )

    portfolio: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """In the order in which the state saw the transactions; without gaps."""
    decision_id: Mapped[str] = mapped_column(String(40), unique=True)
    transaction_id: Mapped[str] = mapped_column(String(256))
    partition_key: Mapped[str] = mapped_column(String(16))
    event_time: Mapped[datetime]
    received_at: Mapped[datetime]
    amount_minor: Mapped[int | None] = mapped_column(BigInteger)
    content: Mapped[str] = mapped_column(String(64))
    """Keyed digest of what was said of the transaction: the same id with another content is another one's mistake."""
    row: Mapped[dict[str, Any]]
    """The columns that its partition stores."""
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The row as it was received, encrypted."""
    features: Mapped[list[float]] = mapped_column(ARRAY(Float(53)))
    """As they were then, in the order of the portfolio's features; not a number where missing."""
    config: Mapped[str] = mapped_column(String(64))
    """Digest of the configuration that the features depend on."""
    model_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    score: Mapped[float] = mapped_column(Float(53))
    decision: Mapped[str] = mapped_column(String(16))
    route: Mapped[str] = mapped_column(String(16))
    propensity: Mapped[float] = mapped_column(Float(53))
    reasons: Mapped[list[Any]]
    """Codes and sentences; empty for what is allowed."""
    explanation: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    degraded: Mapped[list[Any]]
    """What was away when it was decided."""
    followed_up: Mapped[bool] = mapped_column(Boolean)
    """Whether alert, notice and case of it were made; true at once for what is allowed."""
    told: Mapped[bool] = mapped_column(Boolean)
    """Whether people were told of it, at once or in a digest; true at once for what is allowed."""


class OnlineRecord(Base):
    """Up to which decision a portfolio's decisions are in the ledger; its row is locked by whoever follows them up."""

    __tablename__ = "online_record"

    portfolio: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]


class ApiKey(Base):
    """Who may ask the scoring service, and for what. The key itself is kept nowhere."""

    __tablename__ = "api_key"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    """Public part of the key."""
    name: Mapped[str] = mapped_column(String(128))
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the secret part, which has 256 bits of chance: nothing slower is needed."""
    portfolios: Mapped[list[Any]]
    """Empty: all of them."""
    scopes: Mapped[list[Any]]
    per_second: Mapped[int | None] = mapped_column(Integer)
    """Transactions; none: as the service says."""
    created_by: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_by: Mapped[str | None] = mapped_column(String(256))
    revoked_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """What a request with such a key was answered, for as long as it may come again."""

    __tablename__ = "idempotency_key"
    __table_args__ = (Index("ix_idempotency_key_at", "at"),)

    api_key: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    request: Mapped[str] = mapped_column(String(64))
    """Keyed digest of the body."""
    answer: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
