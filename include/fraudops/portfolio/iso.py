"""Currencies (ISO 4217), the digits of their minor units, amounts to read; countries (ISO 3166-1 alpha-2)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

_WITHOUT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_FOUR = "CLF UYW"
_TWO = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP
COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD
KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK
NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""

MINOR_DIGITS: Mapping[str, int] = {
    code: digits for digits, codes in ((0, _WITHOUT), (2, _TWO), (3, _THREE), (4, _FOUR)) for code in codes.split()
}
"""Currency → digits of its minor unit; the Iraqi dinar and others have three, the yen none."""
_USUAL = 2


def minor_digits(currency: str) -> int:
    """Digits after the point in a currency's amounts; two where nobody knows the currency.

    Examples
    --------
    >>> [minor_digits(currency) for currency in ("USD", "JPY", "KWD")]
    [2, 0, 3]
    """
    return MINOR_DIGITS.get(currency, _USUAL)


def money_text(minor: int, digits: int, currency: str) -> str:
    """An amount to read; exact, because it never is a float.

    Examples
    --------
    >>> money_text(341250, 2, "EUR")
    '3,412.50 EUR'
    """
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f} {currency}".rstrip()


_ASSIGNED = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF
GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI
SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS XK YE YT ZA ZM ZW
"""

COUNTRIES = frozenset(_ASSIGNED.split())
"""Assigned codes, and ``XK``, by which banks know Kosovo."""
