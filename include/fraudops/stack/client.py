"""A small client of Airflow's REST API (v2): what the demo, the status and the tests ask of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from fraudops.errors import FraudopsError

_PAGE = 100
"""The API's largest page."""
_TRIES = 4
"""A question is asked so often where no answer comes in time: the machine may be busy with what was asked of it."""

FINISHED = frozenset({"success", "failed"})


class ApiError(FraudopsError):
    """Airflow refused a request, or does not answer.

    Attributes
    ----------
    status
        HTTP status, or None where no answer came.
    """

    def __init__(self, what: str, *, status: int | None = None, where: str | None = None) -> None:
        super().__init__(what, where=where, remedy=None if status else "start the stack with 'make up'")
        self.status = status


class NoAnswerError(ApiError):
    """No answer came in time: whether the request was carried out is not known."""


class RunFailedError(FraudopsError):
    """A DAG run failed; the message holds the failed tasks and the ends of their logs."""

    tasks: tuple[str, ...] = ()
    """Ids of the failed tasks, as far as they are known."""


@dataclass(frozen=True)
class DagRun:
    """A run, as far as we ask about it."""

    dag_id: str
    run_id: str
    state: str
    run_type: str
    partition_key: str | None
    ended_at: datetime | None
    conf: dict[str, Any] = field(compare=False)

    @property
    def finished(self) -> bool:
        """Whether it has ended, well or not."""
        return self.state in FINISHED

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> DagRun:
        """From the API's answer."""
        return cls(
            dag_id=content["dag_id"],
            run_id=content["dag_run_id"],
            state=content["state"],
            run_type=content["run_type"],
            partition_key=content.get("partition_key"),
            ended_at=_moment(content.get("end_date")),
            conf=content.get("conf") or {},
        )


@dataclass(frozen=True)
class TaskInstance:
    """A task of a run."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    try_number: int
    state: str | None

    @property
    def name(self) -> str:
        """``task`` or ``task[3]`` where it is mapped."""
        return self.task_id if self.map_index < 0 else f"{self.task_id}[{self.map_index}]"

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> TaskInstance:
        """From the API's answer."""
        return cls(
            dag_id=content["dag_id"],
            run_id=content["dag_run_id"],
            task_id=content["task_id"],
            map_index=content["map_index"],
            try_number=content["try_number"],
            state=content["state"],
        )


