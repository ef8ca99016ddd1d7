"""Steps that several DAGs share."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import task
from fraudops.portfolio import Portfolio


def score_chunk_task(portfolio: Portfolio, task_id: str = "score") -> Any:
    """A mappable task: features, scores, decisions and alerts of a list of partitions, model loaded once."""

    @task(task_id=task_id, map_index_template="{{ chunk }}")
    def score_chunk(keys: list[str], dag_run: Any = None) -> dict[str, Any]:
        """Features, scores, decisions, alerts and queued notices of these partitions."""
        from airflow.sdk import get_current_context
        from fraudops.decisions.alerts import raise_alerts
        from fraudops.decisions.scoring import score_many
        from fraudops.features import build

        from fraudops_airflow.context import actor, open_workspace

        get_current_context()["chunk"] = f"{keys[0]} … {keys[-1]}" if len(keys) > 1 else keys[0]  # type: ignore[typeddict-unknown-key]
        ws = open_workspace()
        build(ws, portfolio, keys)
        results = score_many(ws, portfolio, keys)
        states = [result.state for result in results]
        alerts = [
            raise_alerts(ws, portfolio, result.key, actor=actor(dag_run))
            for result in results
            if result.state in ("scored", "unchanged")
        ]
        return {
            "states": {state: states.count(state) for state in sorted(set(states))},
            "raised": sum(result.raised for result in alerts),
            "notices": sum(result.notices for result in alerts),
        }

    return score_chunk


def send_notices_now(portfolio: Portfolio, **arguments: Any) -> TriggerDagRunOperator:
    """Start the ``notify`` workflow; it would start by itself a few minutes later."""
    return TriggerDagRunOperator(
        task_id="send_notices",
        trigger_dag_id=portfolio.dag_id("notify"),
        trigger_run_id="after__{{ dag_run.run_id }}",
        skip_when_already_exists=True,
        retries=2,
        **arguments,
    )
