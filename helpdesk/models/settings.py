"""What a company decides about its helpdesk, and the counters from which rows get their numbers."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class HelpdeskSettings(models.Model):
    """How the helpdesk of one company behaves; `id` is the Empresa of the API.

    A number of 0 switches its automation off. Minutes of waiting and silence are those of the working hours.
    """

    class WhenClosed(models.TextChoices):
        """What becomes of a scheduled message whose atendimento was closed before its time."""

        CANCEL = "cancel", _("Cancelar a mensagem")
        REOPEN = "new", _("Enviar em um novo atendimento")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    company = models.OneToOneField(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, related_name="helpdesk"
    )
    protocol_text = models.TextField(
        _("texto com o protocolo"),
        blank=True,
        default="",
        help_text=_("Enviado assim que o solicitante abre um atendimento; pode conter {protocolo}. Vazio = nada."),
    )
    waiting_minutes = models.PositiveSmallIntegerField(_("resposta automática após (minutos)"), default=10)
    waiting_message = models.ForeignKey(
        "helpdesk.CannedMessage",
        verbose_name=_("resposta de espera"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    out_of_hours_message = models.ForeignKey(
        "helpdesk.CannedMessage",
        verbose_name=_("resposta fora do horário"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    no_attendant_message = models.ForeignKey(
        "helpdesk.CannedMessage",
        verbose_name=_("resposta sem atendente"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    ladder_minutes = models.PositiveSmallIntegerField(
        _("passar adiante após silêncio do atendente (minutos)"), default=0
    )
    inactivity_minutes = models.PositiveSmallIntegerField(_("lembrar o solicitante após (minutos)"), default=0)
    inactivity_reminders = models.PositiveSmallIntegerField(_("lembretes antes de encerrar"), default=3)
    inactivity_message = models.TextField(_("texto do lembrete"), blank=True)
    closing_message = models.TextField(_("texto ao encerrar por inatividade"), blank=True)
    scheduled_when_closed = models.CharField(
        _("mensagem agendada de atendimento concluído"), max_length=8, choices=WhenClosed, default=WhenClosed.CANCEL
    )
    ia_may_leave = models.BooleanField(
        _("dados de clientes podem sair"),
        default=False,
        help_text=_("Permite enviar o texto das conversas ao servidor de IA configurado."),
    )
    ia_threshold = models.FloatField(
        _("confiança mínima da IA"),
        default=0.55,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("De 0 a 1; abaixo disso a IA se cala e passa a uma pessoa."),
    )
    holiday_state = models.CharField(
        _("feriados da UF"),
        max_length=2,
        blank=True,
        help_text=_("Sigla do estado; vazio = só os feriados nacionais."),
    )
    dropped_callbacks = models.PositiveSmallIntegerField(
        _("retornos seguidos de ligações que caem"),
        default=2,
        validators=[MaxValueValidator(10)],
        help_text=_("Uma ligação que cai leva a outra, até tantas vezes seguidas; 0 = nenhuma."),
    )
    dropped_seconds = models.PositiveSmallIntegerField(
        _("ligação que dura até (segundos) caiu"),
        default=6,
        validators=[MaxValueValidator(60)],
        help_text=_("Contados desde que o cliente atendeu; 0 = só o que a rede cortou ou uma pessoa disse."),
    )
    slot_minutes = models.PositiveSmallIntegerField(_("grade da agenda (minutos)"), default=30)
    slot_days = models.PositiveSmallIntegerField(_("agenda aberta por (dias)"), default=14)

    class Meta:
        verbose_name = _("configuração do atendimento")
        verbose_name_plural = _("configurações do atendimento")

    def __str__(self) -> str:
        return str(self.company)


class InstallationCounter(models.Model):
    """The one row from which the whole installation's numbers come.

    Whoever takes a number holds the row to the end of the transaction, so numbers become visible in their order and
    a reader that polls by number can't skip one. No gap in these matters.
    """

    messages = models.BigIntegerField(default=0)
    atendimentos = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("contador da instalação")
        verbose_name_plural = _("contadores da instalação")

    def __str__(self) -> str:
        return str(self.messages)


class CompanyCounter(models.Model):
    """The last number of a company's atendimentos; a transaction that is rolled back gives its number back."""

    company = models.OneToOneField("accounts.Company", primary_key=True, on_delete=models.CASCADE, related_name="+")
    atendimentos = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("contador da empresa")
        verbose_name_plural = _("contadores da empresa")

    def __str__(self) -> str:
        return str(self.atendimentos)
