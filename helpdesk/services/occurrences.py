"""The occurrence log: what happened, and the work that it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db.models import F, Max

from helpdesk.models import Occurrence
from helpdesk.states import OccurrenceCategory, OccurrenceStatus

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.models import Atendimento, Attendant

ATENDIMENTO_TABLE: Final = "Atendimento"
# Work that is pointless once somebody leads the conversation, or once it is over.
ALL_WORK: Final = (
    OccurrenceCategory.NO_ATTENDANT,
    OccurrenceCategory.FIRST_REPLY,
    OccurrenceCategory.AUTO_REPLY,
    OccurrenceCategory.DATA_COLLECTION,
)


def log_occurrence(
    atendimento: Atendimento,
    category: OccurrenceCategory,
    *,
    now: datetime,
    status: OccurrenceStatus = OccurrenceStatus.DONE,
    message: str = "",
    actor: Attendant | None = None,
    due_at: datetime | None = None,
    **detail: Any,
) -> Occurrence:
    """The new entry of the log. `message` and `detail` take codes and labels, never what a person typed.

    Call it with the atendimento locked: the entries of one are numbered 1, 2, 3.
    """
    last = Occurrence.objects.filter(target_id=atendimento.pk).aggregate(last=Max("sequence"))["last"] or 0
    return Occurrence.objects.create(
        company_id=atendimento.company_id,
        atendimento=atendimento,
        table=ATENDIMENTO_TABLE,
        target_id=atendimento.pk,
        target_title=atendimento.protocol,
        sequence=last + 1,
        category=category,
        status=status,
        message=(message or str(category.label))[:255],
        detail=detail,
        actor=actor,
        due_at=due_at,
        created_at=now,
        updated_at=now,
    )


def ask_for_work(
    atendimento: Atendimento, category: OccurrenceCategory, *, now: datetime, due_at: datetime | None = None
) -> Occurrence:
    """The pending occurrence of that kind: the one that is there, or a new one."""
    pending = Occurrence.objects.filter(
        atendimento=atendimento, category=category, status=OccurrenceStatus.PENDING
    ).first()
    return pending or log_occurrence(atendimento, category, now=now, status=OccurrenceStatus.PENDING, due_at=due_at)


def settle_work(
    atendimento: Atendimento, categories: Iterable[OccurrenceCategory], *, status: OccurrenceStatus, now: datetime
) -> int:
    """How many pending occurrences of these kinds this call settled."""
    return Occurrence.objects.filter(
        atendimento=atendimento, category__in=list(categories), status=OccurrenceStatus.PENDING
    ).update(status=status, updated_at=now, attempts=F("attempts") + 1)
