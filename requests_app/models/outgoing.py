"""Outgoing webhooks: where a company wants to be told what happens to its requests, and what it was told."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from callcenter.lib.secrets import EncryptedTextField


class WebhookEvent(models.TextChoices):
    """What a company can be told of, in the words that travel."""

    CREATED = "call_request.created", _("Pedido recebido")
    DIALED = "call_request.dialed", _("Primeira ligação feita")
    ANSWERED = "call_request.answered", _("Cliente atendeu")
    COMPLETED = "call_request.completed", _("Pedido concluído")
    NO_ANSWER = "call_request.no_answer", _("Pedido encerrado sem resposta")
    TEST = "webhook.test", _("Teste")


def all_events() -> list[str]:
    """The events of a request, all of them: what a new endpoint is told."""
    return [event.value for event in WebhookEvent if event != WebhookEvent.TEST]


class WebhookEndpoint(models.Model):
    """An address of a company's own program that is told of `events`; with people's data only if `include_contact`.

    `previous_secret` signs besides `secret` until `previous_secret_until`. `failing_since` = the first failure after
    the last success; empty = all is well. `disabled_reason` is set when the system switched the endpoint off.
    """

    class DisabledReason(models.TextChoices):
        """Why the system switched it off."""

        GONE = "gone", _("O destino respondeu 410: não quer mais receber")
        FAILING = "failing", _("Nenhuma entrega deu certo em cinco dias")

    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    name = models.CharField(_("nome"), max_length=80)
    url = models.URLField(_("endereço"), max_length=500)
    events = models.JSONField(_("eventos"), default=all_events)
    include_contact = models.BooleanField(
        _("enviar nome e contatos"),
        default=False,
        help_text=_("Inclui nome, telefone e e-mail do cliente. Sem isso, só números e situação."),
    )
    is_enabled = models.BooleanField(_("ligado"), default=True)
    secret = EncryptedTextField(_("segredo"), editable=False)
    previous_secret = EncryptedTextField(_("segredo anterior"), blank=True, default="", editable=False)
    previous_secret_until = models.DateTimeField(_("segredo anterior até"), null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(_("falhando desde"), null=True, blank=True, editable=False)
    disabled_at = models.DateTimeField(_("desligado em"), null=True, blank=True, editable=False)
    disabled_reason = models.CharField(
        _("motivo"), max_length=12, choices=DisabledReason, blank=True, default="", editable=False
    )
    created_at = models.DateTimeField(_("criado em"), default=timezone.now, editable=False)

    SECRET_FIELDS: ClassVar = ("secret", "previous_secret")

    class Meta:
        verbose_name = _("webhook de saída")
        verbose_name_plural = _("webhooks de saída")
        ordering: ClassVar = ["company", "name"]
        indexes: ClassVar = [
            # Asked with every event: is anybody to be told?
            models.Index(fields=["company"], name="webhook_endpoint_enabled", condition=models.Q(is_enabled=True)),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One event that one endpoint is to be told: the outbox and, once settled, the log.

    Written in the transaction of its ledger entry (empty for a test). `payload` is sent byte for byte at every try,
    under the same `message_id`. `leased_until` and `lease_token`: whose the try is that is going on.
    `next_try_at` is empty when it is settled; `last_status` when there was no answer.
    """

    class State(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("Na fila")
        DELIVERED = "delivered", _("Entregue")
        FAILED = "failed", _("Não entregue")

    class Error(models.TextChoices):
        """Why the last try was no success. Never the answer's text: it would show what an address leads to."""

        BAD_URL = "bad_url", _("O endereço não pode ser usado")
        NO_ADDRESS = "no_address", _("O nome do servidor não existe")
        BLOCKED = "blocked", _("O endereço leva para dentro de uma rede privada")
        INSECURE = "insecure", _("O endereço precisa ser https")
        NO_CONNECTION = "no_connection", _("Sem conexão")
        TLS = "tls", _("O certificado do servidor não é válido")
        TIMEOUT = "timeout", _("Demorou demais")
        BAD_ANSWER = "bad_answer", _("A resposta não é HTTP ou foi cortada")
        STATUS = "status", _("Resposta diferente de 2xx")
        REDIRECT = "redirect", _("Redirecionamento, que não é seguido")
        GONE = "gone", _("O destino não quer mais receber (410)")
        SECRET = "secret", _("O segredo não pôde ser lido")
        INTERNAL = "internal", _("Erro interno")

    # No constraint: an endpoint that is deleted at this moment must not undo what happened to the request.
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        verbose_name=_("destino"),
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="deliveries",
    )
    ledger_entry = models.ForeignKey(
        "requests_app.LedgerEntry",
        verbose_name=_("registro do histórico"),
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
    )
    event = models.CharField(_("evento"), max_length=32, choices=WebhookEvent)
    message_id = models.CharField("webhook-id", max_length=40, unique=True)
    payload = models.TextField(_("conteúdo"))
    created_at = models.DateTimeField(_("criada em"), default=timezone.now)
    state = models.CharField(_("estado"), max_length=12, choices=State, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(_("tentativas"), default=0)
    next_try_at = models.DateTimeField(_("próxima tentativa"), null=True)
    leased_until = models.DateTimeField(null=True)
    lease_token = models.UUIDField(null=True)
    last_try_at = models.DateTimeField(_("última tentativa"), null=True)
    last_status = models.PositiveSmallIntegerField(_("último status HTTP"), null=True)
    last_error = models.CharField(_("último erro"), max_length=16, choices=Error, blank=True, default="")
    last_duration_ms = models.PositiveIntegerField(_("duração (ms)"), null=True)
    delivered_at = models.DateTimeField(_("entregue em"), null=True)

    class Meta:
        verbose_name = _("entrega de webhook")
        verbose_name_plural = _("entregas de webhook")
        permissions: ClassVar = [("resend_webhookdelivery", _("Pode enviar de novo"))]
        constraints: ClassVar = [
            # An endpoint is told once of one thing that happened.
            models.UniqueConstraint(fields=["endpoint", "ledger_entry"], name="webhook_delivery_once"),
            # What waits has its time, what is settled has none.
            models.CheckConstraint(
                condition=models.Q(state="pending", next_try_at__isnull=False)
                | models.Q(state__in=["delivered", "failed"], next_try_at=None),
                name="webhook_delivery_pending_has_time",
            ),
        ]
        indexes: ClassVar = [
            # The queue: what is due, and what is under way, endpoint by endpoint.
            models.Index(
                fields=["endpoint", "next_try_at"],
                name="webhook_delivery_queue",
                condition=models.Q(state="pending"),
            ),
            # The log in its order, and its end that is thrown away.
            models.Index(fields=["-created_at", "-id"], name="webhook_delivery_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()} ({self.message_id})"
