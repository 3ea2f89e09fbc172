"""The composition's one table: when a worker was last seen."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerHeartbeat(models.Model):
    """The last instant at which any worker ran the heartbeat task; one row (1), or none before the first beat."""

    at = models.DateTimeField(_("visto em"))

    class Meta:
        verbose_name = _("sinal de vida")
        verbose_name_plural = _("sinais de vida")

    def __str__(self) -> str:
        return f"{self.at:%d/%m/%Y %H:%M:%S}"
