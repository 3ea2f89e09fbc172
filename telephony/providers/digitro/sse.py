"""Server-Sent Events taken apart: bytes in, packets out, however the bytes are cut. Pure.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
Unlike a browser it throws nothing away: what is no event, too long or cut off comes out as a packet that says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

# An event of a call is under a kilobyte.
MAX_PACKET_BYTES: Final = 64 * 1024

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_FIELDS: Final = frozenset({b"event", b"data", b"id", b"retry"})
# "Heartbeat = empty data packet": https://docs-cti.digitro.com/doc-646020
_EMPTY_DATA: Final = frozenset({b"", b"{}"})


@dataclass(frozen=True)
class Packet:
    """One block of the stream up to its blank line.

    Shape: `raw` is the block as it came; `problem` is empty for a whole block, else `cut`, `too_large` or `not_sse`.
    """

    raw: bytes
    name: bytes = b""
    data: bytes = b""
    id: bytes | None = None
    problem: str = ""

    @property
    def is_heartbeat(self) -> bool:
        """Whether it only says that the channel lives."""
        return not self.problem and self.name in (b"", b"message") and self.data.strip() in _EMPTY_DATA


class PacketParser:
    """Feed it what the socket gives; it yields what is complete. One a connection."""

    def __init__(self, *, max_bytes: int = MAX_PACKET_BYTES) -> None:
        self._max_bytes = max_bytes
        self._is_first = True
        self._after_carriage_return = False
        self._forget_block()

    def feed(self, chunk: bytes) -> Iterator[Packet]:
        """The packets that these bytes complete."""
        if self._after_carriage_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_carriage_return = False
        if not chunk:
            return
        self._after_carriage_return = chunk.endswith(b"\r")
        *whole, rest = _LINE_END.split(chunk)
        for line in whole:
            self._keep(line)
            packet = self._end_line()
            if packet is not None:
                yield packet
        self._keep(rest)

    def close(self) -> Packet | None:
        """What is left of a block whose end never came."""
        lines = [*self._lines, bytes(self._line)] if self._line else self._lines
        return Packet(b"\n".join(lines), problem="cut") if lines else None

    def _forget_block(self) -> None:
        self._lines: list[bytes] = []
        self._line = bytearray()
        self._line_has_bytes = False
        self._size = 0
        self._is_too_long = False

    def _keep(self, part: bytes) -> None:
        if not part:
            return
        self._line_has_bytes = True
        room = self._max_bytes - self._size
        if len(part) > room:
            self._is_too_long = True
            part = part[: max(0, room)]
        self._line += part
        self._size += len(part)

    def _end_line(self) -> Packet | None:
        line = bytes(self._line)
        if self._is_first:
            line, self._is_first = line.removeprefix(_BYTE_ORDER_MARK), False
        is_blank = not self._line_has_bytes
        self._line, self._line_has_bytes = bytearray(), False
        if not is_blank:
            self._size += 1
            if line:
                self._lines.append(line)
            return None
        lines, is_too_long = self._lines, self._is_too_long
        self._forget_block()
        if not lines:
            return None
        return Packet(b"\n".join(lines), problem="too_large") if is_too_long else _packet(lines)


def _packet(lines: list[bytes]) -> Packet:
    name, data, last_id, knows_any = b"", [], None, False
    for line in lines:
        field, _colon, value = line.partition(b":")
        value = value.removeprefix(b" ")
        # A line that begins with a colon is a comment.
        knows_any = knows_any or field in _FIELDS or not field
        if field == b"event":
            name = value
        elif field == b"data":
            data.append(value)
        elif field == b"id" and b"\0" not in value:
            last_id = value
    problem = "" if knows_any else "not_sse"
    return Packet(b"\n".join(lines), name=name, data=b"\n".join(data), id=last_id, problem=problem)
