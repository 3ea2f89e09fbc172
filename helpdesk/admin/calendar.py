"""The admin of time: working hours, days that are different, appointments."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from callcenter.lib.admin import CompanyScopedAdmin
from helpdesk.admin.scoped import OfOneCompany
from helpdesk.models import Appointment, SpecialDay, WorkingHours


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


@admin.register(SpecialDay)
class SpecialDayAdmin(CompanyScopedAdmin):
    """Holidays and exceptions."""

    list_display = ("on", "name", "opens_at", "closes_at", "company")
    list_filter = ("company", "on")
    list_select_related = ("company",)
    search_fields = ("name",)
    ordering = ("-on", "opens_at")
    fields = ("company", "on", "name", ("opens_at", "closes_at"))
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)


class AppointmentForm(OfOneCompany):
    """One appointment."""

    one_company = ("attendant", "contact")

    class Meta:
        model = Appointment
        fields: ClassVar[tuple[str, ...]] = (
            "company", "attendant", "contact", "title", "starts_at", "ends_at", "cancelled_at",
        )  # fmt: skip


@admin.register(Appointment)
class AppointmentAdmin(CompanyScopedAdmin):
    """Appointments."""

    form = AppointmentForm
    list_display = ("starts_at", "ends_at", "attendant", "contact", "title", "company", "cancelled_at")
    list_filter = ("company", "attendant", "starts_at")
    list_select_related = ("company", "attendant", "contact")
    search_fields = ("title", "contact__name")
    ordering = ("-starts_at",)
    autocomplete_fields = ("contact",)
    fixed_fields: ClassVar[tuple[str, ...]] = ("company",)
