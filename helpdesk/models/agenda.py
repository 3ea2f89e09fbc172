"""Time: working hours in blocks, the days that are different, and appointments."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from helpdesk.models.base import Record
from helpdesk.models.people import Attendant, Contact
from helpdesk.querysets import CompanyQuerySet


class WorkingHours(models.Model):
    """One block of a weekday in the company's time zone; several blocks make a day with breaks.

    `attendant` empty = the company's; one with blocks of their own has only those. `closes_at` ≤ `opens_at` = the block
    ends on the next day (00:00–00:00 = around the clock). A company without any block is always open.
    """

    class Weekday(models.IntegerChoices):
        """Monday is 0, as in Python."""

        MONDAY = 0, _("segunda-feira")
        TUESDAY = 1, _("terça-feira")
        WEDNESDAY = 2, _("quarta-feira")
        THURSDAY = 3, _("quinta-feira")
        FRIDAY = 4, _("sexta-feira")
        SATURDAY = 5, _("sábado")
        SUNDAY = 6, _("domingo")

    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, related_name="working_hours"
    )
    attendant = models.ForeignKey(
        Attendant,
        verbose_name=_("atendente"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="working_hours",
    )
    weekday = models.PositiveSmallIntegerField(_("dia da semana"), choices=Weekday)
    opens_at = models.TimeField(_("abre"))
    closes_at = models.TimeField(_("fecha"))

    class Meta:
        verbose_name = _("horário de trabalho")
        verbose_name_plural = _("horários de trabalho")
        ordering: ClassVar = ["weekday", "opens_at"]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


class SpecialDay(models.Model):
    """A day that is not as its weekday says, holidays included: closed without times, else open between them.

    Several rows of one day are several blocks. An open special day overrides a holiday.
    """

    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, related_name="special_days"
    )
    on = models.DateField(_("dia"))
    name = models.CharField(_("nome"), max_length=120, blank=True)
    opens_at = models.TimeField(_("abre"), null=True, blank=True)
    closes_at = models.TimeField(_("fecha"), null=True, blank=True)

    class Meta:
        verbose_name = _("dia especial")
        verbose_name_plural = _("dias especiais")
        ordering: ClassVar = ["on", "opens_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(opens_at=None, closes_at=None) | Q(opens_at__isnull=False, closes_at__isnull=False),
                name="special_day_both_times_or_none",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["company", "on"], name="special_day_by_date")]

    def __str__(self) -> str:
        return f"{self.on:%d/%m/%Y} {self.name}".strip()


class Appointment(Record):
    """A time of an attendant that is taken; `cancelled_at` set = it is free again."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    attendant = models.ForeignKey(
        Attendant, verbose_name=_("atendente"), on_delete=models.CASCADE, related_name="appointments"
    )
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("solicitante"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="appointments",
    )
    title = models.CharField(_("título"), max_length=160, blank=True)
    starts_at = models.DateTimeField(_("início"))
    ends_at = models.DateTimeField(_("término"))
    cancelled_at = models.DateTimeField(_("cancelado em"), null=True, blank=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("compromisso")
        verbose_name_plural = _("compromissos")
        ordering: ClassVar = ["starts_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="appointment_ends_after_start"),
            # The grid gives a time once.
            models.UniqueConstraint(
                fields=["attendant", "starts_at"], name="appointment_one_at_a_time", condition=Q(cancelled_at=None)
            ),
        ]
        indexes: ClassVar = [
            # What is taken in the coming days.
            models.Index(fields=["company", "starts_at"], name="appointment_by_start", condition=Q(cancelled_at=None)),
        ]

    def __str__(self) -> str:
        return self.title or str(self.attendant)
