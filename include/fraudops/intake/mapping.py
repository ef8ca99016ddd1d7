"""Raw rows become typed rows under our names, or rejected rows with a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.intake.batches import Batch
from fraudops.intake.feeds import Feed
from fraudops.intake.masking import MASKED, mask_card, mask_card_numbers, shape_of
from fraudops.intake.opening import UNDECODABLE
from fraudops.intake.records import Broken
from fraudops.intake.times import Zones, counted_rows, moments, moments_of_parts
from fraudops.intake.tokens import Keys, account_tokens, tokenise
from fraudops.intake.values import Mask, Wrong, booleans, joined, labels, numbers, texts, without_markers
from fraudops.portfolio import Column, Role

NOWHERE = np.iinfo(np.int64).min
"""Code of no partition: nothing tells where a row belongs."""

LINE = "__line"
"""Column of the row's line; no column of a portfolio is called so."""

_LARGEST_EXACT = 2.0**53


@dataclass(frozen=True)
class Rejected:
    """A row that cannot be used."""

    line: int
    column: str | None
    """What the file calls the column at fault; None where the row as a whole is."""
    reason: str
    raw: str
    """JSON text of the row; card numbers and personal data are masked."""
    code: int
    """Partition that the row belongs to or, where its time cannot be read, that of a row beside it."""


@dataclass(frozen=True)
class Mapped:
    """A batch, typed."""

    rows: pa.Table
    """Stored and protected columns, then :data:`LINE`; without ``transaction_id`` where the feed has no id."""
    codes: npt.NDArray[np.int64]
    """Partition of each accepted row: its number since 1970."""
    rejected: list[Rejected]
    rejected_codes: npt.NDArray[np.int64]


@dataclass
class _Checks:
    """Which rows are out, and each one's first reason."""

    rows: int
    reasons: list[tuple[str | None, str]] = field(default_factory=list)
    code: npt.NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        self.code = np.full(self.rows, -1, np.int32)

    def reject(self, rows: Mask, column: str | None, reason: str) -> None:
        """Note a reason against rows that have none yet."""
        fresh = rows & (self.code < 0)
        if fresh.any():
            self.code[fresh] = len(self.reasons)
            self.reasons.append((column, reason))

    def reject_all(self, wrong: list[Wrong], column: str) -> None:
        """Note what a parser found."""
        for item in wrong:
            self.reject(item.rows, column, item.reason)

    @property
    def accepted(self) -> Mask:
        """Rows without a reason."""
        return self.code < 0


