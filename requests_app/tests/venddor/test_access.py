"""Keys, permissions, the wall between companies, and messages that are no requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from callcenter.accounts.models import User
from callcenter.tests.factories import make_call_request, make_company
from requests_app.models import CallRequest
from requests_app.tests.api import Shop, assert_error, basic

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

URL = "/venddor/api/2.0/call_requests"


@pytest.mark.conforms("VD-auth", "VD-errors")
@pytest.mark.parametrize("header", ["", "Basic ?", "Bearer x", basic("shop@example.com", "wrong")])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.django_db
def test_without_a_right_key_everything_is_a_401(header: str, method: str) -> None:
    nowhere = [
        "/venddor",
        "//venddor/api",
        "/venddor/api/1.0/call_requests",
        "/venddor/api/2.0//call_requests",
        "/venddor/x",
    ]
    for url in [URL, f"{URL}/1", f"{URL}/abc", f"{URL}/1/items", *nowhere]:
        answer = Client().generic(method, "/", "{ broken", headers={"authorization": header}, PATH_INFO=url)
        assert_error(answer, 401, phrase="Unauthorized")
        assert answer["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.conforms("VD-permissions")
@pytest.mark.parametrize("held", ["view", "add", "change", "delete", None])
def test_each_method_asks_for_its_own_permission(company: Company, held: str | None) -> None:
    user = User.objects.create_user("shop@example.com", None)
    user.companies.add(company)
    if held:
        user.user_permissions.add(Permission.objects.get(codename=f"{held}_callrequest"))
    shop = Shop(user)
    url = f"{URL}/{make_call_request(company).pk}"

    for permission, method, target, status in [
        ("view", "GET", URL, 200),
        ("view", "GET", url, 200),
        ("add", "POST", URL, 201),
        ("change", "PUT", url, 200),
        ("delete", "DELETE", url, 204),
    ]:
        answer = shop.send(method, target, {"phone": "1"})
        if permission == held:
            assert answer.status_code == status
        else:
            assert_error(answer, 403, phrase="Forbidden")


@pytest.mark.conforms("VD-scope")
def test_a_foreign_request_answers_byte_for_byte_as_a_missing_one(shop: Shop) -> None:
    foreign = make_call_request(make_company(), name="Segredo")

    for method in ["GET", "PUT", "DELETE"]:
        theirs = shop.send(method, f"{URL}/{foreign.pk}", {"name": "x"})
        missing = shop.send(method, f"{URL}/999999", {"name": "x"})
        assert_error(theirs, 404, phrase="Not Found")
        assert (theirs.content, theirs.headers) == (missing.content, missing.headers)
    assert shop.get(URL).json()["call_requests"] == []
    assert CallRequest.objects.get().name == "Segredo"


@pytest.mark.conforms("VD-body")
@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"phone": NaN}', b'{"name": "\xff"}', b"[" * 100_000, b"[]", b'"x"', b"5", b"null"]
)
def test_a_body_that_is_no_json_object_is_a_400(shop: Shop, company: Company, body: bytes) -> None:
    url = f"{URL}/{make_call_request(company).pk}"

    assert_error(shop.post(URL, body), 400, "Bad Request: ", "JSON")
    assert_error(shop.put(url, body), 400, "Bad Request: ", "JSON")


@pytest.mark.conforms("VD-content-type")
@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_content_type_is_told_the_right_one(shop: Shop, content_type: str) -> None:
    answer = shop.post(URL, '{"phone": "1"}', content_type=content_type)

    assert_error(answer, 415, "application/json")


@pytest.mark.conforms("VD-base")
def test_a_trailing_slash_is_ignored(shop: Shop) -> None:
    created = shop.post(f"{URL}/", {"phone": "1"}).json()

    assert shop.get(f"{URL}/{created['id']}/").json() == created
    assert shop.get(f"{URL}/").json()["call_requests"] == [created]


@pytest.mark.conforms("VD-errors", "VD-missing")
@pytest.mark.parametrize(
    "path", ["/0", "/999999", f"/{10**30}", "/abc", "/1.5", "/-1", "/1/items", "//", "/../orders", "x"]
)
def test_what_names_nothing_is_a_404(shop: Shop, path: str) -> None:
    assert_error(shop.get(f"{URL}{path}"), 404, phrase="Not Found")


@pytest.mark.conforms("VD-methods")
def test_other_methods_are_not_allowed(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company)

    for method, url in [("PUT", URL), ("DELETE", URL), ("PATCH", URL), ("POST", f"{URL}/{call_request.pk}")]:
        assert_error(shop.send(method, url, {"phone": "1"}), 405, phrase="Method Not Allowed")


@pytest.mark.conforms("VD-https")
def test_where_https_is_asked_for_a_call_in_the_clear_is_a_403_and_no_redirect(shop: Shop, settings: Any) -> None:
    settings.HTTPS = True

    assert_error(shop.get(URL), 403, "Forbidden: ", "HTTPS")
    assert shop.http.get(URL, secure=True).status_code == 200
