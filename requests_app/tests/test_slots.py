"""Callback slots: a full quarter of an hour gives the next free one, told to the caller, and is never overbooked."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection

from callcenter.accounts.models import Company
from callcenter.tests.factories import make_attendant, make_company
from requests_app.data import Origin
from requests_app.models import CallbackPolicy, CallRequest, LedgerEntry, Shift
from requests_app.schedule import Duty, people_on_duty, quarter_of
from requests_app.services.calls import claim_requests
from requests_app.services.intake import change_call_request, create_call_request
from requests_app.states import Hold, Source
from requests_app.tests.api import Shop

# A Monday, 9:00 in São Paulo.
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TEN = NOW + timedelta(hours=1)
QUARTER = timedelta(minutes=15)
SHOP = Origin(source=Source.VENDDOR)


def with_slots(company: Company, *, headcount: int = 1, days: range = range(7), **policy: Any) -> Company:
    """The company, with slots and so many people on duty from 9 to 18."""
    CallbackPolicy.objects.create(company=company, **{"uses_slots": True, **policy})
    for day in days:
        Shift.objects.create(company=company, weekday=day, starts_at=time(9), ends_at=time(18), headcount=headcount)
    return company


@pytest.fixture
def company(db: None) -> Company:
    return with_slots(make_company())


def ask(company: Company, at: datetime | None, *, phone: int = 0, **fields: Any) -> CallRequest:
    values = {"phone": f"(11) 98765-{phone:04d}", "wanted_at": at, **fields}
    return create_call_request(company.pk, origin=SHOP, now=NOW, fields=values)


def test_a_full_quarter_gives_the_next_free_one_and_the_ledger_says_both(company: Company) -> None:
    first = ask(company, TEN + timedelta(minutes=7))
    assert (first.wanted_at, first.hold_reason) == (TEN + timedelta(minutes=7), Hold.WANTED_TIME)
    second = ask(company, TEN + timedelta(minutes=3))
    second.refresh_from_db()
    assert (second.wanted_at, second.due_at) == (TEN + QUARTER, TEN + QUARTER)
    entries = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.SCHEDULED).order_by("id")
    assert [entry.reason for entry in entries] == ["slot", "slot_full"]
    assert entries[1].detail == {
        "asked_at": (TEN + timedelta(minutes=3)).isoformat(),
        "given_at": (TEN + QUARTER).isoformat(),
    }


def test_a_company_without_slots_or_without_shifts_keeps_every_wanted_time(db: None) -> None:
    plain, without_shifts = make_company(), with_slots(make_company(), days=range(0))
    for company in (plain, without_shifts):
        assert {ask(company, TEN, phone=phone).wanted_at for phone in range(3)} == {TEN}
        assert ask(company, TEN, phone=9).booked_at is None
    assert not LedgerEntry.objects.filter(kind=LedgerEntry.Kind.SCHEDULED).exists()


def test_who_is_to_be_called_at_once_takes_no_slot(company: Company) -> None:
    request = ask(company, None)
    assert (request.wanted_at, request.booked_at, request.hold_reason) == (None, None, Hold.NONE)


def test_the_contact_window_is_a_wanted_time_and_bounds_the_slot(company: Company) -> None:
    given = [ask(company, None, phone=n, time_from="10:00", time_to="10:30").wanted_at for n in range(3)]
    day = timedelta(days=1)
    assert given == [TEN, TEN + QUARTER, TEN + day]


def test_a_slot_lies_within_a_shift(company: Company) -> None:
    assert ask(company, NOW + timedelta(hours=9)).wanted_at == NOW + timedelta(days=1)


def test_whoever_is_closed_deleted_or_moved_makes_room(company: Company) -> None:
    first = ask(company, TEN)
    change_call_request(first.pk, scope=None, origin=SHOP, now=NOW, fields={"status": "completed"})
    second = ask(company, TEN)
    assert second.wanted_at == TEN
    moved = change_call_request(second.pk, scope=None, origin=SHOP, now=NOW, fields={"wanted_at": TEN + QUARTER})
    assert moved.wanted_at == TEN + QUARTER
    assert ask(company, TEN).wanted_at == TEN
    # One's own place does not stand in one's way.
    again = change_call_request(
        second.pk, scope=None, origin=SHOP, now=NOW, fields={"wanted_at": TEN + QUARTER + timedelta(minutes=5)}
    )
    assert again.wanted_at == TEN + QUARTER + timedelta(minutes=5)


def test_a_time_asked_for_while_a_call_is_claimed_takes_a_slot_too(company: Company) -> None:
    ask(company, TEN)
    request = ask(company, None, phone=5)
    assert claim_requests([request.pk], now=NOW) == {request.pk}
    moved = change_call_request(request.pk, scope=None, origin=SHOP, now=NOW, fields={"wanted_at": TEN})
    assert (moved.wanted_at, moved.postponed_until) == (TEN + QUARTER, TEN + QUARTER)


def test_where_nothing_is_free_the_customer_keeps_the_time(company: Company) -> None:
    CallbackPolicy.objects.update(uses_slots=True)
    Shift.objects.exclude(weekday=0).delete()
    Shift.objects.update(starts_at=time(10), ends_at=time(10, 15))
    given = [ask(company, TEN, phone=phone).wanted_at for phone in range(3)]
    assert given == [TEN, TEN + timedelta(days=7), TEN]
    assert LedgerEntry.objects.latest("id").reason == "slot_none"


def test_attendants_count_once_and_only_while_they_work_here(company: Company) -> None:
    Shift.objects.all().delete()
    person = make_attendant(company)
    for starts in (time(9), time(10)):
        Shift.objects.create(company=company, attendant=person, weekday=0, starts_at=starts, ends_at=time(12))
    assert [ask(company, TEN, phone=phone).wanted_at for phone in range(2)] == [TEN, TEN + QUARTER]
    person.is_active = False
    person.save()
    assert ask(company, TEN, phone=3).booked_at is None


@pytest.mark.parametrize(
    ("at", "people"), [("08:59", 0), ("09:00", 3), ("17:45", 3), ("17:46", 0), ("18:00", 0), ("23:45", 2)]
)
def test_a_shift_counts_for_the_quarters_that_it_covers_whole(at: str, people: int) -> None:
    zone = make_zone()
    duties = [Duty(0, time(9), time(18), headcount=3), Duty(0, time(22), time(0), headcount=2)]
    local = datetime.fromisoformat(f"2026-11-23T{at}").replace(tzinfo=zone)
    assert people_on_duty(duties, quarter=local, zone=zone) == people
    assert people_on_duty(duties, quarter=local + timedelta(days=1), zone=zone) == 0


def make_zone() -> Any:
    return Company(name="x").zone


def test_a_quarter_starts_on_the_quarter() -> None:
    assert quarter_of(TEN + timedelta(minutes=29, seconds=59)) == TEN + QUARTER


@pytest.mark.conforms("CS-callback-time", "VD-callback-time")
@pytest.mark.django_db
@time_machine.travel(NOW, tick=False)
def test_the_answers_of_both_apis_say_which_time_was_given() -> None:
    company = with_slots(make_company())
    shop = Shop(make_attendant(company))
    venddor, wanted = "/venddor/api/2.0/call_requests", "2026-11-23T13:00:00Z"
    assert shop.post(venddor, {"phone": "11987650001", "request_time": wanted}).headers["X-Callback-Time"] == wanted
    answer = shop.post(venddor, {"phone": "11987650002", "request_time": wanted})
    assert answer.json()["request_time"] == answer.headers["X-Callback-Time"] == "2026-11-23T13:15:00Z"
    answer = shop.post("/api/2.0/call_requests", {"phone": "11987650003", "time_from": "10:00", "time_to": "12:00"})
    assert list(answer.json()) == ["request_id"]
    assert answer.headers["X-Callback-Time"] == "2026-11-23T13:30:00Z"
    request_id = answer.json()["request_id"]
    answer = shop.put(f"/api/2.0/call_requests/{request_id}", {"time_from": "11:00"})
    assert (answer.json(), answer.headers["X-Callback-Time"]) == ({"request_id": request_id}, "2026-11-23T14:00:00Z")
    assert "X-Callback-Time" not in shop.post(venddor, {"phone": "11987650004"}).headers


@pytest.mark.conforms("CS-callback-time", "VD-callback-time")
@pytest.mark.parametrize(
    ("path", "wish"),
    [
        ("/venddor/api/2.0/call_requests", {"request_time": "2026-11-23T13:00:00Z"}),
        ("/api/2.0/call_requests", {"time_from": "10:00", "time_to": "12:00"}),
    ],
)
@pytest.mark.django_db
@time_machine.travel(NOW, tick=False)
def test_a_repeated_post_is_told_again_which_time_was_given(path: str, wish: dict[str, str]) -> None:
    company = with_slots(make_company())
    shop = Shop(make_attendant(company))
    first, again = (
        shop.post(path, {"phone": "11987650001", **wish}, **{"idempotency-key": "once"}) for _time in range(2)
    )
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Callback-Time"] == first.headers["X-Callback-Time"] == "2026-11-23T13:00:00Z"
    assert CallRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_posts_never_overbook_a_quarter() -> None:
    company = with_slots(make_company(), headcount=2)
    start = threading.Barrier(6)
    errors: list[Exception] = []

    def post(worker: int) -> None:
        start.wait()
        try:
            for number in range(5):
                ask(company, TEN, phone=worker * 10 + number)
        except Exception as error:  # noqa: BLE001 - raised below, in the test's own thread
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=(worker,)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    given = Counter(CallRequest.objects.values_list("wanted_at", flat=True))
    assert given == {TEN + place * QUARTER: 2 for place in range(15)}
