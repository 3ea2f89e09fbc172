"""The IA: it answers where it may, drafts where it may not, and hands over whatever it can't do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_company
from helpdesk.models import KnowledgeArticle, Message, Occurrence, ReplyDraft, Transfer
from helpdesk.providers.base import AssistantError
from helpdesk.services import ia as ia_service
from helpdesk.services import taking, writing
from helpdesk.services.first_reply import MOST_ASKED_AT_ONCE, send_automatic_replies
from helpdesk.services.ia import answer_by_ia, draft_reply
from helpdesk.simulators.assistant import AssistantServer
from helpdesk.states import OccurrenceCategory, OccurrenceStatus, S, TransferReason
from helpdesk.tests.factories import (
    make_attendant,
    make_canned,
    make_channel,
    make_contact,
    make_flow,
    make_ia,
    make_settings,
)
from helpdesk.tests.scenes import asked, reread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from helpdesk.models import Atendimento

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


def make_question(text: str, *, ia_replies: bool = True, **settings: Any) -> Atendimento:
    """A question to the IA of a company that knows about invoices and deliveries."""
    company = make_company()
    make_settings(company, **settings)
    make_canned(company, "Peça a segunda via em loja.example.com/boletos.", title="Segunda via do boleto")
    make_canned(company, "Segredo dos boletos: 42.", title="Boleto interno", ia_may_use=False)
    make_canned(company, "Boletos dos outros.", title="Boleto", platform=3)
    KnowledgeArticle.objects.create(company=company, title="Prazo de entrega", body="A entrega leva 5 dias úteis.")
    KnowledgeArticle.objects.create(company=make_company(), title="Segunda via do boleto", body="De outra empresa.")
    channel = make_channel(company, automation=make_ia(company), ia_replies=ia_replies)
    return asked(company, text, channel=channel, now=NOW)


def work_of(atendimento: Atendimento) -> list[int]:
    rows = Occurrence.objects.filter(atendimento=atendimento, category=OccurrenceCategory.FIRST_REPLY)
    return list(rows.order_by("id").values_list("status", flat=True))


def test_it_answers_with_what_the_company_wrote_and_says_how_sure_it_is_and_why() -> None:
    atendimento = make_question("Como tiro a segunda via do boleto?")
    assert send_automatic_replies([atendimento.company_id], now=NOW) == 1
    answer = Message.objects.get(atendimento=atendimento, is_inbound=False)
    assert answer.text == "Peça a segunda via em loja.example.com/boletos."
    assert answer.confidence is not None
    assert answer.confidence >= 0.5
    assert [one["title"] for one in answer.sources] == ["Segunda via do boleto"]
    atendimento = reread(atendimento)
    assert (atendimento.state, atendimento.is_waiting) == (S.AUTOMATIC, False)
    assert work_of(atendimento) == [OccurrenceStatus.DONE]
    # The next question is answered too, and nothing twice.
    writing.receive_message_in(atendimento.pk, scope=None, text="e o prazo de entrega?", now=NOW)
    for _ in range(2):
        send_automatic_replies(None, now=NOW)
    assert Message.objects.filter(atendimento=atendimento, is_inbound=False).count() == 2


def test_where_it_may_not_answer_it_leaves_a_draft_and_people_take_over() -> None:
    atendimento = make_question("segunda via do boleto", ia_replies=False)
    assert answer_by_ia(atendimento.hash, scope=[atendimento.company_id], now=NOW).has_changed
    draft = ReplyDraft.objects.get(atendimento=atendimento)
    assert (draft.text, draft.confidence) == ("Peça a segunda via em loja.example.com/boletos.", 1.0)
    assert draft.sources[0]["kind"] == "canned"
    atendimento = reread(atendimento)
    assert (atendimento.state, atendimento.needs_human, atendimento.is_waiting) == (S.QUEUED, True, True)
    assert atendimento.waiting_since == NOW
    assert not Message.objects.filter(is_inbound=False).exists()
    assert Transfer.objects.get().reason == TransferReason.IA_HANDOVER
    assert not answer_by_ia(atendimento.pk, scope=None, now=NOW).has_changed


@pytest.mark.parametrize(
    ("text", "settings"),
    [("Vocês consertam bicicletas?", {}), ("boleto de bicicleta azul usada", {"ia_threshold": 0.9}), ("Oi!", {})],
)
def test_what_it_does_not_know_well_enough_is_for_people(text: str, settings: dict[str, Any]) -> None:
    atendimento = make_question(text, **settings)
    assert send_automatic_replies(None, now=NOW) == 1
    assert reread(atendimento).state == S.QUEUED
    assert not Message.objects.filter(is_inbound=False).exists()
    assert not ReplyDraft.objects.exists()


def test_a_mere_greeting_is_greeted_with_the_first_words_of_its_flow() -> None:
    atendimento = make_question("Oi, bom dia!")
    assert atendimento.attendant is not None
    atendimento.attendant.flow = make_flow(atendimento.company, "{saudacao}! Em que posso ajudar?")
    atendimento.attendant.save(update_fields=["flow"])
    assert send_automatic_replies(None, now=NOW) == 1
    assert Message.objects.get(is_inbound=False).text == "Bom dia! Em que posso ajudar?"
    assert reread(atendimento).state == S.AUTOMATIC


def test_a_person_who_holds_it_is_not_interrupted() -> None:
    atendimento = make_question("segunda via do boleto")
    taking.take(atendimento.pk, make_attendant(atendimento.company), scope=None, now=NOW)
    assert not answer_by_ia(atendimento.pk, scope=None, now=NOW).has_changed
    assert send_automatic_replies(None, now=NOW) == 0
    assert not Message.objects.filter(is_inbound=False).exists()


def test_a_person_may_ask_for_a_draft_of_what_they_hold() -> None:
    atendimento = make_question("segunda via do boleto")
    taking.take(atendimento.pk, make_attendant(atendimento.company), scope=None, now=NOW)
    draft = draft_reply(atendimento.pk, scope=None, now=NOW)
    assert draft is not None
    assert draft_reply(atendimento.pk, scope=None, now=NOW) == draft
    assert reread(atendimento).state == S.ASSIGNED


@pytest.fixture
def endpoint(settings: Any) -> Iterator[AssistantServer]:
    with AssistantServer() as server:
        settings.ASSISTANT_BASE_URL = server.base_url
        settings.ASSISTANT_MODEL = "modelo"
        yield server


@pytest.mark.django_db(transaction=True)
def test_texts_leave_only_for_a_company_that_lets_them(endpoint: AssistantServer) -> None:
    stays = make_question("segunda via do boleto")
    leaves = make_question("segunda via do boleto", ia_may_leave=True)
    assert send_automatic_replies(None, now=NOW) == 2
    assert len(endpoint.asked) == 1
    texts = dict(Message.objects.filter(is_inbound=False).values_list("atendimento_id", "text"))
    assert texts[leaves.pk].startswith("Pelo que temos")
    assert texts[stays.pk].startswith("Peça a segunda via")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fate", ["sim-500", "sim-401", "sim-nonsense", "sim-cut"])
def test_an_endpoint_that_fails_hands_over_and_says_so(endpoint: AssistantServer, fate: str) -> None:
    atendimento = make_question(f"segunda via do boleto {fate}", ia_may_leave=True)
    assert answer_by_ia(atendimento.pk, scope=None, now=NOW).has_changed
    assert len(endpoint.asked) == 1
    atendimento = reread(atendimento)
    assert (atendimento.state, atendimento.needs_human, atendimento.is_waiting) == (S.QUEUED, True, True)
    assert OccurrenceStatus.ERROR in work_of(atendimento)


@pytest.mark.django_db(transaction=True)
def test_what_the_requester_adds_while_it_thinks_is_answered_with_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    atendimento = make_question("segunda via")
    verdict_of = ia_service._verdict

    def slow(*args: Any) -> Any:
        verdict = verdict_of(*args)
        if Message.objects.count() == 1:
            writing.receive_message_in(atendimento.pk, scope=None, text="do boleto", now=NOW)
        return verdict

    monkeypatch.setattr(ia_service, "_verdict", slow)
    assert send_automatic_replies(None, now=NOW) == 0
    assert work_of(atendimento) == [OccurrenceStatus.PENDING]
    assert send_automatic_replies(None, now=NOW) == 1
    assert Message.objects.filter(is_inbound=False).count() == 1
    assert not Message.objects.filter(is_inbound=True, answered_at=None).exists()


def test_only_so_many_are_asked_about_at_once_and_none_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_question("segunda via do boleto")
    channel = first.channel
    for _ in range(MOST_ASKED_AT_ONCE):
        asked(first.company, "boleto", contact=make_contact(first.company), channel=channel, now=NOW)
    inner: list[int] = []

    def ask(*args: Any, **kwargs: Any) -> Any:
        # Somebody else's round in the middle of this one.
        inner.append(0)
        if len(inner) <= MOST_ASKED_AT_ONCE:
            inner[-1] = send_automatic_replies(None, now=NOW)
        raise AssistantError

    monkeypatch.setattr(ia_service, "answer_by_ia", ask)
    assert send_automatic_replies(None, now=NOW) == 0
    assert len(inner) == MOST_ASKED_AT_ONCE
    # A worker that died leaves nothing locked for good.
    monkeypatch.undo()
    assert send_automatic_replies(None, now=NOW + timedelta(minutes=2)) == MOST_ASKED_AT_ONCE + 1


def test_an_ia_that_was_switched_off_hands_over() -> None:
    atendimento = make_question("Como tiro a segunda via do boleto?")
    assert atendimento.attendant is not None
    type(atendimento.attendant).objects.filter(pk=atendimento.attendant.pk).update(is_active=False)
    assert send_automatic_replies([atendimento.company_id], now=NOW) == 1
    assert (reread(atendimento).state, reread(atendimento).is_waiting) == (S.QUEUED, True)
    assert not Message.objects.filter(is_inbound=False, is_internal=False).exists()
