"""Walking a list by `cursor=`, in both dialects: each row once, whatever comes meanwhile, at one cost everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callcenter.accounts.models import Company
from callcenter.tests.factories import make_company, make_user
from requests_app.models import CallRequest
from requests_app.tests.api import Shop, assert_error

if TYPE_CHECKING:
    from collections.abc import Callable

CSCART = "/api/2.0/call_requests"
VENDDOR = "/venddor/api/2.0/call_requests"
BOTH = pytest.mark.parametrize("url", [CSCART, VENDDOR])
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture
def company(db: None) -> Company:
    """The shop's company."""
    return make_company("Loja")


@pytest.fixture
def shop(company: Company) -> Shop:
    """The shop's program."""
    return Shop(make_user(company))


def fill(company: Company, count: int, *, start: int = 0, **fields: Any) -> None:
    """So many requests, three of each second, named by their number."""
    CallRequest.objects.bulk_create(
        CallRequest(company=company, name=f"{number:03d}", requested_at=NOW + timedelta(seconds=number // 3), **fields)
        for number in range(start, start + count)
    )


def walked(shop: Shop, url: str, *, between: Callable[[], None] = lambda: None, **query: Any) -> list[str]:
    """The names on the way from an empty cursor to the end."""
    names, cursor = [], ""
    for _step in range(100):
        answer = shop.get(url, {"items_per_page": 4, **query, "cursor": cursor})
        assert answer.status_code == 200, answer.content
        body = answer.json()
        names += [item["name"] for item in body["call_requests"]]
        cursor = body["params"]["next_cursor"]
        if cursor is None:
            return names
        between()
    raise AssertionError("the walk does not end")


@pytest.mark.conforms("CS-cursor", "VD-cursor")
@BOTH
@pytest.mark.parametrize("sort_by", ["date", "id", None])
@pytest.mark.parametrize("sort_order", ["asc", "desc", None])
@pytest.mark.parametrize("count", [0, 3, 4, 17])
def test_a_walk_meets_every_row_once_in_the_lists_order(
    shop: Shop, company: Company, url: str, sort_by: str | None, sort_order: str | None, count: int
) -> None:
    fill(company, count)
    asked = [("sort_by", sort_by), ("sort_order", sort_order)]
    query: dict[str, Any] = {name: value for name, value in asked if value}

    names = walked(shop, url, **query)

    assert names == sorted(names, reverse=sort_order != "asc")
    assert len(names) == count
    assert names == [item["name"] for item in shop.get(url, {**query, "items_per_page": 100}).json()["call_requests"]]


@pytest.mark.conforms("CS-cursor-stable", "VD-cursor-stable")
@BOTH
@pytest.mark.parametrize("sort_by", ["date", "id"])
def test_rows_that_come_meanwhile_neither_repeat_nor_hide_one(
    shop: Shop, company: Company, url: str, sort_by: str
) -> None:
    fill(company, 10)
    numbers = iter(range(100, 1000))

    down = walked(shop, url, sort_by=sort_by, between=lambda: fill(company, 1, start=next(numbers)))
    CallRequest.objects.filter(name__gte="100").delete()
    late = iter(range(100, 104))
    up = walked(
        shop,
        url,
        sort_by=sort_by,
        sort_order="asc",
        between=lambda: fill(company, 1, start=number) if (number := next(late, 0)) else None,
    )

    assert down == [f"{number:03d}" for number in reversed(range(10))]
    assert up[:10] == [f"{number:03d}" for number in range(10)]
    assert len(up) == len(set(up)) > 10


@pytest.mark.conforms("CS-cursor-stable", "VD-cursor-stable")
@BOTH
def test_rows_that_go_meanwhile_hide_no_other(shop: Shop, company: Company, url: str) -> None:
    fill(company, 12)
    first = shop.get(url, {"items_per_page": 4, "cursor": ""}).json()
    CallRequest.objects.filter(name__in=["011", "008", "007"]).delete()

    rest = shop.get(url, {"items_per_page": 4, "cursor": first["params"]["next_cursor"]}).json()

    assert [item["name"] for item in rest["call_requests"]] == ["006", "005", "004", "003"]


@pytest.mark.conforms("CS-cursor-params")
def test_cscarts_params_of_a_walk(shop: Shop, company: Company) -> None:
    fill(company, 5)

    first = shop.get(CSCART, {"cursor": "", "items_per_page": "4", "page": "3", "status": "new"}).json()["params"]
    last = shop.get(CSCART, {"cursor": first["next_cursor"], "status": "new"}).json()["params"]

    assert list(first) == [
        "items_per_page", "sort_order", "sort_by", "sort_order_rev", "next_cursor", "cursor", "status",
    ]  # fmt: skip
    assert (first["items_per_page"], first["cursor"]) == ("4", "")
    assert (last["items_per_page"], last["next_cursor"]) == ("10", None)


@pytest.mark.conforms("VD-cursor-params")
def test_venddors_params_of_a_walk(shop: Shop, company: Company) -> None:
    fill(company, 5)

    params = shop.get(VENDDOR, {"cursor": "", "items_per_page": "4"}).json()["params"]

    assert list(params) == ["items_per_page", "sort_order", "sort_by", "sort_order_rev", "next_cursor"]
    assert params["items_per_page"] == 4


@pytest.mark.conforms("CS-cursor-params", "VD-cursor-params")
@BOTH
def test_nobody_who_does_not_ask_gets_a_cursor(shop: Shop, company: Company, url: str) -> None:
    fill(company, 5)

    assert "next_cursor" not in shop.get(url, {"items_per_page": 4}).json()["params"]


@pytest.mark.conforms("CS-cursor-size", "VD-cursor-size")
@BOTH
@pytest.mark.parametrize(
    ("asked", "size"), [("3", 3), ("0", 500), ("", 500), ("501", 500), ("9" * 40, 500), ("-1", 10), ("x", 10)]
)
def test_a_step_has_the_size_asked_for_up_to_five_hundred(
    shop: Shop, company: Company, url: str, asked: str, size: int
) -> None:
    fill(company, 503)

    body = shop.get(url, {"cursor": "", "items_per_page": asked}).json()

    assert len(body["call_requests"]) == size
    assert int(body["params"]["items_per_page"]) == size


@pytest.mark.conforms("CS-cursor-filters", "VD-cursor-filters")
@BOTH
def test_filters_hold_on_every_step(shop: Shop, company: Company, url: str) -> None:
    fill(company, 9, status="completed")
    fill(company, 9, start=9)
    fill(make_company(), 9)

    assert len(walked(shop, url, status="completed")) == 9
    assert walked(shop, url, status="new", name="01") == [f"{number:03d}" for number in reversed(range(10, 18))]
    assert len(walked(shop, url)) == 18


@pytest.mark.conforms("CS-cursor-refused", "VD-cursor-refused")
@BOTH
def test_a_cursor_of_somebody_or_something_else_is_a_400(shop: Shop, company: Company, url: str) -> None:
    fill(company, 9)
    other = Shop(make_user(company))
    cursor = shop.get(url, {"cursor": "", "items_per_page": 4, "status": "new"}).json()["params"]["next_cursor"]
    asked = {"cursor": cursor, "status": "new"}

    assert shop.get(url, asked).status_code == 200
    for refused in [
        other.get(url, asked),
        shop.get(VENDDOR if url == CSCART else CSCART, asked),
        shop.get(url, {**asked, "sort_order": "asc"}),
        shop.get(url, {**asked, "sort_by": "id"}),
        shop.get(url, {**asked, "status": "completed"}),
        shop.get(url, {**asked, "name": "0"}),
        shop.get(url, {"cursor": cursor}),
    ]:
        assert_error(refused, 400, "Bad Request: cursor: ")


@pytest.mark.conforms("CS-cursor-refused", "VD-cursor-refused")
@BOTH
@pytest.mark.parametrize("broken", ["x", ".", "..", "a.b", "0", "null", "é", "\x00", "W10.abc", "x" * 5000])
def test_a_broken_cursor_is_a_400(shop: Shop, company: Company, url: str, broken: str) -> None:
    fill(company, 9)
    cursor = shop.get(url, {"cursor": "", "items_per_page": 4}).json()["params"]["next_cursor"]

    for text in [broken, cursor[:-1], f"A{cursor}", cursor.upper()]:
        assert_error(shop.get(url, {"cursor": text}), 400, "Bad Request: cursor: ")


@pytest.mark.conforms("CS-cursor-sorts", "VD-cursor-sorts")
@BOTH
@pytest.mark.parametrize("sort_by", ["name", "phone", "status", "user", "user_id", "order", "order_status"])
def test_a_walk_goes_by_date_or_id_only(shop: Shop, url: str, sort_by: str) -> None:
    assert_error(shop.get(url, {"cursor": "", "sort_by": sort_by}), 400, "Bad Request: sort_by: ", "date, id")


@pytest.mark.conforms("CS-cursor-sorts", "VD-cursor-sorts")
@BOTH
def test_a_cursor_tells_nothing_of_a_person(shop: Shop, company: Company, url: str) -> None:
    fill(company, 9, phone="+5511987654321")

    cursor = shop.get(url, {"cursor": "", "items_per_page": 4, "phone": "98765"}).json()["params"]["next_cursor"]

    assert len(cursor) < 100
    assert "." in cursor


@pytest.mark.conforms("CS-cursor-cost", "VD-cursor-cost")
@BOTH
@pytest.mark.parametrize("sort_by", ["date", "id"])
def test_a_step_costs_the_same_wherever_it_is(shop: Shop, company: Company, url: str, sort_by: str) -> None:
    fill(company, 400)
    query = {"sort_by": sort_by, "items_per_page": 100, "cursor": ""}
    shop.get(url, query)
    counts = []
    for _step in range(4):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            query["cursor"] = shop.get(url, query).json()["params"]["next_cursor"]
        counts.append(len(queries))
        statement = queries[-1]["sql"]
        assert "OFFSET" not in statement
        assert "COUNT(" not in "".join(entry["sql"] for entry in queries).upper()

    # The key with its rights, the rows.
    assert counts == [2, 2, 2, 2]
    assert query["cursor"] is None
