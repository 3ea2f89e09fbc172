"""What calls go through: dialer lines at a Dígitro PABX, and accounts at the carrier Directcall."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from callcenter.lib.secrets import EncryptedTextField
from telephony.rule_terms import Activity, Exemption, OriginKind, Sector


class DialerLine(models.Model):
    """A way out: one company's device at one PABX, with its limits and opening hours.

    `channel_id` set = the channel is opened and kept elsewhere, and always has this number; empty = the process
    `digitro_channel` opens it, and the number it learned is in `EventChannel`. `suspended_reason` not empty = the
    system stopped using the line by itself (wrong credentials, wrong address); a person switches it on again.
    `activity` empty = its company's. `limited_until` in the future = the line has used up what the rule `limited_by`
    lets it call (`telephony.services.meters`).
    `next_slot_at` is the first instant at which the rate limit lets another call out.
    """

    class Mode(models.TextChoices):
        """Which of the PABX's two operations places the call."""

        PREDICTIVE = "predictive", _("Chamada preditiva")
        SPECIFIC_ROUTE = "specific_route", _("Chamada por rota específica")

    # What only the sender of a call needs; whoever else reads a line leaves them out, so that one that can't be
    # decrypted stops that line alone.
    SECRET_FIELDS: ClassVar = ("api_key", "device_password", "account_password")

    name = models.CharField(_("nome"), max_length=80)
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    is_enabled = models.BooleanField(_("ligada"), default=True)
    mode = models.CharField(_("tipo de chamada"), max_length=16, choices=Mode, default=Mode.PREDICTIVE)
    base_url = models.URLField(_("endereço do PABX"), help_text=_("Por exemplo https://pabx.empresa.com.br"))
    channel_id = models.PositiveIntegerField(
        _("canal fixo"),
        null=True,
        blank=True,
        help_text=_("Deixe em branco: o canal é aberto e lido sozinho. Só preencha se outro programa mantém o canal."),
    )
    api_key = EncryptedTextField(_("chave da API (x-api-key)"), blank=True, default="")
    device = models.CharField(_("dispositivo"), max_length=32)
    device_password = EncryptedTextField(_("senha do dispositivo"), blank=True, default="")
    route = models.CharField(_("rota"), max_length=16, default="0")
    account = models.CharField(_("conta"), max_length=32, blank=True)
    account_password = EncryptedTextField(_("senha da conta"), blank=True, default="")
    originator = models.CharField(_("identidade do originador"), max_length=32, blank=True)
    predictive_mode = models.CharField(_("modo preditivo"), max_length=8, default="0")
    cpd = models.CharField(_("CPD"), max_length=8, default="1")
    cpd_destination_type = models.CharField(_("tipo de CPD do destino"), max_length=8, default="1")
    reanswer_seconds = models.PositiveSmallIntegerField(_("tempo de reatendimento (s)"), default=10)
    telemarketing_block = models.BooleanField(_("bloqueio de telemarketing"), default=False)
    dial_prefix = models.CharField(_("prefixo de discagem"), max_length=8, blank=True, default="0")
    max_calls_at_once = models.PositiveSmallIntegerField(
        _("chamadas simultâneas"), default=10, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    calls_per_second = models.FloatField(
        _("chamadas por segundo"), default=2.0, validators=[MinValueValidator(0.01), MaxValueValidator(200)]
    )
    requires_disposition = models.BooleanField(
        _("exige desfecho do atendente"),
        default=False,
        help_text=_("Uma chamada atendida só conclui o pedido quando o atendente disser."),
    )
    activity = models.CharField(
        _("atividade"),
        max_length=16,
        choices=Activity,
        blank=True,
        default="",
        help_text=_("Decide que regras de ligação valem para esta linha."),
    )
    sector = models.CharField(_("setor"), max_length=16, choices=Sector, default=Sector.OTHER)
    exemption = models.CharField(_("isenção"), max_length=24, choices=Exemption, blank=True, default=Exemption.NONE)
    origin_kind = models.CharField(
        _("número que aparece"),
        max_length=14,
        choices=OriginKind,
        default=OriginKind.COMMON,
        help_text=_("Chamadas autenticadas não contam nos limites de chamadas curtas."),
    )
    limited_until = models.DateTimeField(_("parada até"), null=True, blank=True, editable=False)
    limited_by = models.ForeignKey(
        "telephony.CallingRule",
        verbose_name=_("parada pela regra"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    suspended_reason = models.CharField(_("suspensa porque"), max_length=32, blank=True, editable=False)
    suspended_at = models.DateTimeField(_("suspensa em"), null=True, blank=True, editable=False)
    next_slot_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("linha de discagem")
        verbose_name_plural = _("linhas de discagem")
        ordering: ClassVar = ["company", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "name"], name="dialer_line_name_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def calls_for(self) -> str:
        """The activity that the calling rules ask for: the line's own, else its company's."""
        return self.activity or self.company.activity

    @property
    def calls_for_display(self) -> str:
        """The same as staff read it."""
        return str(Activity(self.calls_for).label)


class OpeningHours(models.Model):
    """One block of a weekday in which a line dials, in its company's time zone.

    A day may have several blocks, or none (closed). `closes_at` 00:00 = the end of the day.
    """

    class Weekday(models.IntegerChoices):
        """Python's weekday numbers."""

        MONDAY = 0, _("Segunda-feira")
        TUESDAY = 1, _("Terça-feira")
        WEDNESDAY = 2, _("Quarta-feira")
        THURSDAY = 3, _("Quinta-feira")
        FRIDAY = 4, _("Sexta-feira")
        SATURDAY = 5, _("Sábado")
        SUNDAY = 6, _("Domingo")

    line = models.ForeignKey(DialerLine, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.SmallIntegerField(_("dia"), choices=Weekday)
    opens_at = models.TimeField(_("abre"))
    closes_at = models.TimeField(_("fecha"), help_text=_("00:00 = fim do dia"))

    class Meta:
        verbose_name = _("horário de funcionamento")
        verbose_name_plural = _("horários de funcionamento")
        ordering: ClassVar = ["weekday", "opens_at"]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


class DirectcallAccount(models.Model):
    """A company's account at the carrier: the credentials we call it with. How it calls us: `CallbackRegistration`.

    `client_id` empty = nothing can be asked of the carrier. `origin` empty = its calls are asked for under the line's
    originator. `token_lease_until` in the future = some process is asking for a new access token. `next_ask_at` is the
    first instant at which the job may ask about another call.
    """

    # Whoever reads an account for another reason leaves them out: news must get in whatever has become of them.
    SECRET_FIELDS: ClassVar = ("client_secret", "access_token")

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    name = models.CharField(_("nome"), max_length=80)
    is_enabled = models.BooleanField(_("ligada"), default=True)
    base_url = models.URLField(_("endereço da API"), default="https://api.directcallsoft.com")
    client_id = models.CharField(_("client_id"), max_length=254, blank=True)
    client_secret = EncryptedTextField(_("client_secret"), blank=True, default="")
    pin = models.CharField(_("pin"), max_length=64, blank=True)
    origin = models.CharField(
        _("número de origem"),
        max_length=32,
        blank=True,
        help_text=_("De que número as chamadas saem na operadora (55, DDD, número); vazio = o originador da linha."),
    )
    uses_basic = models.BooleanField(
        _("pedir usuário e senha no webhook"),
        default=False,
        help_text=_("Novos endereços levam usuário e senha (HTTP Basic), que a operadora repete em cada aviso."),
    )
    access_token = EncryptedTextField(editable=False, blank=True, default="")
    access_token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    token_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    next_ask_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("conta Directcall")
        verbose_name_plural = _("contas Directcall")
        ordering: ClassVar = ["company", "name"]

    def __str__(self) -> str:
        return self.name
