"""Each line's circuit breaker: a PABX that fails again and again is left alone, and then tried with one call.

What counts is what says something about the PABX: no connection, and no sure answer (5xx, time-out, cut). A worker of
ours that died says nothing about it. Nothing is written while a line goes well.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from callcenter.lib.database import any_of, as_list, for_update, rows_of
from telephony.models import LineBreaker
from telephony.states import BreakerState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

log = logging.getLogger(__name__)

LONGEST_PAUSE: Final = timedelta(minutes=10)
B = BreakerState


def breakers_of(line_ids: Iterable[int]) -> dict[int, LineBreaker]:
    """The breakers of these lines, by line; one that never failed has none. One query."""
    return LineBreaker.objects.in_bulk(list(line_ids))


def note_failure(line_id: int, *, reason: str, now: datetime) -> None:
    """Nothing; one more call of the line got no connection, or no sure answer."""
    with transaction.atomic():
        LineBreaker.objects.get_or_create(line_id=line_id, defaults={"changed_at": now})
        breaker = for_update(LineBreaker.objects.filter(pk=line_id)).get()
        breaker.failures += 1
        breaker.reason = reason[:32]
        opens = breaker.state == B.HALF_OPEN or (
            breaker.state == B.CLOSED and breaker.failures >= settings.DIALER_BREAKER_FAILURES
        )
        if opens:
            pause = timedelta(seconds=settings.DIALER_BREAKER_SECONDS) * 2 ** min(breaker.openings, 10)
            breaker.state, breaker.changed_at = B.OPEN, now
            breaker.next_probe_at = now + min(pause, LONGEST_PAUSE)
            breaker.openings += 1
            log.error("line %s: breaker open after %s failures (%s)", line_id, breaker.failures, reason)
        breaker.save()


def note_success(line_ids: Iterable[int], *, now: datetime) -> None:
    """Nothing; the PABX of each of these lines gave a sure answer, so whatever its breaker had counted is over.

    One query, and one more for a line that had failed.
    """
    # By hand, because it is asked after every few calls.
    failed = rows_of(
        f"SELECT line_id FROM telephony_linebreaker WHERE {any_of('line_id')} AND (state <> %s OR failures > 0)",
        [as_list(line_ids), B.CLOSED.value],
    )
    for row in failed:
        close(row["line_id"], now=now)


def close(line_id: int, *, now: datetime) -> bool:
    """Whether the line's breaker was closed by this: the PABX answered, or a person says that it is mended."""
    was_shut = LineBreaker.objects.filter(pk=line_id, state__in=[B.OPEN, B.HALF_OPEN]).update(
        state=B.CLOSED, changed_at=now, failures=0, openings=0, next_probe_at=None
    )
    if was_shut:
        log.warning("line %s: breaker closed", line_id)
    else:
        LineBreaker.objects.filter(pk=line_id).update(failures=0)
    return bool(was_shut)


def may_probe(breaker: LineBreaker, *, now: datetime) -> bool:
    """Whether an open or half-open breaker lets one call try now."""
    return breaker.next_probe_at is None or breaker.next_probe_at <= now


def begin_probe(breaker: LineBreaker, *, now: datetime) -> None:
    """Nothing; one call is on its way to try the line. If it is never heard of again, another may after its lease."""
    patience = timedelta(seconds=settings.DIALER_LEASE_SECONDS + settings.DIGITRO_READ_TIMEOUT_SECONDS)
    LineBreaker.objects.filter(pk=breaker.pk).update(state=B.HALF_OPEN, changed_at=now, next_probe_at=now + patience)


def stands_against(breaker: LineBreaker | None, *, claimed_at: datetime) -> bool:
    """Whether a call that was claimed at that instant must not leave: only the probe of a half-open breaker may."""
    if breaker is None or breaker.state == B.CLOSED:
        return False
    return breaker.state == B.OPEN or claimed_at < breaker.changed_at
