"""The admin of time: working hours, days that are different, appointments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.admin import CompanyScopedAdmin
from callcenter.lib.display import absolute, badge, instant
from callcenter.lib.errors import Conflict
from helpdesk.admin.scoped import OfOneCompany
from helpdesk.models import Appointment, SpecialDay, WorkingHours

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.utils.safestring import SafeString


class WorkingHoursForm(OfOneCompany):
    """One block of a weekday."""

    one_company = ("attendant",)

    class Meta:
        model = WorkingHours
        fields: ClassVar[tuple[str, ...]] = ("company", "attendant", "weekday", "opens_at", "closes_at")


@admin.register(WorkingHours)
class WorkingHoursAdmin(CompanyScopedAdmin):
    """Working hours of companies and of attendants who have their own."""

    form = WorkingHoursForm
    list_display = ("weekday", "opens_at", "closes_at", "attendant", "company")
    list_filter = ("company", "attendant", "weekday")
    list_select_related = ("company", "attendant")
    ordering = ("company", "attendant__name", "weekday", "opens_at")
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)


class SpecialDayForm(OfOneCompany):
    """One day that is not as its weekday says."""

    class Meta:
        model = SpecialDay
        fields: ClassVar[tuple[str, ...]] = ()

    def clean(self) -> dict[str, Any]:
        """The values; both times or none."""
        values: dict[str, Any] = super().clean()
        for name, other in (("opens_at", "closes_at"), ("closes_at", "opens_at")):
            if name not in self.errors and values.get(name) is None and values.get(other) is not None:
                self.add_error(name, _("Preencha os dois horários, ou nenhum para fechar o dia todo."))
        return values


@admin.register(SpecialDay)
class SpecialDayAdmin(CompanyScopedAdmin):
    """Holidays and exceptions."""

    form = SpecialDayForm
    list_display = ("on", "name", "hours", "company")
    list_filter = ("company", "on")
    list_select_related = ("company",)
    search_fields = ("name",)
    ordering = ("-on", "opens_at")
    fieldsets: ClassVar[Any] = (
        (
            None,
            {
                "fields": ("company", "on", "name", ("opens_at", "closes_at")),
                "description": gettext_lazy(
                    "Sem horários, o dia fica fechado. Mais de um período: um registro para cada."
                ),
            },
        ),
    )
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)

    @admin.display(description=gettext_lazy("horário"), ordering="opens_at")
    def hours(self, day: SpecialDay) -> str:
        """Between which times it is open."""
        if day.opens_at is None or day.closes_at is None:
            return _("Fechado")
        return f"{day.opens_at:%H:%M}–{day.closes_at:%H:%M}"


class AppointmentForm(OfOneCompany):
    """One appointment."""

    one_company = ("attendant", "contact")

    class Meta:
        model = Appointment
        fields: ClassVar[tuple[str, ...]] = (
            "company", "attendant", "contact", "title", "starts_at", "ends_at",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """The values; the end after the beginning, and nothing else at that time."""
        values: dict[str, Any] = super().clean()
        starts_at, ends_at, attendant = values.get("starts_at"), values.get("ends_at"), values.get("attendant")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", _("O término vem depois do início."))
            return values
        if starts_at and ends_at and attendant and self.instance.cancelled_at is None:
            others = Appointment.objects.filter(attendant=attendant, cancelled_at=None).exclude(pk=self.instance.pk)
            taken = others.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).first()
            if taken is not None:
                self.add_error(
                    "starts_at",
                    _("%(name)s já tem um compromisso de %(from)s a %(to)s.")
                    % {"name": attendant, "from": absolute(taken.starts_at), "to": absolute(taken.ends_at)},
                )
        return values


@admin.register(Appointment)
class AppointmentAdmin(CompanyScopedAdmin):
    """Appointments."""

    form = AppointmentForm
    list_display = ("starts", "ends", "attendant", "contact", "title", "state", "company")
    list_filter = ("company", "attendant", "starts_at", ("cancelled_at", admin.EmptyFieldListFilter))
    list_select_related = ("company", "attendant", "contact")
    search_fields = ("title", "contact__name")
    ordering = ("-starts_at",)
    autocomplete_fields = ("contact",)
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)
    actions = ("cancel_selected",)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Whether the user may cancel appointments."""
        return bool(request.user.has_perm("helpdesk.change_appointment"))

    @admin.display(description=gettext_lazy("início"), ordering="starts_at")
    def starts(self, appointment: Appointment) -> SafeString | str:
        """When it begins."""
        return instant(appointment.starts_at, now=timezone.now())

    @admin.display(description=gettext_lazy("término"), ordering="ends_at")
    def ends(self, appointment: Appointment) -> str:
        """When it ends."""
        return absolute(appointment.ends_at)

    @admin.display(description=gettext_lazy("situação"), ordering="cancelled_at")
    def state(self, appointment: Appointment) -> SafeString:
        """Whether it holds."""
        if appointment.cancelled_at is not None:
            return badge(_("Cancelado"))
        if appointment.ends_at <= timezone.now():
            return badge(_("Passou"))
        return badge(_("Marcado"), tone="good")

    @admin.action(description=gettext_lazy("Cancelar compromisso"), permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Set these times free again."""

        def cancel(appointment: Appointment) -> str:
            now = timezone.now()
            held = Appointment.objects.filter(pk=appointment.pk, cancelled_at=None)
            if not held.update(cancelled_at=now, updated_at=now):
                raise Conflict(_("o compromisso já estava cancelado."))
            return _("Cancelado.")

        self.run_for_each(request, queryset, do=cancel)
