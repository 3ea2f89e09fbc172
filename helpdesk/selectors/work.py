"""What the automations have to do: pending occurrences, and conversations whose time has come."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, F, OuterRef, Q

from helpdesk.models import Atendimento, HelpdeskSettings, Message, Occurrence, ScheduledMessage, Transfer
from helpdesk.states import HELD, OPEN, OccurrenceCategory, OccurrenceStatus, S, ScheduledState, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from helpdesk.querysets import AtendimentoQuerySet

# So much of each kind a round and company; the rest is a round later.
BATCH: Final = 500
# What was written right before the end is still read for contact data.
JUST_CLOSED: Final = timedelta(hours=1)


def companies_with_work(category: OccurrenceCategory, scope: Iterable[int] | None) -> list[int]:
    """The ids of the active companies in the scope that have pending occurrences of the kind."""
    pending = Occurrence.objects.visible_to(scope).filter(
        category=category, status=OccurrenceStatus.PENDING, company__is_active=True
    )
    return list(pending.order_by("company_id").values_list("company_id", flat=True).distinct())


def pending_work(category: OccurrenceCategory, company_id: int, *, now: datetime) -> list[Occurrence]:
    """The company's pending occurrences of the kind that are due, oldest first."""
    pending = Occurrence.objects.filter(company_id=company_id, category=category, status=OccurrenceStatus.PENDING)
    return list(pending.filter(Q(due_at=None) | Q(due_at__lte=now)).order_by("id")[:BATCH])


def being_asked(*, now: datetime) -> int:
    """How many conversations an IA is being asked about at this moment."""
    asked = Occurrence.objects.filter(
        category=OccurrenceCategory.FIRST_REPLY, status=OccurrenceStatus.PENDING, due_at__gt=now
    )
    return asked.count()


def settings_where(scope: Iterable[int] | None, *conditions: Q) -> list[HelpdeskSettings]:
    """The settings of the active companies in the scope that fulfil the conditions, with their canned messages."""
    found = HelpdeskSettings.objects.filter(*conditions, company__is_active=True)
    if scope is not None:
        found = found.filter(company_id__in=scope)
    return list(found.select_related("company", "waiting_message", "out_of_hours_message", "no_attendant_message"))


def forgotten_ids(scope: Iterable[int] | None) -> list[tuple[uuid.UUID, OccurrenceCategory]]:
    """Open atendimentos that wait in a queue or with an automation and for which no work is pending: (id, kind).

    Every write asks for its work itself; this finds what a mended database or an import left without.
    """
    pending = Occurrence.objects.filter(atendimento=OuterRef("pk"), status=OccurrenceStatus.PENDING)
    waiting = _waiting(scope)
    queued = waiting.filter(~Exists(pending.filter(category=OccurrenceCategory.NO_ATTENDANT)), state=S.QUEUED)
    unanswered = Message.objects.filter(atendimento=OuterRef("pk"), is_inbound=True, answered_at=None)
    automatic = waiting.filter(
        Exists(unanswered),
        ~Exists(pending.filter(category=OccurrenceCategory.FIRST_REPLY)),
        state=S.AUTOMATIC,
        needs_human=False,
    )
    return [
        *((pk, OccurrenceCategory.NO_ATTENDANT) for pk in queued.values_list("pk", flat=True)[:BATCH]),
        *((pk, OccurrenceCategory.FIRST_REPLY) for pk in automatic.values_list("pk", flat=True)[:BATCH]),
    ]


def without_auto_reply(company_id: int, *, until: datetime, platform: int | None = None) -> list[uuid.UUID]:
    """The ids of atendimentos whose requester has waited since that instant or longer without an automatic reply.

    The longest wait first. What an automation leads is left out: it answers by itself. `platform` = of that medium
    alone: those whom the text is not for would stay in front of the others for good.
    """
    waiting = _waiting([company_id]).filter(waiting_since__lte=until).exclude(state=S.AUTOMATIC)
    if platform is not None:
        waiting = waiting.filter(platform=platform)
    unanswered = waiting.filter(Q(auto_replied_at=None) | Q(auto_replied_at__lt=F("waiting_since")))
    return list(unanswered.order_by("waiting_since").values_list("pk", flat=True)[:BATCH])


