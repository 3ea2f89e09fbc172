"""What a visitor of the site may read: their own conversation, known by its hash alone, and nothing internal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Case, Max, OuterRef, Subquery, When

from helpdesk.models import Atendimento, Attachment, Channel, Message
from helpdesk.states import OPEN, Adapter, AttendantKind, Platform, S

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection, Iterable
    from datetime import datetime

# How many messages a visitor gets at once, and a poller of the streams in one look.
BATCH: Final = 200
# In front of the id that the widget gave a message.
CLIENT_ID: Final = "chat:"
_AUTHORS: Final = {AttendantKind.HUMAN: "atendente", AttendantKind.BOT: "bot", AttendantKind.IA: "ia"}
_COLUMNS: Final = (
    "id", "number", "text", "is_inbound", "created_at", "external_id", "atendimento__hash", "attendant__kind",
    "attendant__name",
)  # fmt: skip


@dataclass(frozen=True)
class Conversation:
    """A conversation as its visitor's page knows it; `origins` = the sites on which the widget may stand."""

    id: uuid.UUID
    hash: uuid.UUID
    company_id: int
    contact_id: uuid.UUID | None
    origins: tuple[str, ...]


def site_channel(key: uuid.UUID) -> Channel | None:
    """The active site chat of that hash."""
    rows = Channel.objects.select_related("company", "automation").filter(hash=key, adapter=Adapter.SITE_CHAT)
    found: Channel | None = rows.filter(is_active=True, company__is_active=True).first()
    return found


def demo_channel() -> Channel | None:
    """The site chat that the demo page shows."""
    rows = Channel.objects.select_related("company").filter(adapter=Adapter.SITE_CHAT, is_active=True)
    found: Channel | None = rows.filter(settings__demo=True).order_by("created_at").first()
    return found


def origins_of(channel: Channel) -> tuple[str, ...]:
    """The origins that the channel names, without a slash at the end; `*` = any."""
    named = channel.settings.get("origins", []) if isinstance(channel.settings, dict) else []
    return tuple(str(origin).rstrip("/").lower() for origin in named if origin) if isinstance(named, list) else ()


def conversation(key: uuid.UUID) -> Conversation | None:
    """The conversation of the site chat with that hash; an internal id names none."""
    rows = Atendimento.objects.living().select_related("channel").filter(hash=key, platform=Platform.SITE_CHAT)
    found = rows.filter(channel__adapter=Adapter.SITE_CHAT, company__is_active=True).first()
    if found is None or found.channel is None:
        return None
    return Conversation(found.pk, found.hash, found.company_id, found.contact_id, origins_of(found.channel))


def messages_after(conversation: Conversation, number: int) -> list[dict[str, Any]]:
    """What was said in it since that number, oldest first; two queries."""
    rows = Message.objects.filter(atendimento_id=conversation.id, is_internal=False, number__gt=number)
    return _shown(rows.order_by("number").values(*_COLUMNS)[:BATCH])


def new_messages(number: int) -> list[tuple[uuid.UUID, dict[str, Any]]]:
    """What was said in any site chat since that number, with the hash of its conversation, oldest first."""
    rows = Message.objects.filter(number__gt=number, platform=Platform.SITE_CHAT, is_internal=False)
    living = rows.filter(atendimento__deleted_at=None, atendimento__channel__adapter=Adapter.SITE_CHAT)
    found = list(living.order_by("number").values(*_COLUMNS)[:BATCH])
    return list(zip([row["atendimento__hash"] for row in found], _shown(found), strict=True))


def last_number() -> int:
    """The highest number of any message; 0 before the first."""
    return int(Message.objects.aggregate(last=Max("number"))["last"] or 0)


def states_of(keys: Collection[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """How those conversations stand, for their visitors; a deleted one is missing.

    After the end `seguinte` is the hash of the one that our side has begun with the same visitor since, if any.
    """
    following = Atendimento.objects.open().filter(
        contact=OuterRef("contact"), channel=OuterRef("channel"), platform=Platform.SITE_CHAT
    )
    rows = Atendimento.objects.living().filter(hash__in=keys)
    rows = rows.annotate(following=Case(When(state=S.CLOSED, then=Subquery(following.values("hash")[:1]))))
    return {
        row["hash"]: {
            "aberto": row["state"] in OPEN,
            "atendente": row["attendant__name"] or "",
            **({"seguinte": str(row["following"])} if row["following"] else {}),
        }
        for row in rows.values("hash", "state", "attendant__name", "following")
    }


def changes_of(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """When anything of those atendimentos last changed; a deleted one is missing. One query."""
    return dict(Atendimento.objects.living().filter(pk__in=ids).values_list("pk", "updated_at"))


def attachment_in(conversation: Conversation, key: uuid.UUID) -> Attachment | None:
    """The file of that hash, if it belongs to a message that the conversation's visitor may see."""
    rows = Attachment.objects.filter(message__atendimento_id=conversation.id, message__is_internal=False)
    found: Attachment | None = rows.filter(hash=key).first()
    return found


def _shown(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Messages as a visitor's page gets them: names and texts, and no id of ours but hashes."""
    found = list(rows)
    files: dict[uuid.UUID, list[dict[str, Any]]] = {}
    for file in Attachment.objects.filter(message_id__in=[row["id"] for row in found]).order_by("created_at", "id"):
        shown = {"hash": str(file.hash), "nome": file.name, "tamanho": file.size, "url": file.url}
        files.setdefault(file.message_id, []).append(shown)
    return [
        {
            "numero": row["number"],
            "id": row["external_id"].removeprefix(CLIENT_ID) if row["is_inbound"] else "",
            "de": "visitante" if row["is_inbound"] else _AUTHORS.get(row["attendant__kind"], "sistema"),
            "autor": "" if row["is_inbound"] else row["attendant__name"] or "",
            "texto": row["text"],
            "em": row["created_at"].isoformat(timespec="milliseconds"),
            "anexos": files.get(row["id"], []),
        }
        for row in found
    ]
