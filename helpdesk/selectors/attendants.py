"""Attendants: by user, by team, and how they look beside a message."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from helpdesk.models import Attendant, TeamMember
from helpdesk.states import AttendantKind

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable


def attendants_of_user(user_id: int) -> dict[int, Attendant]:
    """The user as an attendant, by company."""
    return {attendant.company_id: attendant for attendant in Attendant.objects.filter(user_id=user_id)}


def team_names(attendant_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of each attendant's active teams, joined by commas."""
    names: dict[uuid.UUID, list[str]] = defaultdict(list)
    rows = TeamMember.objects.filter(attendant_id__in=set(attendant_ids), team__is_active=True)
    for attendant_id, name in rows.order_by("team__name").values_list("attendant_id", "team__name"):
        names[attendant_id].append(name)
    return {attendant_id: ", ".join(found) for attendant_id, found in names.items()}


def team_mates(attendant: Attendant, *, only_people: bool = False) -> list[uuid.UUID]:
    """The hashes of the active attendants who share a team with this one, in a steady order."""
    teams = TeamMember.objects.filter(attendant=attendant, team__is_active=True).values("team_id")
    mates = Attendant.objects.filter(memberships__team_id__in=teams, is_active=True).exclude(pk=attendant.pk)
    if only_people:
        mates = mates.filter(kind=AttendantKind.HUMAN)
    return list(mates.order_by("hash").values_list("hash", flat=True).distinct())
