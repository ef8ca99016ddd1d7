"""Reference files are kept as long as they may be in force; they are verified, held, and removed with a trace."""

from __future__ import annotations

from datetime import UTC, datetime

from fraudops import reference
from fraudops.intake.files import named_files
from fraudops.intake.landing import LandResult, land
from fraudops.keeping.holds import place
from fraudops.keeping.retain import due, retain
from fraudops.keeping.verification import verify
from fraudops.portfolio import Portfolio
from fraudops.workspace import Workspace

NOW = datetime(2026, 3, 20, tzinfo=UTC)
HEADER = "customer_id,kind,name,aliases,date_of_birth,address_country,risk_rating,risk_rated_on,documents,opened_on\n"


def _arrive(ws: Workspace, portfolio: Portfolio, key: str) -> LandResult:
    folder = ws.landing / portfolio.name
    folder.mkdir(exist_ok=True)
    (folder / f"customers_{key}.csv").write_text(f"{HEADER}C1,person,Ann Doe,,,US,low,{key},,\n")
    return land(ws, portfolio, named_files(ws, portfolio, f"customers_{key}.csv"))


def test_what_may_be_in_force_stays_and_the_rest_goes_with_a_trace(
    workspace: Workspace, portfolios: dict[str, Portfolio]
) -> None:
    accounts = portfolios["accounts"]
    for key in ("2026-03-01", "2026-03-08", "2026-03-15"):
        _arrive(workspace, accounts, key)
    assert {item.area for item in due(workspace, accounts, datetime(2046, 1, 1, tzinfo=UTC))} == {"quarantine"}
    content = accounts.model_dump(mode="json", exclude_defaults=True)
    content |= {"retention": {"reference": "10d"}}
    content["compliance"]["reference_lookback"] = "8d"
    shorter = Portfolio.model_validate(content)
    found = {(item.area, item.name) for item in due(workspace, shorter, NOW)}
    assert found == {
        (name, key) for name in ("customers", "customers_protected") for key in ("2026-03-01", "2026-03-08")
    }
    before = reference.customers(workspace, shorter, NOW)
    place(workspace, shorter, first="2026-03-04", last="2026-03-04", reason="case 17", by="vera")
    assert {item.name for item in due(workspace, shorter, NOW)} == {"2026-03-08"}, "what a held day could know stays"
    retain(workspace, shorter, now=NOW, actor="service:retain")
    assert workspace.store.keys("customers", "accounts") == ["2026-03-01", "2026-03-15"]
    assert workspace.store.keys("customers_protected", "accounts") == ["2026-03-01", "2026-03-15"]
    assert reference.customers(workspace, shorter, NOW).equals(before)
    again = _arrive(workspace, shorter, "2026-03-08")
    assert any("retention has removed 2026-03-08" in note for note in again.notes)
    assert verify(workspace, shorter, now=NOW, thorough=True).findings == ()
    (folder,) = workspace.store.path("customers", "accounts", "date=2026-03-15").glob("part-*.parquet")
    folder.write_bytes(folder.read_bytes()[:-1] + b"?")
    assert len(verify(workspace, shorter, now=NOW, thorough=True).findings) == 1
