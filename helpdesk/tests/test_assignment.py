"""Sem atendente: who gets what waits, in which order, and what happens when nobody is there."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pytest

from callcenter.tests.factories import make_company
from callcenter.tests.factories import make_user as make_staff
from helpdesk.models import Atendimento, AttendantPause, Message, Occurrence, TeamMember, Transfer, WorkingHours
from helpdesk.services import taking
from helpdesk.services.assignment import assign_waiting
from helpdesk.states import OccurrenceCategory, OccurrenceStatus, Presence, S, TransferReason
from helpdesk.tests.factories import (
    make_attendant,
    make_bot,
    make_canned,
    make_channel,
    make_contact,
    make_settings,
    make_team,
)
from helpdesk.tests.scenes import asked, opened, reread
from telephony.tests.scenes import in_threads

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoAssertNumQueries

pytestmark = pytest.mark.django_db

# A Monday, 11:00 in São Paulo.
NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


def status_of(atendimento: Atendimento) -> list[int]:
    rows = Occurrence.objects.filter(atendimento=atendimento, category=OccurrenceCategory.NO_ATTENDANT)
    return list(rows.order_by("id").values_list("status", flat=True))


def test_the_least_loaded_person_gets_it_and_it_waits_on() -> None:
    company = make_company()
    busy, free = make_attendant(company), make_attendant(company)
    taking.take(opened(company).pk, busy, scope=None, now=NOW)
    atendimento = asked(company, now=NOW)
    assert assign_waiting([company.pk], now=NOW) == 1
    atendimento = reread(atendimento)
    assert (atendimento.state, atendimento.attendant, atendimento.responsible_attendant) == (S.ASSIGNED, free, free)
    assert (atendimento.is_waiting, atendimento.given_at, atendimento.is_started) == (True, NOW, False)
    assert status_of(atendimento) == [OccurrenceStatus.DONE]
    transfer = Transfer.objects.get(atendimento=atendimento)
    assert (transfer.reason, transfer.to_attendant, transfer.by) == (TransferReason.ASSIGNED, free, None)
    free.refresh_from_db()
    assert free.last_received_at == NOW


def test_of_equals_the_one_without_a_new_one_for_longest_is_next_and_then_the_hash_decides() -> None:
    company = make_company()
    people = [make_attendant(company, last_received_at=NOW - timedelta(hours=hours)) for hours in (1, 3, 2)]
    never = sorted((make_attendant(company) for _ in range(2)), key=lambda one: one.hash)
    for _ in range(5):
        asked(company, now=NOW)
    assert assign_waiting(None, now=NOW) == 5
    order = list(Transfer.objects.order_by("id").values_list("to_attendant__name", flat=True))
    assert order == [one.name for one in (*never, people[1], people[2], people[0])]


def test_the_absent_the_paused_the_full_and_the_automations_get_nothing() -> None:
    company = make_company()
    make_attendant(company, presence=Presence.OFFLINE)
    make_attendant(company, presence=Presence.PAUSED)
    make_attendant(company, is_active=False)
    make_attendant(company, capacity=0)
    make_attendant(company, user=make_staff(company, is_active=False))
    make_attendant(make_company())
    make_bot(company)
    paused, full, off_duty = make_attendant(company), make_attendant(company, capacity=1), make_attendant(company)
    AttendantPause.objects.create(attendant=paused, reason="Almoço")
    taking.take(opened(company).pk, full, scope=None, now=NOW)
    WorkingHours.objects.create(company=company, attendant=off_duty, weekday=0, opens_at=time(18), closes_at=time(22))
    atendimento = asked(company, now=NOW)
    assert assign_waiting(None, now=NOW) == 0
    assert reread(atendimento).state == S.QUEUED
    # The same people at half past six.
    assert assign_waiting(None, now=NOW + timedelta(hours=7, minutes=30)) == 1
    assert reread(atendimento).attendant == off_duty


def test_a_limit_holds_within_one_round() -> None:
    company = make_company()
    make_attendant(company, capacity=2)
    for _ in range(3):
        asked(company, now=NOW)
    assert assign_waiting(None, now=NOW) == 2
    assert Atendimento.objects.filter(state=S.QUEUED).count() == 1


def test_the_queue_of_a_team_is_for_the_team() -> None:
    company = make_company()
    outsider = make_attendant(company)
    member = make_attendant(company)
    team = make_team(company, member)
    atendimento = asked(company, channel=make_channel(company, team=team), now=NOW)
    TeamMember.objects.filter(attendant=outsider).delete()
    assert assign_waiting(None, now=NOW) == 1
    assert reread(atendimento).attendant == member


def test_a_team_without_people_leaves_its_queue_to_the_company() -> None:
    company = make_company()
    person = make_attendant(company)
    team = make_team(company, make_bot(company))
    atendimento = asked(company, channel=make_channel(company, team=team), now=NOW)
    assert assign_waiting(None, now=NOW) == 1
    assert reread(atendimento).attendant == person


def test_when_nobody_is_there_both_sides_are_told_once_and_it_stays_pending() -> None:
    company = make_company()
    canned = make_canned(company, "{saudacao}, {primeiro_nome}! Protocolo {protocolo}. {outra}")
    make_settings(company, no_attendant_message=canned)
    member = make_attendant(company, presence=Presence.OFFLINE)
    atendimento = asked(
        company, channel=make_channel(company, team=make_team(company, member, name="Suporte")), now=NOW
    )
    for minutes in range(3):
        assert assign_waiting([company.pk], now=NOW + timedelta(minutes=minutes)) == 0
    note, told = Message.objects.filter(atendimento=atendimento, is_inbound=False).order_by("number")
    assert (note.is_internal, note.attendant, "Suporte" in note.text) == (True, None, True)
    assert (told.is_automatic, told.text) == (True, "Bom dia, Maria! Protocolo 00000001. {outra}")
    assert status_of(atendimento) == [OccurrenceStatus.PENDING]
    atendimento = reread(atendimento)
    assert (atendimento.is_waiting, atendimento.attendant_at) == (True, None)
    member.presence = Presence.ONLINE
    member.save(update_fields=["presence"])
    assert assign_waiting([company.pk], now=NOW + timedelta(minutes=3)) == 1


def test_a_requester_is_told_nothing_that_the_company_did_not_write_or_out_of_hours() -> None:
    silent, closed = make_company(), make_company()
    make_settings(closed, no_attendant_message=make_canned(closed))
    WorkingHours.objects.create(company=closed, weekday=6, opens_at=time(8), closes_at=time(9))
    for company in (silent, closed):
        asked(company, now=NOW)
    assert assign_waiting(None, now=NOW) == 0
    assert not Message.objects.filter(is_automatic=True).exists()


def test_what_somebody_took_or_closed_meanwhile_is_skipped() -> None:
    company = make_company()
    person = make_attendant(company)
    atendimento = asked(company, now=NOW)
    Atendimento.objects.filter(pk=atendimento.pk).update(state=S.ASSIGNED, attendant=person)
    gone = asked(company, now=NOW)
    Atendimento.objects.filter(pk=gone.pk).update(deleted_at=NOW)
    assert assign_waiting(None, now=NOW) == 0
    assert status_of(atendimento) == status_of(gone) == [OccurrenceStatus.SKIPPED]


def test_only_companies_of_the_scope_that_are_active_are_looked_at() -> None:
    mine, other, closed = make_company(), make_company(), make_company(is_active=False)
    for company in (mine, other, closed):
        make_attendant(company)
        asked(company, now=NOW)
    assert assign_waiting([mine.pk, closed.pk], now=NOW) == 1
    assert assign_waiting(None, now=NOW) == 1


def test_one_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company()
    make_attendant(company)
    poisonous, fine = asked(company, now=NOW), asked(company, now=NOW)
    take = taking.take

    def fail_one(key: object, *args: object, **kwargs: object) -> object:
        if key == poisonous.pk:
            raise RuntimeError("poison")
        return take(key, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(taking, "take", fail_one)
    assert assign_waiting(None, now=NOW) == 1
    assert reread(fine).state == S.ASSIGNED
    assert status_of(poisonous) == [OccurrenceStatus.PENDING]


def test_a_queue_that_nobody_can_take_costs_no_transaction_a_row(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    company = make_company()
    channel = make_channel(company)
    for _ in range(6):
        asked(company, contact=make_contact(company), channel=channel, now=NOW)
    assign_waiting(None, now=NOW)
    with django_assert_max_num_queries(10):
        assert assign_waiting(None, now=NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_give_each_conversation_once_and_keep_the_limits() -> None:
    company = make_company()
    people = [make_attendant(company, capacity=3) for _ in range(4)]
    channel = make_channel(company)
    for _ in range(14):
        asked(company, contact=make_contact(company), channel=channel, now=NOW)
    start = threading.Barrier(4)

    def work(_place: int) -> None:
        start.wait(10)
        assign_waiting([company.pk], now=NOW)

    in_threads(4, work)
    given = Counter(Transfer.objects.filter(reason=TransferReason.ASSIGNED).values_list("to_attendant_id", flat=True))
    assert given == {person.pk: 3 for person in people}
    assert Transfer.objects.values("atendimento").distinct().count() == Transfer.objects.count() == 12
    assert Atendimento.objects.filter(state=S.QUEUED).count() == 2
