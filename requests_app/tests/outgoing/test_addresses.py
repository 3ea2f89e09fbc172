"""No spelling of an address leads into our own network: not one connection is made."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from callcenter.lib import outbound
from callcenter.lib.addresses import is_in, is_public, networks_of
from callcenter.lib.outbound import Failure, OutboundError, Timeouts, post, target_of
from requests_app.tests.outgoing.receivers import Receiver, Trap

TIMEOUTS = Timeouts(connect_seconds=1, total_seconds=2)

# Every spelling of this very machine that a resolver or a URL parser is known to fall for.
LOOPBACK_HOSTS = (
    "127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0x0.0x0.0x1",
    "017700000001", "0177.0.0.1", "0177.1", "0", "0.0.0.0", "0x0", "127.0.0.1.", "localhost", "LOCALHOST",
    "localhost.", "127。0。0。1", "１２７．０．０．１", "①②⑦.⓪.⓪.①", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::ffff:0.0.0.0]",
)  # fmt: skip
# Everything else that is not the public Internet, at both ends of its network.
INNER_HOSTS = (
    "0.255.255.255", "10.0.0.1", "10.255.255.255", "0xa.1", "012.0.0.1", "100.64.0.1", "100.127.255.255",
    "169.254.169.254", "0xa9fea9fe", "2852039166", "[::ffff:169.254.169.254]", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1",
    "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[100::1]",
    "[2001::1]", "[2001:0:7f00:1::]", "[2001:2::1]", "[2001:10::1]", "[2001:20::1]", "[2001:db8::1]",
    "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2002:a00:1::1]", "[3fff::1]", "[3fff:fff:ffff::1]", "[5f00::1]",
    "[fc00::1]", "[fd12:3456::1]", "[fd00:ec2::254]", "[fe80::1]", "[febf::1]", "[fec0::1]", "[feff::1]",
    "[ff02::1]", "[ff0e::1]", "[4000::1]", "[::2]", "[::ffff:192.168.0.1]", "[::10.0.0.1]", "[1::1]",
)  # fmt: skip
# Tricks with the rest of the URL, which has the trap's port in it; none of them may be used at all.
UNUSABLE = (
    "http://example.com@127.0.0.1:{port}/", "http://127.0.0.1:{port}@example.com/", "http://user:pw@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@example.com/", "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/", "http://127.0.0.1:{port}/#x", "http://127.0.0.1 :{port}/",
    "http://127.0.0.1:{port}/a b", "http://127.0.0.1:{port}/\r\nX: y", "http://127.0.0.1:{port}/\x00",
    "\thttp://127.0.0.1:{port}/", "http://127.0.0.1:{port}/é", "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1%2e:{port}/", "http://[fe80::1%25lo]:{port}/", "http://[::1%lo]:{port}/", "http://[::1:{port}/",
    "http:///127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "//127.0.0.1:{port}/", "127.0.0.1:{port}/", "",
    "http://:{port}/", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://127.0.0.1:x/",
    "ftp://127.0.0.1:{port}/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "ws://127.0.0.1:{port}/",
    "unix:///run/x.sock", "javascript:alert(1)", "http://exa\u200bmple.com\u2028:{port}/",
)  # fmt: skip


def failure_of(url: str, **given: Any) -> Failure:
    with pytest.raises(OutboundError) as caught:
        post(url, content=b"{}", headers={}, timeouts=TIMEOUTS, **given)
    return caught.value.failure


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
def test_no_spelling_of_this_machine_is_connected_to(host: str, scheme: str) -> None:
    with Trap() as trap:
        # A spelling that this system's resolver does not know leads nowhere either.
        assert failure_of(f"{scheme}://{host}:{trap.port}/") in {Failure.BLOCKED, Failure.NO_ADDRESS, Failure.BAD_URL}
        assert not trap.was_sprung()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "localhost", "[::1]", "0"])
def test_the_spellings_that_the_resolver_does_know_are_refused_for_where_they_lead(host: str) -> None:
    assert failure_of(f"https://{host}/") == Failure.BLOCKED


@pytest.mark.parametrize("host", INNER_HOSTS)
def test_no_network_but_the_public_one_is_connected_to(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_given: Any) -> None:
        raise AssertionError("a socket was connected")

    monkeypatch.setattr(outbound, "_connected", connect)
    assert failure_of(f"https://{host}/") == Failure.BLOCKED


@pytest.mark.parametrize("url", UNUSABLE)
def test_a_url_that_two_programs_could_read_differently_is_not_used(url: str) -> None:
    with Trap() as trap:
        assert failure_of(url.format(port=trap.port)) == Failure.BAD_URL
        assert not trap.was_sprung()


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.255",
     "2606:4700::1111", "2001:200::1", "2800:3f0::1", "2a00::1", "::ffff:8.8.8.8"],
)  # fmt: skip
def test_public_addresses_are_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://shop.example.com", (True, "shop.example.com", 443, "/")),
        ("https://SHOP.example.com:8443/a/b?c=d&e", (True, "shop.example.com", 8443, "/a/b?c=d&e")),
        ("http://[2606:4700::1111]:80/x", (False, "2606:4700::1111", 80, "/x")),
        ("https://ação.example.com/%C3%A9", (True, "xn--ao-siap.example.com", 443, "/%C3%A9")),
    ],
)
def test_a_usable_url_is_taken_apart(url: str, parts: tuple[bool, str, int, str]) -> None:
    target = target_of(url)
    assert (target.is_https, target.host, target.port, target.path) == parts


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("https://shop.example.com/", "shop.example.com"),
        ("https://shop.example.com:8443/", "shop.example.com:8443"),
        ("http://shop.example.com:443/", "shop.example.com:443"),
        ("https://[2606:4700::1111]/", "[2606:4700::1111]"),
    ],
)
def test_the_host_header_names_host_and_unusual_port(url: str, header: str) -> None:
    assert target_of(url).host_header == header


def answers(*hosts: str) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in hosts]


def test_one_inner_address_among_public_ones_refuses_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers("93.184.216.34", "10.0.0.1"))
    monkeypatch.setattr(outbound, "_connected", lambda *_given: pytest.fail("connected"))
    assert failure_of("https://shop.example.com/") == Failure.BLOCKED


def test_a_name_that_answers_differently_the_second_time_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the first answer is allowed, every later one is not."""
    real, asked = socket.getaddrinfo, []

    def rebinding(host: Any, port: Any, *given: Any, **named: Any) -> Any:
        if host != "shop.example.com":
            return real(host, port, *given, **named)
        asked.append(host)
        return real("127.0.0.2" if len(asked) == 1 else "127.0.0.1", port, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with Receiver(host="127.0.0.2") as good, Trap() as trap:
        url, allowed = f"http://shop.example.com:{good.port}/", networks_of(["127.0.0.2/32"])
        answer = post(url, content=b"{}", headers={}, timeouts=TIMEOUTS, allowed_networks=allowed)
        assert (answer.status_code, asked) == (200, ["shop.example.com"])
        assert good.messages[0].headers["host"] == f"shop.example.com:{good.port}"
        # The second try asks anew, is told of this machine, and does not go there.
        assert failure_of(f"http://shop.example.com:{trap.port}/", allowed_networks=allowed) == Failure.BLOCKED
        assert not trap.was_sprung()
        assert len(good.messages) == 1


def test_what_is_allowed_is_exactly_that_network_in_every_spelling() -> None:
    allowed = networks_of(["127.0.0.1/32"])
    with Receiver() as receiver:
        for host in ("127.0.0.1", "127.1", "2130706433", "[::ffff:127.0.0.1]"):
            url = f"http://{host}:{receiver.port}/"
            assert post(url, content=b"{}", headers={}, timeouts=TIMEOUTS, allowed_networks=allowed).status_code == 200
        assert failure_of(f"http://127.0.0.2:{receiver.port}/", allowed_networks=allowed) == Failure.BLOCKED
        assert failure_of(f"http://[::1]:{receiver.port}/", allowed_networks=allowed) == Failure.BLOCKED
    assert not is_in(ipaddress.ip_address("64:ff9b::7f00:1"), allowed)


def test_plain_http_does_not_leave_the_allowed_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "_connected", lambda *_given: pytest.fail("connected"))
    assert failure_of("http://93.184.216.34/", allowed_networks=networks_of(["127.0.0.0/8"])) == Failure.INSECURE


def test_an_unknown_name_has_no_address() -> None:
    assert failure_of("https://nobody.invalid/") == Failure.NO_ADDRESS
    assert failure_of(f"https://{'a' * 64}.example.com/") == Failure.BAD_URL
