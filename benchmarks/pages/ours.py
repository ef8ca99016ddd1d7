"""Opens pages, and a bare one, in a test client: ``python -m benchmarks.pages.ours DATABASE STORE PATH…``."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

# Airflow writes a configuration file when it is first imported.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="fo-airflow-")

from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from fraudops.roles import read_roles
from fraudops.store import Memory, RememberingStore
from fraudops.workspace import Workspace
from fraudops_airflow.web import app as web
from fraudops_airflow.web.access import Person, remember, signed_in
from fraudops_airflow.web.archive import Archive, open_archive
from fraudops_airflow.web.runs.airflow import Airflow, open_airflow
from jinja2 import DictLoader, Environment

from benchmarks.pages.installation import portfolios
from benchmarks.processes import CHECKOUT

_TIMES = 7
_BARE = "<!doctype html><title>{{ title }}</title><ul>{% for row in rows %}<li>{{ row }}</li>{% endfor %}</ul>"


def main(database: str, store: str, paths: Sequence[str]) -> None:
    """Prints milliseconds and CPU milliseconds of each page, cold and warm, and of the bare one."""
    roles = read_roles(CHECKOUT / "include" / "roles.yaml")
    app = web.create_app()

    def officer(request: Request) -> Person:
        return remember(request, Person("officer", roles.of("officer"), roles))

    app.dependency_overrides |= {signed_in: officer, open_airflow: lambda: Airflow(user=None)}  # type: ignore[arg-type]
    client = TestClient(app)

    def forget() -> None:
        """What the pages have read so far."""
        opened = RememberingStore(store, Memory())
        workspace = Workspace(opened, Path(store).parent / "landing", database, b"", b"")
        found = Archive(opened, database, portfolios(), workspace)
        app.dependency_overrides[open_archive] = lambda: found

    forget()
    for path in paths:
        client.get(path).raise_for_status()
    pages = {}
    for path in paths:
        forget()
        cold = _spent(client, path)
        runs = [_spent(client, path) for _ in range(_TIMES)]
        pages[path] = {
            "cold": cold[0],
            "warm": statistics.median(wall for wall, _ in runs),
            "cold_cpu": cold[1],
            "warm_cpu": statistics.median(cpu for _, cpu in runs),
        }
    bare = TestClient(_bare())
    bare.get("/")
    reference = statistics.median(_spent(bare, "/")[0] for _ in range(5 * _TIMES))
    print(json.dumps({"pages": pages, "reference": reference}))


def _bare() -> FastAPI:
    """One route that fills a template with fifty rows, and asks nobody anything."""
    app, template = FastAPI(), Environment(loader=DictLoader({"page": _BARE}), autoescape=True).get_template("page")

    @app.get("/")
    def page() -> Response:
        return Response(template.render(title="bare", rows=range(50)), media_type="text/html")

    return app


def _spent(client: TestClient, path: str) -> tuple[float, float]:
    """Milliseconds, and CPU milliseconds, of one answer."""
    wall, cpu = time.perf_counter(), time.process_time()
    client.get(path).raise_for_status()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
