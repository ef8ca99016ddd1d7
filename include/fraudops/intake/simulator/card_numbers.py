"""Card numbers that belong to nobody: published test ranges, with a valid check digit.

Each prefix is the beginning of a number that card schemes and payment processors publish for testing, so no
issuer hands out cards in it:

============  ==========================================================
prefix        published test number
============  ==========================================================
``41111111``  4111 1111 1111 1111 (Visa)
``42424242``  4242 4242 4242 4242 (Visa)
``55555555``  5555 5555 5555 4444 (Mastercard)
``51051051``  5105 1051 0510 5100 (Mastercard)
============  ==========================================================
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

TEST_PREFIXES = ("41111111", "42424242", "55555555", "51051051")
MAXIMUM_CARDS = 10_000_000
"""Serial numbers of seven digits."""

_STEP = 7_368_787
"""Scatters the serial numbers; it shares no factor with their count, so no two cards get the same one."""


def fake_card_numbers(scheme: np.ndarray, offset: int) -> pa.Array:
    """Distinct card numbers of 16 digits.

    Parameters
    ----------
    scheme
        Per card, the index of its prefix in :data:`TEST_PREFIXES`; at most :data:`MAXIMUM_CARDS` cards.
    offset
        Where the serial numbers begin.

    Returns
    -------
    pyarrow.Array
        Of strings, one a card.
    """
    serial = (np.arange(len(scheme), dtype=np.int64) * _STEP + offset) % MAXIMUM_CARDS
    digits = np.empty((len(scheme), 16), dtype=np.uint8)
    prefixes = np.array([[int(digit) for digit in prefix] for prefix in TEST_PREFIXES], dtype=np.uint8)
    digits[:, :8] = prefixes[scheme]
    digits[:, 8:15] = serial[:, None] // 10 ** np.arange(6, -1, -1) % 10
    digits[:, 15] = _check_digit(digits[:, :15])
    text = (digits + ord("0")).astype(np.uint8).view("S16").ravel()
    return pa.array(text).cast(pa.string())


def _check_digit(digits: np.ndarray) -> np.ndarray:
    """Luhn: of the first fifteen digits every second one counts double, beginning with the first."""
    weighted = digits.astype(np.int64)
    weighted[:, ::2] *= 2
    weighted -= 9 * (weighted > 9)
    return (-weighted.sum(axis=1)) % 10
