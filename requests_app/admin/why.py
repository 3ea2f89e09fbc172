"""“Por que não disca?”: how many open requests wait for what, by company, each figure leading to exactly its list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.accounts.models import Company
from callcenter.lib.admin import company_scope, may_open
from requests_app import timeline
from requests_app.selectors import waiting_counts
from requests_app.states import OPEN, Hold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from requests_app.data import LineStanding, WaitingCount

DUE: Final = "due"
# No open request is held by these.
_CLOSED: Final = {Hold.FINISHED, Hold.OUT_OF_TRIES}


@dataclass(frozen=True)
class WaitingFor:
    """One binding reason of a company's open requests, how many it binds, and the list of those."""

    text: str
    count: int
    url: str
    tone: str


@dataclass(frozen=True)
class CompanyStanding:
    """What one company's open requests wait for, the most first, and how its lines are doing."""

    company: Company
    reasons: Sequence[WaitingFor]
    lines: Sequence[LineStanding]
    total: int


class ReasonFilter(admin.SimpleListFilter):
    """What an open request waits for now: its own reason, or (being due) for a line."""

    title = gettext_lazy("aguarda")
    parameter_name = "motivo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """Being due, and every reason to wait."""
        return [
            (DUE, _("Uma linha livre")),
            *((hold.value, hold.label) for hold in Hold if hold and hold not in _CLOSED),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The open requests that the chosen reason binds."""
        chosen = self.value()
        if not chosen:
            return queryset
        is_due = Q(due_at__lte=timezone.now())
        open_ones = queryset.filter(status__in=OPEN)
        return (
            open_ones.filter(is_due)
            if chosen == DUE
            else open_ones.filter(~is_due | Q(due_at=None), hold_reason=chosen)
        )


def company_standings(request: HttpRequest) -> list[CompanyStanding]:
    """Each company that the user sees and that has open requests, by name. Twelve queries, however many requests."""
    now = timezone.now()
    counts: dict[int, list[WaitingCount]] = {}
    for found in waiting_counts(company_scope(request), now=now):
        counts.setdefault(found.company_id, []).append(found)
    companies = Company.objects.filter(pk__in=counts).order_by("name")
    lines = timeline.line_standings(counts.keys(), now=now)
    return [_standing(request, company, counts[company.pk], lines.get(company.pk, [])) for company in companies]


def why_view(request: HttpRequest, *, site: Any, opts: Any) -> HttpResponse:
    """The page."""
    context = {
        **site.each_context(request),
        "title": _("Por que não disca?"),
        "opts": opts,
        "standings": company_standings(request),
    }
    return TemplateResponse(request, "admin/requests_app/callrequest/why.html", context)


def _standing(
    request: HttpRequest, company: Company, counts: Sequence[WaitingCount], lines: Sequence[LineStanding]
) -> CompanyStanding:
    reasons = [_waiting_for(company, one, lines) for one in counts]
    shown = [line for line in lines if may_open(request, line.url)]
    return CompanyStanding(
        company, sorted(reasons, key=lambda one: -one.count), shown, sum(one.count for one in counts)
    )


def _waiting_for(company: Company, one: WaitingCount, lines: Sequence[LineStanding]) -> WaitingFor:
    query = {"company__id__exact": company.pk, "motivo": one.reason or DUE}
    url = f"{reverse('admin:requests_app_callrequest_changelist')}?{urlencode(query)}"
    if one.reason:
        hold = Hold(one.reason)
        tone = "warn" if hold in timeline.FOR_A_PERSON else ""
        return WaitingFor(str(hold.label), one.count, url, "progress" if hold == Hold.IN_FLIGHT else tone)
    # Of several lines the one that a person need do the least about speaks for all.
    best = max(lines, key=lambda line: (line.may_dial, line.rank), default=None)
    if best is None:
        return WaitingFor(_("Na hora: a empresa não tem linha de discagem"), one.count, url, "warn")
    if best.may_dial:
        return WaitingFor(_("Na hora: o discador já vai ligar"), one.count, url, "good")
    text = _("Na hora: %(reason)s") % {"reason": best.reason}
    return WaitingFor(text, one.count, url, "warn" if best.needs_person else "")
