"""From an Airflow context to the arguments of the library."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from fraudops.errors import ContractError
from fraudops.monthly.month import Month
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles, read_roles
from fraudops.settings import Settings
from fraudops.workspace import Workspace

TOKEN_KEY_CONNECTION = "fraudops_token_key"
"""Connection whose password is the token key, where the environment does not give it."""


def open_workspace() -> Workspace:
    """The workspace of this worker; the token key comes from the environment or from a connection."""
    settings = Settings.from_environment()
    if not settings.token_keys:
        from airflow.sdk import BaseHook
        from airflow.sdk.exceptions import AirflowRuntimeError

        try:
            password = BaseHook.get_connection(TOKEN_KEY_CONNECTION).password or ""
        except AirflowRuntimeError:
            password = ""
        if password:
            keys = Settings.from_environment({"FRAUDOPS_TOKEN_KEY": password}).token_keys
            settings = settings.model_copy(update={"token_keys": keys})
    return Workspace.open(settings)


def open_workspace_of(portfolio: Portfolio, dag_run: Any) -> Workspace:
    """The same, for the first step of a run: where the configuration has changed, the ledger is told."""
    from fraudops.keeping.configuration import note_configuration

    ws = open_workspace()
    note_configuration(ws, portfolio, Settings.from_environment(), actor=actor(dag_run))
    return ws


def open_roles() -> Roles:
    """Who is who; read anew each time, so that a role given or taken away counts at once."""
    return read_roles(Settings.from_environment().roles)


def requested_partition(portfolio: Portfolio, dag_run: Any, params: Any) -> str:
    """Key of the partition that a run is for.

    A scheduled run, a backfill and a keyed trigger carry it; a person may also give it in the form.

    Raises
    ------
    ContractError
        There is none, two that differ, one of another form, or one that is not over yet: says what to give.
    """
    partitioning = portfolio.partitioning
    asked = (params or {}).get("partition") or None
    keys = {key for key in (dag_run.partition_key, asked) if key}
    remedy = f"trigger the run again and give the partition, such as {partitioning.example}"
    if not keys:
        raise ContractError("no partition was given, so there is nothing to do", where=dag_run.dag_id, remedy=remedy)
    if len(keys) > 1:
        raise ContractError(f"two partitions were given: {' and '.join(sorted(keys))}", where=dag_run.dag_id)
    (key,) = keys
    try:
        end = partitioning.end(key)
    except ValueError as error:
        raise ContractError(str(error), where=dag_run.dag_id, remedy=remedy) from None
    if dag_run.run_type == "manual" and end > dag_run.run_after:
        raise ContractError(f"partition {key} is not over yet", where=dag_run.dag_id, remedy=remedy)
    return key


def requested_month(dag_run: Any, params: Any) -> Month:
    """The month that a run of `report` is for: its partition key, or what a person wrote into the form.

    Raises
    ------
    ContractError
        There is none, two that differ, or one of another form.
    """
    keys = {key.strip() for key in (dag_run.partition_key, params["month"]) if key and key.strip()}
    if len(keys) != 1:
        what = f"two months were given: {' and '.join(sorted(keys))}" if keys else "no month was given"
        raise ContractError(what, where=dag_run.dag_id, remedy="trigger the run again with one, such as 2026-03")
    return Month.parse(keys.pop())


def actor(dag_run: Any) -> str:
    """Who is answerable for what a run does: the person who triggered it, else the workflow itself."""
    return dag_run.triggering_user_name or f"service:{dag_run.dag_id}"


BACKFILLED = "backfilled"
"""Key of an asset event's extra: the partition was worked through again, or late, on purpose."""


def is_backfilled(dag_run: Any, triggering_asset_events: Any) -> bool:
    """Whether a run belongs to a backfill, or follows from a run that does."""
    if dag_run.run_type == "backfill":
        return True
    events = (event for found in (triggering_asset_events or {}).values() for event in found)
    return any(bool((event.extra or {}).get(BACKFILLED)) for event in events)


def moment(portfolio: Portfolio, text: str | None) -> datetime | None:
    """A moment from a form: an ISO timestamp (UTC where it names no zone) or a partition's key (its end).

    Raises
    ------
    ContractError
        The text is neither.
    """
    if not text:
        return None
    try:
        return portfolio.partitioning.end(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ContractError(
            f"{text!r} is neither a moment nor a partition",
            where="as_of",
            remedy=f"write 2026-03-05T00:00:00+00:00, or a partition such as {portfolio.partitioning.example}",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
