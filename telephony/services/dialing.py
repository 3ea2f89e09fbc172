"""Dialing: claim what is due, commit the intent, place each call at most once, store what the PABX said.

The order is the promise. (1) An attempt is claimed and committed. (2) With the connection to the PABX open, the
intent to send is committed by compare-and-set, with the claim's own token. (3) One POST, no transaction open. (4) The
answer is stored. A process that dies before (2) has called nobody; one that dies after it leaves an attempt that only
news or a person settles.
"""

from __future__ import annotations

import logging
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from callcenter.lib.database import for_update, serialize
from callcenter.lib.errors import Conflict, DomainError, NotFound
from callcenter.lib.secrets import SecretUnreadable
from requests_app import selectors as requests
from requests_app.schedule import contact_window, next_opening
from requests_app.services import calls, holds
from requests_app.states import Hold, Outcome
from telephony import selectors
from telephony.models import AttemptEntry, CallAttempt, DialerLine
from telephony.providers.base import ProviderError
from telephony.providers.digitro.client import DigitroClient
from telephony.selectors import channel_in_use
from telephony.services import answers, moves, permission
from telephony.services.lines import access_of, suspend_line
from telephony.services.policy import allowance, next_opening_of, standing_hold
from telephony.states import AttemptState, MoveReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from callcenter.accounts.models import User
    from requests_app.data import DueRequest

log = logging.getLogger(__name__)

S = AttemptState

POOL_SIZE: Final = 50
# How long after the intent a call may still leave: a process that was paused in between must not wake up and dial.
STALE_AFTER_SECONDS: Final = 2.0
# Candidates beyond the allowance, so that requests outside their contact window don't hold up the rest.
SPARE_CANDIDATES: Final = 50


class NotOurs(DomainError):
    """Somebody else has the attempt, or it was given back; nothing was sent, and nothing is left to store."""

    code = "not_ours"


def claim_due_calls(line_id: int, *, now: datetime) -> list[int]:
    """Ids of new attempts, claimed for this line and committed; the caller enqueues them for `place_calls`.

    Never more than `policy.allowance`. Spaced by the line's calls per second, over all workers.

    Effects: one transaction under the dialer's lock; requests outside their contact window are put off.
    """
    with transaction.atomic():
        # Attendants are shared between lines, so two claims at once could promise one attendant twice.
        serialize("dialer-claim")
        lines = DialerLine.objects.filter(pk=line_id).defer(*DialerLine.SECRET_FIELDS)
        line = for_update(lines).select_related("company", "event_channel").first()
        if line is None:
            return []
        allowed = allowance(line, now=now)
        if not allowed.calls:
            return []
        candidates = requests.due_requests(
            line.company_id,
            now=now,
            limit=allowed.calls + SPARE_CANDIDATES,
            except_phones=selectors.phones_being_called(line.company_id),
        )
        verdicts = permission.verdicts(candidates, line=line, now=now)
        chosen = _diallable(candidates, verdicts=verdicts, line=line, limit=allowed.calls, now=now)
        claimed = calls.claim_requests([request.id for request in chosen], now=now)
        return _create_attempts([r for r in chosen if r.id in claimed], verdicts=verdicts, line=line, now=now)


def place_calls(attempt_ids: Sequence[int]) -> None:
    """Place these claimed attempts, up to 50 at once in a process, each at its own instant.

    Safe to repeat: an attempt that was placed, or that somebody else has, is left alone.
    """
    if len(attempt_ids) == 1:
        place_call(attempt_ids[0])
        return
    if not attempt_ids:
        return
    list(_pool().map(_place_in_thread, attempt_ids))


@cache
def _pool() -> ThreadPoolExecutor:
    """The process's dialing threads, shared by its tasks, so that their connections stay below POOL_SIZE as well."""
    return ThreadPoolExecutor(max_workers=POOL_SIZE, thread_name_prefix="dial")


