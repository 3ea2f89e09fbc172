"""The known-bad build for the control of `bench.faults`: what was being sent when its worker died is sent again."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from celery.signals import worker_process_init, worker_ready

from callcenter.celery import app

if TYPE_CHECKING:
    from typing import Any

__all__ = ["app"]


@worker_process_init.connect
@worker_ready.connect
def redial(**_sent: Any) -> None:
    """Let the sweep do what so many dialers do."""
    from django.db import transaction  # noqa: PLC0415

    from telephony.models import CallAttempt  # noqa: PLC0415  Django is set up by now
    from telephony.services import placing, sweeping  # noqa: PLC0415

    def send_again(attempt: CallAttempt, now: datetime) -> bool:
        lease = now + timedelta(seconds=30)
        CallAttempt.objects.filter(pk=attempt.pk).update(state="claimed", claimed_at=now, lease_until=lease)
        transaction.on_commit(partial(placing.place_call, attempt.pk))
        return True

    sweeping._doubt_send = send_again
