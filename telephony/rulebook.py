"""Who may be called, and when: the decision as a pure function over dated rules, facts of a number and a clock.

Every rule in force must agree, so the strictest of federal, state, city, contract, company and the person's own wish
holds. A requested callback whose evidence is known lifts only the rules that say so of themselves. Knows no database.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import holidays

from callcenter.lib.area_codes import AREA_CODES, AreaCode, area_code_of
from telephony.rule_terms import (
    INTERNAL_LISTS,
    Activity,
    Effect,
    Exemption,
    Ground,
    Holidays,
    Level,
    Sector,
)
from telephony.weekly_hours import ALL_DAY, Block, WeeklyHours, shared

if TYPE_CHECKING:
    from collections.abc import Iterable

# How far ahead the next allowed instant is looked for: a rule that closes for longer needs a person.
HORIZON_DAYS: Final = 60
_DAY: Final = timedelta(days=1)
_MEMO_SIZE: Final = 5000


@dataclass(frozen=True)
class Rule:
    """One dated rule. Empty `activities`, `sectors` = all; `exemptions` = the kinds of call that it leaves out.

    `hours` None = at any hour. `daily_cap` None = any number of calls. `list_kind` empty = it is about no list;
    `delay_days` after the listing it takes effect, and after `lasts_days` it ends (None = never).
    `area_codes` = the area codes in which a city lies, for numbers whose city is not known.
    """

    id: int
    revision: int = 1
    level: str = Level.FEDERAL
    company_id: int | None = None
    state: str = ""
    city: str = ""
    area_codes: frozenset[str] = frozenset()
    activities: frozenset[str] = frozenset()
    sectors: frozenset[str] = frozenset()
    exemptions: frozenset[str] = frozenset()
    hours: WeeklyHours | None = None
    holidays: str = Holidays.AS_USUAL
    daily_cap: int | None = None
    list_kind: str = ""
    delay_days: int = 0
    lasts_days: int | None = None
    is_liftable: bool = False
    blocks: bool = True
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class OwnHoliday:
    """A holiday that the law's tables don't have, or (`is_working_day`) one of theirs that is none here."""

    on: date
    state: str = ""
    city: str = ""
    is_working_day: bool = False


@dataclass(frozen=True)
class Place:
    """Where the called person is taken to be. Empty `state` = a number that belongs to no place.

    `area_code` = the number's own, which may lie elsewhere.
    """

    zone: ZoneInfo
    state: str = ""
    city: str = ""
    area_code: str = ""


@dataclass(frozen=True)
class Purpose:
    """On whose behalf and what for one calls."""

    company_id: int
    activity: str = Activity.REQUESTED_CALLBACK
    sector: str = Sector.OTHER
    exemption: str = Exemption.NONE


@dataclass(frozen=True)
class Listing:
    """That the number is on a list: since which day by the list's own word, and since when we know."""

    kind: str
    listed_on: date
    added_at: datetime
    is_authorised: bool = False


@dataclass(frozen=True)
class Facts:
    """What is known of one number. `asked_at` None = there is no evidence that the person asked to be called."""

    calls_today: int = 0
    listings: tuple[Listing, ...] = ()
    asked_at: datetime | None = None
    wanted_hours: WeeklyHours | None = None
    wanted_cap: int | None = None
    lists_readable: bool = True


@dataclass(frozen=True)
class Objection:
    """What one rule has against the call; `rule_id` 0 = the person's own wish, or ours where no rule is needed."""

    rule_id: int
    revision: int
    ground: str
    effect: str


@dataclass(frozen=True)
class Decision:
    """Whether the call may be made; every objection, those lifted included; the rules that were asked.

    `next_at` = when it may be made, now included; None = not before a person changes something.
    """

    is_allowed: bool
    objections: tuple[Objection, ...]
    rule_ids: tuple[int, ...]
    next_at: datetime | None

    @property
    def blocking(self) -> tuple[Objection, ...]:
        """The objections that stand in the way."""
        return tuple(one for one in self.objections if one.effect == Effect.BLOCKS)

    def as_json(self, *, purpose: Purpose, place: Place, facts: Facts) -> dict[str, Any]:
        """The decision as it is kept with an attempt: codes and ids, no number."""
        return {
            "allowed": self.is_allowed,
            "activity": purpose.activity,
            "state": place.state,
            "zone": place.zone.key,
            "calls_today": facts.calls_today,
            "asked_at": facts.asked_at.isoformat() if facts.asked_at else None,
            "rules": list(self.rule_ids),
            "objections": [[one.rule_id, one.revision, one.ground, one.effect] for one in self.objections],
        }


