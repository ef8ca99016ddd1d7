"""The revision of a database's tables: which it is, whether this fraudops knows it, and bringing it up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from fraudops import __version__
from fraudops.database.session import open_engine
from fraudops.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database's tables up to this version of fraudops (harmless when they are).

    What the application may do with them is settled anew (:mod:`fraudops.database.privileges`). Two that start at
    once wait for each other.

    Parameters
    ----------
    url
        Of the tables' owner.
    revision
        How far; for tests.

    Raises
    ------
    ConfigurationError
        A newer fraudops has changed the tables.
    """
    # Every step opens the database, and only an installation changes its tables.
    from alembic import command

    require_known(current_revision(url), where="FRAUDOPS_DATABASE_URL")
    config = _configuration()
    config.attributes["url"] = url
    command.upgrade(config, revision)


def current_revision(url: str) -> str | None:
    """The revision of a database's tables; None where it has none."""
    engine = open_engine(url)
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("select version_num from alembic_version")).scalar()


def require_known(revision: str | None, *, where: str) -> None:
    """Refuse tables that a later version of fraudops has made.

    Raises
    ------
    ConfigurationError
        They are.
    """
    if revision and revision not in {script.revision for script in _scripts().walk_revisions()}:
        raise ConfigurationError(
            f"the tables have revision {revision}, which this fraudops ({__version__}) does not know: a newer one has "
            "changed them",
            where=where,
            remedy="use that version, or restore the backup from before the upgrade (docs/backup.md)",
        )


def revisions() -> list[str]:
    """Every revision that this fraudops knows, the oldest first."""
    return [script.revision for script in _scripts().walk_revisions()][::-1]


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_configuration())


def _configuration() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
