"""Our side of each medium: channels, what an installation calls its codes, and the API's tokens."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from callcenter.lib.secrets import EncryptedTextField
from helpdesk.models.base import Record
from helpdesk.models.people import Attendant, Team
from helpdesk.querysets import CompanyQuerySet
from helpdesk.states import Adapter, Platform


class Channel(Record):
    """One of our numbers, mailboxes or widgets.

    `reference_code` is the medium's own code (CodigoReferenciaCanal). `automation` greets first; empty = people do.
    `team` empty = the whole company is the queue. `ia_replies` = an IA may write to the requester here by itself,
    otherwise it drafts for people. `settings` holds what the adapter needs and is no secret.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    platform = models.PositiveSmallIntegerField(_("plataforma"), choices=Platform)
    title = models.CharField(_("título"), max_length=120)
    reference_code = models.CharField(_("código de referência"), max_length=120)
    team = models.ForeignKey(
        Team, verbose_name=_("equipe"), on_delete=models.SET_NULL, null=True, blank=True, related_name="channels"
    )
    automation = models.ForeignKey(
        Attendant,
        verbose_name=_("automação"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="channels",
        limit_choices_to={"kind__in": [2, 3]},
    )
    ia_replies = models.BooleanField(
        _("a IA responde sozinha"),
        default=False,
        help_text=_("Desligado, a IA só deixa rascunhos para as pessoas."),
    )
    is_active = models.BooleanField(pgettext_lazy("canal", "ativo"), default=True)
    adapter = models.CharField(_("saída"), max_length=12, choices=Adapter, default=Adapter.NONE)
    settings = models.JSONField(_("configuração"), default=dict, blank=True)
    secret = EncryptedTextField(_("segredo"), blank=True, default="")

    SECRET_FIELDS: ClassVar = ("secret",)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("canal")
        verbose_name_plural = _("canais")
        ordering: ClassVar = ["platform", "title"]
        constraints: ClassVar = [
            # An inbound message names its channel by medium and code.
            models.UniqueConstraint(fields=["company", "platform", "reference_code"], name="channel_code_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_platform_display()})"


class WireCode(models.Model):
    """The number that one of our enumerations' values has on the wire here, where it is not the default."""

    class Kind(models.TextChoices):
        """The enumeration."""

        PLATFORM = "platform", _("Plataforma")
        ATTENDANT_KIND = "attendant_kind", _("Tipo de atendente")
        CATEGORY = "category", _("Categoria do atendimento")
        OCCURRENCE_CATEGORY = "occurrence_category", _("Categoria da ocorrência")
        OCCURRENCE_STATUS = "occurrence_status", _("Situação da ocorrência")

    kind = models.CharField(_("enumeração"), max_length=24, choices=Kind)
    value = models.PositiveSmallIntegerField(_("nosso número"))
    code = models.IntegerField(_("número na API"))
    title = models.CharField(_("título na API"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("código da API")
        verbose_name_plural = _("códigos da API")
        ordering: ClassVar = ["kind", "value"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "value"], name="wire_code_one_per_value"),
            models.UniqueConstraint(fields=["kind", "code"], name="wire_code_one_per_code"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value} → {self.code}"


class ApiToken(models.Model):
    """What a program sends as `token`: stored as a keyed digest, good for its companies and no others.

    `expires_at` empty = does not expire; `revoked_at` empty = valid. `last_used_at` is kept to the minute.
    """

    user = models.ForeignKey(
        "accounts.User", verbose_name=_("usuário"), on_delete=models.CASCADE, related_name="helpdesk_tokens"
    )
    companies = models.ManyToManyField("accounts.Company", verbose_name=_("empresas"), related_name="helpdesk_tokens")
    name = models.CharField(_("descrição"), max_length=80)
    prefix = models.CharField(_("começo do token"), max_length=8, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("criado em"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("vale até"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("último uso"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revogado em"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("token da API de atendimento")
        verbose_name_plural = _("tokens da API de atendimento")
        ordering: ClassVar = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.name})"
