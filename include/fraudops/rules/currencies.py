"""How many digits the minor unit of a currency has.

References
----------
ISO 4217, list one (SIX Financial Information, the maintenance agency); every currency that is not here has two.
"""

from __future__ import annotations

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_DIGITS = {code: digits for digits, codes in ((0, _NONE), (3, _THREE), (4, _FOUR)) for code in codes.split()}
_USUAL = 2


def minor_digits(currency: str) -> int:
    """Digits after the point in a currency's amounts.

    Examples
    --------
    >>> [minor_digits(currency) for currency in ("USD", "JPY", "KWD")]
    [2, 0, 3]
    """
    return _DIGITS.get(currency, _USUAL)
