"""Reading the event channels: one process, a thread a line, and one that minds them all.

Whichever process has a line's lease opens its channel; the others stand by and try for the lease every second. What
comes is stored before it is acted on, under the lease, and applied by the door that the carrier's news go through.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from callcenter.lib.secrets import SecretUnreadable
from telephony import selectors
from telephony.models import DialerLine
from telephony.providers.base import ProviderError
from telephony.providers.digitro.channel_events import UnreadableEvent, read_event
from telephony.providers.digitro.stream import ChannelLost, EventStream, StreamOpener, open_sse
from telephony.providers.http import Timeouts
from telephony.services import channels
from telephony.services.events import apply_event
from telephony.services.lines import access_of
from telephony.states import ChannelNews, ChannelProblem

if TYPE_CHECKING:
    from telephony.providers.digitro.sse import Packet

log = logging.getLogger(__name__)

STANDBY_SECONDS: Final = 1.0
FIRST_WAIT_SECONDS: Final = 1.0
MOST_WAIT_SECONDS: Final = 60.0
# A channel that was open for so long was no failure.
STEADY_SECONDS: Final = 10.0
# A thread without events for so long gives its database connection back.
IDLE_SECONDS: Final = 30.0
JOIN_SECONDS: Final = 5.0


class LeaseLost(Exception):
    """Somebody else reads the channel now, or may."""


class LineReader:
    """The thread of one line."""

    def __init__(self, line_id: int, setup: tuple[str, ...], *, holder: str, open_stream: StreamOpener) -> None:
        self.line_id, self.setup = line_id, setup
        self._holder = holder
        self._open_stream = open_stream
        self._stopping = threading.Event()
        # Guards what the minding thread and the reading one both touch.
        self._lock = threading.Lock()
        self._stream: EventStream | None = None
        self._lease: channels.Lease | None = None
        self._heard_at: datetime | None = None
        self._opened_at: float | None = None
        self._used_database_at = time.monotonic()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=f"channel-{line_id}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End the reading soon, giving the lease back."""
        self._stopping.set()
        self._shut_stream()

    def is_over(self, *, seconds: float = 0.0) -> bool:
        """Whether the thread has ended, waiting at most so long for it."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def mind(self) -> None:
        """Make the lease longer; one that is lost ends the channel. Called by the minding thread."""
        with self._lock:
            lease, heard_at = self._lease, self._heard_at
        if lease is not None and not channels.renew(lease, now=timezone.now(), last_heard_at=heard_at):
            log.warning("line %s: the lease of its event channel is lost", self.line_id)
            self._forget_lease(lease)
            self._shut_stream()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                lease = channels.take(self.line_id, holder=self._holder, now=timezone.now())
                if lease is None:
                    self._stopping.wait(STANDBY_SECONDS)
                    continue
                with self._lock:
                    self._lease = lease
                self._hold(lease)
            except LeaseLost:
                log.warning("line %s: another process may read its event channel; standing by", self.line_id)
            except DatabaseError as error:
                log.warning("line %s: the database does not answer (%s)", self.line_id, type(error).__name__)
                self._stopping.wait(STANDBY_SECONDS)
            except Exception:
                log.exception("line %s: its event channel's reader failed; it begins anew", self.line_id)
                self._stopping.wait(STANDBY_SECONDS)
            finally:
                connection.close()
        connection.close()

    def _hold(self, lease: channels.Lease) -> None:
        """Open the channel again and again, for as long as the lease is ours."""
        try:
            while not self._stopping.is_set():
                problem = self._read_once(lease)
                if self._stopping.is_set():
                    return
                self._wait_after(lease, problem)
        finally:
            self._forget_lease(lease)
            channels.release(lease, now=timezone.now())

    def _wait_after(self, lease: channels.Lease, problem: ChannelProblem) -> None:
        """Let a growing, jittered time pass, so that many readers don't come back to a restarted PABX at once."""
        was_steady = self._opened_at is not None and time.monotonic() - self._opened_at > STEADY_SECONDS
        self._failures = 1 if was_steady else self._failures + 1
        most = min(MOST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(self._failures - 1, 10))
        seconds = most * random.uniform(0.5, 1.0)
        now = timezone.now()
        retry_at = now + timedelta(seconds=seconds)
        if not channels.note_lost(lease, problem, failures=self._failures, retry_at=retry_at, now=now):
            raise LeaseLost
        connection.close()
        self._stopping.wait(seconds)

    def _read_once(self, lease: channels.Lease) -> ChannelProblem:
        """Open the channel, read it to its end, and say how it ended."""
        self._opened_at = None
        if not settings.DIGITRO_EVENTS_PATH:
            return ChannelProblem.NO_PATH
        try:
            line = DialerLine.objects.get(pk=self.line_id)
        except SecretUnreadable:
            return ChannelProblem.SECRET_UNREADABLE
        with self._lock:
            self._heard_at = None
        if not channels.note_connecting(lease, now=timezone.now()):
            raise LeaseLost
        try:
            stream = self._open_stream(
                access_of(line),
                path=settings.DIGITRO_EVENTS_PATH,
                last_event_id=channels.last_event_id(line.pk),
                timeouts=Timeouts(
                    connect_seconds=settings.DIGITRO_CONNECT_TIMEOUT_SECONDS,
                    answer_seconds=settings.DIGITRO_READ_TIMEOUT_SECONDS,
                ),
                # First of all it says its number.
                silence_seconds=settings.DIGITRO_READ_TIMEOUT_SECONDS,
            )
        except ProviderError as error:
            return ChannelProblem(error.code)
        with self._lock:
            self._stream = stream
        try:
            return self._read_to_the_end(lease, line, stream)
        finally:
            self._shut_stream()

    def _read_to_the_end(self, lease: channels.Lease, line: DialerLine, stream: EventStream) -> ChannelProblem:
        opened_by = time.monotonic() + settings.DIGITRO_READ_TIMEOUT_SECONDS
        is_steady = False
        try:
            for packet in stream.packets():
                if self._is_lost(lease):
                    raise LeaseLost
                with self._lock:
                    self._heard_at = timezone.now()
                if packet.is_heartbeat:
                    self._rest()
                else:
                    problem = self._take_packet(lease, line, stream, packet)
                    if problem is not None:
                        return problem
                if self._opened_at is None:
                    if time.monotonic() > opened_by:
                        return ChannelProblem.NO_OPENING
                elif not is_steady and time.monotonic() - self._opened_at > STEADY_SECONDS:
                    is_steady = channels.note_steady(lease, now=timezone.now())
        except ChannelLost as loss:
            if self._is_lost(lease):
                raise LeaseLost from loss
            return ChannelProblem.NO_OPENING if self._opened_at is None and loss.reason == "silent" else _told(loss)
        return ChannelProblem.CUT

    def _take_packet(
        self, lease: channels.Lease, line: DialerLine, stream: EventStream, packet: Packet
    ) -> ChannelProblem | None:
        """Store the event and act on it; the reason when the channel is over."""
        self._used_database_at = time.monotonic()
        event_id = self._store(lease, line, packet)
        if event_id is None:
            return ChannelProblem.NOT_STORED
        try:
            event = read_event(packet)
        except UnreadableEvent:
            apply_event(event_id, now=timezone.now())
            return None
        now = timezone.now()
        channels.count_name(event, now=now)
        meaning = selectors.event_meaning(event.name, event.detail)
        apply_event(event_id, now=now)
        if meaning == ChannelNews.CLOSED:
            return ChannelProblem.CLOSED
        if meaning == ChannelNews.OPENED:
            if event.channel_id is None:
                return ChannelProblem.BAD_OPENING
            if not channels.note_open(lease, event.channel_id, now=timezone.now()):
                raise LeaseLost
            self._opened_at = time.monotonic()
            stream.wait_at_most(settings.DIGITRO_CHANNEL_SILENCE_SECONDS)
        return None

    def _store(self, lease: channels.Lease, line: DialerLine, packet: Packet) -> int | None:
        """The stored event's id, trying for as long as the lease may last; None = the database would not take it."""
        give_up_at = time.monotonic() + settings.DIGITRO_CHANNEL_LEASE_SECONDS
        while True:
            try:
                event = channels.store_packet(lease, line, packet, now=timezone.now())
            except DatabaseError:
                log.warning("line %s: the database does not take an event; trying again", self.line_id, exc_info=True)
                connection.close()
                if time.monotonic() > give_up_at or self._stopping.wait(0.5):
                    return None
            else:
                if event is None:
                    raise LeaseLost
                return event.pk

    def _rest(self) -> None:
        if time.monotonic() - self._used_database_at > IDLE_SECONDS:
            connection.close()

    def _is_lost(self, lease: channels.Lease) -> bool:
        with self._lock:
            return self._lease != lease

    def _forget_lease(self, lease: channels.Lease) -> None:
        with self._lock:
            if self._lease == lease:
                self._lease = None

    def _shut_stream(self) -> None:
        with self._lock:
            stream = self._stream
        if stream is not None:
            stream.close()


