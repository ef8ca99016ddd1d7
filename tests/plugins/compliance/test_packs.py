"""Monthly packs in the pages: months that have one or wait, editions, and nothing but their files."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pytest
from fastapi.testclient import TestClient
from fraudops.workspace import Workspace

Visit = Callable[..., TestClient]
FIRST, RESTATED = "2026-03_as-of-2026-04-01T00", "2026-03_as-of-2026-05-01T00"


@pytest.fixture
def packed(workspace: Workspace) -> Workspace:
    """A month with two editions, and one that waits."""
    for key in ("2026-03-30", "2026-03-31", "2026-04-01"):
        workspace.store.write("transactions", "cards", key, pa.table({"transaction_id": [key]}), config="c")
    for folder, as_of in ((FIRST, "2026-04-01T00:00:00+00:00"), (RESTATED, "2026-05-01T00:00:00+00:00")):
        for name in ("index.html", "pack.pdf", "pack.csv", "pack.json", "fraud.png", "notes.csv"):
            workspace.store.put(f"{folder} {name}".encode(), "packs", "cards", folder, name)
        with workspace.transaction() as session:
            workspace.record(
                session,
                portfolio="cards",
                actor="service:cards_report",
                action="monthly_pack",
                subject=f"cards/packs/{folder}",
                details={"month": "2026-03", "as_of": as_of, "restated": False, "files": {"pack.pdf": "c" * 64}},
            )
    return workspace


def test_months_and_their_editions(client: TestClient, packed: Workspace) -> None:
    page = client.get("/packs?portfolio=cards").text
    assert page.index("April 2026") < page.index("March 2026")
    assert "waits" in page
    assert "has a pack" in page
    assert page.index(RESTATED) < page.index(FIRST)
    assert page.count('class="tag">restated') == 1
    assert "Nothing has been published yet" in client.get("/packs?portfolio=accounts").text
    month = client.get("/packs/cards/months/2026-03").text
    assert 'data-dag="cards_report"' in month
    assert 'name="partition_key" value="2026-03"' in month
    assert "not scored" in month
    assert "2026-03-29" in month
    for path in ("/packs/cards/months/2026-13", "/packs/cards/nonsense", "/packs/nobody/months/2026-03"):
        assert client.get(path).status_code == 404, path


def test_an_edition_is_shown_and_its_files_are_taken_away(visit: Visit, packed: Workspace) -> None:
    page = visit("a.viewer").get(f"/packs/cards/{FIRST}").text
    assert f'src="/documents/packs/cards/{FIRST}/index.html"' in page
    assert "c" * 64 in page
    assert "/ledger/1" not in page
    assert '/ledger/1"' in visit("officer").get(f"/packs/cards/{FIRST}").text
    viewer = visit("a.viewer")
    for name, kind in (
        ("pack.pdf", "application/pdf"),
        ("pack.csv", "text/csv; charset=utf-8"),
        ("pack.json", "application/json"),
    ):
        found = viewer.get(f"/documents/packs/cards/{FIRST}/{name}")
        assert found.headers["content-type"] == kind
        assert found.headers["content-disposition"] == f'attachment; filename="cards-{FIRST}-{name}"'
        assert found.content == f"{FIRST} {name}".encode()
    shown = viewer.get(f"/documents/packs/cards/{FIRST}/index.html")
    assert "content-disposition" not in shown.headers
    assert shown.headers["content-security-policy"].startswith("sandbox")
    assert viewer.get(f"/documents/packs/cards/{FIRST}/fraud.png").status_code == 200
    assert viewer.get(f"/documents/packs/cards/{FIRST}/notes.csv").status_code == 404
    assert viewer.get(f"/documents/reports/cards/{FIRST}/pack.pdf").status_code == 404
