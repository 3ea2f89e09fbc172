"""The occurrence log, which is also the queue of work."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from helpdesk.models.atendimentos import Atendimento
from helpdesk.models.people import Attendant
from helpdesk.querysets import CompanyQuerySet
from helpdesk.states import OccurrenceCategory, OccurrenceStatus


class Occurrence(models.Model):
    """Something that happened to a row, or (while pending) that is to be done for it (LogOcorrencia).

    `id` runs over the installation; `sequence` over the entries of the target. `table` and `target_id` name the target,
    `target_title` what it was called then; it outlives the target. `due_at` empty = as soon as possible.
    `detail` and `message` hold codes and labels, never a text that a person typed.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.PROTECT)
    atendimento = models.ForeignKey(
        Atendimento,
        verbose_name=_("atendimento"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        null=True,
        related_name="occurrences",
    )
    table = models.CharField(_("tabela"), max_length=40)
    target_id = models.UUIDField(_("referente"))
    target_title = models.CharField(_("nome"), max_length=200, blank=True)
    sequence = models.PositiveIntegerField(_("sequencial"))
    category = models.PositiveSmallIntegerField(_("categoria"), choices=OccurrenceCategory)
    status = models.PositiveSmallIntegerField(
        pgettext_lazy("ocorrência", "situação"), choices=OccurrenceStatus, default=OccurrenceStatus.DONE
    )
    message = models.CharField(pgettext_lazy("ocorrência", "registro"), max_length=255, blank=True)
    detail = models.JSONField(_("detalhe"), default=dict, blank=True)
    actor = models.ForeignKey(
        Attendant, verbose_name=_("quem"), on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    attempts = models.PositiveSmallIntegerField(_("tentativas"), default=0)
    due_at = models.DateTimeField(_("a partir de"), null=True, blank=True)
    created_at = models.DateTimeField(_("criada em"), default=timezone.now)
    updated_at = models.DateTimeField(_("alterada em"), default=timezone.now)

    objects = CompanyQuerySet.as_manager()

    class Meta:
        verbose_name = _("ocorrência")
        verbose_name_plural = _("ocorrências")
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            # Work of one kind is asked for once at a time.
            models.UniqueConstraint(
                fields=["atendimento", "category"], name="occurrence_pending_once", condition=Q(status=0)
            ),
        ]
        indexes: ClassVar = [
            # The log (Acompanhar).
            models.Index(fields=["company", "-id"], name="occurrence_by_number"),
            # The work of one kind, oldest first.
            models.Index(fields=["category", "id"], name="occurrence_pending", condition=Q(status=0)),
            # The history of one row, and its next sequence.
            models.Index(fields=["target_id", "-sequence"], name="occurrence_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.get_category_display()} {self.target_title}".strip()
