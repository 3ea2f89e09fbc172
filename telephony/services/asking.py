"""Asking the carrier what became of calls in doubt, or without news: how the call stands now, else its statement.

An answer is stored as news and applied like any other, so that what follows from it is what follows from a callback;
the ledger says that we asked. What more than one call fits, or what contradicts itself, stays in doubt for a person.
Nothing is ever dialed again because of silence: only an outcome, by the retry rules.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from callcenter.lib.database import serialize
from callcenter.lib.errors import DomainError
from requests_app.states import Outcome
from telephony.models import CallAttempt, CarrierInquiry, DialerLine, DirectcallAccount, ProviderEvent
from telephony.providers.base import Misconfigured, ProviderError, Refused, Unauthorized
from telephony.providers.directcall import wire
from telephony.services import moves
from telephony.services.carrier import client_of
from telephony.services.events import CLOCK_SKEW, apply_news
from telephony.states import AttemptState, InquiryState, Meaning, MoveReason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telephony.providers.directcall.client import DirectcallClient
    from telephony.providers.directcall.records import CallRecord

log = logging.getLogger(__name__)

S = AttemptState
Source = ProviderEvent.Source

# News usually settles a call within the minute; a conversation may last.
FIRST_ASK: Final = timedelta(seconds=60)
FIRST_ASK_OF_TALK: Final = timedelta(minutes=15)
# How long after one question the next one follows. Together they stay within the 90 days that the carrier keeps.
_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WAITS: Final = (
    2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 3 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY, 30 * _DAY,
)  # fmt: skip
# How far the turns of one round reach: the job comes by every quarter of a minute.
ROUND: Final = timedelta(seconds=15)
# So many calls without news are taken up in one round; the rest in the next.
BATCH: Final = 200
MOST_PAGES: Final = 5
_FORM: Final = "application/x-www-form-urlencoded"


def ask_carrier(*, now: datetime) -> dict[str, int]:
    """How many calls were taken up, asked about, and settled by an answer. Safe to repeat and to run at once.

    Each account is asked at most `DIRECTCALL_ASKS_PER_MINUTE` times a minute, over all workers.
    """
    done = {"taken up": _take_up(now), "asked": 0, "settled": 0}
    accounts = DirectcallAccount.objects.filter(is_enabled=True).exclude(client_id="")
    for account_id in accounts.order_by("pk").values_list("pk", flat=True):
        try:
            _ask_of_account(account_id, done, now=now)
        except DomainError as error:
            # Of its secrets, which can't be decrypted: the other accounts go on.
            log.warning("account %s: the carrier is not asked (%s)", account_id, error.code)
    return done


def _take_up(now: datetime) -> int:
    """How many calls without (sure) news got their inquiry."""
    accounts = _asking_accounts()
    silent = Q(state__in=[S.IN_DOUBT, S.PLACED, S.RINGING], claimed_at__lt=now - FIRST_ASK) | Q(
        state=S.ANSWERED, answered_at__lt=now - FIRST_ASK_OF_TALK
    )
    attempts = CallAttempt.objects.filter(silent, company_id__in=accounts, inquiry=None).order_by("pk")[:BATCH]
    made = [
        CarrierInquiry(attempt_id=attempt_id, account_id=accounts[company_id], next_at=now)
        for attempt_id, company_id in attempts.values_list("pk", "company_id")
    ]
    CarrierInquiry.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _asking_accounts() -> dict[int, int]:
    """The account that is asked about each company's calls."""
    accounts = DirectcallAccount.objects.filter(is_enabled=True).exclude(client_id="").order_by("-pk")
    return dict(accounts.values_list("company_id", "pk"))


def _ask_of_account(account_id: int, done: dict[str, int], *, now: datetime) -> None:
    due = CarrierInquiry.objects.filter(account_id=account_id, state=InquiryState.WAITING, next_at__lte=now)
    turns = _turns(account_id, wanted=due.count(), now=now)
    if not turns:
        return
    account = DirectcallAccount.objects.get(pk=account_id)
    client = client_of(account)
    for inquiry in due.order_by("next_at")[:turns]:
        if not _taken(inquiry, now=now):
            continue
        done["asked"] += 1
        try:
            done["settled"] += ask_about(inquiry, account, client, now=now)
        except ProviderError as error:
            _note(inquiry, problem=error.code)
            if isinstance(error, Unauthorized | Misconfigured):
                # It would say so of every other call, too.
                return
        except Exception:
            log.exception("inquiry %s: failed; it is asked again later", inquiry.pk)


