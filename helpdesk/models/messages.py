"""What is said: messages and their attachments, drafts, canned and scheduled messages."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from helpdesk.models.atendimentos import Atendimento
from helpdesk.models.base import Record
from helpdesk.models.people import Attendant, Contact
from helpdesk.querysets import CompanyQuerySet
from helpdesk.states import Delivery, Platform, ScheduledState


class Message(Record):
    """One message. `is_inbound` = the requester wrote it; else `attendant` did, or the system where that is empty.

    `number` runs over the installation in the order in which messages become visible. `company`, `contact` and
    `platform` are the atendimento's, kept here for the lists. `is_internal` = a note that no requester ever sees.
    `is_automatic` = sent by a rule; it neither ends the wait nor counts as an answer. `read_at` is of a requester's.
    `external_id` = the medium's own id, by which a repeated inbound message is known.
    `answered_at` = the automation dealt with it. `confidence` (0 to 1) and `sources` are of an IA's.
    `next_attempt_at` is set while `delivery` is pending.
    """

    atendimento = models.ForeignKey(
        Atendimento, verbose_name=_("atendimento"), on_delete=models.CASCADE, related_name="messages"
    )
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    contact = models.ForeignKey(
        Contact, verbose_name=_("solicitante"), on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    platform = models.PositiveSmallIntegerField(_("plataforma"), choices=Platform)
    number = models.BigIntegerField(_("autonumeração"), unique=True, editable=False)
    attendant = models.ForeignKey(
        Attendant,
        verbose_name=_("atendente"),
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="messages",
    )
    text = models.TextField(_("mensagem"), blank=True)
    is_inbound = models.BooleanField(_("do solicitante"), default=False)
    is_internal = models.BooleanField(_("nota interna"), default=False)
    is_automatic = models.BooleanField(_("automática"), default=False)
    flow_step = models.ForeignKey(
        "helpdesk.FlowStep",
        verbose_name=_("passo do bot"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    read_at = models.DateTimeField(_("lida em"), null=True, blank=True)
    answered_at = models.DateTimeField(_("tratada pela automação em"), null=True, blank=True)
    confidence = models.FloatField(_("confiança"), null=True, blank=True)
    sources = models.JSONField(_("fontes"), default=list, blank=True)
    external_id = models.CharField(_("id no meio"), max_length=190, blank=True)
    delivery = models.CharField(_("envio"), max_length=8, choices=Delivery, default=Delivery.NONE)
    attempts = models.PositiveSmallIntegerField(_("tentativas"), default=0)
    next_attempt_at = models.DateTimeField(_("próxima tentativa"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("enviada em"), null=True, blank=True)
    delivery_error = models.CharField(_("erro no envio"), max_length=200, blank=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("mensagem")
        verbose_name_plural = _("mensagens")
        ordering: ClassVar = ["number"]
        permissions: ClassVar = [("resend_message", _("Pode enviar de novo"))]
        constraints: ClassVar = [
            # A medium that sends a message twice is heard once.
            models.UniqueConstraint(
                fields=["company", "external_id"], name="message_external_id_once", condition=~Q(external_id="")
            ),
            models.CheckConstraint(
                condition=Q(is_inbound=False)
                | Q(is_inbound=True, attendant=None, is_automatic=False, is_internal=False, delivery="none"),
                name="message_inbound_is_the_requesters",
            ),
            models.CheckConstraint(
                condition=Q(delivery="pending", next_attempt_at__isnull=False)
                | (~Q(delivery="pending") & Q(next_attempt_at=None)),
                name="message_pending_has_time",
            ),
        ]
        indexes: ClassVar = [
            # One conversation in its order.
            models.Index(fields=["atendimento", "number"], name="message_by_atendimento"),
            # The reader that polls for the site's chats (ObterNovasMensagensChatSiteSse).
            models.Index(
                fields=["company", "platform", "number"], name="message_by_medium", condition=Q(is_internal=False)
            ),
            # The open conversations with what the contact wrote earlier (ListarMensagensEmAberto).
            models.Index(fields=["contact", "number"], name="message_by_contact"),
            # The dashboard's messages of today.
            models.Index(fields=["company", "created_at"], name="message_by_date"),
            # What is to be delivered.
            models.Index(fields=["next_attempt_at"], name="message_to_deliver", condition=Q(delivery="pending")),
            # What was not.
            models.Index(fields=["company", "-number"], name="message_failed", condition=Q(delivery="failed")),
            # Read receipts and what is not read.
            models.Index(fields=["atendimento"], name="message_unread", condition=Q(is_inbound=True, read_at=None)),
        ]

    def __str__(self) -> str:
        return str(self.number)


class Attachment(Record):
    """A file of a message; `file` is kept here, `url` is where a medium keeps it. One of them is set."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    message = models.ForeignKey(
        Message, verbose_name=_("mensagem"), on_delete=models.CASCADE, related_name="attachments"
    )
    name = models.CharField(_("nome do arquivo"), max_length=200)
    extension = models.CharField(_("extensão"), max_length=16, blank=True)
    content_type = models.CharField(_("tipo"), max_length=100, blank=True)
    size = models.PositiveBigIntegerField(_("tamanho"), default=0)
    file = models.FileField(_("arquivo"), upload_to="helpdesk/%Y/%m", max_length=255, blank=True)
    url = models.URLField(_("endereço"), max_length=1000, blank=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("anexo")
        verbose_name_plural = _("anexos")
        ordering: ClassVar = ["created_at"]

    def __str__(self) -> str:
        return self.name


class ReplyDraft(Record):
    """An answer that an IA proposes to the people; `used_at` or `discarded_at` ends its life."""

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    atendimento = models.ForeignKey(
        Atendimento, verbose_name=_("atendimento"), on_delete=models.CASCADE, related_name="drafts"
    )
    attendant = models.ForeignKey(Attendant, verbose_name=_("IA"), on_delete=models.PROTECT, related_name="drafts")
    answers = models.ForeignKey(
        Message, verbose_name=_("responde a"), on_delete=models.CASCADE, null=True, related_name="drafts"
    )
    text = models.TextField(_("texto"))
    confidence = models.FloatField(_("confiança"), null=True)
    sources = models.JSONField(_("fontes"), default=list)
    used_at = models.DateTimeField(_("usado em"), null=True, blank=True)
    discarded_at = models.DateTimeField(_("descartado em"), null=True, blank=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("rascunho da IA")
        verbose_name_plural = _("rascunhos da IA")
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            # A message is answered by one draft.
            models.UniqueConstraint(
                fields=["answers"], name="draft_one_per_message", condition=Q(answers__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.text[:60]


class CannedMessage(Record):
    """A ready answer of a company. `platform` empty = for every medium; `shortcut` empty = has no number to type.

    The text may name `{nome}`, `{primeiro_nome}`, `{protocolo}`, `{atendente}`, `{empresa}`, `{saudacao}`.
    """

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    title = models.CharField(_("título"), max_length=120)
    shortcut = models.PositiveIntegerField(_("atalho numérico"), null=True, blank=True)
    text = models.TextField(_("texto"))
    platform = models.PositiveSmallIntegerField(_("plataforma"), choices=Platform, null=True, blank=True)
    is_active = models.BooleanField(_("ativa"), default=True)
    ia_may_use = models.BooleanField(_("a IA pode usar"), default=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("mensagem padrão")
        verbose_name_plural = _("mensagens padrão")
        ordering: ClassVar = ["title"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["company", "shortcut"], name="canned_shortcut_unique", condition=Q(shortcut__isnull=False)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["company", "title"], name="canned_by_title"),
        ]

    def __str__(self) -> str:
        return self.title


class ScheduledMessage(Record):
    """A message for later, in the name of `attendant`; `due_at` is a full minute.

    `message` is set when it was sent. `reason` says why it was not.
    """

    class Reason(models.TextChoices):
        """Why it was not sent."""

        CLOSED = "closed", _("O atendimento foi concluído antes")
        DELETED = "deleted", _("O atendimento foi excluído")
        PERSON = "person", _("Cancelada por uma pessoa")
        REFUSED = "refused", _("A mensagem não pôde ser enviada")

    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    atendimento = models.ForeignKey(
        Atendimento, verbose_name=_("atendimento"), on_delete=models.CASCADE, related_name="scheduled"
    )
    attendant = models.ForeignKey(
        Attendant, verbose_name=_("atendente"), on_delete=models.PROTECT, related_name="scheduled"
    )
    text = models.TextField(_("mensagem"))
    due_at = models.DateTimeField(_("enviar em"))
    state = models.CharField(
        pgettext_lazy("mensagem agendada", "situação"),
        max_length=10,
        choices=ScheduledState,
        default=ScheduledState.PENDING,
    )
    reason = models.CharField(_("motivo"), max_length=12, choices=Reason, blank=True)
    message = models.OneToOneField(
        Message, verbose_name=_("mensagem enviada"), on_delete=models.SET_NULL, null=True, related_name="scheduled_as"
    )
    settled_at = models.DateTimeField(_("resolvida em"), null=True, blank=True)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("mensagem agendada")
        verbose_name_plural = _("mensagens agendadas")
        ordering: ClassVar = ["due_at"]
        indexes: ClassVar = [
            # What is due.
            models.Index(fields=["due_at"], name="scheduled_due", condition=Q(state="pending")),
            # What is cancelled with its atendimento, and shown in its thread.
            models.Index(fields=["atendimento", "due_at"], name="scheduled_by_atendimento"),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.due_at):%d/%m/%Y %H:%M}"
