"""Who may be given a conversation now, and who answers for what nobody answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from helpdesk.models import Atendimento, Attendant, AttendantPause, TeamMember
from helpdesk.states import AttendantKind, Presence

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Iterable

    from helpdesk.selectors.calendars import CompanyCalendars

_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Available:
    """A person who is there, and how many open atendimentos they hold; `team_ids` = of active teams."""

    attendant: Attendant
    load: int
    team_ids: frozenset[uuid.UUID]

    @property
    def has_room(self) -> bool:
        """Whether the person is below their limit."""
        return self.load < self.attendant.capacity


def people_there(company_id: int, *, now: datetime, calendars: CompanyCalendars) -> list[Available]:
    """The company's people who are on-line, not in a pause and within their hours, the next in turn first.

    In turn: the fewest open atendimentos, then the longest without a new one, then the hash. Two queries.
    """
    loads = {person: load for person, load in _loads(company_id) if calendars.of(person.pk).is_open(now)}
    teams: dict[uuid.UUID, set[uuid.UUID]] = {person.pk: set() for person in loads}
    members = TeamMember.objects.filter(attendant__in=list(loads), team__is_active=True)
    for attendant_id, team_id in members.values_list("attendant_id", "team_id"):
        teams[attendant_id].add(team_id)
    there = [Available(person, load, frozenset(teams[person.pk])) for person, load in loads.items()]
    return sorted(there, key=lambda one: (one.load, one.attendant.last_received_at or _NEVER, one.attendant.hash))


def in_turn(
    there: Iterable[Available], team_id: uuid.UUID | None, *, without: Collection[uuid.UUID] = ()
) -> Available | None:
    """Whose turn it is: of the team, or of the whole company for none; somebody with room who is not left out."""
    return next(
        (
            one
            for one in there
            if one.has_room and one.attendant.pk not in without and (team_id is None or team_id in one.team_ids)
        ),
        None,
    )


def queue_team_id(atendimento: Atendimento) -> uuid.UUID | None:
    """The team whose queue the atendimento is in or came from; None = the company's. At most one query.

    A team that is not active or has no people hands its queue to the company.
    """
    team_id = atendimento.responsible_team_id
    if team_id is None:
        transfers = atendimento.transfers.order_by("-id").values_list("to_team_id", "from_team_id")
        team_id = next((one or other for one, other in transfers if one or other), None)
    if team_id is None and atendimento.channel is not None:
        team_id = atendimento.channel.team_id
    return team_id if team_id is not None and _has_people(team_id) else None


def supervisors(company_id: int, team_id: uuid.UUID | None) -> list[uuid.UUID]:
    """The ids of the team's supervisors, or, where it has none, of the company's managers."""
    people = Attendant.objects.filter(company_id=company_id, is_active=True, kind=AttendantKind.HUMAN)
    if team_id is not None:
        ids = people.filter(memberships__team_id=team_id, memberships__is_supervisor=True).values_list("pk", flat=True)
        if found := list(ids):
            return found
    return list(people.filter(is_manager=True).values_list("pk", flat=True))


def _loads(company_id: int) -> list[tuple[Attendant, int]]:
    """The company's people who are on-line and in no pause, each with how many open atendimentos they hold."""
    held = Atendimento.objects.open().filter(attendant=OuterRef("pk")).order_by().values("attendant")
    pauses = AttendantPause.objects.filter(attendant=OuterRef("pk"), ended_at=None)
    on_line = Attendant.objects.filter(
        Q(user=None) | Q(user__is_active=True),
        ~Exists(pauses),
        company_id=company_id,
        company__is_active=True,
        is_active=True,
        kind=AttendantKind.HUMAN,
        presence=Presence.ONLINE,
    )
    counted = on_line.annotate(load=Coalesce(Subquery(held.annotate(count=Count("pk")).values("count")), 0))
    return [(person, person.load) for person in counted]


def _has_people(team_id: uuid.UUID) -> bool:
    return TeamMember.objects.filter(
        team_id=team_id, team__is_active=True, attendant__is_active=True, attendant__kind=AttendantKind.HUMAN
    ).exists()
