"""Phone numbers: from what people type to E.164, and the reason when a number can't be dialed."""

from __future__ import annotations

from typing import Final

import phonenumbers
from django.utils.translation import gettext_lazy as _

from callcenter.lib.errors import DomainError

REGION: Final = "BR"
COUNTRY_CODE: Final = 55
# A subscriber's number without its area code: land lines have eight digits, mobiles nine.
LOCAL_LENGTHS: Final = (8, 9)

# Why a number is not dialed: code -> what staff read.
REFUSALS: Final = {
    "no_phone": _("Não há número de telefone."),
    "not_a_number": _("Não é um número de telefone."),
    "not_brazilian": _("Não é um número brasileiro; o discador só liga para o Brasil."),
    "no_area_code": _("Falta o DDD."),
    "invalid_number": _("Número inválido no plano de numeração brasileiro."),
}


class InvalidPhone(DomainError):
    """The text is no number that we could dial; `reason` is a key of `REFUSALS`."""

    code = "invalid_phone"

    def __init__(self, reason: str) -> None:
        super().__init__(str(REFUSALS[reason]), reason=reason)
        self.reason = reason


def brazilian_e164(text: str) -> str:
    """The number in E.164 (`+5511999998888`), read as a Brazilian would mean it.

    Accepts punctuation, a trunk 0, a carrier's prefix (0 XX DDD …) and a country code with or without +.

    Errors: `InvalidPhone` with the reason; the caller keeps the text and does not dial.
    """
    stripped = text.strip()
    if not stripped:
        raise InvalidPhone("no_phone")
    try:
        parsed = phonenumbers.parse(stripped, REGION)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone("not_a_number") from error
    if parsed.country_code != COUNTRY_CODE:
        raise InvalidPhone("not_brazilian")
    if phonenumbers.is_valid_number(parsed):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if len(str(parsed.national_number)) in LOCAL_LENGTHS:
        raise InvalidPhone("no_area_code")
    raise InvalidPhone("invalid_number")


def national_digits(phone_e164: str) -> str:
    """DDD and subscriber's number of a Brazilian E.164 number, digits only (`11999998888`)."""
    return phone_e164.removeprefix(f"+{COUNTRY_CODE}")


def display(phone_e164: str) -> str:
    """The number as Brazilians write it: `(11) 99999-8888`; an empty string for none."""
    if not phone_e164:
        return ""
    try:
        parsed = phonenumbers.parse(phone_e164, REGION)
    except phonenumbers.NumberParseException:
        return phone_e164
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)


def masked(phone: str) -> str:
    """The number for a log line: everything but the last four digits hidden."""
    digits = "".join(c for c in phone if c.isdigit())
    return f"…{digits[-4:]}" if len(digits) > 4 else "…"
