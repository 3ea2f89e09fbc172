"""One row of every table of the helpdesk's admin, each bearing a name: what the test of scope looks for."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from helpdesk.models import (
    ApiToken,
    Appointment,
    Atendimento,
    Attendant,
    BotFlow,
    CannedMessage,
    Channel,
    Contact,
    Customer,
    FlowStep,
    HelpdeskSettings,
    KnowledgeArticle,
    Message,
    Occurrence,
    ScheduledMessage,
    SpecialDay,
    Tag,
    Team,
    WorkingHours,
)
from helpdesk.services.numbering import next_message_number
from helpdesk.services.tokens import issue_token
from helpdesk.services.writing import receive_message
from helpdesk.tests.factories import make_attendant, make_canned, make_flow, make_settings, make_team

if TYPE_CHECKING:
    from callcenter.accounts.models import Company, User

HELPDESK: Final = (
    Atendimento, Contact, Customer, Attendant, Team, Channel, BotFlow, FlowStep, CannedMessage, KnowledgeArticle,
    ScheduledMessage, Message, Tag, Occurrence, ApiToken, HelpdeskSettings, WorkingHours, SpecialDay, Appointment,
)  # fmt: skip


def helpdesk_of_world(company: Company, user: User, *, name: str) -> list[Any]:
    """The rows."""
    now = timezone.now()
    person = make_attendant(company, name, user=user)
    contact = Contact.objects.create(company=company, name=name)
    channel = Channel.objects.create(company=company, platform=1, title=name, reference_code=name)
    atendimento = receive_message(contact, channel, text=f"{name} pergunta", now=now).atendimento
    flow = make_flow(company, f"{name} diz", title=name)
    return [
        person,
        contact,
        channel,
        atendimento,
        flow,
        flow.steps.get(),
        Customer.objects.create(company=company, name=name),
        make_team(company, person, name=name),
        make_canned(company, name, title=name),
        KnowledgeArticle.objects.create(company=company, title=name, body=name),
        ScheduledMessage.objects.create(
            company=company, atendimento=atendimento, attendant=person, text=name, due_at=now + timedelta(hours=1)
        ),
        Message.objects.create(
            company=company,
            atendimento=atendimento,
            contact=contact,
            platform=1,
            number=next_message_number(),
            attendant=person,
            text=name,
            delivery="failed",
            delivery_error=name,
        ),
        Tag.objects.create(company=company, title=name),
        Occurrence.objects.filter(atendimento=atendimento).first(),
        issue_token(user, [company], name=name).token,
        make_settings(company, closing_message=name),
        WorkingHours.objects.create(company=company, weekday=0, opens_at=time(9), closes_at=time(18)),
        SpecialDay.objects.create(company=company, on=now.date(), name=name),
        Appointment.objects.create(
            company=company, attendant=person, title=name, starts_at=now, ends_at=now + timedelta(hours=1)
        ),
    ]
