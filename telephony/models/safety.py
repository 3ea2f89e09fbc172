"""What may stop dialing, and who or what stopped it: the switch for all lines, its history, each line's breaker."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from telephony.models.lines import DialerLine
from telephony.states import BreakerState, SwitchReason


class DialerSwitch(models.Model):
    """The switch for all lines: one row (1). Off, no intent to dial is committed.

    `installation` and `mark` say how far this database's history has come; the same is kept outside of it, so that one
    that was put back to an earlier state is noticed (`telephony.services.fence`). `server_identity` empty = the
    database has no such thing (SQLite), or it has not been looked at. `lost_from` and `lost_until` are the time of
    which this database may know nothing; empty = none.
    """

    is_on = models.BooleanField(_("ligado"), default=True)
    reason = models.CharField(_("motivo"), max_length=16, choices=SwitchReason, default=SwitchReason.PERSON)
    note = models.CharField(_("por quê"), max_length=200, blank=True)
    changed_at = models.DateTimeField(_("desde"), default=timezone.now)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("quem"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    installation = models.UUIDField(default=uuid.uuid4, editable=False)
    mark = models.BigIntegerField(default=0, editable=False)
    marked_at = models.DateTimeField(null=True, editable=False)
    server_identity = models.CharField(max_length=64, blank=True, editable=False)
    lost_from = models.DateTimeField(null=True, editable=False)
    lost_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("chave geral do discador")
        verbose_name_plural = _("chave geral do discador")
        permissions: ClassVar = [("switch_dialer", _("Pode desligar e religar o discador inteiro"))]

    def __str__(self) -> str:
        return str(_("Discador ligado") if self.is_on else _("Discador desligado"))


class SwitchEntry(models.Model):
    """One turn of a switch; written once. `line` empty = the switch for all. `actor` empty = the system did it."""

    at = models.DateTimeField(_("quando"))
    line = models.ForeignKey(
        DialerLine, verbose_name=_("linha"), on_delete=models.CASCADE, null=True, related_name="switch_entries"
    )
    is_on = models.BooleanField(_("ligou"))
    reason = models.CharField(_("motivo"), max_length=16, choices=SwitchReason)
    note = models.CharField(_("por quê"), max_length=200, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("quem"), on_delete=models.SET_NULL, null=True, related_name="+"
    )

    class Meta:
        verbose_name = _("liga e desliga")
        verbose_name_plural = _("liga e desliga")
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [
            # The history of one line, and of the switch for all.
            models.Index(fields=["line", "-at", "-id"], name="switch_entry_by_line"),
        ]

    def __str__(self) -> str:
        turned = _("ligado") if self.is_on else _("desligado")
        return f"{turned} ({timezone.localtime(self.at):%d/%m/%Y %H:%M})"


class LineBreaker(models.Model):
    """How a line's PABX has been doing: calls in a row that got no connection or no sure answer, and what follows.

    No row = nothing has failed yet. `reason` is the last failure's error code. `next_probe_at` empty unless open or
    half-open: then the instant from which one call may try again.
    """

    line = models.OneToOneField(
        DialerLine, verbose_name=_("linha"), on_delete=models.CASCADE, primary_key=True, related_name="breaker"
    )
    state = models.CharField(_("estado"), max_length=10, choices=BreakerState, default=BreakerState.CLOSED)
    failures = models.PositiveIntegerField(_("falhas seguidas"), default=0)
    openings = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(_("desde"))
    reason = models.CharField(_("última falha"), max_length=32, blank=True)
    next_probe_at = models.DateTimeField(_("próximo teste"), null=True)

    class Meta:
        verbose_name = _("disjuntor da linha")
        verbose_name_plural = _("disjuntores das linhas")

    def __str__(self) -> str:
        return str(BreakerState(self.state).label)
