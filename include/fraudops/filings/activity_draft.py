"""Drafts of a suspicious activity report's narrative: who, what, when, where, why and how, from the case.

The order is that of FinCEN's guidance on the narrative (FFIEC BSA/AML manual, appendix L). Each sentence is something
that the record says; what it means is for a person to write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from fraudops.cases.personal import Personal
from fraudops.cases.surroundings import Normal
from fraudops.cases.view import CaseView, HitView
from fraudops.filings.cash_draft import institution_entries
from fraudops.filings.forms import Entry, Movement, Passage
from fraudops.filings.material import Person, totals
from fraudops.portfolio import Portfolio
from fraudops.portfolio.iso import minor_digits, money_text
from fraudops.rules.numbers import worded

_SUBJECT, _ACTIVITY, _INSTITUTION = "Subject", "Suspicious activity", "Filing institution"
_MANY = 12
"""Names that a sentence lists; it says how many more there are."""


@dataclass(frozen=True)
class Activity:
    """All that a narrative is made of.

    Attributes
    ----------
    people
        What is on file about those whom the case is about.
    movements
        The case's transactions, in the order of time.
    previous
        Reference and day of the report before; None where there is none.
    """

    case: CaseView
    personal: Personal
    people: tuple[Person, ...]
    movements: tuple[Movement, ...]
    previous: tuple[str, date] | None = None


def narrative(found: Activity) -> tuple[Passage, ...]:
    """The passages, in the order in which a report tells them."""
    passages = (
        ("Introduction", _introduction(found)),
        ("Who", _who(found)),
        ("What", _what(found)),
        ("When", _when(found)),
        ("Where", _where(found)),
        ("Why", _why(found)),
        ("How", _how(found)),
        ("What was done", _done(found)),
    )
    told = ((title, "\n".join(lines)) for title, lines in passages)
    return tuple(Passage(title, text) for title, text in told if text)


def activity_entries(portfolio: Portfolio, found: Activity) -> tuple[Entry, ...]:
    """The report's fields."""
    return (
        *(entry for person in found.people for entry in _person(person)),
        *_activity(found),
        *institution_entries(_INSTITUTION, portfolio.filings.institution),
    )


# -- inside -------------------------------------------------------------------------------------------


def _introduction(found: Activity) -> Iterable[str]:
    case = found.case.case
    yield f"Case {case.name} was opened on {case.created_at.astimezone(UTC):%Y-%m-%d}, severity {case.severity}."
    for one in found.case.escalations:
        suspect = "a suspect was known" if one.suspect_known else "no suspect was known"
        yield f"{one.by} recorded {one.detected_on} as the day of detection; {suspect}: {one.reason}"
    if found.case.earlier:
        yield f"Earlier cases of the same subject: {_some([case.name for case in found.case.earlier])}."
    if found.previous is not None:
        reference, filed_on = found.previous
        yield f"Activity that goes on: the report before is {reference}, filed on {filed_on}."


def _who(found: Activity) -> Iterable[str]:
    for person in found.people:
        yield "; ".join(_about(person))
    if not found.people:
        yield f"{found.case.case.subject_kind} {found.case.case.subject}"
    accounts = sorted({m.account for m in found.movements if m.account})
    if accounts:
        yield f"Accounts or cards, as tokens: {_some(accounts)}."
    yield from _digits(found.personal)
    others = sorted({m.counterparty for m in found.movements if m.counterparty})
    if others:
        yield f"Counterparties: {_some(others)}."


def _about(person: Person) -> Iterable[str]:
    yield f"{(person.kind or 'customer').capitalize()} {person.name or '(no name on file)'}, customer {person.id}"
    facts = (
        ("also known as", person.aliases.replace("|", ", ") if person.aliases else None),
        ("born on", person.date_of_birth),
        ("resident in", person.country),
        ("customer since", person.opened_on),
        ("risk rating", person.risk_rating),
    )
    yield from (f"{name} {value}" for name, value in facts if value)


def _digits(personal: Personal) -> Iterable[str]:
    """What is protected of the transactions, such as the visible digits of cards, and what a screening matched."""
    by_column: dict[str, set[str]] = {}
    for columns in (*personal.transactions.values(), *personal.hits.values()):
        for name, value in columns.items():
            by_column.setdefault(name, set()).add(value)
    for name, values in sorted(by_column.items()):
        yield f"{name.replace('_', ' ').capitalize()}: {_some(sorted(values))}."


def _what(found: Activity) -> Iterable[str]:
    if found.movements:
        yield f"{len(found.movements):,} transactions: {totals(found.movements)}."
        cash = [m for m in found.movements if m.cash]
        if cash:
            yield f"Of these in cash {len(cash):,}: {totals(cash)}."
    for hit in found.case.hits[:_MANY]:
        yield f"{_title(hit)}, on {hit.on}: {hit.because}."
    if len(found.case.hits) > _MANY:
        yield f"{len(found.case.hits) - _MANY:,} more that rules found are with the case."
    if found.case.alerts:
        yield f"{len(found.case.alerts):,} transactions had a score that led to an alert."


def _when(found: Activity) -> Iterable[str]:
    if found.movements:
        yield f"First transaction {found.movements[0].time} UTC, last {found.movements[-1].time} UTC."
    days = sorted({str(hit.on) for hit in found.case.hits})
    if days:
        yield f"Days on which rules found something: {_some(days)}."
    if found.case.escalations:
        yield f"First detected on {min(one.detected_on for one in found.case.escalations)}."


