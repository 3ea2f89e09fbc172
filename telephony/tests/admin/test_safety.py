"""The switches and breakers in the admin: who may turn them, that they ask why, and what staff see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_line, make_supervisor
from requests_app.models import CallRequest
from telephony.models import DialerSwitch, LineBreaker, PromiseViolation, SwitchEntry
from telephony.services.switches import turn_dialer
from telephony.states import BreakerState, Promise

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

PAGE = reverse("admin:telephony_dialerswitch_changelist")
TURN = reverse("admin:telephony_dialerswitch_turn")


@pytest.fixture
def supervisor(client: Client) -> User:
    """A supervisor of all companies, logged in."""
    user = make_supervisor()
    client.force_login(user)
    return user


def test_the_dialer_is_switched_off_with_a_reason_and_the_front_page_says_so(client: Client, supervisor: User) -> None:
    assert "Desligar o discador" in client.get(PAGE).content.decode()
    assert "Por quê?" in client.get(TURN).content.decode()
    assert "Diga por quê." in client.post(TURN, {"turn": "off", "note": " "}).content.decode()
    assert not SwitchEntry.objects.exists()
    page = client.post(TURN, {"turn": "off", "note": "o PABX disca errado"}, follow=True).content.decode()
    assert "O discador está desligado" in page
    switch = DialerSwitch.objects.get()
    assert (switch.is_on, switch.changed_by, switch.note) == (False, supervisor, "o PABX disca errado")
    assert "o PABX disca errado" in client.get(reverse("admin:index")).content.decode()
    client.post(TURN, {"turn": "on", "note": "mudou a rota"})
    assert DialerSwitch.objects.get().is_on
    assert "Nada é discado" not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.usefixtures("supervisor")
def test_two_who_switch_off_at_the_same_moment_both_leave_it_off(client: Client) -> None:
    line = make_line(make_company())
    for url in (TURN, reverse("admin:telephony_dialerline_turn", args=[line.pk])):
        assert '<input type="hidden" name="turn" value="off">' in client.get(url).content.decode()
        for note in ("primeiro", "segundo"):
            page = client.post(url, {"turn": "off", "note": note}, follow=True).content.decode()
        assert "já estava desligad" in page
    # A confirmation that does not say of what turns nothing.
    assert "Por quê?" in client.post(TURN, {"note": "x"}).content.decode()
    line.refresh_from_db()
    assert (DialerSwitch.objects.get().is_on, line.is_enabled) == (False, False)


def test_who_sees_only_some_companies_sees_the_switch_and_cant_turn_it(client: Client) -> None:
    client.force_login(make_supervisor(make_company()))
    assert "Desligar o discador" not in client.get(PAGE).content.decode()
    assert client.post(TURN, {"note": "x"}).status_code == 403
    client.force_login(make_attendant(make_company()))
    assert client.get(PAGE).status_code == 403


@pytest.mark.usefixtures("supervisor")
def test_after_a_restore_the_page_lists_what_would_be_dialed_first(client: Client) -> None:
    request = make_call_request(make_company(), name="Beatriz")
    now = timezone.now()
    turn_dialer(on=False, now=now, actor=None, note="")
    DialerSwitch.objects.update(reason="restored", lost_from=request.requested_at, lost_until=now)
    page = client.get(PAGE).content.decode()
    assert "O banco voltou a um estado anterior" in page
    assert "Beatriz" in page
    CallRequest.objects.update(status="completed", due_at=None)
    assert "Nenhum pedido estava na hora até então." in client.get(PAGE).content.decode()


def test_a_line_is_switched_with_a_reason_by_its_own_people_only(client: Client) -> None:
    line, foreign = make_line(make_company()), make_line(make_company())
    client.force_login(make_supervisor(line.company))
    turn = reverse("admin:telephony_dialerline_turn", args=[line.pk])
    page = client.post(turn, {"turn": "off", "note": "manutenção"}, follow=True).content.decode()
    assert "A linha está desligada" in page
    assert "manutenção" in page
    line.refresh_from_db()
    assert not line.is_enabled
    assert client.post(reverse("admin:telephony_dialerline_turn", args=[foreign.pk]), {"note": "x"}).status_code == 404


def test_an_open_breaker_is_shown_and_closed_by_a_button(client: Client) -> None:
    line = make_line(make_company())
    now = timezone.now()
    LineBreaker.objects.create(
        line=line, state=BreakerState.OPEN, failures=5, changed_at=now, reason="ambiguous", next_probe_at=now
    )
    client.force_login(make_supervisor(line.company))
    page = client.get(reverse("admin:telephony_dialerline_change", args=[line.pk])).content.decode()
    assert "Aberto: parado por falhas" in page
    assert "Sem resposta segura do PABX" in page
    close = reverse("admin:telephony_dialerline_close_breaker", args=[line.pk])
    assert "Disjuntor fechado" in client.post(close, follow=True).content.decode()
    assert LineBreaker.objects.get().state == BreakerState.CLOSED
    assert "já estava fechado" in client.post(close, follow=True).content.decode()


def test_a_broken_promise_says_what_to_do_and_is_looked_after(client: Client) -> None:
    company = make_company()
    violation = PromiseViolation.objects.create(promise=Promise.WAY_ON, subject="request:7", company=company)
    PromiseViolation.objects.create(promise=Promise.LEDGER, subject="attempt:1", company=make_company())
    client.force_login(make_supervisor(company))
    assert "Promessas quebradas" in client.get(reverse("admin:index")).content.decode()
    page = client.get(reverse("admin:telephony_promiseviolation_change", args=[violation.pk])).content.decode()
    assert "Ligar agora" in page
    url = reverse("admin:telephony_promiseviolation_changelist")
    assert "attempt:1" not in client.get(url).content.decode()
    client.post(url, {"action": "settle_selected", "_selected_action": [violation.pk]})
    violation.refresh_from_db()
    assert violation.seen_at is not None
    assert client.get(reverse("admin:telephony_promisecheck_changelist")).status_code == 200
