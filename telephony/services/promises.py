"""The nightly check of what the dialer promises: one bounded query a promise, and what it finds is kept as rows.

Looked at are the calls that are open, and those that were claimed since the check before (at least two days back), so
that it costs the same however many attempts there are. `CHECKS` names each promise's queries; a query gives rows of
(subject's kind, its id, company, attempt, request).
"""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from callcenter.lib.database import as_stored, for_update
from callcenter.lib.errors import Conflict, NotFound
from requests_app.states import OPEN as OPEN_STATUSES
from requests_app.states import Hold, Outcome
from telephony.models import PromiseCheck, PromiseViolation, ProviderEvent
from telephony.services.events import meanings_of
from telephony.states import OPEN, AttemptState, MoveReason, Promise, project

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from callcenter.accounts.models import User

S = AttemptState

# How far back at least, how long after its time a thing may still hang (sweeps are seconds apart), rows of each kind.
LOOK_BACK: Final = timedelta(days=2)
GRACE: Final = timedelta(minutes=5)
MOST: Final = 1_000

# Without these an open request that is neither dialed nor due would be forgotten.
_WAITS_FOR_A_PERSON: Final = tuple(
    hold.value
    for hold in Hold
    if hold not in {Hold.NONE, Hold.WANTED_TIME, Hold.CONTACT_WINDOW, Hold.RETRY_WAIT, Hold.IN_FLIGHT, Hold.IN_DOUBT}
    and hold not in {Hold.FINISHED, Hold.OUT_OF_TRIES}
)
# Out of doubt by these words of ours; any other word must be the carrier's, and then there is an event.
_DECISIONS: Final = (
    MoveReason.ACCEPTED, MoveReason.DUPLICATE_ID, MoveReason.REFUSED, MoveReason.UNAUTHORIZED, MoveReason.MISCONFIGURED,
    MoveReason.NOT_SENT, MoveReason.STALE, MoveReason.CHANNEL_LOST, MoveReason.ASKED_STATUS, MoveReason.ASKED_STATEMENT,
    MoveReason.SAID_CALLED, MoveReason.SAID_NOT_CALLED,
)  # fmt: skip


class Found(NamedTuple):
    """One broken promise: what kind of row, its id, and whose it is."""

    kind: str
    id: int
    company_id: int
    attempt_id: int | None
    call_request_id: int | None

    @property
    def subject(self) -> str:
        """The row's name."""
        return f"{self.kind}:{self.id}"


_ATTEMPT: Final = "SELECT 'attempt', a.id, a.company_id, a.id, a.call_request_id FROM telephony_callattempt a"
_REQUEST: Final = "SELECT 'request', r.id, r.company_id, NULL, r.id FROM requests_app_callrequest r"


def check_promises(*, now: datetime) -> PromiseCheck:
    """The check that was made just now; what it found is in `PromiseViolation`, new or found again.

    What was found earlier and is not so any more is marked as gone. Safe to repeat.
    """
    began = time.monotonic()
    last = PromiseCheck.objects.order_by("-at").values_list("at", flat=True).first()
    since = min(now - LOOK_BACK, last - LOOK_BACK if last else now - LOOK_BACK)
    found = {promise: broken(promise, since=since, now=now) for promise in Promise}
    with transaction.atomic():
        for promise, rows in found.items():
            _keep(promise, rows, now=now)
        number = sum(map(len, found.values()))
        return PromiseCheck.objects.create(at=now, since=since, seconds=time.monotonic() - began, found=number)


def broken(promise: Promise, *, since: datetime, now: datetime) -> list[Found]:
    """Where the promise does not hold, of what is open or was claimed since; at most a thousand of each kind."""
    if promise == Promise.NEWS_COUNT:
        return list(_against_the_news(since=since))
    found: dict[str, Found] = {}
    for sql, params in _queries(promise, since=since, now=now):
        with connection.cursor() as cursor:
            cursor.execute(f"{sql} LIMIT {MOST}", params)
            for row in map(Found._make, cursor.fetchall()):
                found[row.subject] = row
    return list(found.values())


