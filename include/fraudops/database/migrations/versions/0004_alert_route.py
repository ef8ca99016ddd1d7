"""alert route: whether the policy raised an alert, or chance."""

import sqlalchemy as sa
from alembic import op

revision = "0004_alert_route"
down_revision = "0003_shadow"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; the alerts that are there were raised by the policy."""
    op.add_column("alert", sa.Column("route", sa.String(16), server_default="policy", nullable=False))


def downgrade() -> None:
    """Take back."""
    op.drop_column("alert", "route")
