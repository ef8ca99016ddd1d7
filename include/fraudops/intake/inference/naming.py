"""Names of columns: their words, what the words hint at, and what we call the column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from fraudops.intake.inference.vocabulary import DOCUMENTS, RESERVED, WHOSE

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SUFFIXES = ("number", "name", "code", "date", "time", "type", "hash", "num", "id", "no", "nr")


def words(name: str) -> tuple[str, ...]:
    """The words of a column's name, small, without accents.

    Examples
    --------
    >>> words("nameOrig"), words("Is Fraud?"), words("TX_DATETIME"), words("customerid")
    (('name', 'orig'), ('is', 'fraud'), ('tx', 'datetime'), ('customer', 'id'))
    """
    parts = re.split(r"[^A-Za-z0-9]+", _CAMEL.sub("_", _plain(name)))
    found: list[str] = []
    for part in filter(None, parts):
        found += _split_compound(part.casefold())
    return tuple(found)


def our_name(name: str, position: int, taken: Collection[str]) -> str:
    """What we call a column: small letters, digits and underscores; not taken, and without another meaning.

    Parameters
    ----------
    name
        The file's name.
    position
        Place of the column in the file, for a name of which nothing is left.
    """
    text = re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", _plain(name)).casefold()).strip("_")
    if not text:
        text = f"column_{position + 1}"
    elif text[0].isdigit():
        text = f"c_{text}"
    if text in RESERVED:
        text = f"{text}_given"
    candidate, number = text, 2
    while candidate in taken:
        candidate, number = f"{text}_{number}", number + 1
    return candidate


def _plain(name: str) -> str:
    for sign, letters in (("ß", "ss"), ("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("Ä", "Ae"), ("Ö", "Oe"), ("Ü", "Ue")):
        name = name.replace(sign, letters)
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def _split_compound(word: str) -> list[str]:
    """``customerid`` is two words; ``paid`` is one."""
    for suffix in _SUFFIXES:
        stem = word.removesuffix(suffix)
        if stem != word and (stem in WHOSE or stem in DOCUMENTS):
            return [stem, suffix]
    return [word]
