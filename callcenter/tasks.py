"""The composition's one task: the sign of life that `/readyz` looks for."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from callcenter.models import WorkerHeartbeat


# A beat that waited longer than this in the queue says nothing new; a dead worker must not find thousands of them.
@shared_task(expires=60)
def heartbeat() -> None:
    """Write down that beat, the broker and a worker together are alive now."""
    WorkerHeartbeat.objects.update_or_create(pk=1, defaults={"at": timezone.now()})
