"""Who reads a line's event channel, and how it is doing: a lease with a fence, written by its holder alone.

Whoever holds a lease may write until it is over or somebody else has taken it; every write looks, so that a process
that was stopped and wakes up finds itself refused, not obeyed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q

from telephony.models import EventChannel, EventName, ProviderEvent
from telephony.states import ChannelProblem, ChannelState, Meaning

if TYPE_CHECKING:
    from telephony.models import DialerLine
    from telephony.providers.digitro.channel_events import PabxEvent
    from telephony.providers.digitro.sse import Packet

log = logging.getLogger(__name__)

# A PABX that sends garbage must not fill the table of names.
MOST_NAMES: Final = 500


@dataclass(frozen=True)
class Lease:
    """The right to read one line's channel, as of one taking of it."""

    line_id: int
    fence: int


def take(line_id: int, *, holder: str, now: datetime) -> Lease | None:
    """The lease, when nobody else has it; the channel is being opened from then on."""
    EventChannel.objects.get_or_create(line_id=line_id)
    with transaction.atomic():
        free = Q(lease_until=None) | Q(lease_until__lte=now)
        taken = EventChannel.objects.filter(free, line_id=line_id).update(
            fence=F("fence") + 1,
            holder=holder[:128],
            lease_until=_lease_end(now),
            state=ChannelState.CONNECTING,
            state_since=now,
            channel_id=None,
            retry_at=None,
        )
        if not taken:
            return None
        return Lease(line_id, EventChannel.objects.values_list("fence", flat=True).get(line_id=line_id))


def renew(lease: Lease, *, now: datetime, last_heard_at: datetime | None) -> bool:
    """Whether the lease is still ours, and longer now. One that is over is lost, even when nobody took it."""
    heard = {"last_heard_at": last_heard_at} if last_heard_at is not None else {}
    return _write(lease, now=now, lease_until=_lease_end(now), **heard)


def last_event_id(line_id: int) -> str:
    """The id of the last event of the line that is stored, if the PABX gave it one."""
    return EventChannel.objects.filter(line_id=line_id).values_list("last_event_id", flat=True).first() or ""


def note_connecting(lease: Lease, *, now: datetime) -> bool:
    """Whether it is written that the channel is being opened; False = the lease is lost."""
    return _write(
        lease, now=now, state=ChannelState.CONNECTING, state_since=now, channel_id=None, last_heard_at=None,
        retry_at=None,
    )  # fmt: skip


def note_open(lease: Lease, channel_id: int, *, now: datetime) -> bool:
    """Whether it is written that the channel is open, with the number that its commands need; False = lease lost."""
    log.info("line %s: event channel %s is open", lease.line_id, channel_id)
    return _write(
        lease, now=now, state=ChannelState.OPEN, state_since=now, channel_id=channel_id, last_heard_at=now,
        retry_at=None,
    )  # fmt: skip


def note_lost(lease: Lease, problem: ChannelProblem, *, failures: int, retry_at: datetime, now: datetime) -> bool:
    """Whether it is written that the channel is not open, why, and when it is tried again; False = lease lost."""
    log.warning("line %s: no event channel (%s); tried again at %s", lease.line_id, problem.value, retry_at)
    return _write(
        lease,
        now=now,
        state=ChannelState.WAITING,
        state_since=now,
        channel_id=None,
        problem=problem,
        failures=failures,
        retry_at=retry_at,
    )


def note_steady(lease: Lease, *, now: datetime) -> bool:
    """Whether it is written that the channel has been open for a while: earlier failures are over."""
    return _write(lease, now=now, failures=0, problem="")


def release(lease: Lease, *, now: datetime) -> bool:
    """Whether the lease was ours to give back; the next process takes it at once."""
    return _write(
        lease,
        now=now,
        state=ChannelState.CLOSED,
        state_since=now,
        channel_id=None,
        holder="",
        lease_until=None,
        retry_at=None,
    )


def store_packet(lease: Lease, line: DialerLine, packet: Packet, *, now: datetime) -> ProviderEvent | None:
    """The event as a row, exactly as it came, committed before anybody acts on it; None = the lease is lost.

    Effects: one transaction that looks at the lease.
    """
    seen: dict[str, object] = {"last_event_at": now, "last_heard_at": now}
    if packet.id is not None:
        seen["last_event_id"] = packet.id.decode("utf-8", "replace").replace("\0", "")[:255]
    with transaction.atomic():
        if not _write(lease, now=now, **seen):
            return None
        return ProviderEvent.objects.create(
            line_id=line.pk,
            company_id=line.company_id,
            received_at=now,
            content_type="text/event-stream",
            raw=packet.raw,
            # A block that was cut off or is too long can't be told from a whole one by its bytes.
            **({"state": ProviderEvent.State.UNREADABLE, "problem": packet.problem} if packet.problem else {}),
        )


def count_name(event: PabxEvent, *, now: datetime) -> None:
    """Nothing; the event's name was seen once more. A name that nobody knows gets a row, for people to look at.

    Never fails: a count is not worth an event.
    """
    try:
        names = EventName.objects.filter(name=event.name)
        for detail in dict.fromkeys((event.detail, "")):
            if names.filter(detail=detail).update(seen=F("seen") + 1, last_seen_at=now):
                return
        if EventName.objects.count() < MOST_NAMES:
            log.warning("an event that nobody knows, %r: say in the admin what it means", event.name)
            EventName.objects.get_or_create(
                name=event.name,
                detail=event.detail,
                defaults={"meaning": Meaning.UNKNOWN, "seen": 1, "last_seen_at": now},
            )
    except DatabaseError:
        log.warning("an event's name could not be counted", exc_info=True)


def _lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.DIGITRO_CHANNEL_LEASE_SECONDS)


def _write(lease: Lease, *, now: datetime, **columns: object) -> bool:
    mine = EventChannel.objects.filter(line_id=lease.line_id, fence=lease.fence, lease_until__gt=now)
    return bool(mine.update(**columns))
