"""Lists of atendimentos as rows of plain values: a constant number of queries, whatever their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import F, Q

from helpdesk.models import Atendimento, Contact, Tag, TeamMember
from helpdesk.querysets import access_granted_to
from helpdesk.states import S

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from helpdesk.models import Attendant

    Rows = QuerySet[Atendimento, dict[str, Any]]

# What a row of the attendant's lists needs of its neighbours, in one query.
_LIST: Final = {
    "attendant_hash": "attendant__hash",
    "attendant_name": "attendant__name",
    "attendant_image": "attendant__image_url",
    "contact_hash": "contact__hash",
    "contact_name": "contact__name",
    "contact_email": "contact__email",
    "contact_phone": "contact__phone_e164",
    "contact_whatsapp": "contact__whatsapp_e164",
    "contact_organisation": "contact__organisation",
    "contact_city": "contact__city",
    "contact_state": "contact__state",
    "contact_image": "contact__image_url",
    "contact_count": "contact__atendimento_count",
    "customer_id": "contact__customer_id",
    "channel_title": "channel__title",
    "address_platform": "address__platform",
    "address_text": "address__address",
    "text": "last_message__text",
    "message_at": "last_message__created_at",
}
_OWN: Final = (
    "id", "hash", "company_id", "number", "company_number", "created_at", "started_at", "platform", "is_internal_chat",
    "is_started", "state", "unread", "attendant_id", "contact_id", "last_message_id",
)  # fmt: skip
_PEOPLE: Final = (
    "attendant", "responsible_attendant", "responsible_team", "contact", "address", "created_by", "updated_by",
)  # fmt: skip
_REPORT: Final = {
    "attendant_hash": "attendant__hash",
    "attendant_name": "attendant__name",
    "contact_hash": "contact__hash",
    "contact_name": "contact__name",
    "contact_email": "contact__email",
    "contact_phone": "contact__phone_e164",
    "contact_whatsapp": "contact__whatsapp_e164",
    "channel_title": "channel__title",
    "person_hash": "responsible_attendant__hash",
    "person_name": "responsible_attendant__name",
    "team_hash": "responsible_team__hash",
    "team_name": "responsible_team__name",
}
_RECENT: Final = {
    "attendant_name": "attendant__name",
    "contact_name": "contact__name",
    "contact_email": "contact__email",
    "contact_phone": "contact__phone_e164",
    "contact_whatsapp": "contact__whatsapp_e164",
    "address_platform": "address__platform",
}


def open_conversations(company_id: int, *, limit: int) -> Rows:
    """The open ones of a company, the latest message first."""
    rows = Atendimento.objects.open().filter(company_id=company_id).order_by("-last_message_number", "-number")
    return _listed(rows)[:limit]


def conversations_of(contact_key: uuid.UUID, *, company_id: int, limit: int) -> Rows | None:
    """All of a contact of the company, newest first; None for an unknown contact."""
    contact = Contact.objects.filter(company_id=company_id).known_as(contact_key).first()
    if contact is None:
        return None
    return _listed(Atendimento.objects.living().filter(contact=contact).order_by("-number"))[:limit]


def recent_conversations(scope: Iterable[int], *, limit: int) -> Rows:
    """The last altered ones of these companies."""
    rows = Atendimento.objects.living().visible_to(scope).order_by("-updated_at", "-number")
    return rows.values(
        *_OWN, "updated_at", "closed_at", "attendant_at", "requester_at", "is_waiting", "channel_id", "address_id",
        **_paths(_RECENT),
    )[:limit]  # fmt: skip


def reported_conversations(company_id: int, *, viewer: Attendant | None, limit: int) -> Rows:
    """Those of a company that the viewer may see, newest first; without one all."""
    rows = Atendimento.objects.living().filter(company_id=company_id)
    if viewer is not None and not viewer.is_manager:
        rows = rows.filter(_visible_to(viewer))
    return rows.order_by("-number").values(*_OWN, "title", "closed_at", **_paths(_REPORT))[:limit]


def all_conversations(scope: Iterable[int], *, limit: int) -> list[Atendimento]:
    """Every one of these companies, newest first."""
    rows = Atendimento.objects.living().visible_to(scope).select_related("address")
    return list(rows.order_by("-number")[:limit])


def conversation(key: uuid.UUID, *, scope: Iterable[int]) -> Atendimento | None:
    """The one with this id or hash and the people whom it names; None when there is none in the scope."""
    rows = Atendimento.objects.living().visible_to(scope).select_related(*_PEOPLE)
    found: Atendimento | None = rows.known_as(key).first()
    return found


def tags_of(atendimento_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[tuple[str, uuid.UUID]]]:
    """Title and hash of each one's tags, by title."""
    found: dict[uuid.UUID, list[tuple[str, uuid.UUID]]] = {}
    rows = Tag.atendimentos.through.objects.filter(atendimento_id__in=list(atendimento_ids))
    for atendimento_id, title, key in rows.order_by("tag__title").values_list(
        "atendimento_id", "tag__title", "tag__hash"
    ):
        found.setdefault(atendimento_id, []).append((title, key))
    return found


def _listed(rows: QuerySet[Atendimento]) -> Rows:
    listed: Rows = rows.values(*_OWN, **_paths(_LIST))
    return listed


def _paths(names: dict[str, str]) -> dict[str, F]:
    return {name: F(path) for name, path in names.items()}


def _visible_to(viewer: Attendant) -> Q:
    """Their own; their teams' that are not private; and the private ones to which they were given access."""
    teams = TeamMember.objects.filter(attendant=viewer).values("team_id")
    own = Q(attendant=viewer) | Q(responsible_attendant=viewer)
    of_teams = Q(responsible_team_id__in=teams) | Q(attendant__memberships__team_id__in=teams, attendant__isnull=False)
    named = access_granted_to(viewer.hash, viewer.pk, viewer.email)
    visible = Atendimento.objects.filter(own | (of_teams & Q(is_private=False)) | (Q(is_private=True) & named))
    return Q(pk__in=visible.filter(company_id=viewer.company_id).values("pk"))


def is_closed(row: dict[str, Any]) -> bool:
    """Whether the row's atendimento is closed."""
    return bool(row["state"] == S.CLOSED)
