"""The bells that Celery rings; every task re-reads the tables, so one that is lost, doubled or late does no harm."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from telephony import selectors
from telephony.services import (
    answered,
    asking,
    callbacks,
    conversations,
    dac,
    dialing,
    held,
    meters,
    news,
    placing,
    promises,
    reconciling,
    sweeping,
)

log = logging.getLogger(__name__)


@shared_task(acks_late=False)
def dialer_tick() -> None:
    """Claim what each line may dial now, and ring for it to be placed."""
    for line_id in selectors.usable_line_ids():
        try:
            attempt_ids = dialing.claim_due_calls(line_id, now=timezone.now())
            if attempt_ids:
                place_calls.delay_on_commit(attempt_ids)  # type: ignore[attr-defined]  # the stubs don't know Celery's Django task
        except Exception:
            log.exception("line %s: nothing claimed in this tick; the other lines go on", line_id)


@shared_task(acks_late=False)
def place_calls(attempt_ids: list[int]) -> None:
    """Place these claimed attempts; the ones that somebody else has by now are left alone."""
    placing.place_calls(attempt_ids)


@shared_task(acks_late=False)
def apply_news() -> None:
    """Apply the callbacks that are stored."""
    news.drain(now=timezone.now())


@shared_task(acks_late=False)
def tie_calls() -> None:
    """Bring answered calls to the helpdesk, and tell the queue whom the helpdesk has reached."""
    now = timezone.now()
    answered.tie_calls(now=now)
    conversations.tell_reached(now=now)


@shared_task
def sweep() -> None:
    """Settle what hangs."""
    settled = sweeping.sweep(now=timezone.now())
    if any(settled.values()):
        log.info("sweep: %s", ", ".join(f"{kind} {count}" for kind, count in settled.items() if count))


@shared_task
def tend_callbacks() -> None:
    """Continue what a crash left half done with the carrier's callbacks, and look whether they are still there."""
    done = callbacks.tend_callbacks(now=timezone.now())
    if any(done.values()):
        log.info("callbacks: %s", ", ".join(f"{kind} {count}" for kind, count in done.items() if count))


@shared_task
def follow_presence() -> None:
    """Log the DAC devices in and out whose people came or went."""
    dac.follow_presence(now=timezone.now())


@shared_task
def tend_meters(nightly: bool = False) -> None:
    """Count the calls of the last hours, of a week by night, and stop the lines that reached a limit."""
    meters.tend_meters(now=timezone.now(), nightly=nightly)


@shared_task
def judge_held() -> None:
    """Let go of the requests that no list or rule is against any more."""
    if found := held.release_permitted(now=timezone.now()):
        log.info("held by lists or rules: %s let go", found)


@shared_task
def ask_carrier() -> None:
    """Ask the carrier about calls in doubt and calls without news."""
    done = asking.ask_carrier(now=timezone.now())
    if any(done.values()):
        log.info("asking the carrier: %s", ", ".join(f"{kind} {count}" for kind, count in done.items() if count))


@shared_task
def reconcile_carrier() -> None:
    """Compare the days that are over with the carrier's statement."""
    done = reconciling.reconcile_due(now=timezone.now())
    if any(done.values()):
        log.info("reconciliation: %s", ", ".join(f"{kind} {count}" for kind, count in done.items() if count))


@shared_task
def check_promises() -> None:
    """Look whether every promise was kept; what was not is in the admin."""
    check = promises.check_promises(now=timezone.now())
    if check.found:
        log.error("promises: %s violations; see the admin", check.found)
