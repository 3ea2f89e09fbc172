"""The outbox of webhooks as a queue: who may try which delivery now, and what becomes of it.

At least once: a try is claimed by a lease and settled by compare-and-set; a worker that dies in between leaves a lease
that ends, and the same message goes out again under the same id. An endpoint that is failing gets one place at a time,
and all failing ones together half of them, so that they delay nobody.
"""

from __future__ import annotations

import logging
import random
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Count, OuterRef, Q, Subquery

from callcenter.lib.database import serialize
from requests_app.models import WebhookDelivery, WebhookEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from django.db.models import QuerySet

log = logging.getLogger(__name__)

State, Error = WebhookDelivery.State, WebhookDelivery.Error

POOL_SIZE: Final = 16
PLACES_OF_ENDPOINT: Final = 4
PLACES_OF_FAILING_ENDPOINT: Final = 1
PLACES_OF_ALL_FAILING: Final = POOL_SIZE // 2

# What is waited after the first, second … failure; after the tenth the delivery is given up. 75 h 35 min in all.
# Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
RETRY_DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
MOST_TRIES: Final = len(RETRY_DELAYS) + 1
# Each wait is this much longer or shorter, by chance, so that what failed together does not come back together.
JITTER: Final = 0.1
# An endpoint whose every try failed for so long is switched off.
DISABLE_AFTER: Final = timedelta(days=5)

# Failures that are ours say nothing about the endpoint.
_OURS: Final = {Error.SECRET, Error.INTERNAL}


@dataclass(frozen=True)
class Claim:
    """The right to one try of one delivery. `is_failing`: the endpoint's last try failed."""

    delivery_id: int
    token: uuid.UUID
    is_failing: bool = False


@dataclass(frozen=True)
class Result:
    """How a try ended; `error` empty = delivered."""

    error: str = ""
    status: int | None = None
    retry_after_seconds: int | None = None


def claim_due_deliveries(*, now: datetime, limit: int, limit_failing: int) -> list[Claim]:
    """The right to up to `limit` tries, of them `limit_failing` at endpoints that are failing.

    First come the endpoints with the fewest tries under way, in turns; within each the longest due.

    Effects: the rows are leased, one claim at a time on the whole installation.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        serialize("webhook-deliveries")
        queues = list(_queues(now, limit=limit, limit_failing=limit_failing))
        chosen = dict(_in_turns(queues, limit=limit, limit_failing=limit_failing))
        WebhookDelivery.objects.filter(pk__in=chosen).update(leased_until=lease_end(now), lease_token=token)
    return [Claim(delivery_id, token, is_failing) for delivery_id, is_failing in chosen.items()]


def is_any_due(now: datetime) -> bool:
    """Whether anything may be tried now. One query, without a lock."""
    return _waiting_endpoints(now).exists()


def claimed_deliveries(claim: Claim) -> QuerySet[WebhookDelivery]:
    """The delivery of the claim, as long as it is the claim's."""
    return WebhookDelivery.objects.filter(pk=claim.delivery_id, lease_token=claim.token, state=State.PENDING)


def lease_end(now: datetime) -> datetime:
    """Until when a claim made or renewed now holds: longer than a try takes once its first byte left."""
    return now + timedelta(seconds=2 * settings.WEBHOOK_TIMEOUT_SECONDS)


def store_result(claim: Claim, result: Result, *, duration_ms: int, now: datetime) -> bool:
    """Whether the result of a try was stored; False when the delivery is not this caller's any more.

    Delivered, due again by the schedule, or given up; the endpoint's health follows.
    """
    with transaction.atomic():
        mine = claimed_deliveries(claim)
        found = mine.values_list("tries", "endpoint_id").first()
        if found is None:
            return False
        tries, endpoint_id = found[0] + 1, found[1]
        values = _values(result, tries=tries, now=now)
        stored = mine.update(
            **values,
            tries=tries,
            leased_until=None,
            lease_token=None,
            last_try_at=now,
            last_status=result.status,
            last_error=result.error,
            last_duration_ms=duration_ms,
        )
        if not stored:
            return False
        _note_health(endpoint_id, result, now=now)
    if values["state"] == State.FAILED:
        log.warning("webhook delivery %s: given up after %s tries (%s)", claim.delivery_id, tries, result.error)
    return True


