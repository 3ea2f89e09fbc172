"""Plain makers of the helpdesk's rows for tests; each takes what matters to the test and fills in the rest."""

from __future__ import annotations

import itertools
from typing import Any

from callcenter.accounts.models import Company, User
from helpdesk.models import (
    Attendant,
    BotFlow,
    CannedMessage,
    Channel,
    Contact,
    ContactAddress,
    FlowOption,
    FlowStep,
    HelpdeskSettings,
    Team,
    TeamMember,
)
from helpdesk.states import AttendantKind, Platform, Presence

_numbers = itertools.count(1)


def make_settings(company: Company, **fields: Any) -> HelpdeskSettings:
    """The saved settings of a company's helpdesk."""
    settings, _made = HelpdeskSettings.objects.update_or_create(company=company, defaults=fields)
    return settings


def make_attendant(company: Company, name: str = "", *, user: User | None = None, **fields: Any) -> Attendant:
    """A saved person who is online and has room for five."""
    values = {"name": name or f"Atendente {next(_numbers)}", "presence": Presence.ONLINE, **fields}
    return Attendant.objects.create(company=company, user=user, **values)


def make_bot(company: Company, flow: BotFlow | None = None, **fields: Any) -> Attendant:
    """A saved bot."""
    return make_attendant(company, **{"name": "Robô", "kind": AttendantKind.BOT, "flow": flow, **fields})


def make_ia(company: Company, **fields: Any) -> Attendant:
    """A saved IA."""
    return make_attendant(company, **{"name": "Assistente", "kind": AttendantKind.IA, **fields})


def make_team(company: Company, *attendants: Attendant, name: str = "", supervisor: Attendant | None = None) -> Team:
    """A saved team of these attendants; `supervisor` belongs to it too."""
    team = Team.objects.create(company=company, name=name or f"Equipe {next(_numbers)}")
    TeamMember.objects.bulk_create(TeamMember(team=team, attendant=attendant) for attendant in attendants)
    if supervisor is not None:
        TeamMember.objects.create(team=team, attendant=supervisor, is_supervisor=True)
    return team


def make_channel(company: Company, platform: int = Platform.SITE_CHAT, **fields: Any) -> Channel:
    """A saved channel whose messages go nowhere, unless told otherwise."""
    number = next(_numbers)
    values = {"title": f"Canal {number}", "reference_code": f"canal-{number}", **fields}
    return Channel.objects.create(company=company, platform=platform, **values)


def make_contact(company: Company, name: str = "Maria Silva", **fields: Any) -> Contact:
    """A saved contact; `address=(platform, text)` gives them a way to be reached."""
    address = fields.pop("address", None)
    contact = Contact.objects.create(company=company, name=name, **fields)
    if address is not None:
        platform, text = address
        ContactAddress.objects.create(company=company, contact=contact, platform=platform, address=text)
    return contact


def make_canned(company: Company, text: str = "Olá, {primeiro_nome}!", **fields: Any) -> CannedMessage:
    """A saved canned message."""
    return CannedMessage.objects.create(company=company, text=text, **{"title": f"Padrão {next(_numbers)}", **fields})


def make_flow(company: Company, *texts: str, **fields: Any) -> BotFlow:
    """A saved flow of steps with these texts; each has one option "Seguir" to the next, the last one hands over."""
    flow = BotFlow.objects.create(company=company, **{"title": f"Fluxo {next(_numbers)}", **fields})
    steps = [
        FlowStep.objects.create(flow=flow, company=company, position=at, title=text[:40], text=text)
        for at, text in enumerate(texts or ("Olá! 1 Falar com uma pessoa",))
    ]
    for step, following in itertools.zip_longest(steps, steps[1:]):
        FlowOption.objects.create(
            step=step,
            position=1,
            label="Seguir" if following else "Falar com uma pessoa",
            action="step" if following else "handover",
            next_step=following,
        )
    flow.first_step = steps[0]
    flow.save(update_fields=["first_step"])
    return flow
