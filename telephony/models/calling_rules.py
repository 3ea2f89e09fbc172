"""Dated rules on who may be called and when, our own holidays, and what single people asked for."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from callcenter.accounts.models import validate_timezone
from callcenter.lib.area_codes import STATES
from telephony.rule_terms import Holidays, Level, ListKind, Severity

STATE_CHOICES = [(state, state) for state in STATES]


class CallingRule(models.Model):
    """One rule with its dates and its source. Every rule that meets a call must allow it.

    Empty `activities`, `sectors` = all of them; `exemptions` = kinds of call that it leaves out. `hours` empty = at any
    hour. `daily_cap` empty = any number of calls. `list_kind` empty = it is about no list. `company` empty = for all.
    `parameters` = figures of rules that are measured, not asked before a call. `revision` grows with each change.
    """

    class Confidence(models.TextChoices):
        """How well its source says so."""

        HIGH = "high", pgettext_lazy("confiança", "Alta")
        MEDIUM = "medium", pgettext_lazy("confiança", "Média")
        LOW = "low", pgettext_lazy("confiança", "Baixa")

    code = models.SlugField(_("código"), max_length=48, unique=True)
    name = models.CharField(_("nome"), max_length=160)
    level = models.CharField(_("esfera"), max_length=10, choices=Level, default=Level.COMPANY)
    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, null=True, blank=True
    )
    state = models.CharField(_("estado"), max_length=2, choices=STATE_CHOICES, blank=True)
    city = models.CharField(_("município"), max_length=80, blank=True)
    area_codes = models.CharField(
        _("DDDs do município"),
        max_length=40,
        blank=True,
        help_text=_("Separados por espaço. Um número destes DDDs conta como do município até que se saiba mais."),
    )
    activities = models.JSONField(_("atividades"), default=list, blank=True)
    sectors = models.JSONField(_("setores"), default=list, blank=True)
    exemptions = models.JSONField(_("isenções"), default=list, blank=True)
    hours = models.CharField(
        _("horário"),
        max_length=250,
        blank=True,
        help_text=_(
            "Por exemplo “seg-sex 09:00-21:00; sáb 10:00-16:00”, na hora de quem é chamado. Em branco: sem limite."
        ),
    )
    holidays = models.CharField(_("feriados"), max_length=6, choices=Holidays, default=Holidays.AS_USUAL)
    daily_cap = models.PositiveSmallIntegerField(_("ligações por dia para um número"), null=True, blank=True)
    list_kind = models.CharField(_("lista"), max_length=16, choices=ListKind, blank=True)
    delay_days = models.PositiveSmallIntegerField(_("dias até valer"), default=0, validators=[MaxValueValidator(3650)])
    lasts_days = models.PositiveSmallIntegerField(_("dias de duração"), null=True, blank=True)
    is_liftable = models.BooleanField(
        _("o pedido do cliente afasta"),
        default=False,
        help_text=_("Não vale para quem pediu a ligação, se há registro de quem, quando, por onde e o que pediu."),
    )
    severity = models.CharField(_("efeito"), max_length=5, choices=Severity, default=Severity.BLOCK)
    valid_from = models.DateField(_("vale desde"), null=True, blank=True)
    valid_to = models.DateField(_("vale até"), null=True, blank=True)
    source = models.TextField(_("fonte"), blank=True)
    confidence = models.CharField(_("confiança"), max_length=6, choices=Confidence, default=Confidence.HIGH)
    parameters = models.JSONField(_("parâmetros"), default=dict, blank=True)
    revision = models.PositiveIntegerField(_("versão"), default=1, editable=False)

    class Meta:
        verbose_name = _("regra de ligação")
        verbose_name_plural = _("regras de ligação")
        ordering: ClassVar = ["level", "state", "code"]

    def __str__(self) -> str:
        return self.name


class CallingRuleVersion(models.Model):
    """A rule as one change left it; written once, never changed. `fields` = every column but the revision.

    `actor` empty = a program.
    """

    rule_id = models.PositiveBigIntegerField(_("regra"))
    revision = models.PositiveIntegerField(_("versão"))
    at = models.DateTimeField(_("quando"), default=timezone.now)
    actor = models.ForeignKey(
        "accounts.User", verbose_name=_("quem"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    is_deletion = models.BooleanField(_("excluída"), default=False)
    fields = models.JSONField(_("conteúdo"))

    class Meta:
        verbose_name = _("versão de regra")
        verbose_name_plural = _("versões de regras")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            # The history of one rule, which outlives it.
            models.Index(fields=["rule_id", "-id"], name="rule_version_of_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id}.{self.revision}"


class RuleBookStamp(models.Model):
    """One row whose token changes with every change of the rules or holidays, so that readers know what they hold."""

    token = models.UUIDField(default=uuid.uuid4)

    def __str__(self) -> str:
        return str(self.token)


class OwnHoliday(models.Model):
    """A holiday that the law's tables lack (a town's, a single one), or one of theirs that is a working day here.

    Empty `state` = the whole country; empty `city` = the whole state.
    """

    on = models.DateField(_("dia"))
    name = models.CharField(_("nome"), max_length=120)
    state = models.CharField(_("estado"), max_length=2, choices=STATE_CHOICES, blank=True)
    city = models.CharField(_("município"), max_length=80, blank=True)
    is_working_day = models.BooleanField(
        _("é dia útil"), default=False, help_text=_("Marque para que um feriado da lei não conte neste lugar.")
    )

    class Meta:
        verbose_name = _("feriado próprio")
        verbose_name_plural = _("feriados próprios")
        ordering: ClassVar = ["-on", "state", "city"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["on", "state", "city"], name="own_holiday_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.on:%d/%m/%Y})"


class ContactPreference(models.Model):
    """What one person told a company: where they live, at which hours they may be called, how often in a day.

    The number is a digest only. Empty fields say nothing. Hours are the person's own.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    number_digest = models.UUIDField(_("número (resumo)"), editable=False)
    state = models.CharField(_("estado"), max_length=2, choices=STATE_CHOICES, blank=True)
    city = models.CharField(_("município"), max_length=80, blank=True)
    time_zone = models.CharField(_("fuso horário"), max_length=64, blank=True, validators=[validate_timezone])
    hours = models.CharField(_("horário"), max_length=250, blank=True)
    daily_cap = models.PositiveSmallIntegerField(_("ligações por dia"), null=True, blank=True)
    told_at = models.DateTimeField(_("dito em"), default=timezone.now)
    told_how = models.CharField(_("como foi dito"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("preferência de contato")
        verbose_name_plural = _("preferências de contato")
        ordering: ClassVar = ["-told_at"]
        constraints: ClassVar = [
            # Also the look-up before each call.
            models.UniqueConstraint(fields=["number_digest", "company"], name="contact_preference_unique"),
        ]

    def __str__(self) -> str:
        return str(_("Preferência nº %(id)s") % {"id": self.pk})
