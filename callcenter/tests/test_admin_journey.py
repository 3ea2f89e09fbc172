"""A supervisor watches in a real browser how a shop's request is dialed, answered and completed by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from playwright.sync_api import expect

from callcenter.tests.browser import log_in
from callcenter.tests.factories import (
    PASSWORD,
    make_account,
    make_api_key,
    make_attendant,
    make_company,
    make_line,
    make_supervisor,
)
from callcenter.tests.stack import Stack
from telephony.tests.simulators.running import Simulators

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_posted_request_is_dialed_and_completed_before_the_supervisors_eyes(page: Page) -> None:
    company = make_company("Loja Aurora")
    make_attendant(company)
    supervisor = make_supervisor(company, email="marta@example.com")
    log_in(page, supervisor.email, PASSWORD)
    with Simulators(event_delay_ms=300) as simulators, Stack() as stack:
        make_line(company, base_url=simulators.digitro_url)
        make_account(company, base_url=simulators.directcall_url)
        simulators.register_callback(f"{stack.url}/webhooks/directcall/s3cr3t-of-the-path")
        posted = requests.post(
            f"{stack.url}/api/2.0/call_requests",
            json={"phone": "(11) 99999-0001", "name": "Ana"},
            auth=(supervisor.email, make_api_key(supervisor)),
            timeout=(3, 10),
        )
        assert posted.status_code == 201
        page.goto(f"/admin/requests_app/callrequest/{posted.json()['request_id']}/change/")
        badge = page.locator(".summary .badge").first
        expect(badge).to_have_text("Novo")
        stack.start_worker()
        expect(badge).to_have_text("Concluído")
        timeline = page.locator(".timeline")
        for step in ("Pedido recebido", "Discador assumiu", "Operadora: atendeu", "Operadora: desligou"):
            expect(timeline).to_contain_text(step)
        assert [call["number"] for call in simulators.dialed_calls()] == ["011999990001"]
