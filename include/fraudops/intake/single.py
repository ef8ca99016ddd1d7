"""Rows that come one by one, as mappings (of JSON, say), typed as their file's batch would type them.

Names are the portfolio's own, whatever its sources call the columns; how values are written (decimal signs, markers of
missing values, zones) is as for its first source. Plain values are typed at once (:mod:`fraudops.intake.plain`);
everything else goes through the very :class:`~fraudops.intake.mapping.Mapper` that reads files.
"""

from __future__ import annotations

import hmac
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.errors import ConfigurationError
from fraudops.intake.feeds import Feed, transactions_feed
from fraudops.intake.mapping import Mapper
from fraudops.intake.plain import LONGEST, ODD, Plain, is_text, joined_plain, plain_of, remembering
from fraudops.intake.remedies import remedy_of
from fraudops.intake.tokens import Keys
from fraudops.intake.transaction import Transaction
from fraudops.portfolio import Column, Portfolio, Role

LONGEST_ID = 256
"""Characters of a transaction's id."""
_ID = "transaction_id"
_LARGEST_EXACT = 2.0**53
_WIDEST = 2**63
_CONTENT = b"fraudops online content"
_STRANGE = "columns that the portfolio does not have"
_NOT_ONE_VALUE = "neither a text nor a number nor true or false"
_A_TRUTH = "true or false where it is none"
_NO_TEXT = "half a character"
_TOO_LONG = "longer than {:,} characters"
_OWN_REMEDIES = {
    _STRANGE: "leave them away; the portfolio's columns are named in its YAML",
    _NOT_ONE_VALUE: "give one value: a text, a number, true, false or null",
    _A_TRUTH: "write the value itself, as a text or a number",
    _NO_TEXT: "send the text in UTF-8",
    _TOO_LONG.format(LONGEST): "shorten it: no such value names or describes a payment",
    _TOO_LONG.format(LONGEST_ID): "shorten it: an id is a name, not a record",
}


@dataclass(frozen=True)
class Fault:
    """Why a row cannot be used; nothing of what it says.

    Attributes
    ----------
    column
        The portfolio's name of it; None where it is about the row as a whole.
    reason
        In the words of quarantine.
    """

    column: str | None
    reason: str

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return _OWN_REMEDIES.get(self.reason) or remedy_of(self.reason)


def online_feed(portfolio: Portfolio) -> Feed:
    """The portfolio's transactions as they come one by one: under its own names, each with an id.

    Raises
    ------
    ConfigurationError
        A transaction's time is told from its place in a file.
    """
    # What a source calls the columns is left behind, and what else it writes otherwise than the portfolio says.
    feed = transactions_feed(portfolio, portfolio.transactions[0].model_copy(update={"columns": {}}))
    (time,) = feed.of_role(Role.TIME)
    if feed.columns[time].rows_per_day is not None:
        raise ConfigurationError(
            "its transactions have no time: it is told from their place in a file",
            where=f"{portfolio.name}: columns.{time}.rows_per_day",
            remedy="score files of it; at once only what has a time can be scored",
        )
    if feed.of_role(Role.ID):
        return feed
    return replace(feed, columns={_ID: Column(role=Role.ID), **feed.columns})


@dataclass(frozen=True)
class _Cell:
    """One column of a row: where it is read from and where it goes."""

    name: str
    stored: str
    """Column of the partition; empty where nothing is kept of it."""
    fields: tuple[str, ...]
    plain: Plain
    required: bool
    role: Role
    joins: bool
    """Whether the value is the texts of several fields."""

    def value(self, given: Mapping[str, Any]) -> Any:
        """What is stored of it, where that is plain; :data:`ODD` where it is not, or may not be missing."""
        if self.joins:
            found = joined_plain([given.get(field) for field in self.fields], self.plain)
        else:
            found = given.get(self.fields[0])
            if found is not None:
                found = self.plain(found)
        return ODD if found is None and self.required else found


