"""`cart_products`: what is kept, what is dropped, how it is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_call_request
from requests_app.models import CallRequest, Product
from requests_app.tests.api import assert_error

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/api/2.0/call_requests"
ENTRY = {"product_id": "5", "amount": 1, "price": "10.50", "extra": {"color": ["red", None]}}


def shown(shop: Shop, cart: Any) -> Any:
    """The cart as it is shown after it was sent."""
    answer = shop.post(URL, {"phone": "1", "cart_products": cart})
    assert answer.status_code == 201, answer.content
    item = shop.get(f"{URL}/{answer.json()['request_id']}").json()
    assert shop.get(URL).json()["call_requests"][0] == item
    return item["cart_products"]


@pytest.mark.parametrize(
    "cart", [None, "", "x", 5, True, [], {}, [1, "x", None, []], [{"amount": 1}], [{"product_id": "0"}], {"a": {}}]
)
def test_a_cart_without_products_is_an_empty_text(shop: Shop, cart: Any) -> None:
    assert shown(shop, cart) == ""


def test_entries_are_kept_with_their_types_and_those_without_a_product_are_dropped(shop: Shop) -> None:
    assert shown(shop, [{"product_id": 0, "amount": 1}, ENTRY, {"product_id": 7}]) == [ENTRY, {"product_id": 7}]


def test_a_map_stays_a_map(shop: Shop) -> None:
    assert shown(shop, {"3984723": ENTRY, "x": {"product_id": None}}) == {"3984723": ENTRY}


def test_products_that_are_known_get_their_name(shop: Shop, company: Company) -> None:
    Product.objects.create(company=company, number=5, name="Chá verde")

    assert shown(shop, [ENTRY, {"product_id": 6}, {"product_id": "x"}, {"product_id": 5.0}, {"product_id": True}]) == [
        {**ENTRY, "product": "Chá verde"},
        {"product_id": 6},
        {"product_id": "x"},
        {"product_id": 5.0},
        {"product_id": True},
    ]
    assert shown(shop, {"k": ENTRY}) == {"k": {**ENTRY, "product": "Chá verde"}}
    assert CallRequest.objects.latest("pk").cart_products == {"k": ENTRY}


def test_an_empty_cart_replaces_a_full_one(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company, cart_products=[{"product_id": 1}])

    assert shop.put(f"{URL}/{call_request.pk}", {"cart_products": []}).status_code == 200
    assert shop.get(f"{URL}/{call_request.pk}").json()["cart_products"] == ""


@pytest.mark.parametrize(
    "extra",
    [
        "x" * 100_001,
        "a\x00b",
        "a\ud800b",
        {"a\x00": 1},
        json.loads("[" * 11 + "]" * 11),
        json.loads("[" * 400 + "]" * 400),
    ],
    ids=["long", "nul", "surrogate", "nul in a key", "deep", "very deep"],
)
def test_a_cart_that_can_not_be_stored_is_refused(shop: Shop, extra: Any) -> None:
    answer = shop.post(URL, {"phone": "1", "cart_products": [{"product_id": 5, "extra": extra}]})

    assert_error(answer, 400, "Bad Request: cart_products: ")
