"""The words of Dígitro's PABX API for placing calls: bodies out, the call's id in. Pure; nothing is sent here.

Source of every field: https://docs-pabx.digitro.com/api-10271002 ("Gerar chamada preditiva"), its example body.

| Field                  | Example                | What it says                                                       |
|------------------------|------------------------|--------------------------------------------------------------------|
| DISPOSITIVO            | "1125000"              | the device that asks, to which an answered call is delivered       |
| SENHA_DISPOSITIVO      | "4567"                 | that device's password                                             |
| ROTA                   | "0"                    | the route out ("normalmente atribui-se o valor 0")                 |
| CONTA                  | "1114000"              | the user's account; "podem (e normalmente são) nulos"              |
| SENHA                  | "1234"                 | the account's password; null with it                               |
| IDENTIDADE_DESTINO     | "04832817000"          | the number to dial: prefix, DDD, subscriber                        |
| MODO_PREDITIVO         | "0"                    | predictive mode; its values are not public                         |
| DADOS                  | "111222333-44;Fulano"  | free data that travels with the call                               |
| IDENTIDADE_ORIGINADOR  | "1112000"              | the number shown to the called person                              |
| CPD                    | "1"                    | call progress detection; its values are not public                 |
| TEMPO_REATENDIMENTO    | "10"                   | seconds in which a called person who hung up may pick up again     |
| TIPO_CPD_DESTINO       | "1"                    | kind of detection; its values are not public                       |
| BLOQUEIO_TELEMARKETING | "NAO"                  | whether numbers blocked for telemarketing are refused: SIM or NAO  |

Every value is a JSON string, numbers too.

Commands about a call under way, and a DAC device. Only the first one's fields are public; the others are taken to be
the same, and to have no more than their names ask for.
Sources: https://docs-pabx.digitro.com/api-10270983 (executa-desvio), https://docs-pabx.digitro.com/api-10271012 (CONTA)

| Operation                                 | Fields beside DISPOSITIVO and SENHA_DISPOSITIVO             |
|-------------------------------------------|-------------------------------------------------------------|
| Redirecionar chamada em Fila DAC          | DISPOSITIVO_DESTINO, ID_CHAMADA, PRIORIDADE "0"-"19", DADOS |
| Finalizar chamada em andamento            | ID_CHAMADA                                                  |
| Transferir chamada imediatamente          | DISPOSITIVO_DESTINO, ID_CHAMADA                             |
| Associar dados a uma chamada              | ID_CHAMADA, DADOS                                           |
| Login/logout em dispositivos DAC          | CONTA, SENHA (may be null), ACAO "LOGIN" or "LOGOUT"        |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from callcenter.lib.phones import has_area_code, national_digits
from telephony.providers.base import Ambiguous, Misconfigured, Refused

PREDICTIVE_CALL_SLUG: Final = "chamada-preditiva"
MAX_CALL_ID_LENGTH: Final = 64
LOWEST_PRIORITY: Final = 19

# The fields of a call by a specific route are not public; taken to be its twin's without those about prediction.
_PREDICTIVE_ONLY: Final = frozenset(
    {"MODO_PREDITIVO", "CPD", "TIPO_CPD_DESTINO", "TEMPO_REATENDIMENTO", "BLOQUEIO_TELEMARKETING"}
)

# DDD and subscriber, mobile or not; 0800 with its code in the DDD's place; 4004 and its like, which have none.
_DIALABLE: Final = re.compile(r"\+55(?:[1-9][0-9]{9,10}|800[0-9]{6}|(?:400[0-9]|3003)[0-9]{4})")
_SLUG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
# What may stand in a header's value (RFC 9110, 5.5), without spaces.
_API_KEY: Final = re.compile(r"[!-~]*")


@dataclass(frozen=True)
class LineAccess:
    """One line's address, credentials and fixed fields at its PABX.

    `channel_id` None = no channel is open, so nothing can be sent. Its repr shows no address and no secret.
    """

    base_url: str = field(repr=False)
    api_key: str = field(repr=False)
    channel_id: int | None
    device: str
    device_password: str = field(repr=False)
    route: str
    account: str
    account_password: str = field(repr=False)
    originator: str = field(repr=False)
    predictive_mode: str
    cpd: str
    cpd_destination_type: str
    reanswer_seconds: int
    telemarketing_block: bool
    dial_prefix: str


@dataclass(frozen=True)
class DeviceAccess:
    """A person's DAC device and account. Its repr shows no secret."""

    device: str
    device_password: str = field(repr=False)
    account: str
    account_password: str = field(repr=False)


def predictive_call_body(line: LineAccess, *, phone_e164: str, data: str) -> dict[str, str | None]:
    """The thirteen fields of a predictive call, in the order of the vendor's example.

    Errors: `Refused` when the number has no DDD or is not Brazilian.
    """
    return {
        "DISPOSITIVO": line.device,
        "SENHA_DISPOSITIVO": line.device_password,
        "ROTA": line.route,
        "CONTA": line.account or None,
        "SENHA": line.account_password or None,
        "IDENTIDADE_DESTINO": dialed_number(phone_e164, line.dial_prefix),
        "MODO_PREDITIVO": line.predictive_mode,
        "DADOS": data,
        "IDENTIDADE_ORIGINADOR": line.originator,
        "CPD": line.cpd,
        "TEMPO_REATENDIMENTO": str(line.reanswer_seconds),
        "TIPO_CPD_DESTINO": line.cpd_destination_type,
        "BLOQUEIO_TELEMARKETING": "SIM" if line.telemarketing_block else "NAO",
    }


