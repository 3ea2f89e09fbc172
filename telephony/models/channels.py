"""The event channel of each line, and what the PABX's names for its events mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from telephony.models.lines import DialerLine
from telephony.states import ChannelNews, ChannelProblem, ChannelState, Meaning

if TYPE_CHECKING:
    from datetime import datetime


class EventChannel(models.Model):
    """How one line's event channel is doing, and which process reads it: a lease with a fence.

    A row of its own, because it is written every few seconds and claims lock the line's.
    `channel_id` empty = not open. `lease_until` empty or past = nobody reads it; the number counts only until then.
    `fence` grows with every new holder: whoever writes as an older one changes nothing.
    `problem` not empty = why it is not open, or, when open, why it was lost before.
    """

    line = models.OneToOneField(
        DialerLine, verbose_name=_("linha"), on_delete=models.CASCADE, related_name="event_channel"
    )
    state = models.CharField(_("canal"), max_length=10, choices=ChannelState, default=ChannelState.CLOSED)
    state_since = models.DateTimeField(_("desde"), null=True)
    channel_id = models.PositiveBigIntegerField(_("channelID"), null=True)
    holder = models.CharField(_("processo"), max_length=128, blank=True)
    fence = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    last_heard_at = models.DateTimeField(_("último sinal"), null=True)
    last_event_at = models.DateTimeField(_("último evento"), null=True)
    last_event_id = models.CharField(max_length=255, blank=True)
    problem = models.CharField(_("problema"), max_length=20, choices=ChannelProblem, blank=True)
    failures = models.PositiveIntegerField(_("falhas seguidas"), default=0)
    retry_at = models.DateTimeField(_("próxima tentativa"), null=True)

    class Meta:
        verbose_name = _("canal de eventos")
        verbose_name_plural = _("canais de eventos")

    def __str__(self) -> str:
        return f"{self.line_id}: {self.state}"

    def is_held(self, now: datetime) -> bool:
        """Whether some process reads it, or tries to."""
        return self.lease_until is not None and self.lease_until > now

    def is_open(self, now: datetime) -> bool:
        """Whether commands may be sent through it."""
        return self.state == ChannelState.OPEN and self.channel_id is not None and self.is_held(now)


class EventName(models.Model):
    """What one name of the PABX for an event means; a name that nobody knew gets a row by itself, to be looked at.

    `detail` empty = the name alone decides; else this row holds for events whose result field has that text.
    `seen` counts the events since the row was made.
    """

    name = models.CharField(_("nome do evento"), max_length=64)
    detail = models.CharField(
        _("resultado"), max_length=64, blank=True, help_text=_("Só para eventos com este resultado; em branco: todos.")
    )
    meaning = models.CharField(
        _("significado"), max_length=16, choices=[*Meaning.choices, *ChannelNews.choices], default=Meaning.UNKNOWN
    )
    seen = models.PositiveBigIntegerField(_("vezes visto"), default=0, editable=False)
    last_seen_at = models.DateTimeField(_("visto por último"), null=True, editable=False)

    class Meta:
        verbose_name = _("evento do PABX")
        verbose_name_plural = _("eventos do PABX")
        ordering: ClassVar = ["name", "detail"]
        constraints: ClassVar = [
            # One meaning each.
            models.UniqueConstraint(fields=["name", "detail"], name="event_name_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.detail}".strip()
