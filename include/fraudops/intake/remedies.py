"""What to do about each reason for which a row lies in quarantine. The same table, in prose: docs/bad-input.md."""

from __future__ import annotations

import re

_TIMES = "correct the time; other ways of writing it are told by format, origin or parts of its column in the YAML"
_MARKS = "correct the quotation marks: a value with one in it stands between two, and doubles it"
_REMEDIES = (
    (r"empty", "fill it in, or leave 'required' away in the YAML if the column may be empty"),
    (
        r"a number with ','",
        "write 'decimal: \",\"' (or 'thousands: \",\"') for the source in the YAML, or correct the file",
    ),
    (
        r"a number with '\.'",
        "write 'thousands: \".\"' for the source in the YAML, or correct the file: its decimal sign is another",
    ),
    (r"not a number above zero", "correct the rate; round it to eight decimals"),
    (r"not a number", "correct the value; a text that stands for no value belongs under 'missing' of the source"),
    (r"not a finite number", "ask the sender what the value is; an empty field stands for none"),
    (r"neither true nor false", "say which texts mean what under 'positive' and 'negative' of the column"),
    (r"not a label", "say which texts mean what under 'positive' and 'negative' of the column"),
    (r"not a card number", "correct the number, or give the column another role if it holds none"),
    (r"not an account number", "correct the number: 4 to 34 letters and digits, as long as an IBAN may be"),
    (r"not a day such as", "write the day as 2026-03-05"),
    (r"not (a country|a currency|a jurisdiction|documents|names)", "write it as docs/feeds.md says"),
    (r"none of", "use one of these words"),
    (
        r"the same \S+( and \S+)?$|the same \S+( and \S+)? as line",
        "find out which of the rows is right, and deliver it once",
    ),
    (r"not that( of line|$)", "deliver each version of the list in a file of its own"),
    (r"below the minimum|above the maximum", "correct the value, or the column's limit in the YAML"),
    (r"too large to be kept", "correct the amount: it has more digits than money has"),
    (r"a time more than \d+ years away", "correct the time; if it is right, say 'start' and 'end' in the YAML"),
    (
        r"a time outside of|before the portfolio's start|at or after",
        "correct the time, or 'start' and 'end' in the YAML",
    ),
    (r"a time that does not exist", "correct the time, or the column's timezone: clocks were put forward then"),
    (r"not a timestamp|not a date|not a time of the day|not a whole number of months", _TIMES),
    (r"not \S+ text", "write the file's 'encoding' in the YAML, such as cp1252 or utf-16"),
    (r"holds a NUL", "ask the sender for the file again: text has no such character"),
    (
        r"has \d+ fields?, the header has",
        "put a value with a delimiter in it between quotation marks; a delimiter at the end of each row needs one in "
        "the header too",
    ),
    (r"a quotation mark|\d+ lines from here", _MARKS),
    (r"longer than", "correct the row: a line end is missing, or this is no row"),
    (r"the header again", "nothing, or put files together without their headers"),
    (r"duplicate of|already stored", "nothing: the row was taken once"),
    (r"same id with other values", "find out which of the rows is right, and deliver that one"),
)


def remedy_of(reason: str) -> str:
    """What to do about a rejected row; its column and a colon may stand before the reason.

    Examples
    --------
    >>> remedy_of("holds a NUL")
    'ask the sender for the file again: text has no such character'
    """
    found = (remedy for pattern, remedy in _REMEDIES if re.search(rf"(?:^|: )(?:{pattern})", reason))
    return next(found, "look at the row in its file, and ask its sender")