def _turns(account_id: int, *, wanted: int, now: datetime) -> int:
    """How many questions may be asked now; they are the caller's, and nobody else's before their time is over."""
    gap = timedelta(minutes=1) / max(1, settings.DIRECTCALL_ASKS_PER_MINUTE)
    turns = min(wanted, max(1, ROUND // gap))
    free = DirectcallAccount.objects.filter(Q(next_ask_at=None) | Q(next_ask_at__lte=now), pk=account_id)
    return turns if turns and free.update(next_ask_at=now + turns * gap) else 0


def _taken(inquiry: CarrierInquiry, *, now: datetime) -> bool:
    """Whether the question is this caller's to ask; it is moved on before it is asked."""
    wait = WAITS[min(inquiry.asked, len(WAITS) - 1)]
    mine = CarrierInquiry.objects.filter(pk=inquiry.pk, state=InquiryState.WAITING, next_at=inquiry.next_at)
    taken = bool(mine.update(next_at=now + wait, last_at=now, asked=F("asked") + 1, problem=""))
    inquiry.asked += taken
    return taken


def ask_about(inquiry: CarrierInquiry, account: DirectcallAccount, client: DirectcallClient, *, now: datetime) -> bool:
    """Whether the call is settled now. Errors: `ProviderError`; nothing is changed then."""
    secrets = [f"line__{name}" for name in DialerLine.SECRET_FIELDS]
    attempt = CallAttempt.objects.select_related("line").defer(*secrets).get(pk=inquiry.attempt_id)
    if _is_settled(attempt):
        _note(inquiry, state=InquiryState.SETTLED)
        return False
    try:
        destination = wire.carrier_number(attempt.phone_e164)
    except Refused:
        # 0800 and 4004: the carrier can't be asked about them.
        _note(inquiry, state=InquiryState.NOT_FOUND)
        return False
    source, records = Source.STATUS, _standing(attempt, account, client, destination=destination, now=now)
    if not records:
        source, records = Source.STATEMENT, _statement(attempt, client, destination=destination)
    fitting = fitting_records(attempt, records, origin=account.origin)
    return _taken_over(inquiry, attempt, fitting, source=source, now=now)


def fitting_records(attempt: CallAttempt, records: Iterable[CallRecord], *, origin: str = "") -> list[CallRecord]:
    """Those of the records that may be about the attempt: its id, or its number at its time and no other's id."""
    near = [
        record
        for record in records
        if record.destination_e164 == attempt.phone_e164
        and record.started_at is not None
        and is_in_time(attempt, record.started_at)
        and (not origin or not record.origin or wire.digits(record.origin) == wire.digits(origin))
    ]
    if attempt.carrier_call_id:
        known = [record for record in near if record.call_id == attempt.carrier_call_id]
        return known or [record for record in near if not record.call_id]
    others = CallAttempt.objects.filter(
        company_id=attempt.company_id, carrier_call_id__in=[record.call_id for record in near if record.call_id]
    ).exclude(pk=attempt.pk)
    taken = set(others.values_list("carrier_call_id", flat=True))
    return [record for record in near if record.call_id not in taken]


def is_in_time(attempt: CallAttempt, started_at: datetime) -> bool:
    """Whether a call that began then may be the attempt's: not before it was sent, nor long after."""
    called_at = attempt.sending_at or attempt.claimed_at
    # The statement's instants are whole seconds.
    return (
        called_at - CLOCK_SKEW
        <= started_at
        <= called_at + CLOCK_SKEW + timedelta(seconds=settings.DIALER_RING_TIMEOUT_SECONDS)
    )


def _is_settled(attempt: CallAttempt) -> bool:
    return attempt.state in {S.RELEASED, S.REFUSED} or (attempt.state == S.ENDED and attempt.outcome != Outcome.NO_NEWS)


def _standing(
    attempt: CallAttempt, account: DirectcallAccount, client: DirectcallClient, *, destination: str, now: datetime
) -> list[CallRecord]:
    """The legs of the call while it may still be on; none when it is over, or can't be asked about by its origin."""
    origin = wire.digits(account.origin or attempt.line.originator)
    may_last = settings.DIALER_TALK_TIMEOUT_SECONDS if attempt.answered_at else settings.DIALER_RING_TIMEOUT_SECONDS
    if not origin or now - (attempt.sending_at or attempt.claimed_at) > timedelta(seconds=may_last):
        return []
    try:
        return client.call_status(origin=origin, destination=destination)
    except (Unauthorized, Misconfigured):
        raise
    except Refused:
        # The origin is no number of theirs; the statement needs none.
        return []


def _statement(attempt: CallAttempt, client: DirectcallClient, *, destination: str) -> list[CallRecord]:
    called_at = attempt.sending_at or attempt.claimed_at
    since = called_at - 2 * CLOCK_SKEW
    until = called_at + 2 * CLOCK_SKEW + timedelta(seconds=settings.DIALER_RING_TIMEOUT_SECONDS)
    # By number even when the id is known: of two calls to it, both must be seen.
    page, found = 1, []
    while page <= MOST_PAGES:
        answer = client.statement(since=since, until=until, destination=destination, page=page)
        found += answer.records
        if page >= answer.pages:
            break
        page += 1
    return found


def _taken_over(
    inquiry: CarrierInquiry, attempt: CallAttempt, fitting: list[CallRecord], *, source: str, now: datetime
) -> bool:
    calls = {record.call_id for record in fitting if record.call_id}
    meanings = {record.meaning for record in fitting} - {Meaning.UNKNOWN.value}
    nameless = sum(not record.call_id for record in fitting)
    # Of one call that is on, each leg is told; in the statement every line is a call.
    candidates = len(calls) + (bool(nameless) if source == Source.STATUS else nameless)
    if candidates > 1 or len(meanings) > 1 or (candidates and not calls and _has_rival(attempt)):
        _note(inquiry, state=InquiryState.AMBIGUOUS, candidates=max(candidates, 2))
        return False
    if not meanings:
        is_last = inquiry.asked >= len(WAITS)
        _note(inquiry, candidates=candidates, **({"state": InquiryState.NOT_FOUND} if is_last else {}))
        return False
    record = next(record for record in fitting if record.meaning in meanings)
    _apply(inquiry, attempt.pk, record, source=source, now=now)
    attempt.refresh_from_db(fields=["state", "outcome"])
    settled = _is_settled(attempt)
    _note(inquiry, candidates=1, **({"state": InquiryState.SETTLED} if settled else {}))
    return settled


def _has_rival(attempt: CallAttempt) -> bool:
    """Whether another attempt to the number may be meant by a record without an id."""
    called_at = attempt.sending_at or attempt.claimed_at
    reach = CLOCK_SKEW + timedelta(seconds=settings.DIALER_RING_TIMEOUT_SECONDS)
    rivals = CallAttempt.objects.filter(
        company_id=attempt.company_id,
        phone_e164=attempt.phone_e164,
        claimed_at__range=(called_at - reach, called_at + reach),
    ).exclude(state__in=[S.CLAIMED, S.RELEASED, S.REFUSED])
    return rivals.exclude(pk=attempt.pk).exists()


@transaction.atomic
def _apply(inquiry: CarrierInquiry, attempt_id: int, record: CallRecord, *, source: str, now: datetime) -> None:
    """Store the answer as news of the attempt, once, and apply it."""
    # The call's lock first, as callbacks take them.
    company_id = CallAttempt.objects.values_list("company_id", flat=True).get(pk=attempt_id)
    serialize(f"carrier-call:{company_id}:{record.call_id or record.destination_e164}")
    attempt = moves.locked(attempt_id)
    same = ProviderEvent.objects.filter(attempt=attempt, source=source, meaning=record.meaning)
    if _is_settled(attempt) or same.exists():
        return
    event = ProviderEvent.objects.create(
        account_id=inquiry.account_id,
        company_id=attempt.company_id,
        source=source,
        received_at=now,
        content_type=_FORM,
        # In a callback's form, so that whatever reads those reads this.
        raw=urlencode({"data": record.raw}).encode(),
        carrier_call_id=record.call_id,
        phone_e164=record.destination_e164,
        word=record.status_word,
        meaning=record.meaning,
        started_at=record.started_at,
    )
    reason = MoveReason.ASKED_STATUS if source == Source.STATUS else MoveReason.ASKED_STATEMENT
    apply_news(event, attempt, now=now, reason=reason)


def _note(inquiry: CarrierInquiry, **changes: Any) -> None:
    CarrierInquiry.objects.filter(pk=inquiry.pk).update(**changes)
    for name, value in changes.items():
        setattr(inquiry, name, value)
