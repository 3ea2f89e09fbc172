"""Directcall's callback: whatever the bytes, what they say about a call, or one named reason why they can't be read."""

from __future__ import annotations

import contextlib
import json
import urllib.parse
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.providers.directcall import callback
from telephony.providers.directcall.callback import CallbackReport, UnreadableCallback, parse_callback
from telephony.providers.directcall.callback_words import normalized_name

FORM = "application/x-www-form-urlencoded"
CALL_ID = "b683e934-f1d3-4a98-a0d2-16a476dfcdc4"

# The values are those of the vendor's pages on /voz/call, /voz/status and /extrato/list-recordings (pageIds 328829,
# 329624, 329648), verbatim; that a callback combines them so is our deduction.
EVENT = {
    "callerid": CALL_ID,
    "origem": "554198898765",
    "destino": "554133149400",
    "status": "atendeu",
    "inicio": "2013-02-21 18:28:14",
    "duracao": "00:01:05",
    "gravacao_link": "http://www.directdial.com.br/extrato/gravacao/id/7abeb75d342c06f61df4277469bf22443ba1fcb2",
    "pin": "77",
    "campos": {"nome": "São", "CPF": 123},
}


def form(text: str | bytes) -> bytes:
    return b"data=" + urllib.parse.quote_plus(text).encode()


def report(**fields: object) -> CallbackReport:
    """What a callback with these fields and a status says."""
    return parse_callback(form(json.dumps({"status": "atendeu", **fields})), FORM)


def reason(body: bytes, content_type: str = FORM) -> str:
    with pytest.raises(UnreadableCallback) as raised:
        parse_callback(body, content_type)
    assert raised.value.reason in callback.REASONS
    return raised.value.reason


def test_a_callback_as_documented_says_everything() -> None:
    assert parse_callback(form(json.dumps(EVENT)), FORM) == CallbackReport(
        call_id=CALL_ID,
        origin="554198898765",
        origin_e164="+5541998898765",
        destination_e164="+554133149400",
        status_word="atendeu",
        meaning="answered",
        # 18:28:14 in São Paulo; that year's summer time had ended four days before.
        started_at=datetime(2013, 2, 21, 21, 28, 14, tzinfo=UTC),
        duration_seconds=65,
        recording_url=EVENT["gravacao_link"],  # type: ignore[arg-type]
        pin="77",
        custom=(("nome", "São"), ("CPF", "123")),
    )


def test_personal_data_stays_out_of_the_repr() -> None:
    shown = repr(parse_callback(form(json.dumps(EVENT)), FORM))
    assert not [value for value in ("554198898765", "33149400", "gravacao", "São") if value in shown]


