"""forget case: the application may remove the timeline of a case, once the ledger has announced it."""

from alembic import op

revision = "0013_forget_case"
down_revision = "0012_notice_attachment"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # The application has no right to delete lines of a timeline. This does it with the owner's, and looks first.
    op.execute(
        """
        create function forget_timeline(which integer, announced bigint) returns void
        language plpgsql security definer set search_path = public as $$
        begin
            if not exists (
                select from ledger, case_file
                where case_file.id = which and case_file.closed_at is not null
                    and ledger.number = announced and ledger.action = 'retention_began'
                    and ledger.portfolio = case_file.portfolio
                    and ledger.details -> 'items' @> jsonb_build_array(
                        jsonb_build_array('cases', case_file.number::text))
            ) then
                raise exception 'the ledger has not announced that this case goes';
            end if;
            delete from case_event where case_id = which;
        end $$
        """
    )


def downgrade() -> None:
    """Take back."""
    op.execute("drop function forget_timeline(integer, bigint)")
