"""Whether a number may be called now: what is known of it, gathered for a whole batch, put before the rules."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from callcenter.lib.area_codes import AREA_CODES
from callcenter.lib.database import any_of, as_instant, as_list, as_stored, rows_of
from callcenter.lib.number_digests import number_digests, number_hexes
from callcenter.lib.questions import Question, answer_to
from requests_app.services.evidence import evidence_of
from requests_app.states import Hold
from telephony.models import CallAttempt, CallAuthorization, ContactPreference
from telephony.rule_terms import Ground
from telephony.rulebook import Decision, Facts, Listing, Place, Purpose, decide, place_of
from telephony.services.rule_snapshot import Snapshot, current_snapshot, snapshot_of
from telephony.states import AttemptState
from telephony.weekly_hours import parse_hours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence, Set

    from requests_app.data import DueRequest
    from telephony.models import DialerLine

# Nobody was called by these; every other attempt counts, those in doubt included.
NOT_CALLED: Final = (AttemptState.RELEASED, AttemptState.REFUSED)
_LONGEST_DAY: Final = timedelta(hours=26)


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


class Number(NamedTuple):
    """A number to be judged. `request_id` None = no request stands behind the question."""

    phone_e164: str
    request_id: int | None = None


def verdicts(due: Sequence[DueRequest], *, line: DialerLine, now: datetime) -> dict[int, Verdict]:
    """What the rules say of calling each of these requests on this line now, by request.

    Three queries in the ordinary case, at most six, whatever the number. Call it under the lock of the claim, so that
    two claims can't both take the last call of a number's day.
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
    digests = number_hexes(phones)
    wishing, entries = _marked(digests, company_id=line.company_id)
    wishes = _wishes(wishing, company_id=line.company_id) if wishing else {}
    places = {phone: place_of(phone, elsewhere=elsewhere) for phone in phones}
    for phone, digest in zip(phones, digests, strict=True) if wishes else ():
        if (wish := wishes.get(digest)) is not None:
            places[phone] = _place_wanted(places[phone], wish)
    calls = _calls_today(places, now=now, before=before)
    listings = _listings(snapshot, entries, company_id=line.company_id, on=now.astimezone(elsewhere).date())
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
        number.request_id: UUID(hex=digest)
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
    """What the rules have against a claimed call at the instant of sending it; None = nothing."""
    return refusals_before_sending([attempt], lines={line.pk: line}, now=now).get(attempt.pk)


def refusals_before_sending(
    attempts: Sequence[CallAttempt], *, lines: Mapping[int, DialerLine], now: datetime
) -> dict[int, Verdict]:
    """What the rules have against each of these claimed calls at the instant of sending them, by id.

    One query where no number is on a list or told us something, and none needs evidence; else some for those lines.
    """
    return refusals_of(attempts, known=answer_to(known_of(attempts, now=now)), lines=lines, now=now)


def refusals_of(
    attempts: Sequence[CallAttempt], *, known: Known, lines: Mapping[int, DialerLine], now: datetime
) -> dict[int, Verdict]:
    """As `refusals_before_sending`, of what `known_of` asks, which may know of more attempts than these.

    Of two attempts to one number that were claimed at once, the earlier counts for the later; no two of these have one.
    """
    unusual: dict[int, list[CallAttempt]] = defaultdict(list)
    deciding = {pk: _Deciding(known.snapshot, purpose_of(line), now) for pk, line in lines.items()}
    for attempt in attempts:
        place = place_of(attempt.phone_e164, elsewhere=lines[attempt.line_id].company.zone)
        facts = Facts(
            calls_today=known.calls_on_day(attempt.phone_e164, place, now=now),
            lists_readable=known.snapshot.lists_readable,
        )
        is_plain = known.has_rules and attempt.phone_e164 not in known.spoken_of
        if not is_plain or not deciding[attempt.line_id].verdict(place, facts).is_allowed:
            unusual[attempt.line_id].append(attempt)
    refused: dict[int, Verdict] = {}
    for line_id, asking in unusual.items():
        numbers = [Number(attempt.phone_e164, attempt.call_request_id) for attempt in asking]
        before = {attempt.phone_e164: attempt.pk for attempt in asking}
        found = judged(numbers, line=lines[line_id], now=now, before=before)
        refused |= {one.pk: verdict for one, verdict in zip(asking, found, strict=True) if not verdict.is_allowed}
    return refused


