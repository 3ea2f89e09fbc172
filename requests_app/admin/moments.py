"""Where requests stand today, as conditions: what the front page counts is what its links list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from requests_app.states import OPEN, Hold, Status

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Moment:
    """A named condition on call requests; `tone` colours its figure."""

    label: StrPromise
    condition: Callable[[datetime], Q]
    tone: str = ""


def start_of_day(now: datetime) -> datetime:
    """The midnight before `now` in the installation's time zone."""
    return timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)


MOMENTS: Final[dict[str, Moment]] = {
    "due": Moment(_("Na hora de ligar"), lambda now: Q(due_at__lte=now, in_flight=False, status__in=OPEN), tone="new"),
    "in_flight": Moment(
        _("Chamada em curso"), lambda _now: Q(in_flight=True) & ~Q(hold_reason=Hold.IN_DOUBT), tone="progress"
    ),
    "later": Moment(_("Com horário marcado"), lambda now: Q(due_at__gt=now, status__in=OPEN)),
    "person": Moment(
        _("Precisa de uma pessoa"),
        lambda _now: Q(due_at=None, in_flight=False, status__in=OPEN) | Q(hold_reason=Hold.IN_DOUBT),
        tone="warn",
    ),
    "received_today": Moment(_("Recebido hoje"), lambda now: Q(requested_at__gte=start_of_day(now))),
    "completed_today": Moment(
        _("Concluído hoje"), lambda now: Q(status=Status.COMPLETED, completed_at__gte=start_of_day(now)), tone="good"
    ),
}


def figures(rows: QuerySet[Any], *, now: datetime) -> dict[str, int]:
    """How many of the rows are in each open status and at each moment. One query, without the old finished ones."""
    today = start_of_day(now)
    lately = rows.filter(~Q(status=Status.COMPLETED) | Q(completed_at__gte=today) | Q(requested_at__gte=today))
    conditions = {status: Q(status=status) for status in Status.values if status != Status.COMPLETED}
    conditions |= {name: moment.condition(now) for name, moment in MOMENTS.items()}
    # Prefixed: an aggregate must not bear a column's name.
    found = lately.aggregate(**{f"count_{name}": Count("pk", filter=one) for name, one in conditions.items()})
    return {name: found[f"count_{name}"] for name in conditions}
