"""The carrier's callback: who gets in, what is kept whatever it is, and that no secret or number leaves in a log."""

from __future__ import annotations

import base64
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest
from django.conf import settings
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from callcenter.lib.logging import RedactingFormatter
from telephony import webhooks
from telephony.models import CallbackRegistration, DialerLine, DirectcallAccount, ProviderEvent
from telephony.services.news import apply_received
from telephony.states import RegistrationState
from telephony.tests.scenes import FORM, deliver, form_of, fresh, make_callcenter, placed_call

if TYPE_CHECKING:
    pass

SECRET = "vGq8sT2mZx4Lw9Rk7Yb3Nd6Hf1Jc5PaQeUoViWtX"
PATH = f"/webhooks/directcall/{SECRET}"
State = ProviderEvent.State


@pytest.fixture
def line(db: None) -> DialerLine:
    """A line with an account at the carrier."""
    return make_callcenter(secret=SECRET)


@pytest.fixture
def client() -> Client:
    """A client that gets our errors as a carrier would: as answers."""
    return Client(raise_request_exception=False)


def basic(pair: str, *, scheme: str = "Basic", encoding: str = "utf-8") -> dict[str, str]:
    """The header of HTTP Basic with `user:password`."""
    return {"Authorization": f"{scheme} {base64.b64encode(pair.encode(encoding)).decode()}"}


def kept() -> list[tuple[bytes, str, str]]:
    """Each stored delivery: its body, state and problem."""
    return [(bytes(one.raw), one.state, one.problem) for one in ProviderEvent.objects.order_by("id")]


@pytest.mark.parametrize("method", ["get", "put", "delete", "head", "options", "patch"])
def test_anything_but_a_post_is_a_405(method: str, line: DialerLine, client: Client) -> None:
    answer = getattr(client, method)(PATH)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert kept() == []


def test_an_unknown_or_disabled_path_is_a_404_and_keeps_nothing(line: DialerLine, client: Client) -> None:
    for path in (f"{PATH}x", f"/webhooks/directcall/{SECRET[:-1]}", "/webhooks/directcall/%00", f"{PATH}/"):
        assert client.post(path, form_of(status="atendeu"), content_type=FORM).status_code == 404
    DirectcallAccount.objects.update(is_enabled=False)
    assert client.post(PATH, form_of(status="atendeu"), content_type=FORM).status_code == 404
    assert kept() == []


def test_every_address_that_is_not_removed_is_accepted(line: DialerLine, client: Client) -> None:
    for state in RegistrationState:
        CallbackRegistration.objects.update(state=state)
        expected = 404 if state == RegistrationState.REMOVED else 200
        assert client.post(PATH, form_of(status="atendeu"), content_type=FORM).status_code == expected


def test_our_own_test_of_an_address_is_answered_and_not_kept(line: DialerLine, client: Client) -> None:
    CallbackRegistration.objects.update(username="directcall", password="hunter2")
    test = {"X-Callcenter-Self-Test": "1"}
    answer = client.post(PATH, "data=", content_type=FORM, headers={**test, **basic("directcall:hunter2")})
    assert (answer.status_code, answer.json()["message"]) == (200, "self-test")
    assert client.post(PATH, "data=", content_type=FORM, headers=test).status_code == 401
    assert client.post(f"{PATH}x", "data=", content_type=FORM, headers=test).status_code == 404
    assert kept() == []


