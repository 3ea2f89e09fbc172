"""What no view answers: JSON where programs call, a page where people look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.http import HttpResponse
from django.test import Client

from callcenter import error_pages
from callcenter.tests.factories import make_attendant, make_company

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase
    from django.test import RequestFactory
    from django.test.client import _MonkeyPatchedWSGIResponse


def assert_json(response: _MonkeyPatchedWSGIResponse, status: int, phrase: str) -> None:
    """The answer is the dialects' error body."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert response.json() == {"message": phrase, "status": status}


@pytest.mark.parametrize("path", ["/api2", "/api.phpx", "/venddors/api", "/webhooks/x"])
def test_an_unknown_path_of_the_programs_is_json(path: str) -> None:
    assert_json(Client().get(path), 404, "Not Found")


def assert_page(response: HttpResponseBase, status: int, heading: str) -> None:
    """The answer is our page in the staff's language, with the way back."""
    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert isinstance(response, HttpResponse)
    page = response.content.decode()
    assert '<html lang="pt-br">' in page
    assert f"<h1>{heading}</h1>" in page
    assert 'href="/admin/"' in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/nowhere", "/admin/nowhere"])
def test_an_unknown_path_of_people_is_a_page(client: Client, path: str) -> None:
    client.force_login(make_attendant(make_company()))

    assert_page(client.get(path), 404, "Página não encontrada")


def test_the_front_door_and_the_panel_without_its_slash_lead_to_the_panel() -> None:
    for path in ("/", "/admin"):
        assert Client().get(path)["Location"] == "/admin/"


@pytest.mark.django_db
def test_what_a_role_may_not_do_is_said_on_a_page(client: Client) -> None:
    client.force_login(make_attendant(make_company()))

    assert_page(client.get("/admin/telephony/dialerline/"), 403, "Sem permissão")


@pytest.mark.django_db
def test_a_form_that_lay_open_too_long_is_refused_on_a_page() -> None:
    response = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})

    assert_page(response, 403, "A página ficou velha")


@pytest.mark.parametrize("path", ["/api/2.0/call_requests", "/api.php", "/venddor/api/2.0/call_requests"])
def test_a_strange_host_name_is_a_400_in_json(path: str) -> None:
    assert_json(Client().get(path, headers={"host": "evil.example"}), 400, "Bad Request")


def test_a_strange_host_name_in_the_panel_is_a_page() -> None:
    assert_page(Client().get("/admin/", headers={"host": "evil.example"}), 400, "Pedido inválido")


def test_a_failure_outside_every_view_is_a_500_in_the_readers_form(rf: RequestFactory) -> None:
    assert error_pages.server_error(rf.get("/api/2.0/call_requests"))["Content-Type"] == "application/json"
    assert_page(error_pages.server_error(rf.get("/admin/")), 500, "Falha no sistema")


def test_too_many_query_parameters_are_a_400_in_json() -> None:
    query = "&".join(f"a{number}=1" for number in range(1001))

    assert_json(Client().get(f"/api.php?{query}"), 400, "Bad Request")
