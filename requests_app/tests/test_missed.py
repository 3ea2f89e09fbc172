"""Missed callbacks: each gets a decision, an owner and a deadline, once; and comes off the queue when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
import time_machine

from callcenter.accounts.models import Company, User
from callcenter.lib.errors import Conflict, NotFound
from callcenter.tests.factories import make_attendant, make_company, make_supervisor, make_user
from requests_app.data import Origin
from requests_app.models import CallbackPolicy, CallRequest, LedgerEntry, MissedCallback, Shift
from requests_app.services import calls
from requests_app.services.intake import change_call_request, create_call_request, take_call_request
from requests_app.services.missed import decide_missed, watch_callbacks
from requests_app.states import Hold, MissedAction, Outcome, Priority, Source

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
WANTED = NOW - timedelta(minutes=30)
SHOP = Origin(source=Source.VENDDOR)


@pytest.fixture
def company(db: None) -> Company:
    return make_company()


def policy(company: Company, action: MissedAction = MissedAction.RETRY_NOW, **fields: Any) -> CallbackPolicy:
    return CallbackPolicy.objects.create(
        company=company,
        **{"missed_after_minutes": 20, "missed_action": action, "missed_deadline_minutes": 45, **fields},
    )


def ask(company: Company, wanted_at: datetime | None = WANTED, **fields: Any) -> CallRequest:
    values = {"phone": "(11) 98765-4321", "wanted_at": wanted_at, **fields}
    return create_call_request(company.pk, origin=SHOP, now=NOW - timedelta(days=1), fields=values)


def the_row(request: CallRequest) -> MissedCallback:
    return MissedCallback.objects.get(call_request=request)


def test_a_time_that_passed_is_noticed_once_and_goes_first(company: Company) -> None:
    policy(company)
    owner = make_attendant(company)
    request = ask(company, responsible_id=owner.pk)
    assert watch_callbacks(now=NOW) == {"noticed": 1, "resolved": 0}
    assert watch_callbacks(now=NOW + timedelta(minutes=1)) == {"noticed": 0, "resolved": 0}
    row = the_row(request)
    assert (row.owner, row.deadline_at, row.action) == (owner, NOW + timedelta(minutes=45), MissedAction.RETRY_NOW)
    request.refresh_from_db()
    assert (request.due_at, request.hold_reason, request.priority) == (NOW, Hold.NONE, Priority.HIGH)
    entry = LedgerEntry.objects.filter(call_request=request).latest("id")
    assert (entry.reason, entry.source) == ("missed_retry_now", "dialer")


@pytest.mark.parametrize(
    "case", ["no policy", "too early", "called", "in flight", "with a person", "closed", "long ago"]
)
def test_what_is_not_missed_is_left_alone(company: Company, case: str) -> None:
    policy(company, missed_after_minutes=0 if case == "no policy" else 20)
    wanted = {"too early": NOW - timedelta(minutes=19), "long ago": NOW - timedelta(days=8)}.get(case, WANTED)
    request = ask(company, wanted)
    if case in {"called", "in flight"}:
        calls.claim_requests([request.pk], now=WANTED)
    if case == "called":
        calls.settle_request(request.pk, outcome=Outcome.BUSY, retry_at=NOW + timedelta(hours=1), now=WANTED)
    if case == "with a person":
        take_call_request(request.pk, scope=None, origin=Origin(source=Source.ADMIN), now=WANTED)
    if case == "closed":
        change_call_request(request.pk, scope=None, origin=SHOP, now=NOW, fields={"status": "completed"})
    assert watch_callbacks(now=NOW)["noticed"] == 0


def test_a_claim_that_came_back_unsent_is_no_call(company: Company) -> None:
    policy(company)
    request = ask(company)
    calls.claim_requests([request.pk], now=WANTED)
    calls.release_request(request.pk, due_at=NOW, now=WANTED, reason="not_sent")
    assert watch_callbacks(now=NOW)["noticed"] == 1


def test_the_next_day_at_the_same_clock_time_where_there_is_room(company: Company) -> None:
    policy(company, MissedAction.NEXT_DAY)
    request = ask(company)
    CallbackPolicy.objects.update(uses_slots=True)
    Shift.objects.create(company=company, weekday=1, starts_at=time(9), ends_at=time(18))
    ask(company, WANTED + timedelta(days=1), phone="(11) 98765-0000")
    watch_callbacks(now=NOW)
    request.refresh_from_db()
    given = WANTED + timedelta(days=1, minutes=15)
    assert (request.wanted_at, request.due_at, request.hold_reason) == (given, given, Hold.WANTED_TIME)
    assert the_row(request).deadline_at == given + timedelta(minutes=45)
    # Missed again: a new row, and the old one is over.
    watch_callbacks(now=given + timedelta(minutes=20))
    rows = MissedCallback.objects.filter(call_request=request).order_by("id")
    assert [(row.wanted_at, row.resolution) for row in rows] == [(WANTED, "moved"), (given, "")]


def test_handed_over_it_goes_to_another_person_who_is_there(company: Company) -> None:
    policy(company, MissedAction.REASSIGN)
    first = make_attendant(company)
    make_attendant(company, presence=User.Presence.OFFLINE)
    there = make_attendant(company)
    request = ask(company, responsible_id=first.pk)
    watch_callbacks(now=NOW)
    request.refresh_from_db()
    assert (request.responsible, request.status, request.hold_reason) == (there, "in_progress", Hold.WITH_PERSON)
    assert (the_row(request).owner, the_row(request).resolved_at) == (there, None)
    change_call_request(request.pk, scope=None, origin=SHOP, now=NOW, fields={"status": "completed"})
    assert watch_callbacks(now=NOW)["resolved"] == 1
    assert the_row(request).resolution == "closed"


def test_with_nobody_to_hand_it_to_the_dialer_keeps_it(company: Company) -> None:
    policy(company, MissedAction.REASSIGN)
    request = ask(company)
    watch_callbacks(now=NOW)
    request.refresh_from_db()
    assert (request.due_at, the_row(request).action, the_row(request).owner) == (NOW, MissedAction.RETRY_NOW, None)


def test_closed_by_policy_it_is_over_at_once(company: Company) -> None:
    boss = make_supervisor(company)
    policy(company, MissedAction.CLOSE, missed_owner=boss)
    request = ask(company)
    watch_callbacks(now=NOW)
    request.refresh_from_db()
    assert (request.status, request.due_at, request.hold_reason) == ("no_answer", None, Hold.FINISHED)
    assert (the_row(request).owner, the_row(request).resolution) == (boss, "closed")
    entry = LedgerEntry.objects.filter(call_request=request).latest("id")
    assert (entry.to_status, entry.reason) == ("no_answer", "missed_close")


def test_a_call_a_person_and_another_time_take_it_off_the_queue(company: Company) -> None:
    policy(company)
    called, taken, moved, waits = (ask(company, phone=f"(11) 98765-000{n}") for n in range(4))
    watch_callbacks(now=NOW)
    later = NOW + timedelta(minutes=5)
    calls.claim_requests([called.pk], now=later)
    calls.settle_request(called.pk, outcome=Outcome.BUSY, retry_at=later + timedelta(hours=1), now=later)
    take_call_request(taken.pk, scope=None, origin=Origin(source=Source.ADMIN), now=later)
    fields = {"wanted_at": NOW + timedelta(hours=3)}
    change_call_request(moved.pk, scope=None, origin=SHOP, now=later, fields=fields)
    assert watch_callbacks(now=later)["resolved"] == 3
    assert [the_row(one).resolution for one in (called, taken, moved, waits)] == ["called", "taken", "moved", ""]


def test_a_person_decides_otherwise_and_strangers_do_not(company: Company) -> None:
    policy(company)
    request = ask(company)
    watch_callbacks(now=NOW)
    row, person = the_row(request), make_attendant(company)
    origin = Origin(source=Source.ADMIN, actor=person)
    with pytest.raises(NotFound):
        decide_missed(row.pk, action=MissedAction.CLOSE, scope=[make_company().pk], origin=origin, now=NOW)
    decide_missed(row.pk, action=MissedAction.REASSIGN, scope=[company.pk], origin=origin, now=NOW)
    request.refresh_from_db()
    assert (request.responsible, request.hold_reason, the_row(request).owner) == (person, Hold.WITH_PERSON, person)
    decide_missed(row.pk, action=MissedAction.CLOSE, scope=None, origin=origin, now=NOW)
    with pytest.raises(Conflict):
        decide_missed(row.pk, action=MissedAction.RETRY_NOW, scope=None, origin=origin, now=NOW)


def test_one_that_fails_stops_no_other(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(company)
    first, second = ask(company), ask(company, phone="(11) 98765-0001")
    real = CallRequest.save

    def fail(self: CallRequest, **kwargs: Any) -> None:
        if self.pk == first.pk:
            raise RuntimeError
        real(self, **kwargs)

    monkeypatch.setattr(CallRequest, "save", fail)
    assert watch_callbacks(now=NOW)["noticed"] == 1
    assert the_row(second).action == MissedAction.RETRY_NOW


@time_machine.travel(NOW, tick=False)
def test_the_queue_shows_whose_it_is_and_lets_people_decide(company: Company, client: Any) -> None:
    policy(company)
    request = ask(company, name="Ana Souza")
    watch_callbacks(now=NOW)
    url = "/admin/requests_app/missedcallback/"
    client.force_login(make_user(company))
    assert "Retornos perdidos" in client.get("/admin/").content.decode()
    page = client.get(f"{url}?situacao=abertos").content.decode()
    assert "Ana Souza" in page
    assert "badge--warn" in page
    assert "Ana Souza" not in client.get(f"{url}?situacao=vencidos").content.decode()
    row = the_row(request)
    client.post(url, {"action": "next_day_selected", "_selected_action": row.pk})
    row.refresh_from_db()
    request.refresh_from_db()
    assert (row.action, request.hold_reason) == (MissedAction.NEXT_DAY, Hold.WANTED_TIME)
    client.force_login(make_attendant(company))
    assert "retry_selected" not in client.get(url).content.decode()
