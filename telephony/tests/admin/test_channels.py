"""How the admin shows a line's event channel, and the table of the PABX's names."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_company, make_line, make_supervisor, make_user
from telephony.models import DialerLine, EventName
from telephony.services import channels
from telephony.states import ChannelProblem, Meaning

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

LIST = reverse("admin:telephony_dialerline_changelist")


def test_list_page_and_front_page_say_how_the_channel_is(client: Client) -> None:
    company = make_company()
    line = make_line(company, channel_id=None)
    client.force_login(make_supervisor(company))
    page = reverse("admin:telephony_dialerline_change", args=[line.pk])

    def says(text: str) -> bool:
        return all(text in client.get(url).content.decode() for url in (LIST, page, reverse("admin:index")))

    assert says("Nenhum processo o lê")
    now = timezone.now()
    lease = channels.take(line.pk, holder="host:1:abc", now=now)
    assert lease is not None
    assert says("Abrindo")
    channels.note_open(lease, 4711, now=now)
    assert says("Aberto: 4711")
    assert "host:1:abc" in client.get(page).content.decode()
    later = now + timedelta(minutes=5)
    channels.note_lost(lease, ChannelProblem.SILENT, failures=1, retry_at=later, now=now)
    assert says("Falhou: o canal ficou em silêncio; tenta de novo às")
    DialerLine.objects.update(channel_id=7)
    assert "Fixo: 7" in client.get(LIST).content.decode()


def test_a_bound_administrator_reads_the_names_and_who_sees_all_says_what_they_mean(client: Client) -> None:
    name = EventName.objects.create(name="EVENTO_X", seen=3)
    page = reverse("admin:telephony_eventname_change", args=[name.pk])
    client.force_login(make_user(make_company()))
    assert "EVENTO_X" in client.get(reverse("admin:telephony_eventname_changelist")).content.decode()
    assert client.post(page, {"meaning": Meaning.BUSY}).status_code == 403
    client.force_login(make_user())
    assert client.post(page, {"meaning": Meaning.BUSY}).status_code == 302
    name.refresh_from_db()
    assert (name.meaning, name.seen, name.name) == (Meaning.BUSY, 3, "EVENTO_X")
