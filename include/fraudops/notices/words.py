"""What a notice says, before it is said in a language: a sentence in English with its values, or a number of things.

The English sentence is the name under which ``languages/<language>.yaml`` has its translation; a language that does not
have it says it in English. What the record holds as a sentence (the reasons of an alert, of a verdict, of a failed
check) is quoted as it stands there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from fraudops.portfolio.iso import money_text

ENGLISH = "en"
_FOLDER = Path(__file__).parent / "languages"
_SEPARATORS = {ENGLISH: str.maketrans("", ""), "de": str.maketrans(",.", ".,")}
"""How a number's thousands and decimals are set apart, from the English way."""


@dataclass(frozen=True)
class Words:
    """A sentence with places for values; as a string, in English."""

    english: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        """In English."""
        return self.told(ENGLISH)

    def told(self, language: str) -> str:
        """In a language."""
        values = {name: text_in(value, language) for name, value in self.values.items()}
        return translation(self.english, language).format(**values)


@dataclass(frozen=True)
class Count:
    """``1 alert``, ``1,204 alerts``."""

    number: int
    noun: str

    def __str__(self) -> str:
        """In English."""
        return self.told(ENGLISH)

    def told(self, language: str) -> str:
        """In a language."""
        return f"{text_in(self.number, language)} {Noun(self.number, self.noun).told(language)}"


@dataclass(frozen=True)
class Noun:
    """``alert``, ``alerts``: the noun in the form that a number asks for."""

    number: int
    noun: str

    def __str__(self) -> str:
        """In English."""
        return self.told(ENGLISH)

    def told(self, language: str) -> str:
        """In a language."""
        return translation(self.noun if self.number == 1 else f"{self.noun}s", language)


@dataclass(frozen=True)
class Amount:
    """A sum of money."""

    minor: int
    digits: int
    currency: str

    def __str__(self) -> str:
        """In English."""
        return self.told(ENGLISH)

    def told(self, language: str) -> str:
        """``3,412.50 EUR``, ``3.412,50 EUR``."""
        number = money_text(self.minor, self.digits, "").translate(_SEPARATORS.get(language, {}))
        return f"{number} {self.currency}".rstrip()


@dataclass(frozen=True)
class Joined:
    """Several of them, one after the other, without those that are empty."""

    parts: tuple[Any, ...]
    separator: str = ", "

    def __str__(self) -> str:
        """In English."""
        return self.told(ENGLISH)

    def told(self, language: str) -> str:
        """In a language."""
        return self.separator.join(text for part in self.parts if (text := text_in(part, language)))

    def __bool__(self) -> bool:
        return any(bool(part) for part in self.parts)


Text = str | Words | Count | Noun | Amount | Joined
"""What stands where a text is wanted; a plain one is the same in every language."""
_SAID = (Words, Count, Noun, Amount, Joined)


def say(english: str, **values: Any) -> Words:
    """A sentence; ``{name}`` stands for a value, a whole number gets its thousands set apart.

    Examples
    --------
    >>> str(say("{found} in {key}", found=Count(1204, "alert"), key="2026-03-05"))
    '1,204 alerts in 2026-03-05'
    """
    return Words(english, values)


def text_in(value: Any, language: str) -> str:
    """A value in a language."""
    if isinstance(value, _SAID):
        return value.told(language)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".translate(_SEPARATORS.get(language, {}))
    return str(value)


def content_in(value: Any, language: str) -> Any:
    """Whatever a template is given, with each sentence in it said in a language; everything else as it is."""
    if isinstance(value, _SAID):
        return value.told(language)
    if isinstance(value, Mapping):
        return {name: content_in(item, language) for name, item in value.items()}
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return tuple(content_in(item, language) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: content_in(getattr(value, f.name), language) for f in fields(value)})
    return value


def translation(english: str, language: str) -> str:
    """The sentence in a language; in English where the language does not have it."""
    return english if language == ENGLISH else catalogue(language).get(english, english)


@lru_cache(maxsize=8)
def catalogue(language: str) -> Mapping[str, str]:
    """English sentence → its translation; empty for a language that has none."""
    path = _FOLDER / f"{language}.yaml"
    found: Mapping[str, str] = yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found
