"""How a country groups the digits of a telephone number when it says them."""

from __future__ import annotations

from typing import Final, NamedTuple


class _Plan(NamedTuple):
    code: str  # after "+"
    prefix: str  # before a national number


_PLANS: Final = {
    "AT": _Plan("43", "0"),
    "BE": _Plan("32", "0"),
    "CH": _Plan("41", "0"),
    "DE": _Plan("49", "0"),
    "ES": _Plan("34", ""),
    "FR": _Plan("33", "0"),
    "GB": _Plan("44", "0"),
    "IE": _Plan("353", "0"),
    "IT": _Plan("39", ""),
    "LU": _Plan("352", ""),
    "NL": _Plan("31", "0"),
    "PT": _Plan("351", ""),
}
_LONG_AREAS: Final = ("1", "5", "6", "7", "8")  # Belgian areas of two digits; 2, 3, 4 and 9 are of one


def grouped(number: str, country: str) -> tuple[str, ...]:
    """Divide a number as a country says it.

    Args:
        number: E.164 with "+", or digits as dialled; anything else in it is left out.
        country: ISO 3166 code of the listener.

    Returns:
        groups of digits; the first is "+" for a number abroad. Empty for what holds no digit.
    """
    digits = "".join(sign for sign in number if sign in "0123456789")
    if not number.startswith("+"):
        return (digits,) if len(digits) <= 3 else _pairs(digits)
    plan = _PLANS.get(country)
    if plan is not None and digits.startswith(plan.code):
        return _national(digits.removeprefix(plan.code), plan.prefix, country)
    for other in _PLANS.values():
        if digits.startswith(other.code):
            return ("+", other.code, *_pairs(digits.removeprefix(other.code)))
    return ("+", *_pairs(digits))


def _national(digits: str, prefix: str, country: str) -> tuple[str, ...]:
    if country == "BE" and len(digits) == 9:  # mobile: 0475 12 34 56
        return (prefix + digits[:3], *_pairs(digits[3:]))
    if country == "BE" and len(digits) == 8:
        if digits[0] in _LONG_AREAS:  # 081 22 33 44
            return (prefix + digits[:2], *_pairs(digits[2:]))
        return (prefix + digits[0], digits[1:4], *_pairs(digits[4:]))  # 04 220 01 00
    if country == "CH" and len(digits) == 9:  # 044 668 18 00
        return (prefix + digits[:2], digits[2:5], *_pairs(digits[5:]))
    if country == "GB" and len(digits) == 10:  # 01632 960 960
        return (prefix + digits[:4], digits[4:7], digits[7:])
    return _pairs(prefix + digits)  # 01 23 45 67 89


def _pairs(digits: str) -> tuple[str, ...]:
    odd = len(digits) % 2
    first = (digits[:1],) if odd else ()
    return (*first, *(digits[place : place + 2] for place in range(odd, len(digits), 2)))
