"""The admin of dialer lines: address, credentials, limits, hours, and why a line dials nothing now."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from callcenter.lib.dashboard import Panel, Row
from callcenter.lib.display import badge
from callcenter.lib.errors import Conflict
from callcenter.lib.secret_forms import ACCESS_OVERRIDES, SecretsForm
from telephony.admin.channels import CHANNEL_FIELDS, ChannelColumns, channel_panels
from telephony.admin.meters import meter_context, meter_panels
from telephony.admin.safety import LineSafety
from telephony.models import DialerLine, OpeningHours
from telephony.rule_terms import Activity
from telephony.services.dac import forget_secrets
from telephony.services.lines import resume_line
from telephony.services.policy import Allowance, allowances
from telephony.services.switches import note_line_turned
from telephony.states import LineHold, MoveReason

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern
    from django.utils.safestring import SafeString

# What passes by itself; everything else asks for a person.
_PASSING: Final = {
    LineHold.CLOSED,
    LineHold.LINE_BUSY,
    LineHold.ATTENDANTS_BUSY,
    LineHold.NO_ATTENDANT,
    LineHold.PACED,
}
Weekday = OpeningHours.Weekday
# The hours in which the code of conduct of the Brazilian telecom companies lets them call consumers.
# Source: SART (Sistema de Autorregulação das Telecomunicações), Código de Conduta para Ofertas de Serviços por Telefone
DEFAULT_HOURS: Final = (
    *(
        (day, time(9), time(21))
        for day in (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)
    ),
    (Weekday.SATURDAY, time(10), time(16)),
)


class OpeningHoursForm(forms.ModelForm):  # type: ignore[type-arg]
    """One block of a day, typed as hours and minutes."""

    class Meta:
        model = OpeningHours
        fields = ("weekday", "opens_at", "closes_at")
        widgets: ClassVar[dict[str, Any]] = {
            name: forms.TimeInput(attrs={"type": "time"}, format="%H:%M") for name in ("opens_at", "closes_at")
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label

    def clean(self) -> dict[str, Any]:
        """The block, which must not end before it begins."""
        values = super().clean() or self.cleaned_data
        opens, closes = values.get("opens_at"), values.get("closes_at")
        if opens is not None and closes is not None and closes != time(0) and closes <= opens:
            self.add_error("closes_at", _("Precisa ser depois da abertura; 00:00 é o fim do dia."))
        return values


class OpeningHoursFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The blocks of one line."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Django's fields; the box that removes a block has no visible label of its own."""
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = _("Remover")


class OpeningHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    """When the line dials; a new line comes with the hours of the code of conduct."""

    model = OpeningHours
    form = OpeningHoursForm
    formset = OpeningHoursFormSet
    extra = 0

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """As many rows as a new line has blocks."""
        return len(DEFAULT_HOURS) if obj is None else 0


class DialerLineChangeList(ChangeList):
    """A page of lines, each with what it may do now."""

    def get_results(self, request: HttpRequest) -> None:
        """Read the page and ask for all of its lines at once."""
        super().get_results(request)
        found = allowances(self.result_list, now=timezone.now())
        for line in self.result_list:
            line.allowance = found[line.pk]


class DialerLineForm(SecretsForm):
    """One line; its secrets all go to the PABX."""

    sent_secrets = DialerLine.SECRET_FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "activity" in self.fields:
            of_company = _("A da empresa")
            if self.instance.pk:
                of_company = f"{of_company} ({self.instance.company.get_activity_display()})"
            activity: Any = self.fields["activity"]
            activity.choices = [("", of_company), *Activity.choices]


