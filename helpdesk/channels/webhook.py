"""Any gateway by a signed POST: one message a request, under an id that a repetition keeps.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import binascii
import json
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from callcenter.lib.outbound import OutboundError, Timeouts, post
from callcenter.lib.standard_webhooks import headers
from helpdesk.channels.base import NotDelivered
from helpdesk.states import Platform

if TYPE_CHECKING:
    from helpdesk.channels.base import Outgoing

EVENT: Final = "mensagem.enviar"
# The receiver read it and will never take it.
_PERMANENT: Final = frozenset({400, 410, 413, 422})


def send(outgoing: Outgoing) -> None:
    """Nothing; the gateway has taken the message.

    Errors: `NotDelivered`. Safe to repeat: `webhook-id` stays the message's.
    """
    url, secret = outgoing.channel.settings.get("url", ""), outgoing.channel.secret
    if not isinstance(url, str) or not url or not secret:
        raise NotDelivered(_("sem endereço ou segredo"), permanent=True)
    now, content = timezone.now(), json.dumps(payload(outgoing), ensure_ascii=False).encode()
    try:
        signed = headers([secret], message_id=f"msg_{outgoing.message.hash.hex}", at=now, content=content)
    except (binascii.Error, ValueError) as error:
        raise NotDelivered(_("segredo ilegível"), permanent=True) from error
    try:
        answer = post(
            url,
            content=content,
            headers={"Content-Type": "application/json", **signed},
            timeouts=Timeouts(settings.WEBHOOK_CONNECT_TIMEOUT_SECONDS, settings.WEBHOOK_TIMEOUT_SECONDS),
            allowed_networks=settings.WEBHOOK_ALLOWED_NETWORKS,
            before_send=outgoing.renew,
        )
    except OutboundError as error:
        raise NotDelivered(str(error.failure)) from error
    if not 200 <= answer.status_code < 300:
        raise NotDelivered(
            f"HTTP {answer.status_code}",
            permanent=answer.status_code in _PERMANENT,
            retry_after_seconds=answer.retry_after_seconds,
        )


def payload(outgoing: Outgoing) -> dict[str, Any]:
    """The body, as `docs/channels.md` describes it."""
    message, atendimento, channel = outgoing.message, outgoing.atendimento, outgoing.channel
    contact, author = atendimento.contact, message.attendant
    return {
        "type": EVENT,
        "timestamp": message.created_at.isoformat(timespec="milliseconds"),
        "data": {
            "mensagem": str(message.hash),
            "numero": message.number,
            "texto": message.text,
            "automatica": message.is_automatic,
            "autor": author.name if author is not None else None,
            "canal": {
                "codigo_referencia": channel.reference_code,
                "plataforma": channel.platform,
                "plataforma_titulo": str(Platform(channel.platform).label),
            },
            "atendimento": {"hash": str(atendimento.hash), "protocolo": atendimento.protocol},
            "contato": {
                "hash": str(contact.hash) if contact is not None else None,
                "nome": contact.name if contact is not None else None,
                "endereco": outgoing.address,
            },
            "anexos": [
                {"nome": file.name, "tipo": file.content_type, "tamanho": file.size, "url": link}
                for file, link in zip(outgoing.attachments, outgoing.links, strict=True)
            ],
        },
    }
