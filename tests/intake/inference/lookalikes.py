"""Files that look like the public data sets: their column names, the shapes of their values, a few thousand rows."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

Rows = dict[str, Sequence[Any]]
N = 4000


def _random(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def _frauds(rng: np.random.Generator, n: int = N, share: float = 0.03) -> np.ndarray:
    return (rng.random(n) < share).astype(int)


def _write(path: Path, rows: Rows, delimiter: str = ",", encoding: str = "utf-8", **dialect: Any) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", **dialect)
    writer.writerow(rows)
    writer.writerows(zip(*rows.values(), strict=True))
    content = text.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _amounts(rng: np.random.Generator, n: int = N, mean: float = 3.5) -> np.ndarray:
    return np.round(rng.lognormal(mean, 1.2, n), 2)


def _codes(rng: np.random.Generator, stem: str, count: int, n: int = N) -> list[str]:
    numbers = rng.integers(10**8, 10**9 * 2, count)
    return [f"{stem}{numbers[i]}" for i in rng.integers(0, count, n)]


def _card_number(rng: np.random.Generator) -> str:
    digits = [4, *rng.integers(0, 10, 14).tolist()]
    total = sum(d if place % 2 else (2 * d - 9 if d > 4 else 2 * d) for place, d in enumerate(digits))
    return "".join(map(str, [*digits, -total % 10]))


def paysim(folder: Path) -> Path:
    rng = _random()
    fraud = _frauds(rng)
    amount = _amounts(rng, mean=9)
    old = np.where(rng.random(N) < 0.3, 0, _amounts(rng, mean=10))
    return _write(
        folder / "PS_20174392719_log.csv",
        {
            "step": np.sort(rng.integers(1, 744, N)),
            "type": rng.choice(["PAYMENT", "TRANSFER", "CASH_OUT"], N),
            "amount": amount,
            "nameOrig": [f"C{n}" for n in rng.permutation(np.arange(10**9, 10**9 + N))],
            "oldbalanceOrg": old,
            "newbalanceOrig": np.round(np.maximum(0, old - amount), 2),
            "nameDest": _codes(rng, "M", 700),
            "oldbalanceDest": _amounts(rng),
            "newbalanceDest": _amounts(rng),
            "isFraud": fraud,
            "isFlaggedFraud": fraud * (rng.random(N) < 0.05),
        },
    )


def banksim(folder: Path) -> Path:
    rng = _random()
    rows: Rows = {
        "step": np.sort(rng.integers(0, 180, N)),
        "customer": _codes(rng, "C", 300),
        "age": rng.choice(list("0123456U"), N),
        "gender": rng.choice(["F", "M", "E", "U"], N),
        "zipcodeOri": ["28007"] * N,
        "merchant": _codes(rng, "M", 50),
        "zipMerchant": ["28007"] * N,
        "category": rng.choice(["es_transportation", "es_food", "es_health"], N),
        "amount": _amounts(rng),
        "fraud": _frauds(rng),
    }
    plain = {"step", "amount", "fraud"}
    quoted = {name: values if name in plain else [f"'{value}'" for value in values] for name, values in rows.items()}
    return _write(folder / "bs140513_032310.csv", quoted)


def sparkov(folder: Path) -> Path:
    rng = _random()
    people = 120
    cards = [_card_number(rng) for _ in range(people)]
    first = rng.choice(["Jennifer", "Stephanie", "Edward", "Jeremy", "Tyler"], people)
    last = rng.choice(["Banks", "Gill", "Sanchez", "White", "Garcia", "O'Neil"], people)
    who = rng.integers(0, people, N)
    moments = np.sort(rng.integers(1546300800, 1546300800 + 540 * 86400, N))
    return _write(
        folder / "fraudTrain.csv",
        {
            "": range(N),
            "trans_date_trans_time": [f"{datetime.fromtimestamp(int(t), UTC):%Y-%m-%d %H:%M:%S}" for t in moments],
            "cc_num": [cards[i] for i in who],
            "merchant": [f"fraud_{name}" for name in _codes(rng, "Kirlin and ", 60)],
            "category": rng.choice(["misc_net", "grocery_pos", "gas_transport"], N),
            "amt": _amounts(rng),
            "first": first[who],
            "last": last[who],
            "gender": np.array(["F", "M"])[who % 2],
            "street": [f"{100 + i} Perry Cove Apt. {i}" for i in who],
            "city": [f"Moravian {'ABCDEFGHIJ'[i % 10]}{'abcdefghij'[i // 12]}" for i in who],
            "state": np.array(["NC", "WA", "ID"])[who % 3],
            "zip": 28000 + who,
            "lat": 36 + who / 7,
            "long": -81 - who / 9,
            "city_pop": who * 37,
            "job": np.array(["Psychologist, counselling", "Lawyer", "Engineer, mining"])[who % 3],
            "dob": [f"{1950 + i % 50}-0{1 + i % 9}-1{i % 9}" for i in who],
            "trans_num": [f"{value:032x}" for value in rng.integers(2**62, size=N).astype(object) ** 2],
            "unix_time": moments,
            "merch_lat": 36 + rng.normal(size=N),
            "merch_long": rng.normal(size=N) - 82,
            "is_fraud": _frauds(rng),
        },
    )


def ieee_cis(folder: Path) -> Path:
    rng = _random()

    def gaps(values: Any, share: float) -> list[Any]:
        return [value if rng.random() > share else "" for value in values]

    rows: Rows = {
        "TransactionID": range(2987000, 2987000 + N),
        "isFraud": _frauds(rng),
        "TransactionDT": np.sort(rng.integers(86400, 25 * 86400, N)),
        "TransactionAmt": np.round(_amounts(rng), 3),
        "ProductCD": rng.choice(list("WHCSR"), N),
        "card1": rng.choice(np.arange(1000, 18000, 17), N),
        "card2": gaps(rng.integers(100, 600, N).astype(float), 0.02),
        "card3": gaps(rng.choice([150.0, 185.0, 106.0], N), 0.01),
        "card4": rng.choice(["visa", "mastercard", "discover"], N),
        "card5": rng.choice([226.0, 166.0, 102.0], N),
        "card6": rng.choice(["debit", "credit"], N),
        "addr1": gaps(rng.integers(100, 540, N).astype(float), 0.1),
        "addr2": gaps(rng.choice([87.0, 60.0], N), 0.1),
        "dist1": gaps(rng.integers(0, 9000, N), 0.6),
        "P_emaildomain": gaps(rng.choice(["gmail.com", "yahoo.com", "hotmail.com", "anonymous.com"], N), 0.16),
    }
    rows |= {f"C{i}": rng.integers(0, 50, N).astype(float) for i in range(1, 15)}
    rows |= {f"D{i}": gaps(rng.integers(0, 600, N).astype(float), 0.5) for i in range(1, 16)}
    rows |= {f"M{i}": gaps(rng.choice(["M0", "M1", "M2"] if i == 4 else ["T", "F"], N), 0.5) for i in range(1, 10)}
    rows |= {f"V{i}": gaps(rng.integers(0, 9, N).astype(float), 0.8) for i in range(1, 340)}
    return _write(folder / "train_transaction.csv", rows)


def tabformer(folder: Path) -> Path:
    rng = _random()
    moments = [datetime(2002, 1, 1, tzinfo=UTC) + timedelta(minutes=int(m)) for m in rng.integers(0, 2_700_000, N)]
    user = np.sort(rng.integers(0, 60, N))
    return _write(
        folder / "card_transaction.v1.csv",
        {
            "User": user,
            "Card": rng.integers(0, 5, N),
            "Year": [m.year for m in moments],
            "Month": [m.month for m in moments],
            "Day": [m.day for m in moments],
            "Time": [f"{m:%H:%M}" for m in moments],
            "Amount": [f"${a:.2f}" if rng.random() > 0.05 else f"$-{a:.2f}" for a in _amounts(rng)],
            "Use Chip": rng.choice(["Swipe Transaction", "Chip Transaction", "Online Transaction"], N),
            "Merchant Name": rng.choice(rng.integers(-(2**62), 2**62, 150), N),
            "Merchant City": rng.choice(["La Verne", "Monterey Park", "ONLINE"], N),
            "Merchant State": rng.choice(["CA", "NY", ""], N),
            "Zip": rng.choice(["91750.0", "91754.0", ""], N),
            "MCC": rng.choice([5411, 5912, 4829], N),
            "Errors?": rng.choice(["", "Insufficient Balance", "Bad PIN"], N, p=[0.95, 0.03, 0.02]),
            "Is Fraud?": np.where(_frauds(rng), "Yes", "No"),
        },
    )


def baf(folder: Path) -> Path:
    rng = _random()
    return _write(
        folder / "Base.csv",
        {
            "fraud_bool": _frauds(rng),
            "income": np.round(rng.random(N), 1),
            "name_email_similarity": rng.random(N),
            "prev_address_months_count": rng.integers(-1, 300, N),
            "customer_age": rng.choice([20, 30, 40, 50], N),
            "intended_balcon_amount": np.where(rng.random(N) < 0.7, -1, rng.normal(20, 9, N)),
            "payment_type": rng.choice(["AA", "AB", "AC"], N),
            "zip_count_4w": rng.integers(1, 6000, N),
            "velocity_6h": rng.normal(5000, 900, N),
            "date_of_birth_distinct_emails_4w": rng.integers(0, 30, N),
            "employment_status": rng.choice(["CA", "CB", "CC"], N),
            "credit_risk_score": rng.integers(-100, 380, N),
            "email_is_free": rng.integers(0, 2, N),
            "phone_home_valid": rng.integers(0, 2, N),
            "proposed_credit_limit": rng.choice([200.0, 500.0, 1500.0], N),
            "source": rng.choice(["INTERNET", "TELEAPP"], N),
            "session_length_in_minutes": rng.random(N) * 60,
            "device_os": rng.choice(["linux", "windows", "other"], N),
            "device_fraud_count": [0] * N,
            "month": np.sort(rng.integers(0, 8, N)),
        },
    )


def vehicle_insurance(folder: Path) -> Path:
    rng = _random()
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    return _write(
        folder / "fraud_oracle.csv",
        {
            "Month": rng.choice(months, N),
            "WeekOfMonth": rng.integers(1, 6, N),
            "DayOfWeek": rng.choice(days, N),
            "Make": rng.choice(["Honda", "Toyota", "Ford"], N),
            "AccidentArea": rng.choice(["Urban", "Rural"], N),
            "DayOfWeekClaimed": rng.choice([*days, "0"], N),
            "MonthClaimed": rng.choice([*months, "0"], N),
            "WeekOfMonthClaimed": rng.integers(1, 6, N),
            "Sex": rng.choice(["Female", "Male"], N),
            "Age": rng.integers(0, 80, N),
            "VehiclePrice": rng.choice(["more than 69000", "20000 to 29000"], N),
            "FraudFound_P": _frauds(rng, share=0.06),
            "PolicyNumber": range(1, N + 1),
            "RepNumber": rng.integers(1, 17, N),
            "Deductible": rng.choice([300, 400, 500, 700], N),
            "WitnessPresent": rng.choice(["Yes", "No"], N),
            "NumberOfSuppliments": rng.choice(["none", "1 to 2", "more than 5"], N),
            "Year": rng.choice([1994, 1995, 1996], N),
            "BasePolicy": rng.choice(["Liability", "Collision"], N),
        },
    )


def ulb(folder: Path) -> Path:
    rng = _random()
    rows: Rows = {"Time": np.sort(rng.integers(0, 172793, N)).astype(float)}
    rows |= {f"V{i}": rng.normal(size=N) for i in range(1, 29)}
    rows |= {"Amount": _amounts(rng), "Class": [f'"{label}"' for label in _frauds(rng)]}
    return _write(folder / "creditcard.csv.gz", rows, quoting=csv.QUOTE_NONE, quotechar=None)


def handbook(folder: Path) -> Path:
    rng = _random()
    fraud = _frauds(rng)
    seconds = np.sort(rng.integers(0, 100 * 86400, N))
    table = pa.table(
        {
            "TRANSACTION_ID": np.arange(N),
            "TX_DATETIME": pa.array(np.datetime64("2018-04-01") + seconds.astype("timedelta64[s]"), pa.timestamp("ns")),
            "CUSTOMER_ID": rng.integers(0, 400, N),
            "TERMINAL_ID": rng.integers(0, 300, N),
            "TX_AMOUNT": _amounts(rng),
            "TX_TIME_SECONDS": seconds,
            "TX_TIME_DAYS": seconds // 86400,
            "TX_FRAUD": fraud,
            "TX_FRAUD_SCENARIO": fraud * rng.integers(1, 4, N),
        }
    )
    pq.write_table(table, folder / "handbook.parquet", row_group_size=500)
    return folder / "handbook.parquet"


def german(folder: Path) -> Path:
    rng = _random()
    moments = [
        datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=int(m)) for m in np.sort(rng.integers(0, 130_000, N))
    ]
    betrag = [f"{a:,.2f}".translate(str.maketrans(",.", ".,")) for a in _amounts(rng, mean=5)]
    return _write(
        folder / "umsätze.csv",
        {
            "Buchungsnr": [f"B-{n:06d}" for n in range(N)],
            "Datum": [f"{m:%d.%m.%Y %H:%M}" for m in moments],
            "Betrag in €": betrag,
            "Kunde": _codes(rng, "K", 200),
            "Händler": _codes(rng, "H", 40),
            "Länge": [f"{value:.3f}".replace(".", ",") for value in rng.normal(size=N)],
            "Straße": [f"Große Straße {n}" for n in rng.integers(1, 200, N)],
            "Betrug": np.where(_frauds(rng), "ja", "nein"),
        },
        delimiter=";",
        encoding="cp1252",
    )


def without_time(folder: Path) -> Path:
    rng = _random()
    return _write(
        folder / "card_transdata.csv",
        {
            "distance_from_home": rng.gamma(1, 20, N),
            "ratio_to_median_purchase_price": rng.gamma(1, 2, N),
            "repeat_retailer": rng.integers(0, 2, N).astype(float),
            "used_pin_number": rng.integers(0, 2, N).astype(float),
            "fraud": _frauds(rng).astype(float),
        },
    )


def without_label(folder: Path) -> Path:
    rng = _random()
    moments = [datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=int(h)) for h in rng.integers(0, 8000, N)]
    return _write(
        folder / "bank transactions.csv",
        {
            "TransactionID": [f"TX{n:06d}" for n in range(N)],
            "AccountID": [f"AC{n:05d}" for n in rng.integers(0, 400, N)],
            "TransactionAmount": _amounts(rng),
            "TransactionDate": [f"{m:%Y-%m-%d %H:%M:%S}" for m in moments],
            "TransactionType": rng.choice(["Debit", "Credit"], N),
            "DeviceID": [f"D{n:06d}" for n in rng.integers(0, 600, N)],
            "IP Address": [f"10.{a}.{b}.7" for a, b in rng.integers(0, 255, (N, 2))],
            "PreviousTransactionDate": [f"{m - timedelta(days=3):%Y-%m-%d}" for m in moments],
        },
    )


LOOKALIKES: dict[str, Callable[[Path], Path]] = {
    "paysim": paysim, "banksim": banksim, "sparkov": sparkov, "ieee_cis": ieee_cis, "tabformer": tabformer, "baf": baf,
    "vehicle_insurance": vehicle_insurance, "ulb": ulb, "handbook": handbook, "german": german,
    "without_time": without_time, "without_label": without_label,
}  # fmt: skip
