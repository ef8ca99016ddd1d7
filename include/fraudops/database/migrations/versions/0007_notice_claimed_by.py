"""notice claimed by: a task that is tried again need not wait until its own lease has run out."""

import sqlalchemy as sa
from alembic import op

revision = "0007_notice_claimed_by"
down_revision = "0006_legal_hold"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply; claims of before run out with their lease."""
    op.add_column("notice", sa.Column("claimed_by", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("notice", "claimed_by")
