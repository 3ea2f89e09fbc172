"""“Por que não disca?”: on a request's page every reason and what comes next; for a company, how many wait for what."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_line, make_supervisor
from requests_app import timeline
from requests_app.models import CallRequest
from requests_app.selectors import waiting_counts
from requests_app.services import calls
from requests_app.states import Hold, Outcome
from telephony.models import CallAttempt, CallingRule

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db
WHY = reverse("admin:requests_app_callrequest_why")
LIST = reverse("admin:requests_app_callrequest_changelist")


@pytest.fixture
def company() -> Company:
    """A company whose calls no rule stands against at any hour."""
    CallingRule.objects.all().delete()
    return make_company("Loja do João")


def why(request: CallRequest) -> Any:
    request.refresh_from_db()
    return timeline.explanation(request, now=timezone.now())


def codes(request: CallRequest) -> list[str]:
    return [reason.code for reason in why(request).reasons]


def test_a_request_without_a_line_waits_for_a_person(company: Company) -> None:
    found = why(make_call_request(company))
    assert [(reason.code, reason.needs_person) for reason in found.reasons] == [("no_line", True)]
    assert "Uma pessoa" in found.next_step


def test_a_due_request_waits_for_every_line_the_nearest_first(company: Company) -> None:
    make_line(company, is_enabled=False)
    make_line(company)
    request = make_call_request(company)
    assert codes(request) == ["no_attendant", "disabled"]
    make_attendant(company)
    assert codes(request) == []
    assert "próxima rodada" in why(request).next_step


def test_a_request_for_later_says_until_when_each_reason_holds(company: Company) -> None:
    make_line(company)
    make_line(company, is_enabled=False)
    now = timezone.now().replace(microsecond=0)
    request = make_call_request(company, wanted_at=now + timedelta(hours=2))
    calls.postpone_until(request, now + timedelta(hours=5), reason="x", origin=calls.DIALER, now=now)
    found = why(request)
    assert [(reason.code, reason.until) for reason in found.reasons] == [
        ("postponed", now + timedelta(hours=5)),
        ("wanted_time", now + timedelta(hours=2)),
    ]
    assert found.next_at == now + timedelta(hours=5)


def test_the_same_number_in_another_call_is_a_reason(company: Company) -> None:
    line = make_line(company)
    make_attendant(company)
    make_attendant(company)
    request, other = (make_call_request(company, phone="(11) 98765-4321") for _ in range(2))
    now = timezone.now()
    CallAttempt.objects.create(
        call_request=other, company=company, line=line, number=1, phone_e164=other.phone_e164, claimed_at=now,
        send_at=now,
    )  # fmt: skip
    assert codes(request) == ["number_in_call"]


def test_a_call_under_way_and_a_closed_request_need_nothing_else(company: Company) -> None:
    request = make_call_request(company)
    calls.claim_requests([request.pk], now=timezone.now())
    assert (codes(request), "resultado" in why(request).next_step) == (["in_flight"], True)
    calls.settle_request(request.pk, outcome=Outcome.ANSWERED, retry_at=None, now=timezone.now())
    assert (codes(request), "encerrado" in why(request).next_step) == (["finished"], True)


def test_the_page_of_a_request_shows_the_binding_reason_and_the_others(client: Client, company: Company) -> None:
    make_line(company, is_enabled=False, name="Linha parada")
    make_line(company, name="Linha boa")
    request = make_call_request(company)
    client.force_login(make_supervisor(company))
    page = client.get(reverse("admin:requests_app_callrequest_change", args=[request.pk])).content.decode()
    assert page.index("Linha boa: Nenhum atendente disponível") < page.index("Linha parada: A linha está desligada")
    # The other line will do by itself, so nobody has to see to this one.
    assert "precisa de uma pessoa" not in page
    assert "assim que isto passar" in page


def mixed(company: Company) -> None:
    """Open requests of every kind of waiting, and finished ones."""
    now = timezone.now()
    for _ in range(3):
        make_call_request(company)
    make_call_request(company, wanted_at=now + timedelta(hours=2))
    waits, overdue = make_call_request(company), make_call_request(company)
    CallRequest.objects.filter(pk=waits.pk).update(hold_reason=Hold.RETRY_WAIT, due_at=now + timedelta(hours=1))
    # Its wait is over: it is the line's turn, whatever it waited for.
    CallRequest.objects.filter(pk=overdue.pk).update(hold_reason=Hold.RETRY_WAIT, due_at=now - timedelta(hours=1))
    calls.claim_requests([make_call_request(company).pk], now=timezone.now())
    make_call_request(company, phone="12")
    make_call_request(company, status="completed")


def test_every_open_request_is_counted_once_and_the_list_behind_a_figure_has_as_many(
    client: Client, company: Company
) -> None:
    make_line(company)
    mixed(company)
    foreign = make_company("Canário")
    mixed(foreign)
    found = {one.reason: one.count for one in waiting_counts([company.pk], now=timezone.now())}
    assert found.pop(CallRequest.objects.filter(phone="12").values_list("hold_reason", flat=True)[0]) == 1
    assert found == {"": 4, "wanted_time": 1, "retry_wait": 1, "in_flight": 1}
    client.force_login(make_supervisor(company))
    page = client.get(WHY)
    assert "Canário" not in page.content.decode()
    (standing,) = page.context["standings"]
    assert standing.total == 8
    assert standing.reasons[0].text == "Na hora: Nenhum atendente disponível"
    for reason in standing.reasons:
        assert len(client.get(reason.url).context["cl"].result_list) == reason.count
    assert [line.needs_person for line in standing.lines] == [False]
    client.force_login(make_supervisor())
    assert len(client.get(WHY).context["standings"]) == 2
    assert WHY in client.get(LIST).content.decode()


def test_the_summary_costs_the_same_whatever_there_is(
    client: Client, company: Company, django_assert_num_queries: Callable[..., Any]
) -> None:
    client.force_login(make_supervisor())
    for _more in range(2):
        mixed(company)
        make_line(company)
        with django_assert_num_queries(15):
            client.get(WHY)
        for _n in range(3):
            other = make_company()
            mixed(other)
            make_line(other)


def test_who_may_not_see_requests_sees_no_summary(client: Client) -> None:
    assert client.get(WHY).status_code == 302
