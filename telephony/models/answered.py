"""Answered calls and the helpdesk: the conversation that each opened, and what followed where one dropped."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from callcenter.lib.phones import display
from telephony.models.attempts import CallAttempt
from telephony.states import AfterDrop, DropReason


class AnsweredCall(models.Model):
    """An answered call of a company that leads conversations on the telephone; one row a call.

    `due_at` empty = the helpdesk has it as it is now; news of the call sets it anew, with another `token`.
    `atendimento_id`, `callback_request_id` have no constraint, because other apps own those rows. `drop` empty = the
    call did not drop, as far as is known. `talked_seconds` empty = the news don't say how long.
    `nth_callback` = how many drops in a row there are with this one, 0 without one.
    """

    attempt = models.OneToOneField(
        CallAttempt,
        verbose_name=_("tentativa"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="answered_call",
    )
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    token = models.UUIDField(default=uuid.uuid4, editable=False)
    due_at = models.DateTimeField(null=True, editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    problem = models.CharField(_("problema"), max_length=32, blank=True, editable=False)
    atendimento_id = models.UUIDField(_("atendimento"), null=True, editable=False)
    protocol = models.CharField(_("protocolo"), max_length=20, blank=True, editable=False)
    drop = models.CharField(_("como caiu"), max_length=8, choices=DropReason, blank=True, editable=False)
    dropped_at = models.DateTimeField(_("caiu em"), null=True, editable=False)
    talked_seconds = models.PositiveIntegerField(_("segundos de conversa"), null=True, editable=False)
    after = models.CharField(_("o que se fez"), max_length=10, choices=AfterDrop, blank=True, editable=False)
    callback_request_id = models.BigIntegerField(_("pedido de retorno"), null=True, editable=False)
    nth_callback = models.PositiveSmallIntegerField(_("queda seguida"), default=0, editable=False)

    class Meta:
        verbose_name = _("ligação que caiu")
        verbose_name_plural = _("ligações que caíram")
        constraints: ClassVar = [
            # One drop leads to one callback, and one callback comes from one drop.
            models.UniqueConstraint(
                fields=["callback_request_id"],
                condition=Q(callback_request_id__isnull=False),
                name="answered_call_callback_unique",
            ),
        ]
        indexes: ClassVar = [
            # What the helpdesk does not have yet.
            models.Index(fields=["due_at"], name="answered_call_due", condition=Q(due_at__isnull=False)),
            # The last call of a conversation.
            models.Index(
                fields=["atendimento_id"], name="answered_call_of_talk", condition=Q(atendimento_id__isnull=False)
            ),
            # The admin's list.
            models.Index(fields=["company", "-dropped_at"], name="answered_call_drops", condition=~Q(drop="")),
        ]

    def __str__(self) -> str:
        return f"{display(self.attempt.phone_e164)} {self.get_drop_display()}".strip()
