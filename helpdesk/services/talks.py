"""Whom a person has talked to in a conversation: told once to the apps that want to reach the same people otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from helpdesk.data import Talk
from helpdesk.models import Atendimento, Message
from helpdesk.services.phone_calls import numbers_of
from helpdesk.states import AttendantKind, Delivery

if TYPE_CHECKING:
    import uuid
    from collections.abc import Collection
    from datetime import datetime

# So many a round; the rest is a round later.
BATCH: Final = 200
_ARRIVED: Final = (Delivery.NONE, Delivery.SENT)


def untold_talks(company_ids: Collection[int]) -> list[Talk]:
    """The conversations of these companies in which somebody was talked to, and which nobody was told of yet.

    Talked to = the requester wrote, and an answer of a person was stored where the requester reads it, or arrived. An
    answer that is on its way still is waited for; one that did not arrive is none.
    Four queries for each, none where there is nothing.
    """
    untold = Atendimento.objects.living().filter(reached_at__isnull=False, company_id__in=company_ids)
    rows = untold.select_related("contact").order_by("reached_at")[:BATCH]
    return [talk for row in rows if (talk := _talk_in(row)) is not None]


def mark_told(atendimento_id: uuid.UUID, *, told_at: datetime) -> None:
    """Nothing; what was told of the conversation up to that mark is not told again. What came since is."""
    Atendimento.objects.filter(pk=atendimento_id, reached_at=told_at).update(reached_at=None)


def forget_talks(*, but: Collection[int]) -> int:
    """How many conversations of other companies than these need not be told any more: nobody wants to know."""
    untold = Atendimento.objects.filter(reached_at__isnull=False).exclude(company_id__in=but)
    # A look that locks nothing: on SQLite a transaction is the only writer, and mostly there is nothing.
    return untold.update(reached_at=None) if untold.exists() else 0


def _talk_in(row: Atendimento) -> Talk | None:
    told_at, asked_at = row.reached_at, row.requester_at
    if told_at is None:
        return None
    answers = Message.objects.filter(
        atendimento=row, is_inbound=False, is_internal=False, is_automatic=False, attendant__kind=AttendantKind.HUMAN
    )
    answer = answers.filter(delivery__in=_ARRIVED).select_related("attendant").order_by("-number").first()
    numbers = frozenset(numbers_of(row.contact)) if row.contact is not None else frozenset[str]()
    if answer is None or asked_at is None or not numbers:
        if not numbers or not answers.filter(delivery=Delivery.PENDING).exists():
            mark_told(row.pk, told_at=told_at)
        return None
    return Talk(
        atendimento_id=row.pk,
        company_id=row.company_id,
        numbers=numbers,
        since=min(asked_at, answer.delivered_at or answer.created_at),
        told_at=told_at,
        user_id=answer.attendant.user_id if answer.attendant is not None else None,
    )
