"""Whether a number may be called now: what is known of it, gathered for a whole batch, put before the rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Q

from callcenter.lib.area_codes import AREA_CODES
from callcenter.lib.database import as_stored, is_postgresql, rows_of
from callcenter.lib.number_digests import number_digest, number_digests
from requests_app.services.evidence import evidence_of
from requests_app.states import Hold
from telephony.models import CallAttempt, CallAuthorization, ContactPreference, DoNotCallEntry
from telephony.rule_terms import Ground
from telephony.rulebook import Decision, Facts, Listing, Place, Purpose, decide, place_of
from telephony.services.rule_snapshot import Snapshot, current_snapshot, snapshot_of
from telephony.states import AttemptState
from telephony.weekly_hours import parse_hours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from uuid import UUID

    from requests_app.data import DueRequest
    from telephony.models import DialerLine

# Nobody was called by these; every other attempt counts, those in doubt included.
NOT_CALLED: Final = (AttemptState.RELEASED, AttemptState.REFUSED)
_LONGEST_DAY: Final = timedelta(hours=26)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Verdict:
    """What the rules say of one call; `record` is kept with its attempt. Calls of which the same is known share one."""

    decision: Decision
    record: dict[str, Any]

    @property
    def is_allowed(self) -> bool:
        """Whether the call may be made now."""
        return self.decision.is_allowed

    @property
    def next_at(self) -> datetime | None:
        """When it may be made; None = a person must change something first."""
        return self.decision.next_at

    @property
    def hold(self) -> Hold:
        """Why its request waits."""
        return _hold_of(self.decision)


@dataclass(frozen=True)
class Number:
    """A number to be judged. `request_id` None = no request stands behind the question."""

    phone_e164: str
    request_id: int | None = None


def verdicts(due: Sequence[DueRequest], *, line: DialerLine, now: datetime) -> dict[int, Verdict]:
    """What the rules say of calling each of these requests on this line now, by request.

    At most seven queries, whatever the number; call it under the lock of the claim, so that two claims can't both
    take the last call of a number's day.
    """
    numbers = {request.id: Number(request.phone_e164, request.id) for request in due}
    return dict(zip(numbers, judged(list(numbers.values()), line=line, now=now), strict=True))


def judged(
    numbers: Sequence[Number], *, line: DialerLine, now: datetime, before: Mapping[str, int] | None = None
) -> list[Verdict]:
    """What the rules say of calling each of these numbers on this line now, in their order.

    `before` = by number, the attempt that asks for itself: of the calls of the day, those that come before it count.
    """
    snapshot, elsewhere = current_snapshot(), line.company.zone
    phones = [number.phone_e164 for number in numbers]
    digests = number_digests(phones)
    wishes = _wishes(digests, company_id=line.company_id)
    places = {
        phone: _place(phone, wishes.get(digest), elsewhere=elsewhere)
        for phone, digest in zip(phones, digests, strict=True)
    }
    calls = _calls_today(places, now=now, before=before)
    listings = _listings(snapshot, digests, company_id=line.company_id, on=now.date())
    # Of nearly every number nothing is known.
    nothing = Facts(lists_readable=snapshot.lists_readable)
    facts = [
        _facts(
            wishes.get(digest),
            calls_today=calls[phone],
            listings=tuple(listings.get(digest, ())),
            lists_readable=snapshot.lists_readable,
        )
        if phone in calls or digest in listings or digest in wishes
        else nothing
        for phone, digest in zip(phones, digests, strict=True)
    ]
    deciding = _Deciding(snapshot, purpose_of(line), now)
    found = [deciding.verdict(places[phone], fact) for phone, fact in zip(phones, facts, strict=True)]
    asking = {
        number.request_id: digest
        for number, digest, verdict in zip(numbers, digests, found, strict=True)
        if verdict.decision.objections and number.request_id is not None
    }
    if asking:
        evidence = evidence_of(asking)
        for nth, number in enumerate(numbers):
            if asked := evidence.get(number.request_id or 0):
                fact = replace(facts[nth], asked_at=asked.asked_at)
                found[nth] = deciding.verdict(places[number.phone_e164], fact)
    return found


def refusal_before_sending(attempt: CallAttempt, *, line: DialerLine, now: datetime) -> Verdict | None:
    """What the rules have against a claimed call at the instant of sending it; None = nothing.

    One query for a number that is on no list, told us nothing and needs no evidence. Of two attempts to one number that
    were claimed at once, the earlier counts for the later.
    """
    place = place_of(attempt.phone_e164, elsewhere=line.company.zone)
    digest = number_digest(attempt.phone_e164)
    state = _state_of_number(attempt, digest, place, company_id=line.company_id, now=now)
    if state is not None and not state["is_listed"] and not state["has_wishes"]:
        snapshot = snapshot_of(state["token"])
        facts = Facts(calls_today=state["calls"], lists_readable=snapshot.lists_readable)
        if decide(snapshot.book, purpose=purpose_of(line), place=place, facts=facts, now=now).is_allowed:
            return None
    number = Number(attempt.phone_e164, attempt.call_request_id)
    (verdict,) = judged([number], line=line, now=now, before={attempt.phone_e164: attempt.pk})
    return None if verdict.is_allowed else verdict


def refused_before_sending(
    attempts: Sequence[CallAttempt], *, lines: Mapping[int, DialerLine], now: datetime
) -> set[int]:
    """Ids of those of these claimed calls that the rules are against at the instant of sending them.

    As `refusal_before_sending`, for many together: at most seven queries a line. No two of them have one number.
    """
    if len(attempts) == 1:
        (attempt,) = attempts
        refusal = refusal_before_sending(attempt, line=lines[attempt.line_id], now=now)
        return set() if refusal is None else {attempt.pk}
    refused: set[int] = set()
    by_line: dict[int, list[CallAttempt]] = defaultdict(list)
    for attempt in attempts:
        by_line[attempt.line_id].append(attempt)
    for line_id, asking in by_line.items():
        numbers = [Number(attempt.phone_e164, attempt.call_request_id) for attempt in asking]
        before = {attempt.phone_e164: attempt.pk for attempt in asking}
        found = judged(numbers, line=lines[line_id], now=now, before=before)
        refused |= {attempt.pk for attempt, verdict in zip(asking, found, strict=True) if not verdict.is_allowed}
    return refused


def purpose_of(line: DialerLine) -> Purpose:
    """What the line calls for."""
    return Purpose(line.company_id, line.activity, line.sector, line.exemption)


class _Deciding:
    """One batch's verdicts: that of numbers of which the same is known is made once, record and all."""

    def __init__(self, snapshot: Snapshot, purpose: Purpose, now: datetime) -> None:
        self.snapshot, self.purpose, self.now = snapshot, purpose, now
        self._made: dict[tuple[Place, Facts], Verdict] = {}

    def verdict(self, place: Place, facts: Facts) -> Verdict:
        """The verdict on a number there of which this is known."""
        key = (place, facts)
        if (known := self._made.get(key)) is None:
            decision = decide(self.snapshot.book, purpose=self.purpose, place=place, facts=facts, now=self.now)
            known = Verdict(decision, decision.as_json(purpose=self.purpose, place=place, facts=facts))
            self._made[key] = known
        return known


