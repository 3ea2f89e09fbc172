"""Requests that the rules keep from being dialed: they wait for a person, or are given back to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from callcenter.lib.database import for_update
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.schedule import first_due_at
from requests_app.services import number_checks
from requests_app.services.ledger import record
from requests_app.states import HELD_BY_RULES, OPEN, Hold, Source

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

DIALER = Origin(source=Source.DIALER)


def hold_request(request_id: int, *, hold: Hold, now: datetime) -> bool:
    """Whether a due request now waits for a person, for that reason; False when somebody moved it first.

    Effects: one UPDATE, one ledger entry.
    """
    due = CallRequest.objects.filter(pk=request_id, in_flight=False, due_at__lte=now, status__in=OPEN)
    if (call_request := for_update(due).first()) is None:
        return False
    call_request.due_at, call_request.hold_reason, call_request.updated_at = None, hold, now
    call_request.save(update_fields=["due_at", "hold_reason", "updated_at"])
    record(call_request, LedgerEntry.Kind.HELD, origin=DIALER, at=now, reason=hold)
    return True


def hold_new(call_request: CallRequest, *, now: datetime) -> bool:
    """Whether a request that has just been stored, or got its number, waits for a person: it may not be called.

    Effects: for a number that somebody has to look at, whatever that asks; one UPDATE and one ledger entry where it is
    held. A quarter of an hour that it was given is free for others.
    """
    if call_request.due_at is None or not (hold := number_checks.hold_of(call_request, now=now)):
        return False
    waiting = CallRequest.objects.filter(pk=call_request.pk, in_flight=False, due_at__isnull=False, status__in=OPEN)
    with transaction.atomic():
        if not waiting.update(due_at=None, hold_reason=hold, updated_at=now):
            # The dialer saw to it first.
            return False
        call_request.due_at = call_request.booked_at = None
        call_request.hold_reason, call_request.updated_at = hold, now
        record(call_request, LedgerEntry.Kind.HELD, origin=DIALER, at=now, reason=hold)
    return True


def hold_number(
    phone_e164: str, *, company_ids: Iterable[int] | None, hold: Hold, origin: Origin, now: datetime
) -> int:
    """How many waiting requests of a number now wait for a person instead of a call; None = of all companies.

    One whose call is in flight is left to it. Effects: one UPDATE, one INSERT of ledger entries.
    """
    waiting = CallRequest.objects.visible_to(company_ids).filter(
        phone_e164=phone_e164, in_flight=False, due_at__isnull=False, status__in=OPEN
    )
    rows = list(for_update(waiting.order_by("pk")))
    CallRequest.objects.filter(pk__in=[row.pk for row in rows]).update(due_at=None, hold_reason=hold, updated_at=now)
    for row in rows:
        row.due_at, row.hold_reason = None, hold
        record(row, LedgerEntry.Kind.HELD, origin=origin, at=now, reason=hold)
    return len(rows)


def release_number(phone_e164: str, *, company_ids: Iterable[int] | None, hold: Hold, now: datetime) -> int:
    """How many requests of a number that waited for this reason wait for their call again; None = of all companies.

    Each is due at once, or when its customer wants the call: being let go is no reason to call sooner.
    Effects: one UPDATE and one ledger entry for each.
    """
    held = CallRequest.objects.visible_to(company_ids).filter(
        phone_e164=phone_e164, in_flight=False, hold_reason=hold, status__in=OPEN
    )
    with transaction.atomic():
        # In one order for everybody who locks several.
        rows = list(for_update(held.order_by("pk")).select_related("company"))
        for row in rows:
            _give_back(row, now=now)
    return len(rows)


def release_requests(request_ids: Iterable[int], *, now: datetime) -> int:
    """How many of these requests, which lists or rules kept waiting, wait for their call again; as `release_number`."""
    held = CallRequest.objects.filter(pk__in=list(request_ids), hold_reason__in=HELD_BY_RULES, in_flight=False)
    with transaction.atomic():
        rows = list(for_update(held.filter(due_at=None, status__in=OPEN).order_by("pk")).select_related("company"))
        for row in rows:
            _give_back(row, now=now)
    return len(rows)


def _give_back(call_request: CallRequest, *, now: datetime) -> None:
    put_off = call_request.postponed_until
    call_request.due_at, call_request.hold_reason = first_due_at(
        now=max(now, put_off) if put_off else now,
        wanted_at=call_request.wanted_at,
        time_from=call_request.time_from,
        time_to=call_request.time_to,
        zone=call_request.company.zone,
    )
    if call_request.hold_reason == Hold.NONE and call_request.due_at > now:
        call_request.hold_reason = Hold.POSTPONED
    call_request.updated_at = now
    call_request.save(update_fields=["due_at", "hold_reason", "updated_at"])
    record(call_request, LedgerEntry.Kind.SCHEDULED, origin=DIALER, at=now, reason=call_request.hold_reason)
