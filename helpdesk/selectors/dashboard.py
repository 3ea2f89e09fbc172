"""The numbers of a company's helpdesk now and today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Q

from helpdesk.models import Atendimento, Attendant, Message, Occurrence
from helpdesk.states import OPEN, AttendantKind, Presence, S

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from django.db.models.expressions import CombinedExpression


@dataclass(frozen=True)
class Dashboard:
    """Counts of atendimentos, and two lengths of time.

    `waited` = the mean from opening to the first start, of those opened today that were started. `served` = the mean
    from the first start to the end, of those closed today. None without any.
    """

    total: int
    open: int
    queued: int
    in_service: int
    waiting: int
    opened_today: int
    closed_today: int
    messages_today: int
    online: int
    waited: timedelta | None
    served: timedelta | None


def dashboard(company_id: int, *, now: datetime, zone: ZoneInfo) -> Dashboard:
    """The numbers of one company; today is the company's day. Six queries."""
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Atendimento.objects.living().filter(company_id=company_id)
    open_now = rows.filter(state__in=OPEN).aggregate(
        open=Count("pk"),
        queued=Count("pk", filter=Q(state=S.QUEUED)),
        in_service=Count("pk", filter=Q(state=S.IN_SERVICE)),
        waiting=Count("pk", filter=Q(is_waiting=True)),
    )
    born = rows.filter(created_at__gte=midnight).aggregate(
        opened_today=Count("pk"), waited=Avg(_span("started_at", "created_at"), filter=Q(started_at__isnull=False))
    )
    over = rows.filter(state=S.CLOSED, closed_at__gte=midnight).aggregate(
        closed_today=Count("pk"), served=Avg(_span("closed_at", "started_at"), filter=Q(started_at__isnull=False))
    )
    messages = Message.objects.filter(company_id=company_id, created_at__gte=midnight, atendimento__deleted_at=None)
    online = Attendant.objects.filter(
        company_id=company_id, is_active=True, presence=Presence.ONLINE, kind=AttendantKind.HUMAN
    )
    return Dashboard(
        total=rows.count(), messages_today=messages.count(), online=online.count(), **open_now, **born, **over
    )


def last_occurrences(scope: Iterable[int], *, limit: int) -> list[Occurrence]:
    """The newest entries of the log of these companies."""
    return list(Occurrence.objects.filter(company_id__in=list(scope)).order_by("-id")[:limit])


def _span(end: str, start: str) -> ExpressionWrapper[CombinedExpression]:
    return ExpressionWrapper(F(end) - F(start), output_field=DurationField())
