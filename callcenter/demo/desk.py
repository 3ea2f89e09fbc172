"""What makes the demo's helpdesk a desk at work: calls with their conversations, one that dropped, mail, labels, hands.

Everything goes through the real services; only a mail server's refusal, which no service can bring about, is written.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from callcenter.demo.setting import ATTENDANT_EMAIL, AURORA, CASA_VERDE, SECOND_ATTENDANT_EMAIL, Cast
from helpdesk.models import (
    Appointment,
    Atendimento,
    Attendant,
    Channel,
    Contact,
    ContactAddress,
    Customer,
    HelpdeskSettings,
    Message,
    SpecialDay,
    Tag,
    Team,
)
from helpdesk.services import booking, closing, forwarding, taking, writing
from helpdesk.services.occurrences import log_occurrence
from helpdesk.states import (
    Adapter,
    Category,
    ClosedWith,
    Delivery,
    OccurrenceCategory,
    OccurrenceStatus,
    Platform,
)
from telephony.models import CallAttempt
from telephony.services.answered import note_answered, tie_calls

if TYPE_CHECKING:
    from datetime import datetime

    from callcenter.accounts.models import Company

_PROTOCOL: Final = "Recebemos sua mensagem. O protocolo deste atendimento é {protocolo}."
_TAGS: Final = (("Entrega", "#1565c0"), ("Troca", "#ef6c00"), ("Financeiro", "#2e7d32"), ("Retorno", "#6a1b9a"))
_REFUSED: Final = "destinatário recusado"
# What the person noted of an answered call before closing it, newest call first; empty = it is being served still.
_TALKS: Final = (
    ("", "Troca"),
    ("Confirmei a entrega da luminária para sexta-feira.", "Entrega"),
    ("Enviei o boleto atualizado por e-mail.", "Financeiro"),
)


def prepare(company: Company) -> None:
    """Nothing; whoever opens a conversation from now on is told its protocol."""
    HelpdeskSettings.objects.filter(company=company).update(protocol_text=_PROTOCOL)


def furnish(cast: Cast, *, now: datetime) -> None:
    """Nothing; the desk of the first shop, whose calls and chats were played, is at work.

    Effects: a few dozen rows; call inside a transaction.
    """
    aurora, casa_verde = cast.companies[AURORA], cast.companies[CASA_VERDE]
    tags = {title: Tag.objects.create(company=aurora, title=title, colour=colour) for title, colour in _TAGS}
    _tie_calls(aurora, tags, now=now)
    mailbox = Channel.objects.create(
        company=aurora,
        platform=Platform.EMAIL,
        title="E-mail da Loja Aurora",
        reference_code="atendimento@loja-aurora.example",
        team=Team.objects.get(company=aurora, name="Atendimento"),
        adapter=Adapter.EMAIL,
    )
    _write_mail(mailbox, tags, now=now)
    _book(aurora, now=now)
    SpecialDay.objects.create(company=casa_verde, on=now.date() + timedelta(days=20), name="Inventário")


def _person(company: Company, email: str) -> Attendant:
    found: Attendant = Attendant.objects.get(company=company, email=email)
    return found


def _tie_calls(company: Company, tags: dict[str, Tag], *, now: datetime) -> None:
    """The conversations of the calls that were answered today; the latest dropped, and is called back at once."""
    Channel.objects.create(
        company=company,
        platform=Platform.PHONE,
        title="Telefone da Loja Aurora",
        reference_code=AURORA.originator,
        team=Team.objects.get(company=company, name="Atendimento"),
    )
    answered = CallAttempt.objects.filter(company=company, outcome="answered", ended_at__gt=now - timedelta(hours=12))
    for attempt in answered.order_by("ended_at"):
        ended_at = attempt.ended_at or now
        note_answered({attempt.pk: attempt.company_id}, now=ended_at)
        tie_calls(now=ended_at)
    talks = Atendimento.objects.filter(company=company, platform=Platform.PHONE).order_by("-created_at")
    dropped, *others = talks
    dropped.tags.add(tags["Retorno"])
    for atendimento, (note, tag) in zip(others, _TALKS, strict=False):
        _serve(atendimento, company, note=note)
        atendimento.tags.add(tags[tag])


def _serve(atendimento: Atendimento, company: Company, *, note: str) -> None:
    """Caio takes it, and with a note closes it."""
    person, scope = _person(company, SECOND_ATTENDANT_EMAIL), [company.pk]
    at = atendimento.created_at + timedelta(seconds=20)
    taking.start(atendimento.pk, person, scope=scope, now=at)
    if note:
        later = at + timedelta(minutes=4)
        writing.write_note(atendimento.pk, person, scope=scope, text=note, now=later)
        closing.close(atendimento.pk, scope=scope, now=later, with_=ClosedWith.PERSON, by=person)


def _write_mail(mailbox: Channel, tags: dict[str, Tag], *, now: datetime) -> None:
    """A mail that changed hands, and whose answer a mail server refused: it can be sent again."""
    company, at = mailbox.company, now - timedelta(minutes=35)
    customer = Customer.objects.create(company=company, name="Escritório Boa Vista")
    contact = Contact.objects.create(
        company=company, name="Renata Boa Vista", email="renata@boavista.example", customer=customer
    )
    address = ContactAddress.objects.create(
        company=company, contact=contact, platform=Platform.EMAIL, address=contact.email
    )
    text = "Bom dia! As duas poltronas chegaram com o tecido errado. Como faço para trocar?"
    done = writing.receive_message(contact, mailbox, text=text, now=at, address=address, title="Poltronas trocadas")
    atendimento, scope = done.atendimento, [company.pk]
    bianca, caio = _person(company, ATTENDANT_EMAIL), _person(company, SECOND_ATTENDANT_EMAIL)
    taking.take(atendimento.pk, bianca, scope=scope, now=at + timedelta(minutes=3))
    passed_at = at + timedelta(minutes=6)
    forwarding.forward(atendimento.pk, caio, scope=scope, now=passed_at, by=bianca)
    note = "Caio, você vendeu essas poltronas: confere o tecido no pedido 1002?"
    writing.write_note(atendimento.pk, bianca, scope=scope, text=note, now=passed_at)
    reply = writing.write_reply(
        atendimento.pk, caio, scope=scope, now=at + timedelta(minutes=12),
        text="Olá, Renata! Já pedi a coleta das duas. Pode me mandar uma foto da etiqueta?",
    ).message  # fmt: skip
    assert reply is not None
    failed = {"delivery": Delivery.FAILED, "next_attempt_at": None, "attempts": 1, "delivery_error": _REFUSED}
    Message.objects.filter(pk=reply.pk).update(**failed)
    atendimento.refresh_from_db()
    log_occurrence(
        atendimento, OccurrenceCategory.DELIVERY_FAILED, now=at + timedelta(minutes=13),
        status=OccurrenceStatus.ERROR, actor=caio, message_hash=str(reply.hash), error=_REFUSED, tries=1,
    )  # fmt: skip
    atendimento.tags.add(tags["Troca"])
    Atendimento.objects.filter(pk=atendimento.pk).update(category=Category.COMPLAINT)


def _book(company: Company, *, now: datetime) -> None:
    """A message for later that was cancelled, and an appointment of tomorrow."""
    caio = _person(company, SECOND_ATTENDANT_EMAIL)
    mail = Atendimento.objects.get(company=company, platform=Platform.EMAIL)
    week, scope = now + timedelta(days=7), [company.pk]
    planned = booking.schedule_message(mail.pk, caio, scope=scope, text="A coleta foi feita?", due_at=week, now=now)
    booking.cancel_one(planned, now=now)
    booking.schedule_message(
        mail.pk, caio, scope=scope, text="As poltronas novas saíram hoje.", due_at=now + timedelta(days=2), now=now
    )
    starts_at = (now + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    Appointment.objects.create(
        company=company, attendant=caio, contact=mail.contact, title="Visita para a troca", starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1), created_at=now, updated_at=now,
    )  # fmt: skip
