"""The bells that Celery rings for the helpdesk; every task finds its work in the tables, so one that is lost, doubled
or late does no harm."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from helpdesk.data import WHATEVER_FOLLOWS, Bell
from helpdesk.services import (
    assignment,
    data_collection,
    delivery,
    first_reply,
    inactivity,
    inbound,
    ladder,
    mending,
    scheduled,
)
from helpdesk.services import waiting_reply as waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)


# A bell that waited longer than this in the queue says nothing new.
@shared_task(acks_late=False, expires=30)
def assign_waiting() -> None:
    """Give what waits in the queues to the people who are there."""
    given = assignment.assign_waiting(None, now=timezone.now())
    if given:
        log.info("helpdesk: %s conversations assigned", given)


@shared_task(acks_late=False, expires=30)
def answer_automatically() -> None:
    """Let bots and IAs answer."""
    if first_reply.send_automatic_replies(None, now=timezone.now()):
        ring(WHATEVER_FOLLOWS)


@shared_task(acks_late=False, expires=60)
def send_scheduled_messages() -> None:
    """Send the messages for later whose minute has come."""
    sent, bells = scheduled.send_due_messages(now=timezone.now())
    ring(bells)
    if sent:
        log.info("helpdesk: %s scheduled messages sent", sent)


@shared_task(acks_late=False, expires=60)
def tend_waiting() -> None:
    """Tell those who wait that they are not forgotten, and pass on what its holder leaves lying."""
    now = timezone.now()
    told, hops = waiting.send_waiting_replies(None, now=now), ladder.climb_ladders(None, now=now)
    mending.give_back_what_the_gone_hold(None, now=now)
    mending.ask_for_forgotten_work(None, now=now)
    if told or hops:
        ring(WHATEVER_FOLLOWS)
        log.info("helpdesk: %s automatic replies, %s conversations passed on", told, hops)


@shared_task(acks_late=False, expires=120)
def tend_silent() -> None:
    """Remind requesters who fell silent, and close what stays silent."""
    done = inactivity.remind_or_close(None, now=timezone.now())
    if any(done.values()):
        ring({Bell.DELIVER})
        log.info("helpdesk: %s requesters reminded, %s conversations closed", done["reminded"], done["closed"])


@shared_task(acks_late=False, expires=120)
def collect_contact_details() -> None:
    """Read from new messages who their authors are."""
    data_collection.collect_contact_details(None, now=timezone.now())


@shared_task(acks_late=False, expires=60)
def deliver_messages() -> None:
    """Send what waits to leave."""
    delivery.deliver_due_messages()


@shared_task(acks_late=False, expires=60)
def fetch_mail() -> None:
    """Store the new mail of the e-mail channels."""
    counts, bells = inbound.fetch_mail(now=timezone.now())
    ring(bells)
    if counts:
        log.info("helpdesk: mail fetched: %s", dict(counts))


_TASKS: Final = {Bell.DELIVER: deliver_messages, Bell.ASSIGN: assign_waiting, Bell.ANSWER: answer_automatically}
# After the broker took no message it is left alone for so long: a call must not wait for it each time.
_LEFT_ALONE_SECONDS: Final = 5.0
_left_alone_until = 0.0


def ring(bells: Iterable[Bell]) -> None:
    """Nothing; what the bells ask for is done soon. Beat would find it, too, when no message gets through.

    Call it after the commit: whoever is rung for reads the tables.
    """
    global _left_alone_until
    for bell in bells:
        if time.monotonic() < _left_alone_until:
            return
        try:
            _TASKS[bell].delay()
        except (OperationalError, OSError):
            _left_alone_until = time.monotonic() + _LEFT_ALONE_SECONDS
            log.warning("helpdesk: the broker takes no message now; beat will find the work")
