"""The installation's LANGUAGE_CODE decides what the admin speaks, and it speaks only that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.accounts.services import issue_api_key
from callcenter.tests.catalogue import PO, translations
from callcenter.tests.factories import make_company, make_line, make_user, make_webhook_endpoint
from callcenter.tests.shown_text import shown_texts
from telephony.models import CallingRule, EventName, FieldAlias, StatusAlias
from telephony.services import moves
from telephony.services.calling_rules import store_rule
from telephony.states import Meaning, MoveReason
from telephony.tests.scenes import claim, deliver, make_callcenter, make_due, placed_call, send

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

# Django's own words too: a page is English as a whole.
PORTUGUESE: Final = re.compile(
    r"\b(não|pedidos?|situação|salvar|pesquisar|pesquise|adicionar|selecione|sim|empresas?|ligaç\w+|chamadas?|telefone"
    r"|tentativas?|linhas?|você|hoje|ontem|todos|todas|nenhum|nenhuma|filtrar|ação|início|senha|responsável|há|em|de|para)\b",
    re.IGNORECASE,
)
# Of vendors, lists and places, that have no other name; and the fields of a message, which are typed as they are.
NAMES: Final = re.compile(r"\{\w+\}|Dígitro|Directcall|Não Me Ligue|Não Me Perturbe|Rio de Janeiro")


@pytest.fixture
def administrator(client: Client) -> User:
    """Someone who sees everything, in a call centre in which something of each kind has happened."""
    person = make_user(is_superuser=True, email="root@example.com", first_name="Grace")
    line = make_callcenter(name="Front")
    type(line.company).objects.update(name="Acme")
    # The carrier's words are data, of all languages; one that is of none stands for them.
    StatusAlias.objects.all().delete()
    StatusAlias.objects.create(word="answ", meaning=Meaning.ANSWERED)
    # So are the PABX's words, and the laws of Brazil.
    EventName.objects.filter(detail="HUMANO").delete()
    CallingRule.objects.all().delete()
    store_rule(CallingRule(code="house", name="House limit", daily_cap=9), actor=person)
    for call in (placed_call(line), placed_call(line)):
        deliver("answ", callerid=call.provider_call_id, destino=call.phone_e164)
    deliver("?", destino="1")
    FieldAlias.objects.exclude(name="callerid").delete()
    make_due(line.company, name="Ann")
    doubt = send(claim(line)[0])
    moves.doubt(doubt, reason=MoveReason.AMBIGUOUS, now=timezone.now())
    make_due(line.company, phone="+7 999 111-22-33")
    make_line(make_company("Umbrella"), name="Rear", is_enabled=False)
    issue_api_key(person, name="ERP key")
    make_webhook_endpoint(line.company, name="ERP")
    client.force_login(person)
    return person


def pages(client: Client) -> dict[str, set[str]]:
    """The shown texts of every kind of page in the admin, by address; those that nobody may open are left out."""
    names = ["index", "password_change", "login"]
    addresses = [reverse(f"admin:{name}") for name in names]
    for model, model_admin in admin.site._registry.items():
        kind = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses += [reverse(f"{kind}_changelist"), reverse(f"{kind}_add")]
        for row in model_admin.model._default_manager.order_by("pk")[:3]:
            addresses += [reverse(f"{kind}_{page}", args=[row.pk]) for page in ("change", "history", "delete")]
    answers = [(address, client.get(address)) for address in addresses]
    opened = {address: shown_texts(answer.content.decode()) for address, answer in answers if answer.status_code == 200}
    assert len(opened) > 2 * len(admin.site._registry)
    return opened


@pytest.mark.usefixtures("administrator")
def test_an_english_installation_shows_no_portuguese(client: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"
    seen = pages(client)
    ours = {marked.text.lower() for marked, strings in translations(PO).items() if marked.text not in strings}
    found = {
        f"{address}: {text}"
        for address, texts in seen.items()
        for text in texts
        if text.rstrip(":").lower() in ours or PORTUGUESE.search(NAMES.sub("", text))
    }
    assert not found, "\n".join(sorted(found))


@pytest.mark.usefixtures("administrator")
def test_a_brazilian_installation_shows_no_english_of_ours(client: Client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "pt-br"
    seen = pages(client)
    known = translations(PO)
    portuguese = {text.lower() for marked in known for text in (marked.text, marked.plural)}
    # Tocantins, and Django's word for a day, are spelled like English words; its magnifying glass speaks nothing else.
    alike = {"to", "data", "search"}
    english = {string.lower() for strings in known.values() for string in strings} - portuguese - alike
    found = {
        f"{address}: {text}" for address, texts in seen.items() for text in texts if text.rstrip(":").lower() in english
    }
    assert not found, "\n".join(sorted(found))
