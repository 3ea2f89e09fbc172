"""Call requests, their append-only ledger, and small mirrors of the shop's orders and products."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from callcenter.lib.phones import display
from requests_app.models.json_text import JsonTextField
from requests_app.querysets import CallRequestQuerySet
from requests_app.states import OPEN, Hold, Outcome, Priority, Reach, Source, Status

if TYPE_CHECKING:
    from datetime import datetime


class CallRequest(models.Model):
    """One wish to be called back. The fields are CS-Cart's, plus what Venddor and dialing need.

    `phone` is kept as typed; `phone_e164` is empty when it can't be dialed. `order_number`, `product_number` 0 = none.
    `notes` null = never set. `due_at` empty = the dialer leaves it alone, and `hold_reason` says why.
    `postponed_until` empty = nobody put the call off; an instant in the past says nothing any more.
    `in_flight` = a call attempt is open; only telephony's claim sets it and only that attempt's end clears it.
    """

    # No indexes of their own for the foreign keys: others below begin with them, and each is written with every move.
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT, db_index=False)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.NEW)
    requested_at = models.DateTimeField(_("pedido em"), default=timezone.now)
    name = models.CharField(_("nome"), max_length=250, blank=True)
    phone = models.CharField(_("telefone"), max_length=128, blank=True)
    phone_e164 = models.CharField(_("número discado"), max_length=16, blank=True, editable=False)
    email = models.EmailField(_("e-mail"), max_length=254, blank=True)
    time_from = models.CharField(_("ligar a partir de"), max_length=32, blank=True)
    time_to = models.CharField(_("ligar até"), max_length=32, blank=True)
    notes = models.TextField(_("observações"), null=True, blank=True)  # noqa: DJ001 - the API tells "never set" (null) from ""
    cart_products = JsonTextField(_("carrinho"), null=True, blank=True)
    order_number = models.PositiveBigIntegerField(_("pedido da loja"), default=0)
    product_number = models.PositiveBigIntegerField(_("produto"), default=0)
    responsible = models.ForeignKey(
        "accounts.User",
        verbose_name=_("responsável"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="call_requests",
        db_index=False,
    )
    priority = models.SmallIntegerField(_("prioridade"), choices=Priority, default=Priority.NORMAL)
    wanted_at = models.DateTimeField(_("horário desejado"), null=True, blank=True)

    due_at = models.DateTimeField(_("próxima ligação"), null=True, blank=True, editable=False)
    postponed_until = models.DateTimeField(_("adiado até"), null=True, blank=True, editable=False)
    in_flight = models.BooleanField(_("chamada em curso"), default=False, editable=False)
    hold_reason = models.CharField(
        pgettext_lazy("pedido", "situação"), max_length=24, choices=Hold, blank=True, default="", editable=False
    )
    attempts = models.PositiveSmallIntegerField(_("tentativas"), default=0, editable=False)
    last_outcome = models.CharField(_("último resultado"), max_length=12, choices=Outcome, blank=True, editable=False)
    completed_at = models.DateTimeField(_("concluído em"), null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(_("alterado em"), null=True, blank=True, editable=False)
    source = models.CharField(_("origem"), max_length=8, choices=Source, default=Source.ADMIN, editable=False)

    # Not stored: the slot that this change gave the callback, for whoever answers the caller.
    booked_at: datetime | None = None

    objects = CallRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("pedido de ligação")
        verbose_name_plural = _("pedidos de ligação")
        permissions: ClassVar = [
            ("dial_callrequest", _("Pode mandar ligar agora")),
            ("assign_callrequest", _("Pode atribuir a um responsável")),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(status__in=Status.values), name="call_request_status_known"),
            # What is being dialed is not due a second time.
            models.CheckConstraint(
                condition=models.Q(in_flight=False) | models.Q(due_at=None), name="call_request_in_flight_not_due"
            ),
        ]
        indexes: ClassVar = [
            # The dialer's queue: the due requests of one company, urgent first, then the longest waiting.
            models.Index(
                fields=["company", "-priority", "due_at", "id"],
                name="call_request_queue",
                condition=models.Q(due_at__isnull=False),
            ),
            # The API's and the admin's list in its default order, whole and per status.
            models.Index(fields=["-requested_at", "-id"], name="call_request_by_date"),
            models.Index(fields=["status", "-requested_at", "-id"], name="call_request_by_status"),
            models.Index(fields=["company", "status", "-requested_at", "-id"], name="call_request_by_company"),
            # The same for users who are bound to one company.
            models.Index(fields=["company", "-requested_at", "-id"], name="call_request_of_company"),
            # "My requests".
            models.Index(fields=["responsible", "status"], name="call_request_by_responsible"),
            # The API's user_id filter.
            models.Index(
                fields=["responsible", "-requested_at", "-id"],
                name="call_request_of_responsible",
                condition=models.Q(responsible__isnull=False),
            ),
            # The callbacks of a quarter of an hour, and those whose time has passed.
            models.Index(
                fields=["company", "wanted_at"],
                name="call_request_open_by_wanted",
                condition=models.Q(wanted_at__isnull=False, status__in=OPEN),
            ),
            # How many open requests wait for what, and which of those are due by now.
            models.Index(
                fields=["company", "hold_reason", "due_at"],
                name="call_request_open_by_hold",
                condition=models.Q(status__in=OPEN),
            ),
            # The requests made with an order, and those of certain orders.
            models.Index(
                fields=["company", "order_number"],
                name="call_request_of_order",
                condition=models.Q(order_number__gt=0),
            ),
            # Every request of one number.
            models.Index(fields=["phone_e164"], name="call_request_by_phone"),
            # The nightly check: what is said to be in flight, and what is open and has neither a call nor a time.
            models.Index(fields=["id"], name="call_request_flying", condition=models.Q(in_flight=True)),
            models.Index(
                fields=["hold_reason"],
                name="call_request_without_time",
                condition=models.Q(status__in=OPEN, in_flight=False, due_at__isnull=True),
            ),
            # Duplicates among the open requests that have no number to dial: the same text, or the same address.
            models.Index(
                fields=["company", "phone"],
                name="call_request_open_by_text",
                condition=models.Q(phone_e164="", status__in=OPEN),
            ),
            models.Index(
                fields=["company", "email"],
                name="call_request_open_by_email",
                condition=models.Q(phone="", status__in=OPEN),
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name or self.phone_display or self.email}"

    @property
    def phone_display(self) -> str:
        """The number as Brazilians write it, or the text as it was typed."""
        return display(self.phone_e164) or self.phone

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to be called."""
        return self.status in {Status.NEW, Status.IN_PROGRESS}


