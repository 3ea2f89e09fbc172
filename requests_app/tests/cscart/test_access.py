"""Who may do what: keys, permissions, and the wall between companies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from callcenter.accounts.models import ApiKey, User
from callcenter.accounts.services import revoke_api_key
from callcenter.tests.factories import make_call_request, make_company, make_user
from requests_app.models import CallRequest
from requests_app.tests.api import Shop, assert_error, basic

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

URL = "/api/2.0/call_requests"


@pytest.mark.conforms("CS-auth-first", "CS-error")
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic ?",
        "Basic 7777",
        "Bearer {key}",
        "{key}",
        basic("", ""),
        basic("shop@example.com", ""),
        basic("shop@example.com", "   "),
        basic("shop@example.com", "wrong"),
        basic("shop@example.com", "a\x00b"),
        basic("shop@example.com", "é" * 40),
        basic("other@example.com", "{key}"),
    ],
)
@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", URL),
        ("POST", URL),
        ("OPTIONS", URL),
        ("PATCH", URL),
        ("PUT", f"{URL}/1"),
        ("DELETE", f"{URL}/abc"),
        ("GET", "/api/2.0/no_such_entity"),
        ("GET", "/api/1.0/call_requests"),
        ("GET", "/api/2.0//call_requests"),
        ("GET", "/api"),
        ("GET", "//api/2.0/call_requests"),
        ("GET", "/api.php"),
        ("GET", "/api.php/x"),
    ],
)
@pytest.mark.django_db
def test_without_a_right_key_everything_is_a_401(header: str | None, method: str, url: str) -> None:
    headers = {} if header is None else {"authorization": header}
    body = "{ broken"

    # Named apart, because the client takes what follows // for a host.
    answer = Client().generic(
        method, "/", body, content_type="text/xml", headers={**headers, "accept": "text/html"}, PATH_INFO=url
    )

    assert_error(answer, 401, phrase="Unauthorized")
    assert answer["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.conforms("CS-auth")
def test_the_address_may_be_typed_in_any_case_and_the_key_with_blanks_around(shop: Shop) -> None:
    header = basic(f" {shop.user.email.upper()} ", f" {shop.key} ")

    assert Client().get(URL, headers={"authorization": header}).status_code == 200


@pytest.mark.conforms("CS-auth")
def test_another_users_address_with_a_right_key_is_a_401(shop: Shop, company: Company) -> None:
    other = make_user(company)

    assert_error(Client().get(URL, headers={"authorization": basic(other.email, shop.key)}), 401)


@pytest.mark.conforms("CS-auth")
def test_a_revoked_key_and_an_inactive_user_are_refused(shop: Shop) -> None:
    User.objects.update(is_active=False)
    assert_error(shop.get(URL), 401)
    User.objects.update(is_active=True)
    assert shop.get(URL).status_code == 200
    revoke_api_key(ApiKey.objects.get())
    assert_error(shop.get(URL), 401)


@pytest.mark.conforms("CS-auth")
def test_the_use_of_a_key_is_noted_to_the_minute(shop: Shop) -> None:
    shop.get(URL)
    first = ApiKey.objects.get().last_used_at
    shop.get(URL)
    assert first is not None
    assert ApiKey.objects.get().last_used_at == first

    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    shop.get(URL)
    assert ApiKey.objects.filter(last_used_at__gte=first).exists()


@pytest.mark.conforms("CS-customers", "CS-privileges")
@pytest.mark.parametrize("held", ["view", "add", "change", "delete", None])
def test_each_method_asks_for_its_own_permission(company: Company, held: str | None) -> None:
    user = User.objects.create_user("shop@example.com", None)
    user.companies.add(company)
    if held:
        user.user_permissions.add(Permission.objects.get(codename=f"{held}_callrequest"))
    shop = Shop(user)
    call_request = make_call_request(company)
    calls = [
        ("view", "GET", URL, 200),
        ("view", "GET", f"{URL}/{call_request.pk}", 200),
        ("add", "POST", URL, 201),
        ("change", "PUT", f"{URL}/{call_request.pk}", 200),
        ("delete", "DELETE", f"{URL}/{call_request.pk}", 204),
    ]

    for permission, method, url, status in calls:
        answer = shop.send(method, url, {"phone": "1"})
        if permission == held:
            assert answer.status_code == status
        else:
            assert_error(answer, 403, phrase="Forbidden")
    assert CallRequest.objects.count() == {"add": 2, "delete": 0}.get(held or "", 1)


@pytest.mark.conforms("CS-order")
def test_a_missing_permission_weighs_more_than_a_missing_request_or_body(company: Company) -> None:
    shop = Shop(User.objects.create_user("shop@example.com", None))

    assert_error(shop.put(f"{URL}/1", {}), 403)
    assert_error(shop.delete(URL), 403)
    assert_error(shop.post(f"{URL}/5", {}), 403)


@pytest.mark.conforms("CS-privileges")
def test_a_superuser_may_do_everything_everywhere(company: Company) -> None:
    shop = Shop(User.objects.create_superuser("root@example.com"))
    call_request = make_call_request(company)

    assert shop.get(f"{URL}/{call_request.pk}").status_code == 200
    assert shop.delete(f"{URL}/{call_request.pk}").status_code == 204


@pytest.mark.conforms("CS-scope")
def test_a_foreign_request_answers_byte_for_byte_as_a_missing_one(shop: Shop) -> None:
    foreign = make_call_request(make_company(), name="Segredo")

    for method, body in [("GET", b""), ("PUT", {"name": "x"}), ("PUT", {"zzz": 1}), ("DELETE", b"")]:
        theirs = shop.send(method, f"{URL}/{foreign.pk}", body)
        missing = shop.send(method, f"{URL}/999999", body)
        assert theirs.status_code == missing.status_code >= 400
        assert theirs.content == missing.content
        assert theirs.headers == missing.headers
    assert shop.get(URL).json()["call_requests"] == []
    assert CallRequest.objects.get().name == "Segredo"


@pytest.mark.conforms("CS-mirrors")
def test_the_mirrors_of_another_company_are_not_shown(shop: Shop, company: Company) -> None:
    foreign = make_company()
    foreign.product_set.create(number=5, name="Segredo")
    foreign.order_set.create(number=6, status="P")
    call_request = make_call_request(
        company, product_number=5, order_number=6, cart_products=[{"product_id": 5, "amount": 1}]
    )

    item = shop.get(f"{URL}/{call_request.pk}").json()

    assert (item["product"], item["order_status"]) == (None, None)
    assert item["cart_products"] == [{"product_id": 5, "amount": 1}]


@pytest.mark.conforms("CS-https")
def test_where_https_is_asked_for_a_call_in_the_clear_is_a_403_and_no_redirect(shop: Shop, settings: Any) -> None:
    settings.HTTPS = True

    assert_error(shop.get(URL), 403, "Forbidden: ", "HTTPS")
    assert_error(Client().get(URL), 401)
    assert shop.http.get(URL, secure=True).status_code == 200
