"""Small files, each with one oddity: what the draft makes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fraudops.errors import ContractError
from fraudops.intake.inference import infer
from fraudops.intake.inference.naming import our_name, words
from fraudops.portfolio import Portfolio, Role
from fraudops.portfolio.checking import read_portfolio
from fraudops.portfolio.document import read_document

N = 600
START = datetime(2024, 3, 1, tzinfo=UTC)
MOMENTS = [START + timedelta(hours=2 * n) for n in range(N)]
FRAUD = [int(n % 15 == 0) for n in range(N)]

Drafted = Callable[..., tuple[Portfolio, str]]


@pytest.fixture
def drafted(tmp_path: Path) -> Drafted:
    """The portfolio of a file with these columns, and its text."""

    def draft(**columns: Sequence[Any]) -> tuple[Portfolio, str]:
        path = tmp_path / "odd.csv"
        lines = [",".join(name.replace("__", " ") for name in columns)]
        lines += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        text = infer(path).text
        portfolio, problems = read_portfolio(read_document(text))
        assert portfolio is not None, [problem.sentence for problem in problems]
        return portfolio, text

    return draft


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("%Y-%m-%d %H:%M:%S", None),
        ("%Y-%m-%dT%H:%M:%SZ", None),
        ("%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S UTC"),
        ("%Y/%m/%d %H:%M", "%Y/%m/%d %H:%M"),
        ("%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M"),
        ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M"),
        ("%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M %p"),
        ("%d-%b-%y %H:%M", "%d-%b-%y %H:%M"),
        ("%Y%m%d", "%Y%m%d"),
    ],
)
def test_timestamps_in_any_form(drafted: Drafted, form: str, expected: str | None) -> None:
    portfolio, _ = drafted(booked=[f"{moment:{form}}" for moment in MOMENTS], x=range(N), fraud=FRAUD)
    assert portfolio.transactions[0].calls("event_time") == "booked"
    assert portfolio.columns["event_time"].format == expected


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%m/%d/%Y"])
def test_where_no_day_is_above_twelve_the_order_of_the_file_tells(drafted: Drafted, form: str) -> None:
    days = [datetime(2024, 6, 1 + n // 60, tzinfo=UTC) for n in range(N)]
    portfolio, text = drafted(when=[f"{day:{form}}" for day in days], x=range(N), fraud=FRAUD)
    assert portfolio.columns["event_time"].format == form
    assert "unsure: day and month may stand the other way round" in text


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1000)])
def test_a_count_since_1970(drafted: Drafted, unit: str, factor: int) -> None:
    portfolio, _ = drafted(timestamp=[int(m.timestamp()) * factor for m in MOMENTS], fraud=FRAUD)
    time = portfolio.columns["event_time"]
    assert (time.unit, time.origin) == (unit, datetime(1970, 1, 1, tzinfo=UTC))


def test_a_date_and_an_hour_make_the_time(drafted: Drafted) -> None:
    portfolio, _ = drafted(
        Date=[f"{m:%d-%b-%y}" for m in MOMENTS], Time=[m.hour for m in MOMENTS], x=range(N), fraud=FRAUD
    )
    time = portfolio.columns["event_time"]
    assert time.parts is not None
    assert (time.parts.columns, time.format) == ({"date": "Date", "hour": "Time"}, "%d-%b-%y")


def test_the_time_of_the_transaction_is_taken_and_not_another_one(drafted: Drafted) -> None:
    portfolio, _ = drafted(
        signup_time=[f"{m - timedelta(days=99):%Y-%m-%d}" for m in MOMENTS],
        PreviousTransactionDate=[f"{m - timedelta(days=2):%Y-%m-%d %H:%M}" for m in MOMENTS],
        transaction_date=[f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS],
        fraud=FRAUD,
    )
    assert portfolio.transactions[0].calls("event_time") == "transaction_date"
    assert portfolio.named(Role.IGNORE) == ["signup_time", "previous_transaction_date"]


@pytest.mark.parametrize(
    ("name", "values", "positive", "negative"),
    [
        ("isFraud", (1, 0), ("1",), ()),
        ("Class", ("1.0", "0.0"), ("1",), ()),
        ("fraud_reported", ("Y", "N"), ("Y",), ("N",)),
        ("status", ("fraudulent", "legitimate"), ("fraudulent",), ("legitimate",)),
        ("Fraud__Flag__or__Label", (1, 0), ("1",), ()),
        ("is_legit", (0, 1), ("0",), ()),
        ("Is__Laundering", (1, 0), ("1",), ()),
        ("Betrug", ("ja", "nein"), ("ja",), ("nein",)),
    ],
)
def test_what_means_fraud(
    drafted: Drafted, name: str, values: tuple[Any, Any], positive: tuple[str, ...], negative: tuple[str, ...]
) -> None:
    answer = {name: [values[0] if fraud else values[1] for fraud in FRAUD]}
    portfolio, _ = drafted(when=[f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS], x=range(N), **answer)
    label = portfolio.columns["label"]
    assert (label.positive, label.negative) == (positive, negative)


def test_flags_scores_and_outcomes_are_not_the_label(drafted: Drafted) -> None:
    portfolio, text = drafted(
        when=[f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS],
        isFlaggedFraud=FRAUD,
        fraud_score=[n % 7 for n in range(N)],
        chargeback_date=["2024-06-01" if fraud else "" for fraud in FRAUD],
        given_away=[fraud * 5 + n % 3 for n, fraud in enumerate(FRAUD)],
        honest=[n % 5 for n in range(N)],
        is_fraud=FRAUD,
    )
    assert portfolio.transactions[0].calls("label") == "is_fraud"
    assert portfolio.named(Role.IGNORE) == ["is_flagged_fraud", "fraud_score", "chargeback_date"]
    assert portfolio.features.exclude == ("given_away",)
    assert "ROC AUC 1.000" in text


def test_personal_data_is_kept_apart_and_verification_codes_are_not_kept(drafted: Drafted) -> None:
    portfolio, _ = drafted(
        when=[f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS],
        customer_name=[f"{'ABCDE'[n % 5]}nna O'Neil" for n in range(N)],
        contact=[f"a{n % 90}@mail.example" for n in range(N)],
        phone=[f"+1 555 {1_000_000 + n % 90}" for n in range(N)],
        dob=[f"19{50 + n % 40}-03-04" for n in range(N)],
        host=[f"10.0.{n % 90}.7" for n in range(N)],
        paid_with=["4111111111111111", "5500005555555559", "340000000000009"] * (N // 3),
        card_number=["4111 1111 1111 1111", "5500005555555559"] * (N // 2),
        cvv=[100 + n % 800 for n in range(N)],
        name_email_similarity=[n * 7 % N / N for n in range(N)],
        fraud=FRAUD,
    )
    assert portfolio.named(Role.PERSONAL) == ["customer_name", "contact", "phone", "dob", "host"]
    assert portfolio.named(Role.CARD) == ["paid_with", "card_number"]
    assert portfolio.named(Role.IGNORE) == ["cvv"]
    assert portfolio.named(Role.NUMBER) == ["name_email_similarity"]


def test_account_numbers_become_tokens(drafted: Drafted) -> None:
    def iban(number: int) -> str:
        plain = f"GBMADE{number:014d}"  # country first, as its check digits count it
        digits = int("".join(str(int(letter, 36)) for letter in plain[2:] + "GB00"))
        return f"GB{98 - digits % 97:02d}{plain[2:]}"

    portfolio, text = drafted(
        when=[f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS],
        payer=[iban(n % 60) for n in range(N)],
        beneficiary_iban=["" if n % 4 == 0 else iban(n % 80) for n in range(N)],
        account_number=[f"{7_000_000_000 + n % 50}" for n in range(N)],
        reference=[f"GB00MADE{n % 90:014d}" for n in range(N)],
        fraud=FRAUD,
    )
    assert portfolio.named(Role.ACCOUNT) == ["payer", "beneficiary_iban", "account_number"]
    assert portfolio.columns["beneficiary_iban"].entity == "counterparty"
    assert "IBANs by their check digits" in text


def test_every_column_names_an_entity_of_its_own(drafted: Drafted) -> None:
    portfolio, _ = drafted(
        when=[f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS],
        account=[f"A{n % 50}" for n in range(N)],
        account_id=[f"B{n % 70}" for n in range(N)],
        fraud=FRAUD,
    )
    assert portfolio.entities == {"account": "account", "account_id": "account_id"}
    assert [group.entity for group in portfolio.features.behaviour] == ["account", "account_id"]


def test_markers_for_no_value_are_told_from_values(drafted: Drafted) -> None:
    portfolio, _ = drafted(
        when=[f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS],
        age=["unknown" if n % 9 == 0 else n % 70 for n in range(N)],
        kind=["?" if n % 9 == 0 else "abc"[n % 3] for n in range(N)],
        country=[("DE", "NA", "FR")[n % 3] for n in range(N)],
        fraud=FRAUD,
    )
    assert portfolio.transactions[0].missing == ("?", "unknown")
    assert portfolio.columns["age"].role is Role.NUMBER
    assert portfolio.columns["country"].role is Role.CATEGORY


def test_names_that_mean_something_already_are_avoided(drafted: Drafted) -> None:
    portfolio, _ = drafted(
        when=[f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS],
        hour=[n % 7 / 2 for n in range(N)],
        score=[n % 7 / 2 for n in range(N)],
        partition_key=["ab"[n % 2] for n in range(N)],
        fraud=FRAUD,
    )
    names = {"hour_given": "hour", "score_given": "score", "partition_key_given": "partition_key"}
    assert {name: portfolio.transactions[0].calls(name) for name in names} == names


def test_what_no_file_tells_is_left_to_the_owner_in_comments_that_hold(drafted: Drafted) -> None:
    amounts = [f"{10 + n % 90}.50" for n in range(N)]
    portfolio, text = drafted(booked=[m.isoformat() for m in MOMENTS], amount=amounts, fraud=FRAUD)
    assert portfolio.policy.costs is None
    for line in ("  # costs:", "  #   review:", "  #   friction:", "  # blocked: unlabelled"):
        assert line in text
        text = text.replace(line, line.replace("# ", "", 1))
    stated, problems = read_portfolio(read_document(text))
    assert stated is not None, [problem.sentence for problem in problems]
    assert stated.policy.costs is not None
    assert (stated.policy.costs.review, stated.labels.blocked) == (4, "unlabelled")


def test_without_an_amount_there_are_no_costs_to_state(drafted: Drafted) -> None:
    _, text = drafted(booked=[m.isoformat() for m in MOMENTS], x=range(N), fraud=FRAUD)
    assert "costs" not in text


def test_large_files_get_a_smaller_forest(drafted: Drafted, monkeypatch: pytest.MonkeyPatch) -> None:
    from fraudops.intake.inference import planning

    columns: dict[str, Any] = {"when": [f"{m:%Y-%m-%d %H:%M}" for m in MOMENTS], "x": range(N), "fraud": FRAUD}
    plain, _ = drafted(**columns)
    assert plain.training.candidates["random_forest"].parameters == {"n_estimators": 150}
    monkeypatch.setattr(planning, "_FOREST", 100)
    smaller, text = drafted(**columns)
    assert smaller.training.candidates["random_forest"].parameters["max_samples"] < 0.5
    assert "each tree of the forest learns from a part of the rows" in text


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no name of a portfolio"):
        infer(tmp_path / "a.csv", "Not a name")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nameOrig", "name_orig"),
        ("Is Fraud?", "is_fraud"),
        ("Größe", "groesse"),
        ("2nd", "c_2nd"),
        ("金額", "column_3"),
        ("Kunde", "kunde_2"),
        ("weekday", "weekday_given"),
    ],
)
def test_our_names(name: str, expected: str) -> None:
    assert our_name(name, 2, {"kunde"}) == expected


def test_words_of_names() -> None:
    assert words("TransactionAmt") == ("transaction", "amt")
    assert words("Buchungsnr") == ("buchungs", "nr")
