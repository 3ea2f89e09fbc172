"""What the PABX answered to a call that was sent, or why it was not sent, stored with what follows from it."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from callcenter.lib.database import any_of, as_list, row_lock, rows_of
from callcenter.lib.errors import DomainError
from requests_app.services import calls
from requests_app.states import Outcome
from telephony.models import CallAttempt
from telephony.providers.base import Ambiguous, Misconfigured, NotSent, ProviderError, Refused, Unauthorized
from telephony.services import moves
from telephony.services.breaker import note_failure, note_success
from telephony.services.lines import suspend_line, was_channel_lost
from telephony.services.retries import wait_after_not_sent
from telephony.states import AttemptState, MoveReason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

log = logging.getLogger(__name__)

S = AttemptState

STORE_TRIES: Final = 8


class StaleIntent(DomainError):
    """The intent to dial is too old to be acted on; nothing was sent."""

    code = "stale_intent"


def store_durably(store: Callable[[], None]) -> None:
    """Run `store` until the database takes it; the answer of a call that was made must not be lost to a hiccup."""
    for tried in range(STORE_TRIES):
        try:
            store()
        except (OperationalError, InterfaceError):
            if tried == STORE_TRIES - 1:
                raise
            log.warning("the database did not take a call's result; trying again")
            connection.close()
            time.sleep(min(0.1 * 2**tried, 5.0))
        else:
            return


def store_all_accepted(accepted: Sequence[tuple[CallAttempt, str]]) -> None:
    """Nothing; as `store_accepted` for each of these attempts and the PABX's ids, those without a story together.

    Errors: `IntegrityError` when an id is another call's; nothing is stored then.
    """
    now = timezone.now()
    given = {attempt.pk: (attempt, provider_call_id) for attempt, provider_call_id in accepted}
    with transaction.atomic():
        sending = rows_of(
            f"SELECT a.id FROM telephony_callattempt a WHERE {any_of('a.id')} AND a.state = %s"
            f" ORDER BY a.id{row_lock('a')}",
            [as_list(given), S.SENDING.value],
        )
        plain = [given[row["id"]] for row in sending]
        moves.move_all(
            [attempt for attempt, _call_id in plain],
            S.PLACED,
            source=S.SENDING,
            reason=MoveReason.ACCEPTED,
            now=now,
            each={"provider_call_id": [call_id for _attempt, call_id in plain]},
            placed_at=now,
        )
    stored = {attempt.pk for attempt, _call_id in plain}
    for attempt, provider_call_id in given.values():
        if attempt.pk not in stored:
            store_accepted(attempt, provider_call_id)
    note_success({attempt.line_id for attempt, _call_id in accepted}, now=now)


def store_accepted(attempt: CallAttempt, provider_call_id: str) -> None:
    """Nothing; the PABX's id is stored, and the attempt is placed unless news has brought it further already.

    An id that another call of the line has is not stored, and an attempt that was given up meanwhile stays so; both
    are marked as contradictory.
    """
    _store_accepted(attempt, provider_call_id)
    note_success([attempt.line_id], now=timezone.now())


@transaction.atomic
def _store_accepted(attempt: CallAttempt, provider_call_id: str) -> None:
    now = timezone.now()
    fresh = moves.locked(attempt.pk)
    try:
        with transaction.atomic():
            fresh.provider_call_id = provider_call_id
            fresh.placed_at = now
            fresh.save(update_fields=["provider_call_id", "placed_at"])
        reason = MoveReason.ACCEPTED
    except IntegrityError:
        log.exception("attempt %s: the PABX gave an ID_CHAMADA that another call has", attempt.pk)
        CallAttempt.objects.filter(pk=fresh.pk).update(has_conflict=True, placed_at=now)
        reason = MoveReason.DUPLICATE_ID
    if fresh.state == S.RELEASED:
        log.error(
            "attempt %s: accepted by the PABX after it had been given up; its person may be called twice", fresh.pk
        )
        CallAttempt.objects.filter(pk=fresh.pk).update(has_conflict=True)
        return
    was_in_doubt = fresh.state == S.IN_DOUBT
    # News may have been quicker than the PABX's answer; then the attempt is further on already.
    moved = moves.move(fresh, S.PLACED, expected=[S.SENDING, S.IN_DOUBT], reason=reason, now=now)
    if moved and was_in_doubt and fresh.call_request_id is not None:
        calls.note_call_confirmed(fresh.call_request_id, now=now)


def store_failure(attempt: CallAttempt, error: DomainError) -> None:
    """Nothing; the attempt is in doubt, refused, or released with its request due again, as the error says."""
    now = timezone.now()
    status_code = error.status_code if isinstance(error, ProviderError) else None
    details: dict[str, Any] = {"error_code": error.code, "error_status": status_code}
    if isinstance(error, Ambiguous | NotSent):
        note_failure(attempt.line_id, reason=error.code, now=now)
    elif isinstance(error, Refused):
        note_success([attempt.line_id], now=now)
    if isinstance(error, Ambiguous):
        moves.doubt(attempt, reason=MoveReason.AMBIGUOUS, now=now, **details)
        return
    is_about_the_call = isinstance(error, Refused) and not isinstance(error, Unauthorized | Misconfigured)
    if is_about_the_call and not was_channel_lost(attempt.line, now=now):
        _store_refused(attempt, now=now, details=details)
        return
    if is_about_the_call:
        # The PABX may not have known the channel any more; in any case it called nobody.
        reason, due_at = MoveReason.CHANNEL_LOST, wait_after_not_sent(attempt, now=now)
    elif isinstance(error, Unauthorized | Misconfigured):
        # Nothing is wrong with the request: it waits until a person has mended the line.
        reason, due_at = MoveReason(error.code), now
        suspend_line(attempt.line_id, reason=error.code, now=now)
    else:
        # A path or a machine that is slow now is slow in five seconds, too.
        reason = MoveReason.STALE if isinstance(error, StaleIntent) else MoveReason.NOT_SENT
        due_at = wait_after_not_sent(attempt, now=now)
    # The sender itself knows that nothing left, so it may answer even the doubt that the sweep raised meanwhile.
    moves.release(
        attempt,
        expected=[S.CLAIMED, S.SENDING, S.IN_DOUBT],
        reason=reason,
        due_at=due_at,
        now=now,
        guard={"claim_token": attempt.claim_token},
        **details,
    )


@transaction.atomic
def _store_refused(attempt: CallAttempt, *, now: datetime, details: dict[str, Any]) -> None:
    moved = moves.move(
        attempt,
        S.REFUSED,
        expected=[S.CLAIMED, S.SENDING, S.IN_DOUBT],
        reason=MoveReason.REFUSED,
        now=now,
        guard={"claim_token": attempt.claim_token},
        ended_at=now,
        outcome=Outcome.REFUSED,
        **details,
    )
    if moved and attempt.call_request_id is not None:
        moves.settle(attempt, Outcome.REFUSED, now=now, origin=calls.DIALER)
