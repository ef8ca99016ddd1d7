"""online: behaviour of entities, decisions made at once, keys of the scoring service."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0015_online"
down_revision = "0014_alert_search"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _online_portfolio()
    _online_payment()
    _online_report()
    _online_seed()
    _online_decision()
    _online_record()
    _api_key()
    _idempotency_key()


def downgrade() -> None:
    """Take back."""
    for table in (
        "idempotency_key",
        "api_key",
        "online_record",
        "online_decision",
        "online_seed",
        "online_report",
        "online_payment",
        "online_portfolio",
    ):
        op.drop_table(table)


def _online_portfolio() -> None:
    op.create_table(
        "online_portfolio",
        sa.Column("portfolio", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
    )


def _online_payment() -> None:
    op.create_table(
        "online_payment",
        sa.Column("entity", sa.LargeBinary(), primary_key=True),
        sa.Column("event_time", sa.BigInteger(), primary_key=True),
        sa.Column("transaction_id", sa.String(256, collation="C"), primary_key=True),
        sa.Column("portfolio", sa.String(64, collation="C"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("others", JSONB()),
        sa.Column("number", sa.BigInteger()),
    )
    op.create_index("ix_online_payment_time", "online_payment", ["portfolio", "event_time"])
    op.create_index(
        "ix_online_payment_number",
        "online_payment",
        ["portfolio", "number"],
        postgresql_where=sa.text("number is not null"),
    )


def _online_report() -> None:
    op.create_table(
        "online_report",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("entity", sa.LargeBinary(), nullable=False),
        sa.Column("event_time", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", sa.String(256), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("known_at", sa.BigInteger(), nullable=False),
        sa.Column("fraud", sa.Boolean()),
    )
    op.create_index("ix_online_report_entity", "online_report", ["entity"])
    op.create_index("ix_online_report_transaction", "online_report", ["portfolio", "transaction_id"])


def _online_seed() -> None:
    op.create_table(
        "online_seed",
        sa.Column("portfolio", sa.String(64), primary_key=True),
        sa.Column("dataset", sa.String(64), primary_key=True),
        sa.Column("partition_key", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
    )


def _online_decision() -> None:
    op.create_table(
        "online_decision",
        sa.Column("portfolio", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger(), primary_key=True),
        sa.Column("decision_id", sa.String(40), unique=True, nullable=False),
        sa.Column("transaction_id", sa.String(256), nullable=False),
        sa.Column("partition_key", sa.String(16), nullable=False),
        sa.Column("event_time", MOMENT, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("content", sa.String(64), nullable=False),
        sa.Column("row", JSONB(), nullable=False),
        sa.Column("raw", sa.LargeBinary()),
        sa.Column("features", ARRAY(sa.Float(53)), nullable=False),
        sa.Column("config", sa.String(64), nullable=False),
        sa.Column("model_id", sa.Integer(), sa.ForeignKey("model_version.id"), nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("route", sa.String(16), nullable=False),
        sa.Column("propensity", sa.Float(53), nullable=False),
        sa.Column("reasons", JSONB(), nullable=False),
        sa.Column("explanation", JSONB()),
        sa.Column("degraded", JSONB(), nullable=False),
        sa.Column("followed_up", sa.Boolean(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
    )
    op.create_index("uq_online_decision_transaction", "online_decision", ["portfolio", "transaction_id"], unique=True)
    op.create_index("ix_online_decision_partition", "online_decision", ["portfolio", "partition_key"])
    op.create_index(
        "ix_online_decision_waiting",
        "online_decision",
        ["portfolio", "number"],
        postgresql_where=sa.text("not followed_up"),
    )


def _online_record() -> None:
    op.create_table(
        "online_record",
        sa.Column("portfolio", sa.String(64), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )


def _api_key() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("portfolios", JSONB(), nullable=False),
        sa.Column("scopes", JSONB(), nullable=False),
        sa.Column("per_second", sa.Integer()),
        sa.Column("created_by", sa.String(256), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("revoked_by", sa.String(256)),
        sa.Column("revoked_at", MOMENT),
    )


def _idempotency_key() -> None:
    op.create_table(
        "idempotency_key",
        sa.Column("api_key", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_idempotency_key_at", "idempotency_key", ["at"])
