"""Names as they are compared: what is written, without what people write differently, and how it sounds.

Two steps, both the same for customers and for lists:

- :func:`parts`: small Latin letters without accents; Cyrillic and Greek transliterated; apostrophes removed, other
  punctuation parts words; particles (``al``, ``bin``, ``von``, ``de``), titles and, of a business, its legal form
  dropped. The order of the parts says nothing later.
- :func:`sound`: one part as it sounds, so that transliterations of one name come together or near: ``Petroff`` and
  ``Petrov``, ``Hussein`` and ``Husain``, ``Mohammed`` and ``Muhammad``.

Not covered: other scripts (they are left out, :func:`parts` may be empty), nicknames, translations of a name.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Before accents go: these are letters of their own, not и, е, і and у with a mark.
_OWN = str.maketrans("йёїў", "иеіу")
_CYRILLIC = dict(zip("абвгдезиклмнопрстуфыэієґәқңөұүһ", "abvgdeziklmnoprstufieiegaknouuh", strict=True)) | {
    "ж": "zh",
    "х": "kh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "sh",
    "ъ": "",
    "ь": "",
    "ю": "yu",
    "я": "ya",
    "ђ": "dj",
    "ј": "i",
    "љ": "li",
    "њ": "ni",
    "ћ": "c",
    "џ": "dj",
}
_GREEK = dict(zip("αβγδεζηικλμνοπρσςτυφω", "avgdeziiklmnoprsstifo", strict=True)) | {
    "θ": "th",
    "ξ": "x",
    "χ": "ch",
    "ψ": "ps",
}
_LATIN = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ə": "a"}
_LETTERS = str.maketrans(_CYRILLIC | _GREEK | _LATIN)
_APOSTROPHES = re.compile("['`´ʻʼʿʾ‘’′.]")
_BETWEEN = re.compile("[^a-z0-9]+")

_PARTICLES = """
al el ul ad as ash ar az bin ibn bint ben abu umm van von der den de del della di da do dos das du la le las los of the
and und et y e i zu ter mac mc o
"""
_TITLES = "mr mrs ms miss dr prof sir sheikh shaikh sheik haji hajji mullah maulavi jr sr"
_LEGAL_FORMS = """
ltd limited llc inc incorporated corp corporation co company gmbh ag kg ug ohg sa sarl sas sasu snc srl spa sl slu bv nv
ab oy oyj as asa aps plc llp lp lllp pte pty pvt sro doo dd kft zrt ooo oao zao pao ao jsc ojsc pjsc cjsc fze fzco kk
pt tbk bhd sdn ltda eirl cv se ev
"""
_LEFT_OUT = frozenset(_TITLES.split())
_SMALL = frozenset(_PARTICLES.split())
_FORMS = frozenset(_LEGAL_FORMS.split())
_SERVANT = re.compile("^abd(?:[aeiou]l|[aeiou]r|[aeiou]s)?$")

_SOUNDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("^(?:al|el|ul)-?(?=[bcdfghjklmnpqrstvwxz][a-z]{3})", ""),
        ("tsch|tch|cz", "ch"),
        ("shch|sch|sh", "s"),
        ("ph", "f"),
        ("kh", "h"),
        ("ck|q", "k"),
        ("c(?!h)", "k"),
        ("x", "ks"),
        ("dzh|dj|g[ei](?=[aou])", "j"),
        ("(?<=[tdgz])h", ""),
        ("ts|tz", "z"),
        ("w", "v"),
        ("ff?$", "v"),
        ("ou|oo", "u"),
        ("ee|ea", "i"),
        ("ei|ey|ay", "ai"),
        ("[ao]e", "a"),
        ("ue", "u"),
        ("^(?:ye|je|ie)", "i"),
        ("(?:iy|ij|yi|yy|ii)$", "i"),
        ("^j(?=u)", "y"),
        ("[ey]", "i"),
        ("o", "u"),
        (r"(.)\1+", r"\1"),
        ("(?<=..[aiu])h$", ""),
    )
)


def parts(name: str, *, business: bool = False) -> tuple[str, ...]:
    """The parts of a name that are compared.

    Parameters
    ----------
    business
        Whether the name may end in a legal form, which is dropped.

    Returns
    -------
    tuple of str
        In the order of the name; empty where nothing of it can be read. What would all be dropped is kept.

    Examples
    --------
    >>> parts("Al-Rāshid, Dr. Muḥammad bin")
    ('rashid', 'muhammad')
    >>> parts("Søren O'Brien GmbH & Co. KG", business=True)
    ('soren', 'obrien')
    >>> parts("Пётр Ильин")
    ('petr', 'ilin')
    """
    words = [word for word in _words(name) if word not in _LEFT_OUT]
    if business:
        while len(words) > 1 and words[-1] in _FORMS:
            words.pop()
    kept = tuple(word for word in _with_servants_joined(words) if word not in _SMALL)
    return kept or tuple(words)


@lru_cache(maxsize=1 << 17)
def sound(part: str) -> str:
    """One part of a name as it sounds.

    Examples
    --------
    >>> sound("youssef") == sound("yusef"), sound("petroff") == sound("petrov"), sound("hussein") == sound("husain")
    (True, True, True)
    """
    return _sounding(part)


def letters(name: str) -> str:
    """All letters of a name as it sounds, sorted: the same however it is divided into words.

    Examples
    --------
    >>> letters("Van Damme, Jean-Claude") == letters("Jeanclaude Vandamme")
    True
    """
    return "".join(sorted(_sounding("".join(_words(name)))))


def _sounding(text: str) -> str:
    for pattern, instead in _SOUNDS:
        text = pattern.sub(instead, text)
    return text


@lru_cache(maxsize=1 << 17)
def _words(name: str) -> tuple[str, ...]:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).casefold().translate(_OWN))
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    latin = bare.replace("ου", "u").translate(_LETTERS)
    return tuple(word for word in _BETWEEN.split(_APOSTROPHES.sub("", latin)) if word)


def _with_servants_joined(words: list[str]) -> list[str]:
    """``abd al rahman``, ``abdul rahman`` and ``abdel-rahman`` as one part."""
    joined: list[str] = []
    place = 0
    while place < len(words):
        if _SERVANT.match(words[place]):
            following = place + 1
            while following < len(words) - 1 and words[following] in _SMALL:
                following += 1
            if following < len(words):
                joined.append(f"abdul{words[following]}")
                place = following + 1
                continue
        joined.append(words[place])
        place += 1
    return joined
