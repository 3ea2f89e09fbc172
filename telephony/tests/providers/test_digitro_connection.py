"""Until the connection is open, nothing was sent: no listener, no address, no time, no trust in the peer."""

from __future__ import annotations

import datetime
import ipaddress
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from telephony.providers import http as provider_http
from telephony.providers.base import Ambiguous, Misconfigured, NotSent
from telephony.tests.providers.lines import EXAMPLE_ANSWER, EXAMPLE_CALL_ID, SECRETS, client_for, failure, place
from telephony.tests.providers.wire_server import (
    WireServer,
    answering,
    dripping,
    free_listener,
    http_bytes,
    resetting,
)


@pytest.fixture(autouse=True)
def _logs_hold_no_secret(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_without_a_listener_nothing_was_sent() -> None:
    listener = free_listener()
    port = listener.getsockname()[1]
    listener.close()
    assert type(failure(client_for(f"http://127.0.0.1:{port}"))) is NotSent


@pytest.mark.parametrize("host", ["pabx.invalid", "a" * 64 + ".example", "a..b", "xn--.example"])
def test_a_host_without_an_address_was_not_sent_to(host: str) -> None:
    assert type(failure(client_for(f"http://{host}"))) in (NotSent, Misconfigured)


def test_a_connection_that_does_not_open_in_time_was_not_sent_on() -> None:
    # A full backlog lets no handshake through.
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = listener.getsockname()
    waiting = [socket.socket() for _ in range(4)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(address)
    try:
        began = time.monotonic()
        error = failure(client_for(f"http://127.0.0.1:{address[1]}", connect=0.3, read=20.0))
        assert time.monotonic() - began < 10
        assert type(error) is NotSent
    finally:
        for each in (*waiting, listener):
            each.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate of 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_stops_the_call_before_it_is_sent(tls: ssl.SSLContext) -> None:
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER)), tls=tls) as server:
        assert type(failure(client_for(server.url))) is NotSent
    assert server.requests == []


def test_a_certificate_authority_of_the_system_is_trusted(
    tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    provider_http.tls_context.cache_clear()
    try:
        with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER)), tls=tls) as server:
            assert place(client_for(server.url)) == EXAMPLE_CALL_ID
        with WireServer(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"), tls=tls) as server:
            began = time.monotonic()
            assert type(failure(client_for(server.url, read=1.0))) is Ambiguous
            # It drips without end.
            assert time.monotonic() - began < 5
        with WireServer(resetting(), tls=tls) as server:
            assert type(failure(client_for(server.url))) is Ambiguous
    finally:
        provider_http.tls_context.cache_clear()


@pytest.mark.parametrize("first_bytes", [b"", b"\x16\x03\x03"])
def test_a_tls_handshake_that_never_ends_was_not_sent_on(first_bytes: bytes) -> None:
    listener = free_listener()
    taken: list[socket.socket] = []

    def take() -> None:
        connection, _address = listener.accept()
        taken.append(connection)
        connection.sendall(first_bytes)

    thread = threading.Thread(target=take)
    thread.start()
    try:
        assert type(failure(client_for(f"https://127.0.0.1:{listener.getsockname()[1]}", connect=0.4))) is NotSent
    finally:
        thread.join()
        for each in (*taken, listener):
            each.close()
