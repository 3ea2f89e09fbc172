"""The admin of retry rules: when to try again, and what a rule would do to who waits now, before it is saved."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib import admin
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from callcenter.lib.admin import SharedRowsAdmin
from callcenter.lib.display import span
from requests_app.data import Origin
from requests_app.states import Source
from telephony.admin.lines import OpeningHoursForm, OpeningHoursFormSet
from telephony.models import RetryHours, RetryRule
from telephony.services.retry_simulation import apply_to_waiting, by_hour, simulated

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from telephony.services.retry_simulation import Simulation

# The preview's answer: what the rule holds for.
_CONFIRMED: Final = "_confirmed"
_FOR_WAITING: Final = "waiting"
# The minutes told one by one.
_TOLD: Final = 8


class RetryHoursForm(OpeningHoursForm):
    """One block of a day in which a next try may land."""

    class Meta(OpeningHoursForm.Meta):
        model: Any = RetryHours


class RetryHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    """The hours that a rule prefers."""

    model = RetryHours
    form = RetryHoursForm
    formset = OpeningHoursFormSet
    extra = 0


@admin.register(RetryRule)
class RetryRuleAdmin(SharedRowsAdmin):
    """Retry rules, those of a company and those for all."""

    for_all_help = gettext_lazy("Em branco: vale para todas que não têm regra própria.")
    list_display = ("outcome", "company_or_all", "max_tries", "wait", "max_per_day", "max_in_all", "hours_text")
    list_filter = ("outcome", "company")
    list_select_related = ("company",)
    ordering = ("outcome", "company__name")
    inlines = (RetryHoursInline,)
    change_form_template = "admin/telephony/retryrule/change_form.html"
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("company", "outcome")}),
        (gettext_lazy("Quantas vezes"), {"fields": (("max_tries", "max_per_day", "max_in_all"),)}),
        (
            gettext_lazy("Quanto esperar"),
            {"fields": (("wait_seconds", "growth"), ("longest_wait_seconds", "jitter_percent"))},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rules with their hours."""
        return super().get_queryset(request).prefetch_related("hours")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Django's page; what is to be saved is shown first by what it does to the requests that wait."""
        if request.method == "POST" and _CONFIRMED not in request.POST:
            preview = self._preview(request, object_id)
            if preview is not None:
                return preview
        return super().changeform_view(request, object_id, form_url, extra_context)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write the hours; where the preview was so answered, the waiting requests follow the rule at once."""
        super().save_related(request, form, formsets, change)
        if request.POST.get(_CONFIRMED) == _FOR_WAITING:
            rule = RetryRule.objects.prefetch_related("hours").get(pk=form.instance.pk)
            origin = Origin(source=Source.ADMIN, actor=request.user)  # type: ignore[arg-type]
            moved = apply_to_waiting(rule, origin=origin, now=timezone.now())
            text = ngettext("%(count)s pedido remarcado.", "%(count)s pedidos remarcados.", moved)
            self.message_user(request, text % {"count": moved})

    @admin.display(description=gettext_lazy("empresa"), ordering="company__name")
    def company_or_all(self, rule: RetryRule) -> str:
        """Whose rule it is."""
        return str(rule.company or _("Todas"))

    @admin.display(description=gettext_lazy("espera"), ordering="wait_seconds")
    def wait(self, rule: RetryRule) -> str:
        """How long to wait, as people say it."""
        if rule.growth == 1:
            return span(rule.wait_seconds)
        growing = f"{span(rule.wait_seconds)} × {rule.growth:g}"
        if rule.longest_wait_seconds is None:
            return growing
        return _("%(wait)s, até %(longest)s") % {"wait": growing, "longest": span(rule.longest_wait_seconds)}

    @admin.display(description=gettext_lazy("horários preferidos"))
    def hours_text(self, rule: RetryRule) -> str:
        """The hours in which a next try may land."""
        return "; ".join(map(str, rule.hours.all())) or _("Qualquer hora")

    def _preview(self, request: HttpRequest, object_id: str | None) -> HttpResponseBase | None:
        """The page that shows what the posted rule would do; None when there is nothing to show, or it is refused."""
        rule = None if object_id is None else self.get_object(request, object_id)
        allowed = self.has_add_permission(request) if rule is None else self.has_change_permission(request, rule)
        if not allowed or (object_id is not None and rule is None):
            return None
        form = self.get_form(request, rule, change=rule is not None)(request.POST, request.FILES, instance=rule)
        if not form.is_valid():
            return None
        draft = form.save(commit=False)
        # Whoever reads the row after this request's form must find it as it is stored.
        formsets, _inlines = self._create_formsets(request, draft, change=rule is not None)  # type: ignore[attr-defined]
        if not all(formset.is_valid() for formset in formsets):
            return None
        hours = [
            RetryHours(**{name: row[name] for name in ("weekday", "opens_at", "closes_at")})
            for formset in formsets
            for row in formset.cleaned_data
            if row and not row.get("DELETE")
        ]
        simulation = simulated(draft, hours=hours, now=timezone.now())
        if not simulation.planned and "_simulate" not in request.POST:
            return None
        return self._preview_page(request, draft, simulation)

    def _preview_page(self, request: HttpRequest, draft: RetryRule, simulation: Simulation) -> HttpResponseBase:
        zone = draft.company.zone if draft.company else timezone.get_current_timezone()
        spans = by_hour(simulation, zone=zone)
        instants = simulation.instants
        minutes = Counter(at.astimezone(zone).replace(second=0, microsecond=0) for at in instants)
        first = list(minutes.items())[:_TOLD]
        # What the preview's own buttons say is not part of the rule.
        kept = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in {"csrfmiddlewaretoken", "_simulate", _CONFIRMED}
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Simulação: %(outcome)s") % {"outcome": draft.get_outcome_display()},
            "opts": self.opts,
            "kept": kept,
            "spans": spans,
            "most": max((max(one.before, one.after) for one in spans), default=1),
            "tried_count": len(instants),
            "moved_count": len(simulation.moves),
            "first": first,
            "more": len(instants) - sum(count for _minute, count in first),
            "given_up": simulation.given_up,
            "is_cut": simulation.is_cut,
            "looked_at": len(simulation.planned),
        }
        return TemplateResponse(request, "admin/telephony/retryrule/preview.html", context)
