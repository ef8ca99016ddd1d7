"""Builds ``<portfolio>_notify``: sends what waits in the outbox."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, task
from fraudops.portfolio import Portfolio

from fraudops_airflow.defaults import dag_arguments
from fraudops_airflow.email import NoticeEmailOperator
from fraudops_airflow.steps import say

DOC = """Send the notices that wait in the outbox, one e-mail task each, in order.

**Starts** after `score` has queued something, and every ten minutes in case anything was left.

**Does** tell of partitions that were not scored in time, where the portfolio has a deadline; send over the Airflow
connection `smtp_default`. Every attempt at one notice bears the same Message-ID. Where the server is away,
`find_waiting` fails and nothing is attempted: the notices wait, and go out in their order when it is back. What waits
longer than the portfolio's `notices.warn_after` is recorded, and told in a notice of its own. What is sent stays sent:
running this again sends nothing twice.
"""
_AT_ONCE = 100


def build_notify(portfolio: Portfolio) -> DAG:
    """The DAG; one mapped e-mail task per waiting notice."""
    with DAG(
        **dag_arguments(portfolio, "notify", DOC),
        schedule=CronTriggerTimetable("*/10 * * * *", timezone="UTC"),
        max_active_runs=1,
    ) as dag:

        @task
        def find_waiting() -> list[int]:
            """Numbers of the notices that wait; alarms and warnings are among them. Fails where no mail can be sent."""
            from datetime import UTC, datetime

            from fraudops.decisions.historic import tell_historic
            from fraudops.decisions.timeliness import tell_late
            from fraudops.notices.lateness import warn
            from fraudops.notices.outbox import waiting
            from fraudops.registry.integrity import raise_alarms
            from fraudops.rules.raising import tell_historic_hits

            from fraudops_airflow.context import open_workspace
            from fraudops_airflow.email import require_mail_server

            ws = open_workspace()
            # Whichever step tripped over the file has failed and could not tell: the ledger knows.
            raise_alarms(ws, portfolio)
            say(f"{late.key} is late: {late.what}" for late in tell_late(ws, portfolio, now=datetime.now(UTC)))
            tell_historic(ws, portfolio)
            if portfolio.compliance is not None:
                tell_historic_hits(ws, portfolio)
            delayed = warn(ws, portfolio)
            found = waiting(ws, limit=_AT_ONCE, portfolio=portfolio.name)
            if found:
                # Asked once, not by each notice: a hundred failed attempts would say no more, and mix up their order.
                require_mail_server(delayed.sentence if delayed else f"{len(found)} in the outbox wait")
            return found

        NoticeEmailOperator.partial(
            task_id="send",
            map_index_template="notice {{ task.notice_id }}",
            portfolio=portfolio.name,
            execution_timeout=timedelta(minutes=5),
            max_active_tis_per_dag=2,
        ).expand(notice_id=find_waiting())
    return dag