@dataclass
class _Draft:
    """A row on its way."""

    values: dict[str, Any] = field(default_factory=dict)
    """Column → what is stored of it."""
    amount_minor: int | None = None
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class RowReader:
    """Reads single rows of a portfolio.

    Parameters
    ----------
    portfolio
        Whose they are.
    token_keys
        Keys of the tokens.
    """

    portfolio: Portfolio
    token_keys: Keys

    def read(self, given: Mapping[str, Any]) -> Transaction | list[Fault]:
        """The transaction that a row describes, or what is wrong with it."""
        return self.read_all([given])[0]

    def read_all(self, rows: Sequence[Mapping[str, Any]]) -> list[Transaction | list[Fault]]:
        """The same of many rows, in their order; values that are not plain are typed together."""
        drafts = [_Draft() for _ in rows]
        odd: dict[int, list[int]] = defaultdict(list)
        known = self._known
        for number, given in enumerate(rows):
            draft = drafts[number]
            if not given.keys() <= known:
                draft.faults.append(Fault(None, _STRANGE))
            for place, cell in enumerate(self._cells):
                found = cell.value(given)
                if found is ODD:
                    odd[place].append(number)
                else:
                    draft.values[cell.name] = found
        for place, numbers in sorted(odd.items()):
            self._look_closer(self._cells[place], rows, numbers, drafts)
        return [self._finished(draft) for draft in drafts]

    def raw(self, given: Mapping[str, Any]) -> bytes:
        """The row as it was given, as JSON with its keys in order: the same however it was written."""
        return msgspec.json.encode(given, order="deterministic")

    def content(self, raw: bytes) -> str:
        """Digest of :meth:`raw`, 64 hexadecimal digits.

        It is keyed with the first key of the tokens: a bare one would let whoever reads it try all card numbers.
        """
        keys = self.token_keys
        return hmac.digest(keys if isinstance(keys, bytes) else keys[0], _CONTENT + raw, "sha256").hex()

    # -- what it knows ---------------------------------------------------------------------------------

    @cached_property
    def feed(self) -> Feed:
        """What the columns are."""
        return online_feed(self.portfolio)

    @cached_property
    def _mapper(self) -> Mapper:
        return Mapper(self.feed, self.token_keys)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.feed.fields) | self.feed.ignored

    @cached_property
    def _cells(self) -> tuple[_Cell, ...]:
        return tuple(self._cell(name, column) for name, column in self.feed.columns.items())

    @cached_property
    def _special(self) -> tuple[str, str, str | None]:
        """Columns of id, time and amount."""
        amounts = self.feed.of_role(Role.AMOUNT)
        return self.feed.of_role(Role.ID)[0], self.feed.of_role(Role.TIME)[0], amounts[0] if amounts else None

    @cached_property
    def _kept(self) -> tuple[tuple[str, str], ...]:
        """Column → stored column, in the order of the partition, without id and time."""
        stored = {cell.stored: cell.name for cell in self._cells if cell.stored}
        special = self.feed.stored_name(self._special[1])
        return tuple((stored[name], name) for name in self.feed.content.names if name in stored and name != special)

    def _cell(self, name: str, column: Column) -> _Cell:
        plain = plain_of(self.feed, name, self.token_keys)
        if column.role in (Role.BOOLEAN, Role.LABEL):
            plain = remembering(plain, partial(self._truth, name))
        return _Cell(
            name=name,
            stored="" if column.role is Role.PERSONAL else self.feed.stored_name(name),
            fields=column.is_made_of or (name,),
            plain=plain,
            required=column.required or column.role in (Role.ID, Role.TIME, Role.AMOUNT),
            role=column.role,
            joins=bool(column.join),
        )

    # -- values that are not plain ---------------------------------------------------------------------

    def _look_closer(
        self, cell: _Cell, rows: Sequence[Mapping[str, Any]], numbers: Iterable[int], drafts: list[_Draft]
    ) -> None:
        """Type a column's values that are not plain, those of the same types together."""
        alike: dict[tuple[type, ...], list[tuple[int, list[Any]]]] = defaultdict(list)
        for number in numbers:
            values = [_narrowed(rows[number].get(name)) for name in cell.fields]
            unusable = next(filter(None, (_unusable(value, cell.role) for value in values)), None)
            if unusable is not None:
                drafts[number].faults.append(Fault(self.feed.file_column(cell.name), unusable))
            else:
                alike[tuple(map(type, values))].append((number, values))
        for group in alike.values():
            columns = list(zip(*(values for _, values in group), strict=True))
            found, reasons = self._typed(cell, columns)
            for (number, _), value, minor, reason in zip(group, *found, reasons, strict=True):
                draft = drafts[number]
                if reason is not None:
                    draft.faults.append(Fault(*reason))
                elif cell.role is Role.ID and len(value) > LONGEST_ID:
                    draft.faults.append(Fault(cell.name, _TOO_LONG.format(LONGEST_ID)))
                else:
                    draft.values[cell.name] = value
                    draft.amount_minor = minor if cell.role is Role.AMOUNT else draft.amount_minor

    def _typed(
        self, cell: _Cell, columns: Sequence[Sequence[Any]]
    ) -> tuple[tuple[list[Any], list[Any]], list[tuple[str | None, str] | None]]:
        """Stored values, minor units and reasons of values that are all of one type, by the batch's own mapper."""
        fields = {
            name: pa.array(values, pa.string() if values[0] is None else None)
            for name, values in zip(cell.fields, columns, strict=True)
        }
        found, reasons = self._mapper.type_column(cell.name, fields)
        values = found[self.feed.stored_name(cell.name)]
        if cell.role is Role.TIME:
            values = pc.cast(values, pa.int64())
        none = [None] * len(reasons)
        minor = found["amount_minor"].to_pylist() if cell.role is Role.AMOUNT else none
        return (values.to_pylist(), minor), reasons

    def _truth(self, name: str, value: Any) -> Any:
        """What a text or number means as a truth; :data:`ODD` where it means nothing, or nothing is given."""
        value = _narrowed(value)
        if _unusable(value, Role.BOOLEAN) is not None:
            return ODD
        found, reasons = self._mapper.type_column(name, {name: pa.array([value])})
        truth = found[self.feed.stored_name(name)].to_pylist()[0]
        return ODD if truth is None or reasons[0] is not None else truth

    # -- the row ---------------------------------------------------------------------------------------

    def _finished(self, draft: _Draft) -> Transaction | list[Fault]:
        name, time, amount = self._special
        if len(draft.values.get(name, "")) > LONGEST_ID:
            draft.faults.append(Fault(name, _TOO_LONG.format(LONGEST_ID)))
        minor = draft.amount_minor
        if amount in draft.values and minor is None:
            minor = _minor_units(draft.values[amount], self.feed.minor_digits)
            if minor is None:
                draft.faults.append(Fault(amount, "too large to be kept to the minor unit"))
        if draft.faults:
            return draft.faults
        values = draft.values
        row = {stored: values[column] for column, stored in self._kept}
        if amount is not None:
            row["amount_minor"] = minor
        return Transaction(values[name], values[time], minor, row)


def _minor_units(amount: float, digits: int) -> int | None:
    minor = round(found) if math.isfinite(found := amount * 10.0**digits) else None
    return minor if minor is not None and abs(minor) <= _LARGEST_EXACT else None


def _narrowed(value: Any) -> Any:
    """A whole number that no column of whole numbers holds as the text of its digits."""
    return str(value) if type(value) is int and not -_WIDEST <= value < _WIDEST else value


def _unusable(value: Any, role: Role) -> str | None:
    """Why a value is none that a file could hold."""
    if value is None or type(value) in (int, float):
        return None
    if type(value) is bool:
        return None if role in (Role.BOOLEAN, Role.LABEL) else _A_TRUTH
    if type(value) is not str:
        return _NOT_ONE_VALUE
    if len(value) > LONGEST:
        return _TOO_LONG.format(LONGEST)
    return None if value.isascii() or is_text(value) else _NO_TEXT
