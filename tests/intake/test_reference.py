"""Reference files: landed by the day in their name, quarantined row by row, replaced whole, read as of a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fraudops import reference
from fraudops.decisions.tracing import trace_file
from fraudops.errors import ContractError
from fraudops.intake.files import find_files, named_files
from fraudops.intake.landing import LandResult, land
from fraudops.intake.remedies import remedy_of
from fraudops.intake.watching import lying, undone
from fraudops.portfolio import CUSTOMERS_PROTECTED, Portfolio
from fraudops.workspace import Workspace

from tests.intake.conftest import quarantined, snapshot

HEADERS = {
    "customers": "customer_id,kind,name,aliases,date_of_birth,address_country,risk_rating,risk_rated_on,documents,"
    "opened_on",
    "watchlist": "list_version,entry_id,name,aliases,date_of_birth,country,program",
    "holidays": "date,name,jurisdiction",
    "rates": "date,currency,rate",
}
ANN = "C1,person,Ann Doe,Anne Doe| A. Doe ,1980-02-29,us,Low,2026-01-05,passport:2031-05-04|Id_card:,2019-03-01"
Land = Callable[..., LandResult]


def _end(day: str) -> datetime:
    """End of a day: what arrived on it is known."""
    return datetime.fromisoformat(f"{day}T00:00:00+00:00") + timedelta(days=1)


@pytest.fixture
def accounts(portfolios: dict[str, Portfolio]) -> Portfolio:
    return portfolios["accounts"]


@pytest.fixture
def arrive(workspace: Workspace, accounts: Portfolio) -> Land:
    """Writes a reference file and lands it: ``arrive("rates", "2026-03-05", "2026-03-04,EUR,1.08")``."""
    folder = workspace.landing / "accounts"
    folder.mkdir(exist_ok=True)

    def write(feed: str, key: str, *rows: str, suffix: str = "") -> LandResult:
        name = f"{feed}_{key}{suffix}.csv" if not suffix else f"{feed}_{key}.csv{suffix}"
        (folder / name).write_text("\n".join([HEADERS[feed], *rows, ""]))
        return land(workspace, accounts, named_files(workspace, accounts, name))

    return write


def _reasons(ws: Workspace) -> list[tuple[int, str | None, str]]:
    return sorted((row["line"], row["column"], row["reason"]) for row in quarantined(ws, "accounts"))


def test_a_customer_is_known_from_the_end_of_the_day_in_the_files_name(
    workspace: Workspace, accounts: Portfolio, arrive: Land
) -> None:
    result = arrive("customers", "2026-03-05", ANN)
    assert (result.keys, result.reference_keys, result.rows_accepted) == ([], ["2026-03-05"], 1)
    assert reference.customers(workspace, accounts, datetime(2026, 3, 5, 23, tzinfo=UTC)).num_rows == 0
    (ann,) = reference.customers(workspace, accounts, datetime(2026, 3, 6, tzinfo=UTC)).to_pylist()
    assert ann == {
        "customer_id": "C1",
        "kind": "person",
        "risk_rating": "low",
        "risk_rated_on": date(2026, 1, 5),
        "address_country": "US",
        "documents": "passport:2031-05-04|id_card:",
        "opened_on": date(2019, 3, 1),
        "known_at": datetime(2026, 3, 6, tzinfo=UTC),
    }
    (who,) = reference.identities(workspace, accounts, datetime(2026, 3, 6, tzinfo=UTC)).to_pylist()
    assert (who["name"], who["aliases"], who["date_of_birth"]) == ("Ann Doe", "Anne Doe|A. Doe", date(1980, 2, 29))
    for dataset in workspace.store.root.iterdir():
        if dataset.name != CUSTOMERS_PROTECTED and dataset.is_dir():
            content = b"".join(path.read_bytes() for path in Path(dataset).rglob("*") if path.is_file())
            assert b"Ann Doe" not in content


def test_what_cannot_be_used_is_quarantined_with_file_line_column_and_reason(
    workspace: Workspace, arrive: Land
) -> None:
    def ann(**changes: str) -> str:
        return ",".join({**dict(zip(HEADERS["customers"].split(","), ANN.split(","), strict=True)), **changes}.values())

    result = arrive(
        "customers",
        "2026-03-05",
        ann(),
        ann(customer_id=""),
        ann(customer_id="C2", kind="robot"),
        ann(customer_id="C3", name=" "),
        ann(customer_id="C4", date_of_birth="1981-02-29"),
        ann(customer_id="C5", documents="passport=2031-05-04"),
        ann(customer_id="C6", documents="passport:soon"),
        ann(customer_id="C7", address_country="UK"),
        ann(customer_id="C8", risk_rated_on="05.01.2026"),
        ann(name="Somebody Else"),
        ann(customer_id="C9", risk_rating="", risk_rated_on="", documents="", aliases="", date_of_birth=""),
        "C10,person",
    )
    assert (result.rows_read, result.rows_accepted, result.rows_quarantined) == (12, 2, 10)
    assert _reasons(workspace) == [
        (3, "customer_id", "empty"),
        (4, "kind", "none of person, business"),
        (5, "name", "empty"),
        (6, "date_of_birth", "not a day such as 2026-03-05"),
        (7, "documents", "not documents as kind:2026-03-05, with | between them"),
        (8, "documents", "not documents as kind:2026-03-05, with | between them"),
        (9, "address_country", "not a country of ISO 3166, such as US"),
        (10, "risk_rated_on", "not a day such as 2026-03-05"),
        (11, "customer_id", "the same customer_id as line 2"),
        (13, None, "has 2 fields, the header has 10"),
    ]
    assert not any("Doe" in row["raw"] or "Somebody" in row["raw"] for row in quarantined(workspace, "accounts"))


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("2026-03-04,XXX,1.08", "currency", "not a currency of ISO 4217, such as EUR"),
        ("2026-03-04,EUR,-1.08", "rate", "not a number above zero with at most eight decimal places"),
        ("2026-03-04,EUR,0", "rate", "not a number above zero with at most eight decimal places"),
        ("2026-03-04,EUR,1.123456789", "rate", "not a number above zero with at most eight decimal places"),
        ("2026-02-30,EUR,1.08", "date", "not a day such as 2026-03-05"),
        ("2026-03-04,GBP,1.2", "date", "the same currency and date as line 2"),
    ],
)
def test_rates_are_exact_or_in_quarantine(
    workspace: Workspace, accounts: Portfolio, arrive: Land, row: str, column: str, reason: str
) -> None:
    arrive("rates", "2026-03-05", "2026-03-04,GBP,1.3", row)
    assert _reasons(workspace) == [(3, column, reason)]
    (pound,) = reference.rates(workspace, accounts, _end("2026-03-05")).to_pylist()
    assert (pound["currency"], pound["rate"]) == ("GBP", Decimal("1.30000000"))


def test_a_later_row_takes_the_place_of_an_earlier_one_whatever_order_they_came_in(
    workspace: Workspace, accounts: Portfolio, arrive: Land
) -> None:
    arrive("customers", "2026-03-07", ANN.replace("Low", "High"))
    arrive("customers", "2026-03-05", ANN)
    for day, rating in (("2026-03-05", "low"), ("2026-03-06", "low"), ("2026-03-07", "high")):
        (ann,) = reference.customers(workspace, accounts, _end(day)).to_pylist()
        assert ann["risk_rating"] == rating


def test_a_file_that_comes_again_takes_the_place_of_its_earlier_version(
    workspace: Workspace, accounts: Portfolio, arrive: Land
) -> None:
    arrive("customers", "2026-03-05", ANN, ANN.replace("C1", "C2"))
    before = workspace.store.require("customers", "accounts", "2026-03-05")
    again = arrive("customers", "2026-03-05", ANN, ANN.replace("C1", "C2"))
    assert again.rows_accepted == 2
    assert workspace.store.require("customers", "accounts", "2026-03-05") == before
    corrected = arrive("customers", "2026-03-05", ANN.replace("Low", "Medium"))
    assert any("came before with other bytes" in note for note in corrected.notes)
    rows = reference.customers(workspace, accounts, _end("2026-03-05")).to_pylist()
    assert [(row["customer_id"], row["risk_rating"]) for row in rows] == [("C1", "medium")]
    assert reference.identities(workspace, accounts, _end("2026-03-05"))["customer_id"].to_pylist() == ["C1"]
    arrive("customers", "2026-03-05", ANN, ANN.replace("C1", "C2"))
    assert workspace.store.require("customers", "accounts", "2026-03-05").data_digest == before.data_digest


def test_each_watch_list_is_whole(workspace: Workspace, accounts: Portfolio, arrive: Land) -> None:
    arrive("watchlist", "2026-03-02", "v1,E1,Ivan Petrov,I. Petrov,1960-01-01,RU,SDN", "v1,E2,Acme Ltd,,,,SDN")
    arrive("watchlist", "2026-03-09", "v2,E2,Acme Ltd,,,,SDN", "v1,E3,Old Row,,,,SDN", "v2,E2,Twice,,,,SDN")
    assert [why for _, _, why in _reasons(workspace)] == [
        "not that of line 2, and a file is one list",
        "the same entry_id as line 2",
    ]
    assert reference.watchlist(workspace, accounts, _end("2026-03-01")).num_rows == 0
    assert reference.watchlist(workspace, accounts, _end("2026-03-08"))["entry_id"].to_pylist() == ["E1", "E2"]
    assert reference.watchlist(workspace, accounts, _end("2026-03-09"))["list_version"].to_pylist() == ["v2"]
    with pytest.raises(ContractError, match="nothing would be in force"):
        arrive("watchlist", "2026-03-16")
    assert reference.watchlist(workspace, accounts, _end("2026-03-20")).num_rows == 1


def test_holidays_add_up_and_can_be_taken_back(workspace: Workspace, accounts: Portfolio, arrive: Land) -> None:
    arrive("holidays", "2026-01-01", "2026-07-03,Independence Day,us", "2026-12-25,Christmas Day,US")
    arrive("holidays", "2026-02-01", "2026-07-03,,US", "2026-05-01,Labour Day,EU")
    found = reference.holidays(workspace, accounts, _end("2026-02-01"))
    assert found.select(["date", "jurisdiction"]).to_pylist() == [
        {"date": date(2026, 5, 1), "jurisdiction": "EU"},
        {"date": date(2026, 12, 25), "jurisdiction": "US"},
    ]
    assert reference.holidays(workspace, accounts, _end("2026-01-31")).num_rows == 2


def test_a_file_whose_name_says_no_day_is_refused(workspace: Workspace, arrive: Land) -> None:
    for key in ("2026-02-30", "new", "2026-3-5"):
        with pytest.raises(ContractError, match="customers_2026-03-05"):
            arrive("customers", key, ANN)
    assert {name for name in snapshot(workspace) if "token" not in name} == {"format.json"}


def test_a_days_run_takes_the_days_reference_files_and_the_watch_sees_each(
    workspace: Workspace, accounts: Portfolio, arrive: Land
) -> None:
    arrive("rates", "2026-03-04", "2026-03-04,EUR,1.08")
    folder = workspace.landing / "accounts"
    for name in ("rates_2026-03-05.csv", "holidays_2026-03-05.csv.gz", "transactions_2026-03-05.csv"):
        (folder / name).write_text("date\n")
    files = find_files(workspace, accounts, "2026-03-05")
    names: dict[str, Any] = {feed: [path.name for path in paths] for feed, paths in files.reference.items() if paths}
    assert names == {"rates": ["rates_2026-03-05.csv"], "holidays": ["holidays_2026-03-05.csv.gz"]}
    assert set(lying(workspace, accounts)) == {path.name for path in folder.iterdir()}
    assert "rates_2026-03-04.csv" not in undone(workspace, accounts)


def test_a_list_that_has_not_changed_may_come_every_day(
    workspace: Workspace, accounts: Portfolio, arrive: Land
) -> None:
    rows = ("v1,E1,Ivan Petrov,,,RU,SDN", "v1,,Nobody,,,RU,SDN")
    for key in ("2026-03-02", "2026-03-03"):
        arrive("watchlist", key, *rows)
    before = snapshot(workspace)
    again = [arrive("watchlist", key, *rows) for key in ("2026-03-02", "2026-03-03")]
    assert [(one.rows_accepted, one.reasons) for one in again] == [(1, {"entry_id: empty": 1})] * 2
    assert snapshot(workspace) == before
    assert reference.watchlist(workspace, accounts, _end("2026-03-03")).num_rows == 1


def test_a_file_is_traced_to_its_day_until_another_version_takes_its_place(
    workspace: Workspace, accounts: Portfolio, arrive: Land
) -> None:
    arrive("customers", "2026-03-05", ANN)
    arrive("customers", "2026-03-05", ANN, ANN.replace("C1", "C2"))
    traces = trace_file(workspace, {"accounts": accounts}, "customers_2026-03-05.csv")
    found = sorted((trace.rows_read, trace.newer, trace.partitions[0].stored) for trace in traces)
    assert found == [(1, True, 0), (2, False, 2)]


def test_every_reason_has_a_remedy_and_a_line_in_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "bad-input.md").read_text(encoding="utf-8")
    for reason in (
        "not an account number",
        "not a day such as 2026-03-05",
        "none of person, business",
        "not a country of ISO 3166, such as US",
        "not a currency of ISO 4217, such as EUR",
        "not a jurisdiction, such as US or EU",
        "not documents as kind:2026-03-05, with | between them",
        "not a number above zero with at most eight decimal places",
        "the same customer_id as line 2",
        "the same currency and date as line 2",
        "not that of line 2, and a file is one list",
    ):
        assert remedy_of(f"column: {reason}") != remedy_of("something else"), reason
        assert f"`{reason[:8]}" in page, reason
