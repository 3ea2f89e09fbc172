"""The stream of events taken apart: however the bytes come, and whatever is in them."""

from __future__ import annotations

import pytest

from telephony.providers.digitro.sse import Packet, PacketParser

STREAM = (
    b"\xef\xbb\xbf: a comment\n\n"
    b"event: EVENTO_DE_ABERTURA_DE_CANAL\ndata: {\"channelID\": 7}\n\n"
    b"data: {}\r\n\r\n"
    b"id: 12\revent: A\rdata: 1\rdata:2\r\r"
    b"\n\n"
    b"retry: 5\n\n"
    b"event: B\ndata: x\n\n"
)  # fmt: skip


def parsed(*chunks: bytes, max_bytes: int = 65_536) -> list[Packet]:
    parser = PacketParser(max_bytes=max_bytes)
    found = [packet for chunk in chunks for packet in parser.feed(chunk)]
    left = parser.close()
    return [*found, left] if left else found


def test_events_heartbeats_comments_and_all_three_line_ends() -> None:
    packets = parsed(STREAM)
    assert [packet.is_heartbeat for packet in packets] == [True, False, True, False, True, False]
    opening, both, last = (packet for packet in packets if not packet.is_heartbeat)
    assert (opening.name, opening.data) == (b"EVENTO_DE_ABERTURA_DE_CANAL", b'{"channelID": 7}')
    assert (both.name, both.data, both.id) == (b"A", b"1\n2", b"12")
    assert (last.name, last.data, last.raw) == (b"B", b"x", b"event: B\ndata: x")


def test_every_cut_into_two_and_single_bytes_give_the_same_packets() -> None:
    whole = parsed(STREAM)
    for place in range(len(STREAM)):
        assert parsed(STREAM[:place], STREAM[place:]) == whole, place
    assert parsed(*(STREAM[place : place + 1] for place in range(len(STREAM)))) == whole


def test_an_event_without_its_end_is_told_as_cut() -> None:
    *_whole, last = parsed(b'event: A\ndata: 1\n\nevent: B\ndata: {"ID_CH')
    assert (last.problem, last.raw) == ("cut", b'event: B\ndata: {"ID_CH')


@pytest.mark.parametrize("end", [b"\n\n", b"\ndata: more\n\n"])
def test_what_is_too_long_is_kept_to_its_bound_and_the_next_event_is_read(end: bytes) -> None:
    first, second = parsed(b"data: " + b"x" * 500, b"y" * 1_000_000 + end, b"event: A\ndata: 1\n\n", max_bytes=100)
    assert first.problem == "too_large"
    assert len(first.raw) <= 101
    assert second.name == b"A"


@pytest.mark.parametrize("garbage", [b"<html>", b"\x00\x01\x02", b"HTTP/1.1 400 Bad Request", b"\xff\xfe"])
def test_what_is_no_event_is_told_as_such(garbage: bytes) -> None:
    (packet,) = parsed(garbage + b"\n\n")
    assert (packet.problem, packet.raw, packet.is_heartbeat) == ("not_sse", garbage, False)


def test_a_named_event_without_data_is_no_heartbeat() -> None:
    (packet,) = parsed(b"event: EVENTO_X\n\n")
    assert (packet.is_heartbeat, packet.name) == (False, b"EVENTO_X")
