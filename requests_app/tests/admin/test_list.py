"""The list of call requests: what it shows, finds and filters, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_call_request, make_company, make_line, make_supervisor, make_user
from requests_app.models import CallRequest
from requests_app.states import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from callcenter.accounts.models import Company, User

pytestmark = pytest.mark.django_db

LIST = reverse("admin:requests_app_callrequest_changelist")


@pytest.fixture
def company() -> Company:
    return make_company("Loja Aurora")


@pytest.fixture
def supervisor(client: Client, company: Company) -> User:
    user = make_supervisor(company)
    client.force_login(user)
    return user


def found(client: Client, query: str) -> set[int]:
    response = client.get(LIST + query)
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


@pytest.mark.usefixtures("supervisor")
def test_the_list_shows_status_number_and_why_the_request_is_not_dialed(client: Client, company: Company) -> None:
    make_call_request(company, name="Ana", phone="11987654321", wanted_at=timezone.now() + timedelta(hours=2))
    make_call_request(company, name="Api", phone="+7(999)111-22-33")
    page = client.get(LIST).content.decode().replace("\xa0", " ")
    assert "(11) 98765-4321" in page
    assert "Aguarda o horário pedido" in page
    assert "em 2 horas" in page or "em 1 hora" in page
    assert "+7(999)111-22-33" in page
    assert "O número não é brasileiro" in page
    assert '<span class="badge badge--new">Novo</span>' in page


@pytest.mark.usefixtures("supervisor")
def test_a_due_request_says_what_its_companys_lines_wait_for(client: Client, company: Company) -> None:
    make_call_request(company)
    make_line(company, is_enabled=False)
    assert "A linha está desligada" in client.get(LIST).content.decode()


def test_a_page_costs_the_same_queries_for_ten_rows_and_for_a_hundred(
    client: Client, company: Company, supervisor: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    make_line(company)
    for count in (10, 100):
        while CallRequest.objects.count() < count:
            make_call_request(company, responsible_id=supervisor.pk)
        client.get(LIST)
        with django_assert_num_queries(17):
            client.get(LIST + "?all=")


@pytest.mark.usefixtures("supervisor")
@pytest.mark.parametrize(
    "text", ["(11) 98765-4321", "11987654321", "98765 4321", "011 98765.4321", "+55 11 98765-4321"]
)
def test_a_phone_is_found_in_any_punctuation(client: Client, company: Company, text: str) -> None:
    wanted = make_call_request(company, phone="11 9 8765-4321")
    make_call_request(company, phone="(21) 3333-4444")
    assert found(client, "?q=" + text.replace("+", "%2B").replace(" ", "%20")) == {wanted.pk}


@pytest.mark.usefixtures("supervisor")
def test_a_number_that_is_not_dialed_is_found_by_its_digits_too(client: Client, company: Company) -> None:
    wanted = make_call_request(company, phone="+7(999)111-22-33")
    make_call_request(company)
    assert found(client, "?q=79991112233") == {wanted.pk}


@pytest.mark.usefixtures("supervisor")
def test_names_and_addresses_are_found_by_their_parts(client: Client, company: Company) -> None:
    wanted = make_call_request(company, name="Ana Beatriz", email="ab@example.com")
    make_call_request(company, name="Bruno")
    assert found(client, "?q=beatriz+ana") == {wanted.pk}
    assert found(client, "?q=ab@example") == {wanted.pk}


@pytest.mark.usefixtures("supervisor")
def test_a_requests_number_in_the_search_box_goes_straight_to_its_page(client: Client, company: Company) -> None:
    wanted = make_call_request(company, phone="(11) 98765-4321")
    page = reverse("admin:requests_app_callrequest_change", args=[wanted.pk])
    CallRequest.objects.exclude(pk=wanted.pk).delete()
    assert client.get(f"{LIST}?q=%23{wanted.pk}").headers["Location"] == page


@pytest.mark.usefixtures("supervisor")
def test_digits_that_may_be_a_phone_or_a_request_list_both(client: Client, company: Company) -> None:
    request = make_call_request(company, phone="(21) 3333-4444")
    other = make_call_request(company, phone=f"(11) 98765-{request.pk:04d}")
    assert found(client, f"?q={request.pk:04d}") == {request.pk, other.pk}


def test_the_responsible_filter_knows_mine_nobodys_and_a_colleagues(
    client: Client, company: Company, supervisor: User
) -> None:
    colleague = make_user(company)
    mine = make_call_request(company, responsible_id=supervisor.pk)
    nobodys = make_call_request(company)
    theirs = make_call_request(company, responsible_id=colleague.pk)
    assert found(client, "?responsavel=eu") == {mine.pk}
    assert found(client, "?responsavel=ninguem") == {nobodys.pk}
    assert found(client, f"?responsavel={colleague.pk}") == {theirs.pk}


@pytest.mark.usefixtures("supervisor")
def test_every_number_of_the_front_page_is_the_length_of_the_list_behind_it(client: Client, company: Company) -> None:
    now = timezone.now()
    for fields in (
        {},
        {"wanted_at": now + timedelta(hours=1)},
        {"status": Status.COMPLETED},
        {"status": Status.NO_ANSWER},
        {"status": Status.IN_PROGRESS},
        {"phone": "123"},
        {"status": Status.COMPLETED, "requested_at": now - timedelta(days=3), "completed_at": now - timedelta(days=2)},
        {"requested_at": now - timedelta(days=3)},
    ):
        make_call_request(company, **fields)
    flying = make_call_request(company)
    CallRequest.objects.filter(pk=flying.pk).update(in_flight=True, due_at=None, hold_reason="in_flight")
    panels = client.get(reverse("admin:index")).context["panels"]
    figures = [figure for panel in panels for figure in panel.figures if figure.url.startswith(LIST)]
    assert len(figures) == 9
    assert all(figure.value for figure in figures)
    for figure in figures:
        assert len(found(client, figure.url.removeprefix(LIST))) == figure.value, figure.label