def _where(found: Activity) -> Iterable[str]:
    for name, values in (
        ("Branches or machines", {m.branch for m in found.movements}),
        ("Channels", {m.channel for m in found.movements}),
        ("Countries of counterparties", {m.counterparty_country for m in found.movements}),
    ):
        known = sorted(value for value in values if value)
        if known:
            yield f"{name}: {_some(known)}."


def _why(found: Activity) -> Iterable[str]:
    compared = Counter(_compared(hit) for hit in found.case.hits)
    for sentence, times in compared.items():
        yield sentence if times == 1 else f"{sentence} So {times:,} times."
    for alert in found.case.alerts:
        reasons = "; ".join(alert.reasons)
        model = f"{alert.candidate} {alert.model_version}"
        yield f"Transaction {alert.transaction_id}: score {alert.score:.3f} by model {model}: {reasons}."
    yield from _against_normal(found.case.normal)
    for line in found.case.timeline:
        if line.kind == "note" and line.text:
            yield f"Note of {line.by}, {line.at.astimezone(UTC):%Y-%m-%d}: {line.text}"


def _compared(hit: HitView) -> str:
    """With what a hit was compared: the rule, where it comes from, and its numbers of that day."""
    given = sorted(hit.numbers.items())
    numbers = ", ".join(f"{name.replace('_', ' ')} {worded(one['value'], one['unit'])}" for name, one in given)
    source = f" ({hit.source})" if hit.source else ""
    return f"{_title(hit)}{source}: compared with {numbers or 'nothing'}."


def _against_normal(normal: Normal | None) -> Iterable[str]:
    """What the subject did before, to compare with."""
    if normal is None:
        return
    yield (
        f"Usual before, from {normal.first} to {normal.last}: {normal.transactions:,} transactions "
        f"on {normal.active_days:,} days{_usual_amounts(normal)}."
    )
    for column, values in normal.usual.items():
        named = [f"{value or '(none)'} {count:,}" for value, count in values]
        yield f"Usual {column.replace('_', ' ')}: {_some(named)}."


def _usual_amounts(normal: Normal) -> str:
    if normal.median_minor is None or normal.largest_minor is None:
        return ""
    digits = minor_digits(normal.currency)
    median, largest = (
        money_text(minor, digits, normal.currency) for minor in (normal.median_minor, normal.largest_minor)
    )
    return f", median amount {median}, largest {largest}"


def _how(found: Activity) -> Iterable[str]:
    """The movements in their order; what they mean is for a person to say."""
    for movement in found.movements[:_MANY]:
        cash = "cash " if movement.cash else ""
        place = f" at {movement.branch}" if movement.branch else f" by {movement.channel}" if movement.channel else ""
        other = f", counterparty {movement.counterparty}" if movement.counterparty else ""
        behalf = f", on behalf of {movement.on_behalf_of}" if movement.on_behalf_of else ""
        amount = f"{movement.amount} {movement.currency}".strip()
        yield f"{movement.time}: {cash}{movement.direction or 'payment'} {amount}{place}{other}{behalf}."
    if len(found.movements) > _MANY:
        yield f"{len(found.movements) - _MANY:,} more are in the list of transactions."


def _done(found: Activity) -> Iterable[str]:
    for line in found.case.timeline:
        if line.kind not in ("note", "item_added", "looked_at"):
            text = f": {line.text}" if line.text else ""
            yield f"{line.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {line.by}, {line.kind.replace('_', ' ')}{text}"


def _person(person: Person) -> Iterable[Entry]:
    part = f"{_SUBJECT} ({person.id})"
    if person.kind == "business":
        yield Entry(part, "Entity's legal name", person.name)
    else:
        yield Entry(part, "Name, as on file", person.name)
        yield from (Entry(part, name, None) for name in ("Last name", "First name", "Middle name"))
        yield Entry(part, "Date of birth", str(person.date_of_birth) if person.date_of_birth else None)
    yield Entry(part, "Alternate name", person.aliases.replace("|", "; ") if person.aliases else None)
    yield Entry(part, "Country", person.country)
    for name in ("Address", "Taxpayer identification number", "Form of identification", "Occupation", "Telephone"):
        yield Entry(part, name, None)
    yield Entry(part, "Relationship to the institution", "customer")


def _activity(found: Activity) -> Iterable[Entry]:
    yield Entry(_ACTIVITY, "Amounts", totals(found.movements) or None)
    yield Entry(_ACTIVITY, "Amount involved, in whole US dollars", None)
    span = f"{found.movements[0].time[:10]} to {found.movements[-1].time[:10]}" if found.movements else None
    yield Entry(_ACTIVITY, "Date or date range", span)
    yield Entry(_ACTIVITY, "What the rules found", "; ".join(dict.fromkeys(_title(h) for h in found.case.hits)) or None)
    yield Entry(_ACTIVITY, "Account numbers, in clear", None)
    yield Entry(_ACTIVITY, "Types of suspicious activity", None)
    yield Entry(_ACTIVITY, "Products and instruments", None)
    yield Entry(_ACTIVITY, "Law enforcement contacted", None)


def _title(hit: HitView) -> str:
    return hit.title or hit.rule or "a rule"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MANY:,} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more
