"""The carrier's news in the admin: raw, escaped, and applied again when its call has appeared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.urls import reverse

from callcenter.tests.factories import make_supervisor
from telephony.models import DialerLine, ProviderEvent
from telephony.tests.scenes import FORM, deliver, make_callcenter, placed_call

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db

LIST = reverse("admin:telephony_providerevent_changelist")
State = ProviderEvent.State


@pytest.fixture
def line(client: Client) -> DialerLine:
    line = make_callcenter()
    client.force_login(make_supervisor(line.company))
    return line


def test_what_fitted_no_call_is_a_click_away_and_can_be_applied_again(client: Client, line: DialerLine) -> None:
    deliver("chamando", callerid="a-1", destino="+5511987650000")
    event = ProviderEvent.objects.get()
    assert event.state == State.UNMATCHED
    assert f"?state__exact={State.UNMATCHED}" in client.get(LIST).content.decode()
    data = {"action": "apply_selected", "_selected_action": event.pk}
    assert "ainda não corresponde a nenhuma chamada" in client.post(LIST, data, follow=True).content.decode()
    attempt = placed_call(line)
    type(attempt).objects.filter(pk=attempt.pk).update(carrier_call_id="a-1")
    assert "Feito para 1 linha." in client.post(LIST, data, follow=True).content.decode()
    event.refresh_from_db()
    assert (event.state, event.attempt_id) == (State.APPLIED, attempt.pk)
    assert "já estava aplicado" in client.post(LIST, data, follow=True).content.decode()


@pytest.mark.usefixtures("line")
def test_the_body_is_shown_as_it_came_and_does_nothing_on_the_page(client: Client) -> None:
    body = '<script>alert("x")</script> ligação'.encode("latin-1")
    Client().post("/webhooks/directcall/s3cr3t-of-the-path", body, content_type=FORM)
    page = client.get(reverse("admin:telephony_providerevent_change", args=[ProviderEvent.objects.get().pk]))
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; ligação" in page.content.decode()


@pytest.mark.usefixtures("line")
def test_nobody_writes_an_event_by_hand(client: Client) -> None:
    deliver("chamando", callerid="a-1")
    page = reverse("admin:telephony_providerevent_change", args=[ProviderEvent.objects.get().pk])
    assert client.post(page, {"word": "atendeu"}).status_code == 403
    assert client.get(reverse("admin:telephony_providerevent_add")).status_code == 403


@pytest.mark.usefixtures("line")
def test_the_list_costs_the_same_queries_however_long_it_is(
    client: Client, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _more in range(2):
        deliver("chamando", callerid="a-1")
        with django_assert_num_queries(8):
            client.get(LIST)
        for number in range(10):
            deliver("chamando", callerid=f"b-{number}")
