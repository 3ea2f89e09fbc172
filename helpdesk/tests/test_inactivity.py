"""Requesters who fall silent are reminded so many times, and then the conversation is closed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_company
from helpdesk.models import Message, WorkingHours
from helpdesk.services import booking, writing
from helpdesk.services.inactivity import remind_or_close
from helpdesk.states import ClosedWith, S
from helpdesk.tests.factories import make_attendant, make_settings
from helpdesk.tests.scenes import asked, reread

if TYPE_CHECKING:
    from helpdesk.models import Atendimento

pytestmark = pytest.mark.django_db

# A Monday, 11:00 in São Paulo.
NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
HALF = timedelta(minutes=30)
NOTHING = {"reminded": 0, "closed": 0}
REMINDED = {"reminded": 1, "closed": 0}
CLOSED = {"reminded": 0, "closed": 1}


def answered(**settings: Any) -> Atendimento:
    """A conversation in which our side had the last word, of a company that reminds twice, every half an hour."""
    company = make_company()
    texts = {"inactivity_message": "{primeiro_nome}, ainda está aí?", "closing_message": "Até logo."}
    make_settings(company, **{"inactivity_minutes": 30, "inactivity_reminders": 2, **texts, **settings})
    atendimento = asked(company, now=NOW)
    writing.write_reply(atendimento.pk, make_attendant(company), scope=None, text="Qual é o pedido?", now=NOW)
    return reread(atendimento)


def automatic() -> list[str]:
    return list(Message.objects.filter(is_automatic=True).order_by("number").values_list("text", flat=True))


def test_two_reminders_and_then_the_end() -> None:
    atendimento = answered()
    assert remind_or_close(None, now=NOW + HALF - timedelta(seconds=1)) == NOTHING
    assert remind_or_close([atendimento.company_id], now=NOW + HALF) == REMINDED
    assert remind_or_close(None, now=NOW + HALF) == NOTHING
    assert remind_or_close(None, now=NOW + 2 * HALF) == REMINDED
    assert reread(atendimento).is_open
    assert remind_or_close(None, now=NOW + 3 * HALF) == CLOSED
    assert remind_or_close(None, now=NOW + 9 * HALF) == NOTHING
    assert automatic() == ["Maria, ainda está aí?"] * 2 + ["Até logo."]
    atendimento = reread(atendimento)
    assert (atendimento.state, atendimento.closed_with, atendimento.closed_at) == (
        S.CLOSED,
        ClosedWith.INACTIVITY,
        NOW + 3 * HALF,
    )


def test_a_word_of_the_requester_begins_the_count_anew() -> None:
    atendimento = answered()
    for reminder in (1, 2):
        assert remind_or_close(None, now=NOW + reminder * HALF) == REMINDED
    later = NOW + 3 * HALF
    writing.receive_message_in(atendimento.pk, scope=None, text="Estou", now=later)
    assert remind_or_close(None, now=later + 9 * HALF) == NOTHING
    holder = reread(atendimento).attendant
    assert holder is not None
    writing.write_reply(atendimento.pk, holder, scope=None, text="E então?", now=later)
    assert remind_or_close(None, now=later + HALF) == REMINDED


def test_a_message_for_later_means_that_we_will_speak() -> None:
    atendimento = answered()
    assert atendimento.attendant is not None
    booking.schedule_message(
        atendimento.pk, atendimento.attendant, scope=None, text="Oi", due_at=NOW + timedelta(days=1), now=NOW
    )
    assert remind_or_close(None, now=NOW + 9 * HALF) == NOTHING


def test_the_night_is_no_silence() -> None:
    atendimento = answered()
    WorkingHours.objects.create(company=atendimento.company, weekday=0, opens_at=time(8), closes_at=time(11, 10))
    assert remind_or_close(None, now=NOW + HALF) == NOTHING
    monday = NOW + timedelta(days=7, hours=-3)
    assert remind_or_close(None, now=monday + timedelta(minutes=19)) == NOTHING
    assert remind_or_close(None, now=monday + timedelta(minutes=20)) == REMINDED


def test_without_texts_nothing_is_said_and_the_time_is_the_same() -> None:
    atendimento = answered(inactivity_message="", closing_message="")
    for reminder in (1, 2):
        remind_or_close(None, now=NOW + reminder * HALF)
        assert reread(atendimento).is_open
    assert remind_or_close(None, now=NOW + 3 * HALF) == CLOSED
    assert automatic() == []


def test_0_minutes_switch_it_off_and_what_waits_for_us_is_not_silent() -> None:
    answered(inactivity_minutes=0)
    company = make_company()
    make_settings(company, inactivity_minutes=1)
    asked(company, now=NOW)
    assert remind_or_close(None, now=NOW + 9 * HALF) == NOTHING
