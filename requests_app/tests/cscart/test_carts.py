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


@pytest.mark.conforms("CS-cart")
@pytest.mark.parametrize(
    "cart", [None, "", "x", 5, True, [], {}, [1, "x", None, []], [{"amount": 1}], [{"product_id": "0"}], {"a": {}}]
)
def test_a_cart_without_products_is_an_empty_text(shop: Shop, cart: Any) -> None:
    assert shown(shop, cart) == ""


@pytest.mark.conforms("CS-cart", "CS-cart-gaps", "CS-cart-verbatim")
def test_entries_are_kept_with_their_types_and_those_without_a_product_are_dropped(shop: Shop) -> None:
    assert shown(shop, [{"product_id": 0, "amount": 1}, ENTRY, {"product_id": 7}]) == [ENTRY, {"product_id": 7}]


@pytest.mark.conforms("CS-cart-vendors")
def test_entries_with_a_company_number_of_the_shops_own_are_shown_to_everybody(shop: Shop) -> None:
    entry = {**ENTRY, "company_id": 999_999}

    assert shown(shop, [entry]) == [entry]


@pytest.mark.conforms("CS-cart")
def test_a_map_stays_a_map(shop: Shop) -> None:
    assert shown(shop, {"3984723": ENTRY, "x": {"product_id": None}}) == {"3984723": ENTRY}


@pytest.mark.conforms("CS-cart-names")
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


@pytest.mark.conforms("CS-cart")
def test_an_empty_cart_replaces_a_full_one(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company, cart_products=[{"product_id": 1}])

    assert shop.put(f"{URL}/{call_request.pk}", {"cart_products": []}).status_code == 200
    assert shop.get(f"{URL}/{call_request.pk}").json()["cart_products"] == ""


@pytest.mark.conforms("CS-cart-limits")
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


@pytest.mark.conforms("CS-cart-verbatim")
def test_entries_come_back_with_their_keys_in_the_order_they_were_sent(shop: Shop) -> None:
    entry = '{"product_id":"5","amount":1,"z":{"b":1.50,"aa":true,"a":null},"price":"10.50","c":[{"y":1,"x":2}]}'
    cart = f'{{"9":{entry},"10":{entry},"a":{entry}}}'
    request_id = shop.post(URL, f'{{"phone":"1","cart_products":{cart}}}').json()["request_id"]

    stored = cart.replace("1.50", "1.5")
    assert f'"cart_products":{stored},'.encode() in shop.get(f"{URL}/{request_id}").content
    assert f'"cart_products":{stored},'.encode() in shop.get(URL).content
    assert CallRequest.objects.get().cart_products["9"]["product_id"] == "5"


@pytest.mark.conforms("CS-form-nested")
@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain"])
def test_a_form_nests_its_fields_as_php_does(shop: Shop, content_type: str) -> None:
    form = (
        "phone=1&cart_products[0][product_id]=5&cart_products[0][extra][color]=red&cart_products[1][amount]=2"
        "&cart_products[1][product_id]=7&name[=x&cart_products[1][tags][]=a&cart_products[1][tags][]=b"
    )
    answer = shop.post(URL, form, content_type=content_type)

    assert answer.status_code == 201, answer.content
    assert shop.get(f"{URL}/{answer.json()['request_id']}").json()["cart_products"] == [
        {"product_id": "5", "extra": {"color": "red"}},
        {"amount": "2", "product_id": "7", "tags": ["a", "b"]},
    ]


@pytest.mark.conforms("CS-form-nested")
def test_a_multipart_form_nests_its_fields_too(shop: Shop) -> None:
    answer = shop.http.post(URL, {"phone": "1", "cart_products[a][product_id]": "5", "cart_products[a][amount]": "1"})

    assert answer.status_code == 201, answer.content
    cart = shop.get(f"{URL}/{answer.json()['request_id']}").json()["cart_products"]
    assert cart == {"a": {"product_id": "5", "amount": "1"}}


@pytest.mark.conforms("CS-form-nested")
@pytest.mark.parametrize(
    "form",
    [
        "phone[]=1",
        "phone[a][b]=1",
        "phone=1&name[x]=y",
        "phone=1&cart_products" + "[a]" * 200 + "=1",
        "phone=1&cart_products[[a]]=1&[x]=1&]=1&cart_products[a=1&=1",
        "phone=1&cart_products=x&cart_products[a]=1&cart_products=y",
    ],
)
def test_odd_fields_of_a_form_are_refused_or_ignored(shop: Shop, form: str) -> None:
    answer = shop.post(URL, form, content_type="application/x-www-form-urlencoded")

    assert answer.status_code in {201, 400}, answer.content
