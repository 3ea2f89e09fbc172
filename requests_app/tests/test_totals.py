"""Totals of lists: exact where they are kept or small, and where they are estimates they say so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_user
from requests_app.dialects import totals
from requests_app.dialects.totals import Many
from requests_app.models import CallRequest, KeptCount
from requests_app.tests.api import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callcenter.accounts.models import Company

URL = "/api/2.0/call_requests"
MOST = 20


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Many, "MOST", MOST)
    totals.forget_many()
    yield
    totals.forget_many()


@pytest.fixture
def company(db: None) -> Company:
    """A company with fifty requests of Maria and ten of João."""
    company = make_company()
    CallRequest.objects.bulk_create(
        CallRequest(company=company, name="João" if number % 6 == 5 else f"Maria {number}", order_number=1)
        for number in range(60)
    )
    return company


@pytest.fixture
def shop(company: Company) -> Shop:
    """Its program."""
    return Shop(make_user(company))


def params(shop: Shop, **query: Any) -> dict[str, Any]:
    """What the list says about itself."""
    answer = shop.get(URL, query)
    assert answer.status_code == 200, answer.content
    said: dict[str, Any] = answer.json()["params"]
    return said


@pytest.mark.conforms("CS-total")
@pytest.mark.parametrize("sort_by", ["date", "name"])
def test_status_company_and_user_are_exact_however_many(shop: Shop, company: Company, sort_by: str) -> None:
    attendant = make_attendant(company)
    CallRequest.objects.filter(name="João").update(status="completed")
    CallRequest.objects.exclude(name="João").update(responsible=attendant)

    for query, total in (
        ({}, "60"),
        ({"status": "new"}, "50"),
        ({"status": "new", "user_id": attendant.pk}, "50"),
        ({"user_id": "x"}, "10"),
        ({"company_id": company.pk, "status": "no_answer"}, "0"),
    ):
        said = params(shop, sort_by=sort_by, **query)
        assert said["total_items"] == total
        assert "total_is_estimate" not in said


@pytest.mark.conforms("CS-total")
@pytest.mark.parametrize("sort_by", ["date", "name"])
def test_what_is_more_than_is_counted_is_an_estimate_that_says_so(shop: Shop, sort_by: str) -> None:
    said = params(shop, name="maria", sort_by=sort_by)

    assert said["total_is_estimate"] == "Y"
    assert list(said)[5:] == ["total_items", "total_is_estimate", "name"]
    assert MOST < int(said["total_items"]) <= 60


@pytest.mark.conforms("CS-total")
@pytest.mark.parametrize("query", [{"name": "joão"}, {"name": "joão", "sort_by": "name"}, {"name": "JOÃO", "page": 9}])
def test_up_to_there_a_search_is_counted_exactly(shop: Shop, query: dict[str, Any]) -> None:
    said = params(shop, **query)

    assert said["total_items"] == "10"
    assert "total_is_estimate" not in said


def test_the_border_itself_is_exact(shop: Shop) -> None:
    CallRequest.objects.filter(name__startswith="Maria").update(name="Ana")
    CallRequest.objects.filter(pk__in=CallRequest.objects.values("pk")[:MOST]).update(name="Rosa")

    assert params(shop, name="rosa") == {**params(shop, name="rosa"), "total_items": str(MOST)}
    assert "total_is_estimate" not in params(shop, name="rosa")
    CallRequest.objects.filter(pk=CallRequest.objects.filter(name="Ana").values("pk")[:1]).update(name="Rosa")
    assert params(shop, name="rosa")["total_is_estimate"] == "Y"


@pytest.mark.conforms("CS-total")
def test_an_estimated_list_can_be_read_to_its_last_row(shop: Shop) -> None:
    seen: list[str] = []
    for page in range(1, 11):
        seen += [item["request_id"] for item in shop.get(URL, {"name": "maria", "page": page}).json()["call_requests"]]

    assert len(seen) == len(set(seen)) == 50


def test_what_was_too_many_to_count_is_not_counted_again_for_a_minute(
    shop: Shop, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = params(shop, name="maria")
    with django_assert_num_queries(2):
        assert params(shop, name="maria") == first
    CallRequest.objects.filter(name__startswith="Maria").update(name="Ana")
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert params(shop, name="maria")["total_items"] == "0"


@pytest.mark.conforms("VD-total")
def test_the_other_dialect_says_so_too(shop: Shop) -> None:
    said = shop.get("/venddor/api/2.0/call_requests", {"name": "maria"}).json()["params"]
    assert said["total_is_estimate"] is True
    said = shop.get("/venddor/api/2.0/call_requests", {"name": "joão"}).json()["params"]
    assert "total_is_estimate" not in said


@pytest.mark.conforms("CS-total")
def test_a_caller_cannot_put_the_mark_there(shop: Shop) -> None:
    assert "total_is_estimate" not in params(shop, total_is_estimate="Y")


def test_other_companies_are_in_no_total(shop: Shop) -> None:
    make_call_request(make_company(), name="João")

    assert params(shop)["total_items"] == "60"
    assert params(shop, name="joão")["total_items"] == "10"
    assert KeptCount.objects.exists()
