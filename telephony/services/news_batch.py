"""What a batch of callbacks changes, by few statements for all of it.

Only what is usual: a call that is out moves on or ends, is told of twice, or a body can't be read. Whatever else there
is (no call or several fit, a call in doubt, news after the end that mean something else) is left to `events`, with all
that the batch holds about the same call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db.models.functions import Coalesce

from callcenter.accounts.models import Company
from callcenter.lib.database import for_update, insert_rows, set_columns, values_of
from requests_app.services import landing
from requests_app.states import Outcome
from telephony import selectors
from telephony.models import AttemptEntry, CallAttempt, DialerLine, ProviderEvent
from telephony.providers.directcall.callback import UnreadableCallback, parse_callback
from telephony.providers.directcall.values import Names
from telephony.services import events
from telephony.services.answered import note_answered
from telephony.services.retries import EndedCall, next_tries
from telephony.states import AWAITING_NEWS, RANK, AttemptState, project

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from telephony.providers.directcall.callback import CallbackReport

S = AttemptState
State = ProviderEvent.State

# From these a call moves on by news without anything else to be said of it.
_USUAL: Final = frozenset({S.PLACED, S.RINGING, S.ANSWERED})

DELIVERY_COLUMNS: Final = ("pk", "company_id", "received_at", "content_type", "raw")

_projected = lru_cache(4096)(project)


class Delivery(NamedTuple):
    """A stored callback that waits, locked; read from `DELIVERY_COLUMNS`."""

    event_id: int
    company_id: int
    received_at: datetime
    content_type: str
    raw: bytes


class _News(NamedTuple):
    """A callback that could be read."""

    event_id: int
    company_id: int
    received_at: datetime
    report: CallbackReport

    def fits(self, call: _Candidate) -> bool:
        """Whether the call may be meant by number and time; as `events` asks the database."""
        if call.company_id != self.company_id:
            return False
        latest = min(self.received_at, self.report.started_at or self.received_at) + events.CLOCK_SKEW
        return self.received_at - events.longest_call() <= call.sent_at <= latest


class _Candidate(NamedTuple):
    attempt_id: int
    company_id: int
    phone_e164: str
    carrier_call_id: str
    # Its claim, of one whose sending was forgotten.
    sent_at: datetime


@dataclass(slots=True)
class _Call:
    """A locked attempt, and what the batch makes of it."""

    attempt_id: int
    call_request_id: int | None
    company_id: int
    line_id: int
    number: int
    state: str
    outcome: str
    has_conflict: bool
    carrier_call_id: str
    claimed_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    lease_until: datetime | None
    told: set[tuple[str, str]] = field(default_factory=set)
    news: list[_News] = field(default_factory=list)
    entries: list[tuple[Any, ...]] = field(default_factory=list)
    is_changed: bool = False
    is_answered_now: bool = False
    is_ended_now: bool = False
    is_unusual: bool = False

    def take(self, news: _News, *, now: datetime) -> None:
        """Move the call as `events` would, or find that it is unusual."""
        report = news.report
        if report.call_id and self.carrier_call_id not in {"", report.call_id}:
            self.is_unusual = True
            return
        if report.call_id and not self.carrier_call_id:
            self.carrier_call_id, self.is_changed = report.call_id, True
        self.told.add((report.meaning, ProviderEvent.Source.CALLBACK.value))
        projection = _projected(frozenset(events.meanings_of(self.told)))
        if projection is None:
            return
        has_conflict = self.has_conflict or projection.conflict
        if self.state == S.ENDED:
            # Told twice; anything else is a correction.
            self.is_unusual |= bool(projection.outcome) and (projection.outcome, has_conflict) != (
                self.outcome,
                self.has_conflict,
            )
            return
        if self.state not in _USUAL:
            self.is_unusual = True
            return
        if has_conflict != self.has_conflict:
            self.has_conflict, self.is_changed = has_conflict, True
        is_first_answer = projection.outcome == Outcome.ANSWERED and self.answered_at is None
        if is_first_answer:
            self.answered_at, self.is_changed = now, True
        if projection.state == S.ENDED:
            self._move(S.ENDED, report.meaning, now=now)
            self.outcome, self.ended_at, self.is_ended_now = projection.outcome, now, True
        elif RANK[projection.state] > RANK[self.state]:
            self._move(projection.state, report.meaning, now=now)
            self.is_answered_now |= is_first_answer

    def _move(self, to: AttemptState, reason: str, *, now: datetime) -> None:
        self.entries.append((self.attempt_id, now, self.state, to, reason))
        self.state, self.lease_until, self.is_changed = to, None, True


def apply_together(deliveries: Sequence[Delivery], *, now: datetime) -> list[int]:
    """Ids of those that are left for `events.apply_event`, in their order; the others are applied, or set aside.

    Within a transaction in which these events are locked. An event is locked before attempts, these before requests,
    each in the order of their ids.
    """
    if not deliveries:
        return []
    news, unreadable = _read(deliveries)
    attempt_ids = _matched(news)
    found = _locked_calls(set(attempt_ids.values()))
    for one in news:
        attempt_id = attempt_ids.get(one.event_id)
        if attempt_id is not None:
            found[attempt_id].news.append(one)
            found[attempt_id].take(one, now=now)
    usual = [call for call in found.values() if not call.is_unusual]
    _store_events(usual, unreadable, now=now)
    _store_calls(usual, now=now)
    done = {one.event_id for call in usual for one in call.news} | unreadable.keys()
    return [one.event_id for one in deliveries if one.event_id not in done]


def _read(deliveries: Iterable[Delivery]) -> tuple[list[_News], dict[int, str]]:
    """What could be read; and why the others could not, by id."""
    names, words = Names(selectors.field_names()), selectors.status_words()
    news, unreadable = [], {}
    for one in deliveries:
        try:
            report = parse_callback(bytes(one.raw), one.content_type, field_names=names, status_words=words)
        except UnreadableCallback as error:
            unreadable[one.event_id] = error.reason[:32]
        else:
            news.append(_News(one.event_id, one.company_id, one.received_at, report))
    return news, unreadable


def _matched(news: Sequence[_News]) -> dict[int, int]:
    """The one attempt that each event is about, by the carrier's id, else by number and time; others are left out."""
    by_call_id = _by_call_id(news)
    by_number = _by_number(one for one in news if (one.company_id, one.report.call_id) not in by_call_id)
    matched: dict[int, int] = {}
    named: dict[int, str] = {}
    for one in news:
        key = (one.company_id, one.report.call_id)
        if key in by_call_id:
            matched[one.event_id] = by_call_id[key]
            continue
        fitting = [
            call
            for call in by_number.get(one.report.destination_e164, ())
            if one.fits(call) and not (one.report.call_id and (call.carrier_call_id or call.attempt_id in named))
        ]
        if len(fitting) == 1:
            matched[one.event_id] = fitting[0].attempt_id
            if one.report.call_id and not fitting[0].carrier_call_id:
                by_call_id[key], named[fitting[0].attempt_id] = fitting[0].attempt_id, one.report.call_id
    return matched


