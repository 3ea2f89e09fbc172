"""What is asked of the carrier, and what differs from its statement, in the admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_attendant, make_supervisor
from telephony.models import CarrierDifference, CarrierInquiry, DirectcallAccount, Reconciliation
from telephony.tests.scenes import make_callcenter, placed_call

if TYPE_CHECKING:
    from django.test import Client

    from telephony.models import CallAttempt

pytestmark = pytest.mark.django_db

DIFFERENCES = reverse("admin:telephony_carrierdifference_changelist")
INQUIRIES = reverse("admin:telephony_carrierinquiry_changelist")


@pytest.fixture
def attempt() -> CallAttempt:
    return placed_call(make_callcenter())


def make_difference(attempt: CallAttempt, *, kind: str = "doubled", call_id: str = "a-1") -> CarrierDifference:
    now = timezone.now()
    account = DirectcallAccount.objects.get()
    day, _is_new = Reconciliation.objects.get_or_create(account=account, day=now.date(), defaults={"started_at": now})
    return CarrierDifference.objects.create(
        reconciliation=day, company=attempt.company, kind=kind, call_id=call_id, attempt=attempt, called_at=now,
        phone_e164=attempt.phone_e164, carrier_says="ocupado", we_say="no_answer", found_at=now,
    )  # fmt: skip


def test_a_supervisor_reads_the_differences_and_says_that_they_were_seen(client: Client, attempt: CallAttempt) -> None:
    difference = make_difference(attempt)
    person = make_supervisor()
    client.force_login(person)
    page = client.get(DIFFERENCES).content.decode()
    assert "Duas chamadas para uma tentativa" in page
    assert "ocupado" in page
    assert "Não atendeu" in page
    assert "Diferenças com a operadora" in client.get(reverse("admin:index")).content.decode()
    mark = {"action": "mark_selected", "_selected_action": difference.pk}
    assert "Feito para 1 linha." in client.post(DIFFERENCES, mark, follow=True).content.decode()
    difference.refresh_from_db()
    assert difference.seen_by == person
    assert "já foi vista." in client.post(DIFFERENCES, mark, follow=True).content.decode()
    page = client.get(reverse("admin:telephony_carrierdifference_change", args=[difference.pk])).content.decode()
    assert attempt.phone_display in page


def test_the_lists_cost_the_same_for_many_rows(
    client: Client, attempt: CallAttempt, django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    client.force_login(make_supervisor())
    make_difference(attempt)
    CarrierInquiry.objects.create(attempt=attempt, account=DirectcallAccount.objects.get(), next_at=timezone.now())
    costs = {}
    for url in (DIFFERENCES, INQUIRIES):
        with django_assert_max_num_queries(10) as queries:
            client.get(url)
        costs[url] = len(queries)
    for number in range(5):
        make_difference(attempt, call_id=f"b-{number}")
        CarrierInquiry.objects.create(
            attempt=placed_call(attempt.line), account=DirectcallAccount.objects.get(), next_at=timezone.now()
        )
    for url, cost in costs.items():
        with django_assert_num_queries(cost):
            client.get(url)


def test_an_attendant_sees_neither(client: Client) -> None:
    client.force_login(make_attendant())
    assert client.get(DIFFERENCES).status_code == 403
    assert client.get(INQUIRIES).status_code == 403
