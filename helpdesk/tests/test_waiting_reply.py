"""Resposta automática: once a waiting period, and no answer."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils.translation import override

from callcenter.tests.factories import make_company
from helpdesk.models import Message, Occurrence, WorkingHours
from helpdesk.services import closing, writing
from helpdesk.services.waiting_reply import send_waiting_replies
from helpdesk.states import ClosedWith, OccurrenceCategory, Platform
from helpdesk.tests.factories import make_attendant, make_bot, make_canned, make_channel, make_settings
from helpdesk.tests.scenes import asked, reread
from telephony.tests.scenes import in_threads

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db

# A Monday, 11:00 in São Paulo.
NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
TEN = timedelta(minutes=10)


def make_patient_company() -> Company:
    """A company with both texts, ten minutes of patience, and hours from 8 to 18 on Mondays."""
    company = make_company()
    make_settings(
        company,
        waiting_minutes=10,
        waiting_message=make_canned(company, "Já vamos, {primeiro_nome}."),
        out_of_hours_message=make_canned(company, "Voltamos amanhã."),
    )
    WorkingHours.objects.create(company=company, weekday=0, opens_at=time(8), closes_at=time(18))
    return company


def replies() -> list[str]:
    return list(Message.objects.filter(is_automatic=True).order_by("number").values_list("text", flat=True))


def test_who_waits_too_long_is_told_once_and_waits_on() -> None:
    company = make_patient_company()
    atendimento = asked(company, now=NOW)
    assert send_waiting_replies(None, now=NOW + TEN - timedelta(seconds=1)) == 0
    assert send_waiting_replies([company.pk], now=NOW + TEN) == 1
    assert send_waiting_replies(None, now=NOW + 9 * TEN) == 0
    assert replies() == ["Já vamos, Maria."]
    after = reread(atendimento)
    assert (after.is_waiting, after.waiting_since, after.attendant_at, after.auto_replied_at) == (
        True,
        NOW,
        None,
        NOW + TEN,
    )
    assert Occurrence.objects.filter(category=OccurrenceCategory.AUTO_REPLY).count() == 1


def test_a_new_wait_is_a_new_reply() -> None:
    company = make_patient_company()
    atendimento = asked(company, now=NOW)
    assert send_waiting_replies(None, now=NOW + TEN) == 1
    writing.receive_message_in(atendimento.pk, scope=None, text="Alô?", now=NOW + TEN)
    assert send_waiting_replies(None, now=NOW + 2 * TEN) == 0
    writing.write_reply(atendimento.pk, make_attendant(company), scope=None, text="Olá", now=NOW + 3 * TEN)
    writing.receive_message_in(atendimento.pk, scope=None, text="E agora?", now=NOW + 4 * TEN)
    assert send_waiting_replies(None, now=NOW + 5 * TEN) == 1


def test_outside_the_hours_it_comes_at_once_and_once() -> None:
    evening = NOW + timedelta(hours=8)
    asked(make_patient_company(), now=evening)
    assert send_waiting_replies(None, now=evening) == 1
    assert send_waiting_replies(None, now=evening + timedelta(days=7)) == 0
    assert replies() == ["Voltamos amanhã."]


def test_the_night_is_no_wait() -> None:
    company = make_patient_company()
    make_settings(company, out_of_hours_message=None)
    closing_time = NOW + timedelta(hours=7)
    asked(company, now=closing_time - timedelta(minutes=6))
    assert send_waiting_replies(None, now=closing_time + timedelta(hours=10)) == 0
    opening = NOW + timedelta(days=7, hours=-3)
    assert send_waiting_replies(None, now=opening + timedelta(minutes=3, seconds=59)) == 0
    assert send_waiting_replies(None, now=opening + timedelta(minutes=4)) == 1


def test_a_bots_conversation_a_closed_one_another_medium_and_no_text_get_none() -> None:
    company = make_patient_company()
    asked(company, channel=make_channel(company, automation=make_bot(company)), now=NOW)
    closed = asked(company, now=NOW)
    closing.close(closed.pk, scope=None, now=NOW, with_=ClosedWith.PERSON)
    without = make_company()
    make_settings(without, waiting_minutes=1)
    asked(without, now=NOW)
    other = make_company()
    make_settings(other, waiting_minutes=1, waiting_message=make_canned(other, platform=Platform.EMAIL))
    asked(other, now=NOW)
    off = make_company()
    make_settings(off, waiting_minutes=0, waiting_message=make_canned(off))
    asked(off, now=NOW)
    assert send_waiting_replies(None, now=NOW + 6 * TEN) == 0
    assert replies() == []


@pytest.mark.django_db(transaction=True)
def test_three_workers_at_once_say_it_once() -> None:
    company = make_patient_company()
    for _ in range(4):
        asked(company, now=NOW)
    start = threading.Barrier(3)

    def work(_place: int) -> None:
        start.wait(10)
        send_waiting_replies(None, now=NOW + TEN)

    in_threads(3, work)
    assert len(replies()) == 4


def test_those_whom_the_text_is_not_for_keep_nobody_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company()
    text = make_canned(company, "Já vamos.", platform=Platform.WHATSAPP)
    make_settings(company, waiting_minutes=10, waiting_message=text)
    asked(company, now=NOW - TEN)
    later = asked(company, channel=make_channel(company, Platform.WHATSAPP), now=NOW)
    monkeypatch.setattr("helpdesk.selectors.work.BATCH", 1)
    assert send_waiting_replies(None, now=NOW + TEN) == 1
    assert reread(later).auto_replied_at == NOW + TEN


def test_a_requester_is_greeted_in_the_installations_language_whoever_has_it_sent() -> None:
    company = make_company()
    make_settings(company, waiting_minutes=10, waiting_message=make_canned(company, "{saudacao}, já vamos."))
    asked(company, now=NOW)
    with override("en"):
        assert send_waiting_replies(None, now=NOW + TEN) == 1
    assert replies() == ["Bom dia, já vamos."]
