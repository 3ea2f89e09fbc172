"""The helpdesk of a company: its settings, and a person's place in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.models import Attendant, HelpdeskSettings
from helpdesk.states import AttendantKind

if TYPE_CHECKING:
    from callcenter.accounts.models import Company, User


def helpdesk_of(company: Company) -> HelpdeskSettings:
    """The settings of the company's helpdesk; made with the defaults when they are asked for the first time."""
    settings, _made = HelpdeskSettings.objects.get_or_create(company=company)
    return settings


def attendant_for(user: User, company: Company) -> Attendant:
    """The person as an attendant of the company; made, offline and without a turn in the queue, the first time."""
    attendant, _made = Attendant.objects.get_or_create(
        company=company,
        user=user,
        defaults={
            "kind": AttendantKind.HUMAN,
            "name": (user.get_full_name() or user.email)[:120],
            "email": user.email,
            "capacity": 0,
        },
    )
    return attendant
