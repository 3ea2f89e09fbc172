"""Phone numbers: from what people type to E.164, and the reason when a number can't be dialed."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers
from django.utils.translation import gettext_lazy as _

from callcenter.lib.errors import DomainError

REGION: Final = "BR"
COUNTRY_CODE: Final = 55
# A subscriber's number without its area code: land lines have eight digits, mobiles nine.
LOCAL_LENGTHS: Final = (8, 9)
# Source: Anatel, Plano Geral de Códigos Nacionais (Resolução 263/2001).
AREA_CODES: Final = frozenset(
    str(code)
    for code in (
        *range(11, 20), 21, 22, 24, 27, 28, *range(31, 36), 37, 38, *range(41, 50), 51, 53, 54, 55, *range(61, 70),
        71, 73, 74, 75, 77, 79, *range(81, 90), *range(91, 100),
    )
)  # fmt: skip

# Why a number is not dialed: code -> what staff read.
REFUSALS: Final = {
    "no_phone": _("Não há número de telefone."),
    "not_a_number": _("Não é um número de telefone."),
    "not_brazilian": _("Não é um número brasileiro; o discador só liga para o Brasil."),
    "no_area_code": _("Falta o DDD."),
    "invalid_number": _("Número inválido no plano de numeração brasileiro."),
    "service_number": _("Número de emergência, de serviço ou tarifado; o discador não liga para ele."),
}

# How people write more than the number: a carrier to be chosen ("0xx11"), an extension, a word behind it.
_ANY_CARRIER: Final = re.compile(r"(?i)^(\D*0)\s*x\s*x")
_EXTENSION: Final = re.compile(r"(?i)[\s,;(]*\b(?:ramal|ram|r|ext)\b[.:\s]*\d{1,6}[)\s]*$")
_WORD_BEHIND: Final = re.compile(r"^(.*\d[\s().,;-]*?)[^\W\d_].*$", re.DOTALL)
# What stands before DDD and subscriber: a trunk 0, with any carrier's two digits (0 XX), a collect call (90 XX), the
# country code with 00, with both (00 XX 55), or with a trunk 0 that is not dialed from abroad (55 0 XX).
# Source: Anatel, Regulamento de Numeração (Resolução 86/1998), Anexo. The library knows some of the carriers only.
_PREFIXED: Final = re.compile(r"(?:0[1-9]\d|90[1-9]\d|00(?:[1-9]\d)?55|550(?:[1-9]\d)?)([1-9]\d{9,10})")
# A mobile number as it was before every DDD got a ninth digit (Anatel, Resolução 553/2010): no land line begins so.
_OLD_MOBILE: Final = re.compile(r"([1-9][1-9])([6-9]\d{7})")
# 190, 192, 0300, 0500, 0900 and their like: an emergency, a public service, or a call that costs extra.
_SERVICE: Final = re.compile(r"(?:55)?(?:1\d{2}|10[356]\d{1,3}|0?[359]00\d{6,7})")


class InvalidPhone(DomainError):
    """The text is no number that we could dial; `reason` is a key of `REFUSALS`."""

    code = "invalid_phone"

    def __init__(self, reason: str) -> None:
        super().__init__(str(REFUSALS[reason]), reason=reason)
        self.reason = reason


def brazilian_e164(text: str) -> str:
    """The number in E.164 (`+5511999998888`), read as a Brazilian would mean it.

    Accepts punctuation, a trunk 0, a carrier's prefix (0 XX DDD …), a country code with or without +, an extension or
    a word behind the number (which are left out), and mobiles from before the ninth digit, which get it.

    Errors: `InvalidPhone` with the reason; the caller keeps the text and does not dial.
    """
    stripped = text.strip()
    if not stripped:
        raise InvalidPhone("no_phone")
    number = _without_words(stripped)
    digits = phonenumbers.normalize_digits_only(number)
    if _SERVICE.fullmatch(digits):
        raise InvalidPhone("service_number")
    if match := _PREFIXED.fullmatch(digits):
        number = f"+{COUNTRY_CODE}{match[1]}"
    try:
        parsed = phonenumbers.parse(number, REGION)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone("not_a_number") from error
    if parsed.country_code != COUNTRY_CODE:
        raise InvalidPhone("not_brazilian")
    return _e164(parsed)


def _without_words(text: str) -> str:
    """The number alone; letters among its digits would be read as a keypad's, and somebody else's phone would ring."""
    number = _EXTENSION.sub("", _ANY_CARRIER.sub(r"\1", text))
    if match := _WORD_BEHIND.fullmatch(number):
        behind = any(character.isdigit() for character in number[match.end(1) :])
        if behind or len(phonenumbers.normalize_digits_only(match[1])) < min(LOCAL_LENGTHS):
            raise InvalidPhone("not_a_number")
        number = match[1]
    return number


def _e164(parsed: phonenumbers.PhoneNumber) -> str:
    national = str(parsed.national_number)
    if _SERVICE.fullmatch(national):
        raise InvalidPhone("service_number")
    if _is_valid(parsed):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if match := _OLD_MOBILE.fullmatch(national):
        parsed.national_number = int(f"{match[1]}9{match[2]}")
        if _is_valid(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    raise InvalidPhone("no_area_code" if len(national) in LOCAL_LENGTHS else "invalid_number")


def _is_valid(parsed: phonenumbers.PhoneNumber) -> bool:
    if not phonenumbers.is_valid_number(parsed):
        return False
    # The library takes 30 for an area code, too.
    national = str(parsed.national_number)
    return len(national) <= max(LOCAL_LENGTHS) or national.startswith("800") or national[:2] in AREA_CODES


def national_digits(phone_e164: str) -> str:
    """DDD and subscriber's number of a Brazilian E.164 number, digits only (`11999998888`)."""
    return phone_e164.removeprefix(f"+{COUNTRY_CODE}")


def has_area_code(phone_e164: str) -> bool:
    """Whether the number is dialed with a DDD, or with 800 in its place; 4004 and its like are not."""
    national = national_digits(phone_e164)
    return len(national) > max(LOCAL_LENGTHS) or national.startswith("800")


def display(phone_e164: str) -> str:
    """The number as Brazilians write it: `(11) 99999-8888`, one abroad `+351 912 345 678`; empty for none."""
    if not phone_e164:
        return ""
    try:
        parsed = phonenumbers.parse(phone_e164, REGION)
    except phonenumbers.NumberParseException:
        return phone_e164
    formats = phonenumbers.PhoneNumberFormat
    is_ours = parsed.country_code == COUNTRY_CODE
    return phonenumbers.format_number(parsed, formats.NATIONAL if is_ours else formats.INTERNATIONAL)


def masked(phone: str) -> str:
    """The number for a log line: everything but the last four digits hidden."""
    digits = "".join(c for c in phone if c.isdigit())
    return f"…{digits[-4:]}" if len(digits) > 4 else "…"
