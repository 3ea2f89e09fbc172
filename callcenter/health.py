"""Answers to "are you alive?" and "may traffic be sent to you?", for operators and their load balancers."""

from __future__ import annotations

import logging
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from callcenter.models import WorkerHeartbeat
from telephony.selectors import channel_process_is_missing

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

# Four beats of the schedule: one late beat is no failure.
HEARTBEAT_MAX_AGE: Final = timedelta(seconds=60)
# A prober gives up after a few seconds; a frozen broker must not hold the answer longer.
BROKER_TIMEOUT_SECONDS: Final = 1.0


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers; asks neither database nor broker."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker, a worker and the reader of the event channels are there; else 503 with who is not."""
    database = database_answers()
    # Without the database the heartbeat can't be read; asking would only wait for a second time-out.
    parts = {"database": database, "broker": broker_answers(), "worker": database and worker_was_seen()}
    parts["channel"] = database and not channel_process_is_missing(now=timezone.now())
    failed = [name for name, is_there in parts.items() if not is_there]
    if failed:
        return JsonResponse({"status": "unavailable", "failed": failed}, status=503)
    return JsonResponse({"status": "ok"})


def database_answers() -> bool:
    """Whether the default database answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("readyz: the database does not answer: %s", type(error).__name__)
        return False
    return True


def broker_answers() -> bool:
    """Whether Redis answers within a second or, without Redis, whether the broker's folder can be written to."""
    if not settings.REDIS_URL:
        queue = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
        return queue.is_dir() and os.access(queue, os.W_OK | os.X_OK)
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=BROKER_TIMEOUT_SECONDS,
            socket_timeout=BROKER_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            return bool(client.ping())
    except redis.RedisError as error:
        logger.warning("readyz: the broker does not answer: %s", type(error).__name__)
        return False


def worker_was_seen() -> bool:
    """Whether a worker ran the heartbeat task within the last minute."""
    return WorkerHeartbeat.objects.filter(at__gte=timezone.now() - HEARTBEAT_MAX_AGE).exists()
