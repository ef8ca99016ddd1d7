"""Every page says what is there or what to do while nothing is, and hands out nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from fraudops.database import ModelVersion, Shadow, transaction
from fraudops.workspace import Workspace
from fraudops_airflow.web.access import Person, remember, signed_in
from fraudops_airflow.web.archive import Archive
from sqlalchemy import select, text
from sqlalchemy.exc import InternalError

from tests.databases import as_owner
from tests.plugins.conftest import ROLES
from tests.plugins.installation import AS_OF, RUN


def test_the_pages_cannot_write(archive: Archive) -> None:
    with pytest.raises(InternalError, match="read-only"), archive.reading() as session:
        session.execute(text("delete from alert"))


# -- what the pages say ---------------------------------------------------------------------------------


EMPTY = {
    "/": "nothing-ingested",
    "/reports": "no-reports",
    "/validation": "no-validations",
    "/quarantine": "nothing-quarantined",
    "/monitoring/cards": "not-monitored",
    "/notices": "no-notices",
    "/storage": "nothing-stored",
    "/restated": "no-restatements",
    "/models": "no-versions",
}


def test_an_empty_installation_says_what_to_do(client: TestClient) -> None:
    for path, mark in EMPTY.items():
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert f'id="{mark}"' in answer.text, path


def test_without_a_model_the_page_says_how_to_get_one(client: TestClient) -> None:
    page = client.get("/models/cards").text
    assert "There is no champion yet" in page
    assert 'data-dag="cards_train"' in page
    assert client.get("/models/cards/compare").status_code == 404


def test_without_a_case_the_lists_of_an_investigator_say_so(visit: Callable[..., TestClient]) -> None:
    analyst = visit("analyst")
    assert 'id="no-cases"' in analyst.get("/cases").text
    assert 'id="no-alerts"' in analyst.get("/alerts").text


def test_the_overview(client: TestClient, small_installation: Workspace) -> None:
    page = client.get("/").text
    assert "the newest of 3, from 2026-03-17; 2 scored" in page
    assert "0.765" in page
    assert "[0.700, 0.820]" in page
    assert "vera.validator" in page
    assert "2026-03-19: 2 to review, 1 blocked" in page
    assert "2026-03-18: 0 to review, 0 blocked" in page
    # Their scores name no inputs, so they were made from something else than what is there.
    assert "2 stale" in page
    assert "cards_reconcile" in page
    assert "1 waiting" in page
    assert "1 uncertain" in page
    assert f"/reports/cards/{quote(RUN, safe='')}" in page
    assert "t-confidential" not in page


def test_text_from_the_database_is_escaped(client: TestClient, small_installation: Workspace) -> None:
    pages = client.get("/").text + client.get("/validation").text
    assert "&lt;script&gt;floor" in pages
    assert "&lt;b&gt;mean" in pages
    assert "<script>floor" not in pages
    assert "<b>mean" not in pages


def test_reports_and_the_page_of_a_run(client: TestClient, small_installation: Workspace) -> None:
    address = f"/reports/cards/{quote(RUN, safe='')}"
    assert address in client.get("/reports").text
    page = client.get(address)
    assert page.status_code == 200
    assert "PROMOTE" in page.text
    assert f'src="/documents{address}/index.html"' in page.text


def test_a_report_is_served_as_it_is_and_can_run_nothing(client: TestClient, small_installation: Workspace) -> None:
    address = f"/documents/reports/cards/{quote(RUN, safe='')}"
    answer = client.get(f"{address}/index.html")
    assert answer.content == b"<h1>Curves</h1><img src='roc.png'>"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(f"{address}/roc.png").headers["content-type"] == "image/png"


def test_the_evidence_of_a_version(client: TestClient, small_installation: Workspace) -> None:
    missing = client.get("/evidence/cards/v1")
    assert missing.status_code == 404
    assert "fraudops models pack" in missing.text
    assert client.get("/evidence/nobody/v1").status_code == 404
    for number in (1, 2):
        small_installation.store.put(b"<p>the pack</p>", "evidence", "cards", "v1", f"pack-r{number}.html")
        with small_installation.transaction() as session:
            small_installation.record(
                session,
                portfolio="cards",
                actor="service:evidence",
                action="evidence_filed",
                subject="cards/models/v1",
                details={
                    "revision": number,
                    "page": f"pack-r{number}.html",
                    "page_sha256": "a",
                    "data": f"pack-r{number}.json",
                    "data_sha256": "b",
                },
            )
    page = client.get("/evidence/cards/v1").text
    assert 'src="/documents/evidence/cards/v1/pack-r2.html"' in page
    assert page.index("Revision 2") < page.index("Revision 1")
    stored = client.get("/documents/evidence/cards/v1/pack-r2.html")
    assert stored.text == "<p>the pack</p>"
    assert "default-src 'none'" in stored.headers["content-security-policy"]
    assert 'href="/evidence/cards/v1"' in client.get("/").text


def test_validation_pages(client: TestClient, small_installation: Workspace) -> None:
    page = client.get("/validation").text
    assert page.index("2026-03-19") < page.index("2026-03-18")
    assert 'class="tag bad">failed' in page
    assert client.get("/validation/cards/2026-03-19").status_code == 200
    assert client.get("/documents/validation/cards/date=2026-03-19/index.html").text == "<h1>Data Docs</h1>"
    assert client.get("/validation/cards/2026-03-20").status_code == 404


def test_restatements_are_listed_and_shown(client: TestClient, small_installation: Workspace) -> None:
    run = "2026-03-01_2026-03-19_v1_0a1b2c3d"
    assert client.get(f"/restated/cards/{run}").status_code == 404
    summary = {"version": "v1", "reason": "<b>audit</b>", "partitions": 19, "new": 3, "gone": 2, "changed": 1}
    for name, content in (("summary.json", json.dumps(summary)), ("index.html", "<h1>Restatement</h1>")):
        small_installation.store.put(content.encode(), "restated", "cards", run, name)
    page = client.get("/restated").text
    assert f'href="/restated/cards/{run}"' in page
    assert "&lt;b&gt;audit" in page
    assert f"/documents/restated/cards/{run}/index.html" in client.get(f"/restated/cards/{run}").text
    assert client.get(f"/documents/restated/cards/{run}/index.html").text == "<h1>Restatement</h1>"
    assert client.get(f"/documents/restated/cards/{run}/diff.parquet").status_code == 404


def test_names_of_files_and_reasons_are_escaped(client: TestClient, small_installation: Workspace) -> None:
    evil = "<script>alert(1)</script>"
    summary = {"file": f"{evil}.csv", "rows": 1, "reasons": {f"{evil}: empty": 1}}
    small_installation.store.put(json.dumps(summary).encode(), "quarantine", "cards", "file=00", "summary.json")
    small_installation.store.put(b"PAR1", "quarantine", "cards", "file=00", "rows.parquet")
    page = client.get("/quarantine").text
    # The file, its reason, and the reason among all reasons.
    assert page.count("&lt;script&gt;alert(1)") == 3
    assert "&lt;script&gt;alert(1)" in client.get("/quarantine/cards/00").text
    assert evil not in page


def test_the_quarantine_shows_counts_and_no_rows(client: TestClient, small_installation: Workspace) -> None:
    page = client.get("/quarantine").text
    assert "transactions_2026-03-19.csv.gz" in page
    assert page.index("2 × no amount") < page.index("1 × duplicate")
    assert "rejected row" not in page
    assert "transactions_2026-03-18.csv.gz" not in page, "every row of it was accepted"


def test_own_pages_run_only_their_own_script(client: TestClient, small_installation: Workspace) -> None:
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
    assert f'<script nonce="{nonce}" src="/assets/' in answer.text
    assert f"style-src 'nonce-{nonce}';" in policy
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    assert "style=" not in answer.text
    assert client.get("/").headers["content-security-policy"] != policy


# -- what is not handed out ------------------------------------------------------------------------------


FORBIDDEN = (
    "/documents/models/cards/v1/model.joblib",
    "/documents/models/cards/v1/index.html",
    "/documents/quarantine/cards/file=0123456789abcdef/rows.parquet",
    "/documents/quarantine/cards/file=0123456789abcdef/summary.json",
    f"/documents/reports/cards/{quote(RUN, safe='')}/dataset.parquet",
    f"/documents/reports/cards/{quote(RUN, safe='')}/no.html",
    "/documents/reports/cards/../models/index.html",
    "/documents/reports/cards/%2e%2e/index.html",
    "/documents/reports/cards/..%2f..%2fmodels%2fportfolio=cards%2fv1/model.joblib",
    "/documents/reports/..%2f..%2fetc/x/index.html",
    "/documents/reports/cards/%2fetc/passwd",
    "/documents/reports/cards/x/..%5c..%5cindex.html",
    "/documents/reports/cards/x%00/index.html",
    "/documents/reports/cards/x/index.html%00.png",
    "/documents/reports/cards/.hidden/index.html",
    "/documents/reports/elsewhere/x/index.html",
    "/documents/../reports/cards/x/index.html",
    "/reports/cards/%2e%2e",
    "/reports/cards/..%2f..%2fmodels",
    "/validation/cards/%2e%2e",
    "/validation/elsewhere/2026-03-19",
)


def test_nothing_else_is_handed_out(client: TestClient, small_installation: Workspace) -> None:
    answers = {path: client.get(path).status_code for path in FORBIDDEN}
    assert {path: status for path, status in answers.items() if status != 404} == {}


# -- when something is wrong ----------------------------------------------------------------------------


def test_a_missing_setting_is_explained(application: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FRAUDOPS_DATABASE_URL", raising=False)

    def known(request: Request) -> Person:
        return remember(request, Person("vera", (), ROLES))

    application.dependency_overrides = {signed_in: known}
    answer = TestClient(application).get("/")
    assert answer.status_code == 503
    assert "FRAUDOPS_DATABASE_URL" in answer.text
    assert "make up" in answer.text


def test_a_database_without_tables_is_explained(client: TestClient, archive: Archive) -> None:
    with transaction(as_owner(archive.database_url)) as session:
        session.execute(text("drop table verdict cascade"))
    answer = client.get("/")
    assert answer.status_code == 503
    assert "does not answer as it should" in answer.text
    assert "select" not in answer.text.lower()


def test_an_altered_model_file_and_a_running_shadow_show_on_the_overview(
    client: TestClient, small_installation: Workspace
) -> None:
    before = client.get("/").text
    assert 'tag bad">alarm' not in before
    with small_installation.transaction() as session:
        model = session.scalars(select(ModelVersion)).one()
        small_installation.record(
            session,
            portfolio="cards",
            actor="service:registry",
            action="model_refused",
            subject="cards/models/v1",
            details={"found": "1" * 64},
        )
        session.add(
            Shadow(
                portfolio="cards",
                model_id=model.id,
                days=7,
                starts_at=AS_OF,
                ends_at=AS_OF + timedelta(days=7),
                started_by="dana",
                reason="why",
                started_at=AS_OF,
            )
        )
    page = client.get("/").text
    assert "the file of v1 was altered" in page
    assert "1 refusal" in page
    assert "v1 (lightgbm) in the shadow: 0 of 7 partitions" in page
