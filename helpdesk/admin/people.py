"""The admin of attendants, their presence, pauses and hours, and of the teams they share a queue in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin, ReadOnlyInline, visible_rows
from callcenter.lib.display import badge
from callcenter.lib.secret_forms import ACCESS_OVERRIDES
from helpdesk.admin.scoped import OfOneCompany
from helpdesk.models import Attendant, AttendantPause, BotFlow, Team, TeamMember, WorkingHours
from helpdesk.services.presence import LONGEST_REASON, change_presence
from helpdesk.states import OPEN, AttendantKind, Presence

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString

_TONES = {Presence.ONLINE: "good", Presence.PAUSED: "warn", Presence.OFFLINE: ""}


class AttendantForm(OfOneCompany):
    """One attendant; a pause needs its reason."""

    one_company = ("flow",)
    pause_reason = forms.CharField(
        label=gettext_lazy("Motivo da pausa"), max_length=LONGEST_REASON, required=False, strip=True
    )

    class Meta:
        model = Attendant
        fields: ClassVar[tuple[str, ...]] = ()

    def clean(self) -> dict[str, Any]:
        """The values: only people log in and have a presence, only automations follow a flow."""
        values: dict[str, Any] = super().clean()
        is_human = values.get("kind", self.instance.kind) == AttendantKind.HUMAN
        if not is_human and values.get("user"):
            self.add_error("user", _("Só uma pessoa entra no painel."))
        is_new_pause = values.get("presence") == Presence.PAUSED and "presence" in self.changed_data
        if is_human and is_new_pause and not values.get("pause_reason"):
            self.add_error("pause_reason", _("Diga o motivo da pausa."))
        user, company = values.get("user"), values.get("company") or self.instance.company_id and self.instance.company
        others = Attendant.objects.filter(user=user, company=company).exclude(pk=self.instance.pk)
        if user and company and others.exists():
            self.add_error("user", _("Esta pessoa já é atendente desta empresa."))
        return values


class PauseInline(ReadOnlyInline):
    """The latest pauses."""

    model = AttendantPause
    fields = ("reason", "started_at", "ended_at")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the attendant."""
        return bool(request.user.has_perm("helpdesk.change_attendant"))


class HoursInline(admin.TabularInline):  # type: ignore[type-arg]
    """The attendant's own hours; without any, the company's hold."""

    model = WorkingHours
    fields = ("weekday", "opens_at", "closes_at")
    extra = 0


@admin.register(Attendant)
class AttendantAdmin(CompanyScopedAdmin):
    """Attendants."""

    form = AttendantForm
    formfield_overrides = ACCESS_OVERRIDES
    list_display = ("name", "company", "kind", "presence_badge", "load", "capacity", "team_names", "is_active")
    list_filter = ("company", "kind", "presence", "is_active", "teams")
    list_select_related = ("company",)
    search_fields = ("name", "email")
    ordering = ("name",)
    fixed_fields: ClassVar[tuple[str, ...]] = ("company", "kind")
    inlines = (HoursInline, PauseInline)
    actions = ("set_online", "set_offline")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("company", "kind", "name", "email", "user", "flow", "image_url")}),
        (gettext_lazy("Trabalho"), {"fields": (("presence", "pause_reason"), "capacity", "is_manager", "is_active")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The attendants with how many open conversations each holds."""
        rows = super().get_queryset(request).prefetch_related("teams")
        held = Q(atendimentos__state__in=OPEN, atendimentos__deleted_at=None)
        counted: QuerySet[Any] = rows.annotate(open_count=Count("atendimentos", filter=held, distinct=True))
        return counted

    def get_field_queryset(self, db: Any, db_field: Any, request: HttpRequest) -> Any:
        """The rows that a foreign-key field offers; people and flows of the user's companies only."""
        if db_field.name == "flow":
            return visible_rows(self.admin_site, BotFlow, request)
        return super().get_field_queryset(db, db_field, request)

    def save_model(self, request: HttpRequest, obj: Attendant, form: Any, change: bool) -> None:
        """Write what was changed; the presence goes through its service, which keeps the pauses."""
        wanted, reason = obj.presence, form.cleaned_data.get("pause_reason", "")
        obj.presence = form.initial.get("presence") or Presence.OFFLINE
        form.changed_data = [name for name in form.changed_data if name not in {"presence", "pause_reason"}]
        super().save_model(request, obj, form, change)
        if obj.is_human and (wanted != obj.presence or reason):
            change_presence(obj, presence=wanted, reason=reason, now=timezone.now())

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write the hours, which are the attendant's company's."""
        for row in formset.save(commit=False):
            row.company_id = form.instance.company_id
            row.save()
        for row in formset.deleted_objects:
            row.delete()

    @admin.display(description=gettext_lazy("presença"), ordering="presence")
    def presence_badge(self, attendant: Attendant) -> SafeString | str:
        """The presence in its colour; a dash for automations, which are always there."""
        if not attendant.is_human:
            return "—"
        return badge(str(attendant.get_presence_display()), tone=_TONES[Presence(attendant.presence)])

    @admin.display(description=gettext_lazy("em aberto"), ordering="open_count")
    def load(self, attendant: Any) -> int:
        """How many open conversations they hold."""
        return int(attendant.open_count)

    @admin.display(description=gettext_lazy("equipes"))
    def team_names(self, attendant: Attendant) -> str:
        """The teams."""
        return ", ".join(team.name for team in attendant.teams.all()) or "—"

    @admin.action(description=gettext_lazy("Pôr on-line"), permissions=["change"])
    def set_online(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Let these be given conversations."""
        self._set(request, queryset, Presence.ONLINE)

    @admin.action(description=gettext_lazy("Pôr fora"), permissions=["change"])
    def set_offline(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Let these be given no conversations."""
        self._set(request, queryset, Presence.OFFLINE)

    def _set(self, request: HttpRequest, queryset: QuerySet[Any], presence: Presence) -> None:
        def change(attendant: Attendant) -> str:
            change_presence(attendant, presence=presence, now=timezone.now())
            return str(presence.label)

        self.run_for_each(request, queryset, do=change)


class MemberInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who belongs to the team."""

    model = TeamMember
    fields = ("attendant", "is_supervisor")
    autocomplete_fields = ("attendant",)
    extra = 0


@admin.register(Team)
class TeamAdmin(CompanyScopedAdmin):
    """Teams."""

    list_display = ("name", "company", "people", "is_active")
    list_filter = ("company", "is_active")
    list_select_related = ("company",)
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("company", "name", "is_active")
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)
    inlines = (MemberInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The teams with their size."""
        counted: QuerySet[Any] = super().get_queryset(request).annotate(member_count=Count("members", distinct=True))
        return counted

    @admin.display(description=gettext_lazy("pessoas"), ordering="member_count")
    def people(self, team: Any) -> int:
        """How many belong to it."""
        return int(team.member_count)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write the members; somebody of another company is left out, and that is said."""
        foreign = [one for one in formset.save(commit=False) if one.attendant.company_id != form.instance.company_id]
        for one in formset.save(commit=False):
            if one not in foreign:
                one.save()
        for one in formset.deleted_objects:
            one.delete()
        for one in foreign:
            self.message_user(request, _("%(name)s é de outra empresa.") % {"name": one.attendant}, level="ERROR")