def _by_call_id(news: Iterable[_News]) -> dict[tuple[int, str], int]:
    wanted = {one.report.call_id: one.company_id for one in news if one.report.call_id}
    rows = CallAttempt.objects.filter(
        company_id__any_of=set(wanted.values()) | {one.company_id for one in news}, carrier_call_id__any_of=wanted
    ).exclude(carrier_call_id="")
    found = values_of(rows.values_list("company_id", "carrier_call_id", "pk"))
    return {(company_id, call_id): pk for company_id, call_id, pk in found}


def _by_number(news: Iterable[_News]) -> dict[str, list[_Candidate]]:
    phones = {one.report.destination_e164 for one in news if one.report.destination_e164}
    found: dict[str, list[_Candidate]] = {}
    if phones:
        rows = CallAttempt.objects.filter(phone_e164__any_of=phones, state__in=AWAITING_NEWS)
        sent_at = Coalesce("sending_at", "claimed_at")
        for row in values_of(rows.values_list("pk", "company_id", "phone_e164", "carrier_call_id", sent_at)):
            found.setdefault(row[2], []).append(_Candidate(*row))
    return found


def _locked_calls(attempt_ids: Iterable[int]) -> dict[int, _Call]:
    """The attempts as they are now that they are locked, with what was told of them before."""
    rows = for_update(CallAttempt.objects.filter(pk__any_of=sorted(attempt_ids)).order_by("pk")).values_list(
        *("pk", "call_request_id", "company_id", "line_id", "number", "state", "outcome", "has_conflict"),
        *("carrier_call_id", "claimed_at", "answered_at", "ended_at", "lease_until"),
    )
    found = {row[0]: _Call(*row) for row in values_of(rows, is_prepared=True)} if attempt_ids else {}
    told = ProviderEvent.objects.filter(attempt_id__any_of=list(found)).order_by()
    before = told.values_list("attempt_id", "meaning", "source")
    for attempt_id, meaning, source in values_of(before, is_prepared=True) if found else ():
        found[attempt_id].told.add((meaning, source))
    return found


