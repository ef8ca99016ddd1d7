"""filings: clocks of what must be reported by a day, their history, drafts, and what people were told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010_filings"
down_revision = "0009_cases"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "filing",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("case_file.id")),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("origin", sa.String(400), nullable=False),
        sa.Column("subject_kind", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(256), nullable=False),
        sa.Column("trigger_on", sa.Date(), nullable=False),
        sa.Column("suspect_known", sa.Boolean()),
        sa.Column("review_on", sa.Date()),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("filed_on", sa.Date()),
        sa.Column("filed_by", sa.String(256)),
        sa.Column("reference", sa.String(64)),
        sa.Column("reason", sa.Text()),
        sa.Column("keep_until", sa.Date()),
        sa.Column("previous_id", sa.BigInteger(), sa.ForeignKey("filing.id")),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("portfolio", "origin"),
    )
    op.create_index("ix_filing_open", "filing", ["portfolio", "state", "due_on"])
    op.create_index("ix_filing_case_id", "filing", ["case_id"])
    op.create_table(
        "filing_event",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("filing_id", sa.BigInteger(), sa.ForeignKey("filing.id"), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), sa.ForeignKey("escalation.id")),
        sa.Column("details", JSONB(), nullable=False),
        sa.UniqueConstraint("escalation_id"),
    )
    op.create_index("ix_filing_event_filing_id", "filing_event", ["filing_id", "id"])
    op.create_table(
        "filing_draft",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("filing_id", sa.BigInteger(), sa.ForeignKey("filing.id"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("as_of", MOMENT, nullable=False),
        sa.Column("by", sa.String(256), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint("filing_id", "version"),
    )
    op.create_table(
        "clock_warning",
        sa.Column("portfolio", sa.String(64), primary_key=True),
        sa.Column("clock", sa.String(64), primary_key=True),
        sa.Column("due_on", sa.Date(), primary_key=True),
        sa.Column("stage", sa.String(24), primary_key=True),
        sa.Column("on", sa.Date(), nullable=False),
    )


def downgrade() -> None:
    """Take back; clocks start again from escalations and hits, what people recorded about them is lost."""
    for table in ("clock_warning", "filing_draft", "filing_event", "filing"):
        op.drop_table(table)
