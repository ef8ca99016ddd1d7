"""Puts Fraud Ops into Airflow: its pages into the menu, its libraries into the scheduler's memory.

Airflow imports this file in every one of its processes, so it imports next to nothing; the web application is
built when the api-server asks for it.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin
from fraudops_airflow import preload


class FraudOpsPlugin(AirflowPlugin):
    """Menu entry, tabs, buttons, pages, and the listener that warms the scheduler."""

    name = "fraudops"
    listeners = [preload]
    external_views = [
        {
            "name": "Fraud Ops",
            "href": "fraud-ops/",
            "destination": "nav",
            "url_route": "fraud-ops",
            "nav_top_level": True,
        },
        # Airflow shows tabs on every DAG: those of others say so.
        {
            "name": "Fraud Ops",
            "href": "fraud-ops/tab/dag/{DAG_ID}",
            "destination": "dag",
            "url_route": "fraud-ops-dag",
        },
        {
            "name": "Fraud Ops",
            "href": "fraud-ops/tab/run/{DAG_ID}/{RUN_ID}",
            "destination": "dag_run",
            "url_route": "fraud-ops-run",
        },
        {
            "name": "Fraud Ops",
            "href": "fraud-ops/tab/task/{DAG_ID}/{RUN_ID}/{TASK_ID}",
            "destination": "task_instance",
            "url_route": "fraud-ops-task",
        },
    ]

    @cached_property
    def global_operator_extra_links(self) -> list[Any]:  # type: ignore[override]
        """Buttons on the tasks of our DAGs; only the api-server asks for them."""
        from fraudops_airflow.links import LINKS

        return list(LINKS)

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The pages; a property, because only the api-server needs FastAPI."""
        from fraudops_airflow.web.app import URL_PREFIX, create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "Fraud Ops"}]
