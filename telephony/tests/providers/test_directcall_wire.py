"""Directcall's envelopes as the vendor's pages print them, with their irregularities."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.providers.base import Misconfigured, ProviderError, Refused, Unauthorized, Unavailable
from telephony.providers.directcall import wire

# https://docs.api.directcall.com.br/wiki/spaces/cloudapi/pages/950367, the example of a SUCCESS, verbatim.
REGISTERED = (
    b'{"api":"sms","modulo":"add-callback-status-chamada","status":"ok","codigo":"001",'
    b'"msg":"URL de Callback cadastrada com sucesso.","code":"7cfa08f1bdc011d524d8ec8bbceb7d06df237a14"}'
)
CODE = "7cfa08f1bdc011d524d8ec8bbceb7d06df237a14"
# The answer of /voz/call inside https://docs.api.directcall.com.br/wiki/x/TIJkAQ, verbatim.
CALLED = (
    b'{"api":"voz","modulo":"chamar","status":"ok","codigo":"000",'
    b'"msg":"Completando a sua ligacao, por favor aguarde!","callerid":"b683e934-f1d3-4a98-a0d2-16a476dfcdc4"}'
)


def envelope_of(codigo: str, status: str = "erro", modulo: str = "x") -> wire.Envelope:
    content = f'{{"api":"voz","modulo":"{modulo}","status":"{status}","codigo":"{codigo}","msg":"segredo"}}'
    return wire.read_envelope(content.encode())


def test_the_vendors_example_of_a_registration_is_a_success_in_spite_of_its_001() -> None:
    envelope = wire.read_envelope(REGISTERED)
    assert envelope.is_success
    assert envelope.text("code") == CODE


def test_001_is_a_failure_everywhere_else() -> None:
    assert not envelope_of("001", status="ok", modulo="chamar").is_success
    # And in a registration without a code.
    assert not envelope_of("001", status="ok", modulo="add-callback-status-chamada").is_success
    assert not wire.read_envelope(REGISTERED.replace(b'"ok"', b'"erro"')).is_success


def test_the_vendors_example_of_a_call_is_a_success() -> None:
    envelope = wire.read_envelope(CALLED)
    assert envelope.is_success
    assert envelope.text("callerid") == "b683e934-f1d3-4a98-a0d2-16a476dfcdc4"


@pytest.mark.parametrize(
    "content",
    [
        b"[" + REGISTERED + b"]",
        b"\xef\xbb\xbf" + REGISTERED,
        b"\r\n " + REGISTERED,
        REGISTERED.replace(b'"001"', b"1"),
        REGISTERED.replace(b'"ok"', b'" OK "'),
        REGISTERED.replace(b"sucesso.", b"\xea\xeato"),
    ],
    ids=["in a list", "with BOM", "after blanks", "number as code", "OK in capitals", "in Latin-1"],
)
def test_an_irregular_envelope_is_read_all_the_same(content: bytes) -> None:
    envelope = wire.read_envelope(content)
    assert envelope.is_success
    assert envelope.codigo == "001"


@pytest.mark.parametrize(
    "content",
    [
        b"<?xml version='1.0' encoding='utf-8'?><directcall><api>voz</api><modulo>add-callback</modulo>"
        b"<status>ok</status><codigo>000</codigo><msg>ok</msg><code>abc</code></directcall>",
        b"<directcall><result><status>ok</status><codigo>000</codigo><code>abc</code></result></directcall>",
        b"<?xml version='1.0' encoding='ISO-8859-1'?><directcall><status>ok</status><codigo>000</codigo>"
        b"<msg>\xe9</msg><code>abc</code></directcall>",
    ],
)
def test_an_envelope_in_xml_is_read(content: bytes) -> None:
    envelope = wire.read_envelope(content)
    assert envelope.is_success
    assert envelope.text("code") == "abc"


def test_the_token_in_xml_is_read() -> None:
    assert wire.read_envelope(b"<oauth><access_token>t0k</access_token></oauth>").text("access_token") == "t0k"


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<directcall><status>&c;</status></directcall>"
)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"ok", b"[]", b"null", b'"x"', b"{", b"[{},{}]", b"[" * 60_000, b"1" * 5000, b"<", b"<a>", b"\x00",
        b"<html><body>Erro</body>",
        BOMB.encode(),
        BOMB.replace("DOCTYPE", "doctype").encode(),
        BOMB.encode("utf-16"),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a><b>c</b></a>',
    ],
)  # fmt: skip
def test_what_is_no_envelope_is_unreadable(content: bytes) -> None:
    with pytest.raises(wire.UnreadableAnswer):
        wire.read_envelope(content)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"<a>{text}</a>".encode()))
def test_no_answer_makes_the_reader_fail_in_another_way(content: bytes) -> None:
    with contextlib.suppress(wire.UnreadableAnswer):
        envelope = wire.read_envelope(content)
        assert isinstance(envelope.error(), ProviderError)


@pytest.mark.parametrize(
    ("codigo", "kind"),
    [
        ("001", Refused), ("009", Refused), ("003", Refused), ("010", Refused), ("999", Refused), ("", Refused),
        ("002", Unavailable), ("004", Unavailable), ("005", Unavailable), ("007", Unavailable), ("008", Unavailable),
        ("011", Unavailable), ("006", Unauthorized),
        ("100", Misconfigured), ("101", Misconfigured), ("102", Misconfigured), ("200", Misconfigured),
        ("201", Misconfigured),
    ],
)  # fmt: skip
def test_each_return_code_asks_of_us_what_its_row_says(codigo: str, kind: type[ProviderError]) -> None:
    error = envelope_of(codigo).error()
    assert type(error) is kind
    assert "segredo" not in f"{error} {error.context}"


def test_an_unknown_code_is_not_quoted() -> None:
    assert "s3cret" not in f"{envelope_of('s3cret').error()} {envelope_of('s3cret').error().context}"


def test_error_description_in_place_of_the_envelope_asks_for_a_new_token() -> None:
    envelope = wire.read_envelope(b'{"error":"invalid_token","error_description":"The access token expired"}')
    assert envelope.needs_new_token
    assert not envelope.is_success
    both = wire.read_envelope(b'{"status":"ok","codigo":"000","error_description":"x"}')
    assert both.needs_new_token
    assert not both.is_success


ONE = {"code": CODE, "url": "https://u:p@call.example/", "pin": "77"}


@pytest.mark.parametrize(
    "content",
    [
        b'{"status":"ok","codigo":"000","total":1,"msg":[%s]}',
        b'{"status":"ok","codigo":"000","total":"1","data":[%s]}',
        b'{"status":"ok","codigo":"000","total":1,"data":{"0":%s}}',
        b'{"status":"ok","codigo":"000","total":1,"list":{"callbacks":[%s]}}',
        b'[{"status":"ok","codigo":"000","total":1,"data":%s}]',
    ],
)
def test_the_list_of_callbacks_is_found_wherever_it_lies(content: bytes) -> None:
    one = b'{"code":"%s","url":"https://u:p@call.example/","pin":"77"}' % CODE.encode()
    assert wire.read_callbacks(wire.read_envelope(content % one)) == [wire.RegisteredCallback(**ONE)]


def test_a_list_that_is_json_in_a_string_is_read_as_in_the_older_methods() -> None:
    content = b'{"status":"ok","codigo":"000","total":1,"data":"[{\\"code\\":\\"c\\",\\"url\\":\\"u\\"}]"}'
    assert wire.read_callbacks(wire.read_envelope(content)) == [wire.RegisteredCallback(code="c", url="u")]


def test_a_list_in_xml_is_read() -> None:
    content = (
        b"<directcall><status>ok</status><codigo>000</codigo><total>2</total><msg><item><code>a</code><url>u</url>"
        b"<pin/></item><item><code>b</code><url>v</url><pin/></item></msg></directcall>"
    )
    assert [each.code for each in wire.read_callbacks(wire.read_envelope(content))] == ["a", "b"]


def test_an_empty_list_is_empty_and_one_that_hides_is_not() -> None:
    assert wire.read_callbacks(wire.read_envelope(b'{"status":"ok","codigo":"000","total":0,"msg":[]}')) == []
    with pytest.raises(wire.UnreadableAnswer):
        wire.read_callbacks(wire.read_envelope(b'{"status":"ok","codigo":"000","total":2,"msg":"see page 2"}'))


def test_the_repr_of_a_callback_shows_no_password() -> None:
    assert "u:p" not in repr(wire.RegisteredCallback(**ONE))
