"""Applying all stored news anew, in another order: the calls must end as they did.

For a copy of the database, which comes up with the dialer off; everything is done in transactions that are rolled back.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db import transaction
from django.db.models import Q

from callcenter.lib.errors import Conflict
from requests_app.services.calls import reopen_for_replay
from requests_app.states import Outcome
from telephony import selectors
from telephony.models import CallAttempt, ProviderEvent
from telephony.services.events import apply_event
from telephony.services.news import apply_batch
from telephony.services.news_batch import DELIVERY_COLUMNS, Delivery
from telephony.services.switches import dialer_is_on
from telephony.states import OPEN, AttemptState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

S = AttemptState

# So many calls are open at once in a replay, so many pieces of news come together at most, and this share twice.
CALLS_AT_ONCE: Final = 100
BATCH: Final = 40
TOLD_TWICE: Final = 0.3


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
    for calls in _together(_with_news(since)):
        number += len(calls)
        replayed = _replayed(calls, chance, now=now)
        for call in calls:
            if _closed_in_time(replayed[call.pk]) != (call.state, call.outcome):
                differences.append(Difference(call.pk, (call.state, call.outcome), replayed[call.pk]))
    return number, differences


def _closed_in_time(end: tuple[str, str]) -> tuple[str, str]:
    """Where a call comes to that no more is heard of: rung or answered, and then silence, which no news says."""
    state, _outcome = end
    if state == S.ENDED:
        return end
    return (S.ENDED.value, (Outcome.ANSWERED if state == S.ANSWERED else Outcome.NO_NEWS).value)


def _with_news(since: datetime) -> Iterator[CallAttempt]:
    applied = ProviderEvent.objects.filter(state=ProviderEvent.State.APPLIED, attempt__isnull=False)
    ended = CallAttempt.objects.filter(claimed_at__gte=since, state=S.ENDED, pk__in=applied.values("attempt_id"))
    yield from ended.order_by("pk").iterator(chunk_size=500)


def _together(calls: Iterable[CallAttempt]) -> Iterator[list[CallAttempt]]:
    """Calls that may all be open at once: of different requests, and to different numbers."""
    some: dict[str, CallAttempt] = {}
    requests: set[int | None] = set()
    for call in calls:
        if len(some) == CALLS_AT_ONCE or call.phone_e164 in some or call.call_request_id in requests:
            yield list(some.values())
            some, requests = {}, set()
        some[call.phone_e164] = call
        requests |= {call.call_request_id} - {None}
    if some:
        yield list(some.values())


def _replayed(calls: Sequence[CallAttempt], chance: random.Random, *, now: datetime) -> dict[int, tuple[str, str]]:
    """Where their news bring the calls in a random order, some of it twice, when they begin as accepted calls."""
    ids = [call.pk for call in calls]
    mine = CallAttempt.objects.filter(pk__in=ids)
    with transaction.atomic():
        # Their numbers and their requests must be free for them to be open once more.
        of_number = Q(phone_e164__in=[call.phone_e164 for call in calls])
        of_request = Q(call_request__in=[call.call_request_id for call in calls if call.call_request_id is not None])
        rivals = CallAttempt.objects.filter(of_number | of_request, state__in=OPEN).exclude(pk__in=ids)
        rivals.update(state=S.ENDED)
        mine.update(state=S.PLACED, outcome="", answered_at=None, ended_at=None, has_conflict=False)
        for call in calls:
            if call.call_request_id is not None:
                reopen_for_replay(call.call_request_id)
        _apply_shuffled(ids, chance, now=now)
        ends = {pk: (state, outcome) for pk, state, outcome in mine.values_list("pk", "state", "outcome")}
        transaction.set_rollback(True)
    return ends


def _apply_shuffled(attempt_ids: Sequence[int], chance: random.Random, *, now: datetime) -> None:
    """Apply the news of these calls by the ways that they came: callbacks in batches, what else there is one by one."""
    events = ProviderEvent.objects.filter(attempt_id__in=attempt_ids)
    told = list(events.order_by("pk").values_list("pk", flat=True))
    events.update(attempt=None, applied_at=None)
    told += [event_id for event_id in told if chance.random() < TOLD_TWICE]
    chance.shuffle(told)
    while told:
        size = chance.randint(1, BATCH)
        part, told = told[:size], told[size:]
        waiting = ProviderEvent.objects.filter(pk__in=part)
        waiting.update(state=ProviderEvent.State.RECEIVED, tries=0)
        callbacks = waiting.filter(selectors.untried_callbacks()).values_list(*DELIVERY_COLUMNS)
        batch = {row[0]: Delivery(*row) for row in callbacks}
        apply_batch(lambda ids=part, batch=batch: [batch[one] for one in dict.fromkeys(ids) if one in batch], now=now)  # type: ignore[misc]
        for event_id in part:
            if event_id not in batch:
                apply_event(event_id, now=now)
