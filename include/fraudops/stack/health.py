"""The parts of the local stack, and how they are."""

from __future__ import annotations

from datetime import datetime

from fraudops.stack.client import AirflowClient, ApiError
from fraudops.stack.ports import is_free
from fraudops.stack.record import StackRecord

MAIL = "mail-sink"
AIRFLOW = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
"""Part → its command. Logs are read from this disk: the servers for them would listen on every interface."""

PARTS = (MAIL, *AIRFLOW)
DATABASE = "postgres"
SCORING = "scoring"
"""Runs where a portfolio is scored at once; nothing else waits for it."""

_HEARTBEATS = {
    "scheduler": "latest_scheduler_heartbeat",
    "dag_processor": "latest_dag_processor_heartbeat",
    "triggerer": "latest_triggerer_heartbeat",
}


def unwell_parts(record: StackRecord) -> set[str]:
    """Parts that do not answer, or whose last heartbeat is too old or from before their start."""
    unwell = set() if MAIL in record.processes and not is_free(record.ports.mail) else {MAIL}
    try:
        health = AirflowClient(record.ports.address, "", "").health()
    except ApiError:
        return unwell | set(AIRFLOW)
    for name, field in _HEARTBEATS.items():
        part = name.replace("_", "-")
        beat = health.get(name, {}).get(field)
        process = record.processes.get(part)
        fresh = beat and process and datetime.fromisoformat(beat).timestamp() >= process.at
        if not fresh or health[name].get("status") != "healthy":
            unwell.add(part)
    return unwell
