"""Reading who somebody is out of what they write: only what is said in a usual form, rather nothing than a guess."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

from callcenter.lib.phones import InvalidPhone, brazilian_e164
from helpdesk.providers.base import ContactDetails

MOST_CHARACTERS: Final = 4000
LONGEST: Final = 120

_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}(?![\w-])", re.IGNORECASE
)
_WORD: Final = r"[A-ZÀ-Ý][\w'’-]*"
# A proper name: capitalised words, joined by the small ones of Portuguese names.
_PROPER: Final = rf"{_WORD}(?:\s+(?:d[aeo]s?|e|&)\s+{_WORD}|\s+{_WORD}){{0,5}}"
_NAME: Final = re.compile(
    r"(?i:\bmeu nome (?:é|e)|\bme chamo|\bnome\s*:|\baqui (?:é|e)(?: (?:o|a))?|\bsou (?:o|a))" rf"\s+({_PROPER})"
)
_COMPANY: Final = re.compile(
    r"(?i:\bda empresa|\bna empresa|\bempresa\s*:|\btrabalho (?:na|no|para a|para o)|\bfalo d[ao])" rf"\s+({_PROPER})"
)
_CITY: Final = re.compile(
    rf"(?i:\bmoro em|\bsou de|\bfalo de|\bresido em|\bcidade\s*:|\bestou em|\baqui de)\s+({_PROPER})"
)
# What follows "sou o …" and is no name, and what ends a company's name as a sentence goes on.
_NO_NAMES: Final = frozenset({"cliente", "dono", "dona", "responsavel", "responsável", "empresa"})


def details_in(text: str) -> ContactDetails:
    """What one message says of its author."""
    text = text[:MOST_CHARACTERS]
    email = _EMAIL.search(text)
    return ContactDetails(
        name=_proper(_NAME, text),
        email=email.group(0).rstrip(".").lower() if email else "",
        phone_e164=_phone(_EMAIL.sub(" ", text)),
        company=_proper(_COMPANY, text),
        city=_proper(_CITY, text),
    )


def _proper(pattern: re.Pattern[str], text: str) -> str:
    for found in pattern.finditer(text):
        name = found.group(1).strip(" .-&")
        if name.split()[0].lower() not in _NO_NAMES:
            return name[:LONGEST]
    return ""


def _phone(text: str) -> str:
    """The first Brazilian number with its area code; other digits (orders, CPF) are none."""
    for match in phonenumbers.PhoneNumberMatcher(text, "BR", leniency=phonenumbers.Leniency.VALID):
        try:
            return brazilian_e164(match.raw_string)
        except InvalidPhone:
            continue
    return ""