def purpose_of(line: DialerLine) -> Purpose:
    """What the line calls for."""
    return Purpose(line.company_id, line.calls_for, line.sector, line.exemption)


class _Deciding:
    """One batch's verdicts: that of numbers of which the same is known is made once, record and all."""

    def __init__(self, snapshot: Snapshot, purpose: Purpose, now: datetime) -> None:
        self.snapshot, self.purpose, self.now = snapshot, purpose, now
        self._made: dict[tuple[Place, Facts], Verdict] = {}
        # By the objects themselves, which most numbers share, as their values take longer to hash.
        self._same: dict[tuple[int, int], tuple[Place, Facts, Verdict]] = {}

    def verdict(self, place: Place, facts: Facts) -> Verdict:
        """The verdict on a number there of which this is known."""
        if (same := self._same.get((id(place), id(facts)))) is not None:
            return same[2]
        verdict = self._of(place, facts)
        # Kept with their verdict, so that no other object gets their ids.
        self._same[id(place), id(facts)] = (place, facts, verdict)
        return verdict

    def _of(self, place: Place, facts: Facts) -> Verdict:
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


class _Entry(NamedTuple):
    """That a number is on a list, as it is stored."""

    digest: str
    list_id: int
    listed_on: date
    added_at: datetime


def _marked(digests: Sequence[str], *, company_id: int) -> tuple[list[str], list[_Entry]]:
    """Those of the numbers of which the company knows a wish, and the entries of those on any list. One query."""
    these = as_list(digests)
    rows = rows_of(
        "SELECT number_digest, list_id, listed_on, added_at FROM telephony_donotcallentry"
        f" WHERE {any_of('number_digest', 'uuid')}"
        " UNION ALL SELECT number_digest, NULL, NULL, NULL FROM telephony_contactpreference"
        f" WHERE {any_of('number_digest', 'uuid')} AND company_id = %s",
        [these, these, company_id],
    )
    wishing, entries = [], []
    for row in rows:
        digest, listed_on, added_at = row["number_digest"], row["listed_on"], as_instant(row["added_at"])
        digest = digest if isinstance(digest, str) else digest.hex
        if added_at is None:
            wishing.append(digest)
        else:
            # SQLite has no such type either.
            listed_on = date.fromisoformat(listed_on) if isinstance(listed_on, str) else listed_on
            entries.append(_Entry(digest, row["list_id"], listed_on, added_at))
    return wishing, entries


def _wishes(digests: Collection[str], *, company_id: int) -> dict[str, ContactPreference]:
    """What the persons of these numbers wish of the company. One query."""
    rows = ContactPreference.objects.filter(number_digest__any_of=digests, company_id=company_id)
    return {row.number_digest.hex: row for row in rows}


def _place_wanted(place: Place, wish: ContactPreference) -> Place:
    """Where the person is by what they said; what they left open stays as their number's area code says."""
    if wish.state and wish.state != place.state:
        zone = next(area.zone for area in AREA_CODES.values() if area.state == wish.state)
        place = replace(place, zone=ZoneInfo(zone), state=wish.state)
    if wish.city:
        place = replace(place, city=wish.city)
    return replace(place, zone=ZoneInfo(wish.time_zone)) if wish.time_zone else place


def _calls_today(places: Mapping[str, Place], *, now: datetime, before: Mapping[str, int] | None) -> Counter[str]:
    """How often each number was or may have been called on its own present day, by whomever of us. One query."""
    calls = rows_of(
        "SELECT id, phone_e164, send_at, sending_at FROM telephony_callattempt"
        f" WHERE {any_of('phone_e164', 'varchar')} AND send_at >= %s AND NOT {any_of('state', 'varchar')}",
        [as_list(places), as_stored(now - _LONGEST_DAY), as_list(state.value for state in NOT_CALLED)],
    )
    today = {place.zone: now.astimezone(place.zone).date() for place in places.values()} if calls else {}
    found: Counter[str] = Counter()
    for call in calls:
        pk, phone, zone = call["id"], call["phone_e164"], places[call["phone_e164"]].zone
        if before is None or pk < before[phone] or (pk > before[phone] and call["sending_at"] is not None):
            send_at = as_instant(call["send_at"])
            found[phone] += send_at is not None and send_at.astimezone(zone).date() == today[zone]
    return +found


