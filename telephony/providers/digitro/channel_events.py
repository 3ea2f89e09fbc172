"""What an event of the PABX's channel says: its name, the call it is about, the channel's number. Pure.

The vendor publishes one name, `EVENTO_DE_ABERTURA_DE_CANAL`, and no payload. So the name is taken from the stream's
`event` field or from the object, the fields under the spellings of this API and of its siblings, and what a name means
is a table in the admin; `DEFAULT_EVENT_NAMES` fills it with the words of our simulator.

Sources: https://docs-pabx.digitro.com/api-10270983 (channelID); https://docs-cti.digitro.com/doc-646020 (siblings)
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from telephony.providers.digitro.sse import Packet, PacketParser
from telephony.providers.digitro.wire import is_storable
from telephony.states import ChannelNews, Meaning

OPENING_EVENT: Final = "EVENTO_DE_ABERTURA_DE_CANAL"
MAX_NAME_LENGTH: Final = 64

# Name, result, meaning. Only the first is the vendor's.
DEFAULT_EVENT_NAMES: Final[tuple[tuple[str, str, str], ...]] = (
    (OPENING_EVENT, "", ChannelNews.OPENED),
    ("EVENTO_DE_FECHAMENTO_DE_CANAL", "", ChannelNews.CLOSED),
    ("EVENTO_CHAMADA_CHAMANDO", "", Meaning.RINGING),
    ("EVENTO_CHAMADA_ATENDIDA", "", Meaning.ANSWERED),
    ("EVENTO_CHAMADA_ENCERRADA", "", Meaning.HANGUP),
    ("EVENTO_CHAMADA_OCUPADA", "", Meaning.BUSY),
    ("EVENTO_CHAMADA_NAO_ATENDIDA", "", Meaning.NO_ANSWER),
    ("EVENTO_CHAMADA_INVALIDA", "", Meaning.INVALID),
    ("EVENTO_CHAMADA_CONGESTIONADA", "", Meaning.CONGESTION),
    ("EVENTO_RESULTADO_CPD", "SECRETARIA", Meaning.MACHINE),
    ("EVENTO_RESULTADO_CPD", "FAX", Meaning.FAX),
    # That a person was heard is told again by "atendida".
    ("EVENTO_RESULTADO_CPD", "HUMANO", Meaning.ANSWERED),
    ("EVENTO_CHAMADA_TRANSFERIDA", "", ChannelNews.NOTHING),
    ("EVENTO_CHAMADA_DESVIADA", "", ChannelNews.NOTHING),
    ("EVENTO_DADOS_ASSOCIADOS", "", ChannelNews.NOTHING),
    ("EVENTO_LOGIN_DAC", "", ChannelNews.NOTHING),
    ("EVENTO_LOGOUT_DAC", "", ChannelNews.NOTHING),
)

# Names of fields, in capitals and without what is neither letter nor digit.
_NAME_FIELDS: Final = ("EVENTO", "NOMEEVENTO", "TIPOEVENTO", "EVENT")
_CALL_ID_FIELDS: Final = ("IDCHAMADA", "CALLID")
_DATA_FIELDS: Final = ("DADOS", "DADOSASSOCIADOS", "ASSOCIATEDDATA")
_CHANNEL_FIELDS: Final = ("CHANNELID", "IDCANAL", "CANAL", "CHANNEL")
_RESULT_FIELDS: Final = ("RESULTADO", "RESULTADOCPD", "CAUSA", "RESULT", "CAUSE")
_TOKEN: Final = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_NOT_ALPHANUMERIC: Final = re.compile(r"[^A-Z0-9]")
_MAX_CHANNEL_ID: Final = 2**63 - 1


# Why a packet is no event, for people.
REASONS: Final = {
    "cut": _("o canal caiu no meio do evento"),
    "too_large": _("o evento é grande demais"),
    "not_sse": _("não é um evento"),
    "not_text": _("o texto não é UTF-8"),
    "not_json": _("os dados não são JSON"),
    "no_name": _("o evento não tem nome que se possa guardar"),
}


class UnreadableEvent(Exception):
    """The packet is no event; `reason` says why: cut, too_large, not_sse, not_text, not_json, no_name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class PabxEvent:
    """One event in our words; what it does not say is empty. `token` is ours, found in DADOS."""

    name: str
    detail: str = ""
    call_id: str = ""
    token: uuid.UUID | None = None
    channel_id: int | None = None


def read_stored(raw: bytes) -> PabxEvent:
    """What a stored block says, read anew.

    Errors: `UnreadableEvent`.
    """
    parser = PacketParser()
    packets = [*parser.feed(raw + b"\n\n")]
    if len(packets) != 1:
        raise UnreadableEvent("not_sse")
    return read_event(packets[0])


def read_event(packet: Packet) -> PabxEvent:
    """What the packet says.

    Errors: `UnreadableEvent`.
    """
    if packet.problem:
        raise UnreadableEvent(packet.problem)
    try:
        name, text = packet.name.decode().strip(), packet.data.decode()
    except UnicodeDecodeError:
        raise UnreadableEvent("not_text") from None
    fields = _fields(text)
    if not name or name == "message":
        name = _text(fields, _NAME_FIELDS)
    if not name or len(name) > MAX_NAME_LENGTH or not name.isprintable():
        raise UnreadableEvent("no_name")
    call_id = _text(fields, _CALL_ID_FIELDS)
    return PabxEvent(
        name=name,
        detail=_text(fields, _RESULT_FIELDS).strip()[:MAX_NAME_LENGTH],
        call_id=call_id if is_storable(call_id) else "",
        token=_token(_text(fields, _DATA_FIELDS)),
        channel_id=_channel_id(fields),
    )


def _fields(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UnreadableEvent("not_json") from None
    if isinstance(value, dict):
        return {_NOT_ALPHANUMERIC.sub("", key.upper()): item for key, item in value.items()}
    # An opening event may carry nothing but the number.
    return {"CHANNELID": value}


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _text(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    """The first of these fields that holds a text that can be stored, byte for byte."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value and not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
            return value
    return ""


def _token(data: str) -> uuid.UUID | None:
    found = _TOKEN.search(data)
    return uuid.UUID(found[0]) if found else None


def _channel_id(fields: dict[str, Any]) -> int | None:
    for name in _CHANNEL_FIELDS:
        value = fields.get(name)
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_CHANNEL_ID:
            return value
    return None