def settle_violation(violation_id: int, *, actor: User, scope: Iterable[int] | None, now: datetime) -> None:
    """Nothing; a person says that they have looked after it.

    Errors: `NotFound`; `Conflict` when it was said already.
    """
    with transaction.atomic():
        visible = PromiseViolation.objects.filter(pk=violation_id)
        if scope is not None:
            visible = visible.filter(company_id__in=list(scope))
        violation = for_update(visible).first()
        if violation is None:
            raise NotFound("There is no such violation.")
        if violation.seen_at is not None:
            raise Conflict("It is looked after already.")
        violation.seen_at, violation.seen_by = now, actor
        violation.save(update_fields=["seen_at", "seen_by"])


def _keep(promise: Promise, found: list[Found], *, now: datetime) -> None:
    by_subject = {one.subject: one for one in found}
    known = PromiseViolation.objects.filter(promise=promise)
    again = set(known.filter(subject__any_of=by_subject).values_list("subject", flat=True))
    known.filter(subject__any_of=again).update(last_found_at=now, gone_at=None)
    known.filter(gone_at=None).exclude(subject__any_of=by_subject).update(gone_at=now)
    PromiseViolation.objects.bulk_create(
        PromiseViolation(
            promise=promise,
            subject=subject,
            company_id=one.company_id,
            attempt_id=one.attempt_id,
            call_request_id=one.call_request_id,
            found_at=now,
            last_found_at=now,
        )
        for subject, one in by_subject.items()
        if subject not in again
    )


def _queries(promise: Promise, *, since: datetime, now: datetime) -> Iterator[tuple[str, list[Any]]]:
    """Each of the promise's queries with its parameters."""
    at = as_stored(since)
    match promise:
        case Promise.SENT_ONCE:
            sends = "(SELECT count(*) FROM telephony_attemptentry e WHERE e.attempt_id = a.id AND e.to_state = %s)"
            yield f"{_ATTEMPT} WHERE a.claimed_at >= %s AND {sends} > 1", [at, S.SENDING.value]
        case Promise.ONE_PER_NUMBER:
            other = (
                "EXISTS (SELECT 1 FROM telephony_callattempt b WHERE b.phone_e164 = a.phone_e164 AND b.id <> a.id"
                f" AND {_is_open('b')})"
            )
            yield f"{_ATTEMPT} WHERE {_is_open('a')} AND {other}", []
        case Promise.DOUBT_STAYS:
            yield _undecided(at)
            again = (
                "EXISTS (SELECT 1 FROM telephony_callattempt b WHERE b.call_request_id = a.call_request_id"
                " AND b.number > a.number)"
            )
            yield f"{_ATTEMPT} WHERE a.state = %s AND {_is_open('a')} AND {again}", [S.IN_DOUBT.value]
        case Promise.NEWS_APPLIED:
            yield (
                "SELECT 'event', e.id, e.company_id, NULL, NULL FROM telephony_providerevent e"
                " WHERE e.state = %s AND e.state IN ('received', 'unmatched') AND e.received_at < %s",
                [ProviderEvent.State.RECEIVED.value, as_stored(now - GRACE)],
            )
        case Promise.WAY_ON:
            yield from _lost_requests()
        case Promise.LEDGER:
            told = "EXISTS (SELECT 1 FROM telephony_attemptentry e WHERE e.attempt_id = a.id AND e.to_state = a.state)"
            # Its first state is told by when it was claimed, and by the request's ledger.
            yield f"{_ATTEMPT} WHERE a.claimed_at >= %s AND a.state <> %s AND NOT {told}", [at, S.CLAIMED.value]
        case Promise.NOTHING_HANGS:
            yield from _hanging(now)


def _is_open(alias: str) -> str:
    # Spelled as the partial index is, so that it is used.
    return f"{alias}.state IN ({', '.join(repr(state.value) for state in OPEN)})"


