"""The demo: the whole lifecycle of one portfolio as real DAG runs, each step only where it is not done yet.

Whatever was interrupted is continued: a step first asks the store, the database and Airflow how far it got.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from fraudops.decisions.pending import pending_keys
from fraudops.errors import FraudopsError
from fraudops.intake.validation import last_outcome
from fraudops.portfolio import Portfolio
from fraudops.roles import Roles
from fraudops.stack import overview
from fraudops.stack.approval import Approval
from fraudops.stack.client import AirflowClient, DagRun, RunFailedError, TaskInstance
from fraudops.stack.itinerary import Itinerary
from fraudops.stack.months import newest_month
from fraudops.stack.narrator import Narrator
from fraudops.stack.simulated_files import write_stretch
from fraudops.workspace import Workspace

LAND, INGEST, SCORE, MONITOR, TRAIN, PROMOTE, ROLLBACK, SHADOW, NOTIFY, RECONCILE, WATCH = (
    "land", "ingest", "score", "monitor", "train", "promote", "rollback", "shadow", "notify", "reconcile", "watch",
)  # fmt: skip
COMPLY, CLOCKS, REPORT, URGENT = "comply", "clocks", "report", "urgent"
_WORKFLOWS = (LAND, INGEST, SCORE, MONITOR, TRAIN, PROMOTE, ROLLBACK, SHADOW, NOTIFY, RECONCILE, CLOCKS, REPORT)

_DRIFT = "drift__"
"""How the names of training runs begin that monitoring asks for."""
_PATIENCE = 20.0
"""Seconds without any activity after which what should have started by itself is started."""
_TOLD = 5
"""Partitions that are named one by one."""
_LIMIT = 900.0
"""Seconds after which something that should have happened has not."""
_LONG = 6 * 3_600.0
"""Seconds that a run at work may take: a large file is read and learned from for longer than a person waits."""


def workflows_of(portfolio: Portfolio) -> tuple[str, ...]:
    """The workflows that a portfolio's walkthrough turns on."""
    comply = (COMPLY,) if portfolio.compliance is not None else ()
    urgent = (URGENT,) if portfolio.serving.enabled else ()
    return (*_WORKFLOWS, *comply, *urgent)


