"""What the seeded rules say of a call: each law's hours, caps and lists, and the next instant at which one may call."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telephony.rule_terms import Activity, Effect, Exemption, Ground, Holidays, ListKind, Sector
from telephony.rulebook import Facts, Listing, OwnHoliday, Place, Purpose, Rule, RuleBook, decide, place_of
from telephony.tests.rules.books import SAO_PAULO, default_book, default_rules, judged
from telephony.weekly_hours import parse_hours

T, C, R, S = Activity.TELEMARKETING, Activity.COLLECTION, Activity.REQUESTED_CALLBACK, Activity.SERVICE
SP, RJ, ES, MS, AM, AL, MG, PR, RS, SC = (
    "+5511987654321", "+5521987654321", "+5527987654321", "+5567987654321", "+5592987654321", "+5582987654321",
    "+5531987654321", "+5541987654321", "+5551987654321", "+5548987654321",
)  # fmt: skip
# A plain week: Monday the 23rd to Sunday the 29th of November 2026, without a holiday.
MON, FRI, SAT, SUN = "2026-11-23", "2026-11-27", "2026-11-28", "2026-11-29"


@pytest.mark.parametrize(
    ("code", "phone", "activity", "inside", "outside"),
    [
        ("sart-horario", MG, T, [f"{MON} 09:00", f"{FRI} 20:59", f"{SAT} 10:00", f"{SAT} 15:59"],
         [f"{MON} 08:59", f"{FRI} 21:00", f"{SAT} 09:59", f"{SAT} 16:00", f"{SUN} 12:00", "2026-11-20 12:00"]),
        ("rj-7853", RJ, T, [f"{MON} 08:00", f"{FRI} 17:59"],
         [f"{MON} 07:59", f"{FRI} 18:00", f"{SAT} 12:00", f"{SUN} 12:00", "2026-04-23 12:00"]),
        ("es-10626", ES, T, [f"{MON} 08:00", f"{FRI} 18:59"], [f"{MON} 07:59", f"{FRI} 19:00", f"{SAT} 12:00"]),
        ("es-10626", ES, C, [f"{MON} 08:00"], [f"{FRI} 19:00"]),
        ("ms-3641", MS, T, [f"{MON} 08:00", f"{FRI} 17:59"], [f"{FRI} 18:00", f"{SAT} 12:00"]),
        ("sp-15426", SP, C, [f"{MON} 08:00", f"{FRI} 19:59", f"{SAT} 13:59"],
         [f"{FRI} 20:00", f"{SAT} 14:00", f"{SUN} 12:00", "2026-07-09 12:00"]),
        ("rj-7868", RJ, C, [f"{MON} 09:00", f"{SAT} 18:59"], [f"{MON} 08:59", f"{SAT} 19:00", f"{SUN} 12:00"]),
        ("es-cobranca", ES, C, [f"{MON} 08:00"], [f"{MON} 19:00", f"{SUN} 12:00"]),
        ("am-306", AM, C, [f"{MON} 18:59"], [f"{MON} 19:00", f"{SUN} 12:00"]),
        ("al-7782", AL, C, [f"{MON} 08:00", f"{SAT} 13:59"], [f"{MON} 20:00", f"{SAT} 14:00", f"{SUN} 12:00"]),
    ],
)  # fmt: skip
def test_each_laws_hours_are_those_of_the_table(
    code: str, phone: str, activity: Activity, inside: list[str], outside: list[str]
) -> None:
    book = default_book(code)
    assert all(judged(book, phone, at, activity).is_allowed for at in inside)
    for at in outside:
        found = judged(book, phone, at, activity)
        assert [one.rule_id for one in found.blocking] == [default_rules()[code].id], at
        assert found.blocking[0].ground in {Ground.HOURS, Ground.HOLIDAY}


@pytest.mark.parametrize(
    ("code", "phone", "activity"),
    [("rj-7853", SP, T), ("rj-7853", RJ, C), ("es-10626", RJ, T), ("ms-3641", SP, T), ("sp-15426", SP, T),
     ("rj-7868", SP, C), ("am-306", SP, C), ("al-7782", AL, T)],
)  # fmt: skip
def test_a_law_has_no_say_elsewhere_nor_on_another_activity(code: str, phone: str, activity: Activity) -> None:
    found = judged(default_book(code), phone, f"{SUN} 03:00", activity)
    assert (found.is_allowed, found.rule_ids) == (True, ())


@pytest.mark.parametrize(
    ("kind", "phone", "activity", "term", "purpose"),
    [
        (ListKind.PROCON_SP, SP, T, 30, {}),
        (ListKind.PROCON_SP, SP, C, 30, {}),
        (ListKind.PROCON_PR, PR, T, 30, {}),
        (ListKind.PROCON_RS, RS, T, 30, {}),
        (ListKind.PROCON_SC, SC, T, 30, {}),
        (ListKind.PROCON_MG, MG, T, 0, {}),
        (ListKind.RIO_CITY, RJ, T, 30, {}),
        (ListKind.NAO_ME_PERTURBE, MG, T, 30, {"sector": Sector.TELECOM}),
        (ListKind.INSS_OPT_OUT, MG, T, 30, {"sector": Sector.PAYROLL_LOANS}),
        (ListKind.INSS_NEW_BENEFIT, MG, T, 0, {"sector": Sector.PAYROLL_LOANS}),
        (ListKind.INTERNAL, MG, T, 0, {}),
        (ListKind.INTERNAL, MG, R, 0, {}),
        (ListKind.WRONG_PERSON, MG, R, 0, {}),
    ],
)
def test_a_list_holds_from_its_term_on(
    kind: ListKind, phone: str, activity: Activity, term: int, purpose: dict[str, Any]
) -> None:
    at = datetime.fromisoformat(f"{MON} 12:00").replace(tzinfo=UTC)
    for days, is_allowed in ((term - 1, True), (term, False), (term + 5, False)):
        listing = Listing(kind, at.date() - timedelta(days=days), at)
        found = judged(default_book(), phone, f"{MON} 12:00", activity, listings=(listing,), **purpose)
        assert found.is_allowed is is_allowed, days
        if not is_allowed:
            assert [one.ground for one in found.blocking] == [Ground.LISTED]
            assert found.next_at is None


@pytest.mark.parametrize(
    ("kind", "phone", "activity", "purpose"),
    [
        (ListKind.PROCON_SP, RJ, T, {}),
        (ListKind.PROCON_SP, SP, R, {}),
        (ListKind.PROCON_SP, SP, T, {"exemption": Exemption.CHARITY}),
        (ListKind.PROCON_SP, SP, T, {"exemption": Exemption.SURVEY_WITHOUT_OFFER}),
        (ListKind.PROCON_PR, PR, T, {"exemption": Exemption.CHARITY}),
        (ListKind.RIO_CITY, "+5522987654321", T, {}),
        (ListKind.RIO_CITY, RJ, T, {"exemption": Exemption.EXISTING_CLIENT}),
        (ListKind.NAO_ME_PERTURBE, SP, T, {}),
        (ListKind.NAO_ME_PERTURBE, SP, C, {"sector": Sector.TELECOM}),
        (ListKind.NAO_ME_PERTURBE, SP, T, {"sector": Sector.TELECOM, "exemption": Exemption.FRAUD_PREVENTION}),
    ],
)
def test_a_list_has_no_say_where_its_law_has_none(
    kind: ListKind, phone: str, activity: Activity, purpose: dict[str, Any]
) -> None:
    listing = Listing(kind, date(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC))
    assert judged(default_book(), phone, f"{MON} 12:00", activity, listings=(listing,), **purpose).is_allowed


def test_a_newly_granted_benefit_protects_for_180_days() -> None:
    granted = Listing(ListKind.INSS_NEW_BENEFIT, date(2026, 5, 27), datetime(2026, 5, 27, tzinfo=UTC))
    days = {"2026-11-20 23:59": False, "2026-11-23 12:00": True}
    for at, is_allowed in days.items():
        found = judged(default_book("inss-138-concessao"), SP, at, T, listings=(granted,), sector=Sector.PAYROLL_LOANS)
        assert found.is_allowed is is_allowed


def test_an_authorisation_lifts_a_public_list_and_never_our_own() -> None:
    for kind, is_allowed in ((ListKind.PROCON_SP, True), (ListKind.INTERNAL, False)):
        listing = Listing(kind, date(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC), is_authorised=True)
        found = judged(default_book(), SP, f"{MON} 12:00", T, listings=(listing,))
        assert found.is_allowed is is_allowed
        effects = [one.effect for one in found.objections]
        assert effects == [Effect.AUTHORISED if is_allowed else Effect.BLOCKS]


def test_an_evidenced_request_lifts_only_what_may_be_lifted() -> None:
    asked = datetime(2026, 11, 29, 10, tzinfo=UTC)
    found = judged(default_book(), RJ, f"{SUN} 12:00", R, asked_at=asked)
    assert found.is_allowed
    assert [(one.ground, one.effect) for one in found.objections] == [(Ground.HOURS, Effect.LIFTED)]
    assert not judged(default_book(), RJ, f"{SUN} 12:00", R).is_allowed
    # The state's law does not say that a request lifts it.
    assert not judged(default_book(), RJ, f"{SUN} 12:00", T, asked_at=asked).is_allowed
    listing = Listing(ListKind.INTERNAL, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC))
    assert not judged(default_book(), RJ, f"{MON} 12:00", R, asked_at=asked, listings=(listing,)).is_allowed


def test_who_asked_before_they_were_listed_changed_their_mind() -> None:
    book = RuleBook((Rule(id=1, list_kind=ListKind.INTERNAL, is_liftable=True),))
    listing = Listing(ListKind.INTERNAL, date(2026, 11, 1), datetime(2026, 11, 1, 12, tzinfo=UTC))
    for asked, is_allowed in ((listing.added_at, False), (listing.added_at + timedelta(seconds=1), True)):
        assert judged(book, SP, f"{MON} 12:00", R, asked_at=asked, listings=(listing,)).is_allowed is is_allowed


@pytest.mark.parametrize(
    ("activity", "calls", "is_allowed"), [(T, 1, True), (T, 2, False), (S, 2, False), (R, 5, True), (R, 6, False)]
)
def test_the_cap_of_a_day_and_the_next_one(activity: Activity, calls: int, is_allowed: bool) -> None:
    asked = datetime(2026, 11, 27, tzinfo=UTC) if activity == R else None
    found = judged(default_book(), MG, f"{FRI} 12:00", activity, calls_today=calls, asked_at=asked)
    assert found.is_allowed is is_allowed
    if not is_allowed:
        # Saturday: for who asked at midnight, for the others when the code of conduct opens.
        opens = "00:00" if activity == R else "10:00"
        assert found.next_at == datetime.fromisoformat(f"{SAT} {opens}").replace(tzinfo=SAO_PAULO)


@pytest.mark.parametrize(
    ("at", "next_at"),
    [
        ("2026-11-23 07:00", "2026-11-23 08:00"),
        ("2026-11-20 12:00", "2026-11-23 08:00"),
        ("2026-11-27 18:00", "2026-11-30 08:00"),
        ("2026-12-24 20:00", "2026-12-28 08:00"),
        ("2026-12-31 18:00", "2027-01-04 08:00"),
        ("2026-04-22 18:00", "2026-04-24 08:00"),
    ],
)
def test_the_next_instant_passes_nights_weekends_and_holidays(at: str, next_at: str) -> None:
    found = judged(default_book("rj-7853"), RJ, at, T)
    assert found.next_at == datetime.fromisoformat(next_at).replace(tzinfo=SAO_PAULO)


def test_the_strictest_of_all_rules_holds() -> None:
    # Telemarketing in RJ: the state's law closes at 18, the code of conduct opens at 9.
    found = judged(default_book(), RJ, f"{FRI} 18:30", T)
    assert len(found.blocking) == 1
    assert found.next_at == datetime(2026, 11, 30, 9, tzinfo=SAO_PAULO)
    both = judged(default_book(), RJ, f"{SUN} 12:00", T, calls_today=2)
    assert sorted(one.ground for one in both.blocking) == [Ground.CAP, Ground.HOURS, Ground.HOURS]


def test_a_persons_own_wish_counts_like_a_rule() -> None:
    hours = parse_hours("ter 14:00-15:00")
    found = judged(default_book(), MG, f"{MON} 12:00", S, wanted_hours=hours)
    assert found.next_at == datetime(2026, 11, 24, 14, tzinfo=SAO_PAULO)
    assert not judged(default_book(), MG, f"{MON} 12:00", S, wanted_cap=1, calls_today=1).is_allowed
    assert judged(default_book(), MG, f"{MON} 12:00", S, wanted_cap=0).next_at is None


def test_the_clock_is_that_of_who_is_called() -> None:
    nine_in_sao_paulo = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for phone, is_allowed in ((SP, True), (AM, False), ("+5568987654321", False)):
        place = place_of(phone, elsewhere=SAO_PAULO)
        found = decide(default_book(), purpose=Purpose(1, S), place=place, facts=Facts(), now=nine_in_sao_paulo)
        assert found.is_allowed is is_allowed
    moved = Place(zone=ZoneInfo("America/Noronha"), state="PE")
    assert judged(default_book(), SP, f"{FRI} 21:00", S, place=moved).blocking


def test_own_holidays_close_and_open_their_place() -> None:
    closed = Rule(id=1, holidays=Holidays.CLOSED)
    book = RuleBook((closed,), (OwnHoliday(date(2026, 11, 23), "SP"), OwnHoliday(date(2026, 12, 25), "SP", "", True)))
    assert not judged(book, SP, f"{MON} 12:00", S).is_allowed
    assert judged(book, RJ, f"{MON} 12:00", S).is_allowed
    assert judged(book, SP, "2026-12-25 12:00", S).is_allowed
    assert not judged(book, RJ, "2026-12-25 12:00", S).is_allowed


def test_rules_hold_on_their_own_dates_only() -> None:
    rule = Rule(id=1, daily_cap=0, valid_from=date(2026, 11, 24), valid_to=date(2026, 11, 25))
    days = {"2026-11-23": True, "2026-11-24": False, "2026-11-25": False, "2026-11-26": True}
    assert {day: judged(RuleBook((rule,)), SP, f"{day} 12:00", S).is_allowed for day in days} == days
    assert judged(RuleBook((rule,)), SP, "2026-11-24 12:00", S).next_at == datetime(2026, 11, 26, tzinfo=SAO_PAULO)


def test_a_warning_is_kept_and_stops_nothing() -> None:
    found = judged(RuleBook((Rule(id=7, daily_cap=0, blocks=False),)), SP, f"{MON} 12:00", S)
    assert found.is_allowed
    assert [(one.rule_id, one.effect) for one in found.objections] == [(7, Effect.WARNS)]


def test_a_rule_that_never_opens_needs_a_person() -> None:
    assert judged(RuleBook((Rule(id=1, hours=((),) * 7),)), SP, f"{MON} 12:00", S).next_at is None


def test_lists_that_can_not_be_read_stop_everything() -> None:
    found = judged(default_book(), SP, f"{MON} 12:00", R, lists_readable=False, asked_at=datetime.now(UTC))
    assert (found.is_allowed, found.next_at) == (False, None)


def test_a_number_of_no_place_keeps_the_companys_clock_and_the_federal_rules() -> None:
    place = place_of("+558001234567", elsewhere=SAO_PAULO)
    assert (place.state, place.zone) == ("", SAO_PAULO)
    assert judged(default_book(), "+558001234567", f"{MON} 12:00", T).is_allowed


PHONES = [SP, RJ, ES, MS, AM, AL, "+5568987654321"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    phone=st.sampled_from(PHONES),
    activity=st.sampled_from(list(Activity)),
    now=st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - UTC is put on
    calls=st.integers(0, 7),
)
def test_the_next_instant_is_the_first_that_is_allowed(
    phone: str, activity: Activity, now: datetime, calls: int
) -> None:
    book, place = default_book(), place_of(phone, elsewhere=SAO_PAULO)

    def ask(at: datetime) -> tuple[bool, datetime | None]:
        same_day = at.astimezone(place.zone).date() == now.astimezone(place.zone).date()
        facts = Facts(calls_today=calls if same_day else 0)
        found = decide(book, purpose=Purpose(1, activity), place=place, facts=facts, now=at)
        return found.is_allowed, found.next_at

    is_allowed, next_at = ask(now)
    assert next_at is not None
    assert (next_at == now) is is_allowed
    assert ask(next_at) == (True, next_at)
    # Nothing earlier would have done.
    step = (next_at - now) / 7
    assert all(not ask(now + step * part)[0] for part in range(1, 7)) or is_allowed


@pytest.mark.parametrize("city", ["rio de janeiro", " Rio  De Janeiro ", "RIO DE JANEIRO"])
def test_a_town_is_the_same_however_it_is_written(city: str) -> None:
    place = Place(zone=SAO_PAULO, state="RJ", city=city, area_code="24")
    listing = Listing(ListKind.RIO_CITY, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC))
    book = default_book("rio-6523")
    at, phone = "2026-11-23T12:00", "+5524987654321"
    assert not judged(book, phone, at, Activity.TELEMARKETING, place=place, listings=(listing,)).is_allowed
    free = RuleBook((), (OwnHoliday(date(2026, 11, 23), "RJ", "Rio de Janeiro"),))
    assert free.is_holiday(date(2026, 11, 23), place)


def test_an_authoritys_list_goes_with_the_line_wherever_its_people_live() -> None:
    moved = Place(zone=ZoneInfo("America/Bahia"), state="BA", area_code="11")
    listing = Listing(ListKind.PROCON_SP, date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC))
    book = default_book("sp-nao-me-ligue", "sp-15426")
    at, phone = "2026-11-23T12:00", "+5511987654321"
    assert not judged(book, phone, at, Activity.TELEMARKETING, place=moved, listings=(listing,)).is_allowed
    # Its hours are those of where they are.
    assert judged(book, phone, "2026-11-22T12:00", Activity.COLLECTION, place=moved).is_allowed
