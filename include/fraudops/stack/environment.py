"""The environment in which the stack's processes run, and commands beside it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from fraudops.database.privileges import APPLICATION
from fraudops.settings import Settings, listed
from fraudops.stack.folder import StackFolder
from fraudops.stack.ports import HOST, Ports
from fraudops.stack.postgres import Postgres
from fraudops.stack.processes import STACK_VARIABLE
from fraudops.stack.record import read_record
from fraudops.stack.secrets import USERS, Secrets, read_secrets

AIRFLOW_DATABASE = "airflow"
FRAUDOPS_DATABASE = "fraudops"

TRAINING_POOL, BULK_POOL = "fraudops_training", "fraudops_bulk"
"""Training and bulk work have slots of their own: LocalExecutor hands out work in the order it came, and ten minutes
of training in front of a day's scoring would make it wait."""
POOL_SLOTS = 2
"""Of each; together they are fewer than the tasks that run at once."""

PARALLEL_TASKS = 5

_LEFT_OUT = ("AIRFLOW_HOME", "AIRFLOW_CONFIG", "FRAUDOPS_DATABASE_OWNER_URL")
"""Variables of the caller that no component gets: of another Airflow, and the way to the owner's tables."""


def fraudops_variables(settings: Settings, secrets: Secrets, address: str) -> dict[str, str]:
    """The ``FRAUDOPS_*`` variables; what the caller's environment sets itself stays as it is."""
    postgres = Postgres(StackFolder.of(settings).root)
    return {
        "FRAUDOPS_HOME": str(settings.home.absolute()),
        "FRAUDOPS_STATE": str(settings.state.absolute()),
        "FRAUDOPS_STORE": settings.store if "://" in settings.store else str(Path(settings.store).absolute()),
        "FRAUDOPS_LANDING": str(settings.landing.absolute()),
        "FRAUDOPS_PORTFOLIOS": str(settings.portfolios.absolute()),
        "FRAUDOPS_ROLES": str(settings.roles.absolute()),
        "FRAUDOPS_RULES": str(settings.rules.absolute()),
        "FRAUDOPS_CLOCKS": str(settings.clocks.absolute()),
        "FRAUDOPS_DATABASE_URL": settings.database_url or postgres.url(FRAUDOPS_DATABASE, APPLICATION),
        "FRAUDOPS_TOKEN_KEY": listed(settings.token_keys) or secrets.token_key,
        "FRAUDOPS_LEDGER_KEY": listed(settings.ledger_keys) or secrets.ledger_key,
        "FRAUDOPS_PROTECTION_KEY": listed(settings.protection_keys) or secrets.protection_key,
        "FRAUDOPS_UI_URL": address,
    }


def airflow_variables(settings: Settings, secrets: Secrets, ports: Ports) -> dict[str, str]:
    """Airflow's configuration, as environment variables."""
    folder = StackFolder.of(settings)
    home = settings.home.absolute()
    return {
        "AIRFLOW_HOME": str(folder.airflow_home),
        "AIRFLOW_CONFIG": str(folder.airflow_home / "airflow.cfg"),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.jwt_secret,
        "AIRFLOW__API__BASE_URL": ports.address,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__INSTANCE_NAME": "fraudops",
        "AIRFLOW__API__PORT": str(ports.ui),
        "AIRFLOW__API__SECRET_KEY": secrets.api_secret,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{ports.address}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__FERNET_KEY": secrets.fernet_key,
        # The default asks the name server for our own name: seconds, on a laptop without one.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": str(PARALLEL_TASKS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder.passwords),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "60",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "30",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": Postgres(folder.root).url(AIRFLOW_DATABASE),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder.logs / "tasks"),
        "AIRFLOW__LOGGING__COLORED_CONSOLE_LOG": "False",
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(folder.logs / "dag_files"),
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "AIRFLOW__LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        # After a crash the tasks that died with it are noticed within a minute, not five.
        "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",
        # The default of 1 s is what a chain of short tasks would mostly wait for; a loop over all DAGs costs 20 ms.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "60",
        # With the default of 5 s a task of 0.2 s often holds its slot for 5 s.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }


def stack_environment(
    settings: Settings, secrets: Secrets, ports: Ports, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The whole environment of the stack's processes.

    Parameters
    ----------
    base
        The environment to start from instead of ``os.environ``. Variables of Airflow in it (of another
        Airflow on this machine, say) are dropped, except connections and variables: those are the way to
        send the mail through a server of your own (``AIRFLOW_CONN_SMTP_DEFAULT``).
    """
    source = os.environ if base is None else base
    environment = {
        key: value
        for key, value in source.items()
        if not key.startswith(("AIRFLOW__", "_AIRFLOW_")) and key not in _LEFT_OUT
    }
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        # Each DAG file and each task is a process of its own: without bytecode it would compile hundreds of modules.
        environment.setdefault("PYTHONPYCACHEPREFIX", str(StackFolder.of(settings).bytecode))
    environment.setdefault("AIRFLOW_CONN_SMTP_DEFAULT", sink_connection(ports.mail))
    # Tasks share the cores; a thread pool per library in each of them would only make them wait for another.
    environment.setdefault("OMP_NUM_THREADS", "1")
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    include = str(settings.home.absolute() / "include")
    path = [include, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    local = [name for name in environment.get("NO_PROXY", "").split(",") if name]
    return (
        environment
        | fraudops_variables(settings, secrets, ports.address)
        | airflow_variables(settings, secrets, ports)
        | {
            STACK_VARIABLE: StackFolder.of(settings).identity,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "/usr/bin:/bin")]),
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
            "PYTHONUNBUFFERED": "1",
            # Tasks talk to the api-server over loopback: never through a proxy.
            "NO_PROXY": ",".join(dict.fromkeys([*local, HOST, "localhost"])),
            "no_proxy": ",".join(dict.fromkeys([*local, HOST, "localhost"])),
            # Process titles must not overwrite the environment by which we find our processes again.
            "SPT_NOENV": "1",
            "SCARF_ANALYTICS": "false",
            "DO_NOT_TRACK": "true",
            "GX_ANALYTICS_ENABLED": "false",
        }
    )


def sink_connection(port: int) -> str:
    """Airflow's connection to the mail sink: the provider speaks implicit TLS unless told not to."""
    return json.dumps(
        {
            "conn_type": "smtp",
            "host": HOST,
            "port": port,
            "extra": {"disable_ssl": True, "disable_tls": True},
        }
    )


def load(settings: Settings | None = None) -> bool:
    """Let commands in a fresh shell find the local stack's database and keys.

    Sets the ``FRAUDOPS_*`` variables of this process that are not set yet; returns False, and sets nothing,
    where there is no local stack.

    Raises
    ------
    ConfigurationError
        The stack's keys cannot be read.
    """

    settings = settings or Settings.from_environment()
    folder = StackFolder.of(settings)
    secrets = read_secrets(folder.secrets)
    if secrets is None:
        return False
    record = read_record(folder.record)
    address = record.ports.address if record is not None else settings.ui_url
    for name, value in fraudops_variables(settings, secrets, address).items():
        os.environ.setdefault(name, value)
    return True
