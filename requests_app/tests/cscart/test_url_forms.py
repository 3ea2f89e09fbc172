"""Every way to name the list and an item in a URL that CS-Cart understands, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from callcenter.tests.factories import make_call_request
from requests_app.models import CallRequest
from requests_app.tests.api import assert_error

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

LISTS = [
    "/api/2.0/call_requests",
    "/api/2.0/call_requests/",
    "/api/call_requests",
    "/api/call_requests/",
    "/api.php?_d=call_requests",
    "/api.php?_d=call_requests/",
    "/api.php?_d=2.0/call_requests",
    "/api.php?_d=2.0/call_requests&ajax_custom=1",
    # An id of 0 is no id.
    "/api/2.0/call_requests/0",
    "/api/2.0/call_requests/0.5",
]
ITEMS = [
    "/api/2.0/call_requests/{id}",
    "/api/2.0/call_requests/{id}/",
    "/api/call_requests/{id}",
    "/api/call_requests/{id}/",
    "/api.php?_d=call_requests/{id}",
    "/api.php?_d=2.0/call_requests/{id}/",
    # What PHP takes for a number, cut to an integer.
    "/api/2.0/call_requests/{id}.7",
    "/api/2.0/call_requests/{id}e0",
    "/api/2.0/call_requests/00{id}",
    "/api/2.0/call_requests/+{id}",
]
MISSING = [
    "/api/2.0/call_requests/999999",
    "/api/2.0/call_requests/-1",
    "/api/2.0/call_requests/1e999",
    "/api/2.0/call_requests/999999999999999999",
    "/api/2.0/call_requests/99999999999999999999999999",
]
NOT_FOUND = [
    "/api/2.0/call_requests/abc",
    "/api/2.0/call_requests/5x",
    "/api/2.0/call_requests/٣",
    "/api/2.0//call_requests",
    "/api//call_requests",
    "/api/2.0/call_requests//",
    "/api/2.0/call_requests/1/items",
    "/api.php",
]
UNKNOWN = [
    "/api/2.0/orders",
    "/api/orders/5",
    "/api/1.0/call_requests",
    "/api/2/call_requests",
    "/api/2.1/call_requests",
    "/api/version",
    "/api/stores/1/call_requests",
    "/api.php?_d=orders",
]


@pytest.mark.parametrize("url", LISTS)
def test_a_list(shop: Shop, company: Company, url: str) -> None:
    make_call_request(company, name="a")

    answer = shop.get(url)

    assert answer.status_code == 200
    assert [item["name"] for item in answer.json()["call_requests"]] == ["a"]
    assert "_d" not in answer.json()["params"]


def test_the_rewrite_rules_parameter_is_echoed_as_in_the_shops_own_samples(shop: Shop) -> None:
    assert shop.get("/api.php?_d=call_requests&ajax_custom=1").json()["params"]["ajax_custom"] == "1"


@pytest.mark.parametrize("url", ITEMS)
def test_an_item(shop: Shop, company: Company, url: str) -> None:
    call_request = make_call_request(company)

    answer = shop.get(url.format(id=call_request.pk))

    assert answer.json()["request_id"] == str(call_request.pk)


@pytest.mark.parametrize("url", ["/api/call_requests/{id}", "/api.php?_d=call_requests/{id}"])
def test_an_item_is_changed_and_deleted_by_its_other_names_too(shop: Shop, company: Company, url: str) -> None:
    call_request = make_call_request(company)
    url = url.format(id=call_request.pk)

    assert shop.put(url, {"name": "Bia"}).json() == {"request_id": str(call_request.pk)}
    assert CallRequest.objects.get().name == "Bia"
    assert shop.delete(url).status_code == 204
    assert not CallRequest.objects.exists()


@pytest.mark.parametrize("url", ["/api/call_requests", "/api.php?_d=call_requests"])
def test_the_list_takes_new_requests_by_its_other_names_too(shop: Shop, url: str) -> None:
    assert shop.post(url, {"phone": "1"}).status_code == 201


@pytest.mark.parametrize("url", MISSING)
def test_a_number_that_is_no_request(shop: Shop, url: str) -> None:
    assert_error(shop.get(url), 404, phrase="Not Found")
    assert_error(shop.put(url, {"name": "x"}), 400, phrase="Bad Request")
    assert_error(shop.delete(url), 404, phrase="Not Found")


@pytest.mark.parametrize("url", NOT_FOUND)
def test_what_names_nothing(shop: Shop, company: Company, url: str) -> None:
    make_call_request(company)

    assert_error(shop.get(url), 404, phrase="Not Found")


@pytest.mark.parametrize("url", UNKNOWN)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_an_unknown_entity_is_named(shop: Shop, url: str, method: str) -> None:
    entity = url.partition("_d=")[2] or url.split("/")[2 if "2.0" not in url else 3]

    assert_error(shop.send(method, url, {"a": 1}), 404, "Not Found: ", f"“{entity}”")


def test_put_and_delete_without_an_id_say_so(shop: Shop) -> None:
    for url in ["/api/2.0/call_requests", "/api/2.0/call_requests/0"]:
        for method in ["PUT", "DELETE"]:
            answer = shop.send(method, url, {"name": "x"})
            assert_error(answer, 405, "Method Not Allowed: ")
            assert answer["Allow"] == "GET, POST, OPTIONS"


def test_post_with_an_id_says_so(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company)

    answer = shop.post(f"/api/2.0/call_requests/{call_request.pk}", {"phone": "1"})

    assert_error(answer, 405, "Method Not Allowed: ")
    assert answer["Allow"] == "GET, PUT, DELETE, OPTIONS"


@pytest.mark.parametrize("method", ["PATCH", "HEAD", "TRACE", "BREW"])
def test_other_methods_are_not_allowed(shop: Shop, company: Company, method: str) -> None:
    call_request = make_call_request(company)

    for url in ["/api/2.0/call_requests", f"/api/2.0/call_requests/{call_request.pk}", "/api/call_requests"]:
        assert shop.send(method, url).status_code == 405


def test_options_is_always_fine(shop: Shop) -> None:
    for url in ["/api/2.0/call_requests", "/api/2.0/call_requests/1", "/api/2.0/orders"]:
        answer = shop.send("OPTIONS", url)
        assert (answer.status_code, answer.json()) == (200, "")
