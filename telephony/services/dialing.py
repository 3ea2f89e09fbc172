"""Claiming what is due, and what a person says about a call in doubt; the calls are placed in `placing`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from callcenter.lib.crashing import crash_point
from callcenter.lib.database import for_update, insert_rows, serialize
from callcenter.lib.errors import Conflict, NotFound
from requests_app import selectors as requests
from requests_app.schedule import contact_window, next_opening
from requests_app.services import calls, holds
from requests_app.states import Hold, Outcome
from telephony import selectors
from telephony.models import CallAttempt, DialerLine
from telephony.services import fence, moves, permission
from telephony.services.breaker import begin_probe, breakers_of
from telephony.services.other_lines import waits_of
from telephony.services.policy import allowance, is_probing
from telephony.services.switches import dialer_switch
from telephony.states import AttemptState, MoveReason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from callcenter.accounts.models import User
    from requests_app.data import DueRequest
    from telephony.services.other_lines import Wait

S = AttemptState

# Candidates beyond the allowance, so that requests outside their contact window don't hold up the rest.
SPARE_CANDIDATES: Final = 50
# How often a claim looks further down the queue, past what waits for another line.
PAGES: Final = 4


def claim_due_calls(line_id: int, *, now: datetime) -> list[int]:
    """Ids of new attempts, claimed for this line and committed; the caller enqueues them for `place_calls`.

    Never more than `policy.allowance`. Spaced by the line's calls per second, over all workers.

    Effects: one transaction under the dialer's lock; requests outside their contact window are put off. That there was
    a claim is kept outside of the database, too, before anything can be dialed (`fence`).
    """
    if not fence.look(now=now):
        return []
    with transaction.atomic():
        # Attendants are shared between lines, so two claims at once could promise one attendant twice.
        serialize("dialer-claim")
        ids = _claim(line_id, now=now)
        if not ids:
            return []
        switch = dialer_switch()
        mark = fence.count_up(switch, now=now)
        crash_point("before_claim_commit")
    crash_point("after_claim_commit")
    fence.keep(switch, mark)
    return ids


def _claim(line_id: int, *, now: datetime) -> list[int]:
    lines = DialerLine.objects.filter(pk=line_id).defer(*DialerLine.SECRET_FIELDS)
    line = for_update(lines).select_related("company", "event_channel").first()
    if line is None:
        return []
    allowed = allowance(line, now=now)
    if not allowed.calls:
        return []
    chosen, verdicts = _chosen(line, limit=allowed.calls, now=now)
    claimed = calls.claim_requests([request.id for request in chosen], now=now)
    ids = _create_attempts([r for r in chosen if r.id in claimed], verdicts=verdicts, line=line, now=now)
    breaker = breakers_of([line.pk]).get(line.pk)
    if ids and breaker is not None and is_probing(breaker):
        begin_probe(breaker, now=now)
    return ids


def _chosen(line: DialerLine, *, limit: int, now: datetime) -> tuple[list[DueRequest], dict[int, permission.Verdict]]:
    """Up to `limit` requests that the line may call now, and what the rules say of them.

    What only another line may call stays in the queue for it, and is passed over here.
    """
    chosen: dict[str, DueRequest] = {}
    verdicts: dict[int, permission.Verdict] = {}
    for _page in range(PAGES):
        but = selectors.is_being_called()
        if verdicts:
            but |= Q(pk__in=list(verdicts))
        spare = limit - len(chosen) + SPARE_CANDIDATES
        candidates = requests.due_requests(line.company_id, now=now, limit=spare, but=but)
        verdicts |= permission.verdicts(candidates, line=line, now=now)
        passed = _diallable(candidates, chosen=chosen, verdicts=verdicts, line=line, limit=limit, now=now)
        if not passed or len(chosen) >= limit:
            break
    return list(chosen.values()), verdicts


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
    candidates: Sequence[DueRequest],
    *,
    chosen: dict[str, DueRequest],
    verdicts: Mapping[int, permission.Verdict],
    line: DialerLine,
    limit: int,
    now: datetime,
) -> int:
    """How many were left to another line; the first that may be called at this moment are chosen, one per number.

    The others are put off, or held. `chosen` has at most `limit`.
    """
    passed = 0
    refused = [request for request in candidates if not verdicts[request.id].is_allowed]
    waits = waits_of(refused, verdicts_here=verdicts, line=line, now=now)
    openings: dict[tuple[str, str], datetime] = {}
    for request in candidates:
        if (wait := waits.get(request.id)) is not None:
            passed += wait.until is not None and wait.until <= now
            _put_off(request, wait, now=now)
            continue
        texts = (request.time_from, request.time_to)
        if texts not in openings:
            openings[texts] = next_opening(now, window=contact_window(*texts), zone=line.company.zone)
        opens = openings[texts]
        if opens > now:
            calls.postpone_request(request.id, until=opens, hold=Hold.CONTACT_WINDOW, now=now)
        elif len(chosen) < limit:
            chosen.setdefault(request.phone_e164, request)
    return passed


def _put_off(request: DueRequest, wait: Wait, *, now: datetime) -> None:
    if wait.until is None:
        holds.hold_request(request.id, hold=wait.hold, now=now)
    elif wait.until > now:
        calls.postpone_request(request.id, until=wait.until, hold=wait.hold, now=now)


def _create_attempts(
    claimed: list[DueRequest], *, verdicts: Mapping[int, permission.Verdict], line: DialerLine, now: datetime
) -> list[int]:
    if not claimed:
        return []
    numbers = selectors.next_attempt_numbers(request.id for request in claimed)
    gap = timedelta(seconds=1 / line.calls_per_second)
    lease = timedelta(seconds=settings.DIALER_LEASE_SECONDS)
    first = max(now, line.next_slot_at or now)
    ids = insert_rows(
        CallAttempt,
        (
            *("call_request_id", "company_id", "line_id", "number", "state", "phone_e164"),
            *("permission", "claimed_at", "send_at", "lease_until"),
        ),
        [
            (
                *(request.id, request.company_id, line.pk, numbers.get(request.id, 1), S.CLAIMED, request.phone_e164),
                *(verdicts[request.id].record, now, first + place * gap, first + place * gap + lease),
            )
            for place, request in enumerate(claimed)
        ],
    )
    DialerLine.objects.filter(pk=line.pk).update(next_slot_at=first + len(claimed) * gap)
    return ids