WORD = '{"callerid":"a","status":"Não Atendeu","pin":"S\u00e3o"}'
LATIN_1 = WORD.encode("latin-1")
MULTIPART = (
    b'--xyz\r\nContent-Disposition: form-data; name="other"\r\n\r\n1\r\n'
    b'--xyz\r\nContent-Disposition: form-data; name="data"\r\n\r\n%s\r\n--xyz--\r\n'
)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (form(WORD), FORM),
        (form(WORD), f"{FORM}; charset=UTF-8"),
        (form(LATIN_1), FORM),
        (form(LATIN_1), f"{FORM}; charset=ISO-8859-1"),
        (form(WORD), f"{FORM}; charset=ISO-8859-1"),
        (form(WORD), f"{FORM}; charset=no-such-charset"),
        (b"data=" + WORD.replace(" ", "%20").encode(), FORM),
        (b"data=" + WORD.encode(), FORM),
        (b"data=" + LATIN_1, FORM),
        (b"format=json&" + form(WORD) + b"&x", FORM),
        (form(WORD) + b"&" + form(WORD), FORM),
        (form(WORD), ""),
        (form(WORD), "text/plain"),
        (form(WORD) + b"\r\n", FORM),
        (form("\ufeff" + WORD), FORM),
        (b"\xef\xbb\xbf" + form(WORD), FORM),
        (WORD.encode(), "application/json"),
        (LATIN_1, "application/json; charset=ISO-8859-1"),
        (b"\xef\xbb\xbf" + WORD.encode(), "application/json"),
        (WORD.encode(), FORM),
        (LATIN_1, FORM),
        (WORD.encode() + b"=", FORM),
        (urllib.parse.quote_plus(WORD).encode(), FORM),
        (urllib.parse.quote_plus(WORD).encode() + b"=", FORM),
        (form(json.dumps(WORD)), FORM),
        (json.dumps(WORD).encode(), "application/json"),
        (json.dumps({"data": json.loads(WORD)}).encode(), "application/json"),
        (json.dumps({"data": WORD}).encode(), "application/json"),
        (form(f"[{WORD}]"), FORM),
        (MULTIPART % WORD.encode(), "multipart/form-data; boundary=xyz"),
        (MULTIPART % LATIN_1, 'Multipart/Form-Data; charset=x; boundary="xyz"'),
    ],
    ids=[
        "documented", "UTF-8 label", "escaped Latin-1", "escaped Latin-1, labelled", "UTF-8 labelled as Latin-1",
        "unknown charset", "%20", "raw UTF-8", "raw Latin-1", "among other fields", "twice the same",
        "no content type", "as text", "line end", "BOM in the field", "BOM before the form", "JSON", "JSON in Latin-1",
        "JSON with BOM", "JSON labelled as a form", "Latin-1 JSON labelled as a form", "JSON as a key",
        "escaped JSON", "escaped JSON as a key", "JSON in a JSON string", "JSON string", "data as JSON",
        "data as JSON in a string", "list of one", "multipart", "multipart in Latin-1",
    ],
)  # fmt: skip
def test_the_same_event_is_read_in_every_wrapping(body: bytes, content_type: str) -> None:
    found = parse_callback(body, content_type)
    assert (found.call_id, found.status_word, found.meaning) == ("a", "Não Atendeu", "no_answer")
    assert found.pin == "S\u00e3o"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"other=1", "no_data_field"),
        (b"Data=1", "no_data_field"),
        (b"data", "no_data_field"),
        (b"{'callerid': 'a'}", "not_json"),
        (b"data=", "not_json"),
        (form("{'callerid': 'a'}"), "not_json"),
        (form("atendeu"), "not_json"),
        (b'data={"callerid":"a","status":"a&b"}', "not_json"),
        (form('{"status":"atendeu"}{'), "not_json"),
        (form(WORD) + b"&" + form(WORD.replace("a", "b")), "several_data_fields"),
        (form('{"status": NaN}'), "bad_number"),
        (form('{"status": "atendeu", "duracao": Infinity}'), "bad_number"),
        (form('{"status": "atendeu", "duracao": -Infinity}'), "bad_number"),
        (form('{"status": "atendeu", "duracao": 1e999}'), "bad_number"),
        (form('{"status": %s}' % ("9" * 5000)), "bad_number"),
        (form("[" * 100_000), "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (form('{"a":' * 100_000), "too_deep"),
        (form("[]"), "not_an_object"),
        (form("12"), "not_an_object"),
        (form("null"), "not_an_object"),
        (form('["atendeu", "ocupado"]'), "not_an_object"),
        (form(f"[{WORD},{WORD}]"), "several_objects"),
        (form("{}"), "no_status"),
        (form('{"callerid": "a"}'), "no_status"),
        (form('{"callerid": "a", "status": null}'), "no_status"),
        (form('{"callerid": "a", "status": true}'), "no_status"),
        (form('{"callerid": "a", "status": {"x": 1}}'), "no_status"),
        (form('{"api":"voz","modulo":"chamar","status":"ok","codigo":"000","callerid":"a"}'), "api_result"),
        (form('{"status":" OK "}'), "api_result"),
        (form(json.dumps({"status": "atendeu", "callerid": "a" * 129})), "long_call_id"),
        (b"\x1f\x8b\x08\x00garbage", "no_data_field"),
    ],
    ids=lambda value: None if isinstance(value, str) else value[:30].decode("latin-1"),
)
def test_what_can_not_be_read_has_a_named_reason(body: bytes, expected: str) -> None:
    assert reason(body) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"--xyz--", "multipart/form-data; boundary=xyz", "no_data_field"),
        (MULTIPART % b"{", "multipart/form-data; boundary=xyz", "not_json"),
        (MULTIPART % WORD.encode(), "multipart/form-data; boundary=other", "no_data_field"),
        (MULTIPART % WORD.encode(), "multipart/form-data", "no_data_field"),
        (MULTIPART % WORD.encode(), "multipart/form-data; boundary=", "no_data_field"),
        (form(WORD), "multipart/form-data; boundary=xyz\r\nX: y", "no_data_field"),
        (
            b'--xyz\r\nContent-Disposition: form-data; name="data"\r\nContent-Transfer-Encoding: uuencode\r\n\r\n'
            b"\xff\r\n--xyz--",
            "multipart/form-data; boundary=xyz",
            "not_json",
        ),
    ],
)
def test_a_multipart_form_that_is_none_has_a_named_reason(body: bytes, content_type: str, expected: str) -> None:
    assert reason(body, content_type) == expected


