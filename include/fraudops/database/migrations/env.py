"""Alembic's entry: migrations run over the engine of :func:`fraudops.database.session.open_engine`."""

from alembic import context
from fraudops.database.models import Base
from fraudops.database.privileges import fence
from fraudops.database.session import open_engine
from sqlalchemy import text

_LOCK = 7_264_110_001
"""Two processes that start at once must not both migrate: an advisory lock lets one wait for the other."""

with open_engine(context.config.attributes["url"]).connect() as connection:
    connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    try:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            context.run_migrations()
            fence(connection)
    finally:
        connection.rollback()
        connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()