def test_basic_credentials_are_asked_for_when_set(line: DialerLine, client: Client) -> None:
    CallbackRegistration.objects.update(username="directcall", password="senha:com ç")
    right = "directcall:senha:com ç"
    wrong: list[dict[str, str]] = [
        {},
        basic("directcall:outra"),
        basic("outro:senha:com ç"),
        basic("directcall:"),
        basic(right, scheme="Bearer"),
        basic(right, encoding="utf-16"),
        {"Authorization": "Basic não-é-base64!"},
        {"Authorization": "Basic"},
    ]
    for headers in wrong:
        answer = client.post(PATH, form_of(status="atendeu"), content_type=FORM, headers=headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Basic realm="callback"')
    assert kept() == []
    for scheme in ("Basic", "basic"):
        answer = client.post(PATH, form_of(status="atendeu"), content_type=FORM, headers=basic(right, scheme=scheme))
        assert answer.status_code == 200
    assert len(kept()) == 2


@pytest.mark.parametrize(("size", "status"), [(65_536, 200), (65_537, 413), (3 * 1024 * 1024, 413)])
def test_a_body_over_the_limit_is_a_413(size: int, status: int, line: DialerLine, client: Client) -> None:
    answer = client.post(PATH, b"data=" + b"x" * (size - 5), content_type=FORM)
    assert answer.status_code == status
    assert [len(raw) for raw, _state, _problem in kept()] == ([size] if status == 200 else [])


def test_a_body_without_a_length_is_a_411_and_not_lost_in_silence(line: DialerLine, client: Client) -> None:
    answer = client.generic("POST", PATH, b"", content_type=FORM, headers={"Transfer-Encoding": "chunked"})
    assert (answer.status_code, kept()) == (411, [])


def test_503_when_the_database_refuses_and_only_then(
    line: DialerLine, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_given: Any, **_named: Any) -> ProviderEvent:
        raise DatabaseError("disk full")

    monkeypatch.setattr(webhooks, "store_callback", refuse)
    answer = client.post(PATH, form_of(status="atendeu"), content_type=FORM)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "could not be stored" in caplog.text


def test_news_gets_in_although_the_accounts_own_secrets_cant_be_decrypted(
    line: DialerLine, client: Client, settings: Any
) -> None:
    attempt = placed_call(line)
    DirectcallAccount.objects.update(client_secret="123456")
    CallbackRegistration.objects.update(password="hunter2")
    settings.FIELD_ENCRYPTION_KEYS = ["BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="]
    body = form_of(status="atendeu", callerid="a-1", destino=attempt.phone_e164)
    assert client.post(PATH, body, content_type=FORM).status_code == 200
    apply_received(now=timezone.now())
    attempt, _request = fresh(attempt)
    assert attempt.state == "answered"
    # Where Basic is asked for it can't be checked: the carrier is told to come again.
    CallbackRegistration.objects.update(username="directcall")
    assert client.post(PATH, body, content_type=FORM, headers=basic("directcall:hunter2")).status_code == 503


JSON_TEXT = json.dumps({"status": "atendeu", "callerid": "a-1"})
# Measured on Django 5.2: what a view that reads request.POST first would lose, refuse or crash on.
BODIES: dict[str, tuple[bytes, str, str]] = {
    "percent-encoded UTF-8": (f"data={quote_plus(JSON_TEXT)}".encode(), FORM, ""),
    "a charset label": (f"data={quote_plus(JSON_TEXT)}".encode(), f"{FORM}; charset=ISO-8859-1", ""),
    "percent-encoded Latin-1": (b'data={"status":"n%E3o+atendeu","callerid":"a-1"}', FORM, ""),
    "raw Latin-1": ('data={"status": "não atendeu", "callerid": "a-1"}'.encode("latin-1"), FORM, ""),
    "JSON as such": (JSON_TEXT.encode(), "application/json", ""),
    "JSON labelled as a form": (JSON_TEXT.encode(), FORM, ""),
    "no content type": (f"data={quote_plus(JSON_TEXT)}".encode(), "", ""),
    "a NUL in a text": (b'data={"status":"atendeu","callerid":"a\\u0000b"}', FORM, ""),
    "half a surrogate pair": (b'data={"status":"atendeu","callerid":"\\ud800"}', FORM, ""),
    "an empty body": (b"", FORM, "empty"),
    "another field": (b"other=1", FORM, "no_data_field"),
    "two different data fields": (b'data={"status":"atendeu"}&data={"status":"ocupado"}', FORM, "several_data_fields"),
    "broken JSON": (b'data={"status":', FORM, "not_json"),
    "NaN": (b'data={"status":"atendeu","duracao":NaN}', FORM, "bad_number"),
    "5000 digits": (b'data={"status":"atendeu","duracao":' + b"9" * 5000 + b"}", FORM, "bad_number"),
    "30000 brackets": (b"data=" + b"[" * 30_000, FORM, "too_deep"),
    "a text": (b'data="atendeu"', FORM, "not_json"),
    "no status": (b'data={"callerid":"a-1"}', FORM, "no_status"),
    "an API result": (b'data={"status":"ok","codigo":"001"}', FORM, "api_result"),
    "binary": (bytes(range(256)), "application/octet-stream", "no_data_field"),
}


@pytest.mark.parametrize(("body", "content_type", "problem"), BODIES.values(), ids=BODIES)
def test_every_body_is_kept_as_it_came_and_answered_with_200(
    body: bytes, content_type: str, problem: str, line: DialerLine, client: Client
) -> None:
    length = {"CONTENT_LENGTH": str(len(body))}
    assert client.post(PATH, body, content_type=content_type, **length).status_code == 200  # type: ignore[arg-type]
    assert kept() == [(body, State.RECEIVED, "")]
    apply_received(now=timezone.now())
    assert kept() == [(body, State.UNREADABLE if problem else State.UNMATCHED, problem)]


def test_neither_secret_nor_number_nor_password_is_in_any_log_line(
    line: DialerLine, client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    attempt = placed_call(line)
    number, data = attempt.phone_e164, {"callerid": "a-1", "destino": attempt.phone_e164}
    deliver("atendeu", secret=SECRET, **data)
    client.get(PATH)
    client.post(PATH, b"x" * 70_000, content_type=FORM)
    CallbackRegistration.objects.update(username="directcall")
    client.post(PATH, form_of(status="atendeu", **data), content_type=FORM, headers=basic("directcall:hunter2-hunter2"))
    CallbackRegistration.objects.update(username="")

    def refuse(*_given: Any, **_named: Any) -> ProviderEvent:
        raise DatabaseError(f"duplicate key: (company_id, phone_e164)=(1, {number}) already exists, {PATH}")

    monkeypatch.setattr(webhooks, "store_callback", refuse)
    client.post(PATH, form_of(status="atendeu", **data), content_type=FORM)
    lines = "\n".join(map(RedactingFormatter().format, caplog.records))
    assert caplog.records
    assert "could not be stored" in lines
    for secret in (SECRET, number, number[3:], "hunter2", base64.b64encode(b"directcall:hunter2-hunter2").decode()):
        assert secret not in lines


def test_a_crash_shows_nothing_of_the_inside(line: DialerLine, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_given: Any, **_named: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(webhooks, "store_callback", crash)
    answer = client.post(PATH, form_of(status="atendeu"), content_type=FORM)
    assert (answer.status_code, settings.DEBUG) == (500, False)
    assert b"RuntimeError" not in answer.content
    assert b"Traceback" not in answer.content