def _facts(wish: ContactPreference | None, **known: Any) -> Facts:
    if wish is None:
        return Facts(**known)
    return Facts(wanted_hours=parse_hours(wish.hours), wanted_cap=wish.daily_cap, **known)


def _wishes(digests: Collection[UUID], *, company_id: int) -> dict[UUID, ContactPreference]:
    rows = ContactPreference.objects.filter(number_digest__any_of=digests, company_id=company_id)
    return {row.number_digest: row for row in rows}


def _place(phone_e164: str, wish: ContactPreference | None, *, elsewhere: ZoneInfo) -> Place:
    """Where the person is: by what they said, else by the number's area code."""
    place = place_of(phone_e164, elsewhere=elsewhere)
    if wish is None:
        return place
    if wish.state and wish.state != place.state:
        zone = next(area.zone for area in AREA_CODES.values() if area.state == wish.state)
        place = Place(zone=ZoneInfo(zone), state=wish.state)
    if wish.city:
        place = replace(place, city=wish.city)
    return replace(place, zone=ZoneInfo(wish.time_zone)) if wish.time_zone else place


def _calls_today(places: Mapping[str, Place], *, now: datetime, before: Mapping[str, int] | None) -> Counter[str]:
    """How often each number was or may have been called on its own present day, by whomever of us. One query."""
    calls = CallAttempt.objects.filter(phone_e164__any_of=places, send_at__gte=now - _LONGEST_DAY)
    calls = calls.exclude(state__in=NOT_CALLED)
    today = {place.zone: now.astimezone(place.zone).date() for place in places.values()}
    return Counter(
        phone
        for pk, phone, send_at, sending_at in calls.values_list("pk", "phone_e164", "send_at", "sending_at")
        if (before is None or pk < before[phone] or (pk > before[phone] and sending_at is not None))
        and send_at.astimezone(places[phone].zone).date() == today[places[phone].zone]
    )


