"""Brazil's area codes (DDD): which state each is, whose clock it keeps, and what the code alone can't say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

# Everything before the two digits of the area code in E.164.
_PREFIX: Final = "+55"


class AreaCode(NamedTuple):
    """One area code: its state, its IANA time zone, and the exceptions that only a person can know of."""

    code: str
    state: str
    zone: str
    note: str | StrPromise = ""


_SAO_PAULO: Final = "America/Sao_Paulo"
# State, its clock, its area codes.
# Source: Anatel, Plano Geral de Códigos Nacionais (Resolução 263/2001 and its updates); zones: IANA tz database.
_STATES: Final = (
    ("SP", _SAO_PAULO, "11 12 13 14 15 16 17 18 19"),
    ("RJ", _SAO_PAULO, "21 22 24"),
    ("ES", _SAO_PAULO, "27 28"),
    ("MG", _SAO_PAULO, "31 32 33 34 35 37 38"),
    ("PR", _SAO_PAULO, "41 42 43 44 45 46"),
    ("SC", _SAO_PAULO, "47 48 49"),
    ("RS", _SAO_PAULO, "51 53 54 55"),
    ("DF", _SAO_PAULO, "61"),
    ("GO", _SAO_PAULO, "62 64"),
    ("TO", "America/Araguaina", "63"),
    ("MT", "America/Cuiaba", "65 66"),
    ("MS", "America/Campo_Grande", "67"),
    ("AC", "America/Rio_Branco", "68"),
    ("RO", "America/Porto_Velho", "69"),
    ("BA", "America/Bahia", "71 73 74 75 77"),
    ("SE", "America/Maceio", "79"),
    ("PE", "America/Recife", "81 87"),
    ("AL", "America/Maceio", "82"),
    ("PB", "America/Fortaleza", "83"),
    ("RN", "America/Fortaleza", "84"),
    ("CE", "America/Fortaleza", "85 88"),
    ("PI", "America/Fortaleza", "86 89"),
    ("PA", "America/Belem", "91 94"),
    ("PA", "America/Santarem", "93"),
    ("AM", "America/Manaus", "92 97"),
    ("RR", "America/Boa_Vista", "95"),
    ("AP", "America/Belem", "96"),
    ("MA", "America/Fortaleza", "98 99"),
)
_NOTES: Final = {
    "42": _("União da Vitória divide a área com Porto União (SC)."),
    "47": _("Rio Negro e alguns municípios do PR são atendidos por este DDD."),
    "61": _("Também municípios de GO em volta de Brasília, onde pode valer a lei de GO."),
    "68": _("Todo o AC segue UTC-5."),
    "81": _("Também Fernando de Noronha, que segue UTC-2 (America/Noronha)."),
    "97": _("O oeste do AM (Eirunepé, Benjamin Constant, Tabatinga) segue UTC-5 (America/Eirunepe)."),
}

AREA_CODES: Final[dict[str, AreaCode]] = {
    code: AreaCode(code, state, zone, _NOTES.get(code, "")) for state, zone, codes in _STATES for code in codes.split()
}
# The 26 states and the Federal District, by their two letters.
STATES: Final = tuple(sorted({area.state for area in AREA_CODES.values()}))


def area_code_of(phone_e164: str) -> AreaCode | None:
    """The area code of a Brazilian number; None for one that belongs to no place (0800, 4004, 190).

    It says where the number was given out: mobiles travel and numbers are taken along.
    """
    digits = phone_e164.removeprefix(_PREFIX)
    # A number with an area code has ten or eleven digits; those of services have fewer, or begin with 800 and its like.
    if len(digits) not in {10, 11}:
        return None
    return AREA_CODES.get(digits[:2])
