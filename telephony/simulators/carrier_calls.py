"""One call as the carrier sees it: which events are left, and the exact bytes of each event's POST."""

import json
import threading
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import quote_plus

from telephony.simulators.fates import Delivery, Fate
from telephony.simulators.serving import SAO_PAULO


@dataclass(frozen=True)
class Event:
    """One status word and how its POST is spelled."""

    status: str
    is_latin1: bool = False
    is_malformed: bool = False


def events_of(fate: Fate) -> Iterator[Event]:
    """The POSTs that a fate comes to, in the order of sending."""
    for position, status in enumerate(fate.events):
        yield Event(status, is_latin1=fate.delivery is Delivery.LATIN1)
        if fate.delivery is Delivery.TWICE:
            yield Event(status)
        if fate.delivery is Delivery.MALFORMED and position == 0:
            yield Event(status, is_malformed=True)


@dataclass(eq=False)
class CarrierCall:
    """A call that the carrier put through. The same object is read by request threads and moved by the sender."""

    origem: str
    destino: str
    fate: Fate
    talk_seconds: int
    callerid: str = field(default_factory=lambda: str(uuid.uuid4()))
    started_at: datetime = field(default_factory=lambda: datetime.now(SAO_PAULO))
    status: str = ""
    is_abandoned: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._left = deque(events_of(self.fate))

    def next_event(self) -> Event | None:
        """Take the next event off the list; None at the end."""
        with self._lock:
            if not self._left:
                return None
            event = self._left.popleft()
            self.status = event.status
            return event

    def is_active(self) -> bool:
        """True while events are left."""
        with self._lock:
            return bool(self._left)

    def hang_up(self) -> bool:
        """Make ``desligou`` the only event left; False when the call was over."""
        with self._lock:
            was_active = bool(self._left)
            self._left = deque([Event("desligou")] if was_active else [])
            return was_active

    def keep_silent(self) -> None:
        """Be over without a further event."""
        with self._lock:
            self._left.clear()

    def abandon(self) -> None:
        """Drop the events that are left; of one that is on its way nothing more is to be kept."""
        with self._lock:
            self.is_abandoned = True
            self._left.clear()

    def body(self, event: Event, *, pin: str) -> bytes:
        """The form body of one event: a single field ``data`` that holds JSON.

        The names inside the JSON are not published; these are the ones that the vendor uses for the same things in
        /voz/call, /voz/status and /extrato/list.
        """
        talked = event.status == "desligou" and self.fate.is_answered
        minutes, seconds = divmod(self.talk_seconds if talked else 0, 60)
        data = {
            "callerid": self.callerid,
            "origem": self.origem,
            "destino": self.destino,
            "status": event.status,
            "inicio": f"{self.started_at:%Y-%m-%d %H:%M:%S}",
            "duracao": f"00:{minutes:02d}:{seconds:02d}",
            "pin": pin,
        }
        if event.is_latin1:
            return b"data=" + json.dumps(data, ensure_ascii=False).encode("latin-1", "replace")
        text = json.dumps(data)
        if event.is_malformed:
            text = text[: len(text) // 2]
        return f"data={quote_plus(text)}".encode()