def place_of(phone_e164: str, *, elsewhere: ZoneInfo) -> Place:
    """Where a number was given out; `elsewhere` is the clock of one that belongs to no place."""
    area = area_code_of(phone_e164)
    return Place(zone=elsewhere) if area is None else _place_of_area(area)


@cache
def _place_of_area(area: AreaCode) -> Place:
    return Place(zone=ZoneInfo(area.zone), state=area.state, area_code=area.code)


@dataclass
class RuleBook:
    """The rules and our own holidays as they were read at one moment; remembers which rules meet which calls."""

    rules: tuple[Rule, ...]
    own_holidays: tuple[OwnHoliday, ...] = ()
    _memo: dict[Any, tuple[Rule, ...]] = field(default_factory=dict, repr=False)

    def in_force(self, purpose: Purpose, place: Place, *, on: date) -> tuple[Rule, ...]:
        """The rules that have a say in such a call on that day, in the order of their ids."""
        key = (purpose, place, on)
        if (known := self._memo.get(key)) is not None:
            return known
        if len(self._memo) >= _MEMO_SIZE:
            self._memo.clear()
        found = tuple(rule for rule in self.rules if _applies(rule, purpose, place, on))
        self._memo[key] = found
        return found

    def is_holiday(self, on: date, place: Place) -> bool:
        """Whether the day is a holiday there: national, of the state, or one of ours."""
        own = [one for one in self.own_holidays if one.on == on and _is_there(one.state, one.city, place)]
        if own:
            return not all(one.is_working_day for one in own)
        return on in legal_holidays(place.state, on.year)


def decide(book: RuleBook, *, purpose: Purpose, place: Place, facts: Facts, now: datetime) -> Decision:
    """Whether the call may be made at this instant, every objection, and the next instant at which it may.

    A day is the called person's. The next instant takes into account hours, holidays, the day's cap and the rules'
    own dates; it is looked for up to `HORIZON_DAYS` ahead.
    """
    local = now.astimezone(place.zone)
    rules = book.in_force(purpose, place, on=local.date())
    objections = tuple(_objections(book, rules, place=place, facts=facts, local=local))
    if not facts.lists_readable:
        objections = (*objections, Objection(0, 0, Ground.LISTS_UNREADABLE, Effect.BLOCKS))
    grounds = {one.ground for one in objections if one.effect == Effect.BLOCKS}
    ids = tuple(rule.id for rule in rules)
    if not grounds:
        return Decision(True, objections, ids, now)
    if grounds & {Ground.LISTED, Ground.LISTS_UNREADABLE}:
        return Decision(False, objections, ids, None)
    earliest = _midnight_after(local) if Ground.CAP in grounds else local
    return Decision(False, objections, ids, _next_instant(book, purpose, place, facts=facts, at=earliest))


@lru_cache(maxsize=512)
def legal_holidays(state: str, year: int) -> frozenset[date]:
    """The national holidays of a year and, unless it is empty, those of the state.

    Source: https://holidays.readthedocs.io/en/latest/auto_gen_docs/brazil/
    """
    return frozenset(holidays.country_holidays("BR", subdiv=state or None, years=year))


def _applies(rule: Rule, purpose: Purpose, place: Place, on: date) -> bool:
    if (rule.valid_from and on < rule.valid_from) or (rule.valid_to and on > rule.valid_to):
        return False
    if rule.company_id not in {None, purpose.company_id} or rule.level == Level.FOREIGN:
        return False
    if rule.activities and purpose.activity not in rule.activities:
        return False
    if rule.sectors and purpose.sector not in rule.sectors:
        return False
    if purpose.exemption and purpose.exemption in rule.exemptions:
        return False
    if not rule.state or (rule.list_kind and _is_given_out_in(rule, place.area_code)):
        return True
    return rule.state == place.state and (not rule.city or _is_in_city(rule, place))


def _is_given_out_in(rule: Rule, area_code: str) -> bool:
    """Whether the number is of the rule's place: an authority lists lines of its own, wherever their people went."""
    area = AREA_CODES.get(area_code)
    return area is not None and area.state == rule.state and (not rule.city or area_code in rule.area_codes)


def _is_in_city(rule: Rule, place: Place) -> bool:
    """Whether the number may be the city's: by its known city, else by its area code."""
    return _folded(rule.city) == _folded(place.city) if place.city else place.area_code in rule.area_codes


def _is_there(state: str, city: str, place: Place) -> bool:
    return (not state or state == place.state) and (not city or _folded(city) == _folded(place.city))


