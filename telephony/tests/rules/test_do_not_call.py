"""Lists by hand: on at once, off by who knows the number, and only digests are stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from callcenter.lib.errors import Conflict, NotFound
from callcenter.lib.number_digests import key_check, number_digest
from callcenter.tests.factories import make_call_request, make_company, make_user
from requests_app.models import CallRequest
from requests_app.states import Hold
from telephony.models import DoNotCallChange, DoNotCallEntry, DoNotCallList
from telephony.rule_terms import ListKind
from telephony.services.do_not_call import authorise, list_for, lists_of, stop_calling, take_off

pytestmark = pytest.mark.django_db

PHONE, E164 = "(11) 98765-4321", "+5511987654321"


def test_opting_out_holds_every_waiting_request_at_once() -> None:
    mine, other = make_company(), make_company()
    requests = [make_call_request(mine, phone=PHONE), make_call_request(mine, phone=PHONE, wanted_at=_tomorrow())]
    foreign = make_call_request(other, phone=PHONE)
    person = make_user()
    assert stop_calling(E164, company_id=mine.pk, reason="opt_out", actor=person, now=timezone.now())
    for request in requests:
        request.refresh_from_db()
        assert (request.hold_reason, request.due_at) == (Hold.DO_NOT_CALL, None)
        assert request.ledger.get(kind="held").actor == person
    foreign.refresh_from_db()
    assert foreign.hold_reason == Hold.NONE
    change = DoNotCallChange.objects.get()
    assert (change.kind, change.reason, change.actor) == ("added", "opt_out", person)


def test_twice_is_once() -> None:
    company = make_company()
    now = timezone.now()
    assert stop_calling(E164, company_id=company.pk, reason="opt_out", actor=None, now=now)
    assert not stop_calling(E164, company_id=company.pk, reason="opt_out", actor=None, now=now)
    assert DoNotCallList.objects.get().numbers == DoNotCallEntry.objects.count() == 1


def test_a_wrong_person_has_a_list_of_their_own() -> None:
    stop_calling(E164, company_id=None, reason="wrong_person", actor=None, now=timezone.now())
    assert DoNotCallEntry.objects.get().list.kind == ListKind.WRONG_PERSON


def test_taking_off_gives_the_requests_back_and_stays_on_record() -> None:
    company, person = make_company(), make_user()
    request = make_call_request(company, phone=PHONE)
    now = timezone.now()
    stop_calling(E164, company_id=company.pk, reason="opt_out", actor=None, now=now)
    entry = DoNotCallEntry.objects.get()
    told: dict[str, Any] = {"reason": "asked_back", "actor": person, "now": now}
    with pytest.raises(Conflict):
        take_off(entry.pk, phone_e164="+5511900000000", scope=None, **told)
    with pytest.raises(NotFound):
        take_off(entry.pk, phone_e164=E164, scope=[make_company().pk], **told)
    take_off(entry.pk, phone_e164=E164, scope=[company.pk], **told)
    request.refresh_from_db()
    assert (request.hold_reason, request.due_at) == (Hold.NONE, now)
    assert not DoNotCallEntry.objects.exists()
    assert [one.kind for one in DoNotCallChange.objects.order_by("id")] == ["added", "removed"]
    assert DoNotCallList.objects.get().numbers == 0


def test_an_authorisation_gives_held_requests_back_and_replaces_an_earlier_one() -> None:
    company = make_company()
    request = make_call_request(company, phone=PHONE)
    CallRequest.objects.update(due_at=None, hold_reason=Hold.DO_NOT_CALL)
    now = timezone.now()
    for evidence in ("carta", "gravação"):
        given = authorise(
            E164, company_id=company.pk, list_kind="", given_on=now.date(), valid_to=None, evidence=evidence, now=now
        )
    request.refresh_from_db()
    assert request.due_at == now
    assert given.evidence == "gravação"


def test_a_number_says_on_which_lists_it_is_to_whom_they_concern() -> None:
    mine, other = make_company(name="Minha"), make_company()
    now = timezone.now()
    stop_calling(E164, company_id=mine.pk, reason="complaint", actor=None, now=now)
    stop_calling(E164, company_id=other.pk, reason="opt_out", actor=None, now=now)
    public = list_for("procon_sp", company_id=None)
    stop_calling(E164, company_id=None, list_id=public.pk, reason="", actor=None, now=now)
    found = lists_of(E164, scope=[mine.pk])
    assert [(one.kind, one.reason) for one in found] == [("internal", "Reclamação"), ("procon_sp", "")]
    assert len(lists_of(E164, scope=None)) == 3
    assert lists_of("+5511900000000", scope=None) == []


def test_no_number_is_stored() -> None:
    stop_calling(E164, company_id=None, reason="opt_out", actor=None, now=timezone.now())
    tables = [name for name in connection.introspection.table_names() if "donotcall" in name]
    assert len(tables) == 4
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")
            assert "987654321" not in str(cursor.fetchall())


def test_a_digest_needs_the_key(settings: Any) -> None:
    before, check = number_digest(E164), key_check()
    assert number_digest(E164) == before
    settings.TOKEN_PEPPER = "another pepper, of more than thirty-two characters"
    assert number_digest(E164) != before
    assert key_check() != check


def _tomorrow() -> Any:
    return timezone.now() + timedelta(days=1)


def test_a_request_that_is_given_back_waits_for_the_time_that_its_customer_wants() -> None:
    company = make_company()
    wanted_at = _tomorrow()
    request = make_call_request(company, phone=PHONE, wanted_at=wanted_at)
    put_off = make_call_request(company, phone=PHONE)
    CallRequest.objects.filter(pk=put_off.pk).update(postponed_until=wanted_at)
    now = timezone.now()
    stop_calling(E164, company_id=company.pk, reason="opt_out", actor=None, now=now)
    told: dict[str, Any] = {"reason": "mistake", "actor": make_user(), "now": now}
    take_off(DoNotCallEntry.objects.get().pk, phone_e164=E164, scope=None, **told)
    for row, hold in ((request, Hold.WANTED_TIME), (put_off, Hold.POSTPONED)):
        row.refresh_from_db()
        assert (row.due_at, row.hold_reason) == (wanted_at, hold)
        assert row.ledger.order_by("-pk").values_list("kind", flat=True)[0] == "scheduled"


def test_whoever_says_it_again_takes_back_what_they_asked_for_meanwhile() -> None:
    company, now = make_company(), timezone.now()
    for days in (30, 1):
        stop_calling(E164, company_id=company.pk, reason="opt_out", actor=None, now=now - timedelta(days=days))
    entry = DoNotCallEntry.objects.get()
    assert entry.added_at == now - timedelta(days=1)
    assert entry.listed_on < (now - timedelta(days=20)).date()
