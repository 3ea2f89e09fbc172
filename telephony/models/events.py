"""What the providers told us, stored raw before it is read, and the tables by which it is read."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from telephony.models.attempts import CallAttempt
from telephony.models.lines import DialerLine, DirectcallAccount
from telephony.states import Meaning


class ProviderEvent(models.Model):
    """One delivery to our webhook, or one event of a PABX's channel, exactly as it came.

    It is never changed but for where it was applied. `account` = the carrier told it; `line` = its PABX did.
    `attempt` empty = no attempt fits yet (unmatched), the body could not be read (unreadable), it is not about a call
    of ours (ignored), or it is about a customer's call to us (applied). Of an event of the PABX
    `word` is its name, `provider_call_id` its ID_CHAMADA.
    """

    class Source(models.TextChoices):
        """How we got to know it."""

        CALLBACK = "callback", _("Aviso da operadora")
        STATUS = "status", _("Consulta da chamada")
        STATEMENT = "statement", _("Extrato")

    class State(models.TextChoices):
        """How far the event has come."""

        RECEIVED = "received", _("Recebido")
        APPLIED = "applied", _("Aplicado")
        UNMATCHED = "unmatched", _("Sem chamada correspondente")
        UNREADABLE = "unreadable", _("Ilegível")
        FAILED = "failed", _("Falhou ao aplicar")
        IGNORED = "ignored", _("Não é sobre uma chamada daqui")

    # No index by teller: each index is written twice for an event, and nothing asks for all events of an account or a
    # line but removing one, which may read the table.
    account = models.ForeignKey(
        DirectcallAccount,
        verbose_name=_("conta"),
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="events",
    )
    line = models.ForeignKey(
        DialerLine, verbose_name=_("linha"), on_delete=models.PROTECT, null=True, db_index=False, related_name="events"
    )
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    source = models.CharField(_("origem"), max_length=9, choices=Source, default=Source.CALLBACK)
    received_at = models.DateTimeField(_("recebido em"))
    content_type = models.CharField(_("tipo do conteúdo"), max_length=200, blank=True)
    raw = models.BinaryField(_("corpo"))
    state = models.CharField(_("situação"), max_length=10, choices=State, default=State.RECEIVED)
    tries = models.PositiveSmallIntegerField(_("tentativas de aplicar"), default=0)
    problem = models.CharField(_("problema"), max_length=32, blank=True)
    carrier_call_id = models.CharField(_("callerid"), max_length=128, blank=True)
    provider_call_id = models.CharField(_("ID_CHAMADA"), max_length=64, blank=True, default="")
    phone_e164 = models.CharField(_("destino"), max_length=16, blank=True)
    word = models.CharField(_("status recebido"), max_length=64, blank=True)
    meaning = models.CharField(_("significado"), max_length=12, choices=Meaning, blank=True)
    started_at = models.DateTimeField(_("início segundo a operadora"), null=True)
    attempt = models.ForeignKey(
        CallAttempt, verbose_name=_("tentativa"), on_delete=models.PROTECT, null=True, related_name="events"
    )
    applied_at = models.DateTimeField(_("aplicado em"), null=True)

    class Meta:
        verbose_name = _("evento da operadora")
        verbose_name_plural = _("eventos da operadora")
        permissions: ClassVar = [("match_providerevent", _("Pode reprocessar eventos"))]
        ordering: ClassVar = ["-received_at", "-id"]
        indexes: ClassVar = [
            # The sweep: what is not applied yet.
            models.Index(
                fields=["state", "id"], name="event_pending", condition=models.Q(state__in=["received", "unmatched"])
            ),
            # A second id of a call at the PABX, known by an event that carried our token with it.
            models.Index(
                fields=["line", "provider_call_id"], name="event_by_call_id", condition=~models.Q(provider_call_id="")
            ),
            models.Index(fields=["-received_at", "-id"], name="event_by_date"),
        ]
        constraints: ClassVar = [
            # One teller: it says by which tables the event is read.
            models.CheckConstraint(
                condition=models.Q(account=None, line__isnull=False) | models.Q(account__isnull=False, line=None),
                name="event_has_one_teller",
            ),
        ]

    def __str__(self) -> str:
        received_at = timezone.localtime(self.received_at)
        return f"{self.get_meaning_display() or self.get_state_display()} ({received_at:%d/%m/%Y %H:%M:%S})"

    @property
    def raw_text(self) -> str:
        """The body as text for people; bytes that are not UTF-8 are read as Latin-1."""
        body = bytes(self.raw)
        try:
            return body.decode()
        except UnicodeDecodeError:
            return body.decode("latin-1")


class FieldAlias(models.Model):
    """One name under which the carrier may send a piece of data; its documentation does not say which it uses."""

    class Concept(models.TextChoices):
        """The pieces of data that we look for."""

        CALL_ID = "call_id", _("Identificador da chamada")
        ORIGIN = "origin", _("Origem")
        DESTINATION = "destination", _("Destino")
        STATUS = "status", _("Status")
        STARTED_AT = "started_at", _("Início")
        DURATION = "duration", _("Duração")
        RECORDING_URL = "recording_url", _("Gravação")
        PIN = "pin", _("Pin")
        CUSTOM = "custom", _("Campos livres")

    concept = models.CharField(_("dado"), max_length=16, choices=Concept)
    name = models.CharField(_("nome do campo"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("nome de campo do callback")
        verbose_name_plural = _("nomes de campos do callback")
        ordering: ClassVar = ["concept", "id"]

    def __str__(self) -> str:
        return f"{self.name} = {self.get_concept_display()}"


class StatusAlias(models.Model):
    """One word of the carrier for a call's status, folded (lower case, no accents), and what it means to us."""

    word = models.CharField(_("palavra"), max_length=64, unique=True)
    meaning = models.CharField(_("significado"), max_length=12, choices=Meaning)

    class Meta:
        verbose_name = _("palavra de status")
        verbose_name_plural = _("palavras de status")
        ordering: ClassVar = ["meaning", "word"]

    def __str__(self) -> str:
        return f"{self.word} = {self.get_meaning_display()}"