def retry_delay(tries: int, *, chance: float, at_least_seconds: int = 0) -> timedelta:
    """How long to wait after so many failures. `chance` is 0 to 1; `at_least_seconds` is what the receiver asked."""
    delay = RETRY_DELAYS[tries - 1] * (1 - JITTER + 2 * JITTER * chance)
    return max(delay, timedelta(seconds=at_least_seconds))


def prune_deliveries(*, now: datetime) -> int:
    """How many deliveries were older than the log is kept, and are gone."""
    old = WebhookDelivery.objects.filter(created_at__lt=now - timedelta(days=settings.WEBHOOK_KEEP_DAYS))
    total = 0
    while ids := list(old.order_by("created_at", "id").values_list("pk", flat=True)[:1000]):
        total += WebhookDelivery.objects.filter(pk__in=ids).delete()[0]
    return total


def _due(now: datetime) -> QuerySet[WebhookDelivery]:
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    return WebhookDelivery.objects.filter(free, state=State.PENDING, next_try_at__lte=now).order_by("next_try_at", "pk")


def _waiting_endpoints(now: datetime) -> QuerySet[Any, Any]:
    """The enabled endpoints with something due, and since when. One look into the queue's index each, however long."""
    oldest = _due(now).filter(endpoint_id=OuterRef("pk")).values("next_try_at")[:1]
    enabled = WebhookEndpoint.objects.filter(is_enabled=True).order_by()
    return enabled.annotate(due_since=Subquery(oldest)).filter(due_since__isnull=False)


def _queues(now: datetime, *, limit: int, limit_failing: int) -> Iterator[tuple[bool, list[int]]]:
    """Of each endpoint that has room: whether it is failing, and the ids that it may be sent now."""
    leased = WebhookDelivery.objects.filter(state=State.PENDING, leased_until__gt=now).order_by()
    busy = dict(leased.values_list("endpoint_id").annotate(count=Count("pk")))
    waiting = _waiting_endpoints(now).values_list("pk", "failing_since", "due_since")
    left = {False: limit, True: limit_failing}
    for endpoint_id, failing_since, _since in sorted(waiting, key=lambda row: (busy.get(row[0], 0), row[2])):
        is_failing = failing_since is not None
        places = PLACES_OF_FAILING_ENDPOINT if is_failing else PLACES_OF_ENDPOINT
        room = places - busy.get(endpoint_id, 0)
        if room > 0 and left[is_failing] > 0:
            left[is_failing] -= 1
            yield is_failing, list(_due(now).filter(endpoint_id=endpoint_id).values_list("pk", flat=True)[:room])


def _in_turns(
    queues: Iterable[tuple[bool, list[int]]], *, limit: int, limit_failing: int
) -> Iterator[tuple[int, bool]]:
    """One id of each queue, then the second of each …, up to the limits."""
    turns = sorted(
        ((turn, place, is_failing, pk) for place, (is_failing, ids) in enumerate(queues) for turn, pk in enumerate(ids))
    )
    for _turn_number, _place, is_failing, pk in turns:
        if limit <= 0:
            return
        if is_failing and limit_failing <= 0:
            continue
        limit, limit_failing = limit - 1, limit_failing - is_failing
        yield pk, is_failing


def _values(result: Result, *, tries: int, now: datetime) -> dict[str, Any]:
    """What the delivery becomes after that try."""
    if not result.error:
        return {"state": State.DELIVERED, "next_try_at": None, "delivered_at": now}
    if result.error == Error.GONE or tries >= MOST_TRIES:
        return {"state": State.FAILED, "next_try_at": None}
    delay = retry_delay(tries, chance=random.random(), at_least_seconds=result.retry_after_seconds or 0)
    return {"state": State.PENDING, "next_try_at": now + delay}


def _note_health(endpoint_id: int, result: Result, *, now: datetime) -> None:
    """Remember since when the endpoint fails; one that is gone, or fails for too long, is switched off."""
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id)
    if not result.error:
        endpoint.filter(failing_since__isnull=False).update(failing_since=None)
    elif result.error not in _OURS:
        endpoint.filter(failing_since=None).update(failing_since=now)
        reason, doomed = WebhookEndpoint.DisabledReason.FAILING, Q(failing_since__lte=now - DISABLE_AFTER)
        if result.error == Error.GONE:
            reason, doomed = WebhookEndpoint.DisabledReason.GONE, Q()
        off = endpoint.filter(doomed, is_enabled=True)
        if off.update(is_enabled=False, disabled_at=now, disabled_reason=reason):
            log.warning("webhook endpoint %s: switched off (%s)", endpoint_id, reason)
