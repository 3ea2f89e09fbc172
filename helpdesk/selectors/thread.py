"""One conversation as its page shows it: the messages around a point, and what tells that anything changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Max, Q

from helpdesk.channels.base import reason_text
from helpdesk.models import Atendimento, Attachment, Message, ReplyDraft, ScheduledMessage, Transfer
from helpdesk.states import AttendantKind, Delivery, ScheduledState

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

# Messages on a page; older ones are a link away.
PAGE: Final = 100
_OTHERS: Final = 8


@dataclass(frozen=True)
class Line:
    """One message with its files, and which side it stands on (`theirs`, `ours`, `note` or `auto`)."""

    message: Message
    side: str
    files: Sequence[Attachment] = ()

    @property
    def author_kind(self) -> str:
        """`bot`, `ia`, or empty for people and the system."""
        kinds: dict[int, str] = {AttendantKind.BOT: "bot", AttendantKind.IA: "ia"}
        attendant = self.message.attendant
        return kinds.get(attendant.kind, "") if attendant is not None else ""

    @property
    def failure(self) -> str:
        """Why the message did not leave, in words; empty when nobody knows."""
        return reason_text(self.message.delivery_error)


@dataclass(frozen=True)
class Thread:
    """A window on the messages, oldest first; `older`, `newer` = the number from which the next window starts."""

    lines: Sequence[Line] = ()
    older: int | None = None
    newer: int | None = None

    @property
    def last_number(self) -> int:
        """The newest message's number; 0 for none."""
        return self.lines[-1].message.number if self.lines else 0


def thread_of(atendimento: Atendimento, *, around: int | None = None, before: int | None = None) -> Thread:
    """The newest messages; or those around a number, or before one. Three queries at most."""
    rows = Message.objects.filter(atendimento=atendimento).select_related("attendant")
    if around is not None:
        half = PAGE // 2
        found = list(rows.filter(number__lte=around).order_by("-number")[: half + 1])[::-1]
        found += list(rows.filter(number__gt=around).order_by("number")[: half + 1])
        has_newer = bool(found) and found[-1].number < atendimento_last(atendimento)
        return _thread(found, has_older=len([one for one in found if one.number <= around]) > half, has_newer=has_newer)
    if before is not None:
        rows = rows.filter(number__lt=before)
    found = list(rows.order_by("-number")[: PAGE + 1])[::-1]
    return _thread(found[-PAGE:], has_older=len(found) > PAGE, has_newer=before is not None)


def atendimento_last(atendimento: Atendimento) -> int:
    """The number of its newest message, notes too; 0 for none."""
    return int(Message.objects.filter(atendimento=atendimento).aggregate(last=Max("number"))["last"] or 0)


def version_of(atendimento: Atendimento) -> str:
    """A short text that changes whenever anything that the page shows of the conversation does. Three queries."""
    told = Message.objects.filter(atendimento=atendimento).aggregate(
        last=Max("number"),
        changed=Max("updated_at"),
        pending=Count("pk", filter=Q(delivery=Delivery.PENDING)),
        failed=Count("pk", filter=Q(delivery=Delivery.FAILED)),
    )
    drafts = ReplyDraft.objects.filter(atendimento=atendimento).aggregate(n=Count("pk"), changed=Max("updated_at"))
    later = ScheduledMessage.objects.filter(atendimento=atendimento).aggregate(n=Count("pk"), changed=Max("updated_at"))
    state = (atendimento.updated_at, atendimento.state, atendimento.attendant_id, atendimento.unread)
    return hashlib.sha256(repr((state, told, drafts, later)).encode()).hexdigest()[:32]


def open_draft(atendimento: Atendimento) -> ReplyDraft | None:
    """The IA's latest proposal that nobody has used or discarded."""
    rows = ReplyDraft.objects.filter(atendimento=atendimento, used_at=None, discarded_at=None)
    return rows.select_related("attendant").order_by("-created_at").first()


def pending_messages(atendimento: Atendimento) -> list[ScheduledMessage]:
    """The messages for later, the next one first."""
    rows = ScheduledMessage.objects.filter(atendimento=atendimento, state=ScheduledState.PENDING)
    return list(rows.select_related("attendant").order_by("due_at"))


def hands_of(atendimento: Atendimento) -> list[Transfer]:
    """How the conversation changed hands, oldest first."""
    names = ("from_attendant", "from_team", "to_attendant", "to_team", "by")
    return list(atendimento.transfers.select_related(*names).order_by("id"))


def others_of(atendimento: Atendimento) -> list[Atendimento]:
    """The contact's other conversations, newest first."""
    if atendimento.contact_id is None:
        return []
    rows = Atendimento.objects.living().filter(contact_id=atendimento.contact_id).exclude(pk=atendimento.pk)
    return list(rows.select_related("channel").order_by("-number")[:_OTHERS])


def spoken(atendimento_ids: Sequence[uuid.UUID]) -> list[Message]:
    """All that the requester may know of these conversations, oldest first: no notes."""
    rows = Message.objects.filter(atendimento_id__in=atendimento_ids, is_internal=False)
    names = ("attendant", "contact", "atendimento__contact", "atendimento__channel", "company")
    return list(rows.select_related(*names).prefetch_related("attachments").order_by("number"))


def _thread(messages: list[Message], *, has_older: bool, has_newer: bool) -> Thread:
    files: dict[Any, list[Attachment]] = {}
    if messages:
        for file in Attachment.objects.filter(message__in=messages).order_by("created_at", "id"):
            files.setdefault(file.message_id, []).append(file)
    lines = [Line(one, _side(one), files.get(one.pk, ())) for one in messages]
    return Thread(
        lines,
        older=messages[0].number if messages and has_older else None,
        newer=messages[-1].number if messages and has_newer else None,
    )


def _side(message: Message) -> str:
    if message.is_internal:
        return "note"
    if message.is_inbound:
        return "theirs"
    return "auto" if message.is_automatic else "ours"


def of_number(company_id: int, phone_e164: str, *, call_request_id: int) -> list[Atendimento]:
    """The conversations with whoever has the number, and those tied to the request, newest first; no private ones."""
    by_number = Q(address__address=phone_e164) | Q(phone_e164=phone_e164) if phone_e164 else Q()
    rows = Atendimento.objects.living().filter(company_id=company_id, is_private=False)
    tied = Q(call_request_id=call_request_id)
    found = rows.filter(by_number | tied if phone_e164 else tied).select_related("channel", "attendant")
    return list(found.order_by("-number")[:PAGE])
