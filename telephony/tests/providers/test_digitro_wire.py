"""The words of the PABX: the vendor's example to the letter, and the call's id byte for byte."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.providers.base import Ambiguous, Misconfigured, Refused
from telephony.providers.digitro import wire
from telephony.tests.providers.lines import (
    API_KEY,
    EXAMPLE_ANSWER,
    EXAMPLE_BODY,
    EXAMPLE_CALL_ID,
    EXAMPLE_DATA,
    EXAMPLE_PHONE,
    example_line,
)


def test_the_body_is_the_vendors_example_to_the_letter() -> None:
    body = wire.predictive_call_body(example_line(), phone_e164=EXAMPLE_PHONE, data=EXAMPLE_DATA)
    assert json.dumps(body, indent=4) == EXAMPLE_BODY
    assert json.loads(wire.encoded_body(body)) == json.loads(EXAMPLE_BODY)


def test_a_blank_account_is_null_and_everything_else_is_text() -> None:
    line = example_line(account="", account_password="", telemarketing_block=True, reanswer_seconds=0)
    body = wire.predictive_call_body(line, phone_e164="+5511999998888", data="")
    assert body["CONTA"] is None
    assert body["SENHA"] is None
    assert body["BLOQUEIO_TELEMARKETING"] == "SIM"
    assert body["TEMPO_REATENDIMENTO"] == "0"
    assert {name for name, value in body.items() if not isinstance(value, str)} == {"CONTA", "SENHA"}


def test_a_call_by_route_has_the_same_fields_without_those_about_prediction() -> None:
    body = wire.specific_route_body(example_line(), phone_e164=EXAMPLE_PHONE, data=EXAMPLE_DATA)
    assert list(body) == [
        "DISPOSITIVO", "SENHA_DISPOSITIVO", "ROTA", "CONTA", "SENHA", "IDENTIDADE_DESTINO", "DADOS",
        "IDENTIDADE_ORIGINADOR",
    ]  # fmt: skip
    assert body == {name: json.loads(EXAMPLE_BODY)[name] for name in body}


@pytest.mark.parametrize(
    ("phone", "prefix", "dialed"),
    [
        ("+554832817000", "0", "04832817000"),
        ("+5511999998888", "0", "011999998888"),
        ("+5511999998888", "", "11999998888"),
        ("+5511999998888", "9021", "902111999998888"),
        ("+558007771234", "0", "08007771234"),
        ("+55800123456", "0", "0800123456"),
        ("+5540041234", "0", "40041234"),
    ],
)
def test_the_number_is_dialed_with_prefix_and_ddd_and_without_the_country_code(
    phone: str, prefix: str, dialed: str
) -> None:
    assert wire.dialed_number(phone, prefix) == dialed


@pytest.mark.parametrize(
    "phone", ["", "+79991112233", "4832817000", "+5532817000", "+55483281700000", "+55 48 32817000"]
)
def test_a_number_that_is_not_brazilian_with_ddd_is_refused_and_not_quoted(phone: str) -> None:
    with pytest.raises(Refused) as raised:
        wire.dialed_number(phone, "0")
    assert not phone or phone not in str(raised.value)


def test_data_with_accents_travels_as_ascii() -> None:
    body = wire.predictive_call_body(example_line(), phone_e164=EXAMPLE_PHONE, data="João")
    assert b"Jo\\u00e3o" in wire.encoded_body(body)


def test_the_repr_of_a_line_shows_no_secret() -> None:
    shown = repr(example_line())
    for secret in (API_KEY, "4567", "1234", "127.0.0.1", "1112000"):
        assert secret not in shown


@pytest.mark.parametrize("slug", ["", " ", "a/b", "../x", "a?b", "á", "a b", "-a"])
def test_a_slug_that_would_change_the_path_is_misconfigured(slug: str) -> None:
    with pytest.raises(Misconfigured):
        wire.request_path(7, slug)


def test_an_api_key_that_would_break_the_header_is_misconfigured_and_not_quoted() -> None:
    with pytest.raises(Misconfigured) as raised:
        wire.request_headers("secret\r\nX-Injected: 1")
    assert "secret" not in str(raised.value)


def test_the_vendors_answer_gives_the_id_byte_for_byte() -> None:
    assert wire.read_call_id(EXAMPLE_ANSWER) == EXAMPLE_CALL_ID
    assert wire.read_call_id(b"\xef\xbb\xbf" + EXAMPLE_ANSWER) == EXAMPLE_CALL_ID


@pytest.mark.parametrize("call_id", [" x ", "\t1\n", "a" * 64, "Ção/%20", "0"])
def test_an_id_is_opaque_and_never_trimmed(call_id: str) -> None:
    assert wire.read_call_id(json.dumps({"ID_CHAMADA": call_id}).encode()) == call_id
    assert wire.read_call_id(json.dumps({"ID_CHAMADA": call_id}, ensure_ascii=False).encode()) == call_id


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"null", b"OK", b"<html></html>", b'{"ID_CHAMADA": null}', b'{"ID_CHAMADA": 12}',
        b'{"ID_CHAMADA": ""}', b'{"ID_CHAMADA": "   "}', b'{"ID_CHAMADA": ["x"]}', b'{"id_chamada": "x"}',
        b'{"ID_CHAMADA": "a\\u0000b"}', b'{"ID_CHAMADA": "\\ud800"}', b'{"ID_CHAMADA": "' + b"a" * 65 + b'"}',
        b'{"ID_CHAMADA": "x"', b'{"ID_CHAMADA": "\xff\xfe"}', b"[" * 60000, b"1" * 5000,
    ],
)  # fmt: skip
def test_an_answer_without_a_readable_id_is_ambiguous(content: bytes) -> None:
    with pytest.raises(Ambiguous) as raised:
        wire.read_call_id(content)
    assert raised.value.status_code == 200


@given(st.binary(max_size=300))
def test_no_answer_makes_the_reader_fail_in_another_way(content: bytes) -> None:
    with contextlib.suppress(Ambiguous):
        assert wire.read_call_id(content)
