"""alert search: an alert is found by its transaction alone, as people search for it over all portfolios."""

from alembic import op

revision = "0014_alert_search"
down_revision = "0013_forget_case"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_alert_transaction", "alert", ["transaction_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_alert_transaction", "alert")
