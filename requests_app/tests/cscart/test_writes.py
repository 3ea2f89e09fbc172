"""What POST and PUT store, what they ignore, and what they refuse by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from callcenter.accounts.models import Company, User
from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_user
from requests_app.models import CallRequest, LedgerEntry, Order, Product
from requests_app.tests.api import Shop, assert_error, stranger_id

URL = "/api/2.0/call_requests"
NOW = datetime(2025, 4, 16, 10, 25, 32, tzinfo=UTC)


def created(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    """The item that the body became."""
    answer = shop.post(URL, body)
    assert answer.status_code == 201, answer.content
    item: dict[str, Any] = shop.get(f"{URL}/{answer.json()['request_id']}").json()
    return item


@pytest.mark.conforms("CS-post-defaults")
@time_machine.travel(NOW, tick=False)
def test_what_is_not_sent_has_cscarts_defaults(shop: Shop, company: Company) -> None:
    item = created(shop, {"phone": "1"})

    assert item == {
        "request_id": item["request_id"],
        "company_id": str(company.pk),
        "order_id": "0",
        "user_id": "0",
        "product_id": "0",
        "timestamp": str(int(NOW.timestamp())),
        "status": "new",
        "name": "",
        "phone": "1",
        "time_from": "",
        "time_to": "",
        "notes": None,
        "cart_products": "",
        "order_status": None,
        "product": None,
    }


@pytest.mark.conforms("CS-mirrors", "CS-post-fields")
@pytest.mark.parametrize("number", [str, int, float])
def test_every_documented_field_is_stored_and_shown(shop: Shop, company: Company, number: Any) -> None:
    attendant = make_attendant(company)
    Order.objects.create(company=company, number=8, status="P")
    Product.objects.create(company=company, number=9, name="Chá verde")
    sent = {
        "email": "ana@example.com",
        "phone": "+55 (11) 98765-4321",
        "user_id": number(attendant.pk),
        "order_id": number(8),
        "product_id": number(9),
        "timestamp": number(1442933072),
        "status": "in_progress",
        "name": " Ana <b> ",
        "time_from": "__:__",
        "time_to": "20h",
        "notes": "Olá\r\n",
        "cart_products": [{"product_id": "9", "amount": 2}],
    }

    item = created(shop, sent)

    assert item == {
        "request_id": item["request_id"],
        "company_id": str(company.pk),
        "order_id": "8",
        "user_id": str(attendant.pk),
        "product_id": "9",
        "timestamp": "1442933072",
        "status": "in_progress",
        "name": " Ana <b> ",
        "phone": "+55 (11) 98765-4321",
        "time_from": "__:__",
        "time_to": "20h",
        "notes": "Olá\r\n",
        "cart_products": [{"product_id": "9", "amount": 2, "product": "Chá verde"}],
        "order_status": "P",
        "product": "Chá verde",
    }
    assert CallRequest.objects.get().email == "ana@example.com"


@pytest.mark.conforms("CS-post-quiet")
def test_a_new_request_sends_no_mail_and_places_no_order(
    shop: Shop, mailoutbox: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        created(shop, {"phone": "1", "email": "ana@example.com", "product_id": 9})

    assert mailoutbox == []
    assert not Order.objects.exists()


@pytest.mark.conforms("CS-post-contact")
@pytest.mark.parametrize("empty", ["", "0", None, 0, 0.0, False, [], {}])
def test_a_phone_that_php_takes_for_empty_is_missing(shop: Shop, empty: Any) -> None:
    assert_error(shop.post(URL, {"name": "x", "phone": empty}), 400, "Bad Request: phone: ")
    assert_error(shop.post(URL, {"name": "x", "phone": empty, "email": ""}), 400, "Bad Request: phone: ")
    assert_error(shop.post(URL, {"name": "x"}), 400, "Bad Request: phone: ")
    assert not CallRequest.objects.exists()
    assert created(shop, {"phone": empty, "email": "ana@example.com"})["phone"] in {"", "0"}


@pytest.mark.conforms("CS-email")
def test_an_email_is_enough_and_is_never_shown(shop: Shop) -> None:
    item = created(shop, {"email": "ana@example.com"})

    assert item["phone"] == ""
    assert "email" not in item
    assert CallRequest.objects.get().email == "ana@example.com"


@pytest.mark.conforms("CS-timestamp")
@pytest.mark.parametrize("nothing", [0, "0", "", None, 0.0, False, [], {}])
def test_numbers_and_dates_that_are_empty_mean_none_and_now(shop: Shop, nothing: Any) -> None:
    with time_machine.travel(NOW, tick=False):
        item = created(shop, {"phone": "1", "user_id": nothing, "order_id": nothing, "timestamp": nothing})

    assert (item["user_id"], item["order_id"], item["timestamp"]) == ("0", "0", str(int(NOW.timestamp())))


@pytest.mark.conforms("CS-post-defaults")
def test_null_texts_are_empty_and_a_null_status_is_the_default(shop: Shop) -> None:
    item = created(shop, {"phone": "1", "name": None, "time_from": None, "notes": None, "status": None})

    assert (item["name"], item["time_from"], item["notes"], item["status"]) == ("", "", None, "new")


@pytest.mark.conforms("CS-unknown-keys")
def test_unknown_keys_and_the_id_are_ignored(shop: Shop) -> None:
    item = created(shop, {"phone": "1", "request_id": 777, "zzz": {"a": 1}, "due_at": "x", "attempts": 9})

    assert item["request_id"] != "777"
    assert CallRequest.objects.get().attempts == 0


@pytest.mark.conforms("CS-user")
@pytest.mark.parametrize("kind", ["unknown", "foreign", "inactive"])
def test_a_responsible_who_is_no_attendant_of_the_company_is_dropped(shop: Shop, company: Company, kind: str) -> None:
    stranger = stranger_id(kind, company)

    item = created(shop, {"phone": "1", "user_id": stranger, "name": "Ana"})

    assert (item["user_id"], item["name"]) == ("0", "Ana")
    hers = make_call_request(company, responsible_id=make_attendant(company).pk)
    answer = shop.put(f"{URL}/{hers.pk}", {"user_id": stranger, "name": "Bia"})
    assert answer.status_code == 200
    stored = CallRequest.objects.get(pk=hers.pk)
    assert (stored.name, stored.responsible_id) == ("Bia", hers.responsible_id)


TOO_LONG = [("name", 250), ("phone", 128), ("email", 254), ("time_from", 32), ("time_to", 32), ("notes", 100_000)]


@pytest.mark.conforms("CS-bad-values")
@pytest.mark.parametrize(("field", "longest"), TOO_LONG)
def test_a_text_that_is_too_long_is_refused_with_the_limit(
    shop: Shop, company: Company, field: str, longest: int
) -> None:
    url = f"{URL}/{make_call_request(company).pk}"

    for answer in [
        shop.post(URL, {"phone": "1", field: "x" * (longest + 1)}),
        shop.put(url, {field: "x" * 1_000_000}),
    ]:
        assert_error(answer, 400, f"Bad Request: {field}: ", str(longest))
    assert CallRequest.objects.count() == 1


@pytest.mark.conforms("CS-bad-values")
@pytest.mark.parametrize("field", ["name", "phone", "email", "time_from", "notes"])
@pytest.mark.parametrize("value", ["a\x00b", "a\ud800b", ["x"], {"a": 1}, True])
def test_a_text_that_is_none_or_can_not_be_stored_is_refused_by_name(shop: Shop, field: str, value: Any) -> None:
    assert_error(shop.post(URL, {"phone": "1", field: value}), 400, f"Bad Request: {field}: ")


@pytest.mark.conforms("CS-bad-values")
@pytest.mark.parametrize("field", ["user_id", "order_id", "product_id", "timestamp"])
@pytest.mark.parametrize(
    "value", ["abc", "1x", -1, "-1", 1.5, True, [5], {"a": 1}, 2**63, 10**400, "9" * 30, "٣", "1" * 5000]
)
def test_a_number_that_is_none_is_refused_with_the_range(shop: Shop, field: str, value: Any) -> None:
    assert_error(shop.post(URL, {"phone": "1", field: value}), 400, f"Bad Request: {field}: ", "0 a ")


@pytest.mark.conforms("CS-bad-values")
@pytest.mark.parametrize("value", ["unknown", "", "NEW", 1, True, [], {}, "new\x00"])
def test_an_unknown_status_is_refused_with_the_known_ones(shop: Shop, company: Company, value: Any) -> None:
    url = f"{URL}/{make_call_request(company).pk}"

    for answer in [shop.post(URL, {"phone": "1", "status": value}), shop.put(url, {"status": value})]:
        assert_error(answer, 400, "Bad Request: status: ", "new, in_progress, completed, no_answer")


@pytest.mark.conforms("CS-bad-values")
def test_an_address_that_is_none_is_refused(shop: Shop) -> None:
    assert_error(shop.post(URL, {"email": "not an address"}), 400, "Bad Request: email: ")


@pytest.mark.conforms("CS-bad-values")
def test_every_field_at_fault_is_named(shop: Shop) -> None:
    answer = shop.post(URL, {"phone": "1", "status": "x", "order_id": "x", "name": []})

    assert_error(answer, 400, "status: ", "order_id: ", "name: ")


@pytest.mark.conforms("CS-put", "CS-put-fields")
def test_put_changes_only_what_is_sent(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company, name="Ana", notes="a", order_number=5)
    url = f"{URL}/{call_request.pk}"
    before = shop.get(url).json()

    assert shop.put(url, {"notes": None, "timestamp": "1442933072"}).json() == {"request_id": str(call_request.pk)}

    assert shop.get(url).json() == {**before, "notes": None, "timestamp": "1442933072"}


@pytest.mark.conforms("CS-put-nothing", "CS-timestamp", "CS-unknown-keys")
def test_put_ignores_the_company_and_unknown_keys(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company)
    entries = LedgerEntry.objects.count()

    for body in [{"company_id": 999}, {"zzz": 1}, {"name": call_request.name}, {"timestamp": 0}]:
        answer = shop.put(f"{URL}/{call_request.pk}", body)
        assert (answer.status_code, answer.json()) == (200, {"request_id": str(call_request.pk)})
    assert LedgerEntry.objects.count() == entries
    assert CallRequest.objects.get().updated_at is None


@pytest.mark.conforms("CS-put-fields")
def test_put_may_blank_the_phone(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company)

    assert shop.put(f"{URL}/{call_request.pk}", {"phone": ""}).status_code == 200
    assert CallRequest.objects.get().phone == ""


@pytest.mark.conforms("CS-status")
@pytest.mark.parametrize("before", ["new", "in_progress", "completed", "no_answer"])
@pytest.mark.parametrize("after", ["new", "in_progress", "completed", "no_answer"])
def test_a_status_may_move_to_any_other(shop: Shop, company: Company, before: str, after: str) -> None:
    call_request = make_call_request(company, status=before)

    assert shop.put(f"{URL}/{call_request.pk}", {"status": after}).status_code == 200
    assert CallRequest.objects.get().status == after


@pytest.mark.conforms("CS-delete-busy")
def test_a_request_whose_call_is_in_flight_is_not_deleted(shop: Shop, company: Company) -> None:
    call_request = make_call_request(company)
    CallRequest.objects.update(in_flight=True, due_at=None)

    assert_error(shop.delete(f"{URL}/{call_request.pk}"), 400, "Bad Request: ")
    assert CallRequest.objects.filter(pk=call_request.pk).exists()


@pytest.mark.conforms("CS-post-company")
def test_a_key_of_one_company_creates_there_whatever_the_body_says(shop: Shop, company: Company) -> None:
    foreign = make_company()

    assert created(shop, {"phone": "1", "company_id": foreign.pk})["company_id"] == str(company.pk)


@pytest.mark.conforms("CS-post-company")
def test_a_key_of_several_companies_must_say_which(company: Company) -> None:
    other, foreign = make_company(), make_company()
    shop = Shop(make_user(company, other))

    assert created(shop, {"phone": "1", "company_id": str(other.pk)})["company_id"] == str(other.pk)
    for body in [{}, {"company_id": foreign.pk}, {"company_id": 999_999}, {"company_id": 2**63 - 1}]:
        answer = shop.post(URL, {"phone": "1", **body})
        assert_error(answer, 400, "Bad Request: company_id: ", f"{company.pk}, {other.pk}")


@pytest.mark.conforms("CS-post-company")
def test_a_key_of_all_companies_needs_to_say_which_only_when_there_are_several(company: Company) -> None:
    shop = Shop(User.objects.create_superuser("root@example.com"))
    closed = make_company(is_active=False)
    assert created(shop, {"phone": "1"})["company_id"] == str(company.pk)
    assert_error(shop.post(URL, {"phone": "1", "company_id": closed.pk}), 400, "company_id: ")

    other = make_company()
    assert_error(shop.post(URL, {"phone": "1"}), 400, "company_id: ", f"{company.pk}, {other.pk}")

    Company.objects.update(is_active=False)
    assert_error(shop.post(URL, {"phone": "1"}), 400, "company_id: ")


@pytest.mark.conforms("CS-post-company")
def test_an_inactive_company_takes_no_requests(shop: Shop) -> None:
    Company.objects.update(is_active=False)

    assert_error(shop.post(URL, {"phone": "1"}), 400, "company_id: ")
