"""How many calls each line made in each hour, and how long they lasted: kept, so that nobody counts them all."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from telephony.models.lines import DialerLine


class CallTally(models.Model):
    """So many calls of one line, claimed in the hour that begins at `hour_at`, came to this and lasted so long.

    `origin` = the number that the line showed. `seconds` of conversation, whole; 0 where nobody answered;
    `LONGEST_SECONDS` = that or longer. Written anew by `telephony.services.meters`.
    """

    # Longer than any limit calls short.
    LONGEST_SECONDS: ClassVar = 31

    class Kind(models.TextChoices):
        """What became of the calls, as far as a limit asks."""

        OPEN = "open", _("Em curso")
        TALK = "talk", _("Atendida")
        MACHINE = "machine", _("Caixa postal")
        NOBODY = "nobody", _("Não completada")

    line = models.ForeignKey(DialerLine, on_delete=models.CASCADE, related_name="tallies", db_index=False)
    hour_at = models.DateTimeField()
    origin = models.CharField(max_length=32, blank=True)
    kind = models.CharField(max_length=7, choices=Kind)
    seconds = models.PositiveSmallIntegerField(default=0)
    calls = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("contagem de chamadas")
        verbose_name_plural = _("contagens de chamadas")
        constraints: ClassVar = [
            # Also what a month of a line adds up to.
            models.UniqueConstraint(fields=["line", "hour_at", "kind", "seconds"], name="call_tally_unique"),
        ]
        indexes: ClassVar = [
            # The hours that are counted anew.
            models.Index(fields=["hour_at"], name="call_tally_by_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.hour_at:%d/%m/%Y %H:%M} {self.get_kind_display()}: {self.calls}"