def place_call(attempt_id: int) -> None:
    """Place one claimed attempt, at most once, and store what came of it."""
    attempt = _claimed_attempt(attempt_id)
    if attempt is None or not _wait_for_turn(attempt):
        return
    client = DigitroClient(
        access_of(attempt.line, now=timezone.now()),
        connect_timeout_seconds=settings.DIGITRO_CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=settings.DIGITRO_READ_TIMEOUT_SECONDS,
    )
    place = (
        client.place_predictive_call
        if attempt.line.mode == DialerLine.Mode.PREDICTIVE
        else partial(client.place_call_by_route, slug=settings.DIGITRO_SPECIFIC_ROUTE_SLUG)
    )
    try:
        provider_call_id = place(
            phone_e164=attempt.phone_e164, data=attempt.token.hex, before_send=partial(_pass_the_fence, attempt)
        )
    except NotOurs:
        return
    except (ProviderError, answers.StaleIntent) as error:
        log.warning("attempt %s: %s (%s)", attempt.pk, error.code, error.message)
        answers.store_durably(partial(answers.store_failure, attempt, error))
    else:
        answers.store_durably(partial(answers.store_accepted, attempt, provider_call_id))


def _pass_the_fence(attempt: CallAttempt) -> None:
    """Nothing, when the call may leave this instant; called on the open connection, right before the first byte.

    Errors: `NotOurs`, `StaleIntent`; then nothing is sent.
    """
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    if not _commit_intent(attempt):
        raise NotOurs("The attempt is not this caller's to send.")
    if time.clock_gettime(time.CLOCK_BOOTTIME) - began > STALE_AFTER_SECONDS:
        raise answers.StaleIntent("The intent is too old.")


def settle_doubt(
    attempt_id: int, *, called: bool, actor: User, scope: Iterable[int] | None, now: datetime
) -> CallAttempt:
    """The attempt in doubt as a person settled it: it happened (ended without news), or it did not (back to the queue).

    Errors: `NotFound`; `Conflict` when it is not in doubt any more; nothing is changed then.
    """
    with transaction.atomic():
        visible = CallAttempt.objects.filter(pk=attempt_id)
        if scope is not None:
            visible = visible.filter(company_id__in=list(scope))
        attempt = for_update(visible).select_related("line").first()
        if attempt is None:
            raise NotFound("There is no such attempt.")
        if called:
            settled = moves.end(
                attempt,
                Outcome.NO_NEWS,
                expected=[S.IN_DOUBT],
                reason=MoveReason.SAID_CALLED,
                now=now,
                actor=actor,
            )
        else:
            settled = moves.release(
                attempt,
                expected=[S.IN_DOUBT],
                reason=MoveReason.SAID_NOT_CALLED,
                due_at=now,
                now=now,
                actor=actor,
                outcome=Outcome.NOT_PLACED,
            )
        if not settled:
            raise Conflict("The attempt is not in doubt any more.")
    return attempt


def _diallable(
    candidates: Iterable[DueRequest],
    *,
    verdicts: Mapping[int, permission.Verdict],
    line: DialerLine,
    limit: int,
    now: datetime,
) -> list[DueRequest]:
    """The first `limit` that may be called at this moment, one per number; the others are put off, or held."""
    chosen: dict[str, DueRequest] = {}
    for request in candidates:
        verdict = verdicts[request.id]
        if not verdict.is_allowed:
            if verdict.next_at is None:
                holds.hold_request(request.id, hold=verdict.hold, now=now)
            else:
                calls.postpone_request(request.id, until=verdict.next_at, hold=verdict.hold, now=now)
            continue
        window = contact_window(request.time_from, request.time_to)
        opens = next_opening(now, window=window, zone=line.company.zone)
        if opens > now:
            calls.postpone_request(request.id, until=opens, hold=Hold.CONTACT_WINDOW, now=now)
        elif len(chosen) < limit:
            chosen.setdefault(request.phone_e164, request)
    return list(chosen.values())


def _create_attempts(
    claimed: list[DueRequest], *, verdicts: Mapping[int, permission.Verdict], line: DialerLine, now: datetime
) -> list[int]:
    if not claimed:
        return []
    numbers = selectors.next_attempt_numbers(request.id for request in claimed)
    gap = timedelta(seconds=1 / line.calls_per_second)
    first = max(now, line.next_slot_at or now)
    attempts = CallAttempt.objects.bulk_create(
        CallAttempt(
            call_request_id=request.id,
            company_id=request.company_id,
            line=line,
            number=numbers.get(request.id, 1),
            phone_e164=request.phone_e164,
            permission=verdicts[request.id].record,
            claimed_at=now,
            send_at=first + place * gap,
            lease_until=first + place * gap + timedelta(seconds=settings.DIALER_LEASE_SECONDS),
        )
        for place, request in enumerate(claimed)
    )
    AttemptEntry.objects.bulk_create(
        AttemptEntry(attempt=attempt, at=now, to_state=S.CLAIMED, reason=MoveReason.DUE) for attempt in attempts
    )
    DialerLine.objects.filter(pk=line.pk).update(next_slot_at=first + len(claimed) * gap)
    return [attempt.pk for attempt in attempts]


