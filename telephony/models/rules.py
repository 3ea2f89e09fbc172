"""Rules that staff edit."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from requests_app.states import Outcome


class RetryRule(models.Model):
    """After which outcome a request is tried again: how often in all, and how long to wait.

    `company` empty = for every company that has no rule of its own for the outcome.
    `max_tries` counts the calls that ended in this outcome; 1 = never tried again.
    """

    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, null=True, blank=True
    )
    outcome = models.CharField(_("resultado"), max_length=12, choices=Outcome)
    max_tries = models.PositiveSmallIntegerField(
        _("máximo de tentativas"), validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    wait_seconds = models.PositiveIntegerField(_("espera (segundos)"), validators=[MaxValueValidator(30 * 24 * 3600)])

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
        return f"{self.get_outcome_display()}: {self.max_tries} × {self.wait_seconds} s"
