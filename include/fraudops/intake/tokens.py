"""Card and account numbers become keyed tokens: the same number, the same token, and no way back without the key.

Where there are several keys a number goes through them one after the other, each applied to the token that the one
before has given. So a new key can be applied to tokens whose numbers nobody has any more.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.errors import ContractError
from fraudops.portfolio import TOKENS, Portfolio
from fraudops.store import Store, canonical_json

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

Keys = bytes | Sequence[bytes]
"""One key, or several in the order in which they are applied."""
_LONGEST = 19
_FINGERPRINT_OF = b"fraudops token key fingerprint"
_OBJECT = ("protected", "token_key.json")
VARIABLE = "FRAUDOPS_TOKEN_KEY"


@dataclass(frozen=True)
class Cards:
    """A column of card numbers, taken apart. Null wherever the number was empty or not one."""

    token: pa.Array
    bin: pa.Array
    last4: pa.Array
    invalid: npt.NDArray[np.bool_]
    """True where there was a value that is not a card number."""


def token_of(digits: str, keys: Keys) -> str:
    """First 32 hexadecimal digits of the number's HMAC-SHA256; of that token's, where there is another key; and so on.

    Of a token, under keys that came later, it is the token that the number would have under all of them.
    """
    found = digits
    for key in _all_of(keys):
        found = hmac.digest(key, found.encode(), "sha256").hex()[:32]
    return found


def tokenise(numbers: pa.Array, keys: Keys) -> Cards:
    """Take card numbers apart; spaces and hyphens between the digits are allowed.

    Parameters
    ----------
    numbers
        Strings, null where the field was empty.
    keys
        Keys of the tokens.
    """
    # A card pays more than once: each number is checked and hashed once a batch.
    encoded = numbers.dictionary_encode()
    written = encoded.dictionary
    digits = pc.replace_substring_regex(written, "[ -]", "")
    valid = _passes_luhn(digits)
    usable = pc.if_else(pa.array(valid), digits, pa.scalar(None, pa.string()))
    tokens = pa.array([None if text is None else token_of(text, keys) for text in usable.to_pylist()], pa.string())
    token = tokens.take(encoded.indices)
    invalid = pc.and_(pc.is_valid(numbers), pc.is_null(token))
    return Cards(
        token=token,
        bin=pc.utf8_slice_codeunits(usable, 0, 6).take(encoded.indices),
        last4=pc.utf8_slice_codeunits(usable, -4).take(encoded.indices),
        invalid=invalid.to_numpy(zero_copy_only=False),
    )


def account_tokens(numbers: pa.Array, keys: Keys) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Tokens of account numbers, and which values are none.

    Spaces, hyphens, dots, slashes and case do not matter; what is left must be 4 to 34 letters and digits, as long as
    an IBAN may be. Check digits are not looked at: a bank's own numbers have others.

    Parameters
    ----------
    numbers
        Strings, null where the field was empty.
    keys
        Keys of the tokens. An account's token is none of a card with the same digits.
    """
    encoded = numbers.dictionary_encode()
    plain = pc.utf8_upper(pc.replace_substring_regex(encoded.dictionary, "[ ./-]", ""))
    valid = pc.fill_null(pc.match_substring_regex(plain, r"^[0-9A-Z]{4,34}$"), False)
    tokens = [
        token_of(f"account:{text}", keys) if usable else None
        for text, usable in zip(plain.to_pylist(), valid.to_pylist(), strict=True)
    ]
    token = pa.array(tokens, pa.string()).take(encoded.indices)
    invalid = pc.and_(pc.is_valid(numbers), pc.is_null(token))
    return token, invalid.to_numpy(zero_copy_only=False)


def fingerprint_of(keys: Keys) -> str:
    """What keys are known by; it gives nothing of them away."""
    first, *later = _all_of(keys)
    found = hmac.digest(first, _FINGERPRINT_OF, "sha256").hex()
    for key in later:
        found = hmac.digest(key, found.encode(), "sha256").hex()
    return found


def known_fingerprint(store: Store, portfolio: str) -> str | None:
    """Fingerprint of the keys that a portfolio's tokens were made with; None where there are no tokens yet."""
    area, name = _OBJECT
    try:
        return str(json.loads(store.get(area, portfolio, name))["fingerprint"])
    except FileNotFoundError:
        return None


def put_fingerprint(store: Store, portfolio: str, keys: Keys) -> None:
    """Remember which keys a portfolio's tokens are made with."""
    area, name = _OBJECT
    store.put(canonical_json({"fingerprint": fingerprint_of(keys)}) + b"\n", area, portfolio, name)


def keys_behind(known: str, keys: Keys) -> int | None:
    """How many of the keys, from the first on, have a fingerprint; None where no number of them does."""
    every = _all_of(keys)
    fits = (n for n in range(1, len(every) + 1) if hmac.compare_digest(fingerprint_of(every[:n]), known))
    return next(fits, None)


def guard_token_key(ws: Workspace, portfolio: Portfolio) -> None:
    """Remember which keys made this portfolio's tokens, and refuse others: their tokens would not match.

    Raises
    ------
    ContractError
        The tokens in the store were made with others, or a new one waits for its rotation.
    """
    if not portfolio.named(*TOKENS):
        return
    known = known_fingerprint(ws.store, portfolio.name)
    if known is None:
        put_fingerprint(ws.store, portfolio.name, ws.token_keys)
        return
    used = keys_behind(known, ws.token_keys)
    if used is None:
        raise ContractError(
            "the tokens in the store were made with another key",
            where=f"{portfolio.name}: {VARIABLE}",
            remedy="give all keys that were used, the oldest first; a key is changed with 'fraudops keys rotate token'",
        )
    if used < len(ws.token_keys):
        raise ContractError(
            "there is a new key, and the tokens in the store do not have it yet",
            where=f"{portfolio.name}: {VARIABLE}",
            remedy="run 'fraudops keys rotate token', or take the new key away again",
        )


def _all_of(keys: Keys) -> Sequence[bytes]:
    return (keys,) if isinstance(keys, bytes) else keys


def _passes_luhn(digits: pa.Array) -> npt.NDArray[np.bool_]:
    """Whether each string is 12 to 19 digits with a valid check digit."""
    plausible = pc.fill_null(pc.match_substring_regex(digits, r"^[0-9]{12,19}$"), False)
    found = plausible.to_numpy(zero_copy_only=False).copy()
    if not found.any():
        return found
    # Zeros in front change nothing: Luhn counts from the right.
    padded = pc.ascii_lpad(digits.filter(plausible), _LONGEST, "0")
    if isinstance(padded, pa.ChunkedArray):
        padded = padded.combine_chunks()
    text = "".join(padded.to_pylist()).encode()
    values = np.frombuffer(text, dtype=np.uint8).reshape(-1, _LONGEST) - ord("0")
    doubled = values[:, -2::-2] * 2
    total = values[:, -1::-2].sum(axis=1, dtype=np.int64)
    total += np.where(doubled > 9, doubled - 9, doubled).sum(axis=1, dtype=np.int64)
    found[found] = total % 10 == 0
    return found
