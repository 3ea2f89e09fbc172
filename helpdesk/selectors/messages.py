"""Lists of messages as rows of plain values: a constant number of queries, whatever their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import F, Max, Q

from helpdesk.models import Atendimento, Attachment, Message
from helpdesk.states import OPEN, Platform

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable

    from django.db.models import QuerySet

    Rows = QuerySet[Message, dict[str, Any]]

# How many a reader who goes on by number gets at once.
BATCH: Final = 500
_OWN: Final = (
    "id", "hash", "company_id", "number", "created_at", "text", "is_inbound", "is_automatic", "atendimento_id",
    "contact_id",
)  # fmt: skip
_PATHS: Final = {
    "atendimento_hash": "atendimento__hash",
    "author_hash": "attendant__hash",
    "author_name": "attendant__name",
    "author_image": "attendant__image_url",
    "author_kind": "attendant__kind",
    "contact_hash": "contact__hash",
    "contact_name": "contact__name",
    "contact_email": "contact__email",
    "contact_phone": "contact__phone_e164",
    "contact_whatsapp": "contact__whatsapp_e164",
}
# Of the atendimento in which it was written.
_ORIGINAL: Final = {
    "original_state": "atendimento__state",
    "original_started_at": "atendimento__started_at",
    "original_closed_at": "atendimento__closed_at",
    "original_attendant": "atendimento__attendant__name",
    "company_number": "atendimento__company_number",
}
_OPEN_ONE: Final = ("id", "hash", "contact_id", "number", "company_number", "attendant_id")


def thread(atendimento: Atendimento, *, with_notes: bool, limit: int) -> Rows:
    """The messages of one atendimento, oldest first."""
    rows: QuerySet[Message] = Message.objects.filter(atendimento=atendimento)
    if not with_notes:
        rows = rows.filter(is_internal=False)
    shown: Rows = rows.order_by("number").values(*_OWN, **_paths(_PATHS))
    return shown[:limit]


def site_chat_messages(scope: Iterable[int], *, window: tuple[int, int | None]) -> Rows:
    """The messages of the companies' site chats with a number in the window, ascending; no notes."""
    chats = Message.objects.visible_to(scope).filter(platform=Platform.SITE_CHAT, is_internal=False)
    rows = _in_window(chats.filter(atendimento__deleted_at=None), window)
    shown: Rows = rows.order_by("number").values(*_OWN, **_paths(_PATHS))
    return shown[:BATCH]


def open_ones_of(rows: Iterable[dict[str, Any]], *, company_id: int) -> QuerySet[Atendimento, dict[str, Any]]:
    """The open atendimentos, with their holders, under which these messages of a company stand; the oldest first."""
    holder = {name: F(f"attendant__{path}") for name, path in (("name", "name"), ("image", "image_url"))}
    listed = list(rows)
    named = Q(pk__in={row["atendimento_id"] for row in listed}) | Q(contact__in={row["contact_id"] for row in listed})
    found = Atendimento.objects.open().filter(named, company_id=company_id).order_by("number")
    return found.values(*_OPEN_ONE, **{f"holder_{name}": path for name, path in holder.items()})


def messages_of_open_ones(company_id: int, *, window: tuple[int, int | None]) -> list[dict[str, Any]]:
    """What was written in the open atendimentos and, earlier, with their contacts; by number.

    Two queries, and two more where an open one has no contact.
    """
    open_now = Atendimento.objects.open().filter(company_id=company_id)
    parts = [Message.objects.filter(contact_id__in=open_now.filter(contact__isnull=False).values("contact_id"))]
    if nobodys := list(open_now.filter(contact=None).values_list("pk", flat=True)):
        # Apart: with an OR the database would walk all messages. But then what comes between the two queries would be
        # in the second alone, and a reader who goes on from its number would skip what the first had not seen yet.
        parts.append(Message.objects.filter(atendimento_id__in=nobodys))
        window = (window[0], _until_now(window[1]))
    found: list[dict[str, Any]] = []
    for rows in parts:
        theirs = _in_window(rows.filter(company_id=company_id, atendimento__deleted_at=None), window)
        # By a sum, so that the database gathers the few contacts' messages and does not walk all by number.
        ordered = theirs.order_by(F("number") + 0)
        found.extend(ordered.values(*_OWN, **_paths(_PATHS), **_paths(_ORIGINAL))[:BATCH])
    return sorted(found, key=lambda row: int(row["number"]))[:BATCH]


def _until_now(last: int | None) -> int:
    newest = int(Message.objects.aggregate(last=Max("number"))["last"] or 0)
    return newest if last is None else min(last, newest)


def last_messages(company_id: int, *, limit: int) -> Rows:
    """The latest message of each open atendimento, newest first."""
    rows = Message.objects.filter(
        pk__in=Atendimento.objects.open().filter(company_id=company_id).values("last_message_id")
    )
    return rows.order_by("-number").values(
        *_OWN,
        "platform",
        **_paths(_PATHS),
        **_paths(_ORIGINAL),
        channel_title=F("atendimento__channel__title"),
        is_waiting=F("atendimento__is_waiting"),
        holder_id=F("atendimento__attendant_id"),
        holder_name=F("atendimento__attendant__name"),
        holder_image=F("atendimento__attendant__image_url"),
    )[:limit]


def first_attachments(message_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Attachment]:
    """The first file of each message that has one."""
    found: dict[uuid.UUID, Attachment] = {}
    for attachment in Attachment.objects.filter(message_id__in=list(message_ids)).order_by("created_at", "id"):
        found.setdefault(attachment.message_id, attachment)
    return found


def is_over(row: dict[str, Any]) -> bool:
    """Whether the atendimento in which the row was written is closed."""
    return row["original_state"] not in OPEN


def _in_window(rows: QuerySet[Message], window: tuple[int, int | None]) -> QuerySet[Message]:
    """Those with a number between the two, both included; no upper end = None.

    The one place that says what Inicio and Termino mean: a window over the message's running number.
    """
    first, last = window
    rows = rows.filter(number__gte=first)
    return rows if last is None else rows.filter(number__lte=last)


def _paths(names: dict[str, str]) -> dict[str, F]:
    return {name: F(path) for name, path in names.items()}
