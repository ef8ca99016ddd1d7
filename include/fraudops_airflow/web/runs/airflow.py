"""What Airflow knows and allows: whether somebody may start a DAG, what a run was asked for and what it answered.

Starting is left to Airflow's own interface, which the browser asks with the session; here it is only found out
beforehand whether that is worth trying. Runs are read with the check that Airflow makes for the same page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends

RETURNED = "return_value"


@dataclass(frozen=True)
class Run:
    """A run of a DAG.

    Attributes
    ----------
    asked_by
        Who triggered it; None: nobody did.
    conf
        Parameters that it was started with.
    returned
        Task → what it returned, of tasks that are not mapped.
    """

    dag_id: str
    run_id: str
    state: str = ""
    partition_key: str | None = None
    asked_by: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    conf: Mapping[str, Any] = field(default_factory=dict)
    returned: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, task_id: str) -> dict[str, Any]:
        """What a task returned, where that is a set of named values; empty: it did not, or not yet."""
        found = self.returned.get(task_id)
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Airflow:
    """Airflow, as one user may see it."""

    user: BaseUser

    def may_start(self, dag_id: str) -> bool:
        """Whether the user may trigger a DAG."""
        return self._may("POST", dag_id, DagAccessEntity.RUN)

    def may_turn_on(self, dag_id: str) -> bool:
        """Whether the user may unpause a DAG."""
        return self._may("PUT", dag_id, None)

    def may_read(self, dag_id: str) -> bool:
        """Whether the user may see the runs of a DAG, and what their tasks returned."""
        return self._may("GET", dag_id, DagAccessEntity.RUN) and self._may("GET", dag_id, DagAccessEntity.XCOM)

    def run(self, dag_id: str, run_id: str) -> Run | None:
        """A run that the user may see."""
        from airflow.models.dagrun import DagRun
        from airflow.models.xcom import XComModel
        from airflow.utils.session import create_session
        from sqlalchemy import select

        if not self.may_read(dag_id):
            return None
        with create_session() as session:
            found = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
            if found is None:
                return None
            values = session.execute(
                select(XComModel.task_id, XComModel.value).where(
                    XComModel.dag_id == dag_id,
                    XComModel.run_id == run_id,
                    XComModel.key == RETURNED,
                    XComModel.map_index == -1,
                )
            )
            return Run(
                dag_id=dag_id,
                run_id=run_id,
                state=str(found.state or ""),
                partition_key=found.partition_key,
                asked_by=found.triggering_user_name,
                started=found.start_date,
                ended=found.end_date,
                conf=dict(found.conf or {}),
                returned={task: _plain(value) for task, value in values.tuples()},
            )

    def _may(self, method: Any, dag_id: str, entity: DagAccessEntity | None) -> bool:
        from airflow.api_fastapi.app import get_auth_manager

        return get_auth_manager().is_authorized_dag(
            method=method, user=self.user, access_entity=entity, details=DagDetails(id=dag_id)
        )


def _plain(value: Any) -> Any:
    """An XCom without the wrapping in which Airflow keeps tuples and the like."""
    if isinstance(value, dict):
        if str(value.get("__classname__", "")).startswith("builtins."):
            return _plain(value.get("__data__"))
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def open_airflow(user: GetUserDep) -> Airflow:
    """Airflow in the name of who is logged in; tests put another in its place."""
    return Airflow(user)


AirflowDep = Annotated[Airflow, Depends(open_airflow)]
