"""Finds our columns in a file's header, and says what to do where one is not there."""

from __future__ import annotations

import csv
import difflib
import re
from pathlib import Path

from fraudops.errors import ContractError
from fraudops.intake.feeds import Feed
from fraudops.intake.masking import MASKED
from fraudops.intake.opening import UNDECODABLE
from fraudops.intake.records import Records

_LONGEST = 4 << 20
_SHOWN = 12
_VALUE = re.compile(r"[+-]?\d[\d.,:TZ+ -]*")
_MANY_DIGITS = re.compile(r"(?:\d[ ./-]?){6}")
"""More than a date or a number of a column: an account, a card, a customer."""
_EXCEL_HINT = re.compile(r'"?sep=(.)"?')
"""Excel's own first line: it tells Excel the delimiter."""


def read_header(path: Path, records: Records, feed: Feed) -> list[str]:
    """The names in a CSV file's first line, without white space around them.

    Raises
    ------
    ContractError
        There is none, or its quotation marks are wrong.
    """
    text = _first_line(path, records)
    hint = _EXCEL_HINT.fullmatch(text)
    if hint is not None:
        if hint[1] != feed.source.delimiter:
            raise ContractError(
                f"the delimiter is {hint[1]!r}, not {feed.source.delimiter!r}",
                where=f"{path}, line 1",
                remedy=_correct_delimiter(hint[1], feed),
            )
        text = _first_line(path, records)
    rows = csv.reader([text], delimiter=feed.source.delimiter, quotechar=feed.source.quote)
    try:
        return [name.strip() for name in next(rows)]
    except (csv.Error, StopIteration):
        raise _no_header(path) from None


def places_of(path: Path, names: list[str], feed: Feed, notes: list[str]) -> dict[str, int]:
    """Where each of our fields stands in the file; a missing label is noted, any other is an error.

    Parameters
    ----------
    notes
        Receives a sentence about columns that nobody asked for.

    Raises
    ------
    ContractError
        A field is not there, or more than once.
    """
    places = {}
    for name, wanted in feed.fields.items():
        if wanted in names:
            places[name] = names.index(wanted)
            if names.count(wanted) > 1:
                raise ContractError(
                    f"column {wanted!r} stands in the header {names.count(wanted)} times",
                    where=str(path),
                    remedy="name every column differently",
                )
        elif feed.may_be_missing(name):
            notes.append(f"{path.name} has no column {wanted!r}: its labels are not known")
        else:
            raise _missing_column(path, wanted, name, names, feed)
    known = {*feed.fields.values(), *feed.ignored}
    extra = [name for name in names if name not in known]
    if extra:
        notes.append(f"{path.name}: passed over columns that the portfolio does not name: {_some(extra)}")
    return places


def _first_line(path: Path, records: Records) -> str:
    line = records.header(_LONGEST)
    if line is None:
        raise _no_header(path)
    if not line.strip():
        raise ContractError(
            "the file is empty, it has not even a header", where=str(path), remedy="ask its sender for it again"
        )
    return line.decode()


def _no_header(path: Path) -> ContractError:
    return ContractError(
        "the first line is no CSV header: it does not end, or a quotation mark in it is not closed",
        where=f"{path}, line 1",
        remedy="deliver CSV with the column names on top",
    )


def _missing_column(path: Path, wanted: str, name: str, names: list[str], feed: Feed) -> ContractError:
    if any(_VALUE.fullmatch(found) for found in names):
        # Column names are shown, data never: a row may hold a person's name.
        return ContractError(
            f"the first line looks like a row, not like a header: column {wanted!r} is not found",
            where=str(path),
            remedy="deliver the file with the column names on top",
        )
    origin = "" if wanted == name else f" (for {name!r})"
    delimiter = feed.source.delimiter
    other = next((sign for sign in ",;\t|" if sign != delimiter and sign in names[0]), None)
    close = difflib.get_close_matches(wanted.lower(), [found.lower() for found in names], n=1)
    if len(names) == 1 and other is not None:
        remedy = _correct_delimiter(other, feed)
    elif close:
        like = next(found for found in names if found.lower() == close[0])
        remedy = f"did you mean {like!r}? Say so under {feed.kind} columns in the portfolio's YAML"
    else:
        remedy = f"deliver the column, or map another under {feed.kind} columns in the portfolio's YAML"
    return ContractError(
        f"there is no column {wanted!r}{origin}; the file has {_some(names)}", where=str(path), remedy=remedy
    )


def _correct_delimiter(sign: str, feed: Feed) -> str:
    more = ", and 'decimal: \",\"' if its numbers have a decimal comma" if sign == ";" else ""
    return (
        f"the delimiter looks like {sign!r}, not {feed.source.delimiter!r}: "
        f"write 'delimiter: {_quoted(sign)}' under {feed.kind} in the portfolio's YAML{more}"
    )


def _quoted(sign: str) -> str:
    return '"\\t"' if sign == "\t" else f'"{sign}"'


def _name(name: str) -> str:
    return MASKED if _MANY_DIGITS.search(name) else name[:40].replace(UNDECODABLE, "\ufffd")


def _some(names: list[str]) -> str:
    """A list of column names for a message; a headerless file has data there: nothing long, and no number, is shown."""
    shown = [repr(_name(name)) for name in names[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