def _place_in_thread(attempt_id: int) -> None:
    # A pool's thread has a database connection of its own, which nobody else would close.
    try:
        place_call(attempt_id)
    except Exception:
        log.exception("attempt %s: placing failed; the sweep will settle it", attempt_id)
    finally:
        connection.close()


def _claimed_attempt(attempt_id: int) -> CallAttempt | None:
    """The attempt with its line's secrets; None when it is not to be sent. A line without readable ones is stopped."""
    try:
        return CallAttempt.objects.select_related("line__event_channel").filter(pk=attempt_id, state=S.CLAIMED).first()
    except SecretUnreadable as error:
        log.exception("attempt %s: its line's credentials can't be decrypted", attempt_id)
        now = timezone.now()
        with transaction.atomic():
            attempt = moves.locked(attempt_id)
            suspend_line(attempt.line_id, reason=MoveReason.MISCONFIGURED, now=now)
            moves.release(
                attempt,
                expected=[S.CLAIMED],
                reason=MoveReason.MISCONFIGURED,
                due_at=now,
                now=now,
                error_code=error.code,
            )
        return None


def _wait_for_turn(attempt: CallAttempt) -> bool:
    """Whether the attempt's instant has come; sleeps until it does, but never past its lease."""
    wait = (attempt.send_at - timezone.now()).total_seconds()
    if wait > settings.DIALER_LEASE_SECONDS:
        return False
    if wait > 0:
        # A connection must not be held through the wait: fifty threads may be waiting.
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(wait)
    return True


def _commit_intent(attempt: CallAttempt) -> bool:
    """Whether the attempt is this caller's to send; the commit of the intent is the fence against every other sender.

    The world is read again: a request closed, a line switched off or an hour passed since the claim stops the call.
    """
    now = timezone.now()
    mine = {"claim_token": attempt.claim_token, "lease_until__gt": now}
    with transaction.atomic():
        lease_until = now + timedelta(seconds=settings.DIALER_LEASE_SECONDS)
        # A new token: whoever else was handed the old claim can't send with it.
        token = uuid.uuid4()
        if not moves.move(
            attempt,
            S.SENDING,
            expected=[S.CLAIMED],
            reason=MoveReason.INTENT,
            now=now,
            guard=mine,
            sending_at=now,
            lease_until=lease_until,
            claim_token=token,
        ):
            return False
        obstacle = _obstacle(attempt, now=now)
        if obstacle is None:
            return True
        transaction.set_rollback(True)
    attempt.state = S.CLAIMED
    moves.release(
        attempt,
        expected=[S.CLAIMED],
        reason=obstacle,
        due_at=now,
        now=now,
        guard={"claim_token": mine["claim_token"]},
    )
    return False


def _obstacle(attempt: CallAttempt, *, now: datetime) -> MoveReason | None:
    """Why the call must not leave after all; None = nothing stands against it."""
    request = requests.locked_if_wanted(attempt.call_request_id) if attempt.call_request_id is not None else None
    if request is None or request.phone_e164 != attempt.phone_e164:
        return MoveReason.WITHDRAWN
    lines = DialerLine.objects.defer(*DialerLine.SECRET_FIELDS).select_related("company", "event_channel")
    line = lines.get(pk=attempt.line_id)
    opens = next_opening_of(line, at=now)
    if standing_hold(line, now=now) or opens is None or opens > now:
        return MoveReason.HELD
    if channel_in_use(line, now=now) != channel_in_use(attempt.line, now=now):
        # Opened anew since the address was made: the PABX would refuse the old number.
        return MoveReason.HELD
    wanted = next_opening(now, window=contact_window(request.time_from, request.time_to), zone=line.company.zone)
    if wanted > now:
        return MoveReason.HELD
    return MoveReason.NOT_PERMITTED if permission.refusal_before_sending(attempt, line=line, now=now) else None
