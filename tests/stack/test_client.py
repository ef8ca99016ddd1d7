from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
from fraudops.errors import FraudopsError
from fraudops.stack.client import AirflowClient, ApiError, DagRun, NoAnswerError, RunFailedError

RUN = {
    "dag_id": "cards_land",
    "dag_run_id": "manual__2026-11-23T20:00:00+00:00",
    "state": "failed",
    "run_type": "manual",
    "partition_key": None,
    "end_date": "2026-11-23T20:00:09Z",
    "conf": {},
}
TASK = {
    "dag_id": "cards_land",
    "dag_run_id": RUN["dag_run_id"],
    "task_id": "validate.check",
    "map_index": 2,
    "try_number": 1,
    "state": "failed",
}
LOG = [
    {"event": "::group::Log message source details"},
    {"event": "reading"},
    {
        "event": "Task failed with exception",
        "error_detail": [{"exc_type": "ContractError", "exc_value": "bad file"}],
    },
]


class FakeAirflow(ThreadingHTTPServer):
    """Answers from a table (method, path without query) → (status, content), and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.token = "t1"
        self.slow = 0
        """So many requests get no answer before ``release``."""
        self.release = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeAirflow

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PATCH = do_GET

    def _answer(self) -> None:
        if self.server.slow:
            self.server.slow -= 1
            self.server.release.wait(5)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, content = self.path.partition("?")[0], json.loads(body) if body else None
        self.server.asked.append((self.command, self.path, content))
        if path == "/auth/token":
            right = content == {"username": "admin", "password": "secret"}
            status, answer = (201, {"access_token": self.server.token}) if right else (401, {"detail": "no"})
        elif self.headers.get("Authorization") != f"Bearer {self.server.token}":
            status, answer = 401, {"detail": "Not authenticated"}
        else:
            status, answer = self.server.answers.get((self.command, path), (404, {"detail": f"no {path}"}))
            if callable(answer):
                answer = answer(self.path)
        payload = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *arguments: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def airflow() -> Iterator[FakeAirflow]:
    server = FakeAirflow()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(airflow: FakeAirflow) -> Iterator[AirflowClient]:
    client = AirflowClient(airflow.address, "admin", "secret")
    yield client
    client.close()


def test_it_signs_in_when_asked_to_and_again_when_the_token_is_too_old(
    airflow: FakeAirflow, client: AirflowClient
) -> None:
    airflow.answers["POST", "/api/v2/dags/cards_land/dagRuns"] = (200, RUN)
    run = client.trigger("cards_land", conf={"first": "2026-03-05"}, partition_key="2026-03-05", run_id="r")
    assert run == DagRun.from_json(RUN)
    assert run.finished
    assert airflow.asked[-1][2] == {
        "logical_date": None,
        "conf": {"first": "2026-03-05"},
        "partition_key": "2026-03-05",
        "dag_run_id": "r",
    }
    airflow.token = "t2"
    client.trigger("cards_land")
    assert [path for _, path, _ in airflow.asked].count("/auth/token") == 2


def test_a_wrong_password_and_a_refusal_are_told(airflow: FakeAirflow) -> None:
    with pytest.raises(ApiError, match="login of 'admin'") as error:
        AirflowClient(airflow.address, "admin", "wrong").dag_ids()
    assert error.value.status == 401
    airflow.answers["POST", "/api/v2/dags/x/dagRuns"] = (400, {"detail": "Invalid input for param path"})
    with pytest.raises(ApiError, match="400: Invalid input for param path") as error:
        AirflowClient(airflow.address, "admin", "secret").trigger("x")
    assert error.value.status == 400


def test_no_answer_is_told() -> None:
    with pytest.raises(ApiError, match="make up") as error:
        AirflowClient("http://127.0.0.1:9", "admin", "secret").health()
    assert error.value.status is None


def test_a_question_is_asked_again_where_no_answer_comes_in_time(airflow: FakeAirflow) -> None:
    airflow.answers["GET", "/api/v2/dags/cards_land/dagRuns/r"] = (200, RUN)
    client = AirflowClient(airflow.address, "admin", "secret", timeout=0.2)
    airflow.slow = 2
    try:
        assert client.run("cards_land", "r") == DagRun.from_json(RUN)
        airflow.slow = 99
        with pytest.raises(NoAnswerError, match="too busy"):
            client.run("cards_land", "r")
    finally:
        airflow.slow = 0
        airflow.release.set()


def test_a_run_that_was_made_without_an_answer_is_made_once(airflow: FakeAirflow) -> None:
    made: list[str] = []
    path = "/api/v2/dags/cards_land/dagRuns"

    def make(_: str) -> dict[str, Any]:
        made.append(airflow.asked[-1][2]["dag_run_id"])
        airflow.answers["POST", path] = (409, {"detail": "exists"})
        airflow.answers["GET", f"{path}/{quote(made[0])}"] = (200, {**RUN, "dag_run_id": made[0]})
        airflow.release.wait(5)
        return RUN

    airflow.answers["POST", path] = (200, make)
    client = AirflowClient(airflow.address, "admin", "secret", timeout=0.2)
    try:
        run = client.trigger("cards_land")
    finally:
        airflow.release.set()
    assert [run.run_id] == made
    assert made[0].startswith("manual__")


def test_lists_are_read_page_by_page(airflow: FakeAirflow, client: AirflowClient) -> None:
    def page(path: str) -> dict[str, Any]:
        offset = int(path.rpartition("offset=")[2])
        ids = [{"dag_id": f"d{n}"} for n in range(offset, min(offset + 100, 250))]
        return {"dags": ids, "total_entries": 250}

    airflow.answers["GET", "/api/v2/dags"] = (200, page)
    assert len(client.dag_ids()) == 250


def test_a_failed_run_is_explained_by_its_log(airflow: FakeAirflow, client: AirflowClient) -> None:
    run_path = "/api/v2/dags/cards_land/dagRuns/manual__2026-11-23T20%3A00%3A00%2B00%3A00"
    airflow.answers["GET", run_path] = (200, RUN)
    airflow.answers["GET", f"{run_path}/taskInstances"] = (200, {"task_instances": [TASK], "total_entries": 1})
    airflow.answers["GET", f"{run_path}/taskInstances/validate.check/logs/1"] = (200, {"content": LOG})
    with pytest.raises(RunFailedError) as error:
        client.wait_for_run(DagRun.from_json(RUN))
    message = str(error.value)
    assert "task validate.check[2] failed:\nreading\nTask failed with exception\nContractError: bad file" in message
    assert "cards_land (manual__" in message
    assert airflow.address in message
    assert any("map_index=2" in path for _, path, _ in airflow.asked)


def test_dags_that_do_not_appear_are_named_with_the_broken_files(airflow: FakeAirflow, client: AirflowClient) -> None:
    airflow.answers["GET", "/api/v2/dags"] = (200, {"dags": [{"dag_id": "a"}], "total_entries": 1})
    problem = {"filename": "train.py", "stack_trace": "Traceback\n  ...\nImportError: no x\n"}
    airflow.answers["GET", "/api/v2/importErrors"] = (200, {"import_errors": [problem], "total_entries": 1})
    client.wait_for_dags(["a"], timeout=0)
    with pytest.raises(FraudopsError, match=r"train\.py: ImportError: no x: Airflow knows no DAG b"):
        client.wait_for_dags(["a", "b"], timeout=0)


def test_a_pool_that_exists_is_left_as_it_is(airflow: FakeAirflow, client: AirflowClient) -> None:
    airflow.answers["POST", "/api/v2/pools"] = (409, {"detail": "exists"})
    client.ensure_pool("fraudops_training", 2, "x")
    airflow.answers["POST", "/api/v2/pools"] = (403, {"detail": "Forbidden"})
    with pytest.raises(ApiError, match="Forbidden"):
        client.ensure_pool("fraudops_training", 2, "x")


def test_an_approval_is_answered(airflow: FakeAirflow, client: AirflowClient) -> None:
    waiting = {"task_instance": {**TASK, "task_id": "approval.ask", "map_index": -1, "state": "awaiting_input"}}
    details = {"hitl_details": [waiting], "total_entries": 1}
    airflow.answers["GET", "/api/v2/dags/cards_promote/dagRuns/~/hitlDetails"] = (200, details)
    (question,) = client.waiting_for_a_person("cards_promote")
    path = "/api/v2/dags/cards_land/dagRuns/manual__2026-11-23T20%3A00%3A00%2B00%3A00/taskInstances/approval.ask/-1"
    airflow.answers["PATCH", f"{path}/hitlDetails"] = (200, {})
    client.answer(question, ["Approve"], {"reason": "good"})
    assert airflow.asked[-1][2] == {"chosen_options": ["Approve"], "params_input": {"reason": "good"}}


def test_a_backfill_is_asked_for_in_utc(airflow: FakeAirflow, client: AirflowClient) -> None:
    airflow.answers["POST", "/api/v2/backfills"] = (200, {"id": 7})
    first, last = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 7, tzinfo=UTC)
    assert client.create_backfill("cards_ingest", first, last, reprocess="failed") == 7
    assert airflow.asked[-1][2] == {
        "dag_id": "cards_ingest",
        "from_date": "2026-03-01T00:00:00+00:00",
        "to_date": "2026-03-07T00:00:00+00:00",
        "max_active_runs": 1,
        "reprocess_behavior": "failed",
    }
    airflow.answers["GET", "/api/v2/backfills/7"] = (200, {"completed_at": None})
    assert not client.backfill_completed(7)


def test_an_asset_event_names_the_asset_by_name_or_uri(airflow: FakeAirflow, client: AirflowClient) -> None:
    assets = [{"id": 3, "name": "cards_transactions", "uri": "fraudops://cards/transactions"}]
    airflow.answers["GET", "/api/v2/assets"] = (200, {"assets": assets, "total_entries": 1})
    airflow.answers["POST", "/api/v2/assets/events"] = (200, {})
    client.send_asset_event("fraudops://cards/transactions", partition_key="2026-03-05")
    assert airflow.asked[-1][2] == {"asset_id": 3, "partition_key": "2026-03-05", "extra": {}}
    with pytest.raises(ApiError, match="no asset 'x'"):
        client.send_asset_event("x")
