"""Totals of lists: exact where they are kept or small, and where they are estimates they say so."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_user
from requests_app.dialects import sampling, totals
from requests_app.dialects.totals import Many
from requests_app.models import CallRequest, KeptCount, Order
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
    sampling.forget_part()
    yield
    totals.forget_many()
    sampling.forget_part()


@pytest.fixture
def company(db: None) -> Company:
    """A company with fifty requests of Maria and ten of João."""
    company = make_company()
    CallRequest.objects.bulk_create(
        CallRequest(
            company=company,
            name="João" if number % 6 == 5 else f"Maria {number}",
            phone="(11) 98765-4321",
            order_number=number % 6 // 5 + 1,
        )
        for number in range(60)
    )
    Order.objects.create(company=company, number=1, status="P", email="maria@example.com")
    Order.objects.create(company=company, number=2, status="C")
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

    # Even where the random part is all there is.
    sampling.draw_part()
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


def is_counted(shop: Shop, **query: Any) -> bool:
    """Whether the list counts what it finds, instead of knowing that there are too many."""
    with CaptureQueriesContext(connection) as queries:
        params(shop, **query)
    return any("WITH hits" in query["sql"] for query in queries)


@pytest.mark.conforms("CS-total")
@pytest.mark.parametrize(
    ("query", "total"),
    [
        ({"name": "mari"}, "50"),
        ({"name": "A", "phone": "4321"}, "50"),
        ({"phone": "98765", "status": "new", "user_id": "x"}, "60"),
        ({"order_status": "P"}, "50"),
        ({"order_email": "MARIA@example.com"}, "50"),
        ({"order_exists": "Y"}, "60"),
    ],
)
def test_who_counted_in_vain_knows_then_by_a_random_part_what_is_too_many(
    shop: Shop, query: dict[str, Any], total: str
) -> None:
    assert is_counted(shop, name="maria")

    assert not is_counted(shop, **query)
    said = params(shop, **query)
    assert (said["total_items"], said["total_is_estimate"]) == (total, "Y")


@pytest.mark.conforms("CS-total")
@pytest.mark.parametrize("change", ["names", "rows", "company"])
def test_a_part_drawn_long_ago_proves_nothing_that_does_not_hold_now(shop: Shop, company: Company, change: str) -> None:
    params(shop, name="maria")
    found = CallRequest.objects.filter(name__startswith="Maria")
    few = CallRequest.objects.filter(pk__in=found.values("pk")[:3])
    if change == "names":
        found.exclude(pk__in=few.values("pk")).update(name="Ana")
    elif change == "rows":
        found.exclude(pk__in=list(few.values_list("pk", flat=True))).delete()
    else:
        found.exclude(pk__in=few.values("pk")).update(company=make_company())

    said = params(shop, name="mari")

    assert said["total_items"] == "3"
    assert "total_is_estimate" not in said


def test_a_part_is_drawn_anew_after_an_hour(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    params(shop, name="maria")
    assert not is_counted(shop, name="mari")
    later = time.monotonic() + 3601
    monkeypatch.setattr(time, "monotonic", lambda: later)

    # By the count that is in vain again.
    assert params(shop, name="ria")["total_is_estimate"] == "Y"
    assert not is_counted(shop, name="aria")


@pytest.mark.parametrize("span", [10_001, 50_000, 1_000_000, 30_000_000])
def test_a_list_that_can_still_be_counted_is_hardly_ever_taken_for_a_longer_one(
    span: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Many, "MOST", 10_000)
    drawn, p = 2_500, 10_000 / span

    def chance_of(hits: int) -> float:
        ways = math.lgamma(drawn + 1) - math.lgamma(hits + 1) - math.lgamma(drawn - hits + 1)
        return math.exp(ways + hits * math.log(p) + (drawn - hits) * math.log1p(-p))

    needed = sampling._needed(drawn, span)

    assert sum(map(chance_of, range(needed, drawn + 1))) <= 1e-9
    # And no more is asked for than that takes, give or take.
    assert needed == drawn + 1 or sum(map(chance_of, range(needed * 9 // 10, drawn + 1))) > 1e-10


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
