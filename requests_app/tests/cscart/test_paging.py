"""Pages: their size, their bounds, all rows at once, and how many queries a list takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_call_request
from requests_app.dialects import listing
from requests_app.models import CallRequest, Order, Product
from requests_app.states import Status

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/api/2.0/call_requests"


def fill(company: Company, count: int) -> None:
    """So many requests named by their number."""
    CallRequest.objects.bulk_create(CallRequest(company=company, name=str(number)) for number in range(count))


@pytest.mark.conforms("CS-page")
@pytest.mark.parametrize(
    ("asked", "page", "shown"),
    [
        ("1", 1, 2),
        ("2", 2, 2),
        ("3", 3, 1),
        ("4", 3, 1),
        ("9" * 40, 3, 1),
        ("0", 1, 2),
        ("-3", 1, 2),
        ("abc", 1, 2),
        ("", 1, 2),
        ("2abc", 2, 2),
    ],
)
def test_a_page_past_the_end_is_the_last_and_one_before_the_start_the_first(
    shop: Shop, company: Company, asked: str, page: int, shown: int
) -> None:
    fill(company, 5)

    answer = shop.get(URL, {"page": asked, "items_per_page": "2"}).json()

    assert answer["params"]["page"] == page
    assert len(answer["call_requests"]) == shown
    assert answer["params"]["total_items"] == "5"


@pytest.mark.conforms("CS-page-empty")
@pytest.mark.parametrize(("asked", "page"), [("7", 7), ("0", 1), ("abc", 1)])
def test_a_page_of_an_empty_list_is_echoed_as_a_number(shop: Shop, asked: str, page: int) -> None:
    answer = shop.get(URL, {"page": asked}).json()

    assert answer["call_requests"] == []
    assert answer["params"]["page"] == page
    assert answer["params"]["total_items"] == "0"


@pytest.mark.conforms("CS-size")
@pytest.mark.parametrize(
    ("asked", "echoed", "shown"), [("3", "3", 3), ("-1", "10", 10), ("abc", "10", 10), ("9" * 40, "10000", 12)]
)
def test_a_page_has_the_size_asked_for_or_the_configured_one(
    shop: Shop, company: Company, asked: str, echoed: str, shown: int
) -> None:
    fill(company, 12)

    answer = shop.get(URL, {"items_per_page": asked})
    parsed = json.loads(answer.getvalue())

    assert parsed["params"]["items_per_page"] == echoed
    assert len(parsed["call_requests"]) == shown


@pytest.mark.conforms("CS-size")
def test_the_configured_page_size_is_the_default(shop: Shop, company: Company, settings: Any) -> None:
    settings.CSCART_ITEMS_PER_PAGE = 4
    fill(company, 6)

    answer = shop.get(URL).json()

    assert answer["params"]["items_per_page"] == "4"
    assert len(answer["call_requests"]) == 4


@pytest.mark.conforms("CS-size-all")
@pytest.mark.parametrize("asked", ["0", "00", "", " "])
def test_no_page_size_means_all_rows_streamed_and_no_total(
    shop: Shop, company: Company, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "CHUNK", 5)
    fill(company, 12)

    answer = shop.get(URL, {"items_per_page": asked, "sort_by": "id", "sort_order": "asc"})
    pieces = list(answer.streaming_content)
    parsed = json.loads(b"".join(pieces))

    assert len(pieces) == 5, "three chunks of rows between head and tail"
    assert [item["name"] for item in parsed["call_requests"]] == [str(number) for number in range(12)]
    assert parsed["params"] == {
        "items_per_page": "0",
        "page": 1,
        "sort_order": "asc",
        "sort_by": "id",
        "sort_order_rev": "desc",
    }


@pytest.mark.conforms("CS-size-most")
def test_all_rows_end_at_the_configured_ceiling(shop: Shop, company: Company, settings: Any) -> None:
    settings.CSCART_ITEMS_PER_PAGE_CEILING = 7
    fill(company, 12)

    everything = json.loads(shop.get(URL, {"items_per_page": "0"}).getvalue())
    page = shop.get(URL, {"items_per_page": "8"}).json()

    assert len(everything["call_requests"]) == 7
    assert len(page["call_requests"]) == 7
    assert page["params"]["items_per_page"] == "7"
    assert page["params"]["total_items"] == "12"


@pytest.mark.conforms("CS-queries")
@pytest.mark.parametrize("size", [2, 40])
def test_a_list_takes_three_queries_whatever_its_size(
    shop: Shop, company: Company, size: int, django_assert_num_queries: Any
) -> None:
    Order.objects.create(company=company, number=1, status="P")
    Product.objects.create(company=company, number=2, name="Chá")
    for status in Status.values * 11:
        make_call_request(company, status=status, order_number=1, product_number=2)
    shop.get(URL)

    # The key with its rights, the count, the rows; also where the ORM writes them. A first page knows its kept count.
    asked: list[tuple[int, dict[str, Any]]] = [
        (3, {"name": "mar"}),
        (3, {"sort_by": "order_status", "name": "mar", "order_status": "P"}),
        (2, {"page": 1, "sort_order": "asc"}),
    ]
    for number, query in asked:
        with django_assert_num_queries(number):
            answer = shop.get(URL, {"items_per_page": size, **query})

    assert len(answer.json()["call_requests"]) == size
    assert {item["product"] for item in answer.json()["call_requests"]} == {"Chá"}


@pytest.mark.conforms("CS-queries")
def test_carts_cost_no_query_more(shop: Shop, company: Company, django_assert_num_queries: Any) -> None:
    Product.objects.create(company=company, number=2, name="Chá")
    for _number in range(20):
        make_call_request(company, cart_products=[{"product_id": "2"}])
    shop.get(URL)

    with django_assert_num_queries(2):
        shop.get(URL, {"items_per_page": 20})
    with django_assert_num_queries(3):
        shop.get(URL, {"items_per_page": 20, "sort_by": "name"})


@pytest.mark.conforms("CS-queries")
def test_one_request_takes_two_queries(shop: Shop, company: Company, django_assert_num_queries: Any) -> None:
    call_request = make_call_request(company)
    shop.get(URL)

    # The key with its rights, the row.
    with django_assert_num_queries(2):
        shop.get(f"{URL}/{call_request.pk}")
