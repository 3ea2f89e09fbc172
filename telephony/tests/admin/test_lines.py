"""Dialer lines in the admin: secrets go in and never out, hours come prefilled, a suspended line is resumed."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.tests.factories import make_attendant, make_company, make_line, make_supervisor, make_user
from telephony.models import DialerLine, OpeningHours
from telephony.services.lines import suspend_line
from telephony.services.policy import allowance, allowances
from telephony.states import LineHold, MoveReason

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db

LIST = reverse("admin:telephony_dialerline_changelist")
ADD = reverse("admin:telephony_dialerline_add")
SECRETS: dict[str, Any] = {
    "api_key": "chave-secreta",
    "device_password": "senha-do-ramal",
    "account_password": "senha-da-conta",
}


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def administrator(client: Client, company: Company) -> User:
    user = make_user(company)
    client.force_login(user)
    return user


def page_of(line: DialerLine) -> str:
    return reverse("admin:telephony_dialerline_change", args=[line.pk])


def form_of(client: Client, address: str) -> dict[str, Any]:
    """What a browser would send back from the page as it is shown now."""
    context = client.get(address).context
    forms = [context["adminform"].form, *(form for one in context["inline_admin_formsets"] for form in one.formset)]
    data = {bound.html_name: bound.value() for form in forms for bound in form}
    for one in context["inline_admin_formsets"]:
        data |= {bound.html_name: bound.value() for bound in one.formset.management_form}
    return {name: value for name, value in data.items() if value is not None and value is not False}


@pytest.mark.usefixtures("administrator")
def test_a_new_line_comes_with_the_hours_of_the_code_of_conduct(client: Client, company: Company) -> None:
    data = form_of(client, ADD)
    data |= {"company": company.pk, "name": "Nova", "base_url": "https://pabx.example.com", "device": "1", **SECRETS}
    assert client.post(ADD, data).status_code == 302
    line = DialerLine.objects.get()
    assert {name: getattr(line, name) for name in SECRETS} == SECRETS
    hours = list(OpeningHours.objects.values_list("weekday", "opens_at", "closes_at"))
    assert hours == [*((day, time(9), time(21)) for day in range(5)), (5, time(10), time(16))]


@pytest.mark.usefixtures("administrator")
def test_a_secret_is_never_shown_kept_when_left_empty_and_replaced_when_typed(client: Client, company: Company) -> None:
    line = make_line(company, **SECRETS)
    page = client.get(page_of(line)).content.decode()
    assert "Definida. Deixe em branco para manter." in page
    assert not any(secret in page for secret in SECRETS.values())
    data = form_of(client, page_of(line))
    assert client.post(page_of(line), {**data, "name": "Outra"}).status_code == 302
    line.refresh_from_db()
    assert {name: getattr(line, name) for name in SECRETS} == SECRETS
    assert client.post(page_of(line), {**data, "name": "Outra", "api_key": "novíssima"}).status_code == 302
    line.refresh_from_db()
    assert (line.api_key, line.device_password) == ("novíssima", "senha-do-ramal")
    told = " ".join(f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())
    assert not any(secret in told for secret in (*SECRETS.values(), "novíssima"))
    assert "novíssima" not in client.get(reverse("admin:telephony_dialerline_history", args=[line.pk])).content.decode()


@pytest.mark.usefixtures("administrator")
def test_no_stored_secret_goes_to_another_server_than_it_was_typed_for(client: Client, company: Company) -> None:
    line = make_line(company, base_url="https://pabx.example.com/cti", **SECRETS)
    data = form_of(client, page_of(line))
    elsewhere = {**data, "base_url": "https://elsewhere.example.com/cti"}
    assert "digite este segredo de novo" in client.post(page_of(line), elsewhere).content.decode()
    assert client.post(page_of(line), {**elsewhere, "api_key": "nova"}).status_code == 200
    assert client.post(page_of(line), {**data, "base_url": "http://pabx.example.com/cti"}).status_code == 200
    line.refresh_from_db()
    assert (line.base_url, line.api_key) == ("https://pabx.example.com/cti", "chave-secreta")
    assert client.post(page_of(line), {**data, "base_url": "https://pabx.example.com/v2"}).status_code == 302
    assert client.post(page_of(line), {**elsewhere, **dict.fromkeys(SECRETS, "nova")}).status_code == 302
    line.refresh_from_db()
    assert (line.base_url, line.api_key) == ("https://elsewhere.example.com/cti", "nova")


@pytest.mark.usefixtures("administrator")
def test_a_refused_form_does_not_give_a_typed_secret_back(client: Client, company: Company) -> None:
    line = make_line(company)
    data = {**form_of(client, page_of(line)), "name": "", "api_key": "digitada"}
    response = client.post(page_of(line), data)
    assert response.status_code == 200
    assert "digitada" not in response.content.decode()


@pytest.mark.usefixtures("administrator")
def test_saving_a_line_writes_the_changed_columns_only_since_the_dialer_moves_the_others(
    client: Client, company: Company
) -> None:
    line = make_line(company)
    data = form_of(client, page_of(line))
    with CaptureQueriesContext(connection) as queries:
        assert client.post(page_of(line), {**data, "name": "Outra"}).status_code == 302
    written = [query["sql"] for query in queries if query["sql"].startswith('UPDATE "telephony_dialerline"')]
    assert len(written) == 1
    assert '"name" =' in written[0]
    assert "next_slot_at" not in written[0]
    assert "suspended_reason" not in written[0]


@pytest.mark.usefixtures("administrator")
def test_a_block_that_ends_before_it_begins_is_refused_but_midnight_is_the_end_of_the_day(
    client: Client, company: Company
) -> None:
    line = make_line(company)
    data = form_of(client, page_of(line))
    refused = client.post(
        page_of(line), {**data, "opening_hours-0-opens_at": "10:00", "opening_hours-0-closes_at": "09:00"}
    )
    assert "Precisa ser depois da abertura" in refused.content.decode()
    taken = client.post(
        page_of(line), {**data, "opening_hours-0-opens_at": "10:00", "opening_hours-0-closes_at": "00:00"}
    )
    assert taken.status_code == 302


@pytest.mark.usefixtures("administrator")
def test_a_suspended_line_says_why_and_is_resumed_by_a_button(client: Client, company: Company) -> None:
    line = make_line(company)
    suspend_line(line.pk, reason=MoveReason.UNAUTHORIZED, now=timezone.now())
    assert "O PABX recusou as credenciais" in client.get(page_of(line)).content.decode()
    assert "A linha foi suspensa pelo sistema" in client.get(LIST).content.decode()
    resume = reverse("admin:telephony_dialerline_resume", args=[line.pk])
    assert "Feito para 1 linha." in client.post(resume, follow=True).content.decode()
    line.refresh_from_db()
    assert line.suspended_reason == ""
    assert "a linha não estava suspensa" in client.post(resume, follow=True).content.decode()


def test_a_supervisor_changes_a_line_and_makes_none(client: Client, company: Company) -> None:
    client.force_login(make_supervisor(company))
    line = make_line(company)
    assert client.post(page_of(line), {**form_of(client, page_of(line)), "name": "Outra"}).status_code == 302
    assert client.get(ADD).status_code == 403


def test_the_list_costs_the_same_queries_however_many_lines_there_are(
    client: Client, company: Company, administrator: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _more in range(2):
        make_attendant(company)
        make_line(company)
        with django_assert_num_queries(15):
            client.get(LIST)
        for _n in range(10):
            make_line(company)


def test_a_list_says_of_each_line_what_the_dialer_would_be_told(company: Company) -> None:
    now = timezone.now()
    other, empty = make_company(), make_company()
    lines = [
        make_line(company, max_calls_at_once=3),
        make_line(company, is_enabled=False),
        make_line(other, open_always=False),
        make_line(other, channel_id=None),
        make_line(empty),
    ]
    make_attendant(company, other), make_attendant(company), make_attendant(make_company())
    found = allowances(lines, now=now)
    assert found == {line.pk: allowance(line, now=now) for line in lines}
    assert {one.hold for one in found.values()} >= {
        LineHold.NONE, LineHold.DISABLED, LineHold.CLOSED, LineHold.NO_CHANNEL, LineHold.NO_ATTENDANT,
    }  # fmt: skip
    User.objects.create(email="root@example.com", presence=User.Presence.AVAILABLE)
    assert allowances(lines, now=now) == {line.pk: allowance(line, now=now) for line in lines}


@pytest.mark.usefixtures("administrator")
def test_the_hours_are_typed_as_hours_and_minutes(client: Client, company: Company) -> None:
    page = client.get(page_of(make_line(company))).content.decode()
    assert re.search(r'<input type="time" name="opening_hours-0-opens_at" value="00:00"', page)
