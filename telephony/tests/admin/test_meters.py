"""The meters of calls on a line's page and on the front page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.data import Activity
from callcenter.tests.factories import make_company, make_line, make_user
from telephony.services.meters import tend_meters
from telephony.tests.scenes import make_callcenter
from telephony.tests.test_meters import limit_rule, made

if TYPE_CHECKING:
    from django.test import Client

    from telephony.models import DialerLine

pytestmark = pytest.mark.django_db


def page_of(line: DialerLine) -> str:
    """The address of the line's page."""
    return reverse("admin:telephony_dialerline_change", args=[line.pk])


def test_a_lines_page_shows_the_figures_and_where_the_limits_are(client: Client) -> None:
    line = make_callcenter(originator="1130000000")
    limit_rule("anatel-short-calls", calls_per_day=10)
    made(line, 10, at=timezone.now())
    client.force_login(make_user(line.company))
    shown = client.get(page_of(line)).content.decode()
    assert "Dentro do limite" in shown
    tend_meters(now=timezone.now())
    shown = client.get(page_of(line)).content.decode()
    assert "Limite de chamadas atingido: a linha não disca até" in shown
    assert "do número 1130000000" in shown
    assert "10 de 10 chamadas hoje; curtas: 100 % de 85 %" in shown
    assert "Curtas hoje (até 6 s)" in shown
    front = client.get(reverse("admin:index")).content.decode()
    assert "Limites de chamadas" in front
    assert "Limite atingido" in front


def test_a_companys_meters_are_no_other_companys(client: Client) -> None:
    line = make_callcenter()
    limit_rule("anatel-short-calls", calls_per_day=10)
    made(line, 10, at=timezone.now())
    tend_meters(now=timezone.now())
    other = make_line(make_company())
    client.force_login(make_user(other.company))
    assert client.get(page_of(line)).status_code == 302
    assert "Limite atingido" not in client.get(page_of(other)).content.decode()
    assert "Limites de chamadas" not in client.get(reverse("admin:index")).content.decode()


def test_the_page_costs_the_same_queries_however_many_calls_and_lines_there_are(client: Client) -> None:
    line = make_callcenter()
    client.force_login(make_user(line.company))
    client.get(page_of(line))
    costs = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as taken:
            client.get(page_of(line))
        costs.append(len(taken))
        made(line, 5, at=timezone.now())
        made(make_line(line.company), 5, talk=4, at=timezone.now())
        tend_meters(now=timezone.now())
    assert costs[0] == costs[1]


def test_a_line_says_what_its_company_calls_for_where_it_has_nothing_of_its_own(client: Client) -> None:
    line = make_callcenter()
    client.force_login(make_user(line.company))
    company = reverse("admin:accounts_company_change", args=[line.company_id])
    initial = client.get(company).context["adminform"].form.initial
    form = {name: value for name, value in initial.items() if value is not None}
    client.post(company, {**form, "activity": Activity.TELEMARKETING})
    assert type(line).objects.get(pk=line.pk).calls_for == Activity.TELEMARKETING
    assert "A da empresa (Telemarketing)" in client.get(page_of(line)).content.decode()
