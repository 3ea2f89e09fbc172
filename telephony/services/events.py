"""The carrier's news, and the PABX's: stored raw, then read, matched to its attempt and applied, one a transaction.

An attempt's state is a function of the *set* of its news (`states.project`), so duplicates, late and disordered
deliveries end where the orderly run ends.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from callcenter.lib.database import for_update, serialize
from requests_app.services import calls
from requests_app.states import Outcome
from telephony import selectors
from telephony.models import CallAttempt, ProviderEvent
from telephony.providers.digitro.channel_events import UnreadableEvent
from telephony.providers.directcall.callback import CallbackReport, UnreadableCallback, parse_callback
from telephony.services import moves, pabx_events
from telephony.services.answered import note_answered
from telephony.services.inbound import customer_called
from telephony.states import AWAITING_NEWS, RANK, AttemptState, Meaning, Projection, project

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from telephony.models import DirectcallAccount

log = logging.getLogger(__name__)

S = AttemptState

MOST_TRIES: Final = 5
# The carrier's clock and ours may differ by this much.
CLOCK_SKEW: Final = timedelta(seconds=30)


def store_event(account: DirectcallAccount, *, body: bytes, content_type: str, now: datetime) -> ProviderEvent:
    """The delivery as a row, exactly as it came; committed before anybody tries to read it."""
    return ProviderEvent.objects.create(
        account=account,
        company_id=account.company_id,
        received_at=now,
        content_type=content_type[:200],
        raw=body,
    )


def apply_event(event_id: int, *, now: datetime) -> bool:
    """Whether the event is applied to an attempt now. Safe to repeat.

    An unreadable body is set aside with its reason. One that fits no attempt waits, unmatched and visible.
    A failure of ours is counted and logged; after five the event is set aside as failed, so that it stops nobody else.
    """
    try:
        with transaction.atomic():
            event = for_update(ProviderEvent.objects.filter(pk=event_id)).first()
            if event is None or event.state not in {ProviderEvent.State.RECEIVED, ProviderEvent.State.UNMATCHED}:
                return event is not None and event.state == ProviderEvent.State.APPLIED
            return _apply(event, now=now)
    except (OperationalError, InterfaceError):
        # A deadlock, a lock time-out, a lost connection: the sweep tries again, not counting it against the event.
        # Other database errors are the event's own, and a poisonous one must not be tried for ever.
        log.warning("event %s: the database did not let it through; it is tried again", event_id, exc_info=True)
        return False
    except Exception:
        log.exception("event %s: could not be applied", event_id)
        _count_failure(event_id)
        return False


def apply_event_again(event_id: int, *, now: datetime) -> bool:
    """Whether the event is applied now, read anew by today's tables. Safe to repeat.

    For what a person has mended: a field's name or a status word added, a fault of ours corrected. An event that was
    applied and understood is left alone.
    """
    state = ProviderEvent.State
    not_used = Q(state__in=[state.UNREADABLE, state.FAILED, state.IGNORED]) | Q(
        state=state.APPLIED, meaning=Meaning.UNKNOWN
    )
    ProviderEvent.objects.filter(not_used, pk=event_id).update(
        state=state.RECEIVED, attempt=None, applied_at=None, tries=0, problem=""
    )
    return apply_event(event_id, now=now)


def _apply(event: ProviderEvent, *, now: datetime) -> bool:
    try:
        attempt = pabx_events.match(event) if event.line_id is not None else _match_callback(event, now=now)
    except (UnreadableCallback, UnreadableEvent) as error:
        event.state, event.problem = ProviderEvent.State.UNREADABLE, error.reason[:32]
        event.save(update_fields=["state", "problem"])
        return False
    if attempt is None:
        if event.state not in {ProviderEvent.State.IGNORED, ProviderEvent.State.APPLIED}:
            event.state = ProviderEvent.State.UNMATCHED
        event.save()
        return event.state == ProviderEvent.State.APPLIED
    apply_news(event, attempt, now=now)
    return True


def apply_news(event: ProviderEvent, attempt: CallAttempt, *, now: datetime, reason: str = "") -> None:
    """Nothing; the event is the locked attempt's, which is where the set of its news says. Within a transaction.

    `reason` goes into the ledger in place of the news' meaning: that we asked, say.
    """
    event.state, event.attempt, event.applied_at = ProviderEvent.State.APPLIED, attempt, now
    event.save()
    if event.carrier_call_id and not attempt.carrier_call_id:
        attempt.carrier_call_id = event.carrier_call_id
        attempt.save(update_fields=["carrier_call_id"])
    projection = project(_meanings(attempt))
    if projection is not None:
        _advance(attempt, projection, meaning=reason or event.meaning, now=now)


def _meanings(attempt: CallAttempt) -> set[str]:
    return meanings_of(attempt.events.values_list("meaning", "source"))


def meanings_of(news: Iterable[tuple[str, str]]) -> set[str]:
    """What all of a call's news, each with its source, says of it."""
    told = list(news)
    # The statement has only calls that are over.
    is_over = any(source == ProviderEvent.Source.STATEMENT and meaning != Meaning.UNKNOWN for meaning, source in told)
    return {meaning for meaning, _source in told} | ({Meaning.HANGUP.value} if is_over else set())


