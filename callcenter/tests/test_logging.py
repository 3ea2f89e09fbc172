"""Log records and error reports hold no phone number, token, password or webhook secret."""

from __future__ import annotations

import json
import logging
from types import TracebackType
from typing import TypeAlias

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter, get_exception_reporter_class, get_exception_reporter_filter

from callcenter.lib.logging import JsonFormatter, RedactingFormatter, Reporter, ReporterFilter, redacted

Raised: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]


def record(message: str, *arguments: object, exc_info: Raised | None = None) -> logging.LogRecord:
    return logging.LogRecord("telephony", logging.INFO, "file.py", 1, message, arguments, exc_info)


def raised(message: str) -> Raised:
    """What `sys.exc_info()` tells of an error, whose frame has a variable that shows the message in capitals."""

    def fail(local_of_the_frame: str) -> None:
        raise ValueError(local_of_the_frame.lower())

    with pytest.raises(ValueError, match=message.lower()) as caught:
        fail(message.upper())
    return caught.type, caught.value, caught.tb


def chained(cause: str, text: str) -> Raised:
    """What `sys.exc_info()` tells of an error that another one led to; its source lines hold neither text."""
    nothing: dict[str, str] = {}

    def fail() -> str:
        try:
            return nothing[cause]
        except KeyError as error:
            raise ValueError(text) from error

    with pytest.raises(ValueError, match="SENHA") as caught:
        fail()
    return caught.type, caught.value, caught.tb


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("dialing +55 (11) 99999-8888 now", "99999"),
        ("dialing 11999998888", "1199999"),
        ("destino=5511999998888&x=1", "55119999"),
        ("GET /api/2.0/call_requests?token=abc123 200", "abc123"),
        ("POST /webhooks/directcall/s3cr3t-path 200", "s3cr3t"),
        ('{"senha_dispositivo": "4567 x"}', "4567"),
        ("{'access_token': 'eyJhbGci'}", "eyJhbGci"),
        ("x-api-key: k-123", "k-123"),
        ("client_secret=123456", "123456"),
        ("Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("authorization = Bearer eyJhbGciOi.J9", "eyJhbGciOi"),
        ("sent with Bearer eyJhbGciOi.J9", "eyJhbGciOi"),
        ("Authorization: Basic YTo=", "YTo="),
        ("redis://:s3cret@127.0.0.1:6379/0 refused", "s3cret"),
        ("callback https://usuario:senha-x@dominio.example/x", "senha-x"),
        ("GET /x?key=abc123", "abc123"),
        ("Cookie: sessionid=abc123; csrftoken=def456", "def456"),
        (r"body {\"SENHA\": \"4567 x\"}", "4567"),
        ("{'SENHA_DISPOSITIVO': '4567'}", "4567"),
        ("CONTA=1114000 x", "1114000"),
        ("GET /api/Atendimento/X?token=abc&json=%7B%22Nome%22%3A%22Ana%22%7D", "Ana"),
        ("GET /voz/status?access_token=abc123&origem=1112000", "abc123"),
        ('"DADOS": "111222333-44;Fulano"', "Fulano"),
        ("telefone_celular: 3333", "3333"),
    ],
)
def test_a_secret_does_not_reach_the_log(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "attempt 12 placed in 0.35 s",
        "at 2026-11-23 12:30:45",
        "due at 2026-11-23T02:26:20.123+00:00",
        "attempt 123e4567-e89b-12d3-a456-426614174000",
        "listening on 127.0.0.1:8000",
        "192.168.100.200 asked for 4321 bytes",
        "attempt 12345678-1234-1234-1234-123456789012",
        "call 08/07/24 10:46:19 010A 0974/00",
        "at 23/11/2026 12:30:45 42 calls",
        "request 1234567 of 9999999",
        "https://pabx.example/requests/1/chamada-preditiva",
    ],
)
def test_what_an_operator_needs_stays_readable(text: str) -> None:
    assert redacted(text) == text


