"""Builds ``<portfolio>_shadow``: a person starts or stops a challenger in the shadow of the champion."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.approval import required_reason
from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import say

DOC = """Let a challenger score live partitions beside the champion, or end that.

**Starts** by a person with the form; `promotion.shadow` in the portfolio's YAML starts shadows without one.

**Does** record who wants it and why. From the next partition on `score` also asks the challenger; its scores and
would-be decisions lie in the dataset `shadow_scores`, from which nothing is alerted or blocked. When the labels of
these days have matured, `reconcile` compares the two by the gates of a training run, and where the verdict is
PROMOTE `promote` asks an approver.

A portfolio has one shadow at a time.
"""
START, STOP = "start", "stop"
_DAYS = 14


def build_shadow(portfolio: Portfolio) -> DAG:
    """The DAG; one task, since the work is done by `score` and `reconcile`."""
    rule = portfolio.promotion.shadow
    with DAG(
        **dag_arguments(portfolio, "shadow", DOC),
        schedule=None,
        max_active_runs=1,
        params={
            "action": Param(START, enum=[START, STOP], title="Action", description="Start a shadow, or stop the one."),
            "version": Param(
                None,
                type=["null", "string"],
                pattern=r"^\s*v?\d{1,9}\s*$",
                title="Version",
                description="To start: a challenger with the verdict PROMOTE or HOLD, such as v7.",
            ),
            "days": Param(
                rule.days if rule else _DAYS,
                type="integer",
                minimum=1,
                maximum=366,
                title="Days",
                description="To start: for how long.",
            ),
            "reason": required_reason(),
        },
    ) as dag:

        @task
        def carry_out(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
            """Start or stop it, in the name of whoever started the run."""
            from fraudops.errors import ContractError
            from fraudops.registry import shadow

            from fraudops_airflow.context import actor, open_workspace

            ws, by, reason = open_workspace(), actor(dag_run), params["reason"]
            if params["action"] == STOP:
                found = shadow.stop(ws, portfolio, stopped_by=by, reason=reason)
            elif not params["version"]:
                raise ContractError(
                    "no version was given", where=dag_run.dag_id, remedy="name a challenger, such as v7"
                )
            else:
                version = params["version"].strip()
                found = shadow.start(ws, portfolio, model=version, days=params["days"], started_by=by, reason=reason)
            say([f"{found.model.version}: {found.starts_at:%Y-%m-%d %H:%M} to {found.ends_at:%Y-%m-%d %H:%M} UTC"])
            return {"version": found.model.version, "outcome": found.outcome or "running"}

        carry_out()
    return dag
