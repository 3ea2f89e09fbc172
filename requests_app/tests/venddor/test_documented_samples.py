"""Venddor's own page, sample by sample, to the letter.

Source: Venddor documentation, "Call Requests API" (https://www.venddor.com.br/api/2.0).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import time_machine

from callcenter.tests.factories import make_attendant
from requests_app.models import CallRequest
from requests_app.states import Hold, Priority
from requests_app.tests.api import assert_error, ordered

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.tests.api import Shop

URL = "/venddor/api/2.0/call_requests"

CREATE = """{ "phone": "+5511999998888", "name": "João Silva", "request_time": "2025-04-17T14:30:00Z",
"notes": "Customer is interested in our Enterprise plan", "priority": "high", "assignee_id": 42 }"""
CREATED = """{ "id": 12345, "phone": "+5511999998888", "name": "João Silva", "request_time": "2025-04-17T14:30:00Z",
"created_at": "2025-04-16T10:25:32Z", "notes": "Customer is interested in our Enterprise plan", "status": "pending",
"priority": "high", "assignee_id": 42 }"""
UPDATE = """{ "status": "completed", "notes": "Customer was contacted and purchased the Enterprise plan",
"completed_at": "2025-04-17T15:45:22Z" }"""
UPDATED = """{ "id": 12345, "phone": "+5511999998888", "name": "João Silva", "request_time": "2025-04-17T14:30:00Z",
"created_at": "2025-04-16T10:25:32Z", "updated_at": "2025-04-17T15:45:22Z",
"notes": "Customer was contacted and purchased the Enterprise plan", "status": "completed", "priority": "high",
"assignee_id": 42, "completed_at": "2025-04-17T15:45:22Z" }"""


@pytest.fixture(autouse=True)
def assignee(company: Company) -> None:
    """The page's assignee has the number 42."""
    make_attendant(company, pk=42)


@pytest.fixture
def documented_row(company: Company) -> None:
    """The request of the page, as it is after the documented POST."""
    CallRequest.objects.create(
        pk=12345,
        company=company,
        phone="+5511999998888",
        name="João Silva",
        wanted_at=datetime(2025, 4, 17, 14, 30, tzinfo=UTC),
        requested_at=datetime(2025, 4, 16, 10, 25, 32, tzinfo=UTC),
        notes="Customer is interested in our Enterprise plan",
        priority=Priority.HIGH,
        responsible_id=42,
    )


@pytest.mark.conforms("VD-post", "VD-request-time")
@time_machine.travel(datetime(2025, 4, 16, 10, 25, 32, 999, tzinfo=UTC), tick=False)
def test_the_documented_post_answers_201_and_the_whole_request(shop: Shop, company: Company) -> None:
    response = shop.post(URL, CREATE)

    assert response.status_code == 201
    assert response["Content-Type"] == "application/json"
    stored = CallRequest.objects.get()
    assert ordered(response.content) == ordered(CREATED.replace("12345", str(stored.pk)))
    assert shop.get(f"{URL}/{stored.pk}").content == response.content
    assert stored.company == company
    assert stored.source == "venddor"
    assert stored.phone_e164 == "+5511999998888"
    # request_time is the earliest instant at which we dial.
    assert (stored.due_at, stored.hold_reason) == (datetime(2025, 4, 17, 14, 30, tzinfo=UTC), Hold.WANTED_TIME)


@pytest.mark.conforms("VD-get")
@pytest.mark.usefixtures("documented_row")
def test_one_request_is_the_documented_one_to_the_letter(shop: Shop) -> None:
    response = shop.get(f"{URL}/12345")

    assert response.status_code == 200
    assert ordered(response.content) == ordered(CREATED)
    assert "João".encode() in response.content


@pytest.mark.conforms("VD-put")
@pytest.mark.usefixtures("documented_row")
@time_machine.travel(datetime(2025, 4, 17, 15, 45, 22, tzinfo=UTC), tick=False)
def test_the_documented_put_answers_200_and_the_whole_request(shop: Shop) -> None:
    response = shop.put(f"{URL}/12345", UPDATE)

    assert response.status_code == 200
    assert ordered(response.content) == ordered(UPDATED)
    assert shop.get(f"{URL}/12345").content == response.content


@pytest.mark.conforms("VD-delete")
@pytest.mark.usefixtures("documented_row")
def test_the_documented_delete_answers_204_and_nothing_else(shop: Shop) -> None:
    response = shop.delete(f"{URL}/12345")

    assert (response.status_code, response.content) == (204, b"")
    assert_error(shop.delete(f"{URL}/12345"), 404, phrase="Not Found")


@pytest.mark.conforms("VD-list")
@pytest.mark.usefixtures("documented_row")
def test_the_list_holds_the_same_objects_and_integers(shop: Shop) -> None:
    answer = shop.get(URL)

    assert answer.status_code == 200
    assert ordered(answer.content) == ordered(
        f"""{{"call_requests": [{CREATED}], "params": {{"items_per_page": 10, "page": 1, "sort_order": "desc",
        "sort_by": "date", "sort_order_rev": "asc", "total_items": 1}}}}"""
    )