def _match_callback(event: ProviderEvent, *, now: datetime) -> CallAttempt | None:
    report = parse_callback(
        bytes(event.raw),
        event.content_type,
        field_names=selectors.field_names(),
        status_words=selectors.status_words(),
    )
    _take_over(event, report)
    # Two deliveries about one call must not both look for its attempt before either has found it.
    serialize(f"carrier-call:{event.company_id}:{event.carrier_call_id or event.phone_e164}")
    attempt = _matching_attempt(event)
    # A received call is nobody's attempt; the customer who rang us need not be called back.
    if attempt is None and customer_called(event, origin_e164=report.origin_e164, now=now):
        event.state, event.applied_at = ProviderEvent.State.APPLIED, now
    return attempt


def _take_over(event: ProviderEvent, report: CallbackReport) -> None:
    event.carrier_call_id = report.call_id[:128]
    event.phone_e164 = report.destination_e164
    event.word = report.status_word[:64]
    event.meaning = report.meaning
    event.started_at = report.started_at


def _matching_attempt(event: ProviderEvent) -> CallAttempt | None:
    """The attempt that the news is about, locked: by the carrier's id, else by number and time when just one fits."""
    of_company = CallAttempt.objects.filter(company_id=event.company_id)
    found: list[int] = []
    if event.carrier_call_id:
        found = list(of_company.filter(carrier_call_id=event.carrier_call_id).values_list("pk", flat=True))
    if not found and event.phone_e164:
        found = _by_number_and_time(event, of_company)
    if len(found) != 1:
        return None
    attempt = moves.locked(found[0])
    # While we waited for the lock, other news of the same number may have given the attempt another call's id.
    is_another = bool(event.carrier_call_id) and attempt.carrier_call_id not in {"", event.carrier_call_id}
    return None if is_another else attempt


def _by_number_and_time(event: ProviderEvent, of_company: QuerySet[CallAttempt]) -> list[int]:
    """Up to two ids of attempts that the news may be about: of the open ones, else of those that ended lately."""
    # Of one whose sending this database has forgotten (`fence`) only the claim is known.
    fitting = of_company.annotate(sent_at=Coalesce("sending_at", "claimed_at")).filter(
        phone_e164=event.phone_e164,
        sent_at__lte=min(event.received_at, event.started_at or event.received_at) + CLOCK_SKEW,
        # No call lasts longer: what is older, and in doubt, is not the call that is told of now.
        sent_at__gte=event.received_at - longest_call(),
    )
    if event.carrier_call_id:
        fitting = fitting.filter(carrier_call_id="")
    found = list(fitting.filter(state__in=AWAITING_NEWS).values_list("pk", flat=True)[:2])
    if found:
        return found
    recent = event.received_at - timedelta(seconds=settings.CALLBACK_MATCH_SECONDS)
    return list(fitting.filter(state=S.ENDED, ended_at__gte=recent).values_list("pk", flat=True)[:2])


def longest_call() -> timedelta:
    """For how long after it was sent a call may still be on."""
    return timedelta(seconds=settings.DIALER_TALK_TIMEOUT_SECONDS)


def _advance(attempt: CallAttempt, projection: Projection, *, meaning: str, now: datetime) -> None:
    """Bring the attempt to where its news says it is; never backwards."""
    if attempt.state == S.ENDED:
        if projection.outcome:
            moves.correct(attempt, Outcome(projection.outcome), now=now, has_conflict=projection.conflict)
        return
    if attempt.state not in AWAITING_NEWS:
        log.error("attempt %s: there is news of a call that we took for not made (%s)", attempt.pk, attempt.state)
        CallAttempt.objects.filter(pk=attempt.pk).update(has_conflict=True)
        return
    changes: dict[str, Any] = {"has_conflict": attempt.has_conflict or projection.conflict}
    if projection.outcome == Outcome.ANSWERED and attempt.answered_at is None:
        changes["answered_at"] = now
    if projection.state == S.ENDED:
        moves.end(attempt, Outcome(projection.outcome), expected=[attempt.state], reason=meaning, now=now, **changes)
    elif RANK[projection.state] > RANK[attempt.state]:
        _move_on(attempt, projection.state, reason=meaning, now=now, changes=changes)
    else:
        CallAttempt.objects.filter(pk=attempt.pk).update(**changes)


def _move_on(attempt: CallAttempt, state: AttemptState, *, reason: str, now: datetime, changes: dict[str, Any]) -> None:
    was_in_doubt = attempt.state == S.IN_DOUBT
    moves.move(attempt, state, expected=[attempt.state], reason=reason, now=now, **changes)
    if attempt.call_request_id is None:
        return
    if was_in_doubt:
        calls.note_call_confirmed(attempt.call_request_id, now=now)
    if "answered_at" in changes:
        calls.note_answered(attempt.call_request_id, now=now)
        note_answered({attempt.pk: attempt.company_id}, now=now)


def _count_failure(event_id: int) -> None:
    try:
        with transaction.atomic():
            event = for_update(ProviderEvent.objects.filter(pk=event_id)).get()
            event.tries += 1
            if event.tries >= MOST_TRIES:
                event.state, event.problem = ProviderEvent.State.FAILED, "internal_error"
            event.save(update_fields=["tries", "state", "problem"])
    except DatabaseError:
        # The caller may be the webhook, which has stored the event and must say so.
        log.warning("event %s: its failure could not be counted", event_id, exc_info=True)