@lru_cache(maxsize=512)
def _folded(city: str) -> str:
    """A town's name as people mean it, however they write it."""
    letters = unicodedata.normalize("NFKD", city.casefold())
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def _objections(
    book: RuleBook, rules: tuple[Rule, ...], *, place: Place, facts: Facts, local: datetime
) -> Iterable[Objection]:
    minute, today = local.hour * 60 + local.minute, local.date()
    for rule in rules:
        # Both closed and out of hours is told as the holiday that it is.
        if rule.holidays == Holidays.CLOSED and book.is_holiday(today, place):
            yield Objection(rule.id, rule.revision, Ground.HOLIDAY, _effect(rule, facts))
        elif rule.hours is not None and not _contains(rule.hours[today.weekday()], minute):
            yield Objection(rule.id, rule.revision, Ground.HOURS, _effect(rule, facts))
        if rule.daily_cap is not None and facts.calls_today >= rule.daily_cap:
            yield Objection(rule.id, rule.revision, Ground.CAP, _effect(rule, facts))
        for listing in facts.listings:
            if listing.kind == rule.list_kind and _is_effective(rule, listing, today):
                yield Objection(rule.id, rule.revision, Ground.LISTED, _effect(rule, facts, listing))
    if facts.wanted_hours is not None and not _contains(facts.wanted_hours[today.weekday()], minute):
        yield Objection(0, 0, Ground.HOURS, Effect.BLOCKS)
    if facts.wanted_cap is not None and facts.calls_today >= facts.wanted_cap:
        yield Objection(0, 0, Ground.CAP, Effect.BLOCKS)


def _effect(rule: Rule, facts: Facts, listing: Listing | None = None) -> Effect:
    if listing is not None and listing.is_authorised and listing.kind not in INTERNAL_LISTS:
        return Effect.AUTHORISED
    # Who asked before they were listed changed their mind.
    asked = facts.asked_at is not None and (listing is None or facts.asked_at > listing.added_at)
    if rule.is_liftable and asked:
        return Effect.LIFTED
    return Effect.BLOCKS if rule.blocks else Effect.WARNS


def _is_effective(rule: Rule, listing: Listing, today: date) -> bool:
    begins = listing.listed_on + timedelta(days=rule.delay_days)
    return begins <= today and (rule.lasts_days is None or today < begins + timedelta(days=rule.lasts_days))


def _contains(blocks: Iterable[Block], minute: int) -> bool:
    return any(opens <= minute < closes for opens, closes in blocks)


def _next_instant(book: RuleBook, purpose: Purpose, place: Place, *, facts: Facts, at: datetime) -> datetime | None:
    """The first instant from the local time `at` on that every rule of its own day lets pass, in UTC.

    With no calls made on the days to come; None when there is none within the horizon.
    """
    if facts.wanted_cap == 0:
        return None
    for ahead in range(HORIZON_DAYS + 1):
        day = at.date() + ahead * _DAY
        begins = at.hour * 60 + at.minute if not ahead else 0
        for opens, closes in _open_blocks(book, purpose, place, facts=facts, on=day):
            if closes > begins:
                if not ahead and opens <= begins:
                    return at.astimezone(UTC)
                return (datetime.combine(day, time(), place.zone) + timedelta(minutes=opens)).astimezone(UTC)
    return None


def _open_blocks(book: RuleBook, purpose: Purpose, place: Place, *, facts: Facts, on: date) -> tuple[Block, ...]:
    """The minutes of a day to come in which the call may be made."""
    blocks = ALL_DAY
    if facts.wanted_hours is not None:
        blocks = facts.wanted_hours[on.weekday()]
    for rule in book.in_force(purpose, place, on=on):
        if _effect(rule, facts) != Effect.BLOCKS:
            continue
        closed = rule.holidays == Holidays.CLOSED and book.is_holiday(on, place)
        if closed or rule.daily_cap == 0 or any(_lists(rule, listing, facts, on) for listing in facts.listings):
            return ()
        if rule.hours is not None:
            blocks = shared(blocks, rule.hours[on.weekday()])
    return blocks


def _lists(rule: Rule, listing: Listing, facts: Facts, on: date) -> bool:
    return (
        listing.kind == rule.list_kind
        and _effect(rule, facts, listing) == Effect.BLOCKS
        and _is_effective(rule, listing, on)
    )


def _midnight_after(local: datetime) -> datetime:
    return datetime.combine(local.date() + _DAY, time(), local.tzinfo)
