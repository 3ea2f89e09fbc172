"""Applying all stored news anew, in another order: the calls must end as they did.

For a copy of the database, which comes up with the dialer off; everything is done in transactions that are rolled back.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from django.db import transaction

from callcenter.lib.errors import Conflict
from requests_app.services.calls import reopen_for_replay
from telephony.models import CallAttempt, ProviderEvent
from telephony.services.events import apply_event
from telephony.services.switches import dialer_is_on
from telephony.states import AttemptState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

S = AttemptState


class Difference(NamedTuple):
    """An attempt that ended otherwise: its state and outcome as stored, and as the news in another order brought it."""

    attempt_id: int
    stored: tuple[str, str]
    replayed: tuple[str, str]


def replay(*, since: datetime, seed: int, now: datetime) -> tuple[int, list[Difference]]:
    """How many calls that were claimed since were replayed, and those that ended otherwise.

    Errors: `Conflict` while the dialer is on: what is replayed is locked, and looks open for a moment.
    """
    if dialer_is_on():
        raise Conflict("Switch the dialer off first: a replay is for a copy of the database.")
    chance = random.Random(seed)
    number, differences = 0, []
    for attempt in _with_news(since):
        number += 1
        replayed = _replayed(attempt, chance, now=now)
        # Rung or answered, and then silence: the sweep closed it, which no news says.
        if replayed[0] == S.ENDED and replayed != (attempt.state, attempt.outcome):
            differences.append(Difference(attempt.pk, (attempt.state, attempt.outcome), replayed))
    return number, differences


def _with_news(since: datetime) -> Iterator[CallAttempt]:
    applied = ProviderEvent.objects.filter(state=ProviderEvent.State.APPLIED, attempt__isnull=False)
    ended = CallAttempt.objects.filter(claimed_at__gte=since, state=S.ENDED, pk__in=applied.values("attempt_id"))
    yield from ended.order_by("pk").iterator(chunk_size=500)


def _replayed(attempt: CallAttempt, chance: random.Random, *, now: datetime) -> tuple[str, str]:
    """Where the attempt's news bring it in a random order, some of it twice, when it begins as an accepted call."""
    with transaction.atomic():
        # Its number and its request must be free for it to be open once more.
        rivals = CallAttempt.objects.filter(phone_e164=attempt.phone_e164).exclude(pk=attempt.pk)
        rivals.exclude(state__in=[S.ENDED, S.REFUSED, S.RELEASED]).update(state=S.ENDED)
        CallAttempt.objects.filter(pk=attempt.pk).update(
            state=S.PLACED, outcome="", answered_at=None, ended_at=None, has_conflict=False
        )
        if attempt.call_request_id is not None:
            reopen_for_replay(attempt.call_request_id)
        events = ProviderEvent.objects.filter(attempt_id=attempt.pk)
        ids = list(events.values_list("pk", flat=True))
        events.update(state=ProviderEvent.State.RECEIVED, attempt=None, applied_at=None)
        chance.shuffle(ids)
        for event_id in ids:
            apply_event(event_id, now=now)
            if chance.random() < 0.3:
                ProviderEvent.objects.filter(pk=event_id).update(state=ProviderEvent.State.RECEIVED)
                apply_event(event_id, now=now)
        state, outcome = CallAttempt.objects.values_list("state", "outcome").get(pk=attempt.pk)
        transaction.set_rollback(True)
    return state, outcome
