"""The main job from end to end, over HTTP only: both dialects in, a PABX, a carrier, and the outcome out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from callcenter.tests.factories import make_account, make_api_key, make_attendant, make_company, make_line, make_user
from callcenter.tests.stack import Stack, wait_until
from telephony.models import RetryRule
from telephony.tests.simulators.running import Simulators

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)

TIMEOUT = (3, 10)


class Shop:
    """A shop's integration: it knows an address, an e-mail and a key, and speaks both dialects."""

    def __init__(self, url: str, email: str, key: str) -> None:
        self.url = url
        self.auth = (email, key)

    def post(self, path: str, body: dict[str, Any]) -> requests.Response:
        return requests.post(f"{self.url}{path}", json=body, auth=self.auth, timeout=TIMEOUT)

    def get(self, path: str) -> dict[str, Any]:
        answer = requests.get(f"{self.url}{path}", auth=self.auth, timeout=TIMEOUT)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def call_request(self, request_id: int | str) -> dict[str, Any]:
        return self.get(f"/api/2.0/call_requests/{request_id}")

    def wait_for_status(self, request_id: int | str, status: str) -> None:
        wait_until(
            lambda: self.call_request(request_id)["status"] == status,
            seconds=30,
            what=f"request {request_id} is {status}; it is {self.call_request(request_id)['status']}",
        )


@pytest.fixture
def simulators() -> Iterator[Simulators]:
    """A PABX and a carrier."""
    with Simulators() as running:
        yield running


@pytest.fixture
def shop(simulators: Simulators, transactional_db: None) -> Iterator[Shop]:
    """A shop with a line to the PABX and three attendants, and the product running."""
    company = make_company("Loja Aurora")
    make_line(company, base_url=simulators.digitro_url)
    make_account(company, base_url=simulators.directcall_url)
    for _ in range(3):
        make_attendant(company)
    user = make_user(company)
    for outcome in ("busy", "no_answer"):
        RetryRule.objects.create(company=company, outcome=outcome, max_tries=2, wait_seconds=1)
    with Stack() as stack:
        simulators.register_callback(f"{stack.url}/webhooks/directcall/s3cr3t-of-the-path")
        stack.start_worker()
        yield Shop(stack.url, user.email, make_api_key(user))


def test_both_dialects_reach_their_outcomes(shop: Shop, simulators: Simulators) -> None:
    answered = shop.post("/api/2.0/call_requests", {"phone": "(11) 99999-0001", "name": "Ana"})
    assert answered.status_code == 201
    assert list(answered.json()) == ["request_id"]
    seed = shop.post("/api/2.0/call_requests", {"phone": "+7(999)111-22-33", "name": "Api"})
    busy = shop.post("/venddor/api/2.0/call_requests", {"phone": "+5511999990002", "name": "João Silva"})
    assert busy.status_code == 201
    no_answer = shop.post("/api/2.0/call_requests", {"phone": "11 99999-0003"})
    late = shop.post(
        "/venddor/api/2.0/call_requests", {"phone": "+5511999990101", "request_time": "2099-01-01T12:00:00Z"}
    )

    shop.wait_for_status(answered.json()["request_id"], "completed")
    shop.wait_for_status(busy.json()["id"], "no_answer")
    shop.wait_for_status(no_answer.json()["request_id"], "no_answer")

    stored = shop.call_request(seed.json()["request_id"])
    assert (stored["phone"], stored["name"], stored["status"]) == ("+7(999)111-22-33", "Api", "new")
    venddor = shop.get(f"/venddor/api/2.0/call_requests/{answered.json()['request_id']}")
    assert venddor["status"] == "completed"
    assert venddor["completed_at"].endswith("Z")
    assert shop.get(f"/venddor/api/2.0/call_requests/{late.json()['id']}")["status"] == "pending"

    rang = [call["number"] for call in simulators.dialed_calls()]
    assert sorted(rang) == ["011999990001", "011999990002", "011999990002", "011999990003", "011999990003"]
    assert all(delivery["http_status"] == 200 for delivery in simulators.deliveries())