@admin.register(DialerLine)
class DialerLineAdmin(ChannelColumns, LineSafety):
    """Dialer lines."""

    form = DialerLineForm
    formfield_overrides = ACCESS_OVERRIDES
    list_display = (
        "name",
        "company",
        "state_now",
        "channel_now",
        "max_calls_at_once",
        "calls_per_second",
        "is_enabled",
    )
    list_filter = ("company", "is_enabled", ("suspended_reason", admin.EmptyFieldListFilter))
    list_select_related = ("company", "event_channel")
    search_fields = ("name",)
    ordering = ("company__name", "name")
    inlines = (OpeningHoursInline,)
    actions = ("resume_selected",)
    fixed_fields = ("company",)
    readonly_fields = ("state_now", "channel_now", "channel_since", "channel_heard", "channel_holder")
    change_form_template = "admin/telephony/dialerline/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        """Django's pages, and the button that lets a suspended line dial again."""
        view = self.admin_site.admin_view(require_POST(self.resume_view))
        return [path("<int:line_id>/resume/", view, name="telephony_dialerline_resume"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who, where, how much, and the PABX's own fields."""
        first = ("company", "name", "is_enabled") if obj is None else ("state_now", "company", "name", "is_enabled")
        return (
            (None, {"fields": first}),
            *(() if obj is None else ((gettext_lazy("Canal de eventos"), {"fields": CHANNEL_FIELDS}),)),
            (gettext_lazy("Acesso ao PABX"), {"fields": ("base_url", "api_key", "channel_id", "mode")}),
            (
                gettext_lazy("Dispositivo e conta"),
                {
                    "fields": (
                        ("device", "device_password"),
                        ("account", "account_password"),
                        "originator",
                        ("route", "dial_prefix"),
                    )
                },
            ),
            (gettext_lazy("Para que a linha liga"), {"fields": (("activity", "sector", "exemption"), "origin_kind")}),
            (gettext_lazy("Ritmo"), {"fields": (("max_calls_at_once", "calls_per_second"), "requires_disposition")}),
            (
                gettext_lazy("Detecção e modo preditivo"),
                {
                    "fields": (
                        ("predictive_mode", "reanswer_seconds"),
                        ("cpd", "cpd_destination_type"),
                        "telemarketing_block",
                    ),
                    "classes": ("collapse",),
                },
            ),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The lines with company and hours; their secrets are decrypted only where they are written."""
        rows = super().get_queryset(request).select_related("company", "event_channel")
        rows = rows.prefetch_related("opening_hours")
        return rows.defer("api_key", "device_password", "account_password")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Our page of lines."""
        return DialerLineChangeList

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Django's, with the usual hours filled in for a new line.

        Only where the page is shown: what is posted must differ from nothing, or it would not be stored.
        """
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "GET" and obj.pk is None:
            kwargs["initial"] = [
                {"weekday": day, "opens_at": opens, "closes_at": closes} for day, opens, closes in DEFAULT_HOURS
            ]
        return kwargs

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The line's page; a suspended one says why and offers to go on."""
        line = self.get_object(request, object_id)
        context: dict[str, Any] = {} if line is None else {**self.safety_context(request, line), **meter_context(line)}
        if line is not None and line.suspended_reason:
            context |= {
                "suspended_because": dict(MoveReason.choices).get(line.suspended_reason, line.suspended_reason),
                "may_resume": self.has_change_permission(request, line),
            }
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write the line; the passwords of its DAC devices do not follow it to another server.

        Who switched the line by the form is kept like who did it by the button.
        """
        super().save_model(request, obj, form, change)
        moved = change and urlsplit(form.initial["base_url"])[:2] != urlsplit(obj.base_url)[:2]
        if moved and forget_secrets(obj.pk):
            self.message_user(
                request, _("O endereço é de outro servidor: digite de novo as senhas dos ramais DAC."), messages.WARNING
            )
        if change and "is_enabled" in form.changed_data:
            note = _("no formulário")
            note_line_turned(obj.pk, on=obj.is_enabled, now=timezone.now(), actor=request.user, note=note)  # type: ignore[arg-type]

    def resume_view(self, request: HttpRequest, line_id: int) -> HttpResponse:
        """Let one suspended line dial again, and go back to its page."""
        if self.get_object(request, str(line_id)) is None:
            raise Http404
        if not self.has_change_permission(request):
            raise PermissionDenied
        self.run_for_each(request, self.get_queryset(request).filter(pk=line_id), do=_resume)
        return HttpResponseRedirect(reverse("admin:telephony_dialerline_change", args=[line_id]))

    def dashboard_panels(self, request: HttpRequest) -> list[Panel]:
        """Every line and what it may do now."""
        lines = list(self.get_queryset(request)[: self.list_per_page])
        found = allowances(lines, now=timezone.now())
        rows = [
            Row(
                label=line.name,
                note=line.company.name,
                url=reverse("admin:telephony_dialerline_change", args=[line.pk]),
                state=_state_text(found[line.pk]),
                tone=_tone(found[line.pk]),
            )
            for line in lines
        ]
        url = reverse("admin:telephony_dialerline_changelist")
        return [
            *meter_panels(lines),
            Panel(_("Linhas de discagem"), 4, rows=rows, url=url),
            *channel_panels(lines, url=url),
        ]

    @admin.action(description=gettext_lazy("Retomar linha suspensa"), permissions=["change"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Let the selected suspended lines dial again."""
        self.run_for_each(request, queryset, do=_resume)

    @admin.display(description=gettext_lazy("situação agora"))
    def state_now(self, line: Any) -> SafeString:
        """Whether the line may dial now, and why not."""
        found = getattr(line, "allowance", None) or allowances([line], now=timezone.now())[line.pk]
        return badge(_state_text(found), tone=_tone(found))


def _resume(line: DialerLine) -> str:
    if not resume_line(line.pk):
        raise Conflict(_("a linha não estava suspensa."))
    return _("Linha retomada.")


def _state_text(allowance: Allowance) -> str:
    return allowance.explanation or str(LineHold.NONE.label)


def _tone(allowance: Allowance) -> str:
    if not allowance.hold:
        return "good"
    return "" if allowance.hold in _PASSING else "warn"
