"""What all DAGs share: owner, retries, time-outs, tags, assets, the pool for long work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import (
    Asset,
    PartitionMapper,
    StartOfDayMapper,
    StartOfHourMapper,
    StartOfWeekMapper,
)
from fraudops.portfolio import Partitioning, Portfolio
from fraudops.portfolio.partitioning import WEEK

from fraudops_airflow.retries import POLICY, RETRIES

TRAINING_POOL = "fraudops_training"
"""Two slots: training never takes the slots that scoring needs."""

BULK_POOL = "fraudops_bulk"
"""Two slots for whatever comes by the month: loading history, making up for what is stale or was pending."""

CHUNK = 31
"""Partitions that one mapped task of a bulk run works on."""


def dag_arguments(portfolio: Portfolio, workflow: str, doc: str | None) -> dict[str, Any]:
    """Arguments of every DAG of a portfolio.

    Parameters
    ----------
    workflow
        Name of the workflow, such as ``score``.
    doc
        Documentation shown in the UI, Markdown; the portfolio's own description is put before it.
    """
    return {
        "dag_id": portfolio.dag_id(workflow),
        "dag_display_name": f"{portfolio.title}: {workflow}",
        "description": (doc or "").strip().split("\n", 1)[0],
        "doc_md": f"**{portfolio.title}** — {portfolio.description.strip()}\n\n{(doc or '').strip()}\n",
        # No start date: with one, switching a scheduled DAG on would at once start a run for the past.
        "catchup": False,
        "tags": ["fraudops", workflow, portfolio.name, *portfolio.tags],
        "default_args": {
            "owner": portfolio.owner,
            "retries": RETRIES,
            "retry_delay": timedelta(seconds=10),
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
            "retry_policy": POLICY,
            "execution_timeout": timedelta(hours=1),
        },
    }


def transactions_asset(portfolio: Portfolio) -> Asset:
    """The portfolio's transactions: one event, with the partition's key, per published partition."""
    return Asset(
        name=f"{portfolio.name}_transactions",
        uri=f"fraudops://{portfolio.name}/transactions",
        group="fraudops",
    )


def scores_asset(portfolio: Portfolio) -> Asset:
    """The portfolio's scores: one event per scored partition."""
    return Asset(name=f"{portfolio.name}_scores", uri=f"fraudops://{portfolio.name}/scores", group="fraudops")


def key_mapper(partitioning: Partitioning) -> PartitionMapper:
    """From the key of a published partition to the key of the run that it starts: the same, if it is one."""
    mapper = {24: StartOfDayMapper, WEEK: StartOfWeekMapper}.get(partitioning.hours, StartOfHourMapper)
    return mapper(input_format=partitioning.key_format, output_format=partitioning.key_format)


def chunks(keys: list[str]) -> list[list[str]]:
    """Keys in the pieces that mapped tasks work on."""
    return [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
