"""Where things are on this machine, read from the environment once per process.

Every variable has a default that suits a checkout of the repository; production sets them.

===========================  =====================================================================
``FRAUDOPS_HOME``            the checkout: holds ``dags/``, ``include/`` (default: found from here)
``FRAUDOPS_STATE``           folder for everything that is written (default: ``$FRAUDOPS_HOME/data``)
``FRAUDOPS_STORE``           artifact store, a folder or an fsspec URL (default: ``$FRAUDOPS_STATE/store``)
``FRAUDOPS_LANDING``         where files arrive (default: ``$FRAUDOPS_STATE/landing``)
``FRAUDOPS_PORTFOLIOS``      folder of portfolio YAML files (default: ``$FRAUDOPS_HOME/include/portfolios``)
``FRAUDOPS_ROLES``           who is who (default: ``$FRAUDOPS_HOME/include/roles.yaml``)
``FRAUDOPS_RULES``           folder of the rules' YAML files (default: ``$FRAUDOPS_HOME/include/rules``)
``FRAUDOPS_CLOCKS``          folder of the clocks' YAML files (default: ``$FRAUDOPS_HOME/include/clocks``)
``FRAUDOPS_DATABASE_URL``    SQLAlchemy URL of the fraudops database (PostgreSQL), as the application's role
``FRAUDOPS_DATABASE_OWNER_URL``
                             the same as the tables' owner, for migrations and restoring alone (default:
                             ``FRAUDOPS_DATABASE_URL``)
``FRAUDOPS_TOKEN_KEY``       key of the tokens of card and account numbers (hex, 32 bytes; several, the oldest first and
                             with commas between them, once it was rotated: so the other two)
``FRAUDOPS_LEDGER_KEY``      key that signs ledger entries
``FRAUDOPS_PROTECTION_KEY``  key that encrypts attachments of cases, and drafts
``FRAUDOPS_UI_URL``          address of the Airflow UI, for links in notices
===========================  =====================================================================
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretBytes

from fraudops.errors import ConfigurationError


def _checkout() -> Path:
    """The checkout this package was imported from: ``include/fraudops/settings.py`` lies two folders below."""
    return Path(__file__).resolve().parents[2]


class Settings(BaseModel):
    """Locations and keys; see the module's table for the variables behind the fields."""

    model_config = ConfigDict(frozen=True)

    home: Path
    state: Path
    store: str
    landing: Path
    portfolios: Path
    roles: Path
    rules: Path
    clocks: Path
    database_url: str | None = None
    database_owner_url: str | None = None
    # The oldest first; empty where the variable is not set.
    token_keys: tuple[SecretBytes, ...] = ()
    ledger_keys: tuple[SecretBytes, ...] = ()
    protection_keys: tuple[SecretBytes, ...] = ()
    ui_url: str = "http://127.0.0.1:8080"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Parameters
        ----------
        environment
            Mapping to read instead of ``os.environ``; tests use it.

        Raises
        ------
        ConfigurationError
            A key is not hexadecimal or shorter than 16 bytes, or stands twice in its list.
        """
        env = os.environ if environment is None else environment
        home = Path(env.get("FRAUDOPS_HOME") or _checkout())
        state = Path(env.get("FRAUDOPS_STATE") or home / "data")
        return cls(
            home=home,
            state=state,
            store=env.get("FRAUDOPS_STORE") or str(state / "store"),
            landing=Path(env.get("FRAUDOPS_LANDING") or state / "landing"),
            portfolios=Path(env.get("FRAUDOPS_PORTFOLIOS") or home / "include" / "portfolios"),
            roles=Path(env.get("FRAUDOPS_ROLES") or home / "include" / "roles.yaml"),
            rules=Path(env.get("FRAUDOPS_RULES") or home / "include" / "rules"),
            clocks=Path(env.get("FRAUDOPS_CLOCKS") or home / "include" / "clocks"),
            database_url=env.get("FRAUDOPS_DATABASE_URL") or None,
            database_owner_url=env.get("FRAUDOPS_DATABASE_OWNER_URL") or None,
            token_keys=_keys(env, "FRAUDOPS_TOKEN_KEY"),
            ledger_keys=_keys(env, "FRAUDOPS_LEDGER_KEY"),
            protection_keys=_keys(env, "FRAUDOPS_PROTECTION_KEY"),
            ui_url=(env.get("FRAUDOPS_UI_URL") or "http://127.0.0.1:8080").rstrip("/"),
        )

    def require_database_url(self) -> str:
        """The database's URL, or an error that says how to get one."""
        if self.database_url is None:
            raise ConfigurationError(
                "no database is configured",
                where="FRAUDOPS_DATABASE_URL",
                remedy="start the local one with 'make up', or set the variable to a PostgreSQL URL",
            )
        return self.database_url

    def require_database_owner_url(self) -> str:
        """URL of the database as its tables' owner, or an error that says how to get one."""
        return self.database_owner_url or self.require_database_url()

    def require_token_keys(self) -> tuple[bytes, ...]:
        """Keys of the tokens, or an error that says how to get one."""
        return _require(self.token_keys, "FRAUDOPS_TOKEN_KEY")

    def require_ledger_keys(self) -> tuple[bytes, ...]:
        """Keys that have signed the ledger, or an error that says how to get one."""
        return _require(self.ledger_keys, "FRAUDOPS_LEDGER_KEY")


def listed(keys: Iterable[SecretBytes]) -> str:
    """The keys as the variable says them."""
    return ",".join(key.get_secret_value().hex() for key in keys)


def _keys(env: Mapping[str, str], variable: str) -> tuple[SecretBytes, ...]:
    texts = [text.strip() for text in env.get(variable, "").split(",")]
    keys = [_key(text, variable) for text in texts if text]
    if len(set(keys)) < len(keys):
        raise ConfigurationError(
            "the same key stands there twice", where=variable, remedy="give each key once, the oldest first"
        )
    return tuple(map(SecretBytes, keys))


def _key(text: str, variable: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise ConfigurationError(
            "the key is not hexadecimal", where=variable, remedy="use the output of 'openssl rand -hex 32'"
        ) from None
    if len(key) < 16:
        raise ConfigurationError(
            f"the key has {len(key)} bytes, at least 16 are needed",
            where=variable,
            remedy="use the output of 'openssl rand -hex 32'",
        )
    return key


def _require(keys: tuple[SecretBytes, ...], variable: str) -> tuple[bytes, ...]:
    if not keys:
        raise ConfigurationError(
            "the key is not set",
            where=variable,
            remedy="'make up' makes one for the local stack; in production set it from your secret store",
        )
    return tuple(key.get_secret_value() for key in keys)
