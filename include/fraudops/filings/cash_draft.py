"""Drafts of a currency transaction report: the fields of FinCEN's form that the store can fill, and the others, named.

Amounts are those of the rule's hits, in the currency of the threshold. A direction without a hit stayed at or under the
threshold, and is not reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from fraudops.filings.forms import Entry, Movement
from fraudops.filings.material import Person, Seen
from fraudops.portfolio import Portfolio
from fraudops.portfolio.filings import Institution
from fraudops.portfolio.iso import minor_digits, money_text

_PERSON = "Part I: person involved"
_AMOUNTS = "Part II: amount and type of transaction"
_LOCATION = "Part III: where it took place"
_INSTITUTION = "Part IV: filing institution"


def cash_entries(
    portfolio: Portfolio,
    subject: str,
    business_day: date,
    hits: Sequence[Seen],
    movements: Sequence[Movement],
    known: Sequence[Person],
) -> tuple[Entry, ...]:
    """The form's fields, in its order."""
    return (
        *(entry for person in known for entry in _person(person, subject, portfolio, hits, movements)),
        *_amounts(portfolio, business_day, hits, movements),
        *_location(portfolio, movements),
        *institution_entries(_INSTITUTION, portfolio.filings.institution),
    )


def involved(subject: str, movements: Iterable[Movement]) -> list[str]:
    """The person whose cash it is, then those who brought it for them and those for whom they brought it."""
    others = {name for m in movements for name in (m.customer, m.on_behalf_of) if name and name != subject}
    return [subject, *sorted(others)]


def institution_entries(part: str, bank: Institution) -> tuple[Entry, ...]:
    """What a form says of the bank that files."""
    names = (
        ("Legal name", bank.name),
        ("EIN", bank.tax_number),
        ("Primary federal regulator", bank.regulator),
        ("RSSD number", bank.rssd),
        ("Address", bank.address),
        ("City", bank.city),
        ("State", bank.state),
        ("ZIP or postal code", bank.postal_code),
        ("Country", bank.country),
        ("Contact office", bank.contact_office),
        ("Contact phone", bank.contact_phone),
        ("Date filed", None),
    )
    return tuple(Entry(part, name, value) for name, value in names)


# -- inside -------------------------------------------------------------------------------------------


def _person(
    person: Person, subject: str, portfolio: Portfolio, hits: Sequence[Seen], movements: Sequence[Movement]
) -> Iterable[Entry]:
    part = f"{_PERSON} ({person.id})"
    is_entity = person.kind == "business"
    yield Entry(part, "Role", _role(person.id, movements))
    yield Entry(part, "Entity", None if person.kind is None else "yes" if is_entity else "no")
    if is_entity:
        yield Entry(part, "Entity's legal name", person.name)
    else:
        yield Entry(part, "Name, as on file", person.name)
        yield from (Entry(part, name, None) for name in ("Last name", "First name", "Middle name"))
    yield Entry(part, "Alternate name", person.aliases.replace("|", "; ") if person.aliases else None)
    yield Entry(part, "Occupation or type of business", None)
    yield from (Entry(part, name, None) for name in ("Street address", "City", "State", "ZIP or postal code"))
    yield Entry(part, "Country", person.country)
    yield Entry(part, "Taxpayer identification number, and its type", None)
    if not is_entity:
        yield Entry(part, "Date of birth", str(person.date_of_birth) if person.date_of_birth else None)
    yield Entry(part, "Form of identification: kind on file", _documents(person.documents))
    yield Entry(part, "Form of identification: number, country, issuing state", None)
    yield Entry(part, "Telephone", None)
    if person.id == subject:
        for direction, name in (("in", "Cash in"), ("out", "Cash out")):
            total = _total(portfolio, hits, direction)
            if total is not None:
                yield Entry(part, f"{name} amount", total)
                yield Entry(part, f"{name}: account numbers (here as tokens)", _accounts(movements, direction))
                yield Entry(part, f"{name}: account numbers, in clear", None)


def _role(person: str, movements: Sequence[Movement]) -> str | None:
    roles = []
    if any(m.customer == person and not m.on_behalf_of for m in movements):
        roles.append("conducting the transaction on own behalf")
    if any(m.customer == person and m.on_behalf_of not in ("", person) for m in movements):
        roles.append("conducting the transaction for another")
    if any(m.on_behalf_of == person and m.customer != person for m in movements):
        roles.append("person on whose behalf the transaction was conducted")
    return "; ".join(roles) or None


def _amounts(
    portfolio: Portfolio, business_day: date, hits: Sequence[Seen], movements: Sequence[Movement]
) -> Iterable[Entry]:
    yield Entry(_AMOUNTS, "Date of transaction (business day)", f"{business_day:%m/%d/%Y} ({business_day})")
    for direction, name in (("in", "Total cash in"), ("out", "Total cash out")):
        yield Entry(_AMOUNTS, name, _total(portfolio, hits, direction) or "at or under the threshold: not reported")
    yield Entry(_AMOUNTS, "Number of transactions", str(len(movements)))
    yield Entry(_AMOUNTS, "Automated teller machine", "yes" if any(m.channel == "atm" for m in movements) else "no")
    yield Entry(_AMOUNTS, "Foreign currency", _foreign(portfolio, movements))
    yield Entry(_AMOUNTS, "Armored car, mail deposit, night deposit, shared branching", None)
    yield Entry(_AMOUNTS, "Deposits, withdrawals, exchanges, negotiable instruments: amounts of each", None)


def _location(portfolio: Portfolio, movements: Sequence[Movement]) -> Iterable[Entry]:
    branches = dict.fromkeys(m.branch for m in movements if m.branch)
    count = {branch: sum(m.branch == branch for m in movements) for branch in branches}
    named = "; ".join(f"{branch} ({number:,})" for branch, number in sorted(count.items()))
    yield Entry(_LOCATION, "Branches or machines (transactions)", named or None)
    yield Entry(_LOCATION, "Legal name", portfolio.filings.institution.name)
    yield from (Entry(_LOCATION, name, None) for name in ("Address of each branch", "RSSD number of each branch"))


def _total(portfolio: Portfolio, hits: Sequence[Seen], direction: str) -> str | None:
    found = [hit.values["total_minor"] for hit in hits if hit.values["direction"] == direction]
    if not found or portfolio.compliance is None:
        return None
    currency = portfolio.compliance.currency
    return money_text(max(found), minor_digits(currency), currency)


def _accounts(movements: Sequence[Movement], direction: str) -> str | None:
    return "; ".join(sorted({m.account for m in movements if m.direction == direction and m.account})) or None


def _foreign(portfolio: Portfolio, movements: Sequence[Movement]) -> str:
    own = portfolio.compliance.currency if portfolio.compliance is not None else ""
    rows = [f"{m.amount} {m.currency} {m.direction}" for m in movements if m.currency != own]
    return "; ".join(rows) if rows else "none"


def _documents(text: str | None) -> str | None:
    if not text:
        return None
    pairs = (item.partition(":") for item in text.split("|"))
    return "; ".join(f"{kind} (expires {day})" if day else kind for kind, _, day in pairs)
