"""Steps that several DAGs share."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import task, task_group
from fraudops.portfolio import Portfolio, format_duration

from fraudops_airflow.defaults import BULK_POOL

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

log = logging.getLogger(__name__)


def say(sentences: Iterable[object]) -> None:
    """Write what a person should know into the task's log, a line each."""
    for sentence in sentences:
        log.info("%s", sentence)


def land_or_set_aside(ws: Workspace, portfolio: Portfolio, params: Any) -> dict[str, Any]:
    """Land the files that a form names; the data owner is told of those that cannot be used as a whole."""
    from datetime import UTC, datetime

    from fraudops.intake.apart import land_apart
    from fraudops.intake.masking import mask_card_numbers
    from fraudops.notices.intake_messages import file_refused

    names = [params["path"]] if isinstance(params["path"], str) else list(params["path"])
    limits = {name: params[name] or None for name in ("first", "last")}
    result, refused = land_apart(ws, portfolio, names, **limits, corrections=params["corrections"])
    with ws.transaction() as session:
        for file in refused:
            name = mask_card_numbers(file.name)
            log.warning("%s could not be used: %s", name, file.what)
            told = {"sha256": file.sha256, "what": file.what, "remedy": file.remedy}
            file_refused(session, ws, portfolio, name=name, **told, now=datetime.now(UTC))
    say([*result.notes, *result.changes])
    return {"refused": [mask_card_numbers(file.name) for file in refused], **result.to_dict()}


def follow_up_changes(ws: Workspace, portfolio: Portfolio, landed: dict[str, Any]) -> dict[str, Any] | None:
    """Tell the data owner which published partitions have changed; find what was scored before that.

    Parameters
    ----------
    landed
        What ``land`` returned.

    Returns
    -------
    dict or None
        None where no other partition is stale by them: there is nothing for `reconcile` to do.
    """
    from fraudops.decisions.corrections import follow_up

    found = follow_up(ws, portfolio, [*landed["keys"], *landed["label_keys"]])
    say(found.sentences())
    # What was landed is scored for its own sake; what depends on it waits for reconcile.
    if not set(found.stale) - set(landed["keys"]):
        return None
    log.info("%s scores them again, and is started now", portfolio.dag_id("reconcile"))
    return found.to_dict()


def reconcile_now(portfolio: Portfolio) -> TriggerDagRunOperator:
    """Start the ``reconcile`` workflow; it would start by itself at its time of the day."""
    return TriggerDagRunOperator(
        task_id="reconcile",
        trigger_dag_id=portfolio.dag_id("reconcile"),
        trigger_run_id="after__{{ dag_run.run_id }}",
        skip_when_already_exists=True,
    )


def score_and_alert(ws: Workspace, portfolio: Portfolio, keys: list[str], who: str) -> dict[str, Any]:
    """Features, scores, decisions, alerts, cases and queued notices of some partitions; then the shadow's scores.

    Returns
    -------
    dict
        What became of the partitions (state → how many), alerts raised, notices queued, what the shadow did.
    """
    from fraudops.cases import gather
    from fraudops.decisions.alerts import raise_alerts
    from fraudops.decisions.scoring import score_many
    from fraudops.features import build

    at_once = follow_up_at_once(ws, portfolio, who)
    seed_online(ws, portfolio)
    build(ws, portfolio, keys)
    results = score_many(ws, portfolio, keys)
    states = [result.state for result in results]
    scored = [result.key for result in results if result.state in ("scored", "unchanged")]
    alerts = [raise_alerts(ws, portfolio, key, actor=who) for key in scored]
    for key in scored:
        gather(ws, portfolio, key, actor=who)
    return {
        # What a challenger would have decided: nothing acts on it, and it can fail nobody.
        "shadow": score_shadow_beside(ws, portfolio, keys),
        "states": {state: states.count(state) for state in sorted(set(states))},
        "raised": sum(result.raised for result in alerts) + at_once["raised"],
        "notices": sum(result.notices for result in alerts) + at_once["notices"],
    }


def follow_up_at_once(ws: Workspace, portfolio: Portfolio, who: str) -> dict[str, int]:
    """Do what the scoring service does after its answers, where one has died before it could."""
    from fraudops.cases.following import follow_up

    return follow_up(ws, portfolio, actor=who).to_dict()


