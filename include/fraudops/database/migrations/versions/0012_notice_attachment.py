"""notice attachment: files that an e-mail brings, by their place in the store."""

import sqlalchemy as sa
from alembic import op

revision = "0012_notice_attachment"
down_revision = "0011_ledger_fences"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "notice_attachment",
        sa.Column("notice_id", sa.BigInteger(), sa.ForeignKey("notice.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Take back; mails that wait go out without their files, which lie in the store."""
    op.drop_table("notice_attachment")
