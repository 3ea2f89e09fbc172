"""The search finds contacts, conversations and messages as people type, and only those of one's companies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from callcenter.lib.database import is_postgresql
from callcenter.tests.factories import make_company
from helpdesk.models import Atendimento, Message
from helpdesk.models.text_search import fold
from helpdesk.selectors.search import Found, highlighted, search, snippet
from helpdesk.services.writing import receive_message
from helpdesk.tests.factories import make_channel, make_contact

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db


def _said(company: Company, text: str, name: str = "Maria", **contact: str) -> Message:
    done = receive_message(make_contact(company, name, **contact), make_channel(company), text=text, now=timezone.now())
    assert done.message is not None
    return done.message


@pytest.mark.parametrize(
    ("said", "sought"),
    [
        ("Minha ligação caiu, e agora?", "ligacao"),
        ("minha ligacao caiu", "LIGAÇÃO"),
        ("Quero o bônus do cartão já", "cartao bonus"),
        ("Chegou o tênis azul-marinho", "tenis azul"),
        ("Pedido 4711-B atrasado", "4711"),
        ("entregaram errado", "entreg"),
        ("Ñandú e Ångström", "nandu angstrom"),
        ("100% de certeza_absoluta", "certeza_absoluta"),
    ],
)
def test_a_message_is_found_without_its_accents_capitals_and_endings(said: str, sought: str) -> None:
    company = make_company()
    message = _said(company, said)
    _said(company, "Outra conversa, de outro assunto")
    assert search(sought, scope=None).messages == [message]


def test_every_word_must_be_there() -> None:
    company = make_company()
    _said(company, "Boleto vencido")
    assert search("boleto vencido", scope=None).messages
    assert not search("boleto pago", scope=None)


def test_the_newest_message_comes_first_and_the_list_is_bounded() -> None:
    company = make_company()
    numbers = [_said(company, f"frete {at}").number for at in range(4)]
    assert [message.number for message in search("frete", scope=None, limit=3).messages] == numbers[:0:-1]


def test_what_is_older_than_the_newest_is_found_too_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    # As if there were more messages than are looked through first.
    monkeypatch.setattr("helpdesk.selectors.search._NEWEST", 2)
    company = make_company()
    numbers = [_said(company, f"frete {at}").number for at in range(5)]
    rare = _said(company, "agulha")
    _said(company, "bom dia")
    _said(company, "boa tarde")
    assert [message.number for message in search("frete", scope=None).messages] == numbers[::-1]
    assert [message.number for message in search("frete", scope=None, limit=1).messages] == numbers[-1:]
    assert search("agulha", scope=[company.pk]).messages == [rare]
    assert search("xilofone", scope=None).messages == []


def test_what_was_sought_is_marked_where_words_begin() -> None:
    assert highlighted("A ligação: religação já", "ligacao ja") == [
        ("A ", False), ("ligação", True), (": religação ", False), ("já", True),
    ]  # fmt: skip
    assert highlighted("Oi", "!") == [("Oi", False)]


@pytest.mark.parametrize("sought", ["joão", "JOAO SILVA", "silv", "joao@exemplo", "papelaria"])
def test_a_contact_is_found_by_a_part_of_what_is_known(sought: str) -> None:
    company = make_company()
    contact = make_contact(company, "João da Silva", email="joao@exemplo.com.br", organisation="Papelaria Ipê")
    make_contact(company, "Zélia")
    found = search(sought, scope=None).contacts
    assert (contact in found) is (sought != "joao@exemplo" or found == [contact])
    assert len(found) == 1


@pytest.mark.parametrize("sought", ["(11) 98765-4321", "011987654321", "8765-4321", "4321", "5511987654321"])
def test_a_number_finds_whose_it_is(sought: str) -> None:
    contact = make_contact(make_company(), phone_e164="+5511987654321")
    assert search(sought, scope=None).contacts == [contact]


def test_a_protocol_jumps_to_its_conversation() -> None:
    company = make_company()
    atendimento = _said(company, "Olá").atendimento
    for typed in (atendimento.protocol, f"#{atendimento.company_number}", str(atendimento.company_number)):
        assert search(typed, scope=None).atendimentos == [atendimento]


def test_another_companys_rows_and_deleted_conversations_are_not_found() -> None:
    ours, theirs = make_company(), make_company()
    message = _said(theirs, "segredo de negócio", "Segreda", phone_e164="+5521988887777")
    for typed in ("segredo", "segreda", "988887777", message.atendimento.protocol):
        assert search(typed, scope=[theirs.pk])
        assert not search(typed, scope=[ours.pk])
        assert not search(typed, scope=[])
    Atendimento.objects.update(deleted_at=timezone.now())
    assert search("segredo", scope=None).messages == []


@pytest.mark.parametrize("typed", ["", "   ", "!?", "%", "'", "\\", "\x00", "a" * 5000, "' | ''", "& | ! :*", "9" * 30])
def test_nonsense_finds_nothing_and_harms_nothing(typed: str) -> None:
    _said(make_company(), "Bom dia")
    assert not search(typed, scope=None)


def test_a_search_asks_five_queries_at_most(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    company = make_company()
    for at in range(5):
        _said(company, f"troca {at}", phone_e164=f"+551198765432{at}")
    # PostgreSQL looks at the newest messages, and at the others where those are not enough.
    more = 1 if is_postgresql() else 0
    with django_assert_num_queries(2 + more):
        found = search("troca", scope=[company.pk])
        assert [(m.atendimento.contact and m.atendimento.contact.title, m.company.name) for m in found.messages]
    with django_assert_num_queries(3 + more):
        assert search("9876", scope=None) != Found()


def test_a_snippet_shows_the_place_that_was_found() -> None:
    text = "Bom dia. " + "blá " * 60 + "o meu pedido não chegou até agora, " + "e " * 200
    shown = snippet(Message(text=text), "NAO chegou")
    assert "pedido não chegou" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= 162
    assert snippet(Message(text="Curta"), "curta") == "Curta"


def test_both_databases_fold_as_we_do() -> None:
    from django.db import connection  # noqa: PLC0415  the only question to a bare cursor

    text = "".join(chr(code) for code in range(0x20, 0x100)) + "☎漢"
    with connection.cursor() as cursor:
        cursor.execute("SELECT helpdesk_fold(%s)", [text])
        (theirs,) = cursor.fetchone()
    ours = fold(text) or ""
    if is_postgresql():
        # Where the server's locale folds fewer letters than Python, they are none of Portuguese.
        theirs = theirs.lower()
    assert theirs == ours
