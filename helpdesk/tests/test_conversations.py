"""A conversation opens, waits, is taken, answered, passed on, closed and opened again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from callcenter.lib.errors import Conflict, InvalidInput, NotFound
from callcenter.tests.factories import make_company
from helpdesk.data import Bell
from helpdesk.models import Atendimento, Message, Occurrence, ScheduledMessage, Transfer
from helpdesk.services import booking, closing, forwarding, reading, taking, writing
from helpdesk.services.rows import locked_atendimento
from helpdesk.states import (
    Adapter,
    ClosedWith,
    Delivery,
    OccurrenceCategory,
    OccurrenceStatus,
    S,
    ScheduledState,
    TransferReason,
)
from helpdesk.tests.factories import (
    make_attendant,
    make_bot,
    make_channel,
    make_contact,
    make_ia,
    make_settings,
    make_team,
)
from helpdesk.tests.scenes import asked, opened, reread

pytestmark = pytest.mark.django_db


def work_of(atendimento: Atendimento) -> set[tuple[int, int]]:
    """Category and status of each occurrence that is or was work."""
    rows = Occurrence.objects.filter(atendimento=atendimento).exclude(status=OccurrenceStatus.DONE)
    return set(rows.values_list("category", "status"))


def test_a_first_message_opens_one_that_waits_in_the_queue_of_the_channels_team() -> None:
    company = make_company()
    team = make_team(company)
    channel, contact, now = make_channel(company, team=team), make_contact(company), timezone.now()
    done = writing.receive_message(contact, channel, text="Olá", now=now)
    atendimento = reread(done.atendimento)
    assert (atendimento.state, atendimento.responsible_team, atendimento.is_waiting) == (S.QUEUED, team, True)
    assert (atendimento.unread, atendimento.requester_at, atendimento.company_number) == (1, now, 1)
    assert atendimento.last_message == done.message
    assert done.bells == {Bell.ASSIGN}
    assert work_of(atendimento) == {(OccurrenceCategory.NO_ATTENDANT, OccurrenceStatus.PENDING)}
    contact.refresh_from_db()
    assert contact.atendimento_count == 1


def test_a_second_message_joins_the_open_one_and_asks_for_no_second_work() -> None:
    company = make_company()
    first = asked(company)
    second = asked(company, "E então?", contact=first.contact, channel=first.channel)
    assert second.pk == first.pk
    assert reread(first).unread == 2
    assert Occurrence.objects.filter(category=OccurrenceCategory.NO_ATTENDANT).count() == 1
    assert reread(first).waiting_since == first.waiting_since


def test_a_channel_with_a_bot_gives_it_the_first_word() -> None:
    company = make_company()
    bot = make_bot(company)
    done = writing.receive_message(
        make_contact(company), make_channel(company, automation=bot), text="Oi", now=timezone.now()
    )
    assert (done.atendimento.state, done.atendimento.attendant) == (S.AUTOMATIC, bot)
    assert done.bells == {Bell.ANSWER}
    assert work_of(done.atendimento) == {(OccurrenceCategory.FIRST_REPLY, OccurrenceStatus.PENDING)}


def test_what_a_medium_sends_twice_is_heard_once() -> None:
    company = make_company()
    contact, channel, now = make_contact(company), make_channel(company), timezone.now()
    one = writing.receive_message(contact, channel, text="Olá", now=now, external_id="wamid.1")
    two = writing.receive_message(contact, channel, text="Olá", now=now, external_id="wamid.1")
    assert (two.has_changed, two.message) == (False, one.message)
    assert reread(one.atendimento).unread == 1


def test_a_message_after_the_end_opens_a_continuation() -> None:
    company = make_company()
    first = asked(company)
    closing.close(first.pk, scope=None, now=timezone.now())
    done = writing.receive_message_in(first.pk, scope=None, text="Voltei", now=timezone.now())
    assert done.atendimento.pk != first.pk
    assert (done.atendimento.origin_id, done.atendimento.company_number) == (first.pk, 2)
    assert reread(first).state == S.CLOSED


def test_two_people_take_one_and_both_learn_who_has_it() -> None:
    company = make_company()
    ana, rui = make_attendant(company, "Ana"), make_attendant(company, "Rui")
    atendimento, now = asked(company), timezone.now()
    won = taking.take(atendimento.pk, ana, scope=None, now=now)
    lost = taking.take(atendimento.hash, rui, scope=None, now=now)
    assert (won.has_changed, lost.has_changed) == (True, False)
    assert lost.atendimento.attendant == ana
    stored = reread(atendimento)
    assert (stored.state, stored.responsible_attendant, stored.is_started) == (S.ASSIGNED, ana, False)
    assert work_of(atendimento) == set()
    assert Transfer.objects.get().reason == TransferReason.TAKEN
    ana.refresh_from_db()
    assert ana.last_received_at == now


def test_taking_from_a_bot_silences_it() -> None:
    company = make_company()
    bot, ana = make_bot(company), make_attendant(company)
    atendimento = asked(company, channel=make_channel(company, automation=bot))
    taken = taking.take(atendimento.pk, ana, scope=None, now=timezone.now()).atendimento
    assert (taken.attendant, taken.needs_human) == (ana, True)
    assert work_of(atendimento) == {(OccurrenceCategory.FIRST_REPLY, OccurrenceStatus.SKIPPED)}


def test_starting_sets_the_clock_once() -> None:
    company = make_company()
    ana, rui = make_attendant(company), make_attendant(company)
    atendimento, now = asked(company), timezone.now()
    taking.start(atendimento.pk, ana, scope=None, now=now)
    again = taking.start(atendimento.pk, ana, scope=None, now=now + timedelta(hours=1))
    other = taking.start(atendimento.pk, rui, scope=None, now=now)
    assert (again.has_changed, other.has_changed) == (False, False)
    assert (other.atendimento.attendant, other.atendimento.started_at) == (ana, now)
    forwarding.forward(atendimento.pk, rui, scope=None, now=now)
    assert (reread(atendimento).state, reread(atendimento).started_at) == (S.ASSIGNED, now)
    taking.start(atendimento.pk, rui, scope=None, now=now + timedelta(hours=2))
    assert (reread(atendimento).state, reread(atendimento).started_at) == (S.IN_SERVICE, now)


@pytest.mark.parametrize("make", [make_bot, make_ia])
def test_no_automation_takes_or_starts(make: object) -> None:
    company = make_company()
    automation, atendimento = make(company), asked(company)  # type: ignore[operator]
    for act in (taking.take, taking.start):
        with pytest.raises(InvalidInput):
            act(atendimento.pk, automation, scope=None, now=timezone.now())
    assert reread(atendimento).state == S.QUEUED


def test_a_persons_answer_claims_starts_and_ends_the_wait() -> None:
    company = make_company()
    ana, atendimento, now = make_attendant(company), asked(company), timezone.now()
    done = writing.write_reply(atendimento.pk, ana, scope=None, text="Pois não", now=now)
    stored = reread(atendimento)
    assert (stored.state, stored.attendant, stored.is_waiting) == (S.IN_SERVICE, ana, False)
    assert (stored.attendant_at, stored.last_message, stored.unread) == (now, done.message, 1)


def test_a_colleagues_answer_leaves_the_holder() -> None:
    company = make_company()
    ana, rui, atendimento = make_attendant(company), make_attendant(company), asked(company)
    taking.take(atendimento.pk, ana, scope=None, now=timezone.now())
    writing.write_reply(atendimento.pk, rui, scope=None, text="Eu respondo", now=timezone.now())
    assert (reread(atendimento).attendant, reread(atendimento).state) == (ana, S.IN_SERVICE)


def test_a_bots_answer_claims_nothing() -> None:
    company = make_company()
    bot = make_bot(company)
    atendimento = asked(company, channel=make_channel(company, automation=bot))
    writing.write_reply(atendimento.pk, bot, scope=None, text="Olá!", now=timezone.now())
    assert (reread(atendimento).state, reread(atendimento).is_waiting) == (S.AUTOMATIC, False)


def test_an_automatic_reply_and_a_note_end_no_wait() -> None:
    company = make_company()
    ana, atendimento, now = make_attendant(company), asked(company), timezone.now()
    writing.write_automatic(locked(atendimento), text="Já atendemos", now=now)
    writing.write_note(atendimento.pk, ana, scope=None, text="Cliente difícil", now=now)
    stored = reread(atendimento)
    assert (stored.is_waiting, stored.attendant_at, stored.state) == (True, None, S.QUEUED)
    assert stored.last_message is not None
    assert stored.last_message.text == "Já atendemos"


def locked(atendimento: Atendimento) -> Atendimento:
    """The row as a caller holds it who has locked it."""
    return locked_atendimento(atendimento.pk, scope=None)


@pytest.mark.parametrize(
    ("adapter", "delivery"),
    [(Adapter.NONE, Delivery.NONE), (Adapter.SITE_CHAT, Delivery.NONE), (Adapter.EMAIL, Delivery.PENDING),
     (Adapter.WEBHOOK, Delivery.PENDING)],
)  # fmt: skip
def test_an_answer_waits_for_delivery_where_the_channel_has_a_way_out(adapter: str, delivery: str) -> None:
    company = make_company()
    atendimento = asked(company, channel=make_channel(company, adapter=adapter))
    done = writing.write_reply(atendimento.pk, make_attendant(company), scope=None, text="Pois não", now=timezone.now())
    assert done.message is not None
    assert (done.message.delivery, Bell.DELIVER in done.bells) == (delivery, delivery == Delivery.PENDING)
    assert Message.objects.get(is_inbound=True).delivery == Delivery.NONE


def test_forwarding_to_a_team_puts_it_back_in_the_queue() -> None:
    company = make_company()
    ana, team, atendimento = make_attendant(company), make_team(company), asked(company)
    taking.start(atendimento.pk, ana, scope=None, now=timezone.now())
    done = forwarding.forward(atendimento.pk, team, scope=None, now=timezone.now(), by=ana)
    stored = reread(atendimento)
    assert (stored.state, stored.attendant, stored.responsible_team) == (S.QUEUED, None, team)
    assert (stored.is_started, done.bells) == (False, frozenset({Bell.ASSIGN}))
    assert work_of(atendimento) == {(OccurrenceCategory.NO_ATTENDANT, OccurrenceStatus.PENDING)}
    hop = Transfer.objects.latest("id")
    assert (hop.from_attendant, hop.to_team, hop.by) == (ana, team, ana)
    assert not forwarding.forward(atendimento.pk, team, scope=None, now=timezone.now()).has_changed


def test_forwarding_to_a_bot_lets_it_answer_again() -> None:
    company = make_company()
    bot, atendimento = make_bot(company), asked(company)
    done = forwarding.forward(atendimento.pk, bot, scope=None, now=timezone.now())
    assert (done.atendimento.state, done.atendimento.needs_human, done.bells) == (
        S.AUTOMATIC,
        False,
        frozenset({Bell.ANSWER}),
    )


def test_an_automation_that_gives_up_leaves_a_requester_who_waits_for_a_person() -> None:
    company = make_company()
    bot, team = make_bot(company), make_team(company)
    atendimento = asked(company, channel=make_channel(company, automation=bot, team=team))
    writing.write_reply(atendimento.pk, bot, scope=None, text="Olá!", now=timezone.now())
    done = forwarding.hand_over(
        locked(atendimento),
        now=timezone.now(),
        reason=TransferReason.BOT_HANDOVER,
    )
    assert (done.atendimento.state, done.atendimento.responsible_team) == (S.QUEUED, team)
    assert (reread(atendimento).needs_human, reread(atendimento).is_waiting) == (True, True)


def test_closing_ends_the_wait_and_what_was_planned() -> None:
    company = make_company()
    ana, atendimento, now = make_attendant(company), asked(company), timezone.now()
    booking.schedule_message(
        atendimento.pk, ana, scope=None, text="Até amanhã", due_at=now + timedelta(days=1), now=now
    )
    closing.close(atendimento.pk, scope=None, now=now, with_=ClosedWith.API)
    again = closing.close(atendimento.pk, scope=None, now=now + timedelta(hours=1))
    stored = reread(atendimento)
    assert (stored.state, stored.closed_at, stored.is_waiting, again.has_changed) == (S.CLOSED, now, False, False)
    assert ScheduledMessage.objects.get().state == ScheduledState.CANCELLED
    assert (OccurrenceCategory.NO_ATTENDANT, OccurrenceStatus.SKIPPED) in work_of(atendimento)
    with pytest.raises(Conflict):
        writing.write_reply(atendimento.pk, ana, scope=None, text="Tarde demais", now=now)
    with pytest.raises(Conflict):
        forwarding.forward(atendimento.pk, ana, scope=None, now=now)
    with pytest.raises(Conflict):
        taking.start(atendimento.pk, ana, scope=None, now=now)


def test_a_closed_one_opens_again_unless_the_contact_has_another() -> None:
    company = make_company()
    ana, atendimento, now = make_attendant(company), asked(company), timezone.now()
    taking.start(atendimento.pk, ana, scope=None, now=now)
    closing.close(atendimento.pk, scope=None, now=now)
    assert closing.reopen(locked(atendimento), now=now, is_started=True).atendimento.state == S.IN_SERVICE
    closing.close(atendimento.pk, scope=None, now=now)
    asked(company, contact=atendimento.contact, channel=atendimento.channel)
    with pytest.raises(Conflict):
        closing.reopen(locked(atendimento), now=now, is_started=False)


def test_a_deleted_one_is_gone_but_for_the_log() -> None:
    company = make_company()
    atendimento = asked(company)
    closing.delete(atendimento.pk, scope=None, now=timezone.now())
    with pytest.raises(NotFound):
        locked(atendimento)
    assert Occurrence.objects.filter(atendimento=atendimento, category=OccurrenceCategory.DELETED).exists()
    assert asked(company, contact=atendimento.contact, channel=atendimento.channel).pk != atendimento.pk


def test_a_message_for_later_has_a_minute_that_is_not_over() -> None:
    company = make_company()
    ana, atendimento = make_attendant(company), opened(company)
    now = timezone.now().replace(second=40)
    kept = booking.schedule_message(atendimento.pk, ana, scope=None, text="Já", due_at=now, now=now)
    assert (kept.due_at.second, kept.state) == (0, ScheduledState.PENDING)
    with pytest.raises(InvalidInput):
        booking.schedule_message(
            atendimento.pk, ana, scope=None, text="Ontem", due_at=now - timedelta(minutes=1), now=now
        )
    assert booking.cancel_one(kept, now=now)
    with pytest.raises(Conflict):
        booking.change_scheduled(kept, text="Outra", due_at=now, now=now)


def test_reading_marks_what_the_requester_wrote_and_nothing_else() -> None:
    company = make_company()
    atendimento = asked(company)
    changed_at = atendimento.updated_at
    assert reading.mark_read(atendimento, now=timezone.now()) == 1
    stored = reread(atendimento)
    assert (stored.unread, stored.is_waiting, stored.updated_at) == (0, True, changed_at)
    assert reading.mark_read(stored, now=timezone.now()) == 0


@pytest.mark.parametrize("text", ["", "   ", "\0", "\ud800", "x" * (writing.MAX_TEXT + 1)])
def test_a_text_that_is_none_is_refused_and_leaves_nothing(text: str) -> None:
    company = make_company()
    contact, channel = make_contact(company), make_channel(company)
    with pytest.raises(InvalidInput):
        writing.receive_message(contact, channel, text=text, now=timezone.now())
    assert not contact.atendimentos.exists()


def test_a_foreign_companys_atendimento_is_none() -> None:
    atendimento = asked(make_company())
    other = make_company()
    with pytest.raises(NotFound):
        taking.take(atendimento.pk, make_attendant(other), scope=[other.pk], now=timezone.now())
    with pytest.raises(InvalidInput):
        taking.take(atendimento.pk, make_attendant(other), scope=None, now=timezone.now())


def test_each_conversation_begins_with_its_protocol_also_after_the_end_of_another() -> None:
    company = make_company()
    make_settings(company, protocol_text="Protocolo {protocolo}.")
    first, now = asked(company), timezone.now()
    closing.close(first.pk, scope=None, now=now)
    for text in ("Ainda está aí?", "Alô?"):
        writing.receive_message_in(first.pk, scope=None, text=text, now=now)
    told = Message.objects.filter(is_automatic=True).order_by("number")
    assert list(told.values_list("text", flat=True)) == ["Protocolo 00000001.", "Protocolo 00000002."]
