"""legal hold: what retention must not remove."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006_legal_hold"
down_revision = "0005_alert_explanation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("first_key", sa.String(16), nullable=False),
        sa.Column("last_key", sa.String(16), nullable=False),
        sa.Column("transactions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.String(256), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.String(256)),
        sa.Column("release_reason", sa.Text()),
        sa.Column("released_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_legal_hold_portfolio", "legal_hold", ["portfolio"])


def downgrade() -> None:
    """Take back; the ledger still says what was held."""
    op.drop_table("legal_hold")