def _listings(snapshot: Snapshot, entries: Iterable[_Entry], *, company_id: int, on: date) -> dict[str, list[Listing]]:
    """On which lists that concern the company each of these numbers is. One query where any is."""
    concerned = {pk for pk, one in snapshot.lists.items() if one.company_id in {None, company_id}}
    found: dict[str, list[Listing]] = defaultdict(list)
    entries = [entry for entry in entries if entry.list_id in concerned]
    allowed = _authorised({entry.digest for entry in entries}, company_id=company_id, on=on) if entries else {}
    for entry in entries:
        kind = snapshot.lists[entry.list_id].kind
        is_authorised = bool(allowed.get(entry.digest, set()) & {kind, ""})
        found[entry.digest].append(Listing(kind, entry.listed_on, entry.added_at, is_authorised))
    return found


def _authorised(digests: Collection[str], *, company_id: int, on: date) -> dict[str, set[str]]:
    rows = CallAuthorization.objects.filter(
        Q(valid_to=None) | Q(valid_to__gte=on),
        number_digest__any_of=digests,
        company_id=company_id,
        given_on__lte=on,
    )
    found: dict[str, set[str]] = defaultdict(set)
    for digest, kind in rows.values_list("number_digest", "list_kind"):
        found[digest.hex].add(kind)
    return found


@dataclass(frozen=True)
class Known:
    """What `known_of` finds: the rules, when each number was called lately, and who is listed or told us something."""

    snapshot: Snapshot
    has_rules: bool
    called_at: Mapping[str, Sequence[datetime]]
    spoken_of: Set[str]

    def calls_on_day(self, phone_e164: str, place: Place, *, now: datetime) -> int:
        """How often the number was or may have been called on its own present day."""
        instants = self.called_at.get(phone_e164, ())
        today = now.astimezone(place.zone).date() if instants else None
        return sum(at.astimezone(place.zone).date() == today for at in instants)


def known_of(attempts: Sequence[CallAttempt], *, now: datetime) -> Question[Known]:
    """What is known of the numbers of these attempts, each with its own, apart from the attempts themselves.

    By hand, because it is asked before every call.
    """
    by_phone = {attempt.phone_e164: attempt for attempt in attempts}
    digests = number_digests(by_phone)
    phones = dict(zip(digests, by_phone, strict=True))
    states, listed = [state.value for state in NOT_CALLED], as_list(digests)

    def read(rows: list[dict[str, Any]]) -> Known:
        token: str | None = None
        spoken_of: set[str] = set()
        called_at: dict[str, list[Any]] = defaultdict(list)
        for row in rows:
            if row["what"] == "rules":
                token = row["value"]
            elif row["what"] != "call":
                spoken_of.add(phones[UUID(row["value"])])
            elif row["id"] < by_phone[row["value"]].pk or row["sending_at"] is not None:
                called_at[row["value"]].append(as_instant(row["send_at"]))
        return Known(snapshot_of(token), token is not None, called_at, spoken_of)

    return Question(
        "SELECT 'call' AS what, a.phone_e164 AS value, a.id, a.send_at, a.sending_at FROM telephony_callattempt a"
        f" WHERE {any_of('a.phone_e164', 'varchar')} AND a.send_at >= %s AND NOT {any_of('a.state', 'varchar')}"
        f" AND NOT {any_of('a.id')}"
        " UNION ALL SELECT 'rules', CAST(s.token AS text), NULL, NULL, NULL FROM telephony_rulebookstamp s"
        " UNION ALL SELECT 'listed', CAST(e.number_digest AS text), NULL, NULL, NULL FROM telephony_donotcallentry e"
        f" WHERE {any_of('e.number_digest', 'uuid')}"
        " UNION ALL SELECT 'wish', CAST(p.number_digest AS text), NULL, NULL, NULL FROM telephony_contactpreference p"
        f" WHERE {any_of('p.number_digest', 'uuid')}",
        [
            *(as_list(by_phone), as_stored(now - _LONGEST_DAY), as_list(states)),
            *(as_list(attempt.pk for attempt in attempts), listed, listed),
        ],
        read,
    )


def _hold_of(decision: Decision) -> Hold:
    if decision.is_allowed:
        return Hold.NONE
    grounds = {one.ground for one in decision.blocking}
    if Ground.LISTED in grounds:
        return Hold.DO_NOT_CALL
    if decision.next_at is None:
        return Hold.RULES
    return Hold.DAILY_CAP if Ground.CAP in grounds else Hold.CALLING_HOURS
