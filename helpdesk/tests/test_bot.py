"""The bot: it greets, follows its flow, and hands over to people."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.lib.errors import Conflict, NotFound
from callcenter.tests.factories import make_company
from helpdesk.models import BotFlow, FlowOption, FlowStep, Message, Occurrence, Transfer
from helpdesk.selectors.flows import flow_preview
from helpdesk.services import taking, writing
from helpdesk.services.bot import answer_by_bot
from helpdesk.services.first_reply import send_automatic_replies
from helpdesk.states import ClosedWith, OccurrenceCategory, OccurrenceStatus, S, TransferReason
from helpdesk.tests.factories import make_attendant, make_bot, make_channel, make_team
from helpdesk.tests.scenes import asked, reread

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from helpdesk.models import Atendimento

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


def make_menu(company: Company, **fields: Any) -> BotFlow:
    """A flow: a greeting, a menu of hours (then the end), a person of sales, and an open question for invoices."""
    flow = BotFlow.objects.create(
        company=company,
        **{
            "title": "Menu",
            "misses_allowed": 2,
            "not_understood": "Não entendi.",
            "handover_text": "Um momento.",
            **fields,
        },
    )
    texts = ("Olá, {primeiro_nome}!", "Escolha:", "Das 8 às 18.", "Qual é o número do pedido?")
    hello, menu, hours, invoice = (
        FlowStep.objects.create(flow=flow, company=company, position=at, title=text[:20], text=text)
        for at, text in enumerate(texts)
    )
    FlowStep.objects.filter(pk=hello.pk).update(after="step", next_step=menu)
    FlowStep.objects.filter(pk=hours.pk).update(after="close")
    sales = make_team(company, name="Vendas")
    for position, (label, words, action, step, team) in enumerate(
        [
            ("Horário", "aberto, fechado", "step", hours, None),
            ("Comprar", "", "handover", None, sales),
            ("Segunda via", "boleto", "step", invoice, None),
        ],
        start=1,
    ):
        FlowOption.objects.create(
            step=menu, position=position, label=label, keywords=words, action=action, next_step=step, team=team
        )
    flow.first_step = hello
    flow.save(update_fields=["first_step"])
    return flow


def greeted(**fields: Any) -> Atendimento:
    """A conversation to which the bot has said its first words."""
    company = make_company()
    channel = make_channel(company, automation=make_bot(company, make_menu(company, **fields)))
    atendimento = asked(company, "Oi", channel=channel, now=NOW)
    assert send_automatic_replies([company.pk], now=NOW) == 1
    return reread(atendimento)


def said(atendimento: Atendimento) -> list[str]:
    """What our side said, in order."""
    return list(
        Message.objects.filter(atendimento=atendimento, is_inbound=False)
        .order_by("number")
        .values_list("text", flat=True)
    )


def write(atendimento: Atendimento, text: str) -> Message:
    message = writing.receive_message_in(atendimento.pk, scope=None, text=text, now=NOW).message
    assert message is not None
    return message


def test_the_bot_greets_once_and_asks() -> None:
    atendimento = greeted()
    assert said(atendimento) == ["Olá, Maria!", "Escolha:\n1 - Horário\n2 - Comprar\n3 - Segunda via"]
    assert (atendimento.state, atendimento.is_waiting, atendimento.is_started) == (S.AUTOMATIC, False, False)
    assert atendimento.flow_step is not None
    assert send_automatic_replies(None, now=NOW + timedelta(minutes=1)) == 0
    assert len(said(atendimento)) == 2
    steps = Message.objects.filter(atendimento=atendimento, is_inbound=False).values_list("flow_step__title", flat=True)
    assert list(steps) == ["Olá, {primeiro_nome}", "Escolha:"]
    (work,) = Occurrence.objects.filter(atendimento=atendimento, category=OccurrenceCategory.FIRST_REPLY)
    assert work.status == OccurrenceStatus.DONE


def test_a_message_is_answered_once_however_often_it_is_asked_for() -> None:
    atendimento = greeted()
    message = write(atendimento, "3")
    assert answer_by_bot(message.hash, scope=[atendimento.company_id], now=NOW).has_changed
    assert not answer_by_bot(message.pk, scope=None, now=NOW).has_changed
    assert send_automatic_replies(None, now=NOW) == 0
    assert said(atendimento)[2:] == ["Qual é o número do pedido?"]


def test_an_option_for_people_hands_over_to_its_team() -> None:
    atendimento = greeted()
    write(atendimento, "quero COMPRAR")
    assert send_automatic_replies(None, now=NOW) == 1
    atendimento = reread(atendimento)
    assert said(atendimento)[2:] == ["Um momento."]
    assert (atendimento.state, atendimento.attendant, atendimento.needs_human) == (S.QUEUED, None, True)
    assert atendimento.responsible_team is not None
    assert atendimento.responsible_team.name == "Vendas"
    assert (atendimento.is_waiting, atendimento.waiting_since) == (True, NOW)
    assert Transfer.objects.get(atendimento=atendimento).reason == TransferReason.BOT_HANDOVER
    pending = Occurrence.objects.filter(atendimento=atendimento, status=OccurrenceStatus.PENDING)
    assert [one.category for one in pending] == [OccurrenceCategory.NO_ATTENDANT]


def test_an_end_closes_it() -> None:
    atendimento = greeted()
    answer_by_bot(write(atendimento, "que horas vocês estão abertos? aberto?").pk, scope=None, now=NOW)
    atendimento = reread(atendimento)
    assert said(atendimento)[2:] == ["Das 8 às 18."]
    assert (atendimento.state, atendimento.closed_with) == (S.CLOSED, ClosedWith.BOT)


def test_what_is_not_understood_is_asked_again_and_then_handed_over() -> None:
    atendimento = greeted()
    answer_by_bot(write(atendimento, "bom dia").pk, scope=None, now=NOW)
    assert said(atendimento)[2].startswith("Não entendi.\nEscolha:")
    assert (reread(atendimento).state, reread(atendimento).flow_misses) == (S.AUTOMATIC, 1)
    answer_by_bot(write(atendimento, "hein?").pk, scope=None, now=NOW)
    assert reread(atendimento).state == S.QUEUED
    assert said(atendimento)[3:] == ["Um momento."]


def test_messages_in_quick_succession_are_answered_in_their_order() -> None:
    atendimento = greeted()
    for text in ("3", "4711"):
        write(atendimento, text)
    assert send_automatic_replies(None, now=NOW) == 1
    assert said(atendimento)[2:] == ["Qual é o número do pedido?", "Um momento."]
    assert reread(atendimento).state == S.QUEUED


def test_a_person_who_took_over_is_not_interrupted() -> None:
    atendimento = greeted()
    message = write(atendimento, "1")
    taking.take(atendimento.pk, make_attendant(atendimento.company), scope=None, now=NOW)
    assert not answer_by_bot(message.pk, scope=None, now=NOW).has_changed
    assert send_automatic_replies(None, now=NOW) == 0
    assert len(said(atendimento)) == 2
    work = Occurrence.objects.filter(atendimento=atendimento, category=OccurrenceCategory.FIRST_REPLY)
    assert not work.filter(status=OccurrenceStatus.PENDING).exists()


def test_a_message_of_our_side_or_of_another_company_is_refused() -> None:
    atendimento = greeted()
    ours = Message.objects.filter(atendimento=atendimento, is_inbound=False).first()
    assert ours is not None
    with pytest.raises(Conflict):
        answer_by_bot(ours.pk, scope=None, now=NOW)
    message = write(atendimento, "1")
    for key, scope in ((message.pk, [make_company().pk]), (uuid.uuid4(), None)):
        with pytest.raises(NotFound):
            answer_by_bot(key, scope=scope, now=NOW)


@pytest.mark.parametrize("flow_fields", [{"is_active": False}, None])
def test_a_bot_without_a_flow_hands_over_at_once(flow_fields: dict[str, Any] | None) -> None:
    company = make_company()
    flow = make_menu(company, **flow_fields) if flow_fields is not None else None
    atendimento = asked(company, channel=make_channel(company, automation=make_bot(company, flow)), now=NOW)
    assert send_automatic_replies(None, now=NOW) == 1
    assert (reread(atendimento).state, said(atendimento)) == (S.QUEUED, [])


def test_a_step_that_was_removed_leads_to_people() -> None:
    atendimento = greeted()
    FlowStep.objects.filter(title="Das 8 às 18.").delete()
    answer_by_bot(write(atendimento, "1").pk, scope=None, now=NOW)
    assert reread(atendimento).state == S.QUEUED


def test_a_preview_of_the_stored_flow_writes_nothing() -> None:
    flow = make_menu(make_company())
    lines = flow_preview(flow, ["boleto", "4711"])
    assert [line.text for line in lines if line.is_bot and line.text][2:] == ["Qual é o número do pedido?"]
    assert lines[-1].ending == "hand_over"
    assert not Message.objects.exists()


def test_a_bot_that_was_switched_off_hands_over() -> None:
    company = make_company()
    bot = make_bot(company, make_menu(company))
    atendimento = asked(company, channel=make_channel(company, automation=bot), now=NOW)
    type(bot).objects.filter(pk=bot.pk).update(is_active=False)
    assert send_automatic_replies([company.pk], now=NOW) == 1
    stored = reread(atendimento)
    assert (stored.state, stored.needs_human, stored.is_waiting) == (S.QUEUED, True, True)
    assert Transfer.objects.get().reason == TransferReason.BOT_HANDOVER
