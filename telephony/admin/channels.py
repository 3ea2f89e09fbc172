"""How the event channels are shown with their lines, and the admin of the PABX's names for events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from callcenter.lib.dashboard import Panel, Row
from callcenter.lib.display import absolute, badge, instant
from telephony.admin.rules import VocabularyAdmin
from telephony.models import DialerLine, EventName
from telephony.states import ChannelState, Meaning

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.http import HttpRequest
    from django.utils.safestring import SafeString

    from telephony.models import EventChannel

CHANNEL_FIELDS: Final = ("channel_now", ("channel_since", "channel_heard"), "channel_holder")


class ChannelColumns:
    """The columns of a line about its event channel; mixed into the admin of lines."""

    @admin.display(description=gettext_lazy("canal de eventos"))
    def channel_now(self, line: DialerLine) -> SafeString:
        """Whether it is open, and why not."""
        text, tone = channel_text(line, now=timezone.now())
        return badge(text, tone=tone)

    @admin.display(description=gettext_lazy("nesta situação desde"))
    def channel_since(self, line: DialerLine) -> SafeString | str:
        """Since when it is so."""
        channel = _channel(line)
        return instant(channel.state_since if channel else None, now=timezone.now())

    @admin.display(description=gettext_lazy("último evento"))
    def channel_heard(self, line: DialerLine) -> SafeString | str:
        """When the PABX told something last."""
        channel = _channel(line)
        return instant(channel.last_event_at if channel else None, now=timezone.now())

    @admin.display(description=gettext_lazy("processo que o lê"))
    def channel_holder(self, line: DialerLine) -> str:
        """Host, number and start of the process that has the channel, and when the PABX gave its last sign."""
        channel = _channel(line)
        if channel is None or not channel.is_held(timezone.now()):
            return "—"
        if channel.last_heard_at is None:
            return channel.holder
        return _("%(process)s (último sinal do PABX em %(at)s)") % {
            "process": channel.holder,
            "at": f"{absolute(channel.last_heard_at)}:{timezone.localtime(channel.last_heard_at):%S}",
        }


def channel_text(line: DialerLine, *, now: datetime) -> tuple[str, str]:
    """How the line's channel is doing in words, and the tone of it."""
    if line.channel_id is not None:
        return _("Fixo: %(number)s") % {"number": line.channel_id}, ""
    channel = _channel(line)
    if channel is None or not channel.is_held(now):
        if not line.is_enabled:
            return _("Fechado: a linha está desligada"), ""
        return _("Nenhum processo o lê: inicie o digitro_channel"), "bad"
    if channel.is_open(now):
        return _("Aberto: %(number)s") % {"number": channel.channel_id}, "good"
    if channel.state != ChannelState.WAITING:
        return str(channel.get_state_display()), "new"
    text = _("Falhou: %(problem)s") % {"problem": channel.get_problem_display()}
    if channel.retry_at is None or channel.retry_at <= now:
        return text, "warn"
    again = timezone.localtime(channel.retry_at)
    return _("%(what)s; tenta de novo às %(at)s") % {"what": text, "at": f"{again:%H:%M:%S}"}, "warn"


def channel_panels(lines: Iterable[DialerLine], *, url: str) -> list[Panel]:
    """The front page's box of the channels that we open ourselves; none where there is no such line."""
    now = timezone.now()
    rows = []
    for line in lines:
        if line.channel_id is None and line.is_enabled:
            text, tone = channel_text(line, now=now)
            page = reverse("admin:telephony_dialerline_change", args=[line.pk])
            rows.append(Row(label=line.name, note=line.company.name, url=page, state=text, tone=tone))
    return [Panel(_("Canais de eventos do PABX"), 5, rows=rows, url=url)] if rows else []


def _channel(line: DialerLine) -> EventChannel | None:
    return getattr(line, "event_channel", None)


@admin.register(EventName)
class EventNameAdmin(VocabularyAdmin):
    """What the PABX's names for its events mean; names that it used and nobody knows are here to be told."""

    list_display = ("name", "detail", "meaning_badge", "seen", "last_seen")
    list_filter = ("meaning",)
    search_fields = ("name", "detail")
    readonly_fields = ("seen", "last_seen")
    fields = ("name", "detail", "meaning", ("seen", "last_seen"))
    ordering = ("name", "detail")

    @admin.display(description=gettext_lazy("significado"), ordering="meaning")
    def meaning_badge(self, name: EventName) -> SafeString:
        """The meaning; one that is missing stands out."""
        return badge(name.get_meaning_display(), tone="warn" if name.meaning == Meaning.UNKNOWN else "")

    @admin.display(description=gettext_lazy("visto por último"), ordering="last_seen_at")
    def last_seen(self, name: EventName) -> SafeString | str:
        """When an event of this name came last."""
        return instant(name.last_seen_at, now=timezone.now())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Name and result are fixed once the row exists: events are counted by them."""
        fixed = [] if obj is None else ["name", "detail"]
        return [*super().get_readonly_fields(request, obj), *fixed]
