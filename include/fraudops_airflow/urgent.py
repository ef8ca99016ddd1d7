"""Builds ``<portfolio>_urgent``: sends the notices that cannot wait for ``notify``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowSkipException
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.email import NoticeEmailOperator, require_mail_server

DOC = """Send the immediate notices of transactions that were decided at once, within seconds.

**Starts** by itself as soon as its last run has ended, while it is switched on.

**Does** wait, without a worker's slot, until an immediate notice lies in the outbox; send it over the Airflow
connection `smtp_default`, as `notify` would. Where the mail server is away the task tries again, less and less often;
the notice stays in the outbox, and whoever comes first sends it, once.

**Then** it begins anew. All other notices go out by `notify`; so do these while this is switched off.
"""

_EVERY = timedelta(seconds=2)
_LASTS = timedelta(hours=1)
"""A run that has seen nothing ends after so long, and the next one begins with the configuration of then."""


class WaitForNotices(BaseOperator):
    """Waits in the triggerer until a notice that cannot wait is in the outbox; returns the numbers of those."""

    def __init__(self, *, portfolio: Portfolio, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.portfolio = portfolio

    def execute(self, context: Any) -> None:
        """Hand over to the triggerer."""
        from fraudops_airflow.outbox_trigger import OutboxTrigger

        trigger = OutboxTrigger(self.portfolio.name, _EVERY.total_seconds(), _LASTS.total_seconds())
        self.defer(trigger=trigger, method_name="arrived")

    def arrived(self, context: Any, event: dict[str, list[int]]) -> list[int]:
        """The notices that wait. Fails, to be tried again, where no mail can be sent."""
        found = event["notices"]
        if not found:
            raise AirflowSkipException("nothing urgent has come")
        require_mail_server(f"{len(found)} immediate notices in the outbox wait")
        return found


def build_urgent(portfolio: Portfolio) -> DAG:
    """The DAG; one run at a time, one after the other."""
    # As for `watch`: without a start date the second run would bear the logical date of the first one.
    start = datetime(2000, 1, 1, tzinfo=UTC)
    arguments = {**dag_arguments(portfolio, "urgent", DOC), "start_date": start}
    with DAG(**arguments, schedule="@continuous", max_active_runs=1) as dag:
        wait = WaitForNotices(task_id="wait_for_notices", portfolio=portfolio)
        NoticeEmailOperator.partial(
            task_id="send",
            map_index_template="notice {{ task.notice_id }}",
            portfolio=portfolio.name,
            execution_timeout=timedelta(minutes=5),
            max_active_tis_per_dag=2,
        ).expand(notice_id=wait.output)
    return dag
