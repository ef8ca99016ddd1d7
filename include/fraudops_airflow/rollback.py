"""Builds ``<portfolio>_rollback``: an approver makes a former champion the champion again, at once."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Param, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.approval import required_reason
from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.steps import say, send_notices_now

DOC = """Make a former champion the champion again.

**Starts** by a person who may decide on promotions (`promotion.approvers` and `roles.yaml`), with the version and a
reason; anybody else is refused, and the ledger says so.

**Does** check that the version has been champion before and that its file is the one registered, and put it in
force: one transaction with its ledger entry. The next partition is scored with it; what has been scored stays.
The model owner gets a notice.
"""


def build_rollback(portfolio: Portfolio) -> DAG:
    """The DAG; it asks nobody, since whoever starts it is who answers for it."""
    with DAG(
        **dag_arguments(portfolio, "rollback", DOC),
        schedule=None,
        max_active_runs=1,
        params={
            "version": Param(
                type="string",
                pattern=r"^\s*v?\d{1,9}\s*$",
                title="Version",
                description="A former champion, such as v3; 'fraudops models list' and Fraud Ops name them.",
            ),
            "reason": required_reason(),
        },
    ) as dag:

        @task
        def rollback(params: Any = None, dag_run: Any = None) -> dict[str, Any]:
            """Put the version in force, in the name of whoever started the run."""
            from fraudops.notices.champion_messages import promotion as promotion_notice
            from fraudops.registry.approval import rollback_by

            from fraudops_airflow.context import actor, open_roles, open_workspace

            ws = open_workspace()
            summary = rollback_by(
                ws,
                portfolio,
                open_roles(),
                version=params["version"].strip(),
                user=actor(dag_run),
                reason=params["reason"],
            )
            with ws.transaction() as session:
                promotion_notice(session, ws, portfolio, summary)
            say(
                [
                    f"{summary.version} ({summary.candidate}) is champion, before it was {summary.previous}",
                    f"in force for partitions that end at or after {summary.effective_from}",
                ]
            )
            return summary.to_dict()

        @task
        def file_evidence(rolled_back: dict[str, Any]) -> dict[str, Any]:
            """A new revision of the evidence pack, with who decided and why."""
            from fraudops.reports.evidence import file_pack

            from fraudops_airflow.context import open_workspace

            return file_pack(open_workspace(), portfolio, version=rolled_back["version"]).to_dict()

        summary = rollback()
        summary >> [send_notices_now(portfolio), file_evidence(summary)]
    return dag
