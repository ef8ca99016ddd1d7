"""shadow: challengers that score beside the champion, and verdicts on what they scored."""

import sqlalchemy as sa
from alembic import op

revision = "0003_shadow"
down_revision = "0002_alert_without_amount"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("verdict", sa.Column("kind", sa.String(16), nullable=False, server_default="training"))
    op.create_table(
        "shadow",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("portfolio", sa.String(64), nullable=False),
        sa.Column("model_id", sa.Integer(), sa.ForeignKey("model_version.id"), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(256), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("ended_by", sa.String(256)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("verdict_id", sa.Integer(), sa.ForeignKey("verdict.id")),
    )
    op.create_index("ix_shadow_portfolio", "shadow", ["portfolio"])
    op.create_index(
        "uq_shadow_running", "shadow", ["portfolio"], unique=True, postgresql_where=sa.text("ended_at IS NULL")
    )


def downgrade() -> None:
    """Take back; what shadows found is lost, and their verdicts with it."""
    op.drop_table("shadow")
    op.execute("DELETE FROM verdict WHERE kind = 'shadow'")
    op.drop_column("verdict", "kind")