class AirflowClient:
    """A user's session with one Airflow.

    Parameters
    ----------
    address
        ``http://127.0.0.1:8080``.
    user, password
        Of the simple auth manager.
    timeout
        Seconds to wait for one answer.
    """

    def __init__(self, address: str, user: str, password: str, *, timeout: float = 30) -> None:
        self.address = address.rstrip("/")
        self.user = user
        self.timeout = timeout
        self._password = password
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy has no business between two processes of one machine

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    # -- requests -------------------------------------------------------------------------------------

    def request(self, method: str, path: str, **arguments: Any) -> Any:
        """One request below ``/api/v2``; returns the decoded answer (None where it is empty).

        Raises
        ------
        ApiError
            The answer is an error, or there is none.
        """
        answer = self._send(method, path, **arguments)
        if answer.status_code == 401:
            self._sign_in()
            answer = self._send(method, path, **arguments)
        if not answer.ok:
            raise ApiError(
                f"{answer.status_code}: {_detail(answer)}", status=answer.status_code, where=f"{method} {path}"
            )
        if not answer.content:
            return None
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def pages(self, path: str, field: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page."""
        offset = 0
        while True:
            answer = self.request("GET", path, params={**parameters, "limit": _PAGE, "offset": offset})
            entries = answer[field]
            yield from entries
            offset += len(entries)
            if not entries or offset >= answer["total_entries"]:
                return

    # -- the installation -----------------------------------------------------------------------------

    def health(self) -> dict[str, Any]:
        """State and last heartbeat of each component (needs no login)."""
        answer = self._send("GET", "/monitor/health", timeout=3)
        if not answer.ok:
            raise ApiError(_detail(answer), status=answer.status_code, where="GET /monitor/health")
        content: dict[str, Any] = answer.json()
        return content

    def ensure_pool(self, name: str, slots: int, description: str) -> None:
        """Make a pool; one that exists keeps the size that somebody gave it."""
        body = {"name": name, "slots": slots, "description": description, "include_deferred": False}
        try:
            self.request("POST", "/pools", json=body)
        except ApiError as error:
            if error.status != 409:
                raise

    def import_errors(self) -> list[str]:
        """Files that could not be read as DAGs: name and the end of the traceback."""
        errors = self.pages("/importErrors", "import_errors")
        return [f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in errors]

    # -- DAGs and runs --------------------------------------------------------------------------------

    def dag_ids(self) -> set[str]:
        """Ids of all DAGs, paused ones included."""
        return {entry["dag_id"] for entry in self.pages("/dags", "dags", exclude_stale=True)}

    def parse_again(self) -> None:
        """Ask for every DAG file to be read anew, now and not at the next turn."""
        tokens = {entry["file_token"] for entry in self.pages("/dags", "dags", exclude_stale=True)}
        for token in sorted(tokens):
            try:
                self.request("PUT", f"/parseDagFile/{quote(token, safe='')}")
            except ApiError as error:
                if error.status not in (404, 409):  # gone meanwhile, or asked for already
                    raise

    def wait_for_dags(self, dag_ids: Iterable[str], timeout: float = 60) -> None:
        """Wait until the DAG processor has read these DAGs.

        Raises
        ------
        FraudopsError
            Some are not there in time; the message names them and the files that could not be read.
        """
        wanted = set(dag_ids)
        deadline = time.monotonic() + timeout
        while missing := wanted - self.dag_ids():
            if time.monotonic() > deadline:
                errors = self.import_errors()
                raise FraudopsError(
                    f"Airflow knows no DAG {', '.join(sorted(missing))}",
                    where="\n".join(errors) or None,
                    remedy="correct the files above" if errors else "read the log dag-processor.log of the stack",
                )
            time.sleep(0.3)

    def set_paused(self, dag_id: str, paused: bool) -> None:
        """Pause or unpause a DAG."""
        self.request("PATCH", f"/dags/{quote(dag_id)}", json={"is_paused": paused})

    def trigger(
        self,
        dag_id: str,
        *,
        conf: dict[str, Any] | None = None,
        partition_key: str | None = None,
        run_id: str | None = None,
    ) -> DagRun:
        """Start a run, for a partition where the DAG is partitioned.

        Raises
        ------
        ApiError
            The parameters are refused (400), the user may not (403), the run exists (409).
        """
        # A name of our own: where no answer comes, the run may have been made all the same, and is found by it.
        name = run_id or f"manual__{datetime.now(UTC).isoformat()}_{secrets.token_hex(3)}"
        body: dict[str, Any] = {"logical_date": None, "conf": conf or {}, "dag_run_id": name}
        if partition_key is not None:
            body["partition_key"] = partition_key
        path = f"/dags/{quote(dag_id)}/dagRuns"
        try:
            return DagRun.from_json(self.request("POST", path, json=body))
        except NoAnswerError:
            try:
                return DagRun.from_json(self.request("POST", path, json=body))
            except ApiError as error:
                if error.status != 409:
                    raise
        return self.run(dag_id, name)

    def run(self, dag_id: str, run_id: str) -> DagRun:
        """One run as it stands."""
        return DagRun.from_json(self.request("GET", _run_path(dag_id, run_id)))

    def clear_failed(self, run: DagRun) -> None:
        """Let the failed tasks of a run, and what follows them, run again."""
        self.request("POST", f"{_run_path(run.dag_id, run.run_id)}/clear", json={"dry_run": False, "only_failed": True})

    def runs(self, dag_id: str, **filters: Any) -> list[DagRun]:
        """Runs of a DAG (``~`` for all DAGs), oldest first; filters as the API has them."""
        found = self.pages(f"/dags/{quote(dag_id)}/dagRuns", "dag_runs", order_by="id", **filters)
        return [DagRun.from_json(entry) for entry in found]

    def newest_runs(self, dag_id: str) -> list[DagRun]:
        """The newest runs of a DAG, at most a hundred, newest first."""
        path = f"/dags/{quote(dag_id)}/dagRuns"
        answer = self.request("GET", path, params={"order_by": "-id", "limit": _PAGE})
        return [DagRun.from_json(entry) for entry in answer["dag_runs"]]

    def wait_for_run(
        self,
        run: DagRun,
        *,
        timeout: float = 600,
        pause: float = 0.5,
        watch: Callable[[DagRun, list[TaskInstance]], None] | None = None,
    ) -> DagRun:
        """Wait until a run has succeeded.

        Parameters
        ----------
        timeout, pause
            Seconds: how long to wait in all, and between two looks.
        watch
            Called at each look with the run and its tasks, for a progress display.

        Raises
        ------
        RunFailedError
            It failed, or did not end in time.
        """
        deadline = time.monotonic() + timeout
        while True:
            run = self.run(run.dag_id, run.run_id)
            if watch is not None:
                watch(run, self.task_instances(run.dag_id, run.run_id))
            if run.state == "success":
                return run
            if run.state == "failed":
                raise self.failure(run)
            if time.monotonic() > deadline:
                states = [f"{t.name} is {t.state}" for t in self.task_instances(run.dag_id, run.run_id)]
                raise RunFailedError(
                    f"the run did not end within {timeout:.0f} s ({'; '.join(states)})",
                    where=f"{run.dag_id} {run.run_id}",
                    remedy=f"look at it in the UI, {self.address}",
                )
            time.sleep(pause)

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """The tasks of a run, mapped ones one by one."""
        found = self.pages(f"{_run_path(dag_id, run_id)}/taskInstances", "task_instances")
        return [TaskInstance.from_json(entry) for entry in found]

    def log_end(self, task: TaskInstance, lines: int = 25) -> str:
        """The last lines of a task's log (of its last try)."""
        path = f"{_run_path(task.dag_id, task.run_id)}/taskInstances/{quote(task.task_id)}"
        answer = self.request(
            "GET",
            f"{path}/logs/{max(task.try_number, 1)}",
            params={"map_index": task.map_index, "full_content": True},
            headers={"Accept": "application/json"},
        )
        return "\n".join(_log_lines(answer.get("content", []))[-lines:])

    def failure(self, run: DagRun) -> RunFailedError:
        """The error that explains a failed run: its failed tasks, each with the end of its log."""
        failed = [t for t in self.task_instances(run.dag_id, run.run_id) if t.state == "failed"]
        parts = [f"task {task.name} failed:\n{self.log_end(task)}" for task in failed[:3]]
        key = f" for {run.partition_key}" if run.partition_key else ""
        error = RunFailedError(
            "\n\n".join(parts) or "the run failed without a failed task",
            where=f"{run.dag_id}{key} ({run.run_id})",
            remedy=f"the whole log is in the UI: {self.address}/dags/{run.dag_id}/runs/{quote(run.run_id)}",
        )
        error.tasks = tuple(task.task_id for task in failed)
        return error

    # -- approvals ------------------------------------------------------------------------------------

    def waiting_for_a_person(self, dag_id: str, run_id: str = "~") -> list[TaskInstance]:
        """Tasks that are parked until somebody answers."""
        found = self.pages(
            f"{_run_path(dag_id, run_id)}/hitlDetails",
            "hitl_details",
            response_received=False,
            state="awaiting_input",
        )
        return [TaskInstance.from_json(entry["task_instance"]) for entry in found]

    def answer(self, task: TaskInstance, options: list[str], values: dict[str, Any] | None = None) -> None:
        """Answer an approval as this user.

        Raises
        ------
        ApiError
            The user is not asked (403), it is answered already (409), there is no such option (400).
        """
        path = f"{_run_path(task.dag_id, task.run_id)}/taskInstances/{quote(task.task_id)}/{task.map_index}"
        self.request("PATCH", f"{path}/hitlDetails", json={"chosen_options": options, "params_input": values or {}})

    # -- backfills and assets -------------------------------------------------------------------------

    def create_backfill(
        self, dag_id: str, first: datetime, last: datetime, *, max_active_runs: int = 1, reprocess: str = "none"
    ) -> int:
        """Start a backfill of the runs from ``first`` to ``last``; returns its number.

        Parameters
        ----------
        reprocess
            ``none`` leaves out what has a run already, ``failed`` runs the failed ones again, ``completed`` all.

        Raises
        ------
        ApiError
            Another backfill of this DAG is under way (409), or there is nothing to do.
        """
        body = {
            "dag_id": dag_id,
            "from_date": first.astimezone(UTC).isoformat(),
            "to_date": last.astimezone(UTC).isoformat(),
            "max_active_runs": max_active_runs,
            "reprocess_behavior": reprocess,
        }
        return int(self.request("POST", "/backfills", json=body)["id"])

    def backfill_completed(self, number: int) -> bool:
        """Whether every run of a backfill has ended, well or not."""
        return self.request("GET", f"/backfills/{number}")["completed_at"] is not None

    def send_asset_event(self, asset: str, *, partition_key: str | None = None) -> None:
        """Say that an asset (named by its name or URI) has changed, which starts all its consumers."""
        entries = self.pages("/assets", "assets")
        found = [entry["id"] for entry in entries if asset in (entry["name"], entry["uri"])]
        if not found:
            raise ApiError(f"there is no asset {asset!r}", status=404)
        body = {"asset_id": found[0], "partition_key": partition_key, "extra": {}}
        self.request("POST", "/assets/events", json=body)

    # -- inside ---------------------------------------------------------------------------------------

    def _sign_in(self) -> None:
        answer = self._send("POST", "/auth/token", base="", json={"username": self.user, "password": self._password})
        if not answer.ok:
            raise ApiError(_detail(answer), status=answer.status_code, where=f"login of {self.user!r}")
        self._session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _send(
        self, method: str, path: str, *, base: str = "/api/v2", timeout: float | None = None, **arguments: Any
    ) -> requests.Response:
        """One request; what only asks is asked again where no answer comes in time.

        Raises
        ------
        NoAnswerError
            Airflow listens, and did not answer.
        ApiError
            It does not listen.
        """
        repeatable = timeout is None and (method == "GET" or not base)
        for _ in range(_TRIES if repeatable else 1):
            try:
                return self._session.request(
                    method, f"{self.address}{base}{path}", timeout=timeout or self.timeout, **arguments
                )
            except requests.ReadTimeout:
                continue
            except requests.RequestException as error:
                raise ApiError(f"no answer ({type(error).__name__})", where=self.address) from None
        raise NoAnswerError("no answer in time; the machine may be too busy", where=self.address)


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}"


def _detail(answer: requests.Response) -> str:
    try:
        content = answer.json()
    except ValueError:
        return answer.text.strip()[:500] or answer.reason
    detail = content.get("detail", content) if isinstance(content, dict) else content
    return detail if isinstance(detail, str) else str(detail)[:500]


def _log_lines(content: Any) -> list[str]:
    """Airflow answers with structured entries, each with its event and perhaps a chain of exceptions."""
    if isinstance(content, str):
        return content.splitlines()
    lines: list[str] = []
    for entry in content:
        if not isinstance(entry, dict):
            lines.append(str(entry))
            continue
        event = str(entry.get("event", ""))
        if not event.startswith("::"):  # marks of folded sections
            lines.extend(event.splitlines())
        for error in entry.get("error_detail") or []:
            lines.extend(f"{error.get('exc_type')}: {error.get('exc_value')}".splitlines())
    return lines


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
