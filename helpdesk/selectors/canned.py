"""A company's ready texts with their variables filled in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

if TYPE_CHECKING:
    from datetime import datetime

    from helpdesk.models import Atendimento, Attendant

_VARIABLE: Final = re.compile(r"\{(\w+)\}")
NOON: Final = 12
EVENING: Final = 18


def filled_in(text: str, atendimento: Atendimento, *, now: datetime, attendant: Attendant | None = None) -> str:
    """The text with its variables replaced; a name in braces that is none of them stays as it is.

    `{nome}`, `{primeiro_nome}` (of the requester), `{protocolo}`, `{atendente}` (who writes, else who holds it),
    `{empresa}`, `{saudacao}` (by the company's clock).
    """
    contact, writer = atendimento.contact, attendant or atendimento.attendant
    # In the requester's language, whatever that of the one who presses the button is.
    with override(settings.LANGUAGE_CODE):
        hello = greeting(now.astimezone(atendimento.company.zone).hour)
    name = contact.name.strip() if contact is not None else ""
    values = {
        "nome": name,
        "primeiro_nome": name.split()[0] if name else "",
        "protocolo": atendimento.protocol,
        "atendente": writer.name if writer is not None else "",
        "empresa": atendimento.company.name,
        "saudacao": hello,
    }
    return _VARIABLE.sub(lambda found: values.get(found[1], found[0]), text)


def greeting(hour: int) -> str:
    """What one wishes at that hour, 0 to 23."""
    if hour < NOON:
        return _("Bom dia")
    return _("Boa tarde") if hour < EVENING else _("Boa noite")
