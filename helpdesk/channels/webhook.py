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
from callcenter.lib.standard_webhooks import headers, new_message_id
from helpdesk.channels.base import NotDelivered
from helpdesk.states import Platform

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from callcenter.lib.outbound import Answer
    from helpdesk.channels.base import Outgoing
    from helpdesk.models import Channel

EVENT: Final = "mensagem.enviar"
TEST_EVENT: Final = "canal.teste"
# The receiver read it and will never take it.
_PERMANENT: Final = frozenset({400, 410, 413, 422})


def send(outgoing: Outgoing) -> None:
    """Nothing; the gateway has taken the message.

    Errors: `NotDelivered`. Safe to repeat: `webhook-id` stays the message's.
    """
    answer = _posted(
        outgoing.channel, payload(outgoing), message_id=f"msg_{outgoing.message.hash.hex}", before_send=outgoing.renew
    )
    if not 200 <= answer.status_code < 300:
        raise NotDelivered(
            f"HTTP {answer.status_code}",
            permanent=answer.status_code in _PERMANENT,
            retry_after_seconds=answer.retry_after_seconds,
        )


def ping(channel: Channel, *, now: datetime) -> int:
    """The status with which the gateway answers a signed test, which says that it is one.

    Errors: `NotDelivered` when there was no answer.
    """
    body = {"type": TEST_EVENT, "timestamp": now.isoformat(timespec="milliseconds"), "data": {"canal": _named(channel)}}
    return _posted(channel, body, message_id=new_message_id()).status_code


def _posted(
    channel: Channel, body: dict[str, Any], *, message_id: str, before_send: Callable[[], None] | None = None
) -> Answer:
    url, secret = channel.settings.get("url", ""), channel.secret
    if not isinstance(url, str) or not url or not secret:
        raise NotDelivered(_("sem endereço ou segredo"), permanent=True)
    content = json.dumps(body, ensure_ascii=False).encode()
    try:
        signed = headers([secret], message_id=message_id, at=timezone.now(), content=content)
    except (binascii.Error, ValueError) as error:
        raise NotDelivered(_("segredo ilegível"), permanent=True) from error
    try:
        return post(
            url,
            content=content,
            headers={"Content-Type": "application/json", **signed},
            timeouts=Timeouts(settings.WEBHOOK_CONNECT_TIMEOUT_SECONDS, settings.WEBHOOK_TIMEOUT_SECONDS),
            allowed_networks=settings.WEBHOOK_ALLOWED_NETWORKS,
            before_send=before_send,
        )
    except OutboundError as error:
        raise NotDelivered(str(error.failure)) from error


def _named(channel: Channel) -> dict[str, Any]:
    return {
        "codigo_referencia": channel.reference_code,
        "plataforma": channel.platform,
        "plataforma_titulo": str(Platform(channel.platform).label),
    }


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
            "canal": _named(channel),
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
