"""Requests as shops and staff make and change them: what is stored, due, and in the ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.translation import override

from callcenter.accounts.models import Company
from callcenter.lib.errors import InvalidInput, NotFound
from callcenter.tests.factories import make_attendant, make_company, make_user
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services import calls
from requests_app.services.intake import (
    change_call_request,
    create_call_request,
    delete_call_request,
    dial_now,
)
from requests_app.states import Hold, Outcome, Priority, Source, Status
from requests_app.tests.intake import NOW, PHONE, SHOP, change, claim, create, ledger, situation

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    """A shop in São Paulo."""
    return make_company()


# --- Creating -----------------------------------------------------------------------------------------------------


def test_a_new_request_is_due_at_once_and_its_number_is_kept_as_typed(company: Company) -> None:
    request = create(company, name="Ana")
    assert situation(request) == ("new", NOW, Hold.NONE)
    assert (request.phone, request.phone_e164, request.in_flight) == (PHONE, "+5511987654321", False)
    assert (request.notes, request.priority, request.requested_at) == (None, Priority.NORMAL, NOW)
    assert ledger(request.pk) == [("created", "", "new", "")]
    entry = LedgerEntry.objects.get()
    assert (entry.source, entry.actor, entry.company, entry.at) == (Source.CSCART, None, company, NOW)


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("+7(999)111-22-33", Hold.NOT_BRAZILIAN),
        ("98765-4321", Hold.NO_AREA_CODE),
        ("(20) 98765-4321", Hold.INVALID_NUMBER),
        ("ligue para a loja", Hold.NOT_A_NUMBER),
    ],
)
def test_a_number_that_cannot_be_dialed_is_stored_with_its_reason(company: Company, phone: str, reason: str) -> None:
    request = create(company, phone=phone)
    assert situation(request) == ("new", None, reason)
    assert (request.phone, request.phone_e164) == (phone, "")
    assert ledger(request.pk) == [("created", "", "new", reason)]


def test_an_e_mail_alone_is_enough(company: Company) -> None:
    request = create(company, phone="", email="ana@cliente.example")
    assert situation(request) == ("new", None, Hold.NO_PHONE)


@pytest.mark.parametrize("fields", [{"phone": ""}, {"phone": "", "email": ""}, {"phone": "", "name": "Ana"}])
def test_without_phone_and_e_mail_nothing_is_stored(company: Company, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        create(company, **fields)
    assert refusal.value.field == "phone"
    assert not CallRequest.objects.exists()
    assert not LedgerEntry.objects.exists()


def test_a_wanted_time_is_waited_for(company: Company) -> None:
    wanted_at = NOW + timedelta(days=1)
    assert situation(create(company, wanted_at=wanted_at)) == ("new", wanted_at, Hold.WANTED_TIME)


def test_the_window_is_read_in_the_companys_zone() -> None:
    # 11:00 in Manaus, where the window opens an hour later.
    company = make_company(time_zone="America/Manaus")
    request = create(company, time_from="12:00", time_to="18:00")
    assert situation(request) == ("new", NOW + timedelta(hours=1), Hold.CONTACT_WINDOW)


@pytest.mark.parametrize(
    ("status", "hold", "completed_at"),
    [
        (Status.IN_PROGRESS, Hold.WITH_PERSON, None),
        (Status.COMPLETED, Hold.FINISHED, NOW),
        (Status.NO_ANSWER, Hold.FINISHED, None),
    ],
)
def test_a_request_that_comes_with_another_status_is_not_dialed(
    company: Company, status: str, hold: str, completed_at: datetime | None
) -> None:
    request = create(company, status=status)
    assert situation(request) == (status, None, hold)
    assert request.completed_at == completed_at
    assert ledger(request.pk) == [("created", "", status, hold)]


def test_a_time_of_completion_that_was_given_is_kept(company: Company) -> None:
    earlier = NOW - timedelta(days=3)
    assert create(company, status=Status.COMPLETED, completed_at=earlier).completed_at == earlier


def test_a_given_date_is_kept_and_ours_has_no_fraction(company: Company) -> None:
    earlier = NOW - timedelta(days=400)
    assert create(company, requested_at=earlier).requested_at == earlier
    assert create(company, now=NOW.replace(microsecond=123456)).requested_at == NOW


def test_an_inactive_or_unknown_company_takes_no_requests(company: Company) -> None:
    closed = make_company(is_active=False)
    for company_id in (closed.pk, company.pk + 1000, 2**70):
        with pytest.raises(InvalidInput) as refusal:
            create_call_request(company_id, origin=SHOP, now=NOW, fields={"phone": PHONE})
        assert refusal.value.field == "company_id"
    assert not CallRequest.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "x" * 251),
        ("phone", "1" * 129),
        ("email", "a" * 250 + "@b.example"),
        ("email", "not an address"),
        ("time_from", "x" * 33),
        ("time_to", "x" * 33),
        ("notes", "x" * 100_001),
        ("name", "a\x00b"),
        ("notes", "half a pair \ud83d"),
        ("phone", "11\x0098765"),
        ("name", None),
        ("time_from", None),
        ("order_number", -1),
        ("order_number", 2**63),
        ("order_number", None),
        ("product_number", -1),
        ("status", "done"),
        ("status", ""),
        ("status", None),
        ("priority", 4),
        ("priority", "high"),
        ("responsible_id", 999_999),
        ("responsible_id", 2**70),
        ("attempts", 3),
        ("in_flight", True),
        ("company_id", 1),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_value_that_cannot_be_stored_is_refused_by_name(company: Company, field: str, value: Any) -> None:
    fields = {"phone": PHONE, field: value}
    with pytest.raises(InvalidInput) as refusal:
        create_call_request(company.pk, origin=SHOP, now=NOW, fields=fields)
    assert refusal.value.field == field
    assert not CallRequest.objects.exists()
    request = create(company)
    with pytest.raises(InvalidInput):
        change_call_request(request.pk, scope=None, origin=SHOP, now=NOW, fields={field: value})
    assert ledger(request.pk) == [("created", "", "new", "")]


@pytest.mark.parametrize(("field", "length"), [("name", 250), ("phone", 128), ("time_from", 32), ("notes", 100_000)])
def test_the_longest_text_that_fits_is_stored(company: Company, field: str, length: int) -> None:
    text = "é" * length
    fields: dict[str, Any] = {field: text}
    assert getattr(create(company, **fields), field) == text


def test_the_responsible_person_must_work_for_the_company(company: Company) -> None:
    theirs, everybodys = make_attendant(company), make_attendant()
    assert create(company, responsible_id=theirs.pk).responsible == theirs
    assert create(company, responsible_id=everybodys.pk).responsible == everybodys
    others = [
        make_attendant(make_company()),
        make_attendant(company, is_active=False),
        make_user(company, is_staff=False),
    ]
    for user in others:
        with pytest.raises(InvalidInput) as refusal:
            create(company, responsible_id=user.pk)
        assert refusal.value.field == "responsible_id"


def test_the_refusal_speaks_the_callers_language(company: Company) -> None:
    with override("pt-br"), pytest.raises(InvalidInput, match="Use um destes: new, in_progress, completed, no_answer"):
        create(company, status="done")


# --- Changing -----------------------------------------------------------------------------------------------------


def test_a_change_writes_what_differs_and_one_entry_that_names_it(company: Company) -> None:
    request = create(company, name="Ana")
    later = NOW + timedelta(minutes=5)
    changed = change(request, later, name="Ana", notes="Ligar cedo")
    assert (changed.notes, changed.updated_at) == ("Ligar cedo", later)
    entry = LedgerEntry.objects.get(kind="edited")
    assert (entry.detail, entry.from_status, entry.to_status) == ({"fields": ["notes"]}, "", "")
    assert situation(changed) == situation(request)


def test_a_change_to_the_same_values_writes_nothing(company: Company) -> None:
    request = create(company, name="Ana")
    assert change(request, name="Ana", phone=PHONE).updated_at is None
    assert ledger(request.pk) == [("created", "", "new", "")]


def test_a_change_does_not_overwrite_what_another_wrote_meanwhile(company: Company) -> None:
    request = create(company, name="Ana")
    CallRequest.objects.filter(pk=request.pk).update(attempts=7, priority=Priority.URGENT)
    changed = change(request, notes="x")
    assert (changed.attempts, changed.priority) == (7, Priority.URGENT)


def test_assigning_is_an_entry_of_its_own_and_leaves_the_dialer_alone(company: Company) -> None:
    request, person = create(company), make_attendant(company)
    changed = change(request, responsible_id=person.pk)
    assert situation(changed) == ("new", NOW, Hold.NONE)
    assert ledger(request.pk)[-1] == ("assigned", "", "", "")
    assert change(request, responsible_id=None).responsible is None


@pytest.mark.parametrize(
    ("status", "hold"),
    [(Status.IN_PROGRESS, Hold.WITH_PERSON), (Status.COMPLETED, Hold.FINISHED), (Status.NO_ANSWER, Hold.FINISHED)],
)
def test_a_status_set_by_hand_takes_the_request_from_the_dialer_and_new_gives_it_back(
    company: Company, status: str, hold: str
) -> None:
    request = create(company)
    changed = change(request, status=status)
    assert situation(changed) == (status, None, hold)
    assert changed.completed_at == (NOW if status == Status.COMPLETED else None)
    assert ledger(request.pk)[-1] == ("status", "new", status, "")
    back = change(request, NOW + timedelta(hours=1), status=Status.NEW)
    assert situation(back) == ("new", NOW + timedelta(hours=1), Hold.NONE)
    assert back.completed_at is None
    assert ledger(request.pk)[-1] == ("status", status, "new", "")


def test_who_changed_it_is_in_the_ledger(company: Company) -> None:
    request, person = create(company), make_attendant(company)
    origin = Origin(source=Source.ADMIN, actor=person)
    change_call_request(request.pk, scope=None, origin=origin, now=NOW, fields={"status": "completed"})
    entry = LedgerEntry.objects.latest("id")
    assert (entry.actor, entry.source) == (person, Source.ADMIN)


def test_a_better_number_makes_the_request_due(company: Company) -> None:
    request = create(company, phone="98765-4321")
    changed = change(request, phone=PHONE)
    assert situation(changed) == ("new", NOW, Hold.NONE)
    assert changed.phone_e164 == "+5511987654321"


def test_a_worse_number_takes_it_from_the_dialer(company: Company) -> None:
    changed = change(create(company), phone="+351 912 345 678")
    assert situation(changed) == ("new", None, Hold.NOT_BRAZILIAN)
    assert changed.phone_e164 == ""


def test_a_new_window_does_not_bring_the_next_try_forward(company: Company) -> None:
    request = create(company)
    claim(request)
    retry_at = NOW + timedelta(hours=2)
    calls.note_try(request.pk, now=NOW)
    calls.settle_request(request.pk, outcome=Outcome.BUSY, retry_at=retry_at, now=NOW)
    changed = change(request, time_from="09:00", time_to="20:00")
    assert situation(changed) == ("in_progress", retry_at, Hold.RETRY_WAIT)
    narrowed = change(request, time_from="16:00")
    assert situation(narrowed) == ("in_progress", NOW + timedelta(hours=4), Hold.CONTACT_WINDOW)


def test_another_number_need_not_wait_for_the_next_try(company: Company) -> None:
    request = create(company)
    claim(request)
    calls.settle_request(request.pk, outcome=Outcome.BUSY, retry_at=NOW + timedelta(hours=2), now=NOW)
    assert situation(change(request, phone="(11) 98765-0000")) == ("new", NOW, Hold.NONE)


def test_a_window_changed_while_a_person_has_the_request_leaves_it_with_them(company: Company) -> None:
    request = change(create(company), status=Status.IN_PROGRESS)
    assert situation(change(request, time_from="18:00")) == ("in_progress", None, Hold.WITH_PERSON)


def test_a_change_during_the_call_leaves_the_call_alone(company: Company) -> None:
    request = create(company)
    claim(request)
    changed = change(request, phone="(11) 98765-0000", time_from="18:00", status=Status.COMPLETED)
    assert situation(changed) == ("completed", None, Hold.IN_FLIGHT)
    assert (changed.in_flight, changed.phone_e164, changed.completed_at) == (True, "+5511987650000", NOW)


def test_a_foreign_companys_request_is_as_good_as_none(company: Company) -> None:
    request, other = create(company), make_company()
    with pytest.raises(NotFound):
        change(request, scope={other.pk}, name="x")
    with pytest.raises(NotFound):
        delete_call_request(request.pk, scope={other.pk}, origin=SHOP, now=NOW)
    with pytest.raises(NotFound):
        dial_now(request.pk, scope={other.pk}, origin=SHOP, now=NOW)
    with pytest.raises(NotFound):
        change_call_request(request.pk + 1, scope=None, origin=SHOP, now=NOW, fields={})
    assert change(request, scope={company.pk, other.pk}, name="x").name == "x"
