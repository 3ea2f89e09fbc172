"""The PABX's event channels: Server-Sent Events over a long GET, with every fault that a reader must survive.

Only the opening event's name and the channelID in it are the vendor's (https://docs-pabx.digitro.com/api-10270983);
that it is Server-Sent Events, with empty packets in between, is what its siblings do
(https://docs-cti.digitro.com/doc-646020). All other names and fields are chosen here.
"""

import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from telephony.simulators.serving import Reply, Wire, json_reply

OPENING = "EVENTO_DE_ABERTURA_DE_CANAL"
CLOSING = "EVENTO_DE_FECHAMENTO_DE_CANAL"
HEARTBEAT = b"data: {}\n\n"
FIRST_CHANNEL = 4711
KEPT_EVENTS = 2000
_LOOK_SECONDS = 0.02

# What can go wrong while a channel is open, and what a reader sees of it.
FAULTS = {
    "silence": "nothing more is sent, heartbeats neither; the connection stays open",
    "half_open": "the same, and the PABX has forgotten the channel: its channelID is refused",
    "cut": "an event is cut in the middle and the connection closed",
    "reset": "the connection is reset",
    "close": "the closing event, then the end",
    "reopen": "a second opening event on the same connection: another channelID, the old one is refused",
    "garbage": "bytes that are no event, not UTF-8, NUL, no JSON, an array, and half a megabyte of one line",
    "unknown": "an event whose name nobody knows",
}
# What can go wrong when a channel is opened: the answer to the next GET.
OPENING_FAULTS = {
    "open_401": "HTTP 401",
    "open_404": "HTTP 404",
    "open_503": "HTTP 503",
    "open_html": "200 with a page of HTML",
    "open_mute": "200 and heartbeats, but never the opening event",
    "open_numberless": "an opening event without a channelID",
    "open_hang": "no answer at all",
}


def described_faults() -> str:
    """The faults as lines of text, for ``--help``."""
    rows = "\n".join(f"  {name:16}{meaning}" for name, meaning in {**FAULTS, **OPENING_FAULTS}.items())
    return f'faults of the event channel (POST /_simulator/channel {{"fault": NAME}}, or --channel-faults):\n{rows}'


def packet(name: str, fields: dict[str, Any], *, number: int | None = None) -> bytes:
    """One event as it goes over the wire."""
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {name}\ndata: {json.dumps(fields, ensure_ascii=False)}\n\n".encode()


@dataclass(eq=False)
class Channel:
    """One open channel; what is to be sent waits in a queue of its own."""

    id: int
    device: str
    waiting: deque[bytes] = field(default_factory=deque)
    fault: str = ""
    is_mute: bool = False


