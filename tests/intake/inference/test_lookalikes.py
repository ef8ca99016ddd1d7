"""Every lookalike of a public data set: its unedited draft is right where it matters, and its file lands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fraudops.intake.files import FeedFiles
from fraudops.intake.inference import Draft, infer
from fraudops.intake.landing import land
from fraudops.intake.rehearsal import rehearse
from fraudops.portfolio import Portfolio, PortfolioError, Role, load_portfolio
from fraudops.workspace import Workspace

from tests.intake.inference.lookalikes import LOOKALIKES, N

Drafted = Callable[[str], tuple[Draft, Path]]
LABELLED = sorted(set(LOOKALIKES) - {"without_label"})


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Drafted:
    """The draft of a lookalike, and its file; each is made once."""
    made: dict[str, tuple[Draft, Path]] = {}

    def draft(name: str) -> tuple[Draft, Path]:
        if name not in made:
            file = LOOKALIKES[name](tmp_path_factory.mktemp(name))
            made[name] = (infer(file, name), file)
        return made[name]

    return draft


def portfolio_of(draft: Draft, folder: Path) -> Portfolio:
    """The draft, read back."""
    path = folder / f"{draft.name}.yaml"
    path.write_text(draft.text, encoding="utf-8")
    return load_portfolio(path)


@pytest.mark.parametrize("name", LABELLED)
def test_the_unedited_draft_passes_the_check_and_the_file_lands(
    name: str, drafted: Drafted, workspace: Workspace, tmp_path: Path
) -> None:
    draft, file = drafted(name)
    portfolio = portfolio_of(draft, tmp_path)
    found = land(workspace, portfolio, FeedFiles([file]))
    assert found.rows_read == N
    assert found.rows_quarantined == 0, found.reasons
    # Years of TabFormer are more than 200 weeks, and a week is the longest partition.
    fewest, most = (201, 300) if name == "tabformer" else (8, 200)
    assert fewest <= len(found.keys) <= most
    assert portfolio.labels.delay * 10 <= portfolio.training.window
    assert not portfolio.scheduled


ROLES: dict[str, dict[str, Any]] = {
    "paysim": {
        Role.ID: [], Role.AMOUNT: ["amount"], Role.ENTITY: ["name_orig", "name_dest"], Role.CATEGORY: ["type"],
        Role.IGNORE: ["is_flagged_fraud"],
    },
    "banksim": {Role.ENTITY: ["customer", "merchant"], Role.IGNORE: ["zipcode_ori", "zip_merchant"], Role.ID: []},
    "sparkov": {
        Role.ID: ["transaction_id"], Role.CARD: ["cc_num"], Role.PERSONAL: ["first", "last", "street", "dob"],
        Role.IGNORE: ["unix_time"], Role.ENTITY: ["merchant"],
    },
    "ieee_cis": {
        Role.ID: ["transaction_id"], Role.AMOUNT: ["amount"], Role.ENTITY: ["card1"],
        Role.BOOLEAN: [f"M{i}" for i in (1, 2, 3, 5, 6, 7, 8, 9)], Role.PERSONAL: [],
    },
    "tabformer": {Role.ID: [], Role.AMOUNT: ["amount"], Role.ENTITY: ["user", "card", "merchant_name"]},
    "baf": {
        Role.ID: [], Role.AMOUNT: [], Role.ENTITY: [], Role.PERSONAL: [], Role.IGNORE: ["device_fraud_count"],
        Role.BOOLEAN: ["email_is_free", "phone_home_valid"],
    },
    "vehicle_insurance": {Role.ID: ["transaction_id"], Role.AMOUNT: [], Role.ENTITY: []},
    "ulb": {Role.ID: [], Role.NUMBER: [f"V{i}" for i in range(1, 29)], Role.ENTITY: []},
    "handbook": {
        Role.ID: ["transaction_id"], Role.ENTITY: ["customer_id", "terminal_id"],
        Role.IGNORE: ["tx_time_seconds", "tx_time_days", "tx_fraud_scenario"],
    },
    "german": {
        Role.ID: ["transaction_id"], Role.AMOUNT: ["amount"], Role.ENTITY: ["kunde", "haendler"],
        Role.PERSONAL: ["strasse"], Role.NUMBER: ["laenge"],
    },
    "without_time": {Role.ID: [], Role.AMOUNT: [], Role.ENTITY: []},
}  # fmt: skip


@pytest.mark.parametrize("name", LABELLED)
def test_the_roles_that_matter_are_right(name: str, drafted: Drafted, tmp_path: Path) -> None:
    portfolio = portfolio_of(drafted(name)[0], tmp_path)
    assert {role: sorted(portfolio.named(role)) for role in ROLES[name]} == {
        role: sorted(names) for role, names in ROLES[name].items()
    }


LABELS = {
    "paysim": ("isFraud", ("1",)), "banksim": ("fraud", ("1",)), "sparkov": ("is_fraud", ("1",)),
    "ieee_cis": ("isFraud", ("1",)), "tabformer": ("Is Fraud?", ("Yes",)), "baf": ("fraud_bool", ("1",)),
    "vehicle_insurance": ("FraudFound_P", ("1",)), "ulb": ("Class", ("1",)), "handbook": ("TX_FRAUD", ("1",)),
    "german": ("Betrug", ("ja",)), "without_time": ("fraud", ("1",)),
}  # fmt: skip


@pytest.mark.parametrize("name", LABELLED)
def test_the_label_and_what_means_fraud(name: str, drafted: Drafted, tmp_path: Path) -> None:
    portfolio = portfolio_of(drafted(name)[0], tmp_path)
    column, positive = LABELS[name]
    assert portfolio.transactions[0].calls("label") == column
    assert portfolio.columns["label"].positive == positive


TIMES: dict[str, tuple[str, dict[str, Any], int]] = {
    "paysim": ("step", {"unit": "h"}, 24), "banksim": ("step", {"unit": "d"}, 24),
    "sparkov": ("trans_date_trans_time", {"origin": None, "format": None}, 168),
    "ieee_cis": ("TransactionDT", {"unit": "s"}, 24), "baf": ("month", {"unit": "month"}, 168),
    "ulb": ("Time", {"unit": "s"}, 6), "handbook": ("TX_DATETIME", {"origin": None}, 24),
    "german": ("Datum", {"format": "%d.%m.%Y %H:%M"}, 24), "without_time": ("event_time", {"rows_per_day": 67}, 24),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TIMES))
def test_the_time_and_how_it_is_cut(name: str, drafted: Drafted, tmp_path: Path) -> None:
    portfolio = portfolio_of(drafted(name)[0], tmp_path)
    column, settings, hours = TIMES[name]
    assert portfolio.transactions[0].calls("event_time") == column
    time = portfolio.columns["event_time"]
    assert {key: getattr(time, key) for key in settings} == settings
    assert portfolio.partition_hours == hours


def test_parts_make_the_time_where_no_column_holds_it(drafted: Drafted, tmp_path: Path) -> None:
    parts = {}
    for name in ("tabformer", "vehicle_insurance"):
        found = portfolio_of(drafted(name)[0], tmp_path).columns["event_time"].parts
        assert found is not None
        parts[name] = found.columns
    assert parts == {
        "tabformer": {"year": "Year", "month": "Month", "day": "Day", "time": "Time"},
        "vehicle_insurance": {"year": "Year", "month": "Month", "week": "WeekOfMonth", "weekday": "DayOfWeek"},
    }


def test_a_pair_that_names_the_card_only_together_is_joined(drafted: Drafted, tmp_path: Path) -> None:
    assert portfolio_of(drafted("tabformer")[0], tmp_path).columns["card"].join == ("User", "Card")


def test_how_the_file_is_written_is_told(drafted: Drafted, tmp_path: Path) -> None:
    german = portfolio_of(drafted("german")[0], tmp_path).transactions[0]
    assert (german.delimiter, german.decimal, german.thousands, german.encoding) == (";", ",", ".", "cp1252")
    assert portfolio_of(drafted("banksim")[0], tmp_path).transactions[0].quote == "'"
    assert portfolio_of(drafted("handbook")[0], tmp_path).transactions[0].format == "parquet"


def test_hundreds_of_columns_stay_a_short_text(drafted: Drafted, tmp_path: Path) -> None:
    draft, _ = drafted("ieee_cis")
    assert '"V{1..339}": {role: number}' in draft.text
    assert len(draft.text.splitlines()) < 120
    assert len(portfolio_of(draft, tmp_path).columns) == 392


def test_no_entity_without_repetition_gets_behaviour(drafted: Drafted, tmp_path: Path) -> None:
    groups = {
        name: [group.label for group in portfolio_of(drafted(name)[0], tmp_path).features.behaviour]
        for name in ("paysim", "sparkov", "baf")
    }
    assert groups == {"paysim": ["name_dest"], "sparkov": ["card", "merchant", "card_merchant"], "baf": []}


def test_without_an_amount_nothing_is_measured_in_money(drafted: Drafted, tmp_path: Path) -> None:
    for name in ("baf", "vehicle_insurance", "without_time"):
        draft, _ = drafted(name)
        assert "amount_" not in draft.text.split("features:")[-1].split("training:")[0]
        assert not portfolio_of(draft, tmp_path).has_amount


def test_without_a_label_the_check_names_it_and_nothing_else(drafted: Drafted, tmp_path: Path) -> None:
    draft, _ = drafted("without_label")
    assert not draft.has_label
    assert any("no column says what was fraud" in message for message in draft.messages)
    with pytest.raises(PortfolioError) as error:
        portfolio_of(draft, tmp_path)
    assert [problem.key for problem in error.value.problems] == ["labels"]
    filled = draft.text.replace('  # label: {role: label, positive: ["1"]}', '  label: {role: label, positive: ["1"]}')
    (tmp_path / "without_label.yaml").write_text(filled)
    portfolio = load_portfolio(tmp_path / "without_label.yaml")
    assert portfolio.named(Role.ENTITY) == ["account_id", "device_id"]
    assert portfolio.named(Role.PERSONAL) == ["ip_address"]
    assert portfolio.transactions[0].calls("event_time") == "TransactionDate"


def test_a_card_number_and_a_name_land_only_where_they_are_protected(
    drafted: Drafted, workspace: Workspace, tmp_path: Path
) -> None:
    draft, file = drafted("sparkov")
    portfolio = portfolio_of(draft, tmp_path)
    key = land(workspace, portfolio, FeedFiles([file])).keys[0]
    manifest = workspace.store.staged("transactions", "sparkov", key)
    assert manifest is not None
    names = set(workspace.store.read(manifest).column_names)
    assert "cc_num_token" in names
    assert not {"cc_num", "first", "last", "street", "dob"} & names


def test_a_rehearsal_tells_what_landing_would_do_and_writes_nothing(
    drafted: Drafted, workspace: Workspace, tmp_path: Path
) -> None:
    draft, file = drafted("german")
    portfolio = portfolio_of(draft, tmp_path)
    found = rehearse(portfolio, file, workspace.landing, rows=500)
    assert (found.rows, found.quarantined, dict(found.missing), found.unnamed) == (500, 0, {}, ())
    wrong = tmp_path / "german" / "german.yaml"
    wrong.parent.mkdir()
    wrong.write_text(draft.text.replace('decimal: ","', 'decimal: "."').replace('thousands: "."', 'thousands: "\'"'))
    refused = rehearse(load_portfolio(wrong), file, workspace.landing, rows=500)
    assert refused.quarantined == 500
    assert set(refused.reasons) == {"Betrag in €: a number with ',' in it"}
    assert not any(Path(workspace.store.root).glob("**/*.parquet"))
