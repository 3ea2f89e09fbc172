"""What every adapter gets and how it says that a message did not leave.

DomainError
└── NotDelivered   `permanent`: trying again is pointless; else the queue tries later
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.errors import DomainError
from callcenter.lib.outbound import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from helpdesk.models import Atendimento, Attachment, Channel, Message

CONNECT_SECONDS: Final = 5.0
_FAILURES: Final = {
    Failure.BAD_URL: gettext_lazy("o endereço não pode ser usado"),
    Failure.NO_ADDRESS: gettext_lazy("o nome do servidor não existe"),
    Failure.BLOCKED: gettext_lazy("o endereço leva para dentro de uma rede privada"),
    Failure.INSECURE: gettext_lazy("o endereço precisa ser https"),
    Failure.NO_CONNECTION: gettext_lazy("o servidor não aceita conexões"),
    Failure.TLS: gettext_lazy("o certificado do servidor não é válido"),
    Failure.TIMEOUT: gettext_lazy("o servidor demorou demais"),
    Failure.BAD_ANSWER: gettext_lazy("a resposta não é HTTP ou foi cortada"),
}
_CODE: Final = re.compile(r"(HTTP|SMTP) (\d{3})")


class NotDelivered(DomainError):
    """The medium did not take the message; `reason` is a short code for the log and for people."""

    code = "not_delivered"

    def __init__(self, reason: str, *, permanent: bool = False, retry_after_seconds: int | None = None) -> None:
        super().__init__(f"The message did not leave ({reason}).", reason=reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after_seconds = retry_after_seconds


def reason_text(reason: str) -> str:
    """The reason of a `NotDelivered` in words; one that is words already stays."""
    if reason in _FAILURES:
        return str(_FAILURES[Failure(reason)])
    found = _CODE.fullmatch(reason)
    if found is None:
        return reason
    kind, code = found[1], int(found[2])
    if kind == "SMTP":
        text = _("o servidor de e-mail recusou")
        if code in {530, 534, 535}:
            text = _("o servidor de e-mail não aceitou o usuário ou a senha")
        return f"{text} ({reason})"
    return _("o destino respondeu %(answer)s") % {"answer": http_text(code)}


def http_text(code: int) -> str:
    """A status as people look it up: `HTTP 404 Not Found`."""
    try:
        return f"HTTP {code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"HTTP {code}"


@dataclass(frozen=True)
class Outgoing:
    """One message on its way: to `address` on the channel's medium; empty = the medium knows no address.

    `links` = where each attachment can be fetched for some days. `renew` is called right before the first byte leaves,
    and raises when the message is somebody else's by now.
    """

    message: Message
    atendimento: Atendimento
    channel: Channel
    address: str
    attachments: tuple[Attachment, ...]
    links: tuple[str, ...]
    renew: Callable[[], None]
