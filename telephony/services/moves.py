"""Every state change of an attempt: it and its request move together, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from callcenter.lib.batches import change_rows, insert_for_each
from callcenter.lib.database import for_update
from callcenter.lib.errors import Conflict
from callcenter.lib.states import require_move, transition
from requests_app.services import calls
from requests_app.services.landing import CARRIER
from requests_app.states import Outcome
from telephony.models import AttemptEntry, CallAttempt, DialerLine
from telephony.selectors import was_answered_meanwhile, was_called_again
from telephony.services.answered import note_answered
from telephony.services.retries import next_try_at
from telephony.states import MOVES, RANK, AttemptState, MoveReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from callcenter.accounts.models import User
    from requests_app.data import Origin

S = AttemptState


def locked(attempt_id: int) -> CallAttempt:
    """The attempt with its line, locked until the transaction ends.

    An attempt is locked before its request, always, and an earlier attempt before a later one.
    """
    line_secrets = [f"line__{name}" for name in DialerLine.SECRET_FIELDS]
    return for_update(CallAttempt.objects.filter(pk=attempt_id)).select_related("line").defer(*line_secrets).get()


def move(
    attempt: CallAttempt,
    to: AttemptState,
    *,
    expected: Iterable[str],
    reason: str,
    now: datetime,
    actor: User | None = None,
    guard: dict[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """Whether this caller moved the attempt; its entry is written with it, and a first real try is counted."""

    def record(source: str, target: str) -> None:
        AttemptEntry.objects.create(
            attempt=attempt, at=now, from_state=source, to_state=target, reason=reason, actor=actor
        )
        # What may have rung is a try; what surely was not sent, or was refused, is none.
        if source == S.SENDING and target in RANK and attempt.call_request_id is not None:
            calls.note_try(attempt.call_request_id, now=now)

    if to not in {S.CLAIMED, S.SENDING}:
        changes.setdefault("lease_until", None)
    return transition(attempt, to, moves=MOVES, expected=expected, record=record, guard=guard, **changes)


def move_all(
    attempts: Sequence[CallAttempt],
    to: AttemptState,
    *,
    source: str,
    reason: str,
    now: datetime,
    each: Mapping[str, Sequence[Any]] | None = None,
    **changes: Any,
) -> None:
    """Nothing; these attempts, which the caller has locked in `source`, are moved together, as `move` moves one.

    `each` = columns of which every attempt gets a value of its own, in their order.

    Effects: one UPDATE, one INSERT of entries, and what counting the tries takes; call inside a transaction.
    Errors: `InvalidMove`; `Conflict` when one of them was not in `source`, so that the transaction must not be kept.
    """
    require_move(MOVES, source, to, of="CallAttempt")
    if not attempts:
        return
    if to not in {S.CLAIMED, S.SENDING}:
        changes.setdefault("lease_until", None)
    ids = [attempt.pk for attempt in attempts]
    moved = change_rows(CallAttempt, ids, expected={"state": source}, changes={"state": to, **changes}, each=each)
    if moved != len(ids):
        raise Conflict("An attempt was moved although it was locked.")
    insert_for_each(AttemptEntry, "attempt_id", ids, at=now, from_state=source, to_state=to, reason=reason)
    if source == S.SENDING and to in RANK:
        calls.note_tries([one.call_request_id for one in attempts if one.call_request_id is not None], now=now)
    for place, attempt in enumerate(attempts):
        attempt.state = to
        for name, value in changes.items():
            setattr(attempt, name, value)
        for name, values in (each or {}).items():
            setattr(attempt, name, values[place])


@transaction.atomic
def release(
    attempt: CallAttempt,
    *,
    expected: Iterable[str],
    reason: str,
    due_at: datetime,
    now: datetime,
    actor: User | None = None,
    guard: dict[str, Any] | None = None,
    **changes: Any,
) -> bool:
    """Whether this caller ended an attempt that rang nowhere; its request is due again at `due_at`."""
    moved = move(
        attempt,
        S.RELEASED,
        expected=expected,
        reason=reason,
        now=now,
        actor=actor,
        guard=guard,
        ended_at=now,
        **changes,
    )
    if moved and attempt.call_request_id is not None:
        calls.release_request(attempt.call_request_id, due_at=due_at, now=now, reason=reason)
        if attempt.number > 1 and was_answered_meanwhile(attempt):
            settle(attempt, Outcome.ANSWERED, now=now)
    return moved


@transaction.atomic
def doubt(
    attempt: CallAttempt, *, reason: str, now: datetime, expected: Iterable[str] = (S.SENDING,), **changes: Any
) -> bool:
    """Whether this caller put a sent attempt in doubt; only news or a person gets it out."""
    moved = move(attempt, S.IN_DOUBT, expected=expected, reason=reason, now=now, **changes)
    if moved and attempt.call_request_id is not None:
        calls.hold_in_doubt(attempt.call_request_id, now=now)
    return moved


@transaction.atomic
def end(
    attempt: CallAttempt,
    outcome: Outcome,
    *,
    expected: Iterable[str],
    reason: str,
    now: datetime,
    actor: User | None = None,
    **changes: Any,
) -> bool:
    """Whether this caller ended the attempt; its request is completed, tried again by the rules, or given up."""
    moved = move(
        attempt,
        S.ENDED,
        expected=expected,
        reason=reason,
        now=now,
        actor=actor,
        outcome=outcome,
        ended_at=now,
        **changes,
    )
    if moved and attempt.call_request_id is not None:
        settle(attempt, outcome, now=now)
    if moved and attempt.outcome == Outcome.ANSWERED:
        note_answered({attempt.pk: attempt.company_id}, now=now)
    return moved


def settle(attempt: CallAttempt, outcome: Outcome, *, now: datetime, origin: Origin = CARRIER) -> Outcome:
    """What the call's end means for its request, which takes it: completed, tried again by the rules, or given up.

    An earlier call of which late news said "answered" while this one was on, or was to be, counts for the request: it
    is not called once more.
    """
    assert attempt.call_request_id is not None
    if outcome != Outcome.ANSWERED and attempt.number > 1 and was_answered_meanwhile(attempt):
        outcome = Outcome.ANSWERED
    calls.settle_request(
        attempt.call_request_id,
        outcome=outcome,
        # What the PABX refused it would refuse again.
        retry_at=None if outcome == Outcome.REFUSED else next_try_at(attempt, outcome=outcome, now=now),
        needs_disposition=attempt.line.requires_disposition,
        now=now,
        origin=origin,
    )
    return outcome


@transaction.atomic
def correct(attempt: CallAttempt, outcome: Outcome, *, now: datetime, has_conflict: bool) -> None:
    """Give an ended attempt the outcome that its whole set of news means, and its request what follows from it.

    For a request that has been called again since, only "answered" still matters; it stops a call that is claimed.
    """
    has_conflict = has_conflict or attempt.has_conflict
    if (attempt.outcome, attempt.has_conflict) == (outcome, has_conflict):
        return
    before = Outcome(attempt.outcome)
    attempt.outcome, attempt.has_conflict = outcome, has_conflict
    columns = ["outcome", "has_conflict"]
    if outcome == Outcome.ANSWERED and attempt.answered_at is None:
        attempt.answered_at = now
        columns.append("answered_at")
    attempt.save(update_fields=columns)
    if before == outcome:
        return
    if outcome == Outcome.ANSWERED and attempt.call_request_id is not None:
        _withdraw_next_try(attempt, now=now)
    AttemptEntry.objects.create(attempt=attempt, at=now, from_state=S.ENDED, to_state=S.ENDED, reason=outcome)
    if attempt.call_request_id is None:
        return
    if outcome == Outcome.ANSWERED:
        note_answered({attempt.pk: attempt.company_id}, now=now)
    if outcome == Outcome.ANSWERED or not was_called_again(attempt):
        calls.correct_outcome(
            attempt.call_request_id,
            was=before,
            outcome=outcome,
            retry_at=next_try_at(attempt, outcome=outcome, now=now),
            needs_disposition=attempt.line.requires_disposition,
            now=now,
        )


def _withdraw_next_try(attempt: CallAttempt, *, now: datetime) -> None:
    """Give back the claim of a later try, if there is one: its intent is not committed, so nobody was called."""
    claimed = CallAttempt.objects.filter(
        call_request_id=attempt.call_request_id, number__gt=attempt.number, state=S.CLAIMED
    )
    for attempt_id in claimed.values_list("pk", flat=True):
        release(locked(attempt_id), expected=[S.CLAIMED], reason=MoveReason.WITHDRAWN, due_at=now, now=now)
