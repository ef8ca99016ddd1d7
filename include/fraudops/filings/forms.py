"""A draft as plain data, and what a person takes away of it: JSON, CSV, PDF. Every page says that it is a draft."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from fraudops.documents import Block, Document, Facts, Heading, Paragraph, Table, render
from fraudops.reports.safe_csv import write_csv

MARK = "DRAFT · CONFIDENTIAL"
TO_COMPLETE = "to be completed by a person"
_NOTE = (
    "fraudops files nothing. A person checks this, completes what is missing, files it, and records that with "
    "'fraudops filings filed'. Whether such a report exists is told to nobody who does not need to know."
)
_SHOWN = 300
"""Transactions that a PDF lists; the CSV has all."""


@dataclass(frozen=True)
class Entry:
    """One field of a form; without a value a person completes it."""

    part: str
    name: str
    value: str | None


@dataclass(frozen=True)
class Passage:
    """Some text under a heading."""

    title: str
    text: str


@dataclass(frozen=True)
class Movement:
    """A transaction, as it is listed. Accounts are tokens: their numbers are not in the store."""

    transaction: str
    time: str
    amount: str
    currency: str
    direction: str
    cash: str
    channel: str
    branch: str
    account: str
    customer: str
    on_behalf_of: str
    counterparty: str
    counterparty_country: str


@dataclass(frozen=True)
class Draft:
    """What is prepared for a person.

    Attributes
    ----------
    number
        Of the clock.
    case
        Name of the case; None where there is none.
    as_of
        What was known then.
    due_on
        Last day, ISO.
    """

    title: str
    portfolio: str
    number: int
    case: str | None
    as_of: str
    due_on: str
    narrative: tuple[Passage, ...]
    entries: tuple[Entry, ...]
    movements: tuple[Movement, ...]

    @property
    def missing(self) -> tuple[Entry, ...]:
        """What a person completes."""
        return tuple(entry for entry in self.entries if entry.value is None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; the state and what is missing are said at its top."""
        missing = [f"{entry.part}: {entry.name}" for entry in self.missing]
        return {"state": MARK, "note": _NOTE, TO_COMPLETE: missing, **asdict(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Draft:
        """The draft that :meth:`to_dict` wrote."""
        plain = {item.name: content[item.name] for item in fields(cls)}
        plain["narrative"] = tuple(Passage(**item) for item in content["narrative"])
        plain["entries"] = tuple(Entry(**item) for item in content["entries"])
        plain["movements"] = tuple(Movement(**item) for item in content["movements"])
        return cls(**plain)


def as_json(draft: Draft) -> bytes:
    """For programs; the same content gives the same bytes."""
    return (json.dumps(draft.to_dict(), ensure_ascii=False, indent=2) + "\n").encode()


def as_csv(draft: Draft) -> bytes:
    """Fields and text, one a row: part, name, value."""
    rows = [("", "state", MARK)]
    rows += [("narrative", passage.title, passage.text) for passage in draft.narrative]
    rows += [(entry.part, entry.name, TO_COMPLETE if entry.value is None else entry.value) for entry in draft.entries]
    return _csv(("part", "name", "value"), rows)


def as_transactions_csv(draft: Draft) -> bytes:
    """All transactions, one a row, such as a report may be accompanied by."""
    names = [item.name for item in fields(Movement)]
    return _csv(names, [[getattr(movement, name) for name in names] for movement in draft.movements])


def as_pdf(draft: Draft) -> bytes:
    """Pages to read and to print."""
    case = f", case {draft.case}" if draft.case else ""
    blocks: list[Block] = [
        Facts(
            (
                ("Due", draft.due_on),
                ("Prepared", f"from what was known at {draft.as_of}"),
                ("Missing", f"{len(draft.missing)} fields, {TO_COMPLETE}"),
            )
        ),
        Paragraph(_NOTE, quiet=True),
    ]
    for passage in draft.narrative:
        # A paragraph a line, so that a long passage begins under its heading and goes on over the page.
        blocks += [Heading(passage.title), *(Paragraph(line) for line in passage.text.splitlines())]
    for part in dict.fromkeys(entry.part for entry in draft.entries):
        given = [(e.name, e.value) for e in draft.entries if e.part == part and e.value is not None]
        open_ = [entry.name for entry in draft.entries if entry.part == part and entry.value is None]
        blocks += [Heading(part), Facts([(name, str(value)) for name, value in given])]
        if open_:
            blocks.append(Facts([(TO_COMPLETE[0].upper() + TO_COMPLETE[1:], "; ".join(open_))]))
    if draft.movements:
        blocks += _movements(draft.movements)
    subtitle = f"{draft.portfolio}, number {draft.number}{case}"
    return render(Document(title=draft.title, subtitle=subtitle, blocks=blocks, mark=MARK))


FORMS: dict[str, Callable[[Draft], bytes]] = {
    "json": as_json,
    "csv": as_csv,
    "transactions.csv": as_transactions_csv,
    "pdf": as_pdf,
}
"""End of a file's name → what writes it."""


# -- inside -------------------------------------------------------------------------------------------


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    stream = io.StringIO(newline="")
    write_csv(stream, header, rows)
    return stream.getvalue().encode()


def _movements(movements: Sequence[Movement]) -> list[Block]:
    columns = ("Time (UTC)", "Transaction", "Amount", "", "Direction", "Channel", "Branch")
    rows = [
        (m.time, m.transaction, m.amount, m.currency, _direction(m), m.channel, m.branch) for m in movements[:_SHOWN]
    ]
    found: list[Block] = [
        Heading("Transactions"),
        Table(columns, rows, numbers=(2,), widths=(0.2, 0.25, 0.13, 0.07, 0.12, 0.11, 0.12)),
    ]
    if len(movements) > _SHOWN:
        more = len(movements) - _SHOWN
        found.append(Paragraph(f"{more:,} more are in the CSV file of the transactions.", quiet=True))
    return found


def _direction(movement: Movement) -> str:
    return " ".join(filter(None, ("cash" if movement.cash == "yes" else "", movement.direction)))