def seed_online(ws: Workspace, portfolio: Portfolio) -> None:
    """Let what is scored at once see the days that have been published; nothing where nobody asks for it."""
    from fraudops.online.seeding import is_served, seed

    if portfolio.serving.enabled and is_served(ws, portfolio):
        found = seed(ws, portfolio)
        if found.partitions:
            say([f"{len(found.partitions)} days, new or corrected, are in the online state"])


def land_uncollected(ws: Workspace, portfolio: Portfolio, who: str) -> list[str]:
    """Land what was scored at once and came too late for its day; what does not pass validation stays unpublished.

    Returns
    -------
    list of str
        Partitions that have more rows now.
    """
    from fraudops.intake.collecting import collected, uncollected
    from fraudops.intake.files import FeedFiles
    from fraudops.intake.landing import land
    from fraudops.intake.validation import publish, validate
    from fraudops.notices.messages import validation_failure

    done = []
    for key in uncollected(ws, portfolio):
        with collected(ws, portfolio, [key]) as files:
            land(ws, portfolio, FeedFiles(transactions=files), first=key, last=key)
        outcome = validate(ws, portfolio, key)
        if outcome.passed:
            publish(ws, portfolio, key, actor=who)
            done.append(key)
        else:
            with ws.transaction() as session:
                validation_failure(session, ws, portfolio, key, outcome.failures, outcome.report)
    say(f"{key} has rows now that were scored at once, and came late" for key in done)
    return done


def score_chunk_task(portfolio: Portfolio, task_id: str = "score") -> Any:
    """A mappable task: features, scores, decisions and alerts of a list of partitions, model loaded once."""

    @task(task_id=task_id, pool=BULK_POOL, map_index_template="{{ chunk }}")
    def score_chunk(keys: list[str], dag_run: Any = None) -> dict[str, Any]:
        """Features, scores, decisions, alerts, cases and queued notices of these partitions."""
        from airflow.sdk import get_current_context

        from fraudops_airflow.context import actor, open_workspace

        get_current_context()["chunk"] = f"{keys[0]} … {keys[-1]}" if len(keys) > 1 else keys[0]  # type: ignore[typeddict-unknown-key]
        return score_and_alert(open_workspace(), portfolio, keys, actor(dag_run))

    return score_chunk


def evidence_task(portfolio: Portfolio) -> Any:
    """A task that files the evidence pack of the version whose verdict was carried out, or was not."""

    @task(trigger_rule="none_failed_min_one_success")
    def file_evidence(params: Any = None) -> dict[str, Any]:
        """A new revision of the evidence pack, with who decided and why."""
        from fraudops.registry.comparison import verdict_of
        from fraudops.reports.evidence import file_pack

        from fraudops_airflow.context import open_workspace

        ws = open_workspace()
        with ws.transaction() as session:
            version = verdict_of(session, portfolio, params["run_id"]).challenger.version
        return file_pack(ws, portfolio, version=version).to_dict()

    return file_evidence


def score_shadow_beside(ws: Workspace, portfolio: Portfolio, keys: list[str]) -> dict[str, Any] | None:
    """Let the running shadow score what the champion has scored; None where it could not.

    Whatever goes wrong with a challenger is no reason for the champion's work to fail: it is logged, the partition
    counts as undone, and `reconcile` tries again.
    """
    from fraudops.decisions.shadow import score_shadow

    try:
        return score_shadow(ws, portfolio, keys).to_dict()
    except Exception:
        log.exception("The shadow could not score; the champion's scores stand, and reconcile tries again")
        return None


def monitored(ti: Any, result: Any, *, within: str = "") -> list[str] | None:
    """Log what monitoring found, and name the tasks of :func:`follow_monitoring` that are to run; None: neither.

    Parameters
    ----------
    ti
        The running task, which hands on what is to be trained.
    within
        Task group of those tasks, with its dot.
    """
    since = f" since {result.since}" if result.since else ""
    say([f"status {result.status}{since}", *result.reasons, *result.notes])
    ti.xcom_push(key="result", value=result.to_dict())
    wanted = ["retrain"] if result.retraining else []
    wanted += ["send_notices"] if result.notices else []
    return [within + name for name in wanted] or None