class ChannelHub:
    """All channels of the PABX, and the events of its calls, kept for who asks for what it missed."""

    def __init__(self, *, heartbeat_seconds: float, seed: int, faults: tuple[str, ...], fault_seconds: float) -> None:
        self._heartbeat_seconds = heartbeat_seconds
        self._faults, self._fault_seconds = faults, fault_seconds
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._next_id = FIRST_CHANNEL
        self._channels: dict[int, Channel] = {}
        self._opening_faults: deque[str] = deque()
        # Sequence, channel that placed the call (0 = a fixed one), device, bytes.
        self._kept: deque[tuple[int, int, str, bytes]] = deque(maxlen=KEPT_EVENTS)
        self._sequence = 0
        self.counts: Counter[str] = Counter()

    def is_open(self, channel_id: str) -> bool:
        """Whether commands may name this channel."""
        with self._lock:
            return channel_id in {str(known) for known in self._channels}

    def described(self) -> list[dict[str, Any]]:
        """The open channels, for tests and people."""
        with self._lock:
            return [{"id": one.id, "device": one.device, "mute": one.is_mute} for one in self._channels.values()]

    def publish(self, data: Callable[[int], bytes], *, channel_id: int, device: str) -> None:
        """Send an event to the channel that placed the call; when that is gone, to all that watch its device."""
        with self._lock:
            self._sequence += 1
            event = data(self._sequence)
            self._kept.append((self._sequence, channel_id, device, event))
            placing = self._channels.get(channel_id)
            for one in [placing] if placing else self._channels.values():
                if one.device in ("", device):
                    one.waiting.append(event)
            self.counts["events"] += 1

    def set_fault(self, name: str, *, times: int = 1) -> bool:
        """Let all open channels, or so many of the next openings, meet a fault; False = there is no such fault."""
        if name in OPENING_FAULTS:
            with self._lock:
                self._opening_faults.extend([name] * times)
            return True
        if name not in FAULTS:
            return False
        with self._lock:
            for one in self._channels.values():
                one.fault = name
        return True

    def open(self, *, device: str, last_event_id: str) -> Reply:
        """The answer to the GET that opens a channel."""
        with self._lock:
            fault = self._opening_faults.popleft() if self._opening_faults else ""
            self.counts[f"opening {fault or 'ok'}"] += 1
        match fault:
            case "open_401" | "open_404" | "open_503":
                return json_reply({"erro": fault}, status=int(fault[-3:]))
            case "open_html":
                return Reply(body=b"<html><h1>Bem-vindo</h1></html>", content_type="text/html")
            case "open_hang":
                self._stopping.wait(30)
                return Reply(ending="silence")

        def stream(wire: Wire) -> None:
            self._serve(wire, fault=fault, device=device, last_event_id=last_event_id)

        return Reply(content_type="text/event-stream", stream=stream)

    def clear(self) -> None:
        """Forget faults and past events, and close every channel."""
        with self._lock:
            self._opening_faults.clear()
            self._kept.clear()
            self.counts.clear()
            for one in self._channels.values():
                one.fault = "close"

    def close(self) -> None:
        """Let every channel end."""
        self._stopping.set()

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _serve(self, wire: Wire, *, fault: str, device: str, last_event_id: str) -> None:
        with self._lock:
            channel = Channel(self._new_id(), device)
            if fault != "open_mute":
                number = {} if fault == "open_numberless" else {"channelID": channel.id}
                channel.waiting.append(packet(OPENING, number))
            channel.waiting.extend(self._missed(device, last_event_id))
            self._channels[channel.id] = channel
        try:
            self._send_all(wire, channel)
        finally:
            with self._lock:
                self._channels.pop(channel.id, None)

    def _missed(self, device: str, last_event_id: str) -> list[bytes]:
        if not last_event_id.isdigit():
            return []
        return [
            data
            for number, placed_by, watched, data in self._kept
            if number > int(last_event_id) and placed_by not in self._channels and device in ("", watched)
        ]

    def _send_all(self, wire: Wire, channel: Channel) -> None:
        beat_at = time.monotonic() + self._heartbeat_seconds
        fault_at = time.monotonic() + self._fault_seconds
        while not self._stopping.is_set() and not wire.peer_is_gone():
            now = time.monotonic()
            if self._faults and now >= fault_at:
                fault_at = now + self._fault_seconds
                channel.fault = self._chance.choice(self._faults)
            fault, channel.fault = channel.fault, ""
            if fault and not self._meet(fault, wire, channel):
                return
            if channel.is_mute:
                self._stopping.wait(_LOOK_SECONDS)
                continue
            while channel.waiting:
                wire.send(channel.waiting.popleft())
                beat_at = now + self._heartbeat_seconds
            if now >= beat_at:
                wire.send(HEARTBEAT)
                beat_at = now + self._heartbeat_seconds
            self._stopping.wait(_LOOK_SECONDS)

    def _meet(self, fault: str, wire: Wire, channel: Channel) -> bool:
        """Let the channel meet the fault; False when it ends by it."""
        self.counts[f"fault {fault}"] += 1
        match fault:
            case "cut":
                whole = packet("EVENTO_CHAMADA_ATENDIDA", {"ID_CHAMADA": "x" * 30})
                wire.send(whole[: len(whole) // 2])
                return False
            case "reset":
                wire.reset_at_the_end()
                return False
            case "close":
                wire.send(packet(CLOSING, {"channelID": channel.id}))
                return False
            case "silence" | "half_open":
                channel.is_mute = True
                if fault == "half_open":
                    with self._lock:
                        self._channels.pop(channel.id, None)
            case "reopen":
                with self._lock:
                    self._channels.pop(channel.id, None)
                    channel.id = self._new_id()
                    self._channels[channel.id] = channel
                wire.send(packet(OPENING, {"channelID": channel.id}))
            case "garbage":
                for piece in _GARBAGE:
                    wire.send(piece)
            case "unknown":
                wire.send(packet("EVENTO_QUE_NINGUEM_CONHECE", {"ID_CHAMADA": "01/01/26 00:00:00 0000 0000/00"}))
        return True


_GARBAGE = (
    b"\x00\x01\x02 nothing of an event\n\n",
    "event: EVENTO_CHAMADA_ATENDIDA\ndata: {\"NOME\": \"Jo\u00e3o\"}\n\n".encode("latin-1"),
    b'event: EVENTO_CHAMADA_ATENDIDA\ndata: {"ID_CHAMADA": "a\\u0000b"}\n\n',
    b'event: EVENTO_CHAMADA_ATENDIDA\ndata: {"ID_CHAMADA": \n\n',
    b"event: EVENTO_CHAMADA_ATENDIDA\ndata: [1, 2]\n\n",
    b"event: EVENTO\x00NULO\ndata: {}\n\n",
    b"event: EVENTO_CHAMADA_ATENDIDA\ndata: " + b"[" * 30_000 + b"\n\n",
    b"data: " + b"x" * 524_288 + b"\n\n",
)  # fmt: skip
