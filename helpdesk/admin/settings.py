"""The admin of what a company decides about its helpdesk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin
from helpdesk.admin.scoped import OfOneCompany
from helpdesk.models import HelpdeskSettings

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


class SettingsForm(OfOneCompany):
    """The settings of one company."""

    one_company = ("waiting_message", "out_of_hours_message", "no_attendant_message")

    class Meta:
        model = HelpdeskSettings
        fields: ClassVar[tuple[str, ...]] = ()


@admin.register(HelpdeskSettings)
class HelpdeskSettingsAdmin(CompanyScopedAdmin):
    """Settings, one row a company."""

    form = SettingsForm
    list_display = ("company", "waiting_minutes", "ladder_minutes", "inactivity_minutes", "ia_threshold")
    list_select_related = ("company",)
    ordering = ("company__name",)
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)
    readonly_fields = ("api_code",)
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("company", "api_code")}),
        (gettext_lazy("Protocolo"), {"fields": ("protocol_text",)}),
        (
            gettext_lazy("Enquanto espera"),
            {"fields": ("waiting_minutes", "waiting_message", "out_of_hours_message", "no_attendant_message")},
        ),
        (gettext_lazy("Sem resposta do atendente"), {"fields": ("ladder_minutes",)}),
        (
            gettext_lazy("Sem resposta do solicitante"),
            {"fields": (("inactivity_minutes", "inactivity_reminders"), "inactivity_message", "closing_message")},
        ),
        (gettext_lazy("Ligações que caem"), {"fields": (("dropped_callbacks", "dropped_seconds"),)}),
        (gettext_lazy("Mensagens agendadas"), {"fields": ("scheduled_when_closed",)}),
        (gettext_lazy("IA"), {"fields": ("ia_threshold", "ia_may_leave")}),
        (gettext_lazy("Agenda"), {"fields": ("holiday_state", ("slot_minutes", "slot_days"))}),
    )

    @admin.display(description=gettext_lazy("código na API"))
    def api_code(self, settings: HelpdeskSettings) -> str:
        """The id by which the API names the company (Empresa)."""
        return str(settings.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never: the API knows the company by this row."""
        return False
