"""The quick queries answer as the plain ones do: every list and item is asked for both ways and compared."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.lib.database import rows_of
from callcenter.tests.factories import make_attendant, make_company, make_user
from requests_app.dialects import pages, quick
from requests_app.models import CallRequest, Order, Product
from requests_app.states import Status
from requests_app.tests.api import Shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from callcenter.accounts.models import Company

URLS = ("/api/2.0/call_requests", "/venddor/api/2.0/call_requests")
SUNDAY = datetime(2026, 1, 4, 22, tzinfo=UTC)
NAMES = ["Ana Maria", "JOÃO da Silva", "joão", "100% certo", "a_b", "c\\d", "Zé", "x'y\"z", "😀 Rosa", "", "ßtraße"]
WORDS = st.sampled_from(
    ["ana", "JOÃO", "silva", "%", "_", "\\", "'", '"', "é", "😀", "rosa", "ß", "a_b", "98765", "-4321"]
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["new", "COMPLETED", "pending", "0", "", "x", " in_progress "]),
        "name": WORDS,
        "phone": WORDS,
        "company_id": st.sampled_from(["0", "first", "second", "x", "-1", "9" * 30]),
        "user_id": st.sampled_from(["0", "somebody", "x", "-1"]),
        "order_status": st.sampled_from(["", "0", "P", "p", "PP"]),
        "order_email": st.sampled_from(["", "0", "ANA@example.com", "a_a@example.com"]),
        "order_exists": st.sampled_from(["", "0", "Y", "N"]),
        "page": st.sampled_from(["1", "2", "3", "7", "999", "9" * 30, "x"]),
        "items_per_page": st.sampled_from(["1", "2", "5", "50"]),
        "sort_by": st.sampled_from(["date", "id", "x"]),
        "sort_order": st.sampled_from(["asc", "desc", "x"]),
    },
)


def fill(companies: list[Company], responsible_id: int) -> None:
    """Sixty requests over three weeks, many at the same instant."""
    chance = random.Random(7)
    for company in companies:
        Order.objects.create(company=company, number=1, status="P", email="ana@example.com")
        Product.objects.create(company=company, number=5, name="Chá “verde”")
    carts: list[Any] = [
        None,
        None,
        [{"product_id": "5", "n": 1}],
        {"k": {"product_id": 5}},
        [{"product_id": "x"}],
        {"a": 1},
        "5",
    ]
    CallRequest.objects.bulk_create(
        CallRequest(
            company=chance.choice(companies),
            status=chance.choice(Status.values),
            name=chance.choice(NAMES),
            phone=chance.choice(["(11) 98765-4321", "+7(917)111-11-11", "", "%"]),
            requested_at=SUNDAY + timedelta(hours=chance.randrange(0, 500, 25), microseconds=chance.choice([0, 1])),
            responsible_id=chance.choice([None, responsible_id]),
            order_number=chance.choice([0, 1]),
            product_number=chance.choice([0, 5]),
            cart_products=chance.choice(carts),
            notes=chance.choice([None, "", "çá\n"]),
            completed_at=chance.choice([None, SUNDAY]),
        )
        for _number in range(60)
    )


def answers(shop: Shop, query: dict[str, str]) -> list[Any]:
    """Both dialects' answers to a query."""
    return [json.loads(shop.get(url, query).getvalue()) for url in URLS]


@pytest.mark.django_db
@pytest.mark.parametrize("is_bound", [False, True])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, far=st.sampled_from([0, 3, 10_000]))
def test_both_ways_answer_the_same(is_bound: bool, query: dict[str, str], far: int) -> None:
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        companies = [make_company(), make_company(), make_company()]
        attendant = make_attendant()
        fill(companies, attendant.pk)
        shop = Shop(make_user(*companies[:2] if is_bound else ()))
        ids = {"first": str(companies[0].pk), "second": str(companies[2].pk), "somebody": str(attendant.pk)}
        query = {name: ids.get(value, value) for name, value in query.items()}
        patch.setattr(quick, "_FAR", far)
        asked: list[str] = []
        patch.setattr(quick, "rows_of", _noting(rows_of, asked))
        quickly = answers(shop, query)
        was_quick = bool(asked) or quickly[0]["params"]["total_items"] == "0"
        patch.setattr(pages, "quick_page", lambda *_args, **_kwargs: None)

        assert quickly == answers(shop, query)
        assert was_quick
        transaction.set_rollback(True)


def _noting(function: Callable[..., Any], asked: list[str]) -> Callable[..., Any]:
    def noted(sql: str, params: Any = ()) -> Any:
        asked.append(sql)
        return function(sql, params)

    return noted


@pytest.mark.django_db
def test_every_item_is_the_lists_own() -> None:
    companies = [make_company(), make_company()]
    fill(companies, make_attendant().pk)
    shop = Shop(make_user())
    for url, key in zip(URLS, ("request_id", "id"), strict=True):
        items = shop.get(url, {"items_per_page": "0"})
        for item in json.loads(items.getvalue())["call_requests"]:
            assert shop.get(f"{url}/{item[key]}").json() == item


@pytest.mark.django_db
@pytest.mark.parametrize("sort_order", ["asc", "desc"])
def test_far_pages_leave_no_row_out_and_show_none_twice(sort_order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "_FAR", -1)
    fill([make_company(), make_company()], make_attendant().pk)
    shop = Shop(make_user())
    ids: list[str] = []
    for page in range(1, 21):
        answer = shop.get(URLS[0], {"page": page, "items_per_page": 3, "sort_order": sort_order}).json()
        assert answer["params"]["page"] == page
        ids += [item["request_id"] for item in answer["call_requests"]]

    sign = "-" if sort_order == "desc" else ""
    in_order = CallRequest.objects.order_by(f"{sign}requested_at", f"{sign}pk").values_list("pk", flat=True)
    assert ids == [str(pk) for pk in in_order]
    assert shop.get(URLS[0], {"page": 99, "items_per_page": 3}).json()["params"]["page"] == 20