def _told(loss: ChannelLost) -> ChannelProblem:
    return ChannelProblem(loss.reason)


class ChannelProcess:
    """All lines' readers, and the loop that starts, minds and stops them. Several processes may run at once."""

    def __init__(self, *, open_stream: StreamOpener = open_sse) -> None:
        # The last part tells this start apart from an earlier one that had the same number.
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._open_stream = open_stream
        self._readers: dict[int, LineReader] = {}
        self._leaving: list[LineReader] = []
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End `run` soon. Safe in a signal's handler."""
        self._stopping.set()

    def run(self) -> None:
        """Read every line that wants it until told to stop; gives all leases back then."""
        pause = min(2.0, settings.DIGITRO_CHANNEL_LEASE_SECONDS / 10)
        while not self._stopping.is_set():
            try:
                self._mind()
            except DatabaseError as error:
                log.warning("the database does not answer (%s); channels go on as they are", type(error).__name__)
                connection.close()
            except Exception:
                log.exception("minding the event channels failed; tried again")
            self._stopping.wait(pause)
        self._leaving += self._readers.values()
        for reader in self._leaving:
            reader.stop()
        for reader in self._leaving:
            reader.is_over(seconds=JOIN_SECONDS)
        connection.close()

    def _mind(self) -> None:
        # First of all: a lease must not run out because the list of lines takes its time.
        for reader in self._readers.values():
            reader.mind()
        wanted = selectors.channels_wanted()
        for line_id, reader in list(self._readers.items()):
            if wanted.get(line_id) != reader.setup or reader.is_over():
                reader.stop()
                self._leaving.append(self._readers.pop(line_id))
        self._leaving = [reader for reader in self._leaving if not reader.is_over()]
        for line_id, setup in wanted.items():
            if line_id not in self._readers:
                self._readers[line_id] = LineReader(line_id, setup, holder=self.holder, open_stream=self._open_stream)
                self._readers[line_id].start()