# Reasons that are neither a hold nor an outcome, as the services write them.
_MOVE_LABELS: Final = {
    "dialed": _("Primeira ligação feita"),
    "dial_now": _("Mandado ligar agora"),
    "late_news": _("Notícia atrasada da operadora"),
    "dropped_call": _("A ligação caiu: retorno pedido"),
    "retry_rule": _("A regra de nova tentativa mudou"),
    "slot": _("O horário pedido tinha vaga"),
    "slot_full": _("O horário pedido estava cheio: foi dado o próximo horário livre"),
    "slot_none": _("Não há horário livre: ficou o horário pedido"),
    "missed": _("O horário passou sem ligação"),
    "missed_retry_now": _("Horário perdido: ligar agora"),
    "missed_next_day": _("Horário perdido: dia seguinte"),
    "missed_reassign": _("Horário perdido: com um atendente"),
    "missed_close": _("Horário perdido: encerrado"),
}


class LedgerEntry(models.Model):
    """One thing that happened to a call request; written once, never changed, and kept when the request is deleted.

    `detail` holds codes and ids, never a number, a name or a text that a person typed. `number` in it is the digest of
    the number that the caller gave: with source and actor the evidence of who asked to be called, when and where.
    """

    class Kind(models.TextChoices):
        """What happened."""

        CREATED = "created", _("Pedido recebido")
        EDITED = "edited", _("Dados alterados")
        STATUS = "status", _("Mudança de status")
        SCHEDULED = "scheduled", _("Próxima ligação marcada")
        CLAIMED = "claimed", _("Discador assumiu")
        RELEASED = "released", _("Devolvido à fila")
        ANSWERED = "answered", _("Cliente atendeu")
        OUTCOME = "outcome", _("Resultado da chamada")
        IN_DOUBT = "in_doubt", _("Chamada em dúvida")
        ASSIGNED = "assigned", _("Responsável alterado")
        DELETED = "deleted", _("Pedido excluído")
        DUPLICATE = "duplicate", _("Pedido repetido recebido")
        HELD = "held", _("Ligação impedida")

    # No constraint: the entries of a deleted request stay, under its number; and its company is the request's.
    call_request = models.ForeignKey(
        CallRequest,
        verbose_name=_("pedido de ligação"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="ledger",
    )
    company = models.ForeignKey(
        "accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT, db_constraint=False
    )
    at = models.DateTimeField(_("quando"), default=timezone.now)
    kind = models.CharField(_("o quê"), max_length=12, choices=Kind)
    source = models.CharField(_("origem"), max_length=8, choices=Source)
    actor = models.ForeignKey(
        "accounts.User",
        verbose_name=_("quem"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    from_status = models.CharField(_("de"), max_length=12, choices=Status, blank=True)
    to_status = models.CharField(_("para"), max_length=12, choices=Status, blank=True)
    reason = models.CharField(_("motivo"), max_length=32, blank=True)
    detail = models.JSONField(_("detalhe"), default=dict, blank=True)

    class Meta:
        verbose_name = _("registro do histórico")
        verbose_name_plural = _("histórico")
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [
            # The timeline of one request.
            models.Index(fields=["call_request", "id"], name="ledger_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.at:%d/%m/%Y %H:%M})"

    @property
    def reason_display(self) -> str:
        """The reason as staff read it, or its code where it has no label."""
        labels = {**dict(Outcome.choices), **dict(Hold.choices), **dict(Reach.choices), **_MOVE_LABELS}
        return str(labels.get(self.reason, self.reason))


class Order(models.Model):
    """A mirror of one order of a shop, for the API's order filters; `status` is the shop's one letter."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    number = models.PositiveBigIntegerField(_("número"))
    status = models.CharField(_("status"), max_length=1)
    email = models.EmailField(_("e-mail do cliente"), max_length=254, blank=True)

    class Meta:
        verbose_name = _("pedido da loja")
        verbose_name_plural = _("pedidos da loja")
        ordering: ClassVar = ["company", "-number"]
        constraints: ClassVar = [
            # Also the join of the API's list.
            models.UniqueConstraint(fields=["company", "number"], name="order_unique"),
        ]
        indexes: ClassVar = [
            # The API's order_status and order_email filters.
            models.Index(fields=["status", "company", "number"], name="order_by_status"),
            models.Index(Upper("email"), name="order_by_email"),
        ]

    def __str__(self) -> str:
        return f"{self.number} ({self.status})"


def names_by_language(names: object) -> None:
    """Nothing, when it is a map of two letters to names.

    Errors: `ValidationError`.
    """
    if not isinstance(names, dict) or not all(
        re.fullmatch("[a-z]{2}", str(code)) and isinstance(name, str) and len(name) <= 255
        for code, name in names.items()
    ):
        raise ValidationError(_('Use duas letras e um nome para cada idioma: {"en": "Green tea"}.'))


class Product(models.Model):
    """A mirror of one product of a shop: the name that the API shows beside its number.

    `names` maps a language's two letters to the name in it; for any other language `name` is shown.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    number = models.PositiveBigIntegerField(_("número"))
    name = models.CharField(_("nome"), max_length=255)
    names = models.JSONField(
        _("nomes em outros idiomas"),
        default=dict,
        blank=True,
        validators=[names_by_language],
        help_text=_('Por exemplo {"en": "Green tea"}, para quem pede com lang_code=en.'),
    )

    class Meta:
        verbose_name = _("produto")
        verbose_name_plural = _("produtos")
        ordering: ClassVar = ["company", "name"]
        constraints: ClassVar = [
            # Also the join of the API's list.
            models.UniqueConstraint(fields=["company", "number"], name="product_unique"),
        ]

    def __str__(self) -> str:
        return self.name
