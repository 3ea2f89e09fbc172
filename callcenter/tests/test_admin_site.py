"""The admin as a whole: its front page, menu, presence switch, headers and language."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.lib.dashboard import Figure, Panel, Row, merged
from callcenter.lib.display import clock, relative, span
from callcenter.tests.factories import (
    PASSWORD,
    make_attendant,
    make_call_request,
    make_company,
    make_line,
    make_supervisor,
    make_user,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

pytestmark = pytest.mark.django_db

INDEX = reverse("admin:index")
PRESENCE = reverse("admin:presence")


def test_the_front_page_costs_the_same_queries_whatever_there_is(
    client: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    client.force_login(make_supervisor())
    company = make_company()
    for _more in range(2):
        make_line(company)
        make_attendant(company)
        make_call_request(company)
        with django_assert_num_queries(24):
            client.get(INDEX)
        for _n in range(10):
            other = make_company()
            make_line(other)
            make_attendant(other)
            make_call_request(other)


def test_the_front_page_says_how_each_line_is_doing(client: Client) -> None:
    client.force_login(make_supervisor())
    make_line(make_company(), is_enabled=False)
    page = client.get(INDEX).content.decode()
    assert "A linha está desligada" in page
    assert "Chamadas em dúvida" in page
    assert "Eventos sem chamada" in page


def test_an_attendant_meets_only_what_the_role_may_see(client: Client) -> None:
    client.force_login(make_attendant(make_company()))
    page = client.get(INDEX).content.decode()
    assert "Pedidos de ligação" in page
    assert "Chamadas em dúvida" in page
    for hidden in ("Linhas de discagem", "Eventos", "Usuários", "Chaves de API", "Contas Directcall"):
        assert hidden not in page
    assert client.get(reverse("admin:telephony_dialerline_changelist")).status_code == 403


def test_a_person_without_a_role_is_told_so(client: Client) -> None:
    user = User.objects.create_user("nova@example.com", "x", is_staff=True)
    client.force_login(user)
    assert "Sua conta ainda não tem um papel" in client.get(INDEX).content.decode()


@pytest.mark.parametrize("presence", User.Presence.values)
def test_presence_is_set_and_the_person_stays_where_they_were(client: Client, presence: str) -> None:
    user = make_user()
    client.force_login(user)
    response = client.post(PRESENCE, {"presence": presence, "next": "/admin/requests_app/callrequest/?q=x"})
    assert response.headers["Location"] == "/admin/requests_app/callrequest/?q=x"
    user.refresh_from_db()
    assert user.presence == presence


def test_presence_takes_no_nonsense_and_leads_nowhere_else(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    response = client.post(PRESENCE, {"presence": "asleep", "next": "https://example.com/"})
    assert response.headers["Location"] == INDEX
    user.refresh_from_db()
    assert user.presence == User.Presence.OFFLINE
    assert client.get(PRESENCE).status_code == 405


def test_presence_needs_a_login_and_a_csrf_token(client: Client) -> None:
    assert client.post(PRESENCE, {"presence": "available"}).status_code == 302
    client.handler.enforce_csrf_checks = True
    client.force_login(make_user())
    assert client.post(PRESENCE, {"presence": "available"}).status_code == 403


def test_pages_allow_no_inline_script_or_style_and_contain_none(client: Client) -> None:
    client.force_login(make_user())
    company = make_company()
    row, line = make_call_request(company), make_line(company)
    for address in (
        INDEX,
        reverse("admin:requests_app_callrequest_changelist"),
        reverse("admin:requests_app_callrequest_change", args=[row.pk]),
        reverse("admin:telephony_dialerline_change", args=[line.pk]),
    ):
        response = client.get(address)
        policy = response.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy + ";"
        assert "style-src 'self';" in policy + ";"
        page = response.content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page


def test_roles_are_code_and_not_in_the_admin() -> None:
    assert not admin.site.is_registered(Group)


def test_the_login_speaks_portuguese_and_takes_an_address_in_any_case(client: Client) -> None:
    make_user(email="ana@example.com")
    login = reverse("admin:login")
    assert "E-mail" in client.get(login).content.decode()
    wrong = client.post(login, {"username": "ana@example.com", "password": "x"})
    assert "Por favor, insira" in wrong.content.decode()
    right = client.post(login, {"username": "ANA@Example.com", "password": PASSWORD, "next": INDEX})
    assert right.status_code == 302


def test_panels_of_one_title_are_one() -> None:
    figure, row = Figure("a", 1, "/"), Row("b", "", "/", "ok")
    panels = merged([Panel("Dois", 2, [figure]), Panel("Um", 1), Panel("Dois", 2, rows=[row])])
    assert panels == [Panel("Um", 1), Panel("Dois", 2, [figure], [row])]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "agora"), (59, "agora"), (300, "em 5 minutos"), (-7200, "há 2 horas"), (-86400 * 3, "há 3 dias")],
)
def test_instants_are_told_by_their_distance(seconds: int, text: str) -> None:
    now = timezone.now()
    assert relative(now + timedelta(seconds=seconds), now=now).replace("\xa0", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 segundo"), (90, "90 segundos"), (120, "2 minutos"), (3600, "1 hora"), (172800, "2 dias")],
)
def test_spans_are_told_in_their_largest_whole_unit(seconds: int, text: str) -> None:
    assert span(seconds) == text


def test_a_calls_length_is_told_in_minutes_and_seconds() -> None:
    assert [clock(seconds) for seconds in (-1, 0, 67, 3600)] == ["0:00", "0:00", "1:07", "60:00"]
