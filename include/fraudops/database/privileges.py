"""What the application may do in the database: everything but change the record.

Two roles. The *owner* has the tables and brings them up to date; nothing works under it from day to day. The
*application* (:data:`APPLICATION`, or a login that is a member of it) reads and writes rows; of the ledger it reads and
appends, and can neither change nor remove an entry, nor switch off the trigger that refuses it to everybody.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

APPLICATION = "fraudops_app"
"""The application's role. Where the server does not have it, the owner works itself and the trigger stands alone."""

_APPENDED = ("ledger", "case_event", "filing_event")
"""Tables whose rows stay as they are written."""
_OWNERS = ("alembic_version",)
"""Tables that only the owner writes."""


def fence(connection: Connection) -> bool:
    """Give the application's role what it needs, and no more; False where there is none, or not the owner asks.

    Harmless when it has been done: it follows every migration, so that new tables are covered.
    """
    asked = text(
        "select pg_has_role(tableowner, 'usage') from pg_tables where schemaname = 'public' and tablename = 'ledger'"
        " and exists (select from pg_roles where rolname = :name)"
    )
    # Only the owner can give rights; who finds nothing to migrate may be somebody else.
    if not connection.execute(asked, {"name": APPLICATION}).scalar():
        return False
    present = set(connection.scalars(text("select tablename from pg_tables where schemaname = 'public'")))
    for statement in _statements(present):
        connection.execute(text(statement))
    return True


def _statements(present: set[str]) -> list[str]:
    """For the tables that there are: those of an early revision lack some."""
    role = APPLICATION
    return [
        f"grant usage on schema public to {role}",
        f"revoke create on schema public from {role}",
        f"grant select, insert, update, delete on all tables in schema public to {role}",
        f"grant usage, select on all sequences in schema public to {role}",
        *(f"revoke update, delete, truncate on {table} from {role}" for table in _APPENDED if table in present),
        *(f"revoke insert, update, delete, truncate on {table} from {role}" for table in _OWNERS if table in present),
        # Appending moves the head; it is neither made nor taken away.
        f"revoke insert, delete, truncate on ledger_head from {role}",
    ]
