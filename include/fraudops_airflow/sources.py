"""From Airflow connections to what it takes to log in to a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fraudops.errors import ConfigurationError
from fraudops.intake.fetching import Access
from fraudops.portfolio import Source
from sqlalchemy import URL

_DRIVER = "postgresql+psycopg2"
_OF_LIBPQ = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding", "connect_timeout", "options"}
    | {"keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "target_session_attrs"}
)
"""Extras that are handed to PostgreSQL's client library as they are."""
_EXAMPLES = {
    "s3": """'{"conn_type": "aws", "login": "KEY ID", "password": "SECRET"}'""",
    "sftp": """'{"conn_type": "sftp", "host": "HOST", "login": "USER", "password": "…"}'""",
    "database": """'{"conn_type": "postgres", "host": "HOST", "login": "USER", "password": "…", "schema": "DB"}'""",
}


def access_to(source: Source) -> Access:
    """What the source's Airflow connection says; nothing where it names none (a bucket that a role may read).

    Raises
    ------
    ConfigurationError
        There is no such connection, or it is of another type than the source needs.
    """
    if source.connection is None:
        return Access()
    connection = _connection(source, source.connection)
    if source.is_database:
        return Access(url=_database_url(connection, source.connection))
    options = _OPTIONS.get(_scheme(source), _other_options)
    return Access(options=options(connection, source))


def _connection(source: Source, name: str) -> Any:
    from airflow.sdk import BaseHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return BaseHook.get_connection(name)
    except AirflowNotFoundException:
        example = _EXAMPLES.get("database" if source.is_database else _scheme(source), _EXAMPLES["s3"])
        raise ConfigurationError(
            f"there is no Airflow connection {name!r}",
            where=f"source {source.name!r}",
            remedy=f"make it: airflow connections add {name} --conn-json {example}, or under Admin → Connections",
        ) from None


def _scheme(source: Source) -> str:
    return (source.path or "").partition("://")[0]


def _database_url(connection: Any, name: str) -> URL:
    if connection.conn_type not in ("postgres", "postgresql"):
        raise ConfigurationError(
            f"Airflow connection {name!r} is of type {connection.conn_type!r}, and only PostgreSQL is read",
            where=name,
            remedy="name a connection of type Postgres",
        )
    query = {key: str(value) for key, value in connection.extra_dejson.items() if key in _OF_LIBPQ}
    host = connection.host or None
    if host is not None and host.startswith("/"):
        # The folder of a socket.
        query, host = {**query, "host": host}, None
    return URL.create(
        _DRIVER,
        username=connection.login or None,
        password=connection.password or None,
        host=host,
        port=connection.port,
        database=connection.schema or None,
        query=query,
    )


def _s3_options(connection: Any, source: Source) -> dict[str, Any]:
    extra = connection.extra_dejson
    if extra.get("role_arn"):
        raise ConfigurationError(
            "the connection asks to take on a role (role_arn), which is not done here",
            where=f"connection {source.connection!r}",
            remedy="give the worker the role, and leave 'connection' out; or give the keys themselves",
        )
    options: dict[str, Any] = {
        "key": connection.login or extra.get("aws_access_key_id"),
        "secret": connection.password or extra.get("aws_secret_access_key"),
        "token": extra.get("aws_session_token"),
        "endpoint_url": extra.get("endpoint_url") or extra.get("host"),
    }
    client = {"region_name": extra.get("region_name"), "verify": extra.get("verify")}
    options["client_kwargs"] = {name: value for name, value in client.items() if value is not None}
    options["config_kwargs"] = extra.get("config_kwargs")
    return {name: value for name, value in options.items() if value}


def _sftp_options(connection: Any, source: Source) -> dict[str, Any]:
    extra = connection.extra_dejson
    named = (source.path or "").partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
    if connection.host and connection.host != named:
        raise ConfigurationError(
            f"the source's path names the host {named!r}, and its connection {connection.host!r}",
            where=f"connection {source.connection!r}",
            remedy="write the same host in both",
        )
    options: dict[str, Any] = {
        "port": connection.port,
        "username": connection.login,
        "password": connection.password,
        "key_filename": extra.get("key_file"),
        "private_key": extra.get("private_key"),
        "passphrase": extra.get("private_key_passphrase"),
        "host_key": extra.get("host_key"),
        "known_hosts": extra.get("known_hosts"),
        # Airflow's own hooks take any key by default; here it has to be said.
        "no_host_key_check": str(extra.get("no_host_key_check", "false")).lower() == "true",
    }
    if any(options[name] for name in ("password", "key_filename", "private_key")):
        options |= {"look_for_keys": False, "allow_agent": False}
    return {name: value for name, value in options.items() if value is not None}


def _other_options(connection: Any, source: Source) -> dict[str, Any]:
    return dict(connection.extra_dejson.get("storage_options") or {})


_OPTIONS: dict[str, Callable[[Any, Source], dict[str, Any]]] = {"s3": _s3_options, "sftp": _sftp_options}