class Mapper:
    """Maps the batches of one file; remembers the last partition seen, for rows that do not say theirs.

    Parameters
    ----------
    feed
        What the columns are.
    token_keys
        Keys of the tokens.
    arrived
        Partition that all rows belong to, where the file and not the row says it.
    """

    def __init__(self, feed: Feed, token_keys: Keys, arrived: int = NOWHERE) -> None:
        self._feed = feed
        self._token_keys = token_keys
        self._last = arrived
        self._seen = 0
        self._zones = Zones()
        self.first = NOWHERE
        """Partition of the first row that says its own; those before it have :data:`NOWHERE`."""

    def map(self, batch: Batch) -> Mapped:
        """Type a batch; every row comes out once, accepted or rejected."""
        checks = _Checks(len(batch.lines))
        if batch.undecodable:
            self._reject_holding(UNDECODABLE, f"not {self._feed.source.encoding} text", batch, checks)
        if batch.nul:
            self._reject_holding("\0", "holds a NUL", batch, checks)
        fields = self._without_markers(batch.columns)
        columns: dict[str, pa.Array] = {}
        for name, column in self._feed.columns.items():
            columns |= self._column(name, column, fields, checks)
        self._seen += checks.rows
        before = self._last
        codes = self._codes(columns, checks)
        rejected, rejected_codes = self._rejected(batch, checks, np.concatenate([[before], codes]))
        accepted = checks.accepted
        kept = [*self._feed.stored, *self._feed.protected]
        rows = {f.name: columns[f.name] for f in kept if f.name in columns}
        table = pa.table({**rows, LINE: pa.array(batch.lines)})
        if not accepted.all():
            table = table.filter(pa.array(accepted))
        return Mapped(table, codes[accepted], rejected, rejected_codes)

    def type_column(
        self, name: str, fields: dict[str, pa.Array]
    ) -> tuple[dict[str, pa.Array], list[tuple[str | None, str] | None]]:
        """Type one column alone: what is stored of it, and for each value why it cannot be used (None: it can).

        Parameters
        ----------
        fields
            The fields that the column is read from, of equal length.
        """
        length = len(next(iter(fields.values())))
        checks = _Checks(length)
        self._reject_holding("\0", "holds a NUL", Batch(fields, np.arange(length)), checks)
        found = self._column(name, self._feed.columns[name], self._without_markers(fields), checks)
        return found, [checks.reasons[code] if code >= 0 else None for code in checks.code.tolist()]

    def remarks(self) -> Iterator[str]:
        """What whoever delivered the file should know about it, beside its rejected rows."""
        if self._zones.given and self._zones.left_out:
            (time,) = self._feed.of_role(Role.TIME)
            yield (
                f"some times in column {self._feed.file_column(time)!r} say their zone and some do not: "
                f"these were read as {self._feed.columns[time].timezone}"
            )

    # -- columns ---------------------------------------------------------------------------------------

    def _without_markers(self, columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
        markers = self._feed.source.missing
        return {name: without_markers(values, markers) for name, values in columns.items()} if markers else columns

    def _column(self, name: str, column: Column, fields: dict[str, pa.Array], checks: _Checks) -> dict[str, pa.Array]:
        stored, file_name = self._feed.stored_name(name), self._feed.file_column(name)
        decimal, thousands = self._feed.source.decimal, self._feed.source.thousands
        found: dict[str, pa.Array] = {}
        match column.role:
            case _ if name in self._feed.parsers:
                values, wrong = self._feed.parsers[name](fields[name])
            case Role.TIME:
                values, wrong = self._moments(name, column, fields, checks.rows)
            case Role.AMOUNT | Role.NUMBER:
                values, wrong = numbers(fields[name], decimal, thousands)
            case Role.BOOLEAN:
                values, wrong = booleans(fields[name], column)
            case Role.LABEL:
                values, wrong = labels(fields[name], column)
            case Role.CARD:
                cards = tokenise(texts(fields[name]), self._token_keys)
                values, wrong = cards.token, _some(cards.invalid, "not a card number")
                found = dict(zip(self._feed.card_parts(name), (cards.bin, cards.last4), strict=True))
            case Role.ACCOUNT:
                values, invalid = account_tokens(texts(fields[name]), self._token_keys)
                wrong = _some(invalid, "not an account number")
            case _:
                values = joined([fields[part] for part in column.join]) if column.join else texts(fields[name])
                wrong = []
        checks.reject_all(wrong, file_name)
        if column.required or column.role in (Role.ID, Role.TIME, Role.AMOUNT):
            checks.reject(_mask(pc.is_null(values)), file_name, "empty")
        if column.role is Role.TIME:
            self._check_period(values, file_name, checks)
        if column.role in (Role.AMOUNT, Role.NUMBER):
            _check_bounds(values, column, file_name, checks)
        if column.role is Role.AMOUNT:
            found["amount_minor"] = self._minor_units(values, file_name, checks)
        return {stored: values, **found}

    def _moments(
        self, name: str, column: Column, fields: dict[str, pa.Array], rows: int
    ) -> tuple[pa.Array, list[Wrong]]:
        if column.rows_per_day is not None and column.origin is not None:
            return counted_rows(self._seen, rows, column.origin, column.rows_per_day), []
        if column.parts is not None:
            parts = {part: fields[field] for part, field in column.parts.columns.items()}
            return moments_of_parts(parts, column)
        return moments(fields[name], column, self._feed.source.decimal, self._zones)

    def _check_period(self, values: pa.Array, name: str, checks: _Checks) -> None:
        start, end = self._feed.start, self._feed.end
        if start is not None:
            before = pc.less(values, pa.scalar(start, values.type))
            checks.reject(_mask(before), name, f"before the portfolio's start, {_day(start)}")
        if end is not None:
            after = pc.greater_equal(values, pa.scalar(end, values.type))
            checks.reject(_mask(after), name, f"at or after the portfolio's end, {_day(end)}")

    def _minor_units(self, values: pa.Array, name: str, checks: _Checks) -> pa.Array:
        with np.errstate(over="ignore"):
            minor = np.rint(values.to_numpy(zero_copy_only=False) * 10.0**self._feed.minor_digits)
        exact = np.abs(minor) <= _LARGEST_EXACT
        checks.reject(~exact & ~np.isnan(minor), name, "too large to be kept to the minor unit")
        return pa.array(np.where(exact, minor, 0).astype(np.int64), mask=~exact)

    def _reject_holding(self, text: str, reason: str, batch: Batch, checks: _Checks) -> None:
        for name, values in batch.columns.items():
            if pa.types.is_string(values.type):
                checks.reject(_mask(pc.match_substring(values, text)), self._feed.fields[name], reason)

    # -- partitions ------------------------------------------------------------------------------------

    def _codes(self, columns: dict[str, pa.Array], checks: _Checks) -> npt.NDArray[np.int64]:
        """Partition of each row; one without a usable time takes its predecessor's."""
        if self._feed.is_of_file:
            return np.full(checks.rows, self._last, np.int64)
        (time,) = self._feed.of_role(Role.TIME)
        values = columns[self._feed.stored_name(time)]
        usable = _mask(pc.is_valid(values))
        for bound, compare in ((self._feed.start, pc.greater_equal), (self._feed.end, pc.less)):
            if bound is not None:
                usable = usable & _mask(compare(values, pa.scalar(bound, values.type)))
        micros = pc.fill_null(pc.cast(values, pa.int64()), 0).to_numpy(zero_copy_only=False)
        codes = np.where(usable, self._feed.partitioning.numbers(micros), NOWHERE)
        if not usable.any():
            return np.full(checks.rows, self._last, np.int64)
        if self.first == NOWHERE:
            self.first = int(codes[np.argmax(usable)])
        if not usable.all():
            before = np.maximum.accumulate(np.where(usable, np.arange(checks.rows), -1))
            codes = np.where(before >= 0, codes[np.maximum(before, 0)], self._last)
        self._last = int(codes[-1])
        return codes

    # -- rejected rows ---------------------------------------------------------------------------------

    def _rejected(
        self, batch: Batch, checks: _Checks, codes: npt.NDArray[np.int64]
    ) -> tuple[list[Rejected], npt.NDArray[np.int64]]:
        """The rejected rows; ``codes`` begins with the partition of the row before the batch."""
        rows = np.flatnonzero(~checks.accepted)
        raws = self._raw_rows(batch, rows)
        found = []
        for row, (raw, is_header) in zip(rows, raws, strict=True):
            column, reason = (None, _HEADER_AGAIN) if is_header else checks.reasons[checks.code[row]]
            found.append(Rejected(int(batch.lines[row]), column, reason, raw, int(codes[row + 1])))
        found += [self._broken(item, batch.lines, codes) for item in batch.broken]
        return found, np.array([item.code for item in found], np.int64)

    def _raw_rows(self, batch: Batch, rows: npt.NDArray[np.int64]) -> Iterator[tuple[str, bool]]:
        """What quarantine keeps of the rows, and whether it is the header that comes again."""
        if not len(rows):
            return
        chosen = pa.array(rows)
        fields = self._feed.fields
        values = [_plain_values(batch.columns[name].take(chosen)) for name in fields]
        roles = [self._feed.role_of_field(name) for name in fields]
        names = list(fields.values())
        for row in zip(*values, strict=True):
            shown = [_shown(value, role) for value, role in zip(row, roles, strict=True)]
            yield _json(dict(zip(names, shown, strict=True))), [str(value).strip() for value in row] == names

    def _broken(self, item: Broken, lines: npt.NDArray[np.int64], codes: npt.NDArray[np.int64]) -> Rejected:
        # Nobody knows which field of a broken row is which: where one may be a name, only the shape is kept.
        personal = any(self._feed.role_of_field(name) is not Role.NUMBER for name in self._feed.fields)
        text = shape_of(item.text) if personal else mask_card_numbers(item.text)
        code = int(codes[np.searchsorted(lines, item.line)])
        return Rejected(item.line, item.column, item.reason, _json({"text": text}), code)


_HEADER_AGAIN = "the header again: files were put together"


def shown_row(names: list[str], values: list[Any]) -> str:
    """JSON text of a row that was typed already and turned out to be a duplicate."""
    return _json({name: _shown(value, Role.NUMBER) for name, value in zip(names, values, strict=True)})


def _plain_values(array: pa.Array) -> list[Any]:
    """The values for Python; a moment that it has no name for (the year 30000, an unknown zone) as its number."""
    try:
        found: list[Any] = array.to_pylist()
    except (OverflowError, ValueError, KeyError):
        found = pc.cast(array, pa.int64()).to_pylist()
    return found


def _check_bounds(values: pa.Array, column: Column, name: str, checks: _Checks) -> None:
    if column.minimum is not None:
        checks.reject(_mask(pc.less(values, column.minimum)), name, f"below the minimum, {column.minimum:g}")
    if column.maximum is not None:
        checks.reject(_mask(pc.greater(values, column.maximum)), name, f"above the maximum, {column.maximum:g}")


def _shown(value: Any, role: Role) -> Any:
    """A value as quarantine shows it."""
    if value is None or value == "":
        return value
    if role in (Role.PERSONAL, Role.ACCOUNT):
        return MASKED
    if role is Role.CARD:
        return mask_card(str(value).strip())
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) < 1e12):
        return value
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return mask_card_numbers(text.replace(UNDECODABLE, "\ufffd"))


def _json(row: dict[str, Any]) -> str:
    plain = {name: None if isinstance(v, float) and v != v else v for name, v in row.items()}
    return json.dumps(plain, ensure_ascii=False, default=str)


def _some(rows: Mask, reason: str) -> list[Wrong]:
    return [Wrong(rows, reason)] if rows.any() else []


def _mask(rows: pa.Array) -> Mask:
    return pc.fill_null(rows, False).to_numpy(zero_copy_only=False)


def _day(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")
