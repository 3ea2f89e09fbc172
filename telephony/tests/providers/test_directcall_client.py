"""Directcall's client: the token is asked for once and renewed once; the three methods say what they did."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Lock
from urllib.parse import parse_qs

import pytest

from telephony.providers.base import (
    Ambiguous,
    Misconfigured,
    NotSent,
    ProviderError,
    Refused,
    Unauthorized,
    Unavailable,
)
from telephony.providers.directcall.client import AccountAccess, DirectcallClient, Token
from telephony.providers.directcall.wire import RegisteredCallback
from telephony.providers.http import Timeouts
from telephony.tests.providers.test_directcall_wire import CODE, REGISTERED
from telephony.tests.providers.wire_server import Received, WireServer, answering, free_listener, http_bytes

CALLBACK_URL = "https://hook:p4ssword@call.example/webhooks/directcall/s3cret-path"
SECRETS = ("c1ient-secret", "loja@example.com", "p4ssword", "s3cret-path", "t0ken")

Form = dict[str, str]
Script = Callable[[str, Form], bytes | None]


class Tokens:
    """A store in memory, for the threads of one test."""

    def __init__(self, first: Token | None = None, kept: list[Token] | None = None) -> None:
        self.token = first
        self.kept = [] if kept is None else kept
        self._lock = Lock()

    def get(self, *, refused: Token | None, ask: Callable[[], Token]) -> Token:
        with self._lock:
            token = self.token
            if token is None or token == refused or token.expires_at <= datetime.now(UTC):
                token = self.token = ask()
                self.kept.append(token)
            return token


class Carrier(WireServer):
    """Answers each POST by a script of path and form; where the script gives nothing, with t0ken1, t0ken2, …"""

    def __init__(self, script: Script) -> None:
        super().__init__(answering(b""))
        self.script = script
        self.asked: list[tuple[str, Form]] = []
        self.kept: list[Token] = []
        self._tokens = 0
        self._lock = Lock()

    def respond(self, connection: socket.socket, received: Received) -> None:
        path, _mark, query = received.request_line.split(" ")[1].partition("?")
        sent = received.body.decode() or query
        form = {name: values[0] for name, values in parse_qs(sent, strict_parsing=True).items()}
        with self._lock:
            self.asked.append((path, form))
            answer = self.script(path, form)
            if answer is None:
                self._tokens += 1
                answer = http_bytes(200, b'{"access_token":"t0ken%d"}' % self._tokens)
        connection.sendall(answer)

    def client(
        self, *, token: Token | None = None, base_url: str = "", answer_format: str = "json"
    ) -> DirectcallClient:
        return DirectcallClient(
            AccountAccess(base_url or self.url, "loja@example.com", "c1ient-secret"),
            tokens=Tokens(token, self.kept),
            timeouts=Timeouts(connect_seconds=2, answer_seconds=5),
            answer_format=answer_format,
        )

    @property
    def paths(self) -> list[str]:
        return [path for path, _form in self.asked]


def ok(**fields: object) -> bytes:
    body = {"api": "voz", "modulo": "x", "status": "ok", "codigo": "000", "msg": "ok", **fields}
    return http_bytes(200, json.dumps(body).encode())


def always(content: bytes) -> Script:
    return lambda path, _form: None if path == "/request_token" else content


def tokens_from(second: int, content: bytes) -> Script:
    """Refuses with 006 every token before the given one."""
    refusal = http_bytes(200, b'{"api":"voz","modulo":"x","status":"erro","codigo":"006","msg":"t0ken invalido"}')

    def script(path: str, form: Form) -> bytes | None:
        if path == "/request_token":
            return None
        return content if int(form["access_token"].removeprefix("t0ken")) >= second else refusal

    return script


def failure(call: Callable[[], object]) -> ProviderError:
    with pytest.raises(ProviderError) as raised:
        call()
    shown = f"{raised.value!s} {raised.value!r} {raised.value.context}"
    assert not [secret for secret in SECRETS if secret in shown]
    return raised.value


@pytest.fixture(autouse=True)
def _logs_hold_no_secret(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_registering_asks_for_a_token_and_gives_the_code_of_the_vendors_example() -> None:
    with Carrier(always(http_bytes(200, REGISTERED))) as carrier:
        before = datetime.now(UTC)
        assert carrier.client().register_callback(CALLBACK_URL, pin="77") == CODE
    assert carrier.asked == [
        ("/request_token", {"client_id": "loja@example.com", "client_secret": "c1ient-secret", "format": "json"}),
        ("/voz/add-callback", {"access_token": "t0ken1", "url": CALLBACK_URL, "pin": "77", "format": "json"}),
    ]
    (token,) = carrier.kept
    assert token.value == "t0ken1"
    assert timedelta(seconds=2990) < token.expires_at - before < timedelta(seconds=3010)
    head = carrier.requests[1].headers
    assert head["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in head


def test_a_kept_token_is_used_until_it_expires() -> None:
    kept = Token("t0ken0", expires_at=datetime.now(UTC) + timedelta(seconds=60))
    stale = Token("t0ken0", expires_at=datetime.now(UTC))
    with Carrier(always(ok())) as carrier:
        client = carrier.client(token=kept)
        client.remove_callback("a")
        client.remove_callback("b")
        assert carrier.paths == ["/voz/remove-callback"] * 2
        carrier.client(token=stale).remove_callback("a")
    assert carrier.paths[2:] == ["/request_token", "/voz/remove-callback"]
    assert len(carrier.kept) == 1


def test_without_a_pin_none_is_sent() -> None:
    with Carrier(always(http_bytes(200, REGISTERED))) as carrier:
        carrier.client().register_callback(CALLBACK_URL)
    assert "pin" not in carrier.asked[1][1]


def test_a_token_refused_with_006_is_renewed_once_and_the_method_tried_again() -> None:
    with Carrier(tokens_from(2, http_bytes(200, REGISTERED))) as carrier:
        assert carrier.client().register_callback(CALLBACK_URL) == CODE
    assert carrier.paths == ["/request_token", "/voz/add-callback"] * 2
    assert [token.value for token in carrier.kept] == ["t0ken1", "t0ken2"]


@pytest.mark.parametrize(
    "refusal",
    [
        http_bytes(200, b'{"status":"erro","codigo":"006","msg":""}'),
        http_bytes(200, b'{"error":"invalid_token","error_description":"expired t0ken"}'),
        http_bytes(400, b'{"error_description":"expired t0ken"}'),
        http_bytes(401, b'{"error_description":"expired t0ken"}'),
        http_bytes(401, b""),
        http_bytes(403, b"<html>"),
    ],
)
def test_a_token_that_is_refused_again_ends_in_unauthorized(refusal: bytes) -> None:
    with Carrier(always(refusal)) as carrier:
        assert type(failure(carrier.client().list_callbacks)) is Unauthorized
    assert carrier.paths == ["/request_token", "/voz/list-callback"] * 2


def test_many_threads_renew_a_refused_token_once() -> None:
    kept = Token("t0ken0", expires_at=datetime.now(UTC) + timedelta(hours=1))
    with Carrier(tokens_from(1, ok())) as carrier:
        client = carrier.client(token=kept)
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(client.remove_callback, "abcdefgh"))
    assert carrier.paths.count("/request_token") == 1


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (http_bytes(401, b'{"error":"invalid_client","error_description":"client loja@example.com"}'), Unauthorized),
        (http_bytes(200, b"{}"), Unauthorized),
        (http_bytes(200, b'{"status":"erro","codigo":"006"}'), Unauthorized),
        (http_bytes(200, b'{"status":"erro","codigo":"200"}'), Misconfigured),
        (http_bytes(200, b'{"status":"erro","codigo":"005"}'), Unavailable),
        (http_bytes(404, b""), Refused),
        (http_bytes(302, b"", "Location: /login"), Misconfigured),
        # The method itself was never asked for, so nothing is in doubt.
        (http_bytes(500, b""), Unavailable),
        (http_bytes(200, b"<html>"), Unavailable),
        (b" ", Unavailable),
    ],
)
def test_without_a_token_nothing_is_asked_for(content: bytes, kind: type[ProviderError]) -> None:
    with Carrier(lambda _path, _form: content) as carrier:
        assert type(failure(lambda: carrier.client().register_callback(CALLBACK_URL))) is kind
    assert carrier.paths == ["/request_token"]
    assert carrier.kept == []


def test_a_token_in_xml_is_taken() -> None:
    def script(path: str, _form: Form) -> bytes:
        if path == "/request_token":
            return http_bytes(200, b"<oauth><access_token>t0ken9</access_token></oauth>")
        return ok()

    with Carrier(script) as carrier:
        assert carrier.client().remove_callback("a")
    assert carrier.kept[0].value == "t0ken9"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ok(), Ambiguous),  # 000 without a code: registered, but who could remove it?
        (http_bytes(200, b'{"modulo":"add-callback","status":"ok","codigo":"001"}'), Refused),
        (http_bytes(200, b'{"modulo":"add-callback","status":"erro","codigo":"001","code":"c"}'), Refused),
        (http_bytes(200, b'{"status":"erro","codigo":"201","msg":"saldo"}'), Misconfigured),
        (http_bytes(200, b'{"status":"erro","codigo":"011"}'), Unavailable),
        (http_bytes(400, b"no"), Refused),
        (http_bytes(500, b'{"status":"ok","codigo":"000","code":"c"}'), Ambiguous),
        (http_bytes(500, b'{"error_description":"x"}'), Ambiguous),
        (http_bytes(200, b"<html>"), Ambiguous),
        (b"", Ambiguous),
    ],
)
def test_a_registration_that_does_not_end_well_says_how(content: bytes, kind: type[ProviderError]) -> None:
    with Carrier(always(content)) as carrier:
        assert type(failure(lambda: carrier.client().register_callback(CALLBACK_URL))) is kind
    assert carrier.paths == ["/request_token", "/voz/add-callback"]


def test_the_list_gives_what_is_registered() -> None:
    entry = {"code": CODE, "url": CALLBACK_URL, "pin": ""}
    with Carrier(always(ok(total=1, msg=[entry]))) as carrier:
        assert carrier.client().list_callbacks() == [RegisteredCallback(code=CODE, url=CALLBACK_URL)]
    # The page of this method names no other parameter.
    assert carrier.asked[1] == ("/voz/list-callback", {"access_token": "t0ken1"})
    with Carrier(always(ok(total=3, msg="?"))) as carrier:
        assert type(failure(carrier.client().list_callbacks)) is Unavailable


def test_removing_says_whether_it_was_still_there() -> None:
    with Carrier(always(ok())) as carrier:
        assert carrier.client().remove_callback(CODE) is True
    assert carrier.asked[1][1] == {"access_token": "t0ken1", "code": CODE, "format": "json"}
    with Carrier(always(http_bytes(200, b'{"status":"erro","codigo":"010"}'))) as carrier:
        assert carrier.client().remove_callback(CODE) is False
    with Carrier(always(http_bytes(200, b'{"status":"erro","codigo":"001"}'))) as carrier:
        assert type(failure(lambda: carrier.client().remove_callback(CODE))) is Refused


def test_a_wrong_address_and_a_dead_one_say_so() -> None:
    listener = free_listener()
    port = listener.getsockname()[1]
    listener.close()
    with Carrier(always(ok())) as carrier:
        assert type(failure(carrier.client(base_url=f"http://127.0.0.1:{port}").list_callbacks)) is NotSent
        assert type(failure(carrier.client(base_url="api.directcallsoft.com").list_callbacks)) is Misconfigured
    assert carrier.asked == []


def test_the_reprs_show_no_secret() -> None:
    access = AccountAccess("https://api.example", "loja@example.com", "c1ient-secret")
    assert not [secret for secret in SECRETS if secret in repr(access)]
    assert "t0ken" not in repr(Token("t0ken1", expires_at=datetime.now(UTC)))


def test_an_answer_after_the_server_has_gone_is_not_waited_for() -> None:
    with WireServer(answering(b"")) as server:
        client = DirectcallClient(
            AccountAccess(server.url, "a", "b"),
            tokens=Tokens(Token("t", expires_at=datetime.now(UTC) + timedelta(hours=1))),
            timeouts=Timeouts(connect_seconds=1, answer_seconds=1),
        )
        assert type(failure(client.list_callbacks)) is Unavailable
        assert type(failure(lambda: client.remove_callback("a"))) is Ambiguous
    # What only reads is tried twice, what changes something once.
    assert len(server.requests) == 3
