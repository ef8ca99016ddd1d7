"""ledger fences: its triggers hold in every mode of replication, and its head moves forward only."""

from alembic import op

revision = "0011_ledger_fences"
down_revision = "0010_filings"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Else `set session_replication_role = replica` would pass by the trigger.
    op.execute("alter table ledger enable always trigger ledger_is_append_only")
    op.execute(
        """
        create function refuse_head_change() returns trigger language plpgsql as $$
        begin
            if tg_op <> 'UPDATE' then
                raise exception 'the head of the ledger is append-only';
            elsif new.id <> old.id or new.number <= old.number
                or not exists (select from ledger where number = new.number and digest = new.digest) then
                raise exception 'the head of the ledger moves forward only, to an entry';
            end if;
            return new;
        end $$
        """
    )
    op.execute(
        """
        create trigger head_moves_forward before update or delete on ledger_head
        for each row execute function refuse_head_change()
        """
    )
    op.execute(
        """
        create trigger head_is_not_emptied before truncate on ledger_head
        for each statement execute function refuse_head_change()
        """
    )
    for name in ("head_moves_forward", "head_is_not_emptied"):
        op.execute(f"alter table ledger_head enable always trigger {name}")


def downgrade() -> None:
    """Take back."""
    op.execute("drop trigger head_moves_forward on ledger_head")
    op.execute("drop trigger head_is_not_emptied on ledger_head")
    op.execute("drop function refuse_head_change()")
    op.execute("alter table ledger enable trigger ledger_is_append_only")
