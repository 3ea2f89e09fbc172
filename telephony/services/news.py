"""Applying the carrier's callbacks that are stored, in batches, in the order in which they came in.

What moves a call forward is written together (`news_batch`); whatever is unusual, and every batch that fails, goes the
way of a single event (`events.apply_event`), so what news means stands in one place.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from callcenter.lib.database import for_claim, is_postgresql, look_up_by_index, values_of
from telephony import selectors
from telephony.models import ProviderEvent
from telephony.services.events import apply_event
from telephony.services.news_batch import DELIVERY_COLUMNS, Delivery, apply_together

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet

log = logging.getLogger(__name__)

BATCH: Final = 1_000
# A round ends then, whatever is left: the next one is rung for every second.
LONGEST_SECONDS: Final = 20.0

_is_draining = threading.Lock()


def drain(*, now: datetime) -> int:
    """How many callbacks were applied; 0 while another thread of this process does it.

    For the bell that rings every second. While there is more than one batch, a second thread computes while the first
    waits for the database; other processes may take part, too.
    """
    if not _is_draining.acquire(blocking=False):
        return 0
    try:
        return apply_received(now=now, threads=2 if is_postgresql() else 1)
    finally:
        _is_draining.release()


def apply_received(*, now: datetime, threads: int = 1) -> int:
    """How many of the stored callbacks were applied. Safe to repeat and to run at once.

    One that failed before is left to the sweep; one that fails now stops no other.
    """
    # A look that locks nothing: on SQLite a transaction is the only writer, and mostly nothing waits.
    return _Round(now).run(threads) if _waiting().exists() else 0


class _Round:
    """One walk through what waits, by id."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._began = time.monotonic()
        self._applied: list[int] = []

    def run(self, threads: int) -> int:
        """How many were applied."""
        is_more, after = self._batch(0)
        helper = None
        if is_more and threads > 1:
            helper = threading.Thread(target=self._help, args=(after,), name="news", daemon=True)
            helper.start()
        if is_more:
            self._walk(after)
        if helper is not None:
            helper.join()
        return sum(self._applied)

    def _help(self, after: int) -> None:
        try:
            self._walk(after)
        except Exception:
            log.exception("a thread that applies news ended; the next round goes on")
        finally:
            connection.close()

    def _walk(self, after: int) -> None:
        is_more = True
        while is_more and time.monotonic() - self._began < LONGEST_SECONDS:
            is_more, after = self._batch(after)

    def _batch(self, after: int) -> tuple[bool, int]:
        """Whether more may wait, and the last id of those that are done now."""
        now = self._now + timedelta(seconds=time.monotonic() - self._began)
        deliveries, applied = apply_batch(lambda: _claimed(after), now=now)
        self._applied.append(applied)
        return len(deliveries) == BATCH, deliveries[-1].event_id if deliveries else after


def apply_batch(claim: Callable[[], list[Delivery]], *, now: datetime) -> tuple[list[Delivery], int]:
    """The callbacks that `claim` locked and read within the batch's transaction, and how many of them were applied."""
    deliveries: list[Delivery] = []
    left: list[int]
    try:
        with transaction.atomic():
            deliveries = claim()
            left = apply_together(deliveries, now=now)
    except Exception:
        if not deliveries:
            raise
        log.warning("%s events could not be applied together; one by one now", len(deliveries), exc_info=True)
        left = [one.event_id for one in deliveries]
    one_by_one = sum(apply_event(event_id, now=now) for event_id in left)
    return deliveries, len(deliveries) - len(left) + one_by_one


def _claimed(after: int) -> list[Delivery]:
    """The next callbacks that wait, locked; those that somebody else applies are left out."""
    next_ones = _waiting().filter(pk__gt=after).order_by("pk")
    look_up_by_index()
    return [Delivery(*row) for row in values_of(for_claim(next_ones).values_list(*DELIVERY_COLUMNS)[:BATCH])]


def _waiting() -> QuerySet[ProviderEvent]:
    return ProviderEvent.objects.filter(selectors.untried_callbacks()).order_by()