def test_every_reason_has_a_sentence_for_staff() -> None:
    for code in callback.REASONS:
        assert str(UnreadableCallback(code)).endswith(".")


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800", "\\udfff", "\\udc00\\ud800"])
def test_text_that_a_database_can_not_hold_is_replaced(bad: str) -> None:
    text = '{"callerid":"a%sb","status":"x%s","origem":"%s1","pin":"%s","campos":{"k%s":"v%s"}}' % ((bad,) * 6)
    found = parse_callback(form(text), FORM)
    everything = "".join((found.call_id, found.status_word, found.origin, found.pin, *found.custom[0]))
    assert "\0" not in everything
    assert everything.encode()
    assert "\ufffd" in found.call_id


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert report(pin="\U0001f600").pin == "\U0001f600"


@pytest.mark.parametrize(
    ("sent", "destination"),
    [
        # The vendor's example is a mobile number from before the ninth digit.
        ("554198898765", "+5541998898765"),
        ("41 9889-8765", "+5541998898765"),
        ("554133149400", "+554133149400"),
        (" 55 41  3017 5726", "+554130175726"),
        ("41 3017-5726", "+554130175726"),
        ("(41) 3017.5726", "+554130175726"),
        ("+55 41 3017 5726", "+554130175726"),
        ("00554130175726", "+554130175726"),
        ("041 3017 5726", "+554130175726"),
        ("5541988887777", "+5541988887777"),
        (5541988887777, "+5541988887777"),
        ("11999998888", "+5511999998888"),
        ("ip4130600300", "+554130600300"),
        ("5535218765", "+555535218765"),  # DDD 55, Santa Maria
        ("55999998888", "+5555999998888"),
        ("5555999998888", "+5555999998888"),
        ("+7 999 111-22-33", ""),
        ("30175726", ""),
        ("ramal 12", ""),
        ("sip:41@10.0.0.1", ""),
        ("0800-FLORES", ""),
        ("", ""),
        (None, ""),
        (True, ""),
        (["554133149400"], ""),
        ("5" * 5000, ""),
        ("٥٥٤١٣٣١٤٩٤٠٠", ""),
    ],
)
def test_a_destination_is_read_as_the_carrier_writes_it(sent: object, destination: str) -> None:
    assert report(destino=sent).destination_e164 == destination


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        ("2013-01-29 10:36:46", datetime(2013, 1, 29, 12, 36, 46, tzinfo=UTC)),
        ("2025-07-01 10:36:46", datetime(2025, 7, 1, 13, 36, 46, tzinfo=UTC)),
        ("20250701103646", datetime(2025, 7, 1, 13, 36, 46, tzinfo=UTC)),
        (20250701103646, datetime(2025, 7, 1, 13, 36, 46, tzinfo=UTC)),
        ("01-07-2025-10-36-46", datetime(2025, 7, 1, 13, 36, 46, tzinfo=UTC)),
        ("01/07/2025 10:36:46", datetime(2025, 7, 1, 13, 36, 46, tzinfo=UTC)),
        ("2025-07-01T10:36:46Z", datetime(2025, 7, 1, 10, 36, 46, tzinfo=UTC)),
        ("2025-07-01T10:36:46.5-03:00", datetime(2025, 7, 1, 13, 36, 46, 500_000, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("0001-01-01 00:00:00", None),
        ("9999-12-31 23:59:59", None),
        ("2025-13-01 10:00:00", None),
        ("2025-07-01", None),
        ("ontem", None),
        (None, None),
    ],
)
def test_a_start_without_zone_is_sao_paulos(sent: object, instant: datetime | None) -> None:
    found = report(inicio=sent).started_at
    assert found == instant
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ("00:00:00", 0), ("01:02:03", 3723), ("100:00:00", 360_000), ("02:03", 123), ("45", 45), (45, 45), (45.9, 45),
        ("999:00:00", None), ("-1", None), (-1, None), ("1:2:3:4", None), ("00:99:00", None), ("um", None), ("", None),
        ("9" * 4000, None), (1e300, None),
    ],
)  # fmt: skip
def test_a_duration_is_seconds_or_nothing(sent: object, seconds: int | None) -> None:
    assert report(duracao=sent).duration_seconds == seconds


@pytest.mark.parametrize(
    ("sent", "meaning"),
    [
        ("atendeu", "answered"), ("ocupado", "busy"), ("desligou", "hangup"), ("atendida", "answered"),
        ("ATENDEU", "answered"), ("  Não Atendeu ", "no_answer"), ("NAO_ATENDEU", "no_answer"),
        ("não-atendida", "no_answer"), ("na\u0303o atendeu", "no_answer"), ("Chamando", "ringing"),
        ("caixa  postal", "machine"), ("no-answer", "no_answer"), ("cancelada", "cancelled"),
        ("rejeitada", "rejected"), ("congestionada", "congestion"), ("falha", "failed"), ("inválido", "invalid"),
        ("fax", "fax"), ("transferida", "unknown"), ("200", "unknown"), (7, "unknown"),
    ],
)  # fmt: skip
def test_a_status_word_means_what_the_table_says(sent: object, meaning: str) -> None:
    assert report(status=sent).meaning == meaning


