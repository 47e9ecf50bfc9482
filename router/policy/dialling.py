"""How numbers are written in a country, and their one spelling inside the router: E.164 with "+".

Facts: ITU-T E.164 and E.123, and the national numbering plans (prefixes, shortest and longest national number).
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_E164 = 15  # digits, ITU-T E.164 §6
SHORTEST_E164 = 7  # country code and subscriber together; shorter ones are short codes, which E.164 does not cover
SHORTEST_BARE_INTERNATIONAL = (
    10  # digits; below this a number without "+" or prefix is more likely a slip than a country
)

_SEPARATORS = str.maketrans("", "", " .-/()\u00a0")


@dataclass(frozen=True, slots=True)
class DiallingPlan:
    """Dialling rules of one country.

    Args:
        country: ISO 3166-1 alpha-2.
        country_code: digits, without "+".
        international_prefix, national_prefix: what is dialled in front ("00", "0"; "" where there is none).
        shortest, longest: digits of a national number without its prefix.
        prefix_optional: a national number may also be dialled without its prefix (North America).
    """

    country: str
    country_code: str
    international_prefix: str
    national_prefix: str
    shortest: int
    longest: int
    prefix_optional: bool = False

    def normalise(self, written: str) -> str | None:
        """Return a public number in E.164 with "+", or None when `written` is none.

        Read in this order: "+", international prefix, national prefix, own country code, bare national number
        (where the country has no prefix), bare international digits as many PBXs send them.
        """
        if written[:1] == "+" and written[1:].isdigit() and written.isascii():
            return self._international(written[1:])
        digits = written.replace("(0)", "").translate(_SEPARATORS)
        if digits[:1] == "+":
            return self._international(digits[1:])
        if not digits.isdigit() or not digits.isascii():
            return None
        if digits.startswith(self.international_prefix):
            return self._international(digits[len(self.international_prefix) :])
        prefix = self.national_prefix
        if prefix and digits.startswith(prefix):
            return self._national(digits[len(prefix) :])
        code = self.country_code
        if digits.startswith(code) and self.shortest <= len(digits) - len(code) <= self.longest:
            return "+" + digits
        if (not prefix or self.prefix_optional) and self.shortest <= len(digits) <= self.longest:
            return self._national(digits)
        if len(digits) >= SHORTEST_BARE_INTERNATIONAL:
            return self._international(digits)
        return None

    def national(self, number: str) -> str:
        """Write an E.164 number as it is dialled inside the country; numbers of other countries get the prefix."""
        code = "+" + self.country_code
        if number.startswith(code):
            return self.national_prefix + number[len(code) :]
        return self.international_prefix + number[1:] if number[:1] == "+" else number

    def _national(self, digits: str) -> str | None:
        return f"+{self.country_code}{digits}" if self.shortest <= len(digits) <= self.longest else None

    def _international(self, digits: str) -> str | None:
        if not SHORTEST_E164 <= len(digits) <= LONGEST_E164:
            code = self.country_code
            if not digits.startswith(code) or not self.shortest <= len(digits) - len(code) <= self.longest:
                return None  # the own country may have shorter numbers, as Austria does
        elif digits[0] == "0":
            return None
        return "+" + digits if digits.isdigit() and digits.isascii() else None


PLANS: dict[str, DiallingPlan] = {
    plan.country: plan
    for plan in (
        DiallingPlan("AT", "43", "00", "0", 4, 13),
        DiallingPlan("BE", "32", "00", "0", 8, 9),
        DiallingPlan("CH", "41", "00", "0", 9, 9),
        DiallingPlan("DE", "49", "00", "0", 5, 13),
        DiallingPlan("DK", "45", "00", "", 8, 8),
        DiallingPlan("ES", "34", "00", "", 9, 9),
        DiallingPlan("FR", "33", "00", "0", 9, 9),
        DiallingPlan("GB", "44", "00", "0", 7, 10),
        DiallingPlan("IE", "353", "00", "0", 7, 10),
        DiallingPlan("LU", "352", "00", "", 6, 9),
        DiallingPlan("NL", "31", "00", "0", 7, 10),
        DiallingPlan("PT", "351", "00", "", 9, 9),
    )
}