def _listings(snapshot: Snapshot, digests: Collection[UUID], *, company_id: int, on: Any) -> dict[UUID, list[Listing]]:
    """On which lists that concern the company each number is. One query; another where any is."""
    concerned = {pk for pk, one in snapshot.lists.items() if one.company_id in {None, company_id}}
    found: dict[UUID, list[Listing]] = defaultdict(list)
    if not concerned:
        return found
    rows = DoNotCallEntry.objects.filter(number_digest__any_of=digests).values_list(
        "number_digest", "list_id", "listed_on", "added_at"
    )
    entries = [row for row in rows if row[1] in concerned]
    allowed = _authorised([row[0] for row in entries], company_id=company_id, on=on) if entries else {}
    for digest, list_id, listed_on, added_at in entries:
        kind = snapshot.lists[list_id].kind
        is_authorised = bool(allowed.get(digest, set()) & {kind, ""})
        found[digest].append(Listing(kind, listed_on, added_at, is_authorised))
    return found


def _authorised(digests: Iterable[UUID], *, company_id: int, on: Any) -> dict[UUID, set[str]]:
    rows = CallAuthorization.objects.filter(
        Q(valid_to=None) | Q(valid_to__gte=on), number_digest__in=list(digests), company_id=company_id, given_on__lte=on
    )
    found: dict[UUID, set[str]] = defaultdict(set)
    for digest, kind in rows.values_list("number_digest", "list_kind"):
        found[digest].add(kind)
    return found


def _state_of_number(
    attempt: CallAttempt, digest: UUID, place: Place, *, company_id: int, now: datetime
) -> dict[str, Any] | None:
    """The rules' token, the day's calls before this one, and whether more must be asked; None without rules.

    By hand, because it is asked before every call.
    """
    day = datetime.combine(now.astimezone(place.zone).date(), time(), place.zone)
    number: Any = digest if is_postgresql() else digest.hex
    found = rows_of(
        "SELECT s.token,"
        " (SELECT count(*) FROM telephony_callattempt a WHERE a.phone_e164 = %s AND a.send_at >= %s AND a.send_at < %s"
        "  AND a.state NOT IN (%s, %s) AND a.id <> %s AND (a.id < %s OR a.sending_at IS NOT NULL)) AS calls,"
        " EXISTS (SELECT 1 FROM telephony_donotcallentry e WHERE e.number_digest = %s) AS is_listed,"
        " EXISTS (SELECT 1 FROM telephony_contactpreference p"
        "  WHERE p.number_digest = %s AND p.company_id = %s) AS has_wishes"
        " FROM telephony_rulebookstamp s LIMIT 1",
        [
            attempt.phone_e164,
            as_stored(day.astimezone(UTC)),
            as_stored((day + _DAY).astimezone(UTC)),
            *map(str, NOT_CALLED),
            attempt.pk,
            attempt.pk,
            number,
            number,
            company_id,
        ],
    )
    return found[0] if found else None


def _hold_of(decision: Decision) -> Hold:
    if decision.is_allowed:
        return Hold.NONE
    grounds = {one.ground for one in decision.blocking}
    if Ground.LISTED in grounds:
        return Hold.DO_NOT_CALL
    if decision.next_at is None:
        return Hold.RULES
    return Hold.DAILY_CAP if Ground.CAP in grounds else Hold.CALLING_HOURS
