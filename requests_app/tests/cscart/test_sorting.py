"""Every documented sort, both ways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from callcenter.tests.factories import make_attendant, make_call_request
from requests_app.models import Order

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/api/2.0/call_requests"


@pytest.fixture
def mixed_rows(company: Company) -> None:
    """Four requests whose order differs by every key."""
    zoe = make_attendant(company, first_name="Ana", last_name="Zoe")
    abreu = make_attendant(company, first_name="Zeca", last_name="Abreu")
    Order.objects.create(company=company, number=5, status="P")
    Order.objects.create(company=company, number=9, status="C")
    rows = [
        ("a", "bia", "+2", "no_answer", 2003, zoe.pk, 5),
        ("b", "Ana", "+3", "new", 2001, abreu.pk, 9),
        ("c", "Caio", "+1", "completed", 2004, None, 0),
        ("d", "duda", "+4", "in_progress", 2002, None, 0),
    ]
    for notes, name, phone, status, year, responsible_id, order_number in rows:
        make_call_request(
            company,
            notes=notes,
            name=name,
            phone=phone,
            status=status,
            requested_at=datetime(year, 1, 1, tzinfo=UTC),
            responsible_id=responsible_id,
            order_number=order_number,
        )


@pytest.mark.conforms("CS-sort")
@pytest.mark.usefixtures("mixed_rows")
@pytest.mark.parametrize(
    ("sort_by", "ascending"),
    [
        ("id", "abcd"),
        ("date", "bdac"),
        # The order of CS-Cart's enumeration, not of the alphabet.
        ("status", "bdca"),
        ("name", "bacd"),
        ("phone", "cabd"),
        # Nobody first; equal keys by id.
        ("user_id", "cdab"),
        # Last name, then first name.
        ("user", "cdba"),
        ("order", "cdab"),
        ("order_status", "cdba"),
    ],
)
def test_each_documented_sort_both_ways(shop: Shop, sort_by: str, ascending: str) -> None:
    for sort_order, expected in [("asc", ascending), ("desc", ascending[::-1])]:
        answer = shop.get(URL, {"sort_by": sort_by, "sort_order": sort_order}).json()

        assert "".join(item["notes"] for item in answer["call_requests"]) == expected
        assert answer["params"]["sort_by"] == sort_by
        assert answer["params"]["sort_order"] == sort_order
        assert answer["params"]["sort_order_rev"] == {"asc": "desc", "desc": "asc"}[sort_order]


@pytest.mark.conforms("CS-sort-ties")
@pytest.mark.parametrize("sort_by", ["id", "date", "status", "name", "phone", "user_id", "user", "order_status"])
def test_equal_keys_go_by_id_in_the_same_direction_across_pages(shop: Shop, company: Company, sort_by: str) -> None:
    at = datetime(2020, 1, 1, tzinfo=UTC)
    ids = [str(make_call_request(company, name="x", phone="1", requested_at=at).pk) for _number in range(5)]

    for sort_order, expected in [("asc", ids), ("desc", ids[::-1])]:
        found = []
        for page in (1, 2, 3):
            query = {"sort_by": sort_by, "sort_order": sort_order, "items_per_page": 2, "page": page}
            found += [item["request_id"] for item in shop.get(URL, query).json()["call_requests"]]
        assert found == expected


@pytest.mark.conforms("CS-sort-unknown")
@pytest.mark.parametrize("query", [{"sort_by": "email", "sort_order": "ASC"}, {"sort_by": "", "sort_order": "descasc"}])
def test_an_unknown_sort_is_the_default_one_and_says_so(shop: Shop, query: dict[str, str]) -> None:
    params = shop.get(URL, query).json()["params"]

    assert (params["sort_by"], params["sort_order"], params["sort_order_rev"]) == ("date", "desc", "asc")
