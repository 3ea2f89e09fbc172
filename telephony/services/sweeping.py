"""Settling what hangs: claims and sends whose worker died, calls without news, events that were not applied."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from requests_app.states import Outcome
from telephony import selectors
from telephony.models import ProviderEvent
from telephony.services import fence, moves
from telephony.services.events import apply_event
from telephony.services.news import apply_received
from telephony.states import AttemptState, MoveReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from telephony.models import CallAttempt

log = logging.getLogger(__name__)

S = AttemptState

# So many of each kind a round; the rest is a round later.
BATCH: Final = 500
# A callback is applied within a second or so, an event of the PABX at once; what is older than this was left behind.
LEFT_BEHIND: Final = timedelta(seconds=2)
# How long an event that fits no attempt is tried again, and how far back a lost one is looked for.
REMATCH_FOR: Final = timedelta(hours=1)
LOOK_BACK: Final = timedelta(days=30)


def sweep(*, now: datetime) -> dict[str, int]:
    """How much of each kind was settled. Safe to repeat, and for several to run at once.

    Effects: one transaction per row, so that one that fails stops no other.
    """
    # Before anything is concluded from what this database knows: it may have forgotten some of it.
    fence.look(now=now)
    return {
        "events": _apply_events(now=now),
        "claims": _each(selectors.expired_attempts([S.CLAIMED], now=now, limit=BATCH), _drop_claim, now=now),
        "sends": _each(selectors.expired_attempts([S.SENDING], now=now, limit=BATCH), _doubt_send, now=now),
        "silent": _each(_silent([S.PLACED, S.RINGING], settings.DIALER_RING_TIMEOUT_SECONDS, now), _no_news, now=now),
        "endless": _each(_silent([S.ANSWERED], settings.DIALER_TALK_TIMEOUT_SECONDS, now), _end_talk, now=now),
    }


def _apply_events(*, now: datetime) -> int:
    applied = apply_received(now=now)
    # What failed before, and the PABX's.
    received = selectors.pending_event_ids(
        state=ProviderEvent.State.RECEIVED, before=now - LEFT_BEHIND, after=now - LOOK_BACK, limit=BATCH
    )
    unmatched = selectors.pending_event_ids(
        state=ProviderEvent.State.UNMATCHED, before=now - LEFT_BEHIND, after=now - REMATCH_FOR, limit=BATCH
    )
    return applied + sum(apply_event(event_id, now=now) for event_id in [*received, *unmatched])


def _silent(states: Iterable[str], seconds: int, now: datetime) -> list[CallAttempt]:
    return selectors.silent_attempts(states, since=now - timedelta(seconds=seconds), limit=BATCH)


def _each(attempts: list[CallAttempt], settle: Callable[[CallAttempt, datetime], bool], *, now: datetime) -> int:
    settled = 0
    for attempt in attempts:
        try:
            with transaction.atomic():
                settled += settle(moves.locked(attempt.pk), now)
        except Exception:
            log.exception("attempt %s: could not be settled now; the next sweep tries again", attempt.pk)
    return settled


def _drop_claim(attempt: CallAttempt, now: datetime) -> bool:
    # Nothing was sent: the intent is committed before the call leaves.
    return moves.release(
        attempt,
        expected=[S.CLAIMED],
        reason=MoveReason.LEASE_OVER,
        due_at=now,
        now=now,
        guard={"lease_until__lt": now},
    )


def _doubt_send(attempt: CallAttempt, now: datetime) -> bool:
    if attempt.lease_until is None or attempt.lease_until >= now:
        return False
    return moves.doubt(attempt, reason=MoveReason.LEASE_OVER_SENDING, now=now)


def _no_news(attempt: CallAttempt, now: datetime) -> bool:
    return moves.end(attempt, Outcome.NO_NEWS, expected=[S.PLACED, S.RINGING], reason=MoveReason.NO_NEWS, now=now)


def _end_talk(attempt: CallAttempt, now: datetime) -> bool:
    return moves.end(attempt, Outcome.ANSWERED, expected=[S.ANSWERED], reason=MoveReason.NO_NEWS, now=now)
