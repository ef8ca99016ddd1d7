"""Builds ``<portfolio>_evaluate``: how good candidates are from test window to test window."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import TRAINING_POOL, dag_arguments

DOC = """Evaluate candidates over several test windows, each time trained on what was known at the window's start.

**Starts** by a person, with the form.

**Does** cut the newest matured time into the windows of `training.prequential`; for each, in a task of its own, train
every candidate on the payments whose labels were known then, and measure it in the window: average precision, card
precision without known cards, recall at fixed false-alarm rates, Brier score, savings, alerts a day.

**Then** a page under Fraud Ops → Reports tells mean and spread over the windows. Nothing is registered, and nothing
is promoted by it.
"""


def build_evaluate(portfolio: Portfolio) -> DAG:
    """The DAG; windows are mapped tasks in the pool of the training."""
    names = list(portfolio.training.prequential.candidates or portfolio.training.candidates)
    with DAG(
        **dag_arguments(portfolio, "evaluate", DOC),
        schedule=None,
        max_active_runs=1,
        params={
            "as_of": Param(
                None,
                type=["null", "string"],
                title="As of",
                description="Pretend that it is this moment (ISO timestamp), or the end of this partition "
                f"(such as {portfolio.partitioning.example}). Empty: the end of the newest partition.",
            ),
            "candidates": Param(
                names,
                type="array",
                items={"type": "string", "enum": list(portfolio.training.candidates)},
                examples=list(portfolio.training.candidates),
                minItems=1,
                title="Candidates",
                description="Which to evaluate.",
            ),
        },
    ) as dag:

        @task
        def plan(params: Any = None) -> list[dict[str, str]]:
            """The windows, and the features of every partition that they need."""
            from fraudops.training.evaluation_runs import plan_evaluation

            from fraudops_airflow.context import moment, open_workspace

            return plan_evaluation(open_workspace(), portfolio, moment(portfolio, params["as_of"])).to_list()

        @task(pool=TRAINING_POOL, map_index_template="{{ window }}", execution_timeout=timedelta(hours=6))
        def evaluate(asked: dict[str, str], params: Any = None) -> str | None:
            """Train every candidate on what was known when the window began, and measure it there."""
            from airflow.sdk import get_current_context
            from fraudops.reports.prequential import evaluate_and_put

            from fraudops_airflow.context import open_workspace

            get_current_context()["window"] = asked["start"][:10]  # type: ignore[typeddict-unknown-key]
            return evaluate_and_put(open_workspace(), portfolio, asked, candidates=params["candidates"])

        @task
        def report(planned: list[dict[str, str]], files: list[str | None]) -> str:
            """The page: mean and spread over the windows, and each of them."""
            from datetime import datetime

            from fraudops.reports.prequential import write_prequential_report

            from fraudops_airflow.context import open_workspace

            written = [file for file in files if file]
            first = planned[0]
            as_of = datetime.fromisoformat(first["as_of"])
            return write_prequential_report(open_workspace(), portfolio, first["evaluation"], written, as_of=as_of)

        planned = plan()
        report(planned, evaluate.expand(asked=planned))  # type: ignore[arg-type]
    return dag
