"""cases: what is investigated, its items, timeline, attachments, dispositions and escalations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009_cases"
down_revision = "0008_rules"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _case_file()
    _case_item()
    _case_event()
    _case_attachment()
    _disposition()
    _escalation()


def downgrade() -> None:
    """Take back; dispositions that were handed over stay in the store."""
    for table in ("escalation", "disposition", "case_attachment", "case_event", "case_item", "case_file"):
        op.drop_table(table)


def _case_file() -> None:
    op.create_table(
        "case_file",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(256), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("priority", sa.Float(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("assignee", sa.String(256)),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("opened_key", sa.String(16), nullable=False),
        sa.Column("opened_as_of", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("finding", sa.String(16)),
        sa.Column("closed_by", sa.String(256)),
        sa.Column("closed_at", MOMENT),
        sa.Column("proposed_finding", sa.String(16)),
        sa.Column("proposed_by", sa.String(256)),
        sa.Column("proposed_at", MOMENT),
        sa.UniqueConstraint("portfolio", "number"),
    )
    op.create_index(
        "uq_case_file_open",
        "case_file",
        ["portfolio", "subject_kind", "subject"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_case_file_work", "case_file", ["portfolio", "state", "priority"])


def _case_item() -> None:
    op.create_table(
        "case_item",
        sa.Column("portfolio", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("reference", sa.String(64), primary_key=True),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("case_file.id")),
        sa.Column("partition_key", sa.String(16), nullable=False),
        sa.Column("as_of", MOMENT, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("loss", sa.Float(), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
    )
    op.create_index("ix_case_item_case_id", "case_item", ["case_id"])


def _case_event() -> None:
    op.create_table(
        "case_event",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("case_file.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("details", JSONB(), nullable=False),
    )
    op.create_index("ix_case_event_case_id", "case_event", ["case_id", "id"])


def _case_attachment() -> None:
    op.create_table(
        "case_attachment",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("case_file.id"), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("added_by", sa.String(256), nullable=False),
        sa.Column("added_at", MOMENT, nullable=False),
        sa.UniqueConstraint("case_id", "sha256"),
    )


def _disposition() -> None:
    op.create_table(
        "disposition",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("case_file.id"), nullable=False),
        sa.Column("transaction_id", sa.String(256), nullable=False),
        sa.Column("finding", sa.String(16), nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("reported_at", MOMENT, nullable=False),
        sa.Column("handed_over_at", MOMENT),
        sa.UniqueConstraint("case_id", "transaction_id", "reported_at"),
    )
    op.create_index(
        "ix_disposition_waiting",
        "disposition",
        ["portfolio"],
        postgresql_where=sa.text("handed_over_at IS NULL"),
    )


def _escalation() -> None:
    op.create_table(
        "escalation",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("case_file.id"), nullable=False),
        sa.Column("detected_on", sa.Date(), nullable=False),
        sa.Column("suspect_known", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("ix_escalation_case_id", "escalation", ["case_id"])
