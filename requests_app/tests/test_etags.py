"""GET of one request: a strong ETag, and 304 for a caller that has the answer already."""

from __future__ import annotations

from typing import Any

import pytest

from callcenter.accounts.models import Company
from callcenter.tests.factories import make_call_request, make_company, make_user
from requests_app.models import CallRequest, Product
from requests_app.tests.api import Shop, assert_error

CSCART, VENDDOR = "/api/2.0/call_requests", "/venddor/api/2.0/call_requests"

pytestmark = [pytest.mark.django_db, pytest.mark.parametrize("base", [CSCART, VENDDOR])]


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def shop(company: Company) -> Shop:
    return Shop(make_user(company))


@pytest.fixture
def request_(company: Company) -> CallRequest:
    return make_call_request(company)


@pytest.mark.conforms("CS-etag", "VD-etag")
def test_who_names_the_tag_gets_a_304_without_a_body(shop: Shop, request_: CallRequest, base: str) -> None:
    first = shop.get(f"{base}/{request_.pk}")
    again = shop.get(f"{base}/{request_.pk}", None, **{"if-none-match": first["ETag"]})

    assert first.status_code == 200
    assert first["ETag"].startswith('"')
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert "Content-Type" not in again
    assert first["Cache-Control"] == again["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("{tag}", 304),
        ('"other", {tag}', 304),
        ("W/{tag}", 304),
        ("*", 304),
        ('"other"', 200),
        ("", 200),
        ("nonsense", 200),
    ],
)
def test_every_form_of_the_header(shop: Shop, request_: CallRequest, base: str, header: str, status: int) -> None:
    tag = shop.get(f"{base}/{request_.pk}")["ETag"]

    assert shop.get(f"{base}/{request_.pk}", None, **{"if-none-match": header.format(tag=tag)}).status_code == status


def test_any_change_of_the_answer_changes_the_tag(shop: Shop, company: Company, base: str) -> None:
    request = make_call_request(company, product_number=7)
    tags = [shop.get(f"{base}/{request.pk}")["ETag"]]
    changes: list[dict[str, Any]] = [{"name": "Outra"}, {"notes": "x"}, {"status": "in_progress"}, {"priority": 3}]
    for change in changes:
        CallRequest.objects.filter(pk=request.pk).update(**change)
        tags.append(shop.get(f"{base}/{request.pk}")["ETag"])
    Product.objects.create(company=company, number=7, name="Chaleira")
    tags.append(shop.get(f"{base}/{request.pk}")["ETag"])

    # Venddor shows neither the product nor the finer open states, CS-Cart no priority.
    assert len(set(tags)) == (5 if base == CSCART else 4)


def test_a_missing_request_is_a_404_whatever_the_caller_has(shop: Shop, base: str) -> None:
    assert_error(shop.get(f"{base}/999999", None, **{"if-none-match": "*"}), 404)


def test_a_304_costs_as_few_queries_as_a_200(
    shop: Shop, request_: CallRequest, base: str, django_assert_max_num_queries: Any
) -> None:
    tag = shop.get(f"{base}/{request_.pk}")["ETag"]

    with django_assert_max_num_queries(3):
        assert shop.get(f"{base}/{request_.pk}", None, **{"if-none-match": tag}).status_code == 304