def test_the_tables_that_staff_edit_decide() -> None:
    body = form('{"Situação_Final":"Foi-se","id":"9","status":"ocupado"}')
    found = parse_callback(
        body, FORM, field_names={"status": ["situacaoFinal"], "call_id": ["x", "id"]}, status_words={"foi se": "hangup"}
    )
    assert (found.call_id, found.status_word, found.meaning) == ("9", "Foi-se", "hangup")


def test_the_first_name_that_holds_something_wins() -> None:
    assert report(destino="", telefone="554133149400").destination_e164 == "+554133149400"
    assert report(destino="554133149400", telefone="554130175726").destination_e164 == "+554133149400"
    assert report(numero_destino="554133149400").destination_e164 == "+554133149400"
    assert report(DESTINO="554133149400").destination_e164 == "+554133149400"


def test_no_default_name_stands_for_two_pieces_of_data_and_every_word_is_normalized() -> None:
    names = [normalized_name(name) for names in callback.DEFAULT_FIELD_NAMES.values() for name in names]
    assert len(names) == len(set(names))
    for word in callback.DEFAULT_STATUS_WORDS:
        assert callback.normalized_word(word) == word
    assert set(callback.DEFAULT_STATUS_WORDS.values()) == {
        "answered", "busy", "no_answer", "hangup", "ringing", "machine", "invalid", "cancelled", "rejected",
        "congestion", "failed", "fax",
    }  # fmt: skip


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//x", "file:///etc/passwd", "https://x/" + "a" * 500, 7])
def test_a_recording_is_a_web_address_or_nothing(url: object) -> None:
    assert report(gravacao_link=url).recording_url == ""


def test_long_texts_are_cut_to_what_can_be_stored() -> None:
    found = report(status="x" * 5000, pin="y" * 5000, origem="z" * 5000, campos={"k" * 5000: "v" * 5000})
    assert (len(found.status_word), len(found.pin), len(found.origin)) == (64, 64, 40)
    assert [len(text) for text in found.custom[0]] == [500, 500]
    assert len(report(campos={str(n): "v" for n in range(1000)}).custom) == 50


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
KNOWN_NAMES = st.sampled_from(sorted(name for names in callback.DEFAULT_FIELD_NAMES.values() for name in names))
CONTENT_TYPES = (
    st.sampled_from([FORM, "application/json", "multipart/form-data; boundary=xyz", "", f"{FORM}; charset=latin-1"])
    | st.text(max_size=60)
    | st.text(max_size=40).map(lambda text: f"multipart/form-data; boundary={text}")
)


def assert_storable(found: CallbackReport) -> None:
    texts = [found.call_id, found.origin, found.destination_e164, found.status_word, found.recording_url, found.pin]
    texts += [text for pair in found.custom for text in pair]
    assert all(text.encode() and "\0" not in text for text in texts if text)
    assert found.status_word
    assert len(found.call_id) <= 128
    assert found.started_at is None or found.started_at.tzinfo is UTC


@given(st.binary(max_size=400), CONTENT_TYPES)
def test_no_bytes_raise_anything_else(body: bytes, content_type: str) -> None:
    with contextlib.suppress(UnreadableCallback):
        assert_storable(parse_callback(body, content_type))


@given(st.binary(max_size=200), st.text(max_size=80))
def test_no_multipart_raises_anything_else(content: bytes, headers: str) -> None:
    body = b"--xyz\r\nContent-Disposition: form-data; name=data\r\n" + headers.encode() + b"\r\n\r\n" + content
    with contextlib.suppress(UnreadableCallback):
        assert_storable(parse_callback(body + b"\r\n--xyz--", "multipart/form-data; boundary=xyz"))


@given(st.dictionaries(KNOWN_NAMES, JSON_VALUES, max_size=8), CONTENT_TYPES, st.booleans())
def test_no_values_raise_anything_else(fields: dict[str, object], content_type: str, as_form: bool) -> None:
    text = json.dumps(fields)
    body = form(text) if as_form else text.encode()
    with contextlib.suppress(UnreadableCallback):
        assert_storable(parse_callback(body, content_type))


@given(st.text(st.characters(), max_size=60))
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = callback.normalized_word(text)
    assert callback.normalized_word(once) == once
