"""CS-Cart's own page, sample by sample, to the letter.

Source: CS-Cart documentation, "Заявки на обратный звонок: call_requests" (REST API 2.0).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from callcenter.tests.factories import make_company
from requests_app.models import CallRequest
from requests_app.tests.api import ordered

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/api/2.0/call_requests"

LIST = """
{
  "call_requests": [
    {
      "request_id": "2",
      "company_id": "1",
      "order_id": "0",
      "user_id": "0",
      "product_id": "0",
      "timestamp": "1442933097",
      "status": "new",
      "name": "Inna",
      "phone": "+7(917)000-00-00",
      "time_from": "__:__",
      "time_to": "",
      "notes": null,
      "cart_products": "",
      "order_status": null,
      "product": null
    },
    {
      "request_id": "1",
      "company_id": "1",
      "order_id": "0",
      "user_id": "0",
      "product_id": "0",
      "timestamp": "1442933072",
      "status": "new",
      "name": "Vladimir",
      "phone": "+7(917)111-11-11",
      "time_from": "10:00",
      "time_to": "20:00",
      "notes": null,
      "cart_products": "",
      "order_status": null,
      "product": null
    }
  ],
  "params": {
    "items_per_page": "10",
    "page": 1,
    "sort_order": "desc",
    "sort_by": "date",
    "sort_order_rev": "asc",
    "total_items": "2"
  }
}
"""

ITEM = """
{
  "request_id": "1",
  "company_id": "1",
  "order_id": "0",
  "user_id": "0",
  "product_id": "0",
  "timestamp": "1442933072",
  "status": "new",
  "name": "Vladimir",
  "phone": "+7(917)111-11-11",
  "time_from": "10:00",
  "time_to": "20:00",
  "notes": null,
  "cart_products": "",
  "order_status": null,
  "product": null
}
"""


@pytest.fixture
def company(db: None) -> Company:
    """The page's company has the number 1."""
    return make_company("example.com", pk=1)


@pytest.fixture
def documented_rows(company: Company) -> None:
    """The two requests of the page, as the shop's API created them."""
    CallRequest.objects.create(
        pk=1,
        company=company,
        requested_at=datetime.fromtimestamp(1442933072, UTC),
        name="Vladimir",
        phone="+7(917)111-11-11",
        time_from="10:00",
        time_to="20:00",
        email="vladimir@example.com",
    )
    CallRequest.objects.create(
        pk=2,
        company=company,
        requested_at=datetime.fromtimestamp(1442933097, UTC),
        name="Inna",
        phone="+7(917)000-00-00",
        time_from="__:__",
    )


@pytest.mark.conforms("CS-echo-unasked", "CS-list")
@pytest.mark.usefixtures("documented_rows")
def test_the_list_is_the_documented_one_to_the_letter(shop: Shop) -> None:
    response = shop.get(URL)

    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    assert ordered(response.content) == ordered(LIST)


@pytest.mark.conforms("CS-get", "CS-url")
@pytest.mark.usefixtures("documented_rows")
def test_one_request_is_the_documented_one_to_the_letter(shop: Shop) -> None:
    response = shop.get(f"{URL}/1")

    assert response.status_code == 200
    assert ordered(response.content) == ordered(ITEM)


@pytest.mark.conforms("CS-post")
def test_the_documented_post_answers_201_and_the_id_as_a_string(shop: Shop, company: Company) -> None:
    response = shop.post(URL, '{"phone":"+7(999)111-22-33", "name":"Api"}')

    assert response.status_code == 201
    assert "Location" not in response
    created = CallRequest.objects.get()
    assert response.content == json.dumps({"request_id": str(created.pk)}, separators=(",", ":")).encode()
    assert (created.phone, created.name, created.status) == ("+7(999)111-22-33", "Api", "new")
    assert created.company == company
    assert created.source == "cscart"
    assert created.ledger.get().actor == shop.user


@pytest.mark.conforms("CS-url")
def test_the_resource_table_writes_the_post_with_a_trailing_slash(shop: Shop) -> None:
    assert shop.post(f"{URL}/", '{"phone":"+7(999)111-22-33", "name":"Api"}').status_code == 201


@pytest.mark.conforms("CS-put")
@pytest.mark.usefixtures("documented_rows")
def test_the_documented_put_answers_200_and_the_id_as_a_string(shop: Shop) -> None:
    response = shop.put(f"{URL}/1", '{"status":"no_answer", "notes":"No answer"}')

    assert response.status_code == 200
    assert response.json() == {"request_id": "1"}
    changed = CallRequest.objects.get(pk=1)
    assert (changed.status, changed.notes, changed.name) == ("no_answer", "No answer", "Vladimir")


@pytest.mark.conforms("CS-delete")
@pytest.mark.usefixtures("documented_rows")
def test_the_documented_delete_answers_204_and_nothing_else(shop: Shop) -> None:
    response = shop.delete(f"{URL}/1")

    assert response.status_code == 204
    assert response.content == b""
    assert "Content-Type" not in response
    assert not CallRequest.objects.filter(pk=1).exists()
