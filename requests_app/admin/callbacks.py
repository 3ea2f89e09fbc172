"""The admin of callbacks at an agreed time: each company's policy, who is on duty when, and what was missed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin, ReadOnlyAdmin, company_scope
from callcenter.lib.dashboard import Figure, Panel
from callcenter.lib.display import absolute, badge, instant
from requests_app.data import Origin
from requests_app.models import CallbackPolicy, MissedCallback, Shift
from requests_app.schedule import QUARTER
from requests_app.services.missed import decide_missed
from requests_app.services.slots import quarters_of_day
from requests_app.states import MissedAction, Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


@admin.register(CallbackPolicy)
class CallbackPolicyAdmin(CompanyScopedAdmin):
    """What each company wants of its callbacks."""

    empty_text = gettext_lazy("Nenhuma política: os retornos não têm vagas, e os perdidos não são vigiados.")
    list_display = ("company", "uses_slots", "missed_after_minutes", "missed_action", "reached_action")
    list_select_related = ("company",)
    fixed_fields = ("company",)
    readonly_fields = ("slots_ahead",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("company",)}),
        (gettext_lazy("Horários com vagas"), {"fields": ("uses_slots", "calls_per_attendant", "slots_ahead")}),
        (
            gettext_lazy("Retornos perdidos"),
            {"fields": ("missed_after_minutes", "missed_action", "missed_deadline_minutes", "missed_owner")},
        ),
        (gettext_lazy("Atendido por outro caminho"), {"fields": ("reached_action", "reached_postpone_minutes")}),
    )

    @admin.display(description=gettext_lazy("vagas de hoje"))
    def slots_ahead(self, policy: CallbackPolicy) -> SafeString | str:
        """The room of today's quarters of an hour, hour by hour."""
        if policy.pk is None or not policy.uses_slots:
            return "—"
        zone = policy.company.zone
        midnight = timezone.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        hours: dict[int, list[Any]] = {}
        for quarter in quarters_of_day(policy, starts_at=midnight, zone=zone):
            hours.setdefault(quarter.starts_at.hour, []).append(quarter)
        context = {"hours": hours, "minutes": [place * QUARTER.seconds // 60 for place in range(4)]}
        return render_to_string("admin/requests_app/callbackpolicy/slots.html", context)


class ShiftForm(forms.ModelForm):  # type: ignore[type-arg]
    """One shift, typed as hours and minutes."""

    class Meta:
        model = Shift
        fields = ("company", "weekday", "starts_at", "ends_at", "attendant", "headcount")
        widgets: ClassVar[dict[str, Any]] = {
            name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in ("starts_at", "ends_at")
        }


@admin.register(Shift)
class ShiftAdmin(CompanyScopedAdmin):
    """Who is on duty when."""

    form = ShiftForm
    empty_text = gettext_lazy("Nenhum plantão ainda: sem plantões os horários não têm limite de vagas.")
    list_display = ("block", "company", "who")
    list_filter = ("company", "weekday")
    list_select_related = ("company", "attendant")
    ordering = ("company__name", "weekday", "starts_at", "id")
    save_as = True
    fields: ClassVar[Any] = ("company", "weekday", ("starts_at", "ends_at"), "attendant", "headcount")

    @admin.display(description=gettext_lazy("plantão"), ordering="weekday")
    def block(self, shift: Shift) -> str:
        """The day and the hours."""
        return f"{shift.get_weekday_display()} {shift.starts_at:%H:%M}–{shift.ends_at:%H:%M}"

    @admin.display(description=gettext_lazy("quem"))
    def who(self, shift: Shift) -> str:
        """The attendant, or how many people."""
        return str(shift.attendant or _("%(count)s pessoas") % {"count": shift.headcount})


class StandingFilter(admin.SimpleListFilter):
    """Whether somebody still has to see to it."""

    title = gettext_lazy("situação")
    parameter_name = "situacao"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        """Open, overdue, mine, resolved."""
        return [
            ("abertos", _("A resolver")),
            ("vencidos", _("Prazo vencido")),
            ("meus", _("Comigo, a resolver")),
            ("resolvidos", _("Resolvidos")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones."""
        is_open = Q(resolved_at=None)
        conditions = {
            "abertos": is_open,
            "vencidos": is_open & Q(deadline_at__lt=timezone.now()),
            "meus": is_open & Q(owner=request.user.pk),
            "resolvidos": ~is_open,
        }
        condition = conditions.get(self.value() or "")
        return queryset if condition is None else queryset.filter(condition)


@admin.register(MissedCallback)
class MissedCallbackAdmin(ReadOnlyAdmin):
    """The queue of missed callbacks; the most pressing first."""

    empty_text = gettext_lazy("Nenhum retorno perdido.")
    list_display = ("person", "company", "wanted", "deadline", "owner", "action", "standing")
    list_display_links = None
    list_filter = (StandingFilter, "company", "action", "resolution")
    list_select_related = ("call_request", "company", "owner")
    search_fields = ("call_request__name",)
    actions = ("retry_selected", "next_day_selected", "take_selected", "close_selected")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Whether the user may decide what becomes of a request."""
        return bool(request.user.has_perm("requests_app.change_callrequest"))

    def has_dial_permission(self, request: HttpRequest) -> bool:
        """Whether the user may have requests dialed at once."""
        return bool(request.user.has_perm("requests_app.dial_callrequest"))

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """How many are still to be seen to, if any. One query."""
        count = self.get_queryset(request).filter(resolved_at=None).count()
        url = f"{reverse('admin:requests_app_missedcallback_changelist')}?situacao=abertos"
        return [Panel(_("Agora"), 1, [Figure(_("Retornos perdidos"), count, url, "bad")])] if count else []

    @admin.action(description=gettext_lazy("Ligar agora"), permissions=["dial"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Have the selected ones dialed at once."""
        self._decide(request, queryset, MissedAction.RETRY_NOW)

    @admin.action(description=gettext_lazy("Marcar para o dia seguinte"), permissions=["decide"])
    def next_day_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Put the selected ones off to the next day."""
        self._decide(request, queryset, MissedAction.NEXT_DAY)

    @admin.action(description=gettext_lazy("Assumir"), permissions=["decide"])
    def take_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Make the requests the user's own."""
        self._decide(request, queryset, MissedAction.REASSIGN)

    @admin.action(description=gettext_lazy("Encerrar sem resposta"), permissions=["decide"])
    def close_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Close the requests."""
        self._decide(request, queryset, MissedAction.CLOSE)

    @admin.display(description=gettext_lazy("cliente"), ordering="call_request__name")
    def person(self, missed: MissedCallback) -> SafeString:
        """Whose callback it is, leading to the request."""
        url = reverse("admin:requests_app_callrequest_change", args=[missed.call_request_id])
        row = missed.call_request
        return format_html(
            '<a class="person" href="{}">{}</a> <span class="quiet">#{} {}</span>',
            url,
            row.name or row.email or _("Sem nome"),
            row.pk,
            row.phone_display,
        )

    @admin.display(description=gettext_lazy("horário pedido"), ordering="wanted_at")
    def wanted(self, missed: MissedCallback) -> str:
        """When the call was wanted."""
        return absolute(missed.wanted_at)

    @admin.display(description=gettext_lazy("prazo"), ordering="deadline_at")
    def deadline(self, missed: MissedCallback) -> SafeString | str:
        """Until when it has to be seen to."""
        return instant(missed.deadline_at, now=timezone.now())

    @admin.display(description=gettext_lazy("situação"), ordering="resolved_at")
    def standing(self, missed: MissedCallback) -> SafeString:
        """Whether it is open, overdue, or how it ended."""
        if missed.resolved_at is not None:
            return badge(missed.get_resolution_display(), tone="good" if missed.resolution == "called" else "")
        if missed.deadline_at < timezone.now():
            return badge(_("Prazo vencido"), tone="bad")
        return badge(_("A resolver"), tone="warn")

    def _decide(self, request: HttpRequest, queryset: QuerySet[Any], action: MissedAction) -> None:
        self.run_for_each(request, queryset, do=partial(_decided, request, action))


def _decided(request: HttpRequest, action: MissedAction, row: MissedCallback) -> str:
    origin = Origin(source=Source.ADMIN, actor=request.user)  # type: ignore[arg-type]
    decide_missed(row.pk, action=action, scope=company_scope(request), origin=origin, now=timezone.now())
    return str(action.label)
