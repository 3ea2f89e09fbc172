"""Callbacks at an agreed time: a company's policy, who is on duty when, and the ones that were missed."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from requests_app.models.requests import CallRequest
from requests_app.states import MissedAction, ReachAction, Weekday


class CallbackPolicy(models.Model):
    """What one company wants of its callbacks; a company without a row wants nothing of it.

    `missed_after_minutes` 0 = missed callbacks are not looked for. `missed_owner` empty = the request's own
    responsible, else whoever of the company has the fewest.
    """

    company = models.OneToOneField(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, related_name="callback_policy"
    )
    uses_slots = models.BooleanField(
        _("horários com vagas"),
        default=False,
        help_text=_("Cada quarto de hora recebe só os retornos que os atendentes de plantão podem fazer."),
    )
    calls_per_attendant = models.PositiveSmallIntegerField(
        _("retornos por atendente"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("Quantos retornos um atendente faz num quarto de hora."),
    )
    missed_after_minutes = models.PositiveSmallIntegerField(
        _("retorno perdido depois de (minutos)"),
        default=0,
        validators=[MaxValueValidator(1440)],
        help_text=_("Minutos depois do horário pedido sem ligação; 0 = não procurar."),
    )
    missed_action = models.CharField(
        _("o que fazer com o retorno perdido"),
        max_length=10,
        choices=MissedAction,
        default=MissedAction.RETRY_NOW,
    )
    missed_deadline_minutes = models.PositiveSmallIntegerField(
        _("prazo para resolver (minutos)"), default=60, validators=[MinValueValidator(1), MaxValueValidator(10_080)]
    )
    missed_owner = models.ForeignKey(
        "accounts.User",
        verbose_name=_("quem cuida"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Em branco: o responsável pelo pedido, ou quem tem menos retornos perdidos."),
    )
    reached_action = models.CharField(
        _("cliente atendido por outro caminho"),
        max_length=8,
        choices=ReachAction,
        default=ReachAction.NOTHING,
        help_text=_("Quando ele mesmo liga ou é atendido em outro canal enquanto o pedido espera."),
    )
    reached_postpone_minutes = models.PositiveIntegerField(
        _("adiar por (minutos)"), default=1440, validators=[MinValueValidator(1), MaxValueValidator(43_200)]
    )

    class Meta:
        verbose_name = _("política de retornos")
        verbose_name_plural = _("políticas de retornos")
        ordering: ClassVar = ["company__name"]

    def __str__(self) -> str:
        return str(self.company)


class Shift(models.Model):
    """One block of a weekday in which an attendant, or a number of them, is on duty, in the company's time zone.

    `attendant` empty = it stands for `headcount` people who need no name. `ends_at` 00:00 = the end of the day.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    attendant = models.ForeignKey(
        "accounts.User",
        verbose_name=_("atendente"),
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="shifts",
        help_text=_("Em branco: só a quantidade conta."),
    )
    headcount = models.PositiveSmallIntegerField(
        _("quantidade"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    weekday = models.SmallIntegerField(_("dia"), choices=Weekday)
    starts_at = models.TimeField(_("das"))
    ends_at = models.TimeField(_("até"), help_text=_("00:00 = fim do dia"))

    class Meta:
        verbose_name = _("plantão")
        verbose_name_plural = _("plantões")
        ordering: ClassVar = ["company__name", "weekday", "starts_at", "id"]
        indexes: ClassVar = [
            # Who is on duty in a company.
            models.Index(fields=["company", "weekday"], name="shift_by_company"),
        ]

    def __str__(self) -> str:
        who = self.attendant or _("%(count)s pessoas") % {"count": self.headcount}
        return f"{self.get_weekday_display()} {self.starts_at:%H:%M}–{self.ends_at:%H:%M}, {who}"

    def clean(self) -> None:
        """Errors: `ValidationError` for a block that ends before it begins, or an attendant counted more than once."""
        if self.starts_at is not None and self.ends_at is not None:
            is_whole = self.ends_at.hour == self.ends_at.minute == 0
            if not is_whole and self.ends_at <= self.starts_at:
                raise ValidationError({"ends_at": _("Precisa ser depois do começo; 00:00 é o fim do dia.")})
        if self.attendant_id and self.headcount != 1:
            raise ValidationError({"headcount": _("Um atendente com nome conta como um.")})


class MissedCallback(models.Model):
    """A callback whose wanted time passed without a call: who sees to it, until when, and how it ended.

    `owner` empty = the company has nobody. `resolved_at` empty = somebody still has to see to it.
    """

    class Resolution(models.TextChoices):
        """How it ended."""

        CALLED = "called", _("Foi ligado")
        CLOSED = "closed", _("O pedido foi encerrado")
        TAKEN = "taken", _("Uma pessoa assumiu")
        MOVED = "moved", _("Ganhou outro horário")

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    call_request = models.ForeignKey(
        CallRequest, verbose_name=_("pedido de ligação"), on_delete=models.CASCADE, related_name="missed_callbacks"
    )
    wanted_at = models.DateTimeField(_("horário pedido"))
    noticed_at = models.DateTimeField(_("notado em"))
    action = models.CharField(_("decisão"), max_length=10, choices=MissedAction)
    owner = models.ForeignKey(
        "accounts.User",
        verbose_name=_("quem cuida"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="missed_callbacks",
    )
    deadline_at = models.DateTimeField(_("prazo"))
    resolved_at = models.DateTimeField(_("resolvido em"), null=True, blank=True)
    resolution = models.CharField(_("como terminou"), max_length=8, choices=Resolution, blank=True)

    class Meta:
        verbose_name = _("retorno perdido")
        verbose_name_plural = _("retornos perdidos")
        ordering: ClassVar = [F("resolved_at").asc(nulls_first=True), "deadline_at", "id"]
        constraints: ClassVar = [
            # One time of one request is missed once, however many sweeps look.
            models.UniqueConstraint(fields=["call_request", "wanted_at"], name="missed_callback_once"),
        ]
        indexes: ClassVar = [
            # The queue: what somebody still has to see to, the most pressing first.
            models.Index(
                fields=["company", "deadline_at"], name="missed_callback_open", condition=Q(resolved_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.call_request} ({self.wanted_at:%d/%m/%Y %H:%M})"
