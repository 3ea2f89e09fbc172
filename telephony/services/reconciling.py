"""The daily comparison of the carrier's statement with our attempts; what differs becomes rows for people.

Nothing is changed by it: an outcome is corrected by news and by asking, never by a comparison.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from callcenter.lib.errors import Conflict, DomainError
from callcenter.lib.phones import masked
from requests_app.states import Outcome
from telephony.models import CallAttempt, CarrierDifference, DirectcallAccount, Reconciliation
from telephony.providers.base import ProviderError
from telephony.providers.directcall.values import VENDOR_ZONE
from telephony.services.asking import is_in_time
from telephony.services.carrier import client_of
from telephony.services.events import CLOCK_SKEW
from telephony.states import AttemptState, Meaning, project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callcenter.accounts.models import User
    from telephony.providers.directcall.records import CallRecord

log = logging.getLogger(__name__)

S = AttemptState
Kind = CarrierDifference.Kind

# The statement of a day is complete by this hour of the next.
FROM_HOUR: Final = 4
# Days that were missed (the carrier was away, the product off) are made up for.
LOOK_BACK_DAYS: Final = 7
# A comparison that began and did not end within this was left by a process that died.
LEASE: Final = timedelta(minutes=30)
MOST_PAGES: Final = 10_000
# By who heard the machine: the PABX listens to the voice, the carrier only to the signalling.
_HEARD_BY_THE_PABX: Final = frozenset({Outcome.MACHINE.value, Outcome.FAX.value})
# What the carrier was never told of, or of which nobody claims to know what it was.
_NOT_EXPECTED: Final = frozenset({Outcome.NO_NEWS.value, Outcome.NOT_PLACED.value, ""})


@dataclass
class _Day:
    """One account's day while it is compared: our attempts by number, and which calls each was found to be."""

    reconciliation: Reconciliation
    since: datetime
    until: datetime
    by_call_id: dict[str, CallAttempt] = field(default_factory=dict)
    by_phone: defaultdict[str, list[CallAttempt]] = field(default_factory=lambda: defaultdict(list))
    found: dict[int, str] = field(default_factory=dict)
    calls: int = 0

    @property
    def reach(self) -> timedelta:
        """How far beyond the day's ends a call may lie whose other half is inside."""
        return CLOCK_SKEW + timedelta(seconds=settings.DIALER_RING_TIMEOUT_SECONDS)


def reconcile_due(*, now: datetime) -> dict[str, int]:
    """How many days were compared, and how many could not be. Safe to repeat and to run at once."""
    done = {"compared": 0, "failed": 0}
    local = now.astimezone(VENDOR_ZONE)
    last = local.date() - timedelta(days=1 if local.hour >= FROM_HOUR else 2)
    accounts = DirectcallAccount.objects.filter(is_enabled=True).exclude(client_id="")
    # A secret that can't be decrypted must stop its own account alone.
    for account in accounts.defer(*DirectcallAccount.SECRET_FIELDS):
        finished = set(
            Reconciliation.objects.filter(account=account, finished_at__isnull=False, day__gt=_first(last)).values_list(
                "day", flat=True
            )
        )
        for day in (_first(last) + timedelta(days=number + 1) for number in range(LOOK_BACK_DAYS)):
            if day in finished or not _has_attempts(account, day):
                continue
            try:
                reconcile_day(account, day, now=now)
                done["compared"] += 1
            except DomainError as error:
                log.warning("account %s, %s: not compared (%s)", account.pk, day, error.code)
                done["failed"] += 1
                break
    return done


def reconcile_day(account: DirectcallAccount, day: date, *, now: datetime) -> Reconciliation:
    """The comparison of that day (in the carrier's zone), finished.

    Errors: `ProviderError`, noted in the row, which is taken up again; `Conflict` while another process is at it.
    *Safe to repeat?* It finds the same differences, and tells each once.
    """
    reconciliation = _begun(account, day, now=now)
    since = datetime.combine(day, time(), VENDOR_ZONE)
    found = _Day(reconciliation, since=since, until=since + timedelta(days=1))
    _read_attempts(found, account.company_id)
    try:
        for record in _records(account, found):
            _compare(found, record, now=now)
    except ProviderError as error:
        Reconciliation.objects.filter(pk=reconciliation.pk).update(problem=error.code)
        raise
    _tell_missing(found, now=now)
    reconciliation.finished_at, reconciliation.calls, reconciliation.problem = timezone.now(), found.calls, ""
    reconciliation.attempts = sum(_is_of_day(found, attempt) for attempt in _all(found))
    reconciliation.save(update_fields=["finished_at", "calls", "attempts", "problem"])
    return reconciliation


def mark_seen(difference: CarrierDifference, *, actor: User, now: datetime) -> None:
    """Nothing; a person has looked at it. Errors: `Conflict` when somebody had already."""
    unseen = CarrierDifference.objects.filter(pk=difference.pk, seen_at=None)
    if not unseen.update(seen_at=now, seen_by=actor):
        raise Conflict("It has been seen already.")


def _first(last: date) -> date:
    return last - timedelta(days=LOOK_BACK_DAYS)


