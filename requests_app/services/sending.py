"""Sending the outbox of webhooks: a bounded pool of threads, one signed POST per try, no database held meanwhile.

A receiver that hangs holds few places of the pool, and no one else's time.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connection
from django.utils import timezone

from callcenter.lib.errors import DomainError
from callcenter.lib.outbound import OutboundError, Timeouts, post
from callcenter.lib.secrets import SecretUnreadable
from callcenter.lib.standard_webhooks import headers
from requests_app.models import WebhookEndpoint
from requests_app.services.deliveries import (
    PLACES_OF_ALL_FAILING,
    POOL_SIZE,
    Claim,
    Error,
    Result,
    claim_due_deliveries,
    claimed_deliveries,
    is_any_due,
    lease_end,
    store_result,
)

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from callcenter.lib.outbound import Answer
    from requests_app.models import WebhookDelivery

log = logging.getLogger(__name__)

# A batch takes new work for so long and then ends with what it has begun; the bell rings for the next meanwhile.
BATCH_SECONDS: Final = 30.0
LOOK_AGAIN_SECONDS: Final = 0.5

_turn = threading.Lock()


class LeaseLost(DomainError):
    """The try took so long to begin that it is somebody else's by now, or its endpoint was switched off."""

    code = "lease_lost"


def deliver_due_webhooks() -> int:
    """How many tries were made of what is due; returns when nothing is left that may be tried now.

    In each process one batch at a time takes new work, so a bell that rings while it does ends at once.
    """
    if not is_any_due(timezone.now()):
        return 0
    with ThreadPoolExecutor(max_workers=POOL_SIZE, thread_name_prefix="webhook") as pool:
        if not _turn.acquire(blocking=False):
            return 0
        try:
            return _run_batch(pool)
        finally:
            _turn.release()


def attempt_delivery(claim: Claim) -> None:
    """One try of a claimed delivery, and its result stored. Does nothing when the claim is no longer valid."""
    mine = claimed_deliveries(claim)
    started = time.monotonic()
    try:
        delivery = mine.select_related("endpoint").first()
        if delivery is None:
            return
        result = _result(_sent(delivery, mine))
    except LeaseLost:
        log.info("webhook delivery %s: not sent, its turn is over", claim.delivery_id)
        return
    except OutboundError as error:
        result = Result(error.failure)
    except SecretUnreadable:
        log.exception("webhook delivery %s: its endpoint's secret can't be decrypted", claim.delivery_id)
        result = Result(Error.SECRET)
    except Exception:
        log.exception("webhook delivery %s: the try failed", claim.delivery_id)
        result = Result(Error.INTERNAL)
    duration_ms = round((time.monotonic() - started) * 1000)
    store_result(claim, result, duration_ms=duration_ms, now=timezone.now())


def _run_batch(pool: ThreadPoolExecutor) -> int:
    ends = time.monotonic() + BATCH_SECONDS
    running: dict[Future[None], bool] = {}
    count = 0
    while time.monotonic() < ends:
        now, room = timezone.now(), POOL_SIZE - len(running)
        claims: list[Claim] = []
        if room and is_any_due(now):
            limit_failing = PLACES_OF_ALL_FAILING - sum(running.values())
            claims = claim_due_deliveries(now=now, limit=room, limit_failing=limit_failing)
        running.update({pool.submit(_attempt_in_thread, claim): claim.is_failing for claim in claims})
        count += len(claims)
        if not running:
            break
        for done in wait(running, timeout=LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED).done:
            del running[done]
    return count


def _attempt_in_thread(claim: Claim) -> None:
    # A pool's thread has a database connection of its own, which nobody else would close.
    try:
        attempt_delivery(claim)
    except Exception:
        log.exception("webhook delivery %s: its result was not stored; it is tried again", claim.delivery_id)
    finally:
        connection.close()


def _sent(delivery: WebhookDelivery, mine: QuerySet[WebhookDelivery]) -> Answer:
    """The receiver's answer to one signed POST."""
    endpoint, now, content = delivery.endpoint, timezone.now(), delivery.payload.encode()
    signed = headers(_keys(endpoint, now), message_id=delivery.message_id, at=now, content=content)

    def renew() -> None:
        # The fence: whoever can't renew its lease on the open connection does not send. One table in the UPDATE, or
        # PostgreSQL would not look at its conditions again after waiting for another writer of the row.
        at = timezone.now()
        is_enabled = WebhookEndpoint.objects.filter(pk=endpoint.pk, is_enabled=True).exists()
        if not is_enabled or not mine.filter(leased_until__gt=at).update(leased_until=lease_end(at)):
            raise LeaseLost
        _let_go()

    _let_go()
    return post(
        endpoint.url,
        content=content,
        headers={"Content-Type": "application/json", **signed},
        timeouts=Timeouts(settings.WEBHOOK_CONNECT_TIMEOUT_SECONDS, settings.WEBHOOK_TIMEOUT_SECONDS),
        allowed_networks=settings.WEBHOOK_ALLOWED_NETWORKS,
        before_send=renew,
    )


def _let_go() -> None:
    """Give the database connection back while a stranger is waited for: there may be many of us."""
    if not connection.in_atomic_block:
        connection.close()


def _keys(endpoint: WebhookEndpoint, now: datetime) -> list[str]:
    is_old_valid = endpoint.previous_secret_until is not None and endpoint.previous_secret_until > now
    return [endpoint.secret, endpoint.previous_secret] if is_old_valid else [endpoint.secret]


def _result(answer: Answer) -> Result:
    status = answer.status_code
    if 200 <= status < 300:
        return Result(status=status)
    error = Error.GONE if status == 410 else Error.REDIRECT if 300 <= status < 400 else Error.STATUS
    return Result(error, status, answer.retry_after_seconds)
