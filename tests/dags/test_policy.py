"""What holds for every DAG and every task, whoever adds one."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fraudops.portfolio import Portfolio

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag

CHECKOUT = Path(__file__).resolve().parents[2]
WORKFLOWS = {
    *("ingest", "land", "watch", "score", "train", "evaluate", "promote", "rollback", "shadow", "notify", "reconcile"),
    *("monitor", "restate", "retain", "verify", "clocks", "report"),
}
HEAVY = ("pandas", "sklearn", "great_expectations", "lightgbm", "xgboost", "matplotlib", "pyarrow", "scipy")
WAITS_FOR_A_PERSON = {"approval.ask"}


def test_every_file_parses(dag_bag: DagBag) -> None:
    assert dag_bag.import_errors == {}


def test_every_portfolio_has_every_workflow(dag_bag: DagBag, portfolios: dict[str, Portfolio]) -> None:
    expected = {f"{name}_{workflow}" for name in portfolios for workflow in WORKFLOWS}
    expected |= {f"{name}_comply" for name, portfolio in portfolios.items() if portfolio.compliance is not None}
    expected |= {f"{name}_urgent" for name, portfolio in portfolios.items() if portfolio.serving.enabled}
    assert set(dag_bag.dags) == expected


def test_every_dag_explains_itself(dag_bag: DagBag) -> None:
    for dag_id, dag in dag_bag.dags.items():
        assert dag.doc_md, dag_id
        assert len(dag.doc_md) > 200, dag_id
        assert "**Starts**" in dag.doc_md, f"{dag_id} does not say when it starts"
        assert {"fraudops", dag_id.rsplit("_", 1)[1], dag_id.rsplit("_", 1)[0]} <= set(dag.tags), dag_id
        assert dag.description, dag_id
        for name, param in dag.params.items():
            definition = dag.params.get_param(name)
            assert definition.description, f"{dag_id}: parameter {name} has no description ({param!r})"


def test_every_task_has_an_owner_retries_a_limit_and_a_purpose(dag_bag: DagBag) -> None:
    for dag_id, dag in dag_bag.dags.items():
        for task in dag.tasks:
            where = f"{dag_id}.{task.task_id}"
            assert task.owner.endswith(("-team", "science")), where
            assert task.retries >= 1, where
            if task.task_id not in WAITS_FOR_A_PERSON:
                assert isinstance(task.execution_timeout, timedelta), where
            function = getattr(task, "python_callable", None) or getattr(task, "op_kwargs", {}).get("python_callable")
            if function is not None:
                assert function.__doc__, f"{where}: the task's function has no docstring"


def test_long_work_has_a_pool_of_its_own(dag_bag: DagBag) -> None:
    for name in ("cards", "ulb"):
        assert dag_bag.dags[f"{name}_train"].get_task("train_candidates.train").pool == "fraudops_training"
        assert dag_bag.dags[f"{name}_evaluate"].get_task("evaluate").pool == "fraudops_training"
        assert dag_bag.dags[f"{name}_restate"].get_task("restate").pool == "fraudops_training"


def test_what_scores_a_day_waits_for_nothing_long(dag_bag: DagBag) -> None:
    pools = {(dag_id, task.task_id): task.pool for dag_id, dag in dag_bag.dags.items() for task in dag.tasks}
    # A day's way, and a file's that arrives at noon, up to the point where its partitions are known.
    for workflow in ("ingest", "score", "notify", "watch"):
        assert {pool for (dag_id, _), pool in pools.items() if dag_id == f"cards_{workflow}"} == {"default_pool"}
    # Whatever fans out over months has few slots, and training has others.
    bulk = {task for task, pool in pools.items() if pool == "fraudops_bulk" and task[0].startswith("cards_")}
    assert bulk == {
        *(("cards_land", "score"), ("cards_reconcile", "score"), ("cards_promote", "score_pending")),
        ("cards_report", "make"),
    }
    mapped = {(dag_id, task.task_id) for dag_id, dag in dag_bag.dags.items() for task in dag.tasks if task.is_mapped}
    unlimited = {task for task in mapped if pools[task] == "default_pool"}
    assert {task_id for _, task_id in unlimited} == {"send", "report"}, "e-mails, and months to report: two at a time"
    assert dag_bag.dags["cards_train"].get_task("preprocess.features").pool == "fraudops_training"


def test_pools_leave_slots_for_the_day() -> None:
    from fraudops.stack.environment import PARALLEL_TASKS, POOL_SLOTS

    assert 2 * POOL_SLOTS < PARALLEL_TASKS


def test_contract_errors_fail_at_once_and_io_is_tried_again(dag_bag: DagBag) -> None:
    from smtplib import SMTPServerDisconnected

    from airflow.sdk import RetryAction
    from fraudops.errors import ConfigurationError, ContractError, FraudopsError, IntegrityError
    from sqlalchemy.exc import OperationalError

    for dag in dag_bag.dags.values():
        for task in dag.tasks:
            decide = task.retry_policy.evaluate
            for error in (ContractError("x"), ConfigurationError("x"), IntegrityError("x")):
                assert decide(error, 1, 3).action is RetryAction.FAIL
            lost = OperationalError("select 1", {}, Exception("server closed the connection"))
            for error in (OSError(28, "No space left"), ConnectionResetError(), SMTPServerDisconnected(), lost):
                assert decide(error, 1, 3).action is RetryAction.RETRY
            # A file that has not come yet, and whatever nobody thought of.
            for error in (FraudopsError("x"), ValueError("x")):
                assert decide(error, 1, 3).action is RetryAction.DEFAULT
            assert task.retry_exponential_backoff, f"{dag.dag_id}.{task.task_id}"


def test_a_file_that_arrives_is_landed_without_the_others(dag_bag: DagBag) -> None:
    watch = dag_bag.dags["cards_watch"]
    assert (type(watch.timetable).__name__, watch.max_active_runs) == ("ContinuousTimetable", 1)
    # Without it the first run would be the last: the second one would bear its logical date, and is not made.
    assert watch.start_date is not None
    for dag_id, task_id in (("cards_watch", "land"), ("cards_reconcile", "land_missed")):
        land = dag_bag.dags[dag_id].get_task(task_id)
        assert (land.trigger_dag_id, land.skip_when_already_exists) == ("cards_land", True)
        assert '"set_aside": true' in land.conf
    # Landing what was missed must not wait for, or keep, what reconcile does itself.
    assert dag_bag.dags["cards_reconcile"].get_task("land_missed").downstream_task_ids == set()
    assert "land_missed" not in dag_bag.dags["ulb_reconcile"].task_ids, "nobody asked for files of the past"


def test_an_approval_never_answers_by_itself(dag_bag: DagBag) -> None:
    ask = dag_bag.dags["cards_promote"].get_task("approval.ask")
    assert ask.defaults is None
    assert ask.response_timeout == timedelta(days=3)


def test_what_follows_an_answer_is_decided_once_it_can_be_read(dag_bag: DagBag) -> None:
    dag = dag_bag.dags["cards_promote"]
    # A task that hung on the question itself would be skipped, or start, before the answer is stored.
    assert dag.get_task("approval.ask").downstream_task_ids == {"follow_the_answer"}
    # A question that could not be put is a failure; it must not be recorded as a refusal.
    assert dag.get_task("follow_the_answer").trigger_rule == "all_success"


def test_a_deadline_that_passes_is_a_no_and_is_not_asked_again(dag_bag: DagBag) -> None:
    ask = dag_bag.dags["cards_promote"].get_task("approval.ask")
    event = {"error": "The response timeout has passed.", "error_type": "timeout"}
    assert ask.execute_complete({}, event) is None


def test_the_answer_has_three_ways_on(dag_bag: DagBag) -> None:
    dag = dag_bag.dags["cards_promote"]
    assert dag.get_task("follow_the_answer").downstream_task_ids == {"promote", "record_refusal", "too_late"}


def test_of_two_promotions_the_later_one_ends_plainly_and_green(dag_bag: DagBag) -> None:
    dag = dag_bag.dags["cards_promote"]
    assert dag.get_task("promote").downstream_task_ids == {"find_pending", "too_late"}
    late = dag.get_task("too_late")
    # It hangs on two branches of which one is always skipped.
    assert late.trigger_rule == "none_failed_min_one_success"
    assert late.task_display_name == "too late: the champion has changed"


def test_evidence_is_filed_before_anybody_is_asked_and_again_whatever_the_answer(dag_bag: DagBag) -> None:
    assert "is_promote" in dag_bag.dags["cards_train"].get_task("compare.evidence").downstream_task_ids
    filed = dag_bag.dags["cards_promote"].get_task("file_evidence")
    # One of the three ways is taken, the others are skipped.
    assert filed.upstream_task_ids == {"find_pending", "too_late", "record_refusal"}
    assert filed.trigger_rule == "none_failed_min_one_success"


def test_parsing_imports_nothing_heavy() -> None:
    program = (
        "import runpy, sys, json, airflow.sdk, airflow.providers.smtp.operators.smtp\n"
        "before = set(sys.modules)\n"
        f"for file in {[str(path) for path in (CHECKOUT / 'dags').glob('*.py')]!r}: runpy.run_path(file)\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    loaded = set(json.loads(output.splitlines()[-1]))
    assert not loaded & set(HEAVY), f"parsing the DAG files imports {loaded & set(HEAVY)}"


def test_no_dag_file_imports_another() -> None:
    for path in (CHECKOUT / "dags").glob("*.py"):
        assert "from dags" not in path.read_text()
        assert len(path.read_text().splitlines()) <= 45, f"{path.name} holds more than wiring"


def test_what_a_landing_makes_stale_is_followed_up(dag_bag: DagBag) -> None:
    for name, before in (("cards_ingest", "validate.check_and_publish"), ("cards_land", "follow_up")):
        dag = dag_bag.dags[name]
        reconcile = dag.get_task("reconcile")
        assert reconcile.upstream_task_ids == {before}
        assert (reconcile.trigger_dag_id, reconcile.skip_when_already_exists) == ("cards_reconcile", True)
        # The same run asks once, however often its task runs.
        assert reconcile.trigger_run_id == "after__{{ dag_run.run_id }}"


def test_corrections_are_asked_for_by_a_person_alone(dag_bag: DagBag) -> None:
    param = dag_bag.dags["cards_land"].params.get_param("corrections")
    assert (param.value, param.schema["type"]) == (False, "boolean")


def test_a_portfolio_that_needs_no_approval_asks_nobody_and_still_loses_plainly(
    portfolios: dict[str, Portfolio],
) -> None:
    from fraudops_airflow.promote import build_promote

    cards = portfolios["cards"]
    alone = cards.promotion.model_copy(update={"needs_approval": False})
    dag = build_promote(cards.model_copy(update={"promotion": alone}))
    assert {"approval.ask", "record_refusal"} & set(dag.task_ids) == set()
    assert dag.get_task("promote").upstream_task_ids == set()
    assert dag.get_task("promote").downstream_task_ids == {"find_pending", "too_late"}


def test_a_shadow_can_fail_nobody(dag_bag: DagBag) -> None:
    # A comparison that has nothing to say skips the question, and must not skip the notices with it.
    reconcile = dag_bag.dags["cards_reconcile"]
    assert reconcile.get_task("shadow.compare").downstream_task_ids == {"shadow.ask_for_promotion"}
    assert reconcile.get_task("send_notices").trigger_rule == "none_failed"


def test_monitoring_trains_once_for_each_champion_and_week(dag_bag: DagBag) -> None:
    for dag_id, task_id, asks in (
        ("cards_monitor", "retrain", "monitor"),
        ("cards_reconcile", "monitoring.retrain", "monitoring.monitor"),
        ("cards_land", "monitoring.retrain", "monitoring.monitor"),
    ):
        dag = dag_bag.dags[dag_id]
        retrain = dag.get_task(task_id)
        assert (retrain.trigger_dag_id, retrain.skip_when_already_exists) == ("cards_train", True)
        assert (
            retrain.trigger_run_id == f"{{{{ ti.xcom_pull(task_ids='{asks}', key='result')['retraining']['run_id'] }}}}"
        )
        assert retrain.conf["window"] == "60d"
        assert retrain.upstream_task_ids == {asks}
        assert asks in dag.get_task(task_id.replace("retrain", "send_notices")).upstream_task_ids


def test_what_monitoring_finds_cannot_fail_the_scoring(dag_bag: DagBag) -> None:
    assert "cards_scores" in {asset.name for asset in dag_bag.dags["cards_score"].get_task("score").outlets}
    assert not {task for task in dag_bag.dags["cards_score"].task_ids if "monitor" in task}


def test_rules_run_where_there_is_a_law_on_the_transactions_and_never_wait_for_a_score(dag_bag: DagBag) -> None:
    assert "cards_comply" not in dag_bag.dags
    comply = dag_bag.dags["accounts_comply"]
    assert "accounts_transactions" in str(comply.timetable.asset_condition)
    assert comply.get_task("comply").pool == "default_pool"
    assert comply.get_task("send_notices").upstream_task_ids == {"comply"}
    for workflow in ("reconcile", "land"):
        assert "compliance.comply" in dag_bag.dags[f"accounts_{workflow}"].task_ids
        assert "compliance.comply" not in dag_bag.dags[f"cards_{workflow}"].task_ids
        group = dag_bag.dags[f"accounts_{workflow}"].get_task("compliance.comply")
        assert (group.trigger_rule, group.pool) == ("none_failed", "fraudops_bulk")
