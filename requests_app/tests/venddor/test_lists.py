"""The list: CS-Cart's parameter table, with integers and the word `pending`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_attendant, make_call_request
from requests_app.models import Order
from requests_app.tests.api import assert_error

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/venddor/api/2.0/call_requests"


@pytest.fixture
def rows(company: Company) -> int:
    """One request in each status; the id of the responsible of the first."""
    attendant = make_attendant(company)
    Order.objects.create(company=company, number=7, status="P")
    for number, status in enumerate(["new", "in_progress", "completed", "no_answer"], start=1):
        make_call_request(
            company,
            name=f"Ana {number}",
            phone=f"+55 11 9999{number}",
            status=status,
            order_number=7 if number == 2 else 0,
            responsible_id=attendant.pk if number == 1 else None,
            requested_at=datetime(2025, 1, number, tzinfo=UTC),
        )
    return attendant.pk


@pytest.mark.conforms("VD-parameters")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "4321"),
        ({"status": "pending"}, "421"),
        ({"status": "completed"}, "3"),
        ({"status": "no_answer"}, "4"),
        ({"status": "unknown"}, ""),
        ({"name": "ana 2"}, "2"),
        ({"phone": "99993"}, "3"),
        ({"order_status": "P"}, "2"),
        ({"order_exists": "N"}, "431"),
        ({"user_id": "0"}, "4321"),
        ({"company_id": "999"}, "4321"),
        ({"sort_by": "date", "sort_order": "asc"}, "1234"),
        ({"sort_by": "status", "sort_order": "asc"}, "1234"),
        ({"items_per_page": "3", "page": "2"}, "1"),
        ({"items_per_page": "3", "page": "9"}, "1"),
    ],
)
@pytest.mark.usefixtures("rows")
def test_the_documented_parameters(shop: Shop, query: dict[str, str], found: str) -> None:
    answer = shop.get(URL, query).json()

    assert "".join(item["name"][-1] for item in answer["call_requests"]) == found


@pytest.mark.conforms("VD-parameters")
def test_the_responsible(shop: Shop, rows: int) -> None:
    answer = shop.get(URL, {"user_id": rows}).json()

    assert [item["assignee_id"] for item in answer["call_requests"]] == [rows]


@pytest.mark.conforms("VD-echo")
@pytest.mark.usefixtures("rows")
def test_the_params_are_integers_and_echo_nothing_else(shop: Shop) -> None:
    params = shop.get(URL, {"items_per_page": "3", "page": "2", "name": "ana", "zzz": "1"}).json()["params"]

    assert list(params.items()) == [
        ("items_per_page", 3),
        ("page", 2),
        ("sort_order", "desc"),
        ("sort_by", "date"),
        ("sort_order_rev", "asc"),
        ("total_items", 4),
    ]


@pytest.mark.conforms("VD-all")
@pytest.mark.usefixtures("rows")
def test_no_page_size_means_all_rows_streamed_and_no_total(shop: Shop) -> None:
    answer = shop.get(URL, {"items_per_page": "0"})
    body = json.loads(b"".join(answer.streaming_content))

    assert len(body["call_requests"]) == 4
    assert body["params"]["items_per_page"] == 0
    assert "total_items" not in body["params"]


@pytest.mark.conforms("VD-filter-unfit")
def test_a_filter_that_no_text_can_match_is_refused_by_name(shop: Shop) -> None:
    assert_error(shop.get(URL, {"name": "x" * 251}), 400, "Bad Request: name: ")


@pytest.mark.conforms("VD-queries")
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.usefixtures("rows")
def test_a_list_takes_three_queries_and_one_request_two(shop: Shop, size: int, django_assert_num_queries: Any) -> None:
    first = shop.get(URL).json()["call_requests"][0]["id"]

    # The key with its rights, the rows with their count; on a later page the count comes first.
    with django_assert_num_queries(2):
        assert len(shop.get(URL, {"items_per_page": size}).json()["call_requests"]) == size
    with django_assert_num_queries(3):
        shop.get(URL, {"items_per_page": size, "page": 2})
    with django_assert_num_queries(2):
        shop.get(f"{URL}/{first}")
