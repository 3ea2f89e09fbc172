"""What telephony reports about a request: claimed, placed, answered, ended, in doubt.

Telephony calls these inside its own transaction, so that an attempt and its request move together.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from callcenter.lib.database import (
    any_of,
    as_list,
    as_stored,
    for_update,
    insert_rows,
    row_lock,
    rows_of,
    write_prepared,
)
from requests_app.data import Origin
from requests_app.models import CallbackPolicy, CallRequest, LedgerEntry
from requests_app.services.landing import CARRIER, Ending, land, note_answer, note_status, queue, settle
from requests_app.services.ledger import AT_ONCE, record, record_first_calls
from requests_app.states import OPEN, Hold, Outcome, Reach, ReachAction, Source, Status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from callcenter.accounts.models import User
    from requests_app.data import WaitingRetry

DIALER = Origin(source=Source.DIALER)
_REACH_SOURCES: Final = {Reach.INBOUND_CALL: Source.CARRIER, Reach.ATENDIMENTO: Source.HELPDESK}


def claim_requests(request_ids: Iterable[int], *, now: datetime) -> set[int]:
    """The ids, out of these, that are now the caller's to dial; the others are claimed, moved or gone.

    Effects: one UPDATE and one INSERT of ledger entries, whatever the number; call inside a transaction that also
    writes the attempts.
    """
    # By their ids, so in one order for everybody: two claims of the same rows wait for each other, and never deadlock.
    claimed = rows_of(
        f"UPDATE requests_app_callrequest SET in_flight = true, due_at = NULL, hold_reason = %s WHERE {any_of('id')}"
        f" AND NOT in_flight AND due_at <= %s AND {any_of('status', 'varchar')} RETURNING id, company_id",
        [Hold.IN_FLIGHT.value, as_list(request_ids), as_stored(now), as_list(status.value for status in OPEN)],
    )
    kind, source = LedgerEntry.Kind.CLAIMED, Source.DIALER
    insert_rows(
        LedgerEntry,
        ("call_request_id", "company_id", "at", "kind", "source"),
        [(row["id"], row["company_id"], now, kind, source) for row in claimed],
    )
    return {row["id"] for row in claimed}


def postpone_request(request_id: int, *, until: datetime, hold: Hold, now: datetime) -> bool:
    """Whether a due request was put off until that instant; False when somebody moved it first."""
    return bool(
        CallRequest.objects.filter(pk=request_id, in_flight=False, due_at__lte=now, status__in=OPEN).update(
            due_at=until, hold_reason=hold
        )
    )


def move_retries(moves: Iterable[tuple[WaitingRetry, datetime]], *, origin: Origin, now: datetime) -> int:
    """How many of the requests that wait for their next try have it at the instant given with them now.

    One that was moved since it was read stays as it is.

    Effects: one transaction; one UPDATE a request, one INSERT of ledger entries.
    """
    moved = []
    with transaction.atomic():
        # In one order for everybody who locks several.
        for waiting, due_at in sorted(moves, key=lambda move: move[0].id):
            still = CallRequest.objects.filter(
                pk=waiting.id, in_flight=False, due_at=waiting.due_at, hold_reason=Hold.RETRY_WAIT, status__in=OPEN
            )
            if still.update(due_at=due_at, updated_at=now):
                moved.append(waiting)
        LedgerEntry.objects.bulk_create(
            LedgerEntry(
                call_request_id=waiting.id, company_id=waiting.company_id, at=now, kind=LedgerEntry.Kind.SCHEDULED,
                source=origin.source, actor=origin.actor, reason="retry_rule",
            )
            for waiting in moved
        )  # fmt: skip
    return len(moved)


def companies_that_mind_reach() -> set[int]:
    """The companies that want something done when a customer was reached otherwise. One query."""
    minding = CallbackPolicy.objects.exclude(reached_action=ReachAction.NOTHING)
    return set(minding.values_list("company_id", flat=True))


def reached_elsewhere(
    company_id: int,
    phone_e164: str,
    *,
    how: Reach,
    now: datetime,
    actor: User | None = None,
    asked_before: datetime | None = None,
) -> list[int]:
    """Ids of the open requests of the number that were closed or put off, as the company wants it; often none.

    `asked_before` = the contact settles no request that was made later, nor, if it was a conversation, one that was
    made in any; empty = it settles all.
    What a person works on is left to that person. A call that is claimed is not sent any more; one that was sent goes
    on to its end, and the ledger says that it was under way.

    Effects: one UPDATE and one ledger entry for each. Safe to repeat: a request that is closed, or put off for as
    long, is left alone.
    """
    policy = CallbackPolicy.objects.filter(company_id=company_id).exclude(reached_action=ReachAction.NOTHING).first()
    if policy is None or not phone_e164:
        return []
    origin = Origin(source=_REACH_SOURCES[how], actor=actor)
    with transaction.atomic():
        wanted = CallRequest.objects.filter(company_id=company_id, phone_e164=phone_e164, status__in=OPEN)
        wanted = wanted.exclude(hold_reason__in=[Hold.WITH_PERSON, Hold.AWAITING_DISPOSITION])
        if asked_before is not None:
            wanted = wanted.filter(requested_at__lte=asked_before)
            if how == Reach.ATENDIMENTO:
                wanted = wanted.exclude(source=Source.HELPDESK)
        # In one order for everybody who locks several.
        rows = list(for_update(wanted.order_by("pk")).select_related("company"))
        if policy.reached_action == ReachAction.CLOSE:
            for row in rows:
                _close_reached(row, how=how, origin=origin, now=now)
            return [row.pk for row in rows]
        until = now + timedelta(minutes=policy.reached_postpone_minutes)
        return [row.pk for row in rows if postpone_until(row, until, reason=how, origin=origin, now=now)]


def postpone_until(call_request: CallRequest, until: datetime, *, reason: str, origin: Origin, now: datetime) -> bool:
    """Whether a locked request that the dialer has is not called before that instant; False when it has it not.

    A claim that is not sent yet comes back to the queue at its intent; what was sent goes on, and the next try waits.
    """
    if not call_request.in_flight and call_request.due_at is None:
        return False
    # The sweep tries an event that fits no call again and again; once is enough.
    if call_request.postponed_until is not None and call_request.postponed_until > now:
        return False
    call_request.postponed_until = until
    if not call_request.in_flight:
        due_at = call_request.due_at or now
        hold = Hold(call_request.hold_reason) if due_at >= until else Hold.POSTPONED
        queue(call_request, due_at=due_at, hold=hold, now=now)
    elif call_request.hold_reason == Hold.IN_FLIGHT:
        call_request.hold_reason = Hold.POSTPONED
    call_request.updated_at = now
    call_request.save(update_fields=["postponed_until", "hold_reason", "updated_at"])
    kind = LedgerEntry.Kind.SCHEDULED
    record(call_request, kind, origin=origin, at=now, reason=reason, in_flight=call_request.in_flight)
    return True


def _close_reached(call_request: CallRequest, *, how: Reach, origin: Origin, now: datetime) -> None:
    before, call_request.status, call_request.completed_at = call_request.status, Status.COMPLETED, now
    columns = ["status", "completed_at", "updated_at"]
    if not call_request.in_flight:
        call_request.due_at, call_request.hold_reason = None, Hold.FINISHED
        columns += ["due_at", "hold_reason"]
    call_request.updated_at = now
    call_request.save(update_fields=columns)
    record(
        call_request,
        LedgerEntry.Kind.STATUS,
        origin=origin,
        at=now,
        from_status=before,
        to_status=call_request.status,
        reason=how,
        in_flight=call_request.in_flight,
    )


def release_request(request_id: int, *, due_at: datetime, now: datetime, reason: str) -> None:
    """Give a claimed request back to the queue, due at that instant or when its contact window opens after it.

    Surely nobody was called. One that was closed or taken over meanwhile only loses its call.

    Effects: one UPDATE, one ledger entry. Does nothing for a request that was deleted.
    """
    if (call_request := _locked(request_id)) is None:
        return
    if call_request.status not in OPEN:
        land(call_request, now=now, due_at=None, hold=Hold.FINISHED)
    elif call_request.hold_reason == Hold.WITH_PERSON:
        land(call_request, now=now, due_at=None, hold=Hold.WITH_PERSON)
    else:
        queue(call_request, due_at=due_at, hold=Hold.RETRY_WAIT if due_at > now else Hold.NONE, now=now)
    record(call_request, LedgerEntry.Kind.RELEASED, origin=DIALER, at=now, reason=reason)


def reopen_for_replay(request_id: int) -> None:
    """The request is being dialed again, without a ledger entry: for a transaction that is rolled back."""
    CallRequest.objects.filter(pk=request_id).update(
        status=Status.IN_PROGRESS, in_flight=True, due_at=None, hold_reason=Hold.IN_FLIGHT
    )


def note_try(request_id: int, *, now: datetime) -> None:
    """Count one call that was placed, or may have been; the first one moves the request to in_progress."""
    if (call_request := _locked(request_id)) is None:
        return
    call_request.attempts += 1
    columns = ["attempts", "updated_at"]
    if call_request.status == Status.NEW:
        call_request.status = Status.IN_PROGRESS
        columns.append("status")
        note_status(call_request, Status.NEW, origin=DIALER, now=now, reason="dialed")
    call_request.updated_at = now
    call_request.save(update_fields=columns)


def note_tries(request_ids: Iterable[int], *, now: datetime) -> None:
    """As `note_try` for each of these requests, together.

    Effects: two statements, and for those that are called for the first time what their ledger and webhooks take.
    """
    called = rows_of(
        "SELECT r.id, r.company_id, r.status FROM requests_app_callrequest r"
        f" WHERE {any_of('r.id')} ORDER BY r.id{row_lock('r')}",
        [as_list(request_ids)],
    )
    first = {row["id"]: row["company_id"] for row in called if row["status"] == Status.NEW}
    again = [row["id"] for row in called if row["id"] not in first]
    count = "UPDATE requests_app_callrequest SET attempts = attempts + 1, updated_at = %s"
    if again:
        write_prepared(f"{count} WHERE {any_of('id')}", [as_stored(now), as_list(again)])
    if first:
        begun = [as_stored(now), Status.IN_PROGRESS.value, as_list(first)]
        write_prepared(f"{count}, status = %s WHERE {any_of('id')}", begun)
        record_first_calls(first, origin=DIALER, at=now)


def hold_in_doubt(request_id: int, *, now: datetime) -> None:
    """Say that nobody knows whether the person was called; the request waits for news or for a person."""
    if (call_request := _locked(request_id)) is None:
        return
    if call_request.hold_reason != Hold.WITH_PERSON:
        call_request.hold_reason, call_request.updated_at = Hold.IN_DOUBT, now
        call_request.save(update_fields=["hold_reason", "updated_at"])
    record(call_request, LedgerEntry.Kind.IN_DOUBT, origin=DIALER, at=now)


def note_call_confirmed(request_id: int, *, now: datetime) -> None:
    """Say that a call in doubt was made after all and is running."""
    CallRequest.objects.filter(pk=request_id, hold_reason=Hold.IN_DOUBT).update(
        hold_reason=Hold.IN_FLIGHT, updated_at=now
    )


def note_answered(request_id: int, *, now: datetime) -> None:
    """Record that the customer answered and the conversation is on."""
    if (call_request := _locked(request_id)) is None:
        return
    note_answer(call_request, now=now, book=AT_ONCE)


def settle_request(
    request_id: int,
    *,
    outcome: Outcome,
    retry_at: datetime | None,
    now: datetime,
    needs_disposition: bool = False,
    origin: Origin = CARRIER,
) -> None:
    """Take the outcome of the request's call: completed, waiting for its next try, or out of tries.

    What a person decided while the phone rang stays: a request that was closed or taken over only loses its call.
    `retry_at` is moved into the customer's contact window.

    Effects: one UPDATE, one or two ledger entries. Does nothing for a request that was deleted.
    """
    if (call_request := _locked(request_id)) is None:
        return
    ending = Ending(outcome, retry_at=retry_at, needs_disposition=needs_disposition)
    settle(call_request, ending, now=now, origin=origin, book=AT_ONCE)


def correct_outcome(
    request_id: int,
    *,
    was: Outcome,
    outcome: Outcome,
    retry_at: datetime | None,
    now: datetime,
    needs_disposition: bool = False,
) -> None:
    """Take late news that a call ended otherwise than `was`: what followed from the first news follows anew.

    A request that a person moved or that is being dialed again keeps what it has.
    """
    if (call_request := _locked(request_id)) is None:
        return
    waits = call_request.status in OPEN and call_request.due_at is not None
    waits = waits and (outcome == Outcome.ANSWERED or call_request.hold_reason == Hold.RETRY_WAIT)
    if not waits and not _was_settled_by_call(call_request, was=was):
        call_request.last_outcome = outcome
        call_request.save(update_fields=["last_outcome"])
        record(call_request, LedgerEntry.Kind.OUTCOME, origin=CARRIER, at=now, reason=outcome)
        return
    if call_request.status not in OPEN:
        before, call_request.status, call_request.completed_at = call_request.status, Status.IN_PROGRESS, None
        call_request.save(update_fields=["status", "completed_at"])
        note_status(call_request, before, origin=CARRIER, now=now, reason="late_news")
    settle_request(
        request_id, outcome=outcome, retry_at=retry_at, now=now, needs_disposition=needs_disposition, origin=CARRIER
    )


def _was_settled_by_call(call_request: CallRequest, *, was: Outcome) -> bool:
    """Whether the request is where the outcome `was` of a call, and no person, brought it."""
    match call_request.hold_reason:
        case Hold.OUT_OF_TRIES:
            return call_request.status == Status.NO_ANSWER
        case Hold.AWAITING_DISPOSITION:
            return was == Outcome.ANSWERED
        case Hold.FINISHED if call_request.status == Status.COMPLETED and was == Outcome.ANSWERED:
            moves = LedgerEntry.objects.filter(call_request_id=call_request.pk).exclude(to_status="")
            last = moves.order_by("-id").values_list("source", flat=True).first()
            return last == Source.CARRIER
    return False


def _locked(request_id: int) -> CallRequest | None:
    return for_update(CallRequest.objects.filter(pk=request_id)).select_related("company").first()
