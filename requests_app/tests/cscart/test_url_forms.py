"""Every way to name the list and an item in a URL that CS-Cart understands, and what it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from callcenter.accounts.models import User
from callcenter.tests.factories import make_call_request, make_company, make_user
from requests_app.models import CallRequest
from requests_app.tests.api import Shop, assert_error

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

LISTS = [
    "/api/2.0/call_requests",
    "/api/2.0/call_requests/",
    "/api/call_requests",
    "/api/call_requests/",
    "/api.php?_d=call_requests",
    "/api.php?_d=call_requests/",
    "/api.php?_d=2.0/call_requests",
    "/api.php?_d=2.0/call_requests&ajax_custom=1",
    # Newer versions, which answer alike.
    "/api/2.1/call_requests",
    "/api/4.0/call_requests/",
    "/api/4.1/call_requests",
    "/api.php?_d=4.0/call_requests",
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
    "/api/2.1/call_requests/{id}",
    "/api/4.0/call_requests/{id}/",
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
    "/api/3.0/call_requests",
    "/api/stores",
    "/api/stores/1",
    "/api/stores/1/orders",
    "/api/stores/x/call_requests",
    "/api/stores/0/call_requests",
    "/api.php?_d=orders",
]


@pytest.mark.conforms("CS-id-zero", "CS-slash", "CS-url-forms", "CS-versions")
@pytest.mark.parametrize("url", LISTS)
def test_a_list(shop: Shop, company: Company, url: str) -> None:
    make_call_request(company, name="a")

    answer = shop.get(url)

    assert answer.status_code == 200
    assert [item["name"] for item in answer.json()["call_requests"]] == ["a"]
    assert "_d" not in answer.json()["params"]


@pytest.mark.conforms("CS-echo")
def test_the_rewrite_rules_parameter_is_echoed_as_in_the_shops_own_samples(shop: Shop) -> None:
    assert shop.get("/api.php?_d=call_requests&ajax_custom=1").json()["params"]["ajax_custom"] == "1"


@pytest.mark.conforms("CS-id", "CS-url-forms", "CS-versions")
@pytest.mark.parametrize("url", ITEMS)
def test_an_item(shop: Shop, company: Company, url: str) -> None:
    call_request = make_call_request(company)

    answer = shop.get(url.format(id=call_request.pk))

    assert answer.json()["request_id"] == str(call_request.pk)


@pytest.mark.conforms("CS-url-forms")
@pytest.mark.parametrize("url", ["/api/call_requests/{id}", "/api.php?_d=call_requests/{id}"])
def test_an_item_is_changed_and_deleted_by_its_other_names_too(shop: Shop, company: Company, url: str) -> None:
    call_request = make_call_request(company)
    url = url.format(id=call_request.pk)

    assert shop.put(url, {"name": "Bia"}).json() == {"request_id": str(call_request.pk)}
    assert CallRequest.objects.get().name == "Bia"
    assert shop.delete(url).status_code == 204
    assert not CallRequest.objects.exists()


@pytest.mark.conforms("CS-url-forms")
@pytest.mark.parametrize("url", ["/api/call_requests", "/api.php?_d=call_requests"])
def test_the_list_takes_new_requests_by_its_other_names_too(shop: Shop, url: str) -> None:
    assert shop.post(url, {"phone": "1"}).status_code == 201


@pytest.mark.conforms("CS-delete-missing", "CS-get", "CS-id", "CS-put-missing")
@pytest.mark.parametrize("url", MISSING)
def test_a_number_that_is_no_request(shop: Shop, url: str) -> None:
    assert_error(shop.get(url), 404, phrase="Not Found")
    assert_error(shop.put(url, {"name": "x"}), 400, phrase="Bad Request")
    assert_error(shop.delete(url), 404, phrase="Not Found")


@pytest.mark.conforms("CS-id", "CS-slash")
@pytest.mark.parametrize("url", NOT_FOUND)
def test_what_names_nothing(shop: Shop, company: Company, url: str) -> None:
    make_call_request(company)

    assert_error(shop.get(url), 404, phrase="Not Found")


@pytest.mark.conforms("CS-entity", "CS-error", "CS-error-lists", "CS-versions-unknown")
@pytest.mark.parametrize("url", UNKNOWN)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_an_unknown_entity_is_named(shop: Shop, url: str, method: str) -> None:
    entity = url.partition("_d=")[2] or url.split("/")[2 if "2.0" not in url else 3]

    assert_error(shop.send(method, url, {"a": 1}), 404, "Not Found: ", f"“{entity}”")


@pytest.mark.conforms("CS-id-zero", "CS-put-no-id")
def test_put_and_delete_without_an_id_say_so(shop: Shop) -> None:
    for url in ["/api/2.0/call_requests", "/api/2.0/call_requests/0"]:
        for method in ["PUT", "DELETE"]:
            answer = shop.send(method, url, {"name": "x"})
            assert_error(answer, 405, "Method Not Allowed: ")
            assert answer["Allow"] == "GET, POST, OPTIONS"


@pytest.mark.conforms("CS-post-id")
def test_post_with_an_id_says_so(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company)

    answer = shop.post(f"/api/2.0/call_requests/{call_request.pk}", {"phone": "1"})

    assert_error(answer, 405, "Method Not Allowed: ")
    assert answer["Allow"] == "GET, PUT, DELETE, OPTIONS"


@pytest.mark.conforms("CS-methods")
@pytest.mark.parametrize("method", ["PATCH", "HEAD", "TRACE", "BREW"])
def test_other_methods_are_not_allowed(shop: Shop, company: Company, method: str) -> None:
    call_request = make_call_request(company)

    for url in ["/api/2.0/call_requests", f"/api/2.0/call_requests/{call_request.pk}", "/api/call_requests"]:
        assert shop.send(method, url).status_code == 405


@pytest.mark.conforms("CS-options")
def test_options_is_always_fine(shop: Shop) -> None:
    for url in ["/api/2.0/call_requests", "/api/2.0/call_requests/1", "/api/2.0/orders"]:
        answer = shop.send("OPTIONS", url)
        assert (answer.status_code, answer.json()) == (200, "")


@pytest.mark.conforms("CS-version")
@pytest.mark.parametrize(
    ("url", "version"),
    [
        ("/api/version", "2.0"),
        ("/api/version/", "2.0"),
        ("/api/2.0/version", "2.0"),
        ("/api/4.0/version", "4.0"),
        ("/api.php?_d=version", "2.0"),
        ("/api.php?_d=2.1/version", "2.1"),
    ],
)
def test_the_version_is_the_one_that_was_called(shop: Shop, url: str, version: str) -> None:
    assert shop.get(url).json() == {"Version": version}
    for method in ["POST", "PUT", "DELETE"]:
        assert_error(shop.send(method, url, {"a": 1}), 403, phrase="Forbidden")
    assert_error(shop.send("PATCH", url), 405, phrase="Method Not Allowed")
    assert_error(Client().get(url), 401, phrase="Unauthorized")


@pytest.mark.conforms("CS-stores")
def test_below_a_store_only_its_requests_are_seen_and_made(company: Company) -> None:
    other = make_company()
    shop = Shop(make_user(company, other))
    ours, theirs = make_call_request(company, name="a"), make_call_request(other, name="b")

    for base in [f"/api/2.0/stores/{other.pk}/call_requests", f"/api.php?_d=stores/{other.pk}/call_requests"]:
        assert [item["name"] for item in shop.get(base).json()["call_requests"]] == ["b"]
        assert shop.get(f"{base}/{theirs.pk}").json()["name"] == "b"
        assert_error(shop.get(f"{base}/{ours.pk}"), 404, phrase="Not Found")
        assert_error(shop.put(f"{base}/{ours.pk}", {"name": "x"}), 400, phrase="Bad Request")
        created = shop.post(base, {"phone": "1", "company_id": company.pk}).json()["request_id"]
        assert CallRequest.objects.get(pk=created).company == other
        CallRequest.objects.filter(pk=created).delete()
    assert shop.delete(f"/api/stores/{other.pk}/call_requests/{theirs.pk}").status_code == 204


@pytest.mark.conforms("CS-stores")
@pytest.mark.parametrize("is_bound", [True, False])
def test_a_store_that_the_caller_does_not_see_is_a_missing_one(company: Company, is_bound: bool) -> None:
    shop = Shop(make_user(company) if is_bound else User.objects.create_superuser("root@example.com"))
    missing = make_company().pk if is_bound else 999_999

    for url in [f"/api/stores/{missing}/call_requests", f"/api/stores/{missing}/call_requests/1"]:
        assert_error(shop.get(url), 404, phrase="Not Found")
    assert_error(shop.post(f"/api/stores/{missing}/call_requests", {"phone": "1"}), 404)
    assert shop.get(f"/api/stores/{company.pk}/call_requests").status_code == 200
    assert_error(shop.get("/api/stores/-1/call_requests"), 404)
    assert shop.get("/api/call_requests").status_code == 200


@pytest.mark.conforms("CS-child")
def test_below_a_request_the_right_to_read_it_weighs_more_than_the_missing_entity(shop: Shop, company: Company) -> None:
    stranger = Shop(User.objects.create_user("shop@example.com", None))
    url = f"/api/2.0/call_requests/{make_call_request(company).pk}/items"

    assert_error(stranger.get(url), 403, phrase="Forbidden")
    assert_error(shop.get(url), 404, phrase="Not Found")


@pytest.mark.conforms("CS-method-override")
@pytest.mark.parametrize("url", ["{url}?_METHOD={method}", "{url}"])
def test_a_post_may_name_another_method(shop: Shop, company: Company, url: str) -> None:
    call_request = make_call_request(company)
    item = f"/api/2.0/call_requests/{call_request.pk}"

    def send(method: str, target: str, **fields: str) -> Any:
        if "?" in url:
            return shop.post(url.format(url=target, method=method), fields)
        return shop.http.post(target, {"_METHOD": method, **fields})

    assert send("PUT", item, name="Bia").json() == {"request_id": str(call_request.pk)}
    assert send("get", item).json()["name"] == "Bia"
    assert_error(send("PUT", "/api/call_requests", name="x"), 405)
    assert_error(send("PATCH", item), 405)
    assert send("POST", "/api/call_requests", phone="1").status_code == 201
    assert send("DELETE", item).status_code == 204
    assert not CallRequest.objects.filter(pk=call_request.pk).exists()


@pytest.mark.conforms("CS-method-override")
def test_only_a_post_may_and_only_with_the_permission_for_the_other_method(shop: Shop, company: Company) -> None:
    user = User.objects.create_user("shop@example.com", None)
    user.companies.add(company)
    user.user_permissions.add(Permission.objects.get(codename="add_callrequest"))
    item = f"/api/2.0/call_requests/{make_call_request(company).pk}"

    assert shop.get(f"{item}?_METHOD=DELETE").status_code == 200
    assert_error(Shop(user).post(f"{item}?_METHOD=DELETE", {}), 403)
    assert_error(Shop(user).post(f"{item}?_METHOD=PUT", {"name": "x"}), 403)
    assert_error(shop.post(f"{item}?_METHOD=", {}), 405)
    assert CallRequest.objects.exists()
