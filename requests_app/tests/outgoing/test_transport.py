"""One POST against real servers that answer well, badly, slowly, endlessly or not at all."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from callcenter.lib import outbound
from callcenter.lib.outbound import Failure, OutboundError, Timeouts
from requests_app.tests.outgoing.conftest import LOOPBACK
from requests_app.tests.outgoing.receivers import RawReceiver, Receiver, closed_port

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUTS = Timeouts(connect_seconds=0.5, total_seconds=1)
# Whoever waits to its end is found out on a slow machine too.
PATIENT = Timeouts(connect_seconds=0.5, total_seconds=12)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def post(url: str, **given: Any) -> outbound.Answer:
    values = {"content": b'{"a":1}', "headers": {"X-Of-Test": "1"}, "timeouts": TIMEOUTS, "allowed_networks": LOOPBACK}
    return outbound.post(url, **{**values, **given})


def failure_of(url: str, **given: Any) -> Failure:
    with pytest.raises(OutboundError) as caught:
        post(url, **given)
    return caught.value.failure


def test_what_arrives_is_what_was_given_once() -> None:
    with Receiver() as receiver:
        assert post(f"{receiver.url}?a=b").status_code == 200
    (message,) = receiver.messages
    assert (message.path, message.body, message.headers["x-of-test"]) == ("/hooks?a=b", b'{"a":1}', "1")
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert message.headers["content-length"] == "7"
    assert message.headers["connection"] == "close"


@pytest.mark.parametrize("status", [200, 204, 299, 301, 302, 307, 308, 400, 404, 410, 429, 500, 503])
def test_any_status_is_an_answer_and_no_redirect_is_followed(status: int) -> None:
    with Receiver() as elsewhere, Receiver(status, headers={"Location": elsewhere.url}) as receiver:
        assert post(receiver.url).status_code == status
        assert (len(receiver.messages), len(elsewhere.messages)) == (1, 0)


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert post(receiver.url).status_code == 200
        assert (len(proxy.messages), len(receiver.messages)) == (0, 1)


def test_nobody_listening_is_no_connection() -> None:
    assert failure_of(f"http://127.0.0.1:{closed_port()}/") == Failure.NO_CONNECTION


@pytest.mark.parametrize(
    ("pieces", "every_seconds"),
    [
        pytest.param([], 0.1, id="hangs"),
        pytest.param([b"H", b"T", b"T", b"P"] * 20, 0.2, id="drips a status line"),
        pytest.param([b"HTTP/1.1 200 OK\r\n", *[b"X-A: b\r\n"] * 50], 0.2, id="drips headers"),
        pytest.param([b"HTTP/1.1 100 Continue\r\n\r\n"] * 50, 0.2, id="says continue for ever"),
    ],
)
def test_a_receiver_that_does_not_come_to_the_point_costs_one_deadline(
    pieces: list[bytes], every_seconds: float
) -> None:
    with RawReceiver(pieces, every_seconds=every_seconds) as receiver:
        began = time.monotonic()
        assert failure_of(receiver.url) == Failure.TIMEOUT
        # All of it comes to ten seconds and more.
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("pieces", "every_seconds"),
    [
        pytest.param([HEAD, *[b"x"] * 100], 0.2, id="drips a body"),
        pytest.param([HEAD, *[b"x" * 100_000] * 200], 0, id="huge body"),
        pytest.param([HEAD], 0.1, id="announces a body and hangs"),
        pytest.param([b"HTTP/1.1 204 No Content\r\n\r\n"], 0.1, id="no body, keeps the connection"),
        pytest.param([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], 0.1, id="broken chunks"),
    ],
)
def test_the_status_is_enough_whatever_follows(pieces: list[bytes], every_seconds: float) -> None:
    with RawReceiver(pieces, every_seconds=every_seconds) as receiver:
        began = time.monotonic()
        assert 200 <= post(receiver.url, timeouts=PATIENT).status_code < 300
        assert time.monotonic() - began < PATIENT.total_seconds / 2


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example.com ESMTP\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 500,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
    ids=["mail server", "no number", "binary", "500 headers", "endless header"],
)
def test_what_is_not_http_is_a_bad_answer(answer: bytes) -> None:
    with RawReceiver([answer]) as receiver:
        assert failure_of(receiver.url) == Failure.BAD_ANSWER


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("99999999999999999999", 86400),
        ("-5", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_with_bounds(text: str, seconds: int | None) -> None:
    with Receiver(503, headers={"Retry-After": text}) as receiver:
        assert post(receiver.url).retry_after_seconds == seconds


def test_retry_after_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    with Receiver(429, headers={"Retry-After": at}) as receiver:
        assert 90 <= (post(receiver.url).retry_after_seconds or 0) <= 100


def test_what_the_caller_raises_on_the_open_connection_stops_the_send() -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with Receiver() as receiver:
        with pytest.raises(Stop):
            post(receiver.url, before_send=stop)
        assert receiver.messages == []


def test_the_error_says_neither_url_nor_address() -> None:
    url = f"http://127.0.0.1:{closed_port()}/s3cr3t?token=t0ken"
    with pytest.raises(OutboundError) as caught:
        post(url)
    for part in ("127.0.0.1", "s3cr3t", "t0ken"):
        assert part not in str(caught.value)


# --- TLS ----------------------------------------------------------------------------------------------------------


def make_certificate(folder: Path, *, host: str) -> tuple[ssl.SSLContext, Path]:
    """What a server that calls itself `host` needs, and the file of the authority that signed it: itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority, pem = folder / "authority.pem", folder / "server.pem"
    public = certificate.public_bytes(serialization.Encoding.PEM)
    authority.write_bytes(public)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(private + public)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, authority


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes an authority one of the system's."""

    def add(authority: Path) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        outbound._tls_context.cache_clear()

    yield add
    monkeypatch.undo()
    outbound._tls_context.cache_clear()


def test_a_certificate_of_a_known_authority_for_that_host_is_accepted(tmp_path: Path, trust: Any) -> None:
    context, authority = make_certificate(tmp_path, host="localhost")
    trust(authority)
    with Receiver(tls=context) as receiver:
        assert post(f"https://localhost:{receiver.port}/hooks").status_code == 200


def test_an_unknown_authority_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    context, _authority = make_certificate(tmp_path, host="localhost")
    with Receiver(tls=context) as receiver:
        assert failure_of(f"https://localhost:{receiver.port}/hooks") == Failure.TLS
        assert receiver.messages == []


def test_another_hosts_certificate_is_refused_before_anything_is_sent(tmp_path: Path, trust: Any) -> None:
    context, authority = make_certificate(tmp_path, host="other.example.com")
    trust(authority)
    with Receiver(tls=context) as receiver:
        assert failure_of(f"https://localhost:{receiver.port}/hooks") == Failure.TLS
        assert receiver.messages == []


def test_a_server_that_never_shakes_hands_costs_the_time_for_connecting() -> None:
    with RawReceiver() as receiver:
        began = time.monotonic()
        assert failure_of(receiver.url.replace("http://", "https://"), timeouts=PATIENT) == Failure.TIMEOUT
        assert time.monotonic() - began < PATIENT.total_seconds / 2


def test_a_server_without_tls_is_a_failure_of_tls() -> None:
    with RawReceiver([b"HTTP/1.1 200 OK\r\n\r\n"]) as receiver:
        assert failure_of(receiver.url.replace("http://", "https://")) == Failure.TLS
