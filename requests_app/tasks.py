"""The bells that Celery rings for call requests; every task re-reads the tables, so one that is lost does no harm."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from requests_app.services.deliveries import prune_deliveries
from requests_app.services.idempotency import purge_answers
from requests_app.services.missed import watch_callbacks
from requests_app.services.sending import deliver_due_webhooks

log = logging.getLogger(__name__)


# A bell that waited longer than this in the queue says nothing new.
@shared_task(acks_late=False, expires=60)
def deliver_webhooks() -> None:
    """Send the outgoing webhooks that are due."""
    deliver_due_webhooks()


@shared_task(expires=3600)
def prune_webhook_deliveries() -> None:
    """Throw away the delivery log's end."""
    count = prune_deliveries(now=timezone.now())
    if count:
        log.info("webhook deliveries: %s old ones thrown away", count)


@shared_task(expires=3600)
def purge_idempotent_answers() -> None:
    """Throw away the answers whose `Idempotency-Key` is free again."""
    count = purge_answers(now=timezone.now())
    if count:
        log.info("idempotency: %s answers of yesterday thrown away", count)


@shared_task(expires=60)
def watch_missed_callbacks() -> None:
    """Give what was missed a decision, an owner and a deadline."""
    found = watch_callbacks(now=timezone.now())
    if any(found.values()):
        log.info("missed callbacks: %s noticed, %s resolved", found["noticed"], found["resolved"])
