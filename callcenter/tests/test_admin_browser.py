"""Staff at work in a real browser: the list, a request that changes by itself, a phone's screen, the dark theme."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from callcenter.accounts.models import User
from callcenter.tests.browser import PHONE, log_in, overflow_of
from callcenter.tests.factories import PASSWORD, make_call_request, make_company, make_line, make_supervisor
from requests_app.services.calls import DIALER, note_try, settle_request
from requests_app.states import Outcome

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from callcenter.accounts.models import Company

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/admin/requests_app/callrequest/"


@pytest.fixture
def company() -> Company:
    return make_company("Loja Aurora")


@pytest.fixture
def supervisor(company: Company) -> User:
    return make_supervisor(company, email="marta@example.com", first_name="Marta")


@pytest.mark.usefixtures("supervisor")
def test_a_supervisor_has_a_request_dialed_and_watches_it_change(page: Page, company: Company) -> None:
    row = make_call_request(company, name="Ana Beatriz", wanted_at=timezone.now() + timedelta(hours=2))
    log_in(page, "marta@example.com", PASSWORD)
    page.get_by_role("link", name="Pedidos de ligação", exact=True).first.click()
    page.get_by_role("link", name="Ana Beatriz").click()
    situation = page.locator(".situation-box")
    expect(situation).to_contain_text("Aguarda o horário pedido")
    page.get_by_role("button", name="Ligar agora").click()
    expect(page.get_by_text("Mandado ligar agora.")).to_be_visible()
    expect(situation).to_contain_text("A empresa não tem linha de discagem")
    timeline = page.locator(".timeline .entry")
    expect(timeline).to_have_count(2)

    with transaction.atomic():
        note_try(row.pk, now=timezone.now())
        settle_request(row.pk, outcome=Outcome.ANSWERED, retry_at=None, now=timezone.now(), origin=DIALER)

    expect(page.locator(".summary .badge").first).to_have_text("Concluído")
    expect(situation).to_contain_text("Encerrado")
    expect(timeline).to_have_count(5)
    # The form moves along, so that saving it later undoes nothing.
    expect(page.get_by_label("Status")).to_have_value("completed")


@pytest.mark.usefixtures("supervisor")
def test_the_list_brings_its_cells_up_to_date_and_keeps_the_selection(page: Page, company: Company) -> None:
    row = make_call_request(company, name="Ana")
    log_in(page, "marta@example.com", PASSWORD)
    page.goto(LIST)
    box = page.locator("input.action-select")
    box.check()
    with transaction.atomic():
        note_try(row.pk, now=timezone.now())
    expect(page.locator("td.field-status_badge")).to_have_text("Em andamento")
    expect(box).to_be_checked()
    make_call_request(company, name="Bruno")
    expect(page.locator("#list-note")).to_contain_text("A lista mudou.")
    page.get_by_role("link", name="Atualizar").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(2)


def test_presence_is_switched_in_the_header(page: Page, supervisor: User) -> None:
    log_in(page, "marta@example.com", PASSWORD)
    page.goto(LIST)
    page.get_by_role("button", name="Disponível").click()
    expect(page.get_by_role("button", name="Disponível")).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith(LIST)
    supervisor.refresh_from_db()
    assert supervisor.presence == User.Presence.AVAILABLE


@pytest.mark.usefixtures("supervisor")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(page: Page, company: Company, scheme: str) -> None:
    row, line = make_call_request(company, name="Ana " * 20), make_line(company)
    log_in(page, "marta@example.com", PASSWORD)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for address in (
        reverse("admin:index"),
        LIST,
        reverse("admin:requests_app_callrequest_change", args=[row.pk]),
        reverse("admin:requests_app_callrequest_add"),
        reverse("admin:telephony_callattempt_changelist"),
        reverse("admin:telephony_providerevent_changelist"),
        reverse("admin:telephony_dialerline_change", args=[line.pk]),
        reverse("admin:accounts_user_changelist"),
    ):
        page.goto(address)
        assert overflow_of(page) <= 0, address
    page.goto(LIST)
    # A row is a card: its cells carry their column's name.
    expect(page.locator("td.field-number")).to_have_attribute("data-label", "Telefone")
    expect(page.locator("#result_list thead")).to_be_hidden()


@pytest.mark.usefixtures("supervisor")
def test_a_filter_is_chosen_with_the_mouse_and_escape_closes_it(page: Page, company: Company) -> None:
    make_call_request(company, name="Ana")
    log_in(page, "marta@example.com", PASSWORD)
    page.goto(LIST)
    status = page.locator("#changelist-filter summary", has_text="Status")
    status.click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Concluído")).to_be_hidden()
    status.click()
    page.get_by_role("link", name="Concluído", exact=True).click()
    expect(page.locator("#changelist-filter .chosen")).to_have_text("Concluído")
    expect(page.locator(".paginator")).to_contain_text("0 pedidos de ligação")
