"""Drafts say what the record says, name what a person completes, and are kept, encrypted, version by version."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest
from fraudops import cases
from fraudops.cases.work import escalate, note
from fraudops.errors import ConfigurationError, ConflictError, ContractError, IntegrityError
from fraudops.filings.acting import record_filed
from fraudops.filings.drafts import AREA, Kept, prepare, read_draft, written
from fraudops.filings.forms import MARK, Draft, as_json
from fraudops.rules.registry import read_rules

from tests.conftest import CHECKOUT
from tests.filings.conftest import CLOCKS, ROLES, Bank, noon
from tests.rules.payments import paid
from tests.rules.test_running import arrive, publish

DAY = date.fromisoformat
ALL_RULES = read_rules(CHECKOUT / "include" / "rules")
MONDAY = "2026-03-09"
NAME, LANDLORD = "Zebulon Quackenbush", "=cmd|'/C calc'!A1"


@pytest.fixture
def known(bank: Bank) -> Bank:
    """A customer with a file pays in over a weekend; another one brings some of it for them; a case is gathered."""
    about = {"risk_rating": "high", "address_country": "US", "opened_on": DAY("2019-05-02"), "kind": "person"}
    customers = [
        {"customer_id": "C1", **about, "documents": "passport:2027-01-31|id_card:"},
        {"customer_id": "C2", **about, "kind": "business"},
    ]
    arrive(bank.ws, "customers", "2026-03-01", customers)
    names = [
        {"customer_id": "C1", "name": NAME, "aliases": "Zeb Q|Z. Quack", "date_of_birth": DAY("1970-02-28")},
        {"customer_id": "C2", "name": LANDLORD},
    ]
    arrive(bank.ws, "customers_protected", "2026-03-01", names)
    common = {"cash": True, "branch": "B7", "channel": "branch"}
    rows = [
        paid("2026-02-02T12:00-05:00", 50, account="A1", customer="C1", counterparty="X9", counterparty_country="DE"),
        paid("2026-03-06T20:00-05:00", 6_000, account="A1", customer="C1", **common),
        paid("2026-03-07T12:00-05:00", 4_500.55, account="A1", customer="C1", **common | {"channel": "atm"}),
        paid("2026-03-09T10:00-04:00", 1_000, account="A1", customer="C2", on_behalf_of="C1", **common),
    ]
    publish(bank.ws, rows)
    bank.comply("2026-03-07", MONDAY)
    for key in ("2026-03-07", MONDAY):
        cases.gather(bank.ws, bank.portfolio, key, actor="t")
    bank.start("2026-03-10")
    return bank


def drawn(bank: Bank, number: int, *, by: str = "olga", day: str = "2026-03-12") -> Kept:
    return prepare(bank.ws, bank.portfolio, CLOCKS, ALL_RULES, number, by=by, roles=ROLES, as_of=noon(day))


def values(draft: Draft) -> dict[str, str | None]:
    return {f"{entry.part}: {entry.name}": entry.value for entry in draft.entries}


def test_a_report_of_cash_has_what_the_store_knows_and_names_the_rest(known: Bank) -> None:
    (number,) = known.numbers("ctr")
    draft = drawn(known, number).draft
    found = values(draft)
    person = "Part I: person involved (C1)"
    assert found[f"{person}: Name, as on file"] == NAME
    assert found[f"{person}: Date of birth"] == "1970-02-28"
    assert found[f"{person}: Cash in amount"] == "11,500.55 USD"
    assert found[f"{person}: Form of identification: kind on file"] == "passport (expires 2027-01-31); id_card"
    assert "on own behalf" in str(found[f"{person}: Role"])
    assert "on whose behalf" in str(found[f"{person}: Role"])
    other = "Part I: person involved (C2)"
    assert found[f"{other}: Role"] == "conducting the transaction for another"
    assert found[f"{other}: Entity's legal name"] == LANDLORD
    amounts = "Part II: amount and type of transaction"
    assert found[f"{amounts}: Date of transaction (business day)"] == "03/09/2026 (2026-03-09)"
    assert found[f"{amounts}: Total cash out"] == "at or under the threshold: not reported"
    assert found[f"{amounts}: Automated teller machine"] == "yes"
    assert sum(Decimal(movement.amount.replace(",", "")) for movement in draft.movements) == Decimal("11500.55")
    missing = {entry.name for entry in draft.missing}
    assert {"Last name", "Taxpayer identification number, and its type", "EIN", "Street address"} <= missing
    assert draft.case == "accounts-1"


def test_a_narrative_answers_who_what_when_where_why_and_how(known: Bank) -> None:
    about = {"by": "olga", "roles": ROLES}
    note(known.ws, known.portfolio, 1, text="Says it is rent; no lease on file.", **about)
    found = {"detected_on": DAY("2026-03-10"), "suspect_known": True, "reason": "cash that fits no income"}
    escalate(known.ws, known.portfolio, 1, **found, **about)
    known.start("2099-01-01")
    (number,) = known.numbers("sar")
    draft = drawn(known, number).draft
    told = {passage.title: passage.text for passage in draft.narrative}
    assert list(told) == ["Introduction", "Who", "What", "When", "Where", "Why", "How", "What was done"]
    for title, says in (
        ("Introduction", "olga recorded 2026-03-10 as the day of detection; a suspect was known: cash that fits"),
        ("Who", f"Person {NAME}, customer C1; also known as Zeb Q, Z. Quack; born on 1970-02-28; resident in US"),
        ("What", "3 transactions: 3 in, 11,500.55 USD in all."),
        ("What", "Cash over the reporting threshold, on 2026-03-09"),
        ("When", "First transaction 2026-03-07 01:00:00 UTC, last 2026-03-09 14:00:00 UTC."),
        ("Where", "Branches or machines: B7."),
        ("Why", "31 CFR 1010.311"),
        ("Why", "threshold 10000.00 USD"),
        ("Why", "Note of olga"),
        ("Why", "Usual before, from 2026-02-02"),
        ("How", "2026-03-09 14:00:00: cash in 1,000.00 USD at B7, on behalf of C1."),
        ("What was done", "olga, escalated"),
    ):
        assert says in told[title], (title, told[title])
    assert ("Types of suspicious activity", None) in {(entry.name, entry.value) for entry in draft.entries}


def test_versions_are_kept_encrypted_and_never_overwritten(known: Bank) -> None:
    (number,) = known.numbers("ctr")
    first = drawn(known, number)
    again = drawn(known, number, day="2026-03-20")
    assert (first.version, first.is_new, again.version, again.is_new) == (1, True, 1, False)
    kept = {path: path.read_bytes() for path in known.root.glob(f"{AREA}/**/*") if path.is_file()}
    assert sorted(path.name for path in kept) == [f"v1.{e}.fernet" for e in ("csv", "json", "pdf", "transactions.csv")]
    assert not any(text in content for content in kept.values() for text in (NAME.encode(), b"DRAFT", b"%PDF"))
    file = {"customer_id": "C1", "kind": "person", "address_country": "CA"}
    arrive(known.ws, "customers", "2026-03-15", [file])
    second = drawn(known, number, day="2026-03-20")
    assert (second.version, second.is_new) == (2, True)
    assert all(path.read_bytes() == content for path, content in kept.items())
    taken = read_draft(known.ws, known.portfolio, number, 1, by="olga", roles=ROLES)
    assert taken == first.draft
    clock = known.clock(number, "2026-03-20")
    assert [event.kind for event in clock.history][-3:] == ["drafted", "drafted", "taken_out"]
    assert clock.state == "drafted"
    assert all(NAME not in str(entry.details) for entry in known.ledger())


def test_a_draft_that_was_altered_or_is_anothers_is_not_given_out(known: Bank) -> None:
    (number,) = known.numbers("ctr")
    drawn(known, number)
    for by, version, says in (("ann", 1, "role compliance_officer"), ("olga", 7, "no version 7")):
        with pytest.raises(ContractError, match=says):
            read_draft(known.ws, known.portfolio, number, version, by=by, roles=ROLES)
    (path,) = known.root.glob(f"{AREA}/**/v1.json.fernet")
    path.write_bytes(path.read_bytes()[:-4] + b"AAA=")
    with pytest.raises(IntegrityError):
        read_draft(known.ws, known.portfolio, number, 1, by="olga", roles=ROLES)


def test_without_a_key_nothing_is_written_and_after_a_filing_nothing_is_prepared(known: Bank) -> None:
    from dataclasses import replace

    (number,) = known.numbers("ctr")
    with pytest.raises(ConfigurationError, match="key"):
        drawn(Bank(replace(known.ws, protection_key=None), known.portfolio), number)
    assert not (known.root / AREA).exists()
    filed = {"filed_on": DAY("2026-03-12"), "reference": "31000", "by": "olga", "roles": ROLES}
    record_filed(known.ws, known.portfolio, CLOCKS, number, **filed, now=noon("2026-03-12"))
    with pytest.raises(ConflictError, match="as filed on 2026-03-12"):
        drawn(known, number)


def test_every_form_says_that_it_is_a_draft_and_a_spreadsheet_runs_nothing(known: Bank) -> None:
    (number,) = known.numbers("ctr")
    draft = drawn(known, number).draft
    forms = written(draft)
    assert forms == written(Draft.from_dict(json.loads(as_json(draft)))), "the same bytes from what was kept"
    assert json.loads(forms["json"])["state"] == MARK
    assert forms["pdf"].startswith(b"%PDF")
    rows = list(csv.reader(io.StringIO(forms["csv"].decode())))
    assert rows[1] == ["", "state", MARK]
    assert any(row[2] == f"'{LANDLORD}" for row in rows)
    assert len(forms["transactions.csv"].decode().splitlines()) == 1 + len(draft.movements)