def _store_events(found: Sequence[_Call], unreadable: dict[int, str], *, now: datetime) -> None:
    set_columns(
        ProviderEvent,
        ("state", "attempt_id", "applied_at", "carrier_call_id", "phone_e164", "word", "meaning", "started_at"),
        {
            one.event_id: (
                *(State.APPLIED.value, call.attempt_id, now, one.report.call_id, one.report.destination_e164),
                *(one.report.status_word, one.report.meaning, one.report.started_at),
            )
            for call in found
            for one in call.news
        },
    )
    rows = {event_id: (State.UNREADABLE.value, reason) for event_id, reason in unreadable.items()}
    set_columns(ProviderEvent, ("state", "problem"), rows)


def _store_calls(found: Sequence[_Call], *, now: datetime) -> None:
    set_columns(
        CallAttempt,
        ("state", "outcome", "has_conflict", "carrier_call_id", "answered_at", "ended_at", "lease_until"),
        {
            call.attempt_id: (
                *(call.state, call.outcome, call.has_conflict, call.carrier_call_id),
                *(call.answered_at, call.ended_at, call.lease_until),
            )
            for call in found
            if call.is_changed
        },
    )
    entries = [entry for call in found for entry in call.entries]
    insert_rows(AttemptEntry, ("attempt_id", "at", "from_state", "to_state", "reason"), entries)
    answered = {call.call_request_id for call in found if call.is_answered_now and call.call_request_id is not None}
    landing.take_news(answered, _endings([call for call in found if call.is_ended_now], now=now), now=now)
    talks = [call for call in found if call.outcome == Outcome.ANSWERED and call.is_ended_now or call.is_answered_now]
    note_answered({call.attempt_id: call.company_id for call in talks}, now=now)


def _endings(ended: Sequence[_Call], *, now: datetime) -> dict[int, landing.Ending]:
    """How the request's call ended, by request; as `moves.end` says it of one."""
    if not ended:
        return {}
    lines = dict(
        DialerLine.objects.filter(pk__in={call.line_id for call in ended}).values_list("pk", "requires_disposition")
    )
    zones = {company.pk: company.zone for company in Company.objects.filter(pk__in={call.company_id for call in ended})}
    spared = _answered_meanwhile([call for call in ended if call.number > 1 and call.outcome != Outcome.ANSWERED])
    outcomes = {
        call.call_request_id: Outcome.ANSWERED if call.attempt_id in spared else Outcome(call.outcome)
        for call in ended
        if call.call_request_id is not None
    }
    unanswered = [
        EndedCall(call.attempt_id, call.call_request_id, call.company_id, outcomes[call.call_request_id])
        for call in ended
        if call.call_request_id is not None and outcomes[call.call_request_id] != Outcome.ANSWERED
    ]
    tries = next_tries(unanswered, zones=zones, now=now)
    return {
        call.call_request_id: landing.Ending(
            outcomes[call.call_request_id],
            retry_at=tries.get(call.call_request_id),
            needs_disposition=lines[call.line_id],
        )
        for call in ended
        if call.call_request_id is not None
    }


def _answered_meanwhile(later: Sequence[_Call]) -> set[int]:
    """Which of these attempts `selectors.was_answered_meanwhile` is true of. One query."""
    by_request = {call.call_request_id: call for call in later}
    if not by_request:
        return set()
    told = AttemptEntry.objects.filter(
        attempt__call_request_id__any_of=[one for one in by_request if one is not None],
        attempt__outcome=Outcome.ANSWERED,
        from_state=S.ENDED,
        reason=Outcome.ANSWERED,
    ).order_by()
    return {
        by_request[request_id].attempt_id
        for request_id, number, at in told.values_list("attempt__call_request_id", "attempt__number", "at")
        if number < by_request[request_id].number and at >= by_request[request_id].claimed_at
    }