def follow_monitoring(portfolio: Portfolio, monitor: str) -> list[TriggerDagRunOperator]:
    """What may follow the task ``monitor``: a training run, one for each champion and week, and e-mails."""
    window = portfolio.monitoring.retrain_window
    asked = f"ti.xcom_pull(task_ids='{monitor}', key='result')['retraining']"
    retrain = TriggerDagRunOperator(
        task_id="retrain",
        trigger_dag_id=portfolio.dag_id("train"),
        trigger_run_id="{{ " + asked + "['run_id'] }}",
        conf={
            "reason": "{{ " + asked + "['reason'] }}",
            "as_of": "{{ " + asked + "['as_of'] }}",
            **({"window": format_duration(window)} if window else {}),
        },
        skip_when_already_exists=True,
        retries=2,
    )
    return [retrain, send_notices_now(portfolio)]


def monitor_undone(portfolio: Portfolio) -> Any:
    """A group that monitors every scored partition that nobody has looked at, and does what follows from that."""

    @task_group(group_id="monitoring")
    def monitoring() -> Any:
        """What monitoring has left out: a bulk load, a paused day, labels that came late."""

        @task.branch(trigger_rule="none_failed")
        def monitor(ti: Any = None) -> list[str] | None:
            """Measure, settle and look, in the order of time."""
            from fraudops.monitoring.watch import monitor, unmonitored

            from fraudops_airflow.context import open_workspace

            ws = open_workspace()
            return monitored(ti, monitor(ws, portfolio, unmonitored(ws, portfolio)), within="monitoring.")

        looked = monitor()
        looked >> follow_monitoring(portfolio, "monitoring.monitor")
        return looked

    return monitoring()


def comply_with(ws: Workspace, portfolio: Portfolio, keys: list[str] | None, who: str) -> dict[str, Any]:
    """Run the rules over partitions (None: over those that lack it or are out of date), and raise their hits."""
    from fraudops.cases import gather
    from fraudops.rules.raising import raise_hits
    from fraudops.rules.registry import read_rules
    from fraudops.rules.running import comply, undone, unraised
    from fraudops.settings import Settings

    rules = read_rules(Settings.from_environment().rules)
    wanted = undone(ws, portfolio, rules) if keys is None else keys
    found = comply(ws, portfolio, wanted, rules)
    again = unraised(ws, portfolio) if keys is None else []
    raised = [
        raise_hits(ws, portfolio, key, rules, actor=who) for key in sorted({*again, *(result.key for result in found)})
    ]
    for item in raised:
        gather(ws, portfolio, item.key, actor=who)
    for result in found:
        if result.unconverted:
            log.warning("%s: no rate is known for amounts in %s", result.key, ", ".join(sorted(result.unconverted)))
    return {
        "partitions": len(found),
        "hits": sum(sum(result.hits.values()) for result in found),
        "raised": sum(item.raised for item in raised),
        "snoozed": sum(item.snoozed for item in raised),
        "notices": sum(item.notices for item in raised),
    }


def comply_undone(portfolio: Portfolio) -> Any:
    """A group that runs the rules over every partition that lacks it, or of which something has changed."""

    @task_group(group_id="compliance")
    def compliance() -> Any:
        """What the rules have left out: a bulk load, a paused day, a row or a file of reference data that came late."""

        @task.short_circuit(trigger_rule="none_failed", pool=BULK_POOL, execution_timeout=timedelta(hours=6))
        def comply(dag_run: Any = None) -> dict[str, Any] | None:
            """Each partition by its own day's numbers, customers and lists."""
            from fraudops_airflow.context import actor, open_workspace

            found = comply_with(open_workspace(), portfolio, None, actor(dag_run))
            say([found])
            return found if found["notices"] else None

        found = comply()
        found >> send_notices_now(portfolio)
        return found

    return compliance()


def send_notices_now(portfolio: Portfolio, **arguments: Any) -> TriggerDagRunOperator:
    """Start the ``notify`` workflow; it would start by itself a few minutes later."""
    return TriggerDagRunOperator(
        task_id="send_notices",
        trigger_dag_id=portfolio.dag_id("notify"),
        trigger_run_id="after__{{ dag_run.run_id }}",
        skip_when_already_exists=True,
        **arguments,
    )