def _undecided(at: Any) -> tuple[str, list[Any]]:
    """Attempts that left the doubt by no recorded decision and no news."""
    words = ", ".join(["%s"] * len(_DECISIONS))
    left = (
        "EXISTS (SELECT 1 FROM telephony_attemptentry e WHERE e.attempt_id = a.id AND e.from_state = %s"
        f" AND e.reason NOT IN ({words}))"
    )
    news = "EXISTS (SELECT 1 FROM telephony_providerevent v WHERE v.attempt_id = a.id)"
    params = [at, S.IN_DOUBT.value, *(word.value for word in _DECISIONS)]
    return f"{_ATTEMPT} WHERE a.claimed_at >= %s AND {left} AND NOT {news}", params


def _lost_requests() -> Iterator[tuple[str, list[Any]]]:
    """Open requests without a call, a time or a reason; and requests and calls that do not know of each other."""
    is_called = f"EXISTS (SELECT 1 FROM telephony_callattempt a WHERE a.call_request_id = r.id AND {_is_open('a')})"
    yield f"{_REQUEST} WHERE r.in_flight AND NOT {is_called}", []
    grounded = "SELECT 1 FROM requests_app_callrequest r WHERE r.id = a.call_request_id AND NOT r.in_flight"
    yield f"{_ATTEMPT} WHERE {_is_open('a')} AND EXISTS ({grounded})", []
    statuses = ", ".join(repr(status.value) for status in OPEN_STATUSES)
    holds = ", ".join(repr(hold) for hold in _WAITS_FOR_A_PERSON)
    yield (
        f"{_REQUEST} WHERE r.status IN ({statuses}) AND r.due_at IS NULL AND NOT r.in_flight"
        f" AND r.hold_reason NOT IN ({holds})",
        [],
    )


def _hanging(now: datetime) -> Iterator[tuple[str, list[Any]]]:
    late = now - GRACE
    ring = late - timedelta(seconds=settings.DIALER_RING_TIMEOUT_SECONDS)
    talk = late - timedelta(seconds=settings.DIALER_TALK_TIMEOUT_SECONDS)
    open_one = f"{_ATTEMPT} WHERE {_is_open('a')}"
    # Of one whose sending was forgotten with the database's history only the claim is known.
    sent_at = "COALESCE(a.sending_at, a.claimed_at)"
    yield f"{open_one} AND a.state IN ('claimed', 'sending') AND a.lease_until < %s", [as_stored(late)]
    yield (
        f"{open_one} AND a.state IN ('placed', 'ringing') AND {sent_at} < %s",
        [as_stored(ring)],
    )
    yield f"{open_one} AND a.state = 'answered' AND a.answered_at < %s", [as_stored(talk)]


def _against_the_news(*, since: datetime) -> Iterator[Found]:
    """Attempts whose state is not what the whole set of their news means."""
    sql = (
        "SELECT a.id, a.company_id, a.call_request_id, a.state, a.outcome, a.has_conflict, e.meaning, e.source"
        " FROM telephony_callattempt a JOIN telephony_providerevent e ON e.attempt_id = a.id"
        " WHERE a.claimed_at >= %s"
    )
    told: dict[tuple[Any, ...], list[tuple[str, str]]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(sql, [as_stored(since)])
        while rows := cursor.fetchmany(5_000):
            for *attempt, meaning, source in rows:
                told[tuple(attempt)].append((meaning, source))
    number = 0
    for (attempt_id, company_id, request_id, state, outcome, has_conflict), news in told.items():
        meant = project(meanings_of(news))
        # What was taken for not made must at least be marked.
        is_told = (
            has_conflict
            if state in {S.RELEASED, S.REFUSED}
            else meant
            and (
                (state, outcome) == (meant.state, meant.outcome)
                # Rung or answered, and then silence: closed in its time.
                or (state == S.ENDED and meant.state != S.ENDED and outcome == (meant.outcome or Outcome.NO_NEWS))
                or (state == S.ANSWERED and meant.state == S.ANSWERED)
            )
        )
        if meant is not None and not is_told and number < MOST:
            number += 1
            yield Found("attempt", attempt_id, company_id, attempt_id, request_id)
