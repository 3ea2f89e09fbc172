"""The no-answer ladder: who gets a conversation whose holder is silent, and when."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from callcenter.tests.factories import make_company, make_user
from helpdesk.models import Atendimento, Occurrence, Transfer, WorkingHours
from helpdesk.services import taking, writing
from helpdesk.services.assignment import assign_waiting
from helpdesk.services.ladder import climb_ladders
from helpdesk.services.mending import give_back_what_the_gone_hold
from helpdesk.states import OccurrenceCategory, Presence, S, TransferReason
from helpdesk.tests.factories import make_attendant, make_channel, make_settings, make_team
from helpdesk.tests.scenes import asked, reread

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from helpdesk.models import Attendant

pytestmark = pytest.mark.django_db

# A Monday, 11:00 in São Paulo.
NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
FIVE = timedelta(minutes=5)


def make_scene(**fields: object) -> tuple[Company, Attendant, Attendant, Attendant, Atendimento]:
    """A company with a ladder of five minutes: a holder who waits to answer, a colleague, a supervisor, their chat."""
    company = make_company()
    make_settings(company, ladder_minutes=5, **fields)
    holder, colleague = make_attendant(company, "Holder"), make_attendant(company, "Colega")
    boss = make_attendant(company, "Chefe", capacity=0)
    team = make_team(company, holder, colleague, supervisor=boss)
    make_attendant(company, "De outra equipe")
    atendimento = asked(company, channel=make_channel(company, team=team), now=NOW)
    taking.take(atendimento.pk, holder, scope=None, now=NOW)
    return company, holder, colleague, boss, atendimento


def reasons(atendimento: Atendimento) -> list[str]:
    return list(Transfer.objects.filter(atendimento=atendimento).order_by("id").values_list("reason", flat=True))


def test_silence_climbs_from_the_next_to_the_queue_to_the_supervisor_and_stays_there() -> None:
    _company, holder, colleague, boss, atendimento = make_scene()
    assert climb_ladders(None, now=NOW + FIVE - timedelta(seconds=1)) == 0
    assert climb_ladders(None, now=NOW + FIVE) == 1
    assert (reread(atendimento).attendant, reread(atendimento).state) == (colleague, S.ASSIGNED)
    assert climb_ladders(None, now=NOW + FIVE) == 0
    assert climb_ladders(None, now=NOW + 2 * FIVE) == 1
    queued = reread(atendimento)
    assert (queued.state, queued.attendant, queued.is_waiting) == (S.QUEUED, None, True)
    assert queued.responsible_team is not None
    # Neither of those who were silent gets it back by a rule.
    assert assign_waiting(None, now=NOW + 2 * FIVE) == 0
    assert climb_ladders(None, now=NOW + 3 * FIVE - timedelta(seconds=1)) == 0
    assert climb_ladders(None, now=NOW + 3 * FIVE) == 1
    assert reread(atendimento).attendant == boss
    assert climb_ladders(None, now=NOW + 9 * FIVE) == 0
    assert reasons(atendimento) == [
        TransferReason.TAKEN,
        TransferReason.NO_ANSWER_NEXT,
        TransferReason.NO_ANSWER_QUEUE,
        TransferReason.NO_ANSWER_SUPERVISOR,
    ]
    hops = Occurrence.objects.filter(atendimento=atendimento, category=OccurrenceCategory.FORWARDED)
    assert list(hops.order_by("id").values_list("detail__reason", flat=True)) == reasons(atendimento)[1:]
    assert Transfer.objects.get(reason=TransferReason.NO_ANSWER_NEXT).from_attendant == holder


def test_an_answer_begins_everything_anew() -> None:
    _company, holder, colleague, _boss, atendimento = make_scene()
    assert climb_ladders(None, now=NOW + FIVE) == 1
    writing.write_reply(atendimento.pk, colleague, scope=None, text="Já vejo", now=NOW + FIVE)
    assert climb_ladders(None, now=NOW + 9 * FIVE) == 0
    later = NOW + 10 * FIVE
    writing.receive_message_in(atendimento.pk, scope=None, text="E então?", now=later)
    assert climb_ladders(None, now=later + FIVE) == 1
    assert reread(atendimento).attendant == holder


def test_without_anybody_else_it_goes_to_the_queue_at_once() -> None:
    _company, _holder, colleague, _boss, atendimento = make_scene()
    colleague.presence = Presence.PAUSED
    colleague.save(update_fields=["presence"])
    assert climb_ladders(None, now=NOW + FIVE) == 1
    assert reread(atendimento).state == S.QUEUED


def test_a_supervisor_who_is_away_gets_it_when_no_other_is_there() -> None:
    _company, _holder, colleague, boss, atendimento = make_scene()
    for person in (colleague, boss):
        person.presence = Presence.OFFLINE
        person.save(update_fields=["presence"])
    for hops in (1, 2):
        assert climb_ladders(None, now=NOW + hops * FIVE) == 1
    assert reread(atendimento).attendant == boss


def test_without_a_supervisor_it_stays_in_the_queue() -> None:
    company, _holder, _colleague, boss, atendimento = make_scene()
    boss.memberships.all().delete()
    for hops in (1, 2):
        assert climb_ladders(None, now=NOW + hops * FIVE) == 1
    assert climb_ladders(None, now=NOW + 3 * FIVE) == 0
    assert reread(atendimento).state == S.QUEUED
    manager = make_attendant(company, is_manager=True)
    assert climb_ladders(None, now=NOW + 4 * FIVE) == 1
    assert reread(atendimento).attendant == manager


def test_the_lunch_break_is_nobodys_silence() -> None:
    company, _holder, colleague, _boss, atendimento = make_scene()
    for opens, closes in ((8, 11), (13, 18)):
        WorkingHours.objects.create(
            company=company, weekday=0, opens_at=time(opens, 2 if opens == 8 else 0), closes_at=time(closes, 2)
        )
    # Two minutes before the break count, none of it, and the sixth after it does.
    assert climb_ladders(None, now=NOW + timedelta(minutes=90)) == 0
    assert climb_ladders(None, now=NOW + timedelta(hours=2, minutes=2, seconds=59)) == 0
    assert climb_ladders(None, now=NOW + timedelta(hours=2, minutes=3)) == 1
    assert reread(atendimento).attendant == colleague


def test_who_waits_for_the_requester_is_not_silent_and_0_minutes_switch_it_off() -> None:
    company, holder, _colleague, _boss, atendimento = make_scene()
    writing.write_reply(atendimento.pk, holder, scope=None, text="Pronto!", now=NOW)
    assert climb_ladders(None, now=NOW + 9 * FIVE) == 0
    writing.receive_message_in(atendimento.pk, scope=None, text="Obrigado", now=NOW + FIVE)
    make_settings(company, ladder_minutes=0)
    assert climb_ladders(None, now=NOW + 9 * FIVE) == 0
    assert climb_ladders([], now=NOW + 9 * FIVE) == 0


@pytest.mark.parametrize("is_user", [False, True])
def test_what_somebody_gone_holds_goes_back_to_its_queue_without_a_ladder(is_user: bool) -> None:
    company = make_company()
    user = make_user(company)
    holder, colleague = make_attendant(company, user=user), make_attendant(company)
    team = make_team(company, holder, colleague)
    atendimento = asked(company, channel=make_channel(company, team=team), now=NOW)
    taking.start(atendimento.pk, holder, scope=None, now=NOW)
    assert give_back_what_the_gone_hold(None, now=NOW) == 0
    gone = user if is_user else holder
    gone.is_active = False
    gone.save(update_fields=["is_active"])
    assert give_back_what_the_gone_hold([company.pk], now=NOW + FIVE) == 1
    queued = reread(atendimento)
    assert (queued.state, queued.attendant, queued.responsible_team) == (S.QUEUED, None, team)
    assert assign_waiting(None, now=NOW + FIVE) == 1
    assert reread(atendimento).attendant == colleague
    assert give_back_what_the_gone_hold(None, now=NOW + FIVE) == 0