@dataclass(frozen=True)
class Walkthrough:
    """The lifecycle of one portfolio on a running stack."""

    client: AirflowClient
    """The administrator's session."""
    sign_in: Callable[[str], AirflowClient]
    """Opens another user's session."""
    ws: Workspace
    roles: Roles
    plan: Itinerary
    narrator: Narrator

    @property
    def portfolio(self) -> Portfolio:
        """The portfolio that is shown."""
        return self.plan.portfolio

    def run(self) -> None:
        """All steps.

        Raises
        ------
        RunFailedError
            A DAG run failed; the message holds the end of the failed task's log.
        """
        if self.plan.simulation is not None:
            with self.narrator.phase("Simulate transactions"):
                self.simulate()
        self.wake()
        for key in self.plan.left_out:
            self.narrator.found(
                f"{self.plan.file} ends in the middle of {key}: that partition is not over, and left out"
            )
        with self.narrator.phase(f"Ingest {len(self.plan.bulk)} partitions in one bulk run"):
            changed = self.land(self.plan.bulk)
        with self.narrator.phase("Train the candidates and compare them with the champion"):
            run_id = self.train(changed)
        with self.narrator.phase("Promote the challenger, with a person's approval"):
            self.promote(run_id)
        if self.plan.catch_up:
            with self.narrator.phase(f"Ingest, score and alert: {len(self.plan.catch_up)} partitions in one bulk run"):
                self.land(self.plan.catch_up)
        with self.narrator.phase(f"Ingest, score and alert: {len(self.plan.live)} partitions, one by one"):
            self.follow()
        if self.plan.later:
            with self.narrator.phase(f"Weeks later: ingest, score and alert {len(self.plan.later)} partitions at once"):
                write_stretch(self.plan, self.ws.landing / self.portfolio.name, self.plan.later)
                self.land(self.plan.later)
        with self.narrator.phase("Watch the champion, and train again where that says so"):
            self.follow_monitoring()
        with self.narrator.phase("Report the newest month that is over"):
            self.report()
        with self.narrator.phase("Send the notices"):
            self.notify()
        self.watch_folder()

    # -- the steps ------------------------------------------------------------------------------------

    def simulate(self) -> None:
        """Write the bulk load's files; the days after it are written when their runs ask for them."""
        plan = self.plan
        files, written = write_stretch(plan, self.ws.landing / self.portfolio.name, plan.bulk)
        if not written:
            self.narrator.found("simulated already")
        self.narrator.found(
            f"{len(plan.bulk)} days, {plan.first} to {plan.last}: {', '.join(file.name for file in files)}"
        )

    def follow_monitoring(self) -> None:
        """Tell what monitoring has seen; wait for the training that it asks for, and answer as the validator."""
        from fraudops.monitoring.looks import states
        from fraudops.monitoring.watch import unmonitored

        before = {name: self._failed(name) for name in (MONITOR, RECONCILE)}
        while self._active(self.portfolio.dag_id(MONITOR)):
            self.narrator.now("monitoring")
            time.sleep(0.5)
        if unmonitored(self.ws, self.portfolio):
            self._complete(RECONCILE, {})
        for workflow, runs in before.items():
            self._raise_failure(workflow, runs)
        found = states(self.ws, self.portfolio)
        for state, was in zip(found, [None, *found], strict=False):
            if was is None or state.status != was.status:
                self.narrator.found(f"{state.since}: {state.status}")
        said = overview.monitoring(self.ws, self.portfolio)
        self.narrator.found(said or "nothing could be monitored: there is no champion, or too little was scored")
        self._follow_retraining()

    def report(self) -> None:
        """Make the pack of the newest month that is complete; ``reconcile`` makes those before it."""
        month = newest_month(self.ws, self.portfolio)
        if month is None:
            self.narrator.found("every complete month has its pack")
            return
        self._complete(REPORT, {"month": month})
        self.narrator.found(f"the pack of {month}: 'fraudops report list -p {self.portfolio.name}'")

    def _follow_retraining(self) -> None:
        """Wait for the training runs that monitoring has asked for, tell each verdict, and carry it out."""
        asked = [r for r in self.client.newest_runs(self.portfolio.dag_id(TRAIN)) if r.run_id.startswith(_DRIFT)]
        if not asked:
            self.narrator.found("no training was asked for")
        for run in reversed(asked):
            self.narrator.found(f"monitoring has started {run.dag_id} ({run.run_id})")
            self._wait(run)
            with self.ws.transaction() as session:
                self._tell_candidates(session, run.run_id)
                verdict = overview.verdict(session, self.portfolio.name, run.run_id)
            if verdict is None:
                raise FraudopsError("the training run left no verdict", where=f"{self.portfolio.name} {run.run_id}")
            self.narrator.found(f"verdict {verdict.outcome}: {verdict.reason}")
            self.promote(run.run_id)

    def wake(self) -> None:
        """Unpause the workflows, all but ``ingest``: that one begins when there is a champion."""
        workflows = workflows_of(self.portfolio)
        self.client.wait_for_dags(self.portfolio.dag_id(workflow) for workflow in workflows)
        for workflow in workflows:
            if workflow != INGEST:
                self.client.set_paused(self.portfolio.dag_id(workflow), False)

    def land(self, keys: tuple[str, ...]) -> bool:
        """Load partitions at once; whether that changed any. A file is always looked at: it may be another one."""
        before = self._digests(keys)
        if self.plan.file is not None or None in before:
            conf = {"path": self.plan.file, "first": keys[0], "last": keys[-1]}
            self._despite("validate.every_partition_passed", partial(self._complete, LAND, conf))
            self._tell_refused(keys)
        changed = self._digests(keys) != before
        if not changed:
            self.narrator.found("loaded already; the same files again change nothing")
        found = overview.portfolio_overview(self.ws.store, self.portfolio, None)
        self.narrator.found(
            f"{found.rows:,} rows in {found.partitions} partitions, {found.quarantined:,} in quarantine"
        )
        return changed

    def train(self, changed: bool = False) -> str:
        """Train, unless a verdict was found on this data already; returns the run whose verdict counts.

        Parameters
        ----------
        changed
            Whether there are other rows to learn from than before.
        """
        name = self.portfolio.name
        with self.ws.transaction() as session:
            run_id = overview.newest_training_run(session, name)
            known = overview.verdict(session, name, run_id) if run_id else None
        if run_id is None or known is None or changed or known.as_of < self.portfolio.partitioning.end(self.plan.last):
            source = f" with {self.plan.file}" if self.plan.file else ""
            reason = f"demonstration: {'first training' if known is None else 'retraining'}{source}"
            run_id = self._complete(TRAIN, {"as_of": self._learned_until(), "reason": reason}).run_id
        else:
            self.narrator.found(f"trained already ({run_id})")
        with self.ws.transaction() as session:
            self._tell_candidates(session, run_id)
            verdict = overview.verdict(session, name, run_id)
        if verdict is None:
            raise FraudopsError("the training run left no verdict", where=f"{name} {run_id}")
        self.narrator.found(f"verdict {verdict.outcome}: {verdict.reason}")
        return run_id

    def promote(self, run_id: str) -> None:
        """Answer the approval as the validator, where one is asked for."""
        name = self.portfolio.name
        with self.ws.transaction() as session:
            champion = overview.champion(session, name)
            verdict = overview.verdict(session, name, run_id)
        in_use = champion.version if champion else None
        if verdict is not None and verdict.outcome == "PROMOTE" and verdict.challenger != in_use:
            approval = Approval(self.client, self.sign_in, self.roles, self.portfolio, self.narrator)
            approval.give(f"verdict__{run_id}", f"Demonstration. {verdict.reason}")
            with self.ws.transaction() as session:
                champion = overview.champion(session, name)
        if champion is None:
            self.narrator.found("nobody was promoted, so the partitions to come wait for a champion")
            return
        stays = "stays" if champion.version == in_use else "is"
        self.narrator.found(
            f"{champion.version} ({champion.candidate}) {stays} champion, approved by {champion.approved_by}"
        )

    def follow(self) -> None:
        """Ingest the partitions that follow, and wait until each is scored and its alerts are raised."""
        undone, before = self._undone(), {name: self._failed(name) for name in (INGEST, SCORE, RECONCILE)}
        if not undone:
            self.narrator.found("all of them are scored already")
        self.client.set_paused(self.portfolio.dag_id(INGEST), False)
        for number, key in enumerate(undone):
            self.narrator.now(f"{number} of {len(undone)} partitions ingested, next is {key}")
            self._despite("validate.check_and_publish", partial(self._ingest, key))
        if refused := self._tell_refused(undone):
            before[INGEST] = self._failed(INGEST)
        self._wait_until_scored([key for key in undone if key not in refused], before)
        found = overview.portfolio_overview(self.ws.store, self.portfolio, self.ws)
        told = ", ".join(f"{count} {decision}" for decision, count in sorted(found.decisions.items()))
        self.narrator.found(f"{found.scored} partitions scored, {found.alerts} alerts ({told or 'none'})")

    def notify(self) -> None:
        """Wait until the outbox is empty."""
        from fraudops.notices.outbox import counts

        dag_id, before = self.portfolio.dag_id(NOTIFY), self._failed(NOTIFY)
        quiet_since, deadline = time.monotonic(), time.monotonic() + _LIMIT
        while True:
            with self.ws.transaction() as session:
                found = counts(session, self.portfolio.name)
            if not found.waiting:
                break
            self.narrator.now(f"{found.waiting} notices wait, {found.sent} are sent")
            self._raise_failure(NOTIFY, before)
            if self._active(dag_id):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > _PATIENCE:
                self.client.trigger(dag_id)
                quiet_since = time.monotonic()
            if time.monotonic() > deadline:
                raise FraudopsError(f"{found.waiting} notices still wait", where=dag_id)
            time.sleep(0.5)
        self.narrator.found(f"{found.sent} notices sent")

    def watch_folder(self) -> None:
        """From now on what arrives in the landing folder is landed and scored at once."""
        if self.portfolio.scheduled and self.portfolio.watched:
            self.client.wait_for_dags([self.portfolio.dag_id(WATCH)])
            self.client.set_paused(self.portfolio.dag_id(WATCH), False)

    # -- inside ---------------------------------------------------------------------------------------

    def _complete(self, workflow: str, conf: dict[str, Any]) -> DagRun:
        """Run a workflow and wait for it; a run that an interrupted demo left under way is waited for instead."""
        dag_id = self.portfolio.dag_id(workflow)
        active = self._active(dag_id)
        return self._wait(active[0] if active else self.client.trigger(dag_id, conf=conf))

    def _wait(self, run: DagRun) -> DagRun:
        return self.client.wait_for_run(run, timeout=_LONG, watch=self._show_tasks)

    def _despite(self, task: str, run: Callable[[], object]) -> None:
        """Go on where a run failed at this task alone: one partition that is refused keeps no other from coming."""
        try:
            run()
        except RunFailedError as error:
            if set(error.tasks) != {task}:
                raise

    def _tell_refused(self, keys: Sequence[str]) -> list[str]:
        """Partitions that did not pass validation, each told with its first reason."""
        there = set(self.ws.store.keys("transactions", self.portfolio.name))
        refused = [key for key in keys if key not in there]
        for key in refused[:_TOLD]:
            outcome = last_outcome(self.ws, self.portfolio, key)
            why = "; ".join(outcome.failures[:1]) if outcome else "it has no usable row"
            self.narrator.found(f"{key} did not pass validation, and waits for a corrected file: {why}")
        if len(refused) > _TOLD:
            self.narrator.found(f"and {len(refused) - _TOLD} more partitions: see Fraud Ops → Validation")
        return refused

    def _digests(self, keys: tuple[str, ...]) -> list[str | None]:
        """What the partitions hold; None where one is not there."""
        manifests = (self.ws.store.manifest("transactions", self.portfolio.name, key) for key in keys)
        return [None if manifest is None else manifest.data_digest for manifest in manifests]

    def _learned_until(self) -> str:
        """The last partition to learn from: the bulk's, or a later one that an earlier file has brought."""
        bulk_of_earlier = [
            key for key in self.ws.store.keys("transactions", self.portfolio.name) if key > self.plan.last
        ]
        return bulk_of_earlier[-1] if self.plan.file and bulk_of_earlier else self.plan.last

    def _show_tasks(self, run: DagRun, tasks: list[TaskInstance]) -> None:
        at_work = sorted({task.name for task in tasks if task.state in ("running", "queued")})
        done = sum(task.state in ("success", "skipped") for task in tasks)
        self.narrator.now(f"{run.dag_id}: {', '.join(at_work) or 'next task'} ({done} of {len(tasks)} tasks done)")

    def _active(self, dag_id: str) -> list[DagRun]:
        return self.client.runs(dag_id, state=["queued", "running"])

    def _tell_candidates(self, session: Session, run_id: str) -> None:
        for line in overview.candidates(session, self.portfolio.name, run_id):
            value = line.metrics.get(overview.PRIMARY_METRIC)
            shown = f"{value:.3f}" if value is not None else "not measured"
            self.narrator.found(f"{line.version} {line.candidate}: average precision {shown}")

    def _undone(self) -> list[str]:
        """Partitions to come that are not ingested, or not scored though there is a champion (and they are to be)."""
        name = self.portfolio.name
        done = set(self.ws.store.keys("transactions", name))
        with self.ws.transaction() as session:
            has_champion = overview.champion(session, name) is not None
        if has_champion:
            done -= set(pending_keys(self.ws, self.portfolio))
        return [key for key in self.plan.live if key not in done]

    def _ingest(self, key: str) -> None:
        """One run for one partition, as a person would start it; scoring follows by itself, beside the next one.

        In order and not as a backfill: a day's features look at the days before it. Once a backfill exists,
        Airflow starts the newest partition as a scheduled run in the middle of it.
        """
        dag_id = self.portfolio.dag_id(INGEST)
        active = [run for run in self._active(dag_id) if run.partition_key == key]
        run = active[0] if active else self.client.trigger(dag_id, partition_key=key)
        self.client.wait_for_run(run, timeout=_LONG, pause=0.2)

    def _wait_until_scored(self, keys: list[str], before: dict[str, set[DagRun]]) -> None:
        """Wait for the store, not for events: what counts is which partitions are scored."""
        quiet_since = time.monotonic()
        progressed, before_that = quiet_since, len(keys)
        while undone := [key for key in self._undone() if key in keys]:
            for workflow, runs in before.items():
                self._raise_failure(workflow, runs)
            done = len(keys) - len(undone)
            self.narrator.now(f"{done} of {len(keys)} partitions scored, next is {undone[0]}")
            if any(self._active(self.portfolio.dag_id(workflow)) for workflow in (INGEST, SCORE, RECONCILE)):
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > _PATIENCE:
                # Airflow loses the events of a paused DAG; the store knows what is missing.
                self._complete(RECONCILE, {})
                quiet_since = time.monotonic()
            if len(undone) < before_that:
                progressed, before_that = time.monotonic(), len(undone)
            if time.monotonic() - progressed > _LIMIT:
                raise FraudopsError(f"not scored in time: {', '.join(undone)}", where=self.portfolio.name)
            time.sleep(0.7)
        self._settle(before)

    def _settle(self, before: dict[str, set[DagRun]]) -> None:
        """Alerts and notices follow the scores within the same runs: wait until those have ended."""
        deadline = time.monotonic() + _LIMIT
        while time.monotonic() < deadline:
            following = (SCORE, RECONCILE, *((COMPLY,) if self.portfolio.compliance is not None else ()))
            if not any(self._active(self.portfolio.dag_id(workflow)) for workflow in following):
                break
            self.narrator.now("raising alerts")
            time.sleep(0.5)
        for workflow, runs in before.items():
            self._raise_failure(workflow, runs)

    def _failed(self, workflow: str) -> set[DagRun]:
        """The failed ones among the newest runs."""
        return {run for run in self.client.newest_runs(self.portfolio.dag_id(workflow)) if run.state == "failed"}

    def _raise_failure(self, workflow: str, before: set[DagRun]) -> None:
        """Raise for a run that has failed since."""
        for run in self._failed(workflow) - before:
            raise self.client.failure(run)
