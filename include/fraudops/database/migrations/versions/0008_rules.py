"""rules: hits that were raised, and whose hits are snoozed."""

import sqlalchemy as sa
from alembic import op

revision = "0008_rules"
down_revision = "0007_notice_claimed_by"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "rule_hit",
        sa.Column("portfolio", sa.String(64), primary_key=True),
        sa.Column("hit_id", sa.String(64), primary_key=True),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(256), nullable=False),
        sa.Column("partition_key", sa.String(16), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_rule_hit_partition_key", "rule_hit", ["partition_key"])
    op.create_table(
        "rule_snooze",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(256), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(256), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_rule_snooze_portfolio", "rule_snooze", ["portfolio"])


def downgrade() -> None:
    """Take back; the store still has the hits, and the ledger says who was snoozed."""
    op.drop_table("rule_snooze")
    op.drop_table("rule_hit")
