"""Card and account numbers become keyed tokens: the same number, the same token, and no way back without the key."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from fraudops.errors import ContractError
from fraudops.portfolio import TOKENS, Portfolio
from fraudops.store import canonical_json

if TYPE_CHECKING:
    from fraudops.workspace import Workspace

_LONGEST = 19
_FINGERPRINT_OF = b"fraudops token key fingerprint"
_OBJECT = ("protected", "token_key.json")


@dataclass(frozen=True)
class Cards:
    """A column of card numbers, taken apart. Null wherever the number was empty or not one."""

    token: pa.Array
    bin: pa.Array
    last4: pa.Array
    invalid: npt.NDArray[np.bool_]
    """True where there was a value that is not a card number."""


def token_of(digits: str, key: bytes) -> str:
    """First 32 hexadecimal digits of the number's HMAC-SHA256."""
    return hmac.digest(key, digits.encode(), "sha256").hex()[:32]


def tokenise(numbers: pa.Array, key: bytes) -> Cards:
    """Take card numbers apart; spaces and hyphens between the digits are allowed.

    Parameters
    ----------
    numbers
        Strings, null where the field was empty.
    key
        Key of the tokens.
    """
    # A card pays more than once: each number is checked and hashed once a batch.
    encoded = numbers.dictionary_encode()
    written = encoded.dictionary
    digits = pc.replace_substring_regex(written, "[ -]", "")
    valid = _passes_luhn(digits)
    usable = pc.if_else(pa.array(valid), digits, pa.scalar(None, pa.string()))
    tokens = pa.array([None if text is None else token_of(text, key) for text in usable.to_pylist()], pa.string())
    token = tokens.take(encoded.indices)
    invalid = pc.and_(pc.is_valid(numbers), pc.is_null(token))
    return Cards(
        token=token,
        bin=pc.utf8_slice_codeunits(usable, 0, 6).take(encoded.indices),
        last4=pc.utf8_slice_codeunits(usable, -4).take(encoded.indices),
        invalid=invalid.to_numpy(zero_copy_only=False),
    )


def account_tokens(numbers: pa.Array, key: bytes) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Tokens of account numbers, and which values are none.

    Spaces, hyphens, dots, slashes and case do not matter; what is left must be 4 to 34 letters and digits, as long as
    an IBAN may be. Check digits are not looked at: a bank's own numbers have others.

    Parameters
    ----------
    numbers
        Strings, null where the field was empty.
    key
        Key of the tokens. An account's token is none of a card with the same digits.
    """
    encoded = numbers.dictionary_encode()
    plain = pc.utf8_upper(pc.replace_substring_regex(encoded.dictionary, "[ ./-]", ""))
    valid = pc.fill_null(pc.match_substring_regex(plain, r"^[0-9A-Z]{4,34}$"), False)
    tokens = [
        token_of(f"account:{text}", key) if usable else None
        for text, usable in zip(plain.to_pylist(), valid.to_pylist(), strict=True)
    ]
    token = pa.array(tokens, pa.string()).take(encoded.indices)
    invalid = pc.and_(pc.is_valid(numbers), pc.is_null(token))
    return token, invalid.to_numpy(zero_copy_only=False)


def guard_token_key(ws: Workspace, portfolio: Portfolio) -> None:
    """Remember which key made this portfolio's tokens, and refuse another: their tokens would not match.

    Raises
    ------
    ContractError
        The tokens in the store were made with another key.
    """
    if not portfolio.named(*TOKENS):
        return
    area, name = _OBJECT
    mine = hmac.digest(ws.token_key, _FINGERPRINT_OF, "sha256").hex()
    try:
        known = json.loads(ws.store.get(area, portfolio.name, name))["fingerprint"]
    except FileNotFoundError:
        ws.store.put(canonical_json({"fingerprint": mine}) + b"\n", area, portfolio.name, name)
        return
    if not hmac.compare_digest(known, mine):
        raise ContractError(
            "the tokens in the store were made with another key",
            where=f"{portfolio.name}: FRAUDOPS_TOKEN_KEY",
            remedy="set the key that was used before; a new key needs an empty store",
        )


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
