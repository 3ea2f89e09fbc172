"""Answers that are kept for a day, so that a POST that is repeated under its `Idempotency-Key` is not done twice."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from requests_app.data import KeptAnswer


class IdempotentAnswer(models.Model):
    """What one user's POST under one key was answered; written in the transaction that stored what it made.

    `fingerprint` is a keyed digest of method, path and body. `callback_at` null = no slot was given. No row is ever
    without an answer: what failed left none.
    """

    user = models.ForeignKey("accounts.User", verbose_name=_("usuário"), on_delete=models.CASCADE, related_name="+")
    key = models.CharField(_("chave"), max_length=255)
    fingerprint = models.CharField(max_length=64)
    company = models.ForeignKey("accounts.Company", verbose_name=_("empresa"), on_delete=models.CASCADE)
    status = models.PositiveSmallIntegerField(_("status HTTP"))
    body = models.TextField(_("resposta"))
    callback_at = models.DateTimeField(_("horário marcado"), null=True)
    created_at = models.DateTimeField(_("criada em"), default=timezone.now)

    class Meta:
        verbose_name = _("resposta guardada")
        verbose_name_plural = _("respostas guardadas")
        constraints: ClassVar = [
            # One answer per key; also the lookup.
            models.UniqueConstraint(fields=["user", "key"], name="idempotent_answer_once"),
        ]
        indexes: ClassVar = [
            # The end that is thrown away.
            models.Index(fields=["created_at"], name="idempotent_answer_by_date"),
        ]

    def __str__(self) -> str:
        return f"{self.status} ({self.created_at:%d/%m/%Y %H:%M})"

    @property
    def answer(self) -> KeptAnswer:
        """The answer as it is given again."""
        return KeptAnswer(self.status, self.body.encode(), self.company_id, self.callback_at)
