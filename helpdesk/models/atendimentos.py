"""Atendimentos: one conversation each, its labels, and how it changed hands."""

from __future__ import annotations

from typing import ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from helpdesk.models.base import Record
from helpdesk.models.channels import Channel
from helpdesk.models.people import Attendant, Contact, ContactAddress, Team
from helpdesk.querysets import AtendimentoQuerySet, CompanyQuerySet
from helpdesk.states import OPEN, AtendimentoState, Category, ClosedWith, Platform, TransferReason

PROTOCOL_DIGITS: Final = 8


class Tag(Record):
    """A label that a company sticks on its atendimentos."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    title = models.CharField(_("título"), max_length=60)
    colour = models.CharField(_("cor"), max_length=7, default="#607d8b")

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("marcador")
        verbose_name_plural = _("marcadores")
        ordering: ClassVar = ["title"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["company", "title"], name="tag_title_unique")]

    def __str__(self) -> str:
        return self.title


class Atendimento(Record):
    """One conversation between a contact and a company, from its first message to its end.

    `number` runs over the installation, `company_number` over the company without gaps (the protocol).
    `contact`, `channel`, `address` may be empty only where Salvar made the row. `attendant` = who holds it, a person
    or an automation. At most one of `responsible_attendant` and `responsible_team` is set; neither = the company.
    `started_at` outlives a transfer, `is_started` does not. `waiting_since` empty = the requester does not wait;
    `auto_replied_at` is of this waiting. `needs_human` = no automation may answer any more.
    `requester_at`, `attendant_at` = the last interaction of either side; automatic replies are none.
    `last_message` is the newest that is no note. `collected_up_to` = the data of messages up to this number was read.
    `flow_step`, `flow_misses` = where the bot is, and how many answers in a row it did not understand.
    `reached_at` = the requester and a person talked here, which no other app was told yet; empty = nothing to tell.
    `call_request_id`, `phone_e164` tie it to a call; no constraint, because the other app owns them.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    number = models.BigIntegerField(_("autonumeração"), unique=True, editable=False)
    company_number = models.BigIntegerField(_("protocolo"), editable=False)
    title = models.CharField(_("título"), max_length=200, blank=True)
    category = models.PositiveSmallIntegerField(_("categoria"), choices=Category, default=Category.UNSORTED)
    platform = models.PositiveSmallIntegerField(_("plataforma"), choices=Platform, default=Platform.OTHER)
    channel = models.ForeignKey(
        Channel, verbose_name=_("canal"), on_delete=models.PROTECT, null=True, blank=True, related_name="atendimentos"
    )
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("solicitante"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="atendimentos",
    )
    address = models.ForeignKey(
        ContactAddress,
        verbose_name=_("forma de contato"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="atendimentos",
    )
    state = models.CharField(
        pgettext_lazy("atendimento", "estado"),
        max_length=12,
        choices=AtendimentoState,
        default=AtendimentoState.QUEUED,
        editable=False,
    )
    attendant = models.ForeignKey(
        Attendant,
        verbose_name=_("atendente"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="atendimentos",
    )
    responsible_attendant = models.ForeignKey(
        Attendant,
        verbose_name=_("responsável (pessoa)"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    responsible_team = models.ForeignKey(
        Team,
        verbose_name=_("responsável (equipe)"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="atendimentos",
    )
    is_started = models.BooleanField(_("iniciado"), default=False, editable=False)
    needs_human = models.BooleanField(_("precisa de uma pessoa"), default=False)
    is_waiting = models.BooleanField(_("solicitante em espera"), default=False, editable=False)
    waiting_since = models.DateTimeField(_("em espera desde"), null=True, blank=True, editable=False)
    auto_replied_at = models.DateTimeField(_("resposta automática em"), null=True, blank=True, editable=False)
    started_at = models.DateTimeField(_("início"), null=True, blank=True)
    closed_at = models.DateTimeField(_("término"), null=True, blank=True)
    closed_with = models.CharField(_("encerrado por"), max_length=12, choices=ClosedWith, blank=True, editable=False)
    requester_at = models.DateTimeField(_("última do solicitante"), null=True, blank=True, editable=False)
    attendant_at = models.DateTimeField(_("última do atendente"), null=True, blank=True, editable=False)
    unread = models.PositiveIntegerField(_("não lidas"), default=0, editable=False)
    last_message = models.ForeignKey(
        "helpdesk.Message",
        verbose_name=_("última mensagem"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        editable=False,
        related_name="+",
    )
    last_message_number = models.BigIntegerField(default=0, editable=False)
    is_private = models.BooleanField(_("privado"), default=False)
    access_granted = models.TextField(
        _("acesso liberado"), blank=True, help_text=_("Hashes ou e-mails de quem pode ver um privado, com vírgulas.")
    )
    is_notifiable = models.BooleanField(_("notificável"), default=True)
    notes = models.TextField(_("observações adicionais"), blank=True)
    is_internal_chat = models.BooleanField(_("chat interno"), default=False, editable=False)
    origin = models.ForeignKey(
        "self",
        verbose_name=_("continuação de"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="continuations",
    )
    tags = models.ManyToManyField(Tag, verbose_name=_("marcadores"), related_name="atendimentos", blank=True)
    flow_step = models.ForeignKey(
        "helpdesk.FlowStep",
        verbose_name=_("passo do bot"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    flow_misses = models.PositiveSmallIntegerField(default=0, editable=False)
    collected_up_to = models.BigIntegerField(default=0, editable=False)
    reminders = models.PositiveSmallIntegerField(_("lembretes enviados"), default=0, editable=False)
    reminded_at = models.DateTimeField(_("último lembrete"), null=True, blank=True, editable=False)
    given_at = models.DateTimeField(_("com o atendente desde"), null=True, blank=True, editable=False)
    reached_at = models.DateTimeField(null=True, blank=True, editable=False)
    call_request_id = models.BigIntegerField(_("pedido de ligação"), null=True, blank=True, editable=False)
    phone_e164 = models.CharField(_("número da ligação"), max_length=16, blank=True, editable=False)
    created_by = models.ForeignKey(
        Attendant,
        verbose_name=_("criado por"),
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    updated_by = models.ForeignKey(
        Attendant,
        verbose_name=_("alterado por"),
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    deleted_at = models.DateTimeField(_("excluído em"), null=True, blank=True, editable=False)

    objects = AtendimentoQuerySet.as_manager()

    class Meta:
        verbose_name = _("atendimento")
        verbose_name_plural = _("atendimentos")
        permissions: ClassVar = [
            ("answer_atendimento", _("Pode responder atendimentos")),
            ("assign_atendimento", _("Pode encaminhar atendimentos de outros")),
            ("close_atendimento", _("Pode encerrar atendimentos")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["company", "company_number"], name="atendimento_protocol_unique"),
            # A contact has one open conversation on a channel. Also how an inbound message finds it.
            models.UniqueConstraint(
                fields=["contact", "channel"],
                name="atendimento_one_open_per_contact",
                condition=Q(state__in=OPEN, deleted_at=None),
            ),
            models.CheckConstraint(condition=Q(state__in=AtendimentoState.values), name="atendimento_state_known"),
            # Nobody holds what is in the queue, somebody holds the rest.
            models.CheckConstraint(
                condition=Q(state="closed")
                | Q(state="queued", attendant=None)
                | Q(state__in=["automatic", "assigned", "in_service"], attendant__isnull=False),
                name="atendimento_holder_fits_state",
            ),
            models.CheckConstraint(
                condition=Q(responsible_attendant=None) | Q(responsible_team=None), name="atendimento_one_responsible"
            ),
            models.CheckConstraint(
                condition=Q(state="closed")
                | Q(state="in_service", is_started=True)
                | Q(state__in=["queued", "automatic", "assigned"], is_started=False),
                name="atendimento_started_fits_state",
            ),
            models.CheckConstraint(
                condition=Q(is_waiting=False, waiting_since=None) | Q(is_waiting=True, waiting_since__isnull=False),
                name="atendimento_waits_since",
            ),
        ]
        indexes: ClassVar = [
            # The attendant's list: the open ones, the latest message first.
            models.Index(
                fields=["company", "-last_message_number", "-number"],
                name="atendimento_open",
                condition=Q(state__in=OPEN, deleted_at=None),
            ),
            # What somebody holds now: their list, and their load.
            models.Index(
                fields=["attendant", "-last_message_number"],
                name="atendimento_held",
                condition=Q(state__in=OPEN, deleted_at=None),
            ),
            # What waits in the queues and for an answer, the longest first.
            models.Index(
                fields=["company", "waiting_since"],
                name="atendimento_waiting",
                condition=Q(is_waiting=True, deleted_at=None),
            ),
            # Everything of a company, newest first (Listar, the report, the admin).
            models.Index(fields=["company", "-number"], name="atendimento_by_number", condition=Q(deleted_at=None)),
            # ListarRecentes.
            models.Index(fields=["company", "-updated_at"], name="atendimento_by_change", condition=Q(deleted_at=None)),
            # All of one contact, newest first.
            models.Index(fields=["contact", "-number"], name="atendimento_of_contact"),
            # The dashboard's today.
            models.Index(fields=["company", "closed_at"], name="atendimento_by_end", condition=Q(state="closed")),
            models.Index(fields=["company", "created_at"], name="atendimento_by_birth"),
            # Whom other apps need not reach any more.
            models.Index(fields=["reached_at"], name="atendimento_reached", condition=Q(reached_at__isnull=False)),
            # The conversation of a call.
            models.Index(
                fields=["call_request_id"], name="atendimento_of_call", condition=Q(call_request_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.protocol} {self.title}".strip()

    @property
    def protocol(self) -> str:
        """The company's number as people read it (AtendimentoCodigo)."""
        return f"{self.company_number:0{PROTOCOL_DIGITS}d}"

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor deleted."""
        return self.state != AtendimentoState.CLOSED and self.deleted_at is None


class Transfer(models.Model):
    """That an atendimento passed from one holder to another; empty = the queue of the company, or the system.

    Written once, in the transaction of the move.
    """

    atendimento = models.ForeignKey(
        Atendimento, verbose_name=_("atendimento"), on_delete=models.CASCADE, related_name="transfers"
    )
    at = models.DateTimeField(_("quando"), default=timezone.now)
    reason = models.CharField(_("motivo"), max_length=24, choices=TransferReason)
    from_attendant = models.ForeignKey(
        Attendant, verbose_name=_("de"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    from_team = models.ForeignKey(
        Team, verbose_name=_("da equipe"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    to_attendant = models.ForeignKey(
        Attendant, verbose_name=_("para"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    to_team = models.ForeignKey(
        Team, verbose_name=_("para a equipe"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    by = models.ForeignKey(Attendant, verbose_name=_("por"), on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("transferência")
        verbose_name_plural = _("transferências")
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [
            # The history of one conversation.
            models.Index(fields=["atendimento", "id"], name="transfer_by_atendimento"),
        ]

    def __str__(self) -> str:
        return self.get_reason_display()
