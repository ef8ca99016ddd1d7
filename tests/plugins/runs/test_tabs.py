"""Tabs and buttons on Airflow's own pages: what a run left, and only to whom Airflow shows the run."""

from __future__ import annotations

import html
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import quote

from fastapi.testclient import TestClient
from fraudops.workspace import Workspace
from fraudops_airflow import links
from fraudops_airflow.web.runs.actions import WORKFLOWS
from fraudops_airflow.web.runs.airflow import Run, _plain

from tests.plugins.installation import RUN

Runs = dict[tuple[str, str], Run]


def know(runs: Runs, workflow: str, run_id: str = "r", **known: object) -> str:
    """Let Airflow know of a run; its path in the tab."""
    dag_id = f"cards_{workflow}"
    runs[dag_id, run_id] = Run(dag_id, run_id, **known)  # type: ignore[arg-type]
    return f"{dag_id}/{quote(run_id, safe='')}"


def read(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return html.unescape(answer.text)


def test_a_dag_says_what_it_does_and_what_to_start(client: TestClient) -> None:
    for workflow in WORKFLOWS:
        page = read(client, f"/tab/dag/accounts_{workflow}")
        assert f"Accounts: {workflow}" in page
        assert "<strong>Starts</strong>" in page or "<strong>Does</strong>" in page
    page = read(client, "/tab/dag/cards_ingest")
    assert 'href="/plugin/fraud-ops/runs/cards/backfill"' in page
    assert "<header" not in page, "Airflow's own menu is around it"


def test_dags_of_others_are_left_alone(client: TestClient, airflow_runs: Runs) -> None:
    airflow_runs["theirs", "r"] = Run("theirs", "r", conf={"secret": "x"})
    for path in ("/tab/dag/theirs", "/tab/run/theirs/r", "/tab/task/theirs/r/t", "/tab/dag/cards_nothing"):
        assert "Not a DAG of Fraud Ops" in read(client, path)
    assert client.get("/left/theirs/r/Validation").status_code == 404


def test_what_a_day_left(client: TestClient, small_installation: Workspace, airflow_runs: Runs) -> None:
    landed = {"rows_read": 5, "rows_accepted": 3, "rows_quarantined": 2}
    path = know(airflow_runs, "ingest", partition_key="2026-03-19", state="success", returned={"land": landed})
    page = read(client, f"/tab/run/{path}")
    for said in (
        "5 rows read, 3 accepted",
        "2 rows could not be used",
        "failed, and is stopped",
        "2 to review, 1 blocked",
    ):
        assert said in page
    assert "/plugin/fraud-ops/validation/cards/2026-03-19" in page
    assert "/plugin/fraud-ops/alerts" not in page, "single alerts are for those who work on them"
    narrowed = read(client, f"/tab/task/{path}/land")
    assert "2 rows could not be used" in narrowed
    assert "to review" not in narrowed


def test_who_works_on_alerts_is_led_to_them(
    visit: Callable[..., TestClient], small_installation: Workspace, airflow_runs: Runs
) -> None:
    path = know(airflow_runs, "score", partition_key="2026-03-19")
    assert "/plugin/fraud-ops/alerts?portfolio=cards" in read(visit("analyst"), f"/tab/run/{path}")


def test_what_a_training_left(client: TestClient, small_installation: Workspace, airflow_runs: Runs) -> None:
    path = know(airflow_runs, "train", RUN)
    page = client.get(f"/tab/run/{path}").text
    assert "PROMOTE: better than the &lt;script&gt;floor" in page
    assert f"/plugin/fraud-ops/reports/cards/{quote(RUN, safe='')}" in page
    assert "approved by vera.validator" in read(
        client, f"/tab/run/{know(airflow_runs, 'promote', conf={'run_id': RUN})}"
    )


def test_what_other_runs_left(client: TestClient, small_installation: Workspace, airflow_runs: Runs) -> None:
    small_installation.store.put(b"<p></p>", "restated", "cards", "x_v1", "index.html")
    cases = {
        "restate": ({"restate": {"run": "x_v1", "new": 3, "gone": 1, "changed": 0}}, "3 new, 1 gone, 0 changed"),
        "verify": ({"verify": {"entries": 7, "partitions": 2, "findings": []}}, "unaltered: 7 ledger entries"),
        "reconcile": ({"find_undone": [["2026-03-17", "2026-03-18"]]}, "2 partitions scored again"),
        "report": ({"make": {"folder": "2026-02_x", "state": "made"}}, "2026-02_x: made"),
        "rollback": ({"rollback": {"version": "v1"}}, "v1 is champion again"),
        "land": ({"land": {"keys": ["2026-03-17", "2026-03-19"]}}, "2 partitions, 2026-03-17 to 2026-03-19"),
    }
    for workflow, (returned, said) in cases.items():
        assert said in read(client, f"/tab/run/{know(airflow_runs, workflow, returned=returned)}"), workflow


def test_a_run_that_left_nothing_or_nonsense(
    client: TestClient, small_installation: Workspace, airflow_runs: Runs
) -> None:
    odd = dict.fromkeys(("land", "restate", "make", "verify", "find_undone", "rollback", "report"), "../../etc")
    for workflow in WORKFLOWS:
        for state, mark in (("running", "nothing-yet"), ("failed", "nothing-left")):
            page = read(client, f"/tab/run/{know(airflow_runs, workflow, state=state)}")
            assert f'id="{mark}"' in page, (workflow, state)
        path = know(airflow_runs, workflow, partition_key="../x", conf={"run_id": "../x"}, returned=odd)
        assert 'id="nothing-left"' in read(client, f"/tab/run/{path}"), workflow


def test_a_run_that_airflow_does_not_show_is_not_there(
    client: TestClient, small_installation: Workspace, airflow_runs: Runs, may: set[str]
) -> None:
    path = know(airflow_runs, "ingest", partition_key="2026-03-19")
    missing = client.get("/tab/run/cards_ingest/unknown")
    may.discard("GET")
    hidden = client.get(f"/tab/run/{path}")
    assert (missing.status_code, hidden.status_code) == (404, 404)
    assert "it is not yours to see" in hidden.text
    assert client.get(f"/left/{path}/Validation").status_code == 404


def test_what_airflow_wraps_is_unwrapped() -> None:
    """A tuple in an XCom is a dictionary with three names; it has no findings, and not three."""
    wrapped = {"findings": {"__classname__": "builtins.tuple", "__version__": 1, "__data__": []}, "entries": 7}
    assert _plain(wrapped) == {"findings": [], "entries": 7}
    assert _plain([{"a": "b"}, None]) == [{"a": "b"}, None]


# -- buttons ------------------------------------------------------------------------------------------------------


def button(label: str, dag_id: str, task_id: str, *tags: str) -> str | None:
    operator = SimpleNamespace(dag=SimpleNamespace(tags=tags))
    key = SimpleNamespace(dag_id=dag_id, task_id=task_id, run_id="manual__2026-03-20T00:00:00+00:00")
    return links.PageLink(label).get_link(operator, ti_key=key)


def test_buttons_are_on_tasks_of_ours_alone() -> None:
    task = "validate.check_and_publish"
    found = button("Validation", "cards_ingest", task, "fraudops", "ingest")
    assert found is not None
    assert found.endswith("/left/cards_ingest/manual__2026-03-20T00%3A00%3A00%2B00%3A00/Validation")
    assert "/plugin/fraud-ops/" in found
    assert button("Validation", "cards_ingest", "land", "fraudops", "ingest") is None
    assert button("Validation", "cards_ingest", task) is None
    assert button("Evidence", "cards_ingest", task, "fraudops", "ingest") is None


def test_a_button_leads_to_its_page_or_to_all_that_the_run_left(
    client: TestClient, small_installation: Workspace, airflow_runs: Runs
) -> None:
    path = know(airflow_runs, "ingest", partition_key="2026-03-19")
    answer = client.get(f"/left/{path}/Validation", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/validation/cards/2026-03-19")
    answer = client.get(f"/left/{path}/%2F%2Fevil.example", follow_redirects=False)
    assert answer.status_code == 404
    answer = client.get(f"/left/{path}/Restatement", follow_redirects=False)
    assert answer.headers["location"] == f"/tab/run/{path}"


def test_every_button_is_on_a_task_that_exists() -> None:
    """Against the DAGs: a task that is renamed would lose its button without a word."""
    from fraudops_airflow.catalogue import valid_portfolios
    from fraudops_airflow.web.runs.left import whose

    portfolio = next(found for found in valid_portfolios() if found.compliance is not None)
    archive = SimpleNamespace(portfolios={portfolio.name: portfolio})
    for by_workflow in links.PAGES.values():
        for workflow, tasks in by_workflow.items():
            assert whose(archive, portfolio.dag_id(workflow)) == (portfolio, workflow)  # type: ignore[arg-type]
            module = __import__(f"fraudops_airflow.{workflow}", fromlist=["x"])
            dag = getattr(module, f"build_{workflow}")(portfolio)
            assert set(tasks) <= set(dag.task_ids), workflow


def test_everybody_has_to_log_in(stranger: TestClient) -> None:
    for path in ("/tab/dag/theirs", "/tab/run/theirs/r", "/left/theirs/r/x"):
        assert stranger.get(path).status_code == 401
