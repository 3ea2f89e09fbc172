"""Rules that staff edit."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from callcenter.lib.display import span
from requests_app.states import Outcome
from telephony.models.lines import OpeningHours

_LONGEST_WAIT = 30 * 24 * 3600


class RetryRule(models.Model):
    """After which outcome a request is tried again: how often in all, how long to wait, and in which hours.

    `company` empty = for every company that has no rule of its own for the outcome.
    `max_tries` counts the calls that ended in this outcome; 1 = never tried again. `max_in_all` and `max_per_day` count
    every call of the request, whatever its outcome; empty = no such limit. `growth` multiplies the wait after each
    try, up to `longest_wait_seconds` (empty = no ceiling); 1 = always the same. `jitter_percent` adds so much at most.
    """

    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, null=True, blank=True
    )
    outcome = models.CharField(_("resultado"), max_length=12, choices=Outcome)
    max_tries = models.PositiveSmallIntegerField(
        _("máximo de tentativas"),
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("Ligações que terminam neste resultado; 1 = não tenta de novo."),
    )
    max_per_day = models.PositiveSmallIntegerField(
        _("máximo por dia"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_("Ligações do pedido num dia, de qualquer resultado. Em branco: sem limite."),
    )
    max_in_all = models.PositiveSmallIntegerField(
        _("máximo no total"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
        help_text=_("Ligações do pedido ao todo, de qualquer resultado. Em branco: sem limite."),
    )
    wait_seconds = models.PositiveIntegerField(
        _("espera (segundos)"), validators=[MaxValueValidator(_LONGEST_WAIT)], help_text=_("Antes da 2ª tentativa.")
    )
    growth = models.FloatField(
        _("crescimento"),
        default=1.0,
        validators=[MinValueValidator(1.0), MaxValueValidator(10.0)],
        help_text=_("A espera é multiplicada por isto a cada nova tentativa; 1 = espera fixa."),
    )
    longest_wait_seconds = models.PositiveIntegerField(
        _("espera máxima (segundos)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(_LONGEST_WAIT)],
        help_text=_("Até onde a espera cresce. Em branco: sem teto."),
    )
    jitter_percent = models.PositiveSmallIntegerField(
        _("variação (%)"),
        default=0,
        validators=[MaxValueValidator(100)],
        help_text=_("Acrescenta à espera até esta parte dela, para que nem todos voltem no mesmo instante."),
    )

    class Meta:
        verbose_name = _("regra de nova tentativa")
        verbose_name_plural = _("regras de nova tentativa")
        ordering: ClassVar = ["company", "outcome"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "outcome"], name="retry_rule_unique"),
            # NULLs are distinct in SQL, so the rules for everybody need a constraint of their own.
            models.UniqueConstraint(
                fields=["outcome"], condition=models.Q(company=None), name="retry_rule_default_unique"
            ),
        ]

    def __str__(self) -> str:
        values = {"outcome": self.get_outcome_display(), "count": self.max_tries, "wait": span(self.wait_seconds)}
        if self.max_tries == 1:
            return str(_("%(outcome)s: sem nova tentativa") % values)
        return str(_("%(outcome)s: até %(count)s vezes, depois de %(wait)s") % values)


class RetryHours(models.Model):
    """One block of a weekday in which a rule wants its next tries to land, in the request's company's time zone.

    A rule without blocks takes any hour. `closes_at` 00:00 = the end of the day.
    """

    rule = models.ForeignKey(RetryRule, on_delete=models.CASCADE, related_name="hours")
    weekday = models.SmallIntegerField(_("dia"), choices=OpeningHours.Weekday)
    opens_at = models.TimeField(_("das"))
    closes_at = models.TimeField(_("até"), help_text=_("00:00 = fim do dia"))

    class Meta:
        verbose_name = _("horário preferido")
        verbose_name_plural = _("horários preferidos")
        ordering: ClassVar = ["weekday", "opens_at"]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"
