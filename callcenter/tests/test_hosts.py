"""A host name may belong to one dialect; everywhere else the path decides."""

from __future__ import annotations

from typing import Any

import pytest

from callcenter.tests.factories import make_call_request, make_company, make_user
from requests_app.tests.api import Shop, assert_error

pytestmark = pytest.mark.django_db

CSCART, VENDDOR, ELSEWHERE = "cscart.example.com", "api.venddor.example.com", "testserver"
TEMPBOX = "tempbox.example.com"


@pytest.fixture(autouse=True)
def _hosts(settings: Any) -> None:
    settings.CSCART_HOSTS = [CSCART, "old.venddor.example.com"]
    settings.VENDDOR_HOSTS = [".venddor.example.com"]
    settings.TEMPBOX_HOSTS = [TEMPBOX]
    settings.ALLOWED_HOSTS = ["testserver", *settings.CSCART_HOSTS, *settings.VENDDOR_HOSTS, TEMPBOX]


@pytest.fixture
def shop() -> Shop:
    """The program of a shop with one request."""
    company = make_company()
    make_call_request(company)
    return Shop(make_user(company))


def dialect_of(shop: Shop, url: str, host: str) -> str:
    """The dialect in which a list is answered."""
    answer = shop.get(url, host=host)
    if answer.status_code == 404:
        assert_error(answer, 404, phrase="Not Found")
        return "none"
    return "CS-Cart" if "request_id" in answer.json()["call_requests"][0] else "Venddor"


@pytest.mark.conforms("CS-host", "VD-host")
@pytest.mark.parametrize(
    ("host", "short", "long"),
    [
        (ELSEWHERE, "CS-Cart", "Venddor"),
        (CSCART, "CS-Cart", "none"),
        (f"{CSCART.upper()}:8000", "CS-Cart", "none"),
        ("old.venddor.example.com", "CS-Cart", "none"),
        (VENDDOR, "Venddor", "Venddor"),
        (f"{VENDDOR}:8000", "Venddor", "Venddor"),
    ],
)
def test_the_host_chooses_the_dialect(shop: Shop, host: str, short: str, long: str) -> None:
    assert dialect_of(shop, "/api/2.0/call_requests", host) == short
    assert dialect_of(shop, "/venddor/api/2.0/call_requests", host) == long


@pytest.mark.parametrize("path", ["/api/call_requests", "/api.php?_d=call_requests", "/api/2.0/orders", "/api/", "/x"])
def test_at_a_host_of_venddors_nothing_speaks_cscart(shop: Shop, path: str) -> None:
    answer = shop.get(path, host=VENDDOR)

    assert answer.status_code == 404
    if path != "/x":
        assert_error(answer, 404, phrase="Not Found")


@pytest.mark.conforms("VD-host")
def test_one_request_and_the_log_in_are_there_too(shop: Shop) -> None:
    number = shop.get("/api/2.0/call_requests", host=VENDDOR).json()["call_requests"][0]["id"]

    assert shop.get(f"/api/2.0/call_requests/{number}/", host=VENDDOR).json()["id"] == number
    assert_error(shop.post("/api/auth", {}, host=VENDDOR), 400, "email", "password")


@pytest.mark.conforms("TB-host")
@pytest.mark.parametrize(("host", "is_spoken"), [(ELSEWHERE, True), (TEMPBOX, True), (CSCART, False), (VENDDOR, False)])
def test_tempbox_is_spoken_at_its_own_host_and_where_the_path_decides(shop: Shop, host: str, is_spoken: bool) -> None:
    answer = shop.post("/api/Atendimento/Listar", {}, host=host)
    assert (answer.json().get("Message") == "Invalid token") is is_spoken
    assert answer.status_code in ({401} if is_spoken else {401, 404})


def test_at_a_host_of_tempboxs_nothing_else_is_spoken(shop: Shop) -> None:
    assert dialect_of(shop, "/api/2.0/call_requests", TEMPBOX) == "none"
    assert dialect_of(shop, "/venddor/api/2.0/call_requests", TEMPBOX) == "none"


@pytest.mark.parametrize("host", [CSCART, VENDDOR, TEMPBOX, ELSEWHERE])
@pytest.mark.parametrize("path", ["/healthz", "/admin/login/", "/api/schema/"])
def test_the_rest_is_at_every_host(shop: Shop, host: str, path: str) -> None:
    assert shop.get(path, host=host).status_code == 200


def test_a_strange_host_is_still_a_400(shop: Shop) -> None:
    assert_error(shop.get("/api/2.0/call_requests", host="evil.example"), 400, phrase="Bad Request")