def specific_route_body(line: LineAccess, *, phone_e164: str, data: str) -> dict[str, str | None]:
    """The fields of a call by a specific route: those of a predictive call that are not about prediction.

    Errors: as `predictive_call_body`.
    """
    body = predictive_call_body(line, phone_e164=phone_e164, data=data)
    return {name: value for name, value in body.items() if name not in _PREDICTIVE_ONLY}


def finish_body(line: LineAccess, *, call_id: str) -> dict[str, str | None]:
    """The fields that end a call under way."""
    return {**_device(line), "ID_CHAMADA": call_id}


def transfer_body(line: LineAccess, *, call_id: str, to_device: str) -> dict[str, str | None]:
    """The fields that hand a call over to a device at once."""
    return {**_device(line), "DISPOSITIVO_DESTINO": to_device, "ID_CHAMADA": call_id}


def redirect_body(
    line: LineAccess, *, call_id: str, to_device: str, priority: int, data: str = ""
) -> dict[str, str | None]:
    """The fields that move a call that waits in a DAC queue; `priority` 0 (first) to 19.

    Errors: `Refused` for another priority.
    """
    if not 0 <= priority <= LOWEST_PRIORITY:
        raise Refused("The priority must be from 0 to 19.")
    call = {"DISPOSITIVO_DESTINO": to_device, "ID_CHAMADA": call_id, "PRIORIDADE": str(priority)}
    return {**_device(line), **call, "DADOS": data or None}


def associate_body(line: LineAccess, *, call_id: str, data: str) -> dict[str, str | None]:
    """The fields that give a call data that travel with it."""
    return {**_device(line), "ID_CHAMADA": call_id, "DADOS": data}


def dac_body(device: DeviceAccess, *, log_in: bool) -> dict[str, str | None]:
    """The fields that log a person's DAC device in or out."""
    return {
        "DISPOSITIVO": device.device,
        "SENHA_DISPOSITIVO": device.device_password,
        "CONTA": device.account or None,
        "SENHA": device.account_password or None,
        "ACAO": "LOGIN" if log_in else "LOGOUT",
    }


def _device(line: LineAccess) -> dict[str, str | None]:
    return {"DISPOSITIVO": line.device, "SENHA_DISPOSITIVO": line.device_password}


def dialed_number(phone_e164: str, prefix: str) -> str:
    """The number as the PABX dials it: prefix, DDD, subscriber (`04832817000`); no country code, no carrier's.

    A number without a DDD (4004 and its like) is dialed as it is.

    Errors: `Refused` when the number has no DDD or is not Brazilian.
    """
    if not _DIALABLE.fullmatch(phone_e164):
        raise Refused("Only Brazilian numbers with DDD can be dialed.")
    return (prefix if has_area_code(phone_e164) else "") + national_digits(phone_e164)


def encoded_body(body: Mapping[str, str | None]) -> bytes:
    """The JSON to send: ASCII, so that no reading of the charset can change it."""
    return json.dumps(body).encode("ascii")


def request_path(channel_id: int | None, slug: str) -> str:
    """`/requests/{channelID}/<slug>`.

    Errors: `Misconfigured` without an open channel, or when the slug is none.
    """
    if channel_id is None or channel_id < 0:
        raise Misconfigured("The line has no channel.")
    if not _SLUG.fullmatch(slug):
        raise Misconfigured("The operation's name in the URL is missing or has characters that a URL can't hold.")
    return f"/requests/{channel_id}/{slug}"


def request_headers(api_key: str) -> dict[str, str]:
    """The headers of the vendor's example.

    Errors: `Misconfigured` when the key can't stand in a header.
    """
    if not _API_KEY.fullmatch(api_key):
        raise Misconfigured("The API key has characters that a header can't hold.")
    return {"x-api-key": api_key, "Content-Type": "application/json"}


def read_call_id(content: bytes) -> str:
    """`ID_CHAMADA`, byte for byte: opaque, case and spaces included, never trimmed or taken apart.

    Errors: `Ambiguous` when there is none that can be stored; the PABX took the command, so the call may be running.
    """
    try:
        answer = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        answer = None
    call_id = answer.get("ID_CHAMADA") if isinstance(answer, dict) else None
    if not is_storable(call_id):
        raise Ambiguous("The command was received, but the answer has no readable ID_CHAMADA.", status_code=200)
    return str(call_id)


def is_storable(call_id: Any) -> bool:
    """Whether it is a text that can be kept as an ID_CHAMADA."""
    if not isinstance(call_id, str) or not call_id.strip() or len(call_id) > MAX_CALL_ID_LENGTH:
        return False
    # PostgreSQL's text holds neither NUL nor half of a surrogate pair.
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in call_id)
