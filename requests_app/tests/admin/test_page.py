"""The page of one request: its form writes through the services, its living part is polled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_line, make_supervisor
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services.calls import note_try
from requests_app.states import Hold, Source, Status
from telephony.models import AttemptEntry, CallAttempt

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from callcenter.accounts.models import Company, User

pytestmark = pytest.mark.django_db

ADD = reverse("admin:requests_app_callrequest_add")


@pytest.fixture
def company() -> Company:
    return make_company()


@pytest.fixture
def supervisor(client: Client, company: Company) -> User:
    user = make_supervisor(company)
    client.force_login(user)
    return user


def page_of(row: CallRequest) -> str:
    return reverse("admin:requests_app_callrequest_change", args=[row.pk])


def form_of(client: Client, row: CallRequest) -> dict[str, Any]:
    """What a browser would send back from the page as it is shown now."""
    form = client.get(page_of(row)).context["adminform"].form
    data = {}
    for bound in form:
        shown = bound.value()
        data[bound.html_name] = data[bound.html_initial_name] = "" if shown is None else shown
    return data


def attempt_of(row: CallRequest, *, state: str = "placed") -> CallAttempt:
    now = timezone.now()
    line = make_line(row.company)
    attempt = CallAttempt.objects.create(
        call_request=row, company=row.company, line=line, number=1, phone_e164=row.phone_e164, claimed_at=now,
        send_at=now, state=state,
    )  # fmt: skip
    AttemptEntry.objects.create(attempt=attempt, at=now, to_state=state)
    return attempt


def test_a_request_entered_by_staff_is_made_by_the_intake_service(
    client: Client, company: Company, supervisor: User
) -> None:
    data = {"company": company.pk, "name": "Ana", "phone": "11 98765-4321", "priority": 2, "order_number": ""}
    assert client.post(ADD, data).status_code == 302
    row = CallRequest.objects.get()
    assert (row.phone_e164, row.source, row.priority, row.order_number) == ("+5511987654321", Source.ADMIN, 2, 0)
    assert row.due_at is not None
    entry = LedgerEntry.objects.get()
    assert (entry.kind, entry.actor) == (LedgerEntry.Kind.CREATED, supervisor)


@pytest.mark.usefixtures("supervisor")
def test_what_the_service_refuses_is_shown_at_its_field(client: Client, company: Company) -> None:
    response = client.post(ADD, {"company": company.pk, "name": "Ana", "priority": 1})
    assert response.context["adminform"].form.errors == {"phone": ["Informe o telefone ou o e-mail."]}
    assert not CallRequest.objects.exists()


@pytest.mark.usefixtures("supervisor")
def test_a_change_writes_only_what_was_changed(client: Client, company: Company) -> None:
    row = make_call_request(company, name="Ana")
    data = form_of(client, row)
    assert client.post(page_of(row), {**data, "name": "Ana Maria"}).status_code == 302
    entry = LedgerEntry.objects.filter(call_request=row).latest("id")
    assert (entry.kind, entry.detail) == (LedgerEntry.Kind.EDITED, {"fields": ["name"]})
    assert "Dados alterados" in client.get(page_of(row)).content.decode()


@pytest.mark.usefixtures("supervisor")
def test_a_form_that_lay_open_does_not_undo_what_the_dialer_did(client: Client, company: Company) -> None:
    row = make_call_request(company, name="Ana")
    data = form_of(client, row)
    note_try(row.pk, now=timezone.now())
    assert client.post(page_of(row), {**data, "notes": "Prefere a tarde."}).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.attempts, row.notes) == (Status.IN_PROGRESS, 1, "Prefere a tarde.")


@pytest.mark.usefixtures("supervisor")
def test_saving_without_a_change_writes_nothing(client: Client, company: Company) -> None:
    row = make_call_request(company, wanted_at=timezone.now() + timedelta(hours=3, seconds=17, microseconds=5))
    before = CallRequest.objects.values().get()
    assert client.post(page_of(row), form_of(client, row)).status_code == 302
    assert CallRequest.objects.values().get() == before
    assert LedgerEntry.objects.count() == 1


@pytest.mark.usefixtures("supervisor")
def test_the_status_is_changed_by_the_form_and_the_company_is_not(client: Client, company: Company) -> None:
    row = make_call_request(company)
    data = {**form_of(client, row), "status": Status.IN_PROGRESS, "company": make_company().pk}
    assert client.post(page_of(row), data).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.hold_reason, row.company) == (Status.IN_PROGRESS, Hold.WITH_PERSON, company)


@pytest.mark.usefixtures("supervisor")
def test_a_refused_change_shows_what_is_stored_above_and_what_was_typed_below(client: Client, company: Company) -> None:
    row = make_call_request(company, name="Ana", phone="11 98765-4321")
    response = client.post(page_of(row), {**form_of(client, row), "email": "isto não é um e-mail", "phone": "1"})
    assert response.status_code == 200
    assert response.context["call_request"].phone == "11 98765-4321"
    assert 'value="1"' in response.content.decode()


def test_an_attendant_sees_the_responsible_but_can_not_change_it(client: Client, company: Company) -> None:
    person = make_attendant(company)
    client.force_login(person)
    row = make_call_request(company)
    data = {**form_of(client, row), "responsible": person.pk, "initial-responsible": "", "name": "Nova"}
    assert client.post(page_of(row), data).status_code == 302
    row.refresh_from_db()
    assert (row.responsible, row.name) == (None, "Nova")


@pytest.mark.usefixtures("supervisor")
def test_the_timeline_tells_the_kinds_apart_and_links_the_call(client: Client, company: Company) -> None:
    row = make_call_request(company)
    attempt = attempt_of(row)
    page = client.get(page_of(row)).content.decode()
    assert 'class="entry entry--ledger"' in page
    assert 'class="entry entry--attempt"' in page
    assert '<span class="entry-kind">Chamada</span>' in page
    assert reverse("admin:telephony_callattempt_change", args=[attempt.pk]) in page


@pytest.mark.usefixtures("supervisor")
def test_the_living_part_is_sent_again_only_when_it_changed(client: Client, company: Company) -> None:
    row = make_call_request(company)
    live = reverse("admin:requests_app_callrequest_live", args=[row.pk])
    first = client.get(live)
    assert "no-cache" in first.headers["Cache-Control"]
    assert client.get(live, headers={"if-none-match": first.headers["ETag"]}).status_code == 304
    note_try(row.pk, now=timezone.now())
    second = client.get(live, headers={"if-none-match": first.headers["ETag"]})
    assert second.status_code == 200
    assert 'data-status="in_progress"' in second.content.decode()
    assert client.post(live).status_code == 405


# Whoever may not be called at this hour is asked for evidence, too.
@time_machine.travel(datetime(2026, 12, 1, 15, tzinfo=UTC))
def test_the_page_and_its_living_part_cost_the_same_however_long_the_story(
    client: Client, company: Company, supervisor: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    row = make_call_request(company, responsible_id=supervisor.pk)
    attempt = attempt_of(row)
    live = reverse("admin:requests_app_callrequest_live", args=[row.pk])
    # At the hour of this test.
    client.force_login(supervisor)
    # What a process reads once and keeps.
    client.get(live)
    client.get(page_of(row))
    for _more in range(2):
        with django_assert_num_queries(22):
            client.get(live)
        with django_assert_num_queries(26):
            client.get(page_of(row))
        for _n in range(10):
            AttemptEntry.objects.create(attempt=attempt, at=timezone.now(), to_state="placed", actor=supervisor)
            note_try(row.pk, now=timezone.now())


@pytest.mark.usefixtures("supervisor")
def test_the_history_says_which_fields_changed_and_never_to_what(client: Client, company: Company) -> None:
    row = make_call_request(company)
    client.post(page_of(row), {**form_of(client, row), "notes": "segredo do cliente"})
    assert "segredo" not in LogEntry.objects.latest("id").get_change_message()
