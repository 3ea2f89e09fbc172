"""A user bound to one company never meets another company's rows in the admin, by whichever door."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.models import ApiKey, Company, User
from callcenter.lib.number_digests import number_digest
from callcenter.tests.factories import (
    make_account,
    make_api_key,
    make_call_request,
    make_company,
    make_line,
    make_user,
    make_webhook_endpoint,
)
from helpdesk.models import ApiToken, Atendimento, Attendant, Contact, ScheduledMessage
from helpdesk.tests.admin.world import HELPDESK, helpdesk_of_world
from requests_app.models import (
    CallbackPolicy,
    CallRequest,
    MissedCallback,
    Order,
    Product,
    Shift,
    WebhookDelivery,
    WebhookEndpoint,
)
from requests_app.services.outgoing import enqueue_test
from requests_app.states import Outcome
from telephony.models import (
    AnsweredCall,
    CallAttempt,
    CallAuthorization,
    CallbackRegistration,
    CallingRule,
    CarrierDifference,
    CarrierInquiry,
    ContactPreference,
    DacDevice,
    DialerLine,
    DirectcallAccount,
    DoNotCallEntry,
    DoNotCallImport,
    DoNotCallList,
    PromiseViolation,
    ProviderEvent,
    Reconciliation,
    RecordingPlay,
    RetryRule,
)
from telephony.states import Promise

if TYPE_CHECKING:
    from django.db.models import Model

pytestmark = pytest.mark.django_db

CANARY = "Canário"
SCOPED = (
    CallRequest, CallbackPolicy, Shift, MissedCallback, Order, Product, CallAttempt, ProviderEvent, DialerLine,
    CarrierInquiry, Reconciliation, CarrierDifference, RecordingPlay,
    DirectcallAccount, CallbackRegistration, RetryRule, Company, User, ApiKey, WebhookEndpoint, WebhookDelivery,
    CallingRule, ContactPreference, DoNotCallList, DoNotCallEntry, DoNotCallImport, CallAuthorization,
    DacDevice, PromiseViolation, AnsweredCall,
    *HELPDESK,
)  # fmt: skip


def calling_rules_of(company: Company, *, name: str) -> list[Model]:
    """One row of every table that says who may be called."""
    digest, today = number_digest(f"+55119{company.pk:08d}"), timezone.now().date()
    listed = DoNotCallList.objects.create(kind="internal", company=company)
    return [
        CallingRule.objects.create(code=f"r{company.pk}", name=name, company=company),
        ContactPreference.objects.create(company=company, number_digest=digest, told_how=name),
        listed,
        DoNotCallEntry.objects.create(list=listed, number_digest=digest, listed_on=today),
        DoNotCallImport.objects.create(list=listed, file_name=name, listed_on=today),
        CallAuthorization.objects.create(company=company, number_digest=digest, given_on=today, evidence=name),
    ]


def make_world(company: Company, *, name: str) -> dict[type[Model], Model]:
    """One row of every table of the admin, each bearing the name."""
    person = make_user(company, first_name=name, email=f"{company.pk}@example.com")
    call_request = make_call_request(company, name=name, responsible_id=person.pk)
    line = make_line(company, name=name)
    now = timezone.now()
    attempt = CallAttempt.objects.create(
        call_request=call_request, company=company, line=line, number=1, phone_e164=call_request.phone_e164,
        carrier_call_id=name, claimed_at=now, send_at=now, state="in_doubt",
    )  # fmt: skip
    account = make_account(company, secret=f"secret-{name}-{company.pk}")
    DirectcallAccount.objects.filter(pk=account.pk).update(name=name)
    event = ProviderEvent.objects.create(
        account=account, company=company, received_at=now, raw=name.encode(), word=name, attempt=attempt
    )
    make_api_key(person)
    key = ApiKey.objects.get(user=person)
    ApiKey.objects.filter(pk=key.pk).update(name=name)
    endpoint = make_webhook_endpoint(company, name=name, url=f"https://shop.example.com/{company.pk}")
    rows: list[Model] = [
        endpoint,
        enqueue_test(endpoint, now=now),
        call_request,
        line,
        attempt,
        account,
        account.registrations.get(),
        *carrier_rows(account, attempt, name=name),
        event,
        key,
        person,
        company,
        Order.objects.create(company=company, number=1, status="O", email=f"{name}@example.com"),
        Product.objects.create(company=company, number=1, name=name),
        CallbackPolicy.objects.create(company=company, missed_owner=person),
        Shift.objects.create(company=company, attendant=person, weekday=0, starts_at=time(9), ends_at=time(18)),
        MissedCallback.objects.create(
            company=company,
            call_request=call_request,
            wanted_at=now,
            noticed_at=now,
            deadline_at=now,
            owner=person,
            action="close",
        ),  # fmt: skip
        RetryRule.objects.create(company=company, outcome=Outcome.BUSY, max_tries=2, wait_seconds=60),
        *calling_rules_of(company, name=name),
        DacDevice.objects.create(line=line, user=person, device=f"1{company.pk}", account=f"2{company.pk}"),
        AnsweredCall.objects.create(
            attempt=attempt, company=company, drop="short", dropped_at=now, after="off", protocol=name
        ),
        PromiseViolation.objects.create(
            promise=Promise.LEDGER, subject=f"attempt:{attempt.pk}", company=company, attempt=attempt
        ),
        *helpdesk_of_world(company, person, name=name),
    ]
    return {type(row): row for row in rows}


def carrier_rows(account: DirectcallAccount, attempt: CallAttempt, *, name: str) -> list[Model]:
    """One row of every table about what we do at the carrier."""
    now = timezone.now()
    day = Reconciliation.objects.create(account=account, day=now.date(), started_at=now, problem=name)
    return [
        CarrierInquiry.objects.create(account=account, attempt=attempt, next_at=now, problem=name),
        day,
        CarrierDifference.objects.create(
            reconciliation=day, company=account.company, kind="unknown", call_id=name, found_at=now, carrier_says=name
        ),
        RecordingPlay.objects.create(attempt=attempt, company=account.company, at=now, result=name),
    ]


@pytest.fixture
def foreign() -> dict[type[Model], Model]:
    return make_world(make_company(CANARY), name=CANARY)


@pytest.fixture
def bound(client: Client, foreign: Any) -> Client:
    """The browser of an administrator of one company, in which there is a row of everything too."""
    company = make_company("Minha loja")
    make_company("Minha outra loja")
    make_world(company, name="Nosso")
    client.force_login(make_user(company, Company.objects.get(name="Minha outra loja")))
    return client


def url(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_every_table_of_the_admin_is_covered_here_or_belongs_to_no_company() -> None:
    of_nobody = {"DialerSwitch", "EventName", "FieldAlias", "OwnHoliday", "PromiseCheck", "StatusAlias", "WireCode"}
    assert {model.__name__ for model in admin.site._registry} == {model.__name__ for model in SCOPED} | of_nobody


@pytest.mark.parametrize("model", SCOPED)
def test_the_list_its_filters_and_its_search_show_no_foreign_row(bound: Client, model: type[Model]) -> None:
    for query in ("", f"?q={CANARY}", "?_facets=True"):
        response = bound.get(url(model, "changelist") + query)
        assert response.status_code == 200
        # The search box repeats what was typed.
        assert CANARY not in response.content.decode().replace(f'value="{CANARY}"', "")


@pytest.mark.parametrize("model", SCOPED)
def test_the_pages_of_a_foreign_row_are_as_if_it_did_not_exist(
    bound: Client, foreign: dict[type[Model], Model], model: type[Model]
) -> None:
    for page in ("change", "delete", "history"):
        response = bound.get(url(model, page, foreign[model].pk), follow=True)
        assert CANARY not in response.content.decode()
        missing = bound.get(url(model, page, 10**9), follow=True)
        assert response.status_code == missing.status_code
        assert response.redirect_chain == missing.redirect_chain


@pytest.mark.parametrize("model", SCOPED)
def test_a_form_offers_no_foreign_row(bound: Client, model: type[Model]) -> None:
    for address in (url(model, "add"), url(model, "change", model._default_manager.order_by("-pk").first().pk)):  # type: ignore[union-attr]
        assert CANARY not in bound.get(address).content.decode()


@pytest.mark.parametrize(
    ("model", "action"),
    [
        (CallRequest, "dial_selected"),
        (CallRequest, "take_selected"),
        (CallRequest, "complete_selected"),
        (CallRequest, "no_answer_selected"),
        (CallRequest, "assign_selected"),
        (CallAttempt, "say_not_called"),
        (ProviderEvent, "apply_selected"),
        (DialerLine, "resume_selected"),
        (DirectcallAccount, "register_selected"),
        (ApiKey, "revoke_selected"),
        (WebhookEndpoint, "test_selected"),
        (WebhookDelivery, "resend_selected"),
        (DacDevice, "log_in_selected"),
        (PromiseViolation, "settle_selected"),
        (Atendimento, "take_selected"),
        (Atendimento, "close_selected"),
        (Attendant, "set_offline"),
        (ApiToken, "revoke_selected"),
        (ScheduledMessage, "cancel_selected"),
    ],
)
def test_an_action_on_a_foreign_row_does_nothing(
    bound: Client, foreign: dict[type[Model], Model], model: type[Model], action: str
) -> None:
    row = foreign[model]
    before = model._default_manager.values().get(pk=row.pk)
    response = bound.post(url(model, "changelist"), {"action": action, "_selected_action": [row.pk]}, follow=True)
    assert response.status_code == 200
    assert CANARY not in response.content.decode()
    assert model._default_manager.values().get(pk=row.pk) == before


@pytest.mark.parametrize(
    ("address", "model"),
    [
        ("requests_app_callrequest_live", CallRequest),
        ("requests_app_callrequest_do", CallRequest),
        ("telephony_callattempt_settle", CallAttempt),
        ("telephony_dialerline_resume", DialerLine),
        ("telephony_dialerline_turn", DialerLine),
        ("telephony_dialerline_close_breaker", DialerLine),
        ("requests_app_webhookendpoint_rotate", WebhookEndpoint),
        ("auth_user_password_change", User),
        ("helpdesk_atendimento_live", Atendimento),
        ("helpdesk_atendimento_do", Atendimento),
        ("helpdesk_atendimento_export", Atendimento),
        ("helpdesk_contact_export", Contact),
    ],
)
def test_our_own_pages_know_no_foreign_row(
    bound: Client, foreign: dict[type[Model], Model], address: str, model: type[Model]
) -> None:
    target = reverse(f"admin:{address}", args=[foreign[model].pk])
    responses = [bound.get(target), bound.post(target, {"do": "dial", "called": "1"})]
    assert {response.status_code for response in responses} <= {403, 404, 405}
    assert all(CANARY not in response.content.decode() for response in responses)


def test_a_foreign_company_can_not_be_posted(bound: Client, foreign: dict[type[Model], Model]) -> None:
    company = Company.objects.get(pk=foreign[Company].pk)
    bound.post(url(Product, "add"), {"company": company.pk, "number": 7, "name": "x"})
    bound.post(url(CallRequest, "add"), {"company": company.pk, "phone": "(11) 98765-4321", "priority": 1})
    assert Product.objects.filter(company=company).count() == 1
    assert CallRequest.objects.filter(company=company).count() == 1


@pytest.mark.parametrize(
    "query",
    ["company__id__exact={}", "responsavel={}", "company__name__startswith=C", "responsible__email__contains=@"],
)
def test_a_filter_can_not_be_used_to_ask_about_foreign_rows(
    bound: Client, foreign: dict[type[Model], Model], query: str
) -> None:
    response = bound.get(url(CallRequest, "changelist") + "?" + query.format(foreign[User].pk), follow=True)
    assert CANARY not in response.content.decode()


def test_the_front_page_counts_and_names_only_own_rows(bound: Client) -> None:
    page = bound.get(reverse("admin:index")).content.decode()
    assert CANARY not in page
    assert "Nosso" in page


def test_nothing_tells_whether_an_object_exists(bound: Client) -> None:
    assert bound.get("/admin/r/1/1/").status_code == 404
    assert bound.get("/admin/r/1/999999/").status_code == 404