def _has_attempts(account: DirectcallAccount, day: date) -> bool:
    """Whether anything was dialed; a day on which the product did nothing is nobody's business."""
    since = datetime.combine(day, time(), VENDOR_ZONE)
    of_day = CallAttempt.objects.filter(claimed_at__gte=since, claimed_at__lt=since + timedelta(days=1))
    return of_day.filter(company_id=account.company_id).exists()


def _begun(account: DirectcallAccount, day: date, *, now: datetime) -> Reconciliation:
    reconciliation, is_new = Reconciliation.objects.get_or_create(
        account=account, day=day, defaults={"started_at": now}
    )
    free = Q(problem__gt="") | Q(finished_at__isnull=False) | Q(started_at__lt=now - LEASE)
    row = Reconciliation.objects.filter(free, pk=reconciliation.pk)
    if not is_new and not row.update(started_at=now, finished_at=None, problem=""):
        raise Conflict("Another process is comparing this day.")
    return reconciliation


def _read_attempts(day: _Day, company_id: int) -> None:
    sent = CallAttempt.objects.filter(
        company_id=company_id, claimed_at__gte=day.since - 2 * day.reach, claimed_at__lt=day.until + day.reach
    ).exclude(state__in=[S.CLAIMED, S.RELEASED, S.REFUSED])
    fields = (
        "phone_e164",
        "carrier_call_id",
        "sending_at",
        "claimed_at",
        "state",
        "outcome",
        "placed_at",
        "company_id",
    )
    for attempt in sent.only(*fields).order_by("pk").iterator():
        day.by_phone[attempt.phone_e164].append(attempt)
        if attempt.carrier_call_id:
            day.by_call_id[attempt.carrier_call_id] = attempt


def _records(account: DirectcallAccount, day: _Day) -> Iterator[CallRecord]:
    client = client_of(account)
    for page in range(1, MOST_PAGES + 1):
        answer = client.statement(since=day.since - day.reach, until=day.until + day.reach, page=page)
        yield from answer.records
        if page >= answer.pages:
            return


def _compare(day: _Day, record: CallRecord, *, now: datetime) -> None:
    at = record.started_at
    is_of_day = at is None or day.since <= at < day.until
    day.calls += is_of_day
    attempt = _attempt_of(day, record)
    if attempt is None:
        if is_of_day:
            _tell(day, Kind.UNKNOWN, record, None, now=now)
        return
    key = _key(record)
    own = attempt.carrier_call_id or day.found.setdefault(attempt.pk, key)
    if key != own:
        if is_of_day:
            _tell(day, Kind.DOUBLED, record, attempt, now=now)
        return
    day.found[attempt.pk] = key
    if is_of_day and _differs(attempt, record):
        _tell(day, Kind.OUTCOME, record, attempt, now=now)


def _key(record: CallRecord) -> str:
    """The call's id; for one without, what tells it from the others of the day."""
    at = f"{record.started_at.astimezone(VENDOR_ZONE):%H:%M:%S}" if record.started_at else ""
    return record.call_id or f"({at} {masked(record.destination_e164)})"


def _attempt_of(day: _Day, record: CallRecord) -> CallAttempt | None:
    """The attempt whose id it is; else one to its number at its time, one that is no other call's first."""
    known = day.by_call_id.get(record.call_id)
    if known is not None or record.started_at is None:
        return known
    near = [each for each in day.by_phone.get(record.destination_e164, ()) if is_in_time(each, record.started_at)]
    free = [each for each in near if not each.carrier_call_id and each.pk not in day.found]
    return next(iter(free or near), None)


def _differs(attempt: CallAttempt, record: CallRecord) -> bool:
    if attempt.state != S.ENDED or attempt.outcome in _NOT_EXPECTED:
        return False
    told = project([record.meaning, Meaning.HANGUP]) if record.meaning != Meaning.UNKNOWN else None
    if told is None or told.outcome == attempt.outcome:
        return False
    return not (told.outcome == Outcome.ANSWERED and attempt.outcome in _HEARD_BY_THE_PABX)


def _tell_missing(day: _Day, *, now: datetime) -> None:
    for attempt in _all(day):
        is_expected = attempt.state == S.ENDED and attempt.outcome not in _NOT_EXPECTED
        if attempt.pk not in day.found and is_expected and _is_of_day(day, attempt):
            _tell(day, Kind.MISSING, None, attempt, now=now)


def _all(day: _Day) -> Iterator[CallAttempt]:
    return (attempt for attempts in day.by_phone.values() for attempt in attempts)


def _is_of_day(day: _Day, attempt: CallAttempt) -> bool:
    return day.since <= (attempt.sending_at or attempt.claimed_at) < day.until


def _tell(
    day: _Day, kind: CarrierDifference.Kind, record: CallRecord | None, attempt: CallAttempt | None, *, now: datetime
) -> None:
    difference = CarrierDifference(
        reconciliation=day.reconciliation,
        company_id=day.reconciliation.account.company_id,
        kind=kind,
        call_id=_key(record) if record else "",
        attempt=attempt,
        phone_e164=(record.destination_e164 if record else "") or (attempt.phone_e164 if attempt else ""),
        called_at=(record.started_at if record else None) or (attempt.sending_at if attempt else None),
        carrier_says=record.status_word if record else "",
        we_say=(attempt.outcome or attempt.state) if attempt else "",
        found_at=now,
    )
    CarrierDifference.objects.bulk_create([difference], ignore_conflicts=True)
