"""The page of one conversation: who may do what on it, and that nobody answers over somebody else's head."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_attendant as make_user_attendant
from callcenter.tests.factories import make_company, make_supervisor
from helpdesk.models import Atendimento, Attendant, Message, ReplyDraft, ScheduledMessage, Tag
from helpdesk.services import taking, writing
from helpdesk.services.companies import attendant_for
from helpdesk.services.reading import mark_read
from helpdesk.states import Delivery, S
from helpdesk.tests.factories import make_attendant, make_canned, make_channel, make_ia, make_team
from helpdesk.tests.scenes import asked, reread

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from callcenter.accounts.models import Company, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return make_company("Loja Aurora")


@pytest.fixture
def user(company: Company, client: Client) -> User:
    """An attendant of the company, logged in."""
    user = make_user_attendant(company, email="bia@example.com", first_name="Bia")
    client.force_login(user)
    return user


def page_of(atendimento: Atendimento) -> str:
    return reverse("admin:helpdesk_atendimento_change", args=[atendimento.pk])


def press(client: Client, atendimento: Atendimento, do: str, **fields: Any) -> Any:
    """What the page answers to a button; the page was read just now unless `seen` says otherwise."""
    row = reread(atendimento)
    last = Message.objects.filter(atendimento=row).order_by("-number").values_list("number", flat=True).first()
    read = {"seen": str(last or 0), "holder": str(row.attendant_id or ""), **fields}
    return client.post(reverse("admin:helpdesk_atendimento_do", args=[row.pk]), {"do": do, **read})


@pytest.mark.usefixtures("user")
def test_a_reply_takes_the_conversation_and_is_shown_with_its_protocol(client: Client, company: Company) -> None:
    atendimento = asked(company, "Onde está meu pedido?")
    assert press(client, atendimento, "reply", text="Já vejo!").status_code == 302
    row = reread(atendimento)
    assert (row.state, row.attendant and row.attendant.name, row.is_waiting) == (S.IN_SERVICE, "Bia", False)
    page = client.get(page_of(row)).content.decode()
    assert row.protocol in page
    assert page.index("Onde está meu pedido?") < page.index("Já vejo!")
    assert "message--theirs" in page
    assert "message--ours" in page


def test_a_reply_over_somebody_elses_head_is_held_back_once_and_keeps_its_text(
    client: Client, company: Company, user: User
) -> None:
    atendimento = asked(company)
    other = make_attendant(company, "Caio")
    seen = str(atendimento.last_message_number)
    writing.write_reply(atendimento.pk, other, scope=[company.pk], text="Respondo eu", now=timezone.now())
    refused = press(client, atendimento, "reply", text="Minha resposta", seen=seen, holder="")
    assert refused.status_code == 409
    page = refused.content.decode()
    assert "Caio respondeu enquanto você escrevia" in page
    assert "Minha resposta</textarea>" in page
    assert Message.objects.filter(text="Minha resposta").count() == 0
    # Having read it, one may still send.
    assert press(client, atendimento, "reply", text="Minha resposta").status_code == 302
    assert Message.objects.get(text="Minha resposta").attendant == attendant_for(user, company)


@pytest.mark.usefixtures("user")
def test_a_conversation_that_changed_hands_meanwhile_is_not_answered_unasked(client: Client, company: Company) -> None:
    atendimento = asked(company)
    taking.take(atendimento.pk, make_attendant(company, "Caio"), scope=None, now=timezone.now())
    refused = press(client, atendimento, "reply", text="Oi", holder="")
    assert refused.status_code == 409
    assert "passou para Caio" in refused.content.decode()
    assert not Message.objects.filter(text="Oi").exists()


@pytest.mark.usefixtures("user")
def test_a_shortcut_becomes_its_ready_answer_and_inserting_one_sends_nothing(client: Client, company: Company) -> None:
    atendimento = asked(company)
    canned = make_canned(company, "Seu protocolo é {protocolo}.", shortcut=7)
    inserted = press(client, atendimento, "reply", text="Oi!", insert=str(canned.pk))
    assert f"Oi!\nSeu protocolo é {atendimento.protocol}.</textarea>" in inserted.content.decode()
    assert Message.objects.filter(is_inbound=False).count() == 0
    press(client, atendimento, "reply", text="/7 Obrigado")
    assert Message.objects.get(is_inbound=False).text == f"Seu protocolo é {atendimento.protocol}. Obrigado"


@pytest.mark.usefixtures("user")
def test_a_note_is_no_answer_and_never_leaves(client: Client, company: Company) -> None:
    atendimento = asked(company, channel=make_channel(company, adapter="webhook"))
    press(client, atendimento, "note", text="cliente difícil")
    note = Message.objects.get(is_internal=True)
    assert (note.delivery, reread(atendimento).is_waiting) == (Delivery.NONE, True)
    export = reverse("admin:helpdesk_atendimento_export", args=[atendimento.pk])
    for form in ("", "?formato=csv", "?formato=json"):
        assert "difícil" not in client.get(export + form).content.decode()


@pytest.mark.usefixtures("user")
def test_an_attendant_passes_on_only_what_is_theirs(client: Client, company: Company) -> None:
    atendimento, team = asked(company), make_team(company, name="Financeiro")
    other = make_attendant(company, "Caio")
    taking.take(atendimento.pk, other, scope=None, now=timezone.now())
    assert press(client, atendimento, "forward", to=f"team:{team.pk}").status_code == 403
    client.force_login(make_supervisor(company))
    press(client, atendimento, "forward", to=f"team:{team.pk}", reason="boleto")
    assert (reread(atendimento).state, reread(atendimento).responsible_team) == (S.QUEUED, team)
    assert "boleto" in Message.objects.get(is_internal=True).text


@pytest.mark.usefixtures("user")
def test_scheduling_tagging_closing_and_opening_again(client: Client, company: Company) -> None:
    atendimento, tag = asked(company), Tag.objects.create(company=company, title="VIP")
    tomorrow = (timezone.now() + timedelta(days=1)).astimezone(company.zone).strftime("%Y-%m-%dT%H:%M")
    press(client, atendimento, "schedule", text="Chegou?", due_at=tomorrow)
    scheduled = ScheduledMessage.objects.get()
    assert scheduled.due_at.astimezone(company.zone).strftime("%Y-%m-%dT%H:%M") == tomorrow
    press(client, atendimento, "unschedule", scheduled=str(scheduled.pk))
    scheduled.refresh_from_db()
    assert scheduled.state == "cancelled"
    press(client, atendimento, "details", title="Entrega", category="2", tags=[str(tag.pk)])
    assert (reread(atendimento).title, list(atendimento.tags.all())) == ("Entrega", [tag])
    press(client, atendimento, "close")
    assert reread(atendimento).state == S.CLOSED
    press(client, atendimento, "reopen")
    assert reread(atendimento).state == S.ASSIGNED


def test_a_failed_message_is_sent_again_once_by_who_may(client: Client, company: Company) -> None:
    client.force_login(make_supervisor(company))
    atendimento = asked(company, channel=make_channel(company, adapter="webhook"))
    writing.write_reply(atendimento.pk, make_attendant(company), scope=None, text="Oi", now=timezone.now())
    failed = Message.objects.get(text="Oi")
    Message.objects.filter(pk=failed.pk).update(
        delivery=Delivery.FAILED, next_attempt_at=None, delivery_error="HTTP 500", attempts=5
    )
    assert "HTTP 500" in client.get(page_of(atendimento)).content.decode()
    press(client, atendimento, "resend", message=str(failed.pk))
    failed.refresh_from_db()
    assert (failed.delivery, failed.attempts) == (Delivery.PENDING, 0)
    second = client.post(
        reverse("admin:helpdesk_atendimento_do", args=[atendimento.pk]),
        {"do": "resend", "message": str(failed.pk)},
        follow=True,
    )
    assert "Só uma mensagem que não foi enviada" in second.content.decode()


@pytest.mark.usefixtures("user")
def test_an_ia_draft_is_shown_with_confidence_and_sources_and_sent_once(client: Client, company: Company) -> None:
    atendimento = asked(company, "Qual o prazo?")
    draft = ReplyDraft.objects.create(
        company=company, atendimento=atendimento, attendant=make_ia(company), text="Até 5 dias.", confidence=0.82,
        sources=[{"title": "Entregas"}], answers=Message.objects.get(),
    )  # fmt: skip
    page = client.get(page_of(atendimento)).content.decode()
    assert "82%" in page
    assert "Entregas" in page
    press(client, atendimento, "draft_send", draft=str(draft.pk), text="Até 5 dias úteis.")
    assert Message.objects.get(is_inbound=False).text == "Até 5 dias úteis."
    assert press(client, atendimento, "draft_send", draft=str(draft.pk), text="outra").status_code == 409
    assert Message.objects.filter(is_inbound=False).count() == 1


@pytest.mark.usefixtures("user")
def test_the_live_part_says_nothing_new_until_there_is_something(client: Client, company: Company) -> None:
    atendimento = asked(company, "Primeira")
    live = reverse("admin:helpdesk_atendimento_live", args=[atendimento.pk])
    first = client.get(live)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(live, headers=tag).status_code == 304
    assert atendimento.contact is not None
    assert atendimento.channel is not None
    writing.receive_message(atendimento.contact, atendimento.channel, text="Segunda", now=timezone.now())
    news = client.get(live, headers=tag)
    assert news.status_code == 200
    assert "Segunda" in news.content.decode()


def test_opening_the_page_reads_for_the_holder_alone(client: Client, company: Company, user: User) -> None:
    atendimento = asked(company)
    client.get(page_of(atendimento))
    assert reread(atendimento).unread == 1
    taking.take(atendimento.pk, attendant_for(user, company), scope=None, now=timezone.now())
    client.get(page_of(atendimento))
    assert reread(atendimento).unread == 0
    assert mark_read(reread(atendimento), now=timezone.now()) == 0


def test_a_private_conversation_is_hidden_from_colleagues_everywhere(
    client: Client, company: Company, user: User
) -> None:
    atendimento = asked(company, "segredo guardado")
    Atendimento.objects.filter(pk=atendimento.pk).update(is_private=True)
    addresses = [
        page_of(atendimento),
        reverse("admin:helpdesk_atendimento_changelist"),
        reverse("admin:helpdesk_search") + "?q=segredo",
        reverse("admin:helpdesk_contact_export", args=[atendimento.contact_id]),
    ]
    for address in addresses:
        assert "segredo guardado" not in client.get(address, follow=True).content.decode()
    me = make_attendant(company, user=user)
    for granted, is_shown in ((f"x{user.email}", False), (f"x@example.com, {user.email}", True), (str(me.hash), True)):
        Atendimento.objects.filter(pk=atendimento.pk).update(access_granted=granted)
        assert ("segredo guardado" in client.get(page_of(atendimento), follow=True).content.decode()) is is_shown


@pytest.mark.usefixtures("user")
def test_the_search_lands_on_the_message_and_a_protocol_on_its_conversation(client: Client, company: Company) -> None:
    atendimento = asked(company, "A poltrona chegou com a perna torta")
    number = atendimento.last_message_number
    found = client.get(reverse("admin:helpdesk_search"), {"q": "poltrona torta"}).content.decode()
    assert f"{page_of(atendimento)}?m={number}#m{number}" in found
    landed = client.get(f"{page_of(atendimento)}?m={number}").content.decode()
    assert "message--found" in landed
    jump = client.get(reverse("admin:helpdesk_search"), {"q": atendimento.protocol})
    assert jump.headers["Location"] == page_of(atendimento)


@pytest.mark.usefixtures("user")
def test_an_export_is_escaped_and_holds_no_formula(client: Client, company: Company) -> None:
    atendimento = asked(company, '=HYPERLINK("http://x.example")<script>')
    export = reverse("admin:helpdesk_atendimento_export", args=[atendimento.pk])
    printed = client.get(export).content.decode()
    assert "&lt;script&gt;" in printed
    assert "<script>" not in printed
    sheet = client.get(export + "?formato=csv").content.decode("utf-8-sig")
    assert "\"'=HYPERLINK" in sheet
    document = client.get(export + "?formato=json").json()
    assert document[0]["protocolo"] == atendimento.protocol
    assert document[0]["mensagens"][0]["texto"].startswith("=HYPERLINK")


@pytest.mark.usefixtures("user")
def test_the_page_and_the_list_cost_the_same_whatever_there_is(
    client: Client, company: Company, django_assert_num_queries: Callable[..., Any]
) -> None:
    channel = make_channel(company)
    first = asked(company, channel=channel)
    address = reverse("admin:helpdesk_atendimento_changelist")
    client.get(address)
    with django_assert_num_queries(12):
        client.get(address)
    with django_assert_num_queries(26):
        client.get(page_of(first))
    for place in range(8):
        other = asked(company, channel=channel)
        taking.take(other.pk, make_attendant(company), scope=None, now=timezone.now())
        writing.write_reply(first.pk, make_attendant(company), scope=None, text=f"Oi {place}", now=timezone.now())
    with django_assert_num_queries(12):
        client.get(address)
    with django_assert_num_queries(26):
        client.get(page_of(first))


def test_the_switch_at_the_top_also_says_who_may_be_given_conversations(
    client: Client, company: Company, user: User
) -> None:
    me = attendant_for(user, company)
    client.post(reverse("admin:presence"), {"presence": "paused"})
    assert Attendant.objects.get(pk=me.pk).presence == "paused"
    assert me.pauses.filter(ended_at=None).count() == 1
    client.post(reverse("admin:presence"), {"presence": "available"})
    assert Attendant.objects.get(pk=me.pk).presence == "online"
    assert me.pauses.filter(ended_at=None).count() == 0
