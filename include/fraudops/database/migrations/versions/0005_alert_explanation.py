"""alert explanation: reasons as data, beside the sentences."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_alert_explanation"
down_revision = "0004_alert_route"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; alerts that were raised before have sentences alone."""
    op.add_column("alert", sa.Column("explanation", postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    """Take back; the sentences stay."""
    op.drop_column("alert", "explanation")
