"""What staff do with the selected requests, and what they are told about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from callcenter.tests.factories import (
    make_attendant,
    make_call_request,
    make_company,
    make_supervisor,
    make_user,
)
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import Hold, Source, Status

if TYPE_CHECKING:
    from django.test import Client

    from callcenter.accounts.models import Company, User

pytestmark = pytest.mark.django_db

LIST = reverse("admin:requests_app_callrequest_changelist")


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def supervisor(client: Client, company: Company) -> User:
    user = make_supervisor(company)
    client.force_login(user)
    return user


def act(client: Client, action: str, *rows: CallRequest, **more: str) -> list[str]:
    """What the user is told after the action."""
    data = {"action": action, "_selected_action": [row.pk for row in rows], **more}
    response = client.post(LIST, data)
    assert response.status_code == 302, response.content.decode()[:500]
    return [str(message) for message in get_messages(response.wsgi_request)]


def in_flight(row: CallRequest) -> CallRequest:
    CallRequest.objects.filter(pk=row.pk).update(in_flight=True, due_at=None, hold_reason=Hold.IN_FLIGHT)
    return row


def test_a_taken_request_is_the_users_own_and_leaves_the_dialers_queue(
    client: Client, company: Company, supervisor: User
) -> None:
    row = make_call_request(company)
    assert act(client, "take_selected", row) == ["Feito para 1 linha."]
    row.refresh_from_db()
    assert (row.responsible, row.hold_reason, row.due_at) == (supervisor, Hold.WITH_PERSON, None)


def test_dial_now_says_for_how_many_it_worked_and_why_not_for_the_others(
    client: Client, company: Company, supervisor: User
) -> None:
    closed = make_call_request(company, status=Status.COMPLETED)
    abroad = make_call_request(company, name="Api", phone="+7(999)111-22-33")
    ringing = in_flight(make_call_request(company, name="Bia"))
    told = act(client, "dial_selected", closed, abroad, ringing)
    assert told[0] == "Feito para 1 linha."
    assert sorted(told[1:]) == sorted(
        [
            f"Não foi possível: #{abroad.pk} Api: Não é um número brasileiro; o discador só liga para o Brasil.",
            f"Não foi possível: #{ringing.pk} Bia: Já há uma chamada em curso ou em dúvida para este pedido.",
        ]
    )
    closed.refresh_from_db()
    assert (closed.status, closed.hold_reason) == (Status.NEW, Hold.NONE)
    entry = LedgerEntry.objects.filter(call_request=closed).latest("id")
    assert (entry.source, entry.actor, entry.reason) == (Source.ADMIN, supervisor, "dial_now")


@pytest.mark.parametrize(
    ("action", "status"), [("complete_selected", Status.COMPLETED), ("no_answer_selected", Status.NO_ANSWER)]
)
@pytest.mark.usefixtures("supervisor")
def test_requests_are_closed_through_the_ledger(client: Client, company: Company, action: str, status: str) -> None:
    rows = [make_call_request(company), make_call_request(company)]
    assert act(client, action, *rows) == ["Feito para 2 linhas."]
    assert set(CallRequest.objects.values_list("status", flat=True)) == {status}
    assert LedgerEntry.objects.filter(to_status=status).count() == 2


@pytest.mark.usefixtures("supervisor")
def test_assigning_asks_to_whom_and_hands_over(client: Client, company: Company) -> None:
    person, stranger = make_user(company, first_name="Caio"), make_user(make_company(), first_name="Estranha")
    rows = [make_call_request(company), make_call_request(company)]
    page = client.post(LIST, {"action": "assign_selected", "_selected_action": [row.pk for row in rows]})
    assert "Caio" in page.content.decode()
    assert "Estranha" not in page.content.decode()
    told = act(client, "assign_selected", *rows, apply="1", responsible=str(person.pk))
    assert told == ["Feito para 2 linhas."]
    assert set(CallRequest.objects.values_list("responsible", flat=True)) == {person.pk}
    page = client.post(
        LIST,
        {"action": "assign_selected", "_selected_action": rows[0].pk, "apply": "1", "responsible": stranger.pk},
    )
    assert page.status_code == 200
    act(client, "assign_selected", rows[0], apply="1", responsible="")
    rows[0].refresh_from_db()
    assert rows[0].responsible is None


def test_an_attendant_can_neither_dial_nor_assign(client: Client, company: Company) -> None:
    client.force_login(make_attendant(company))
    row = make_call_request(company, status=Status.COMPLETED)
    page = client.get(LIST).content.decode()
    assert "complete_selected" in page
    assert "dial_selected" not in page
    assert "assign_selected" not in page
    assert act(client, "dial_selected", row) == ["Nenhuma ação selecionada."]
    do = reverse("admin:requests_app_callrequest_do", args=[row.pk])
    assert client.post(do, {"do": "dial"}).status_code == 403
    row.refresh_from_db()
    assert row.status == Status.COMPLETED


@pytest.mark.usefixtures("supervisor")
def test_the_buttons_of_a_requests_page_do_the_same(client: Client, company: Company) -> None:
    row = make_call_request(company)
    do = reverse("admin:requests_app_callrequest_do", args=[row.pk])
    assert "Marcado como “Concluído”." in client.post(do, {"do": "complete"}, follow=True).content.decode()
    row.refresh_from_db()
    assert row.status == Status.COMPLETED
    assert client.get(do).status_code == 405
    assert client.post(do, {"do": "format-disk"}).status_code == 403
    in_flight(row)
    assert "Já há uma chamada em curso" in client.post(do, {"do": "dial"}, follow=True).content.decode()


@pytest.mark.usefixtures("supervisor")
def test_a_request_is_deleted_with_its_ledger_kept_unless_it_is_being_dialed(client: Client, company: Company) -> None:
    ringing, idle = in_flight(make_call_request(company)), make_call_request(company)
    delete = [reverse("admin:requests_app_callrequest_delete", args=[row.pk]) for row in (ringing, idle)]
    assert "Há uma chamada em curso" in client.post(delete[0], {"post": "yes"}, follow=True).content.decode()
    assert client.post(delete[1], {"post": "yes"}).status_code == 302
    assert set(CallRequest.objects.values_list("pk", flat=True)) == {ringing.pk}
    assert LedgerEntry.objects.filter(call_request_id=idle.pk, kind=LedgerEntry.Kind.DELETED).exists()
    assert "delete_selected" not in client.get(LIST).content.decode()
