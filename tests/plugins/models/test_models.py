"""Versions, two of them side by side, and the decision on a promotion."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pyarrow as pa
from fastapi.testclient import TestClient
from fraudops.portfolio import Portfolio
from fraudops.registry import shadow
from fraudops.registry.promotion import decline, promote
from fraudops.registry.versions import version
from fraudops.workspace import Workspace
from fraudops_airflow.web.archive import Archive
from fraudops_airflow.web.models.curves import pair, read_curves
from fraudops_airflow.web.models.shadows import agreement
from fraudops_airflow.web.models.versions import STATES, Wanted, listed

Visit = Callable[..., TestClient]
COMPARE = "/models/cards/compare?a=v2&b=v4"


def cell(page: str, name: str) -> str:
    """A number of the comparison, by its key and column."""
    found = re.search(rf'data-cell="{name}">([^<]*)<', page)
    assert found is not None, name
    return found[1]


# -- the list -------------------------------------------------------------------------------------------


def test_each_state_finds_its_versions(archive: Archive, trained: Workspace, cards: Portfolio) -> None:
    shadow.start(trained, cards, model="v4", days=7, started_by="dana", reason="a look at live days")
    with trained.transaction() as session:
        trained.record(
            session,
            portfolio="cards",
            actor="service:registry",
            action="model_refused",
            subject="cards/models/v3",
            details={"found": "no file"},
        )
    with archive.reading() as session:
        found = {
            state: [line.version for line in listed(archive, session, Wanted(state=state)).lines] for state in STATES
        }
        every = {line.version: line.states for line in listed(archive, session, Wanted()).lines}
    assert found == {
        "champion": ["v2"],
        "was champion": [],
        "shadow": ["v4"],
        "challenger": ["v4"],
        "rejected": [],
        "candidate": ["v3", "v1"],
        "altered": ["v3"],
    }
    assert every == {
        "v4": ("challenger", "shadow"),
        "v3": ("candidate", "altered"),
        "v2": ("champion",),
        "v1": ("candidate",),
    }


def test_the_list_is_read_a_page_at_a_time(archive: Archive, trained: Workspace) -> None:
    with archive.reading() as session:
        first = listed(archive, session, Wanted(), most=3)
        rest = listed(archive, session, Wanted(before=first.older), most=3)
    assert [line.version for line in first.lines] == ["v4", "v3", "v2"]
    assert [line.version for line in rest.lines] == ["v1"]
    assert rest.older is None


def test_the_list_can_be_filtered(client: TestClient, trained: Workspace) -> None:
    page = client.get("/models?candidate=lightgbm&state=challenger").text
    assert '/models/cards/v4">v4' in page
    assert '/models/cards/v1">v1' not in page
    assert 'id="no-such-versions"' in client.get("/models?state=rejected").text
    assert client.get("/models?state=nonsense&portfolio=nobody&candidate=%27%3B--").status_code == 200


# -- one version ----------------------------------------------------------------------------------------


def test_a_version_says_where_it_comes_from_and_what_was_found(client: TestClient, trained: Workspace) -> None:
    page = client.get("/models/cards/v2").text
    assert "not below the baseline" in page
    assert "asked for by <strong>admin</strong>: a &lt;b&gt;test&lt;/b&gt;" in page
    assert "Promoted by <strong>validator</strong>" in page
    assert "checked now" in page
    assert 'data-chart="roc-data"' in page
    assert "terminal_fraud_rate_7d" in page
    assert "Reviewed: from a score of 0.4 on." in page


def test_a_file_that_is_not_the_registered_one_shows(client: TestClient, trained: Workspace) -> None:
    trained.store.put(b"other bytes", "models", "cards", "v1", "model.joblib")
    assert 'tag bad">altered' in client.get("/models/cards/v1").text
    trained.store.path("models", "cards", "v1", "model.joblib").unlink()
    assert 'tag bad">gone' in client.get("/models/cards/v1").text


def test_what_is_not_there_is_not_found(client: TestClient, trained: Workspace) -> None:
    for path in ("v9", "3x", "v1%00", "V2", "-1", "compare?a=v1&b=v99", "v999999999999"):
        assert client.get(f"/models/cards/{path}").status_code == 404, path
    assert client.get("/models/nobody/v1").status_code == 404


# -- two versions ---------------------------------------------------------------------------------------


def test_champion_and_challenger_stand_on_the_same_rows(client: TestClient, trained: Workspace) -> None:
    page = client.get(f"{COMPARE}&by=score&at=0.3").text
    assert "which neither has learned from" in page
    assert "better than the champion" in page
    assert 'data-chart="cost-data"' in page
    better = float(cell(page, "recall-1").rstrip("%")) - float(cell(page, "recall-0").rstrip("%"))
    assert better > 0
    assert cell(page, "recall-2") == f"+{better:.1f} points"


def test_the_numbers_are_those_of_the_table(archive: Archive, client: TestClient, trained: Workspace) -> None:
    with archive.reading() as session:
        found = pair(archive, session, version(session, "cards", "v2"), version(session, "cards", "v4"))
    assert found is not None
    assert found.same_rows
    curve = found.second
    at = curve.at_score(0.3)
    assert at.threshold is not None
    assert at.threshold >= 0.3
    assert at.flagged == max(f for f, t in zip(curve.flagged, curve.threshold, strict=True) if t >= 0.3)
    assert at.saved_minor == curve.rows.without_minor - at.cost_minor  # type: ignore[operator]
    assert curve.at_alerts(5).alerts_a_day <= 5 < curve.at_alerts(10).alerts_a_day
    nothing = curve.at_score(1.1)
    assert (nothing.threshold, nothing.flagged, nothing.precision) == (None, 0, None)
    assert nothing.cost_minor == curve.rows.cost_allowing_minor
    page = client.get(f"{COMPARE}&by=score&at=0.3").text
    assert cell(page, "precision-1") == f"{at.precision:.1%}"
    assert cell(page, "alerts_a_day-1") == f"{at.alerts_a_day:,.1f}"


def test_a_threshold_that_makes_no_sense_is_none(client: TestClient, trained: Workspace) -> None:
    for asked in ("at=nan", "at=-1", "at=inf", "at=x", "by=nonsense&at=0.2", "by=alerts", "at=1e309"):
        assert client.get(f"{COMPARE}&{asked}").status_code == 200, asked


def test_the_order_of_the_two_does_not_matter_and_one_run_is_common_ground(
    client: TestClient, trained: Workspace
) -> None:
    assert "which neither has learned from" in client.get("/models/cards/compare?a=v4&b=v2").text
    assert "which neither has learned from" in client.get("/models/cards/compare?a=v3&b=v4").text
    apart = client.get("/models/cards/compare?a=v1&b=v4").text
    assert "never measured on the same transactions" in apart
    assert 'data-cell="recall-2"' not in apart


def test_a_run_from_before_there_were_curves_says_so(archive: Archive, client: TestClient, trained: Workspace) -> None:
    trained.store.path("reports", "cards", "run-1", "curves.json").unlink()
    assert read_curves(archive, "cards", "run-1") is None
    for path in ("/models/cards/v4", COMPARE):
        assert 'id="no-curves"' in client.get(path).text


# -- the decision ---------------------------------------------------------------------------------------


def test_an_approver_finds_the_form_and_nobody_else_does(visit: Visit, trained: Workspace) -> None:
    form = 'data-answer="cards_promote" data-run="verdict__run-1" data-verdict="run-1"'
    for path in (COMPARE, "/models/cards/v4"):
        assert form in visit("validator").get(path).text
        author = visit("admin").get(path).text
        assert "Nobody approves a training that they asked for" in author
        assert form not in author
        assert form not in visit("a.viewer").get(path).text
    assert "waits for your decision" in visit("deputy").get("/models").text
    assert "waits for a decision" in visit("admin").get("/models").text


def test_what_was_decided_is_told_and_not_asked_again(visit: Visit, trained: Workspace, cards: Portfolio) -> None:
    decline(trained, cards, run_id="run-1", declined_by="deputy", reason="<i>too early</i>")
    page = visit("validator").get(COMPARE).text
    assert "data-answer" not in page
    assert "<strong>deputy</strong> said no" in page
    assert "&lt;i&gt;too early" in page
    assert "waits for" not in visit("validator").get("/models").text


def test_after_a_promotion_the_former_champion_can_come_back_by_an_approver(
    visit: Visit, trained: Workspace, cards: Portfolio
) -> None:
    promote(trained, cards, run_id="run-1", approved_by="validator", reason="it is better")
    page = visit("validator").get("/models/cards").text
    assert 'data-dag="cards_rollback"' in page
    assert '<option value="v2">v2 lightgbm' in page
    others = visit("admin").get("/models/cards").text
    assert 'data-dag="cards_rollback"' not in others
    assert "validator, deputy" in others
    assert "was champion" in visit("admin").get("/models/cards/v2").text
    assert others.index('/models/cards/v4">v4') < others.index('/models/cards/v2">v2'), "the newest champion first"


# -- shadows --------------------------------------------------------------------------------------------


def test_a_shadow_is_counted_beside_the_champion_without_what_chance_decided(
    archive: Archive, client: TestClient, trained: Workspace, cards: Portfolio
) -> None:
    started = shadow.start(trained, cards, model="v4", days=7, started_by="dana", reason="a look at live days")
    key = cards.partitioning.key_of(started.starts_at + timedelta(hours=1))
    of_champion = {
        "transaction_id": ["a", "b", "c", "d"],
        "decision": ["allow", "review", "review", "review"],
        "route": ["policy", "policy", "passed_block", "sample"],
    }
    of_shadow = {"transaction_id": ["d", "c", "b", "a"], "decision": ["allow", "block", "review", "review"]}
    for dataset, rows in (("scores", of_champion), (shadow.DATASET, of_shadow)):
        trained.store.write(dataset, "cards", key, pa.table(rows), config="c")
    found = agreement(archive, cards, [key])
    assert found is not None
    assert (found.n, found.same, found.both, found.only_shadow, found.only_champion) == (4, 3, 2, 1, 0)
    for path in ("/models/cards", "/models/cards/v4"):
        page = client.get(path).text
        assert "1 of 7 partitions scored" in page
        assert "75.00 %" in page
    assert "Stop v4" in client.get("/models/cards").text


def test_reports_are_paged_and_lead_to_the_comparison(client: TestClient, trained: Workspace) -> None:
    trained.store.put(b"<p>the report</p>", "reports", "cards", "run-1", "index.html")
    trained.store.put(b"<p>windows</p>", "reports", "cards", "prequential_2026-04-01", "index.html")
    page = client.get("/reports").text
    assert page.index("run-1") < page.index("run-0")
    assert "no report yet" in page
    assert "/reports/cards/prequential_2026-04-01" in page
    assert "compare?a=v2&amp;b=v4" in client.get("/reports/cards/run-1").text
    assert client.get("/reports/cards/prequential_2026-04-01").status_code == 200
    with_more = client.get("/reports?portfolio=cards&before=4").text
    assert "run-1" not in with_more
