"""Every filter of the documented table, and the two that only the real CS-Cart has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_user
from requests_app.models import Order, Product
from requests_app.tests.api import Shop, assert_error

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

URL = "/api/2.0/call_requests"


def names(shop: Shop, **query: Any) -> list[str]:
    """The names on the first page, by id."""
    response = shop.get(URL, {"sort_by": "id", "sort_order": "asc", **query})
    assert response.status_code == 200, response.content
    items = response.json()["call_requests"]
    assert response.json()["params"]["total_items"] == str(len(items))
    return [item["name"] for item in items]


@pytest.mark.conforms("CS-filter-status")
@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("new", ["a"]),
        ("in_progress", ["b"]),
        ("completed", ["c"]),
        ("no_answer", ["d"]),
        ("NO_ANSWER", ["d"]),
        ("unknown", []),
        ("", ["a", "b", "c", "d"]),
        ("0", ["a", "b", "c", "d"]),
    ],
)
def test_status(shop: Shop, company: Company, value: str, found: list[str]) -> None:
    for name, status in [("a", "new"), ("b", "in_progress"), ("c", "completed"), ("d", "no_answer")]:
        make_call_request(company, name=name, status=status)

    assert names(shop, status=value) == found


@pytest.mark.conforms("CS-filter-name", "CS-filter-wildcards")
@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ana", ["Ana Maria", "JOANA"]),
        ("  ana ", ["Ana Maria", "JOANA"]),
        ("joão", ["João", "JOÃO da Silva"]),
        ("JOÃO", ["João", "JOÃO da Silva"]),
        ("joão.", []),
        ("%", ["100% certo"]),
        ("_", ["a_b"]),
        ("\\", ["c\\d"]),
        ("0", ["100% certo"]),
        ("   ", ["Ana Maria", "JOANA", "João", "JOÃO da Silva", "100% certo", "a_b", "c\\d"]),
    ],
)
def test_name_is_a_part_of_the_name_in_any_case_and_no_wildcard(
    shop: Shop, company: Company, value: str, found: list[str]
) -> None:
    for name in ["Ana Maria", "JOANA", "João", "JOÃO da Silva", "100% certo", "a_b", "c\\d"]:
        make_call_request(company, name=name)

    assert names(shop, name=value) == found


@pytest.mark.conforms("CS-filter-phone", "CS-filter-wildcards")
@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("917", ["a", "b"]),
        ("111-11", ["a"]),
        (" 7", ["a", "b"]),
        ("+7(917)000", ["b"]),
        ("79171111111", []),
        ("%", []),
        ("", ["a", "b"]),
    ],
)
def test_phone_is_a_part_of_the_number_as_it_was_typed(
    shop: Shop, company: Company, value: str, found: list[str]
) -> None:
    make_call_request(company, name="a", phone="+7(917)111-11-11")
    make_call_request(company, name="b", phone="+7(917)000-00-00")

    assert names(shop, phone=value) == found


@pytest.mark.conforms("CS-filter-phone")
def test_an_unencoded_plus_arrives_as_a_blank_and_still_finds_the_number(shop: Shop, company: Company) -> None:
    make_call_request(company, name="a", phone="+7(917)111-11-11")

    assert len(shop.get(f"{URL}?phone=+7").json()["call_requests"]) == 1


@pytest.mark.conforms("CS-filter-company")
def test_company_id_narrows_the_list_of_a_user_of_several_companies(company: Company) -> None:
    other, foreign = make_company(), make_company()
    shop = Shop(make_user(company, other))
    for owner, name in [(company, "ours"), (other, "other"), (foreign, "foreign")]:
        make_call_request(owner, name=name)

    assert names(shop) == ["ours", "other"]
    assert names(shop, company_id=other.pk) == ["other"]
    assert names(shop, company_id="0") == ["ours", "other"]
    assert names(shop, company_id=foreign.pk) == []
    assert names(shop, company_id="x") == []


@pytest.mark.conforms("CS-filter-company", "CS-scope")
def test_company_id_of_a_user_of_one_company_is_overridden_by_their_own(shop: Shop, company: Company) -> None:
    foreign = make_company()
    make_call_request(company, name="ours")
    make_call_request(foreign, name="foreign")

    assert names(shop, company_id=foreign.pk) == ["ours"]


@pytest.mark.conforms("CS-filter-user")
def test_user_id(shop: Shop, company: Company) -> None:
    attendant = make_attendant(company)
    make_call_request(company, name="hers", responsible_id=attendant.pk)
    make_call_request(company, name="nobody's")

    assert names(shop, user_id=attendant.pk) == ["hers"]
    assert names(shop, user_id="0") == ["hers", "nobody's"]
    assert names(shop, user_id="abc") == ["nobody's"]
    assert names(shop, user_id="999999") == []


@pytest.mark.conforms("CS-filter-order")
def test_order_status_and_order_email_look_at_the_mirrored_order_of_the_same_company(
    shop: Shop, company: Company
) -> None:
    Order.objects.create(company=company, number=7, status="P", email="Ana@example.com")
    Order.objects.create(company=make_company(), number=8, status="P", email="ana@example.com")
    make_call_request(company, name="paid", order_number=7)
    make_call_request(company, name="foreign order", order_number=8)
    make_call_request(company, name="none")

    assert names(shop, order_status="P") == ["paid"]
    assert names(shop, order_status="C") == []
    assert names(shop, order_status="") == ["paid", "foreign order", "none"]
    assert names(shop, order_email="ana@example.com") == ["paid"]
    assert names(shop, order_email="nobody@example.com") == []


@pytest.mark.conforms("CS-filter-order-exists")
@pytest.mark.parametrize(
    ("value", "found"),
    [("Y", ["with"]), ("N", ["without"]), ("y", ["without"]), ("1", ["without"]), ("0", ["with", "without"])],
)
def test_order_exists_only_looks_at_the_number(shop: Shop, company: Company, value: str, found: list[str]) -> None:
    make_call_request(company, name="with", order_number=123456)
    make_call_request(company, name="without")

    assert names(shop, order_exists=value) == found


@pytest.mark.conforms("CS-filter-id")
def test_the_undocumented_id_is_read_as_php_reads_a_number(shop: Shop, company: Company) -> None:
    first, second = make_call_request(company, name="a"), make_call_request(company, name="b")

    assert names(shop, id=first.pk) == ["a"]
    assert names(shop, id=f" {second.pk}abc") == ["b"]
    assert names(shop, id="abc") == []
    assert names(shop, id=" ") == ["a", "b"]
    assert names(shop, id="9" * 5000) == []


@pytest.mark.conforms("CS-filters")
def test_filters_are_combined(shop: Shop, company: Company) -> None:
    make_call_request(company, name="Ana", status="completed", order_number=1)
    make_call_request(company, name="Ana", status="new", order_number=1)
    make_call_request(company, name="Bia", status="completed", order_number=1)

    assert names(shop, name="ana", status="completed", order_exists="Y") == ["Ana"]


@pytest.mark.conforms("CS-filter-none")
def test_what_is_no_filter_is_echoed_and_filters_nothing(shop: Shop, company: Company) -> None:
    make_call_request(company, name="a")

    query = {"product_id": "5", "status[]": "completed", "period": "D", "lang_code": "?", "is_search": "Y"}

    answer = shop.get(URL, query).json()

    assert len(answer["call_requests"]) == 1
    assert dict(list(answer["params"].items())[6:]) == query


@pytest.mark.conforms("CS-lang")
@pytest.mark.parametrize("query", [{}, {"sort_by": "name"}, {"items_per_page": "0"}, {"cursor": ""}])
@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"lang_code": "ru"}, ["Чай", "Чай"]),
        ({"lang_code": "RU"}, ["Чай", "Чай"]),
        ({"lang_code": "en"}, ["Chá", "Chá"]),
        ({"lang_code": "de"}, ["Chá", "Chá"]),
        ({"lang_code": "x' OR '1'='1"}, ["Chá", "Chá"]),
        ({}, ["Chá", "Chá"]),
    ],
)
def test_the_names_of_products_come_in_the_language_asked_for(
    shop: Shop, company: Company, query: dict[str, str], asked: dict[str, str], shown: list[str]
) -> None:
    Product.objects.create(company=company, number=5, name="Chá", names={"ru": "Чай", "en": ""})
    call_request = make_call_request(company, product_number=5, cart_products=[{"product_id": 5}])

    listed = json.loads(shop.get(URL, {**query, **asked}).getvalue())
    for item in [listed["call_requests"][0], shop.get(f"{URL}/{call_request.pk}", asked).json()]:
        assert [item["product"], item["cart_products"][0]["product"]] == shown
    assert listed["params"].get("lang_code") == asked.get("lang_code")


@pytest.mark.conforms("CS-get")
def test_the_lists_filters_mean_nothing_to_one_request(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company, name="a")

    for query in [{"name": "zzz"}, {"status": "completed"}, {"id": "0"}, {"company_id": "999"}]:
        assert shop.get(f"{URL}/{call_request.pk}", query).json()["name"] == "a"


@pytest.mark.conforms("CS-repeated")
def test_of_a_repeated_parameter_the_last_counts_and_is_echoed(shop: Shop, company: Company) -> None:
    for status in ["new", "completed"]:
        make_call_request(company, name=status, status=status)

    answer = shop.get(f"{URL}?status=new&status=completed&zzz=1&zzz=2&items_per_page=1&items_per_page=5&page=7&page=1")

    assert [item["name"] for item in answer.json()["call_requests"]] == ["completed"]
    params = answer.json()["params"]
    assert (params["status"], params["zzz"], params["items_per_page"], params["page"]) == ("completed", "2", "5", 1)


@pytest.mark.conforms("CS-echo")
def test_the_callers_parameters_follow_the_documented_ones_and_texts_are_echoed_trimmed(shop: Shop) -> None:
    params = shop.get(URL, {"name": " Ana ", "phone": " 1", "id": " 2", "status": " new", "sort_by": "id"}).json()

    assert list(params["params"].items()) == [
        ("items_per_page", "10"),
        ("page", 1),
        ("sort_order", "desc"),
        ("sort_by", "id"),
        ("sort_order_rev", "asc"),
        ("total_items", "0"),
        ("name", "Ana"),
        ("phone", "1"),
        ("id", "2"),
        ("status", " new"),
    ]


@pytest.mark.conforms("CS-filter-unfit")
@pytest.mark.parametrize("query", [{"name": "x" * 251}, {"name": "a\x00b"}, {"order_email": "\x00"}])
def test_a_filter_that_no_text_can_match_is_refused_by_name(shop: Shop, query: dict[str, str]) -> None:
    assert_error(shop.get(URL, query), 400, "Bad Request: ", next(iter(query)))
