"""Every page wants a user, says what is there or what to do while nothing is, and hands out nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pyarrow as pa
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from fraudops.database import Alert, ModelVersion, Notice, PromotionRecord, Shadow, Verdict, transaction
from fraudops.rules.running import SCHEMA as HIT_SCHEMA
from fraudops.workspace import Workspace
from fraudops_airflow.web import app as web
from fraudops_airflow.web.archive import Archive
from sqlalchemy import select, text
from sqlalchemy.exc import InternalError

from tests.databases import as_owner

RUN = "manual__2026-03-20T20:00:00+00:00"
AS_OF = datetime(2026, 3, 20, tzinfo=UTC)
PAGES = ("/", "/monitoring", "/compliance", "/reports", "/validation", "/quarantine", "/restated")


@pytest.fixture
def small_installation(workspace: Workspace) -> Workspace:
    """Three partitions, two of them scored, a champion, alerts, notices, a report, validations, a quarantine."""
    store = workspace.store
    for day in ("2026-03-17", "2026-03-18", "2026-03-19"):
        store.write("transactions", "cards", day, pa.table({"transaction_id": [day]}), config="c")
    for day in ("2026-03-18", "2026-03-19"):
        store.write("scores", "cards", day, pa.table({"transaction_id": [day]}), config="c")
    store.put(b"<h1>Curves</h1><img src='roc.png'>", "reports", "cards", RUN, "index.html")
    store.put(b"\x89PNG", "reports", "cards", RUN, "roc.png")
    store.put(b"secret", "reports", "cards", RUN, "dataset.parquet")
    store.put(b"model", "models", "cards", "v1", "model.joblib")
    for day, passed in (("2026-03-18", True), ("2026-03-19", False)):
        result = {"key": day, "passed": passed, "checks": 31, "failures": [] if passed else ["<b>mean</b> amount"]}
        store.put(json.dumps(result).encode(), "validation", "cards", f"date={day}", "result.json")
        store.put(b"<h1>Data Docs</h1>", "validation", "cards", f"date={day}", "index.html")
    summary = {"file": "transactions_2026-03-19.csv.gz", "rows": 3, "reasons": {"no amount": 2, "duplicate": 1}}
    store.put(json.dumps(summary).encode(), "quarantine", "cards", "file=0123456789abcdef", "summary.json")
    clean = {"file": "transactions_2026-03-18.csv.gz", "rows": 0, "reasons": {}}
    store.put(json.dumps(clean).encode(), "quarantine", "cards", "file=00000000deadbeef", "summary.json")
    store.put(b"PAR1 rejected row", "quarantine", "cards", "file=0123456789abcdef", "rows.parquet")
    with workspace.transaction() as session:
        model = ModelVersion(
            portfolio="cards",
            number=1,
            run_id=RUN,
            candidate="lightgbm",
            as_of=AS_OF,
            trained_until=AS_OF - timedelta(days=7),
            artifact="models/portfolio=cards/v1/model.joblib",
            artifact_sha256="0" * 64,
            metrics={"average_precision": 0.7654, "average_precision_interval": [0.7, 0.82]},
            thresholds={},
            lineage={},
            created_at=AS_OF,
        )
        session.add(model)
        session.flush()
        verdict = Verdict(
            portfolio="cards",
            run_id=RUN,
            challenger_id=model.id,
            outcome="PROMOTE",
            reason="better than the <script>floor</script>",
            gates=[],
            as_of=AS_OF,
            created_at=AS_OF,
        )
        entry = workspace.record(
            session, portfolio="cards", actor="validator", action="promoted", subject="cards/models/v1"
        )
        session.add(verdict)
        session.flush()
        session.add(
            PromotionRecord(
                portfolio="cards",
                model_id=model.id,
                verdict_id=verdict.id,
                kind="promotion",
                effective_from=AS_OF,
                approved_by="vera.validator",
                reason="read the report",
                promoted_at=AS_OF,
                ledger_number=entry.number,
            )
        )
        for number, decision in enumerate(("review", "review", "block")):
            session.add(
                Alert(
                    portfolio="cards",
                    partition_key="2026-03-19",
                    transaction_id=f"t-confidential-{number}",
                    event_time=AS_OF,
                    amount_minor=100,
                    minor_digits=2,
                    currency="EUR",
                    score=0.9,
                    decision=decision,
                    reasons=["a reason"],
                    model_id=model.id,
                    as_of=AS_OF,
                    created_at=AS_OF,
                )
            )
        for number, state in enumerate(("sent", "sent", "waiting", "uncertain")):
            session.add(
                Notice(
                    portfolio="cards",
                    kind="digest",
                    dedupe_key=str(number),
                    message_id=str(number),
                    recipients=["compliance@bank.example"],
                    sender="fraudops@bank.example",
                    subject="s",
                    text="t",
                    html="h",
                    state=state,
                    attempts=1,
                    as_of=AS_OF,
                    queued_at=AS_OF,
                )
            )
    return workspace


def every_path(application: FastAPI) -> list[str]:
    """A concrete address for each route there is; a route that cannot be walked fails the test."""
    values = {
        "portfolio": "cards",
        "run_id": quote(RUN, safe=""),
        "key": "2026-03-19",
        "area": "reports",
        "folder": quote(RUN, safe=""),
        "file": "index.html",
        "version": "v1",
        "run": "2026-03-01_2026-03-19_v1_0a1b2c3d",
        "hit": "0123abcd",
    }
    paths = []
    for route in application.routes:
        assert isinstance(route, APIRoute), f"{route} is not covered by the application's check of the user"
        paths.append(route.path.format(**values))
    return paths


# -- who may see it -------------------------------------------------------------------------------------


def test_every_route_wants_a_user(application: FastAPI, stranger: TestClient, small_installation: Workspace) -> None:
    paths = every_path(application)
    assert len(paths) == 14
    for path in (*paths, "/documents/nonsense/cards/x/index.html"):
        answer = stranger.get(path)
        assert answer.status_code == 401, path
        assert "vera.validator" not in answer.text
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]


def test_there_are_no_generated_pages(client: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404


def test_only_reading_is_offered(application: FastAPI) -> None:
    assert {method for route in application.routes for method in route.methods} == {"GET"}  # type: ignore[attr-defined]


def test_a_user_without_the_permission_is_refused(application: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.api_fastapi.core_api import security

    class NoPlugins:
        """An auth manager whose user may not see plugins."""

        async def get_user_from_token(self, token: str) -> str:
            return token

        def is_authorized_view(self, *, access_view: object, user: object) -> bool:
            return False

    monkeypatch.setattr(security, "get_auth_manager", NoPlugins)
    visitor = TestClient(application, headers={"Authorization": "Bearer somebody"})
    for path in every_path(application):
        assert visitor.get(path).status_code == 403, path


def test_the_pages_cannot_write(archive: Archive) -> None:
    with pytest.raises(InternalError, match="read-only"), archive.reading() as session:
        session.execute(text("delete from alert"))


# -- what the pages say ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("/", "nothing-ingested"),
        ("/reports", "no-reports"),
        ("/validation", "no-validations"),
        ("/quarantine", "nothing-quarantined"),
        ("/restated", "no-restatements"),
    ],
)
def test_an_empty_installation_says_what_to_do(client: TestClient, path: str, mark: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert f'id="{mark}"' in answer.text


def test_the_overview(client: TestClient, small_installation: Workspace) -> None:
    page = client.get("/").text
    assert "2026-03-17 to 2026-03-19" in page
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
    page = client.get("/quarantine").text
    assert page.count("&lt;script&gt;alert(1)") == 2
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
    assert f'<script nonce="{nonce}">' in answer.text
    assert "unsafe-inline" not in policy
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
    application.dependency_overrides = {web.signed_in: lambda: None}
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


def test_a_hit_is_explained_and_the_law_has_a_date(client: TestClient, small_installation: Workspace) -> None:
    found = {
        "hit_id": "0123abcd",
        "rule": "cash_over_threshold",
        "severity": "high",
        "kind": "customer",
        "subject": "C1",
        "on": AS_OF.date(),
        "because": "<b>10,000.01 USD</b> in cash",
        "transactions": ["T1", "T2"],
        "values": json.dumps({"total_minor": 1_000_001, "indicators": ["one", "two"]}),
        "numbers": json.dumps(
            {"threshold": {"value": "10000.00", "unit": "USD", "from": "2011-03-01", "to": None, "source": "the law"}}
        ),
    }
    small_installation.store.write(
        "rule_hits", "accounts", "2026-03-20", pa.Table.from_pylist([found], schema=HIT_SCHEMA), config="c"
    )
    page = client.get("/compliance").text
    assert "Cash over the reporting threshold" in page
    assert "/compliance/accounts/0123abcd" in page
    assert "&lt;b&gt;10,000.01 USD" in page
    assert "IR, KP, MM" in page
    assert "IR, KP, MM" not in client.get("/compliance?as_of=2022-10-20").text
    one = client.get("/compliance/accounts/0123abcd").text
    assert all(text in one for text in ("T1, T2", "the law", "one, two", "Currency Transaction Report"))
    assert client.get("/compliance/accounts/ffff").status_code == 404
    assert client.get("/compliance?as_of=never").status_code == 404
