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
    """Menu entry, pages, and the listener that warms the scheduler."""

    name = "fraudops"
    listeners = [preload]
    external_views = [
        {
            "name": "Fraud Ops",
            "href": "fraud-ops/",
            "destination": "nav",
            "url_route": "fraud-ops",
            "nav_top_level": True,
        }
    ]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The pages; a property, because only the api-server needs FastAPI."""
        from fraudops_airflow.web.app import URL_PREFIX, create_app

        return [{"app": create_app(), "url_prefix": URL_PREFIX, "name": "Fraud Ops"}]