@pytest.mark.parametrize(
    "phone",
    [
        "+5511999998888", "5511999998888", "11999998888", "999998888", "99999-8888", "(11) 99999-8888",
        "11 99999 8888", "011 99999-8888", "0 15 11 99999-8888", "+55 (11) 9.9999-8888", "+55-11-99999-8888",
        "tel:+5511999998888", "tel:99999-8888", "ip11999998888", "04832817000", "+7(999)111-22-33",
        "11/99999-8888", "%2B5511999998888", "%2B55%2011%2099999-8888", "/calls/5511999998888/", "5511999998888.wav",
        "_5511999998888_", "[11999998888]", "55\u00a011\u00a099999\u20118888",
        "１１９９９９９８８８８",
    ],
)  # fmt: skip
def test_of_a_phone_number_the_log_keeps_four_digits_however_it_is_spelled(phone: str) -> None:
    found = redacted(f"calling {phone} failed")
    digits = "".join(character for character in phone.replace("%2B", "").replace("%20", "") if character.isdigit())
    assert f"…{digits[-4:]}" in found
    assert digits[-7:-4] not in found
    assert found.startswith("calling ")
    assert found.endswith(" failed")


def test_a_record_is_one_line_whatever_a_caller_sends() -> None:
    line = RedactingFormatter().format(record("name %s", "a\nFORGED\r\x1b[31m"))
    assert "\n" not in line
    assert "\x1b" not in line
    assert line.endswith(r"INFO telephony name a\nFORGED\r\x1b[31m")


@pytest.mark.parametrize("character", ["\n", "\r", "\x00", "\x85", "\x1b", "\x7f", "\u2028", "\u2029", "\ud800"])
def test_no_character_of_a_caller_ends_the_line_or_breaks_the_stream(character: str) -> None:
    for formatter in (RedactingFormatter(), JsonFormatter()):
        line = formatter.format(record("name %s", f"a{character}FORGED"))
        assert len(line.splitlines()) == 1
        assert line.encode().count(b"FORGED") == 1
        assert character not in line


def test_a_traceback_keeps_its_lines_and_loses_its_secrets() -> None:
    text = RedactingFormatter().format(record("failed", exc_info=raised("token=abc123 for 11999998888")))
    assert "Traceback" in text
    assert len(text.splitlines()) > 3
    assert "abc123" not in text
    assert "11999998888" not in text


@pytest.mark.parametrize(("level", "is_told"), [(logging.WARNING, False), (logging.ERROR, True)])
def test_a_refused_request_leaves_one_line_and_a_failed_one_its_traceback(level: int, is_told: bool) -> None:
    refusal = record("Forbidden: /admin/x", exc_info=raised("no"))
    refusal.name, refusal.levelno = "django.request", level

    assert ("Traceback" in RedactingFormatter().format(refusal)) is is_told
    assert ("trace" in json.loads(JsonFormatter().format(refusal))) is is_told


def test_the_json_format_is_one_masked_object_a_record() -> None:
    text = JsonFormatter().format(record("ligação %s", "11999998888", exc_info=raised("password=hunter2")))
    entry = json.loads(text)
    assert entry["level"] == "INFO"
    assert entry["logger"] == "telephony"
    assert entry["message"] == "ligação …8888"
    assert entry["at"].endswith("+00:00")
    assert "hunter2" not in text


def test_an_error_report_shows_no_form_field_no_variable_and_no_secret_setting() -> None:
    request = RequestFactory().post("/admin/", {"senha": "hunter2", "name": "Maria of the form"})
    request.exception_reporter_filter = ReporterFilter()
    error = raised("broken")
    text = ExceptionReporter(request, *error).get_traceback_text()
    html = ExceptionReporter(request, *error).get_traceback_html()
    for secret in ("hunter2", "Maria of the form", "BROKEN", "only-for-tests"):
        assert secret not in text
        assert secret not in html


@pytest.mark.parametrize("secret", ["t0ken-of-the-query", "s3cret-path", "hunter2", "99999", "4567 x", "c00kie"])
def test_an_error_report_shows_nothing_of_the_address_the_cookies_or_the_errors_that_led_to_it(secret: str) -> None:
    request = RequestFactory().get(
        "/webhooks/directcall/s3cret-path?token=t0ken-of-the-query&json=%7B%22SENHA%22%3A%22hunter2%22%7D",
        headers={"Referer": "https://x.example/?access_token=t0ken-of-the-query", "Cookie": "sessionid=c00kie"},
    )
    error = chained("TELEFONE=(11) 99999-8888", "SENHA_DISPOSITIVO='4567 x' for 11999998888, CONTA: hunter2")
    reporter = Reporter(request, *error)
    text, page = reporter.get_traceback_text(), reporter.get_traceback_html()
    assert "ValueError" in text
    assert "ValueError" in page
    assert secret not in text
    assert secret not in page


def test_django_makes_its_reports_by_these_classes() -> None:
    request = RequestFactory().get("/")
    assert str(get_exception_reporter_class(request)) == str(Reporter)
    assert isinstance(get_exception_reporter_filter(None), ReporterFilter)
