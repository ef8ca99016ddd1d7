"""alert without amount: transactions need not have one."""

import sqlalchemy as sa
from alembic import op

revision = "0002_alert_without_amount"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.alter_column("alert", "amount_minor", existing_type=sa.BigInteger(), nullable=True)


def downgrade() -> None:
    """Take back; an alert that has no amount gets 0."""
    op.execute("UPDATE alert SET amount_minor = 0 WHERE amount_minor IS NULL")
    op.alter_column("alert", "amount_minor", existing_type=sa.BigInteger(), nullable=False)
