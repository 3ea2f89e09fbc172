"""What an event of the PABX says, whichever spelling it uses; and what can't be read says why."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from telephony.providers.digitro.channel_events import PabxEvent, UnreadableEvent, read_stored

ID = "08/07/24 10:46:19 010A 0974/00"
TOKEN = uuid.UUID("0123456789abcdef0123456789abcdef")


def raw(name: str, data: Any) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return f"event: {name}\ndata: {text}".encode() if name else f"data: {text}".encode()


@pytest.mark.parametrize(
    ("name", "data", "event"),
    [
        # https://docs-pabx.digitro.com/api-10270983: the name, and the channelID as an integer.
        ("EVENTO_DE_ABERTURA_DE_CANAL", {"channelID": 12}, PabxEvent("EVENTO_DE_ABERTURA_DE_CANAL", channel_id=12)),
        ("", {"EVENTO": "EVENTO_X", "ID_CANAL": "12"}, PabxEvent("EVENTO_X", channel_id=12)),
        ("EVENTO_DE_ABERTURA_DE_CANAL", "12", PabxEvent("EVENTO_DE_ABERTURA_DE_CANAL", channel_id=12)),
        # https://neo1.devgd2.digitro.cloud/neo/cti/docs/03-sse.md
        ("on_open_channel", {"channel_id": 3}, PabxEvent("on_open_channel", channel_id=3)),
        ("E", {"channelID": -1}, PabxEvent("E")),
        ("E", {"channelID": True}, PabxEvent("E")),
        ("E", {"channelID": 2**63}, PabxEvent("E")),
        ("E", {"ID_CHAMADA": ID, "DADOS": TOKEN.hex}, PabxEvent("E", call_id=ID, token=TOKEN)),
        ("E", {"id_chamada": f" {ID} ", "DADOS": f"{TOKEN.hex};VIP"}, PabxEvent("E", call_id=f" {ID} ", token=TOKEN)),
        ("E", {"DADOS": "111222333-44;Fulano"}, PabxEvent("E")),
        ("E", {"DADOS": "0" * 33}, PabxEvent("E")),
        ("E", {"ID_CHAMADA": "x" * 65}, PabxEvent("E")),
        ("E", {"ID_CHAMADA": "a\0b", "RESULTADO": "FAX"}, PabxEvent("E", detail="FAX")),
        ("E", {"ID_CHAMADA": 5, "CAUSA": None}, PabxEvent("E")),
        ("E", "", PabxEvent("E")),
    ],
)  # fmt: skip
def test_an_event_in_our_words(name: str, data: Any, event: PabxEvent) -> None:
    assert read_stored(raw(name, data)) == event


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (raw("E", '{"ID_CHAMADA": '), "not_json"),
        (raw("E", "NaN"), "not_json"),
        (raw("E", "[" * 60_000), "not_json"),
        (raw("E", "9" * 5_000), "not_json"),
        (raw("", {"ID_CHAMADA": ID}), "no_name"),
        (raw("", [1]), "no_name"),
        (raw("E" * 65, {}), "no_name"),
        (b"event: A\x00B\ndata: 1", "no_name"),
        (b'event: E\ndata: {"NOME": "Jo\xe3o"}', "not_text"),
        (b"\x00\x01", "not_sse"),
        (b"", "not_sse"),
        (b"data: " + b"x" * 70_000, "too_large"),
    ],
)
def test_why_an_event_can_not_be_read(body: bytes, reason: str) -> None:
    with pytest.raises(UnreadableEvent) as refused:
        read_stored(body)
    assert refused.value.reason == reason