def held_in_silence(company_id: int, *, until: datetime) -> list[uuid.UUID]:
    """The ids of atendimentos whose requester waits while a person has held them since that instant or longer.

    What a supervisor got already is at the end of the ladder.
    """
    held = _waiting([company_id]).filter(
        Q(given_at=None) | Q(given_at__lte=until),
        ~Exists(_hops(TransferReason.NO_ANSWER_SUPERVISOR)),
        state__in=HELD,
        waiting_since__lte=until,
    )
    return list(held.order_by("waiting_since").values_list("pk", flat=True)[:BATCH])


def held_by_the_gone(scope: Iterable[int] | None) -> list[uuid.UUID]:
    """The ids of atendimentos whose requester waits for somebody who does not work here any more."""
    gone = Q(attendant__is_active=False) | Q(attendant__user__is_active=False)
    return list(
        _waiting(scope).filter(gone, state__in=HELD).order_by("waiting_since").values_list("pk", flat=True)[:BATCH]
    )


def queued_after_silence(company_id: int, *, until: datetime) -> list[uuid.UUID]:
    """The ids of those that went back to a queue after silence, at that instant or before, and wait there still."""
    queued = _waiting([company_id]).filter(
        Exists(_hops(TransferReason.NO_ANSWER_QUEUE).filter(at__lte=until)), state=S.QUEUED
    )
    return list(queued.order_by("waiting_since").values_list("pk", flat=True)[:BATCH])


def requesters_in_silence(company_id: int, *, until: datetime) -> list[uuid.UUID]:
    """The ids of open atendimentos in which our side had the last word, at that instant or before.

    One for which a message is scheduled is not silent: our side will speak again.
    """
    scheduled = ScheduledMessage.objects.filter(atendimento=OuterRef("pk"), state=ScheduledState.PENDING)
    silent = Atendimento.objects.open().filter(
        ~Exists(scheduled), company_id=company_id, is_waiting=False, attendant_at__lte=until
    )
    return list(
        silent.filter(Q(reminded_at=None) | Q(reminded_at__lte=until))
        .order_by("-last_message_number")
        .values_list("pk", flat=True)[:BATCH]
    )


def due_message_ids(*, now: datetime, limit: int = BATCH) -> list[uuid.UUID]:
    """The ids of the pending messages for later whose minute has come, the earliest first."""
    due = ScheduledMessage.objects.filter(state=ScheduledState.PENDING, due_at__lte=now)
    return list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def unread_by_collection(scope: Iterable[int] | None, *, now: datetime) -> list[uuid.UUID]:
    """The ids of atendimentos, open or just closed, with messages of the requester not read for contact data yet."""
    news = Message.objects.filter(atendimento=OuterRef("pk"), number__gt=OuterRef("collected_up_to"), is_inbound=True)
    unread = (
        Atendimento.objects.living()
        .visible_to(scope)
        .filter(
            Exists(news), last_message_number__gt=F("collected_up_to"), company__is_active=True, contact__isnull=False
        )
        .order_by("number")
        .values_list("pk", flat=True)
    )
    # Two queries, because each has an index.
    just_closed = unread.filter(state=S.CLOSED, closed_at__gte=now - JUST_CLOSED)
    return [*unread.filter(state__in=OPEN)[:BATCH], *just_closed[:BATCH]]


def unanswered_messages(atendimento: Atendimento) -> list[Message]:
    """What the requester wrote since our side last spoke and no automation has dealt with; oldest first."""
    inbound = atendimento.messages.filter(is_inbound=True, answered_at=None)
    last = _spoken(atendimento).order_by("-number").values_list("number", flat=True).first()
    return list(inbound.filter(number__gt=last or 0).order_by("number"))


def has_spoken(atendimento: Atendimento) -> bool:
    """Whether our side has said anything in the conversation that was no automatic reply."""
    return _spoken(atendimento).exists()


def _spoken(atendimento: Atendimento) -> QuerySet[Message]:
    return atendimento.messages.filter(is_inbound=False, is_internal=False, is_automatic=False)


def _hops(reason: TransferReason) -> QuerySet[Transfer]:
    """The transfers of that reason in the present wait, of an outer atendimento."""
    return Transfer.objects.filter(atendimento=OuterRef("pk"), reason=reason, at__gte=OuterRef("waiting_since"))


def _waiting(scope: Iterable[int] | None) -> AtendimentoQuerySet:
    return Atendimento.objects.living().visible_to(scope).filter(is_waiting=True, company__is_active=True)
