"""Coletar dados: only empty fields are filled, each message is read once, nobody's conversations are mixed up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.tests.factories import make_company
from helpdesk.models import Contact, Customer, Occurrence
from helpdesk.providers.base import ContactDetails, Unavailable
from helpdesk.services import closing, data_collection, writing
from helpdesk.services.data_collection import collect_contact_details
from helpdesk.simulators.assistant import AssistantServer
from helpdesk.states import OccurrenceCategory, Platform
from helpdesk.tests.factories import make_attendant, make_contact, make_settings
from helpdesk.tests.scenes import asked, reread

if TYPE_CHECKING:
    from helpdesk.models import Atendimento

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


def contact_of(atendimento: Atendimento) -> Contact:
    return Contact.objects.get(atendimentos=atendimento)


def test_empty_fields_are_filled_and_no_other() -> None:
    company = make_company()
    contact = make_contact(company, name="", city="Santos")
    atendimento = asked(company, "Oi, meu nome é Ana Lima, moro em Campinas", contact=contact, now=NOW)
    writing.receive_message_in(
        atendimento.pk, scope=None, text="da empresa Acme, ana@acme.example, 11 98765-4321", now=NOW
    )
    assert collect_contact_details([company.pk], now=NOW) == 1
    contact = contact_of(atendimento)
    assert (contact.name, contact.organisation, contact.city) == ("Ana Lima", "Acme", "Santos")
    assert (contact.email, contact.phone_e164) == ("ana@acme.example", "+5511987654321")
    (entry,) = Occurrence.objects.filter(category=OccurrenceCategory.DATA_COLLECTION)
    assert sorted(entry.detail["fields"]) == ["email", "name", "organisation", "phone_e164"]
    assert "Ana" not in f"{entry.message}{entry.detail}"


def test_each_message_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    class Reader:
        def contact_details(self, texts: list[str]) -> ContactDetails:
            read.extend(texts)
            return ContactDetails()

    monkeypatch.setattr(data_collection, "chosen_assistant", lambda **_: Reader())
    company = make_company()
    atendimento = asked(company, "um", now=NOW)
    writing.write_reply(atendimento.pk, make_attendant(company), scope=None, text="nosso", now=NOW)
    for _ in range(2):
        assert collect_contact_details(None, now=NOW) == 0
    writing.receive_message_in(atendimento.pk, scope=None, text="dois", now=NOW)
    for _ in range(2):
        collect_contact_details(None, now=NOW)
    assert read == ["um", "dois"]


def test_what_was_written_right_before_the_end_is_read_too() -> None:
    company = make_company()
    just_now, long_ago = (
        asked(company, "meu nome é Ana", contact=make_contact(company, name=""), now=NOW) for _ in range(2)
    )
    closing.close(just_now.pk, scope=None, now=NOW)
    closing.close(long_ago.pk, scope=None, now=NOW - timedelta(days=1))
    assert collect_contact_details(None, now=NOW + timedelta(minutes=1)) == 1
    assert (contact_of(just_now).name, contact_of(long_ago).name) == ("Ana", "")


def test_a_field_that_somebody_fills_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    company = make_company()
    contact = make_contact(company, name="")

    class Slow:
        def contact_details(self, _texts: list[str]) -> ContactDetails:
            Contact.objects.filter(pk=contact.pk).update(name="Dona Ana")
            return ContactDetails(name="Ana")

    monkeypatch.setattr(data_collection, "chosen_assistant", lambda **_: Slow())
    asked(company, contact=contact, now=NOW)
    assert collect_contact_details(None, now=NOW) == 0
    contact.refresh_from_db()
    assert contact.name == "Dona Ana"


@pytest.mark.parametrize("text", ["meu e-mail é ana@acme.example", "sou eu, 11 98765-4321", "whats 11 91111-2222"])
def test_who_is_known_already_is_tied_to_the_same_customer_but_stays_apart(text: str) -> None:
    company = make_company()
    customer = Customer.objects.create(company=company, name="Acme")
    known = make_contact(
        company,
        email="ana@acme.example",
        phone_e164="+5511987654321",
        customer=customer,
        address=(Platform.WHATSAPP, "+5511911112222"),
    )
    before = asked(company, contact=known, now=NOW)
    atendimento = asked(company, text, contact=make_contact(company, name="Ana"), now=NOW)
    assert collect_contact_details(None, now=NOW) == 1
    assert contact_of(atendimento).customer == customer
    assert reread(before).contact == known
    assert reread(atendimento).contact != known


def test_a_known_contact_without_a_customer_becomes_one_with_the_requester() -> None:
    company = make_company()
    known = make_contact(company, name="Ana Lima", email="ana@acme.example")
    atendimento = asked(company, "ana@acme.example", contact=make_contact(company, name=""), now=NOW)
    assert collect_contact_details(None, now=NOW) == 1
    customer = contact_of(atendimento).customer
    known.refresh_from_db()
    assert customer is not None
    assert (customer.name, known.customer) == ("Ana Lima", customer)


def test_an_address_of_two_customers_or_of_another_company_ties_to_none() -> None:
    company, other = make_company(), make_company()
    for owner in (company, company, other):
        customer = Customer.objects.create(company=owner, name="Acme")
        make_contact(owner, email="ana@acme.example", customer=customer)
    atendimento = asked(company, "ana@acme.example", now=NOW)
    foreign = asked(make_company(), "ana@acme.example", now=NOW)
    collect_contact_details(None, now=NOW)
    assert contact_of(atendimento).customer is None
    assert contact_of(foreign).customer is None


def test_an_assistant_that_fails_leaves_the_messages_for_the_next_round(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def contact_details(self, _texts: list[str]) -> ContactDetails:
            raise Unavailable

    company = make_company()
    atendimento = asked(company, "meu nome é Ana", contact=make_contact(company, name=""), now=NOW)
    monkeypatch.setattr(data_collection, "chosen_assistant", lambda **_: Broken())
    assert collect_contact_details(None, now=NOW) == 0
    monkeypatch.undo()
    assert collect_contact_details(None, now=NOW) == 1
    assert contact_of(atendimento).name == "Ana"


@pytest.mark.django_db(transaction=True)
def test_an_endpoint_reads_for_a_company_that_lets_texts_leave(settings: Any) -> None:
    company = make_company()
    make_settings(company, ia_may_leave=True)
    atendimento = asked(company, "meu nome é Ana", contact=make_contact(company, name=""), now=NOW)
    with AssistantServer() as server:
        settings.ASSISTANT_BASE_URL = server.base_url
        assert collect_contact_details(None, now=NOW) == 1
        assert len(server.asked) == 1
    # The city that the model made up stands in no message.
    assert (contact_of(atendimento).name, contact_of(atendimento).city) == ("Ana", "")
